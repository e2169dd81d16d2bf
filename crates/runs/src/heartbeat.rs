//! The heartbeat that holds a run's lease for as long as the run is worked on.

use std::sync::Arc;
use std::time::Duration;

use tenantatlas_store::StoreError;
use tenantatlas_store::operation_runs::{self, Renewal};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::context::RunContext;
use crate::stop::Stop;

/// Renews the lease every third of its length until `ended`; stops the attempt when the lease is lost, when somebody
/// asked to cancel the run, and when the process stops.
pub(crate) async fn keep(context: Arc<RunContext>, lease: Duration, ended: CancellationToken) {
    let mut held_until = Instant::now() + lease;
    let mut pause = lease / 3;
    loop {
        tokio::select! {
            () = ended.cancelled() => return,
            () = context.commands.stopping.cancelled(), if context.stopped().is_none() => {
                context.stop(Stop::Shutdown);
                continue;
            }
            () = tokio::time::sleep(pause) => {}
        }
        let asked = Instant::now();
        match renew(&context, lease).await {
            Ok(renewal) => {
                held_until = asked + lease;
                pause = lease / 3;
                if renewal.cancel_requested {
                    context.stop(Stop::Cancelled);
                }
            }
            Err(StoreError::LeaseLost) => {
                context.stop(Stop::LeaseLost);
                return;
            }
            Err(error) => {
                tracing::warn!(%error, "the lease could not be renewed");
                // Until the lease ends nobody else has the run, so it is worth trying.
                pause = (lease / 10).max(Duration::from_millis(20));
                if Instant::now() + pause >= held_until {
                    context.stop(Stop::LeaseLost);
                    return;
                }
            }
        }
    }
}

async fn renew(context: &RunContext, lease: Duration) -> Result<Renewal, StoreError> {
    let mut tx = context.commands.db.write().await?;
    let renewal = operation_runs::renew(&mut tx, &context.fence, lease).await?;
    tx.commit().await?;
    Ok(renewal)
}
