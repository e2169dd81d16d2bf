//! Whether anybody will go on with a run.

use std::time::{Duration, Instant};

use tenantatlas_commands::CommandError;
use tenantatlas_domain::ids::{OperationRunId, TenantId};
use tenantatlas_store::operation_runs::{self, Limits, Liveness, OperationRun};

use crate::runner::Runner;

/// How often, and how many times, a run that is active already is looked at. Together longer than a lease lasts.
const LOOK_INTERVAL: Duration = Duration::from_millis(150);
const LOOKS: u32 = 300;
/// A run that nobody holds although the limits leave a place for it is claimed within the poll interval of any process with
/// workers. After so long there is none.
const WORTH_WAITING: Duration = Duration::from_secs(10);

impl Runner {
    /// Whether others work on a run that is active, or will: it moves, its lease is renewed, another worker takes it, it ends,
    /// or it waits for a place that others take. Not so when its lease has expired, or when it waits for long although
    /// there is a place: then a process that died left it behind. To be asked by a process that has no workers itself.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn is_worked_on(&self, tenant: TenantId, id: OperationRunId) -> Result<bool, CommandError> {
        let (db, longest_lease) = (&self.core.commands.db, self.core.config.longest_lease());
        let Some(run) = operation_runs::get(db, tenant, id).await? else { return Ok(false) };
        let limits = self.limits_of(&run);
        let began = Instant::now();
        let mut first: Option<Liveness> = None;
        for _ in 0..LOOKS {
            let Some(now) = operation_runs::liveness(db, tenant, id, limits, longest_lease).await? else {
                return Ok(false);
            };
            let known = first.get_or_insert_with(|| now.clone());
            // This process has no workers: another attempt is that of another process.
            if now.run.status.is_terminal() || now.run.attempt != known.run.attempt {
                return Ok(true);
            }
            if now.held_until.is_some() {
                if now.held_until != known.held_until || moved(&known.run, &now.run) {
                    return Ok(true);
                }
            } else if !now.has_place {
                return Ok(true);
            } else if now.run.lease_owner.is_some() || began.elapsed().max(self.waited(&now.run)) >= WORTH_WAITING {
                return Ok(false);
            }
            tokio::time::sleep(LOOK_INTERVAL).await;
        }
        Ok(true)
    }

    fn limits_of(&self, run: &OperationRun) -> Limits {
        let operation = self.core.operations.find(&run.resource, &run.action);
        operation.map_or(Limits { global: 1, per_tenant: 1 }, |operation| operation.limits().limits)
    }

    /// How long a run that nobody holds has waited: since it was dispatched or given back.
    fn waited(&self, run: &OperationRun) -> Duration {
        let millis = self.core.commands.clock.now().as_millis().saturating_sub(run.updated_at.as_millis());
        Duration::from_millis(u64::try_from(millis).unwrap_or(0))
    }
}

fn moved(before: &OperationRun, after: &OperationRun) -> bool {
    (before.updated_at, &before.counters, &before.progress) != (after.updated_at, &after.counters, &after.progress)
}
