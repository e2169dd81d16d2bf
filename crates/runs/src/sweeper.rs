//! The sweeper: no run stays `running` for ever, and none waits longer than its turn may take.

use std::sync::Arc;
use std::time::Duration;

use metrics::counter;
use tenantatlas_domain::operation::OperationStatus;
use tenantatlas_domain::reason::ReasonCode;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_store::operation_runs::{self, End, OperationRun, Overdue, Rest};
use tenantatlas_store::{StoreError, Tx};

use crate::completion;
use crate::core::Core;
use crate::operation::Summary;

/// Runs of one transaction, at most. Each that ends leaves an entry in the audit log and a notification, and the end of the
/// log is locked until the commit: few at a time, so that nobody who writes waits for long.
const BATCH: u32 = 10;

/// Looks for expired leases and overdue runs until the process stops.
pub(crate) async fn sweep(core: Arc<Core>) {
    loop {
        if let Err(error) = sweep_once(&core).await {
            tracing::warn!(%error, "sweeping failed");
        }
        tokio::select! {
            () = core.commands.stopping.cancelled() => return,
            () = tokio::time::sleep(core.config.sweep_interval) => {}
        }
    }
}

async fn sweep_once(core: &Core) -> Result<(), StoreError> {
    let depth = operation_runs::queue_depth(&core.commands.db).await?;
    if depth.running > 0 {
        take_from_the_lost(core).await?;
    }
    if depth.pending > 0 {
        end_overdue(core).await?;
    }
    Ok(())
}

/// Puts runs back whose worker was lost, or ends them when that happened too often.
async fn take_from_the_lost(core: &Core) -> Result<(), StoreError> {
    let (max_lost, longest_lease) = (core.config.max_attempts, core.config.longest_lease());
    let end = End {
        status: OperationStatus::Failed,
        reason_code: Some(ReasonCode::WorkerLost),
        reason: ReasonCode::WorkerLost.sentence().to_owned(),
        rest: Rest::Failed,
    };
    loop {
        let at = core.commands.clock.now();
        let mut tx = core.commands.db.write().await?;
        let swept = operation_runs::sweep_expired(&mut tx, max_lost, longest_lease, BATCH, at).await?;
        for run in &swept.failed {
            close(core, &mut tx, run, &end, at).await?;
        }
        tx.commit().await?;
        let found = swept.failed.len() + swept.requeued.len();
        if found > 0 {
            tracing::warn!(requeued = swept.requeued.len(), failed = swept.failed.len(), "workers were lost");
            counter!("run_leases_reclaimed_total").increment(found as u64);
            core.wake_workers();
        }
        core.publish_runs(&swept.requeued);
        core.tell_of_ends(&swept.failed).await;
        if found < BATCH as usize || core.commands.stopping.is_cancelled() {
            return Ok(());
        }
    }
}

/// Ends runs that waited for a free place longer than they may (`docs/rules.md`, section Operation runs). A run that waits
/// although there is a free place only waits for a worker, and goes on waiting.
///
/// In batches, so that others who write come in between.
async fn end_overdue(core: &Core) -> Result<(), StoreError> {
    let code = ReasonCode::ConcurrencyLimit;
    let end = End {
        status: OperationStatus::Aborted,
        reason_code: Some(code),
        reason: code.sentence().to_owned(),
        rest: Rest::Skipped,
    };
    let limits = core.limits();
    loop {
        let at = core.commands.clock.now();
        let before = |wait: Duration| {
            let wait = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX);
            Timestamp::from_millis(at.as_millis().saturating_sub(wait))
        };
        let overdue = Overdue { in_tenant: before(core.config.queue_wait), over_all: before(core.config.turn_wait) };
        let mut tx = core.commands.db.write().await?;
        let overdue = operation_runs::overdue(&mut tx, overdue, &limits, BATCH).await?;
        let mut ended = Vec::with_capacity(overdue.len());
        for run in overdue {
            let Some(run) = operation_runs::end_unclaimed(&mut tx, run.id, &end, at).await? else { continue };
            close(core, &mut tx, &run, &end, at).await?;
            ended.push(run);
        }
        tx.commit().await?;
        core.tell_of_ends(&ended).await;
        if ended.len() < BATCH as usize || core.commands.stopping.is_cancelled() {
            return Ok(());
        }
    }
}

/// Writes what goes with the end of a run that no worker ended.
pub(crate) async fn close(
    core: &Core,
    tx: &mut Tx,
    run: &OperationRun,
    end: &End,
    at: Timestamp,
) -> Result<(), StoreError> {
    let summary = match core.operations.find(&run.resource, &run.action) {
        Some(operation) => operation.close(tx, run, end, at).await?,
        None => Summary::new(),
    };
    completion::record(core, tx, run, summary, at).await
}
