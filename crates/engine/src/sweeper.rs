//! The sweeper: no run stays `running` for ever, and none waits longer than its turn may take.

use std::sync::Arc;

use tenantatlas_domain::operation::OperationStatus;
use tenantatlas_domain::reason::ReasonCode;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_store::StoreError;
use tenantatlas_store::operation_runs::{self, End, OperationRun, Rest};

use crate::ending;
use crate::engine::Core;
use crate::operation::Summary;
use crate::run_state::RunState;
use crate::stats::Count;

/// Looks for expired leases and overdue runs until the process stops.
pub(crate) async fn sweep(core: Arc<Core>) {
    loop {
        if let Err(error) = sweep_once(&core).await {
            tracing::warn!(%error, "sweeping failed");
        }
        tokio::select! {
            () = core.stopping.cancelled() => return,
            () = tokio::time::sleep(core.config.sweep_interval) => {}
        }
    }
}

async fn sweep_once(core: &Core) -> Result<(), StoreError> {
    let depth = operation_runs::queue_depth(&core.db).await?;
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
    let at = core.clock.now();
    let mut tx = core.db.write().await?;
    let swept = operation_runs::sweep_expired(&mut tx, core.config.max_attempts, at).await?;
    for run in &swept.failed {
        let end = End {
            status: OperationStatus::Failed,
            reason_code: Some(ReasonCode::WorkerLost),
            reason: ReasonCode::WorkerLost.sentence().to_owned(),
            rest: Rest::Failed,
        };
        close(core, &mut tx, run, &end, at).await?;
    }
    tx.commit().await?;
    let found = swept.failed.len() + swept.requeued.len();
    if found > 0 {
        tracing::warn!(requeued = swept.requeued.len(), failed = swept.failed.len(), "workers were lost");
        core.stats.add(Count::Reclaimed, found as u64);
        core.wake.notify_one();
        core.relay_queue();
    }
    for run in swept.failed.iter().chain(&swept.requeued) {
        core.publish_run(&RunState::of(run));
    }
    for run in &swept.failed {
        core.publish_unread_of(run).await;
    }
    Ok(())
}

/// Ends runs that waited for a free place longer than they may (product rules, section Inventory sync, Locks and
/// limits). A run that waits although there is a free place only waits for a worker, and goes on waiting.
async fn end_overdue(core: &Core) -> Result<(), StoreError> {
    let at = core.clock.now();
    let wait = i64::try_from(core.config.lock_wait.as_millis()).unwrap_or(i64::MAX);
    let before = Timestamp::from_millis(at.as_millis().saturating_sub(wait));
    let overdue = operation_runs::waiting_since(&core.db, before).await?;
    if overdue.is_empty() {
        return Ok(());
    }
    let active = operation_runs::active(&core.db, None, None).await?;
    for run in overdue {
        let same = active.iter().filter(|other| {
            other.lease_owner.is_some() && other.resource == run.resource && other.action == run.action
        });
        let (in_all, in_tenant) = same.fold((0_u32, 0_u32), |(in_all, in_tenant), other| {
            (in_all + 1, in_tenant + u32::from(other.tenant_id == run.tenant_id))
        });
        if in_all < core.config.global_sync_limit && in_tenant < core.config.tenant_sync_limit {
            continue;
        }
        let code = ReasonCode::ConcurrencyLimit;
        let end = End {
            status: OperationStatus::Aborted,
            reason_code: Some(code),
            reason: code.sentence().to_owned(),
            rest: Rest::Skipped,
        };
        let mut tx = core.db.write().await?;
        let Some(ended) = operation_runs::end_unclaimed(&mut tx, run.id, &end, at).await? else { continue };
        close(core, &mut tx, &ended, &end, at).await?;
        tx.commit().await?;
        core.publish_run(&RunState::of(&ended));
        core.publish_unread_of(&ended).await;
    }
    Ok(())
}

/// Writes what goes with the end of a run that no worker ended.
pub(crate) async fn close(
    core: &Core,
    tx: &mut tenantatlas_store::Tx,
    run: &OperationRun,
    end: &End,
    at: Timestamp,
) -> Result<(), StoreError> {
    let summary = match core.operation(&run.resource, &run.action) {
        Some(operation) => operation.close(tx, run, end, at).await?,
        None => Summary::new(),
    };
    ending::record(core, tx, run, summary, at).await
}
