//! The sweeper: no run stays `running` for ever, and none waits longer than its turn may take.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tenantatlas_domain::ids::UserId;
use tenantatlas_domain::operation::OperationStatus;
use tenantatlas_domain::reason::ReasonCode;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_store::operation_runs::{self, End, Limits, OperationRun, Rest};
use tenantatlas_store::{
    StoreError, known_browsers, one_time_links, pending_sign_ins, second_factors, sessions, sign_in_attempts, tenants,
};
use tokio::time::Instant;

use crate::ending;
use crate::engine::Core;
use crate::operation::Summary;
use crate::run_state::RunState;
use crate::second_factor::SET_UP_LASTS;
use crate::sign_in::{BROWSER_IS_KNOWN, LONGEST_WINDOW};
use crate::stats::Count;

/// Runs ended in one transaction, at most: each leaves an entry in the audit log and a notification.
const BATCH: u32 = 50;
/// The pause between two pieces of a large deletion.
const BETWEEN_PIECES: Duration = Duration::from_millis(2);
/// What has ended is forgotten so often.
const FORGET_INTERVAL: Duration = Duration::from_secs(600);

/// Looks for expired leases and overdue runs until the process stops.
pub(crate) async fn sweep(core: Arc<Core>) {
    let mut forgotten = None;
    loop {
        if let Err(error) = sweep_once(&core, &mut forgotten).await {
            tracing::warn!(%error, "sweeping failed");
        }
        tokio::select! {
            () = core.stopping.cancelled() => return,
            () = core.sweep_now.notified() => {}
            () = tokio::time::sleep(core.config.sweep_interval) => {}
        }
    }
}

async fn sweep_once(core: &Core, forgotten: &mut Option<Instant>) -> Result<(), StoreError> {
    let depth = operation_runs::queue_depth(&core.db).await?;
    if depth.running > 0 {
        take_from_the_lost(core).await?;
    }
    if depth.pending > 0 {
        end_overdue(core).await?;
    }
    if pending_sign_ins::has_ended(&core.db, core.clock.now()).await? {
        tell_of_unfinished_sign_ins(core).await?;
    }
    // Last: whoever lost their worker must not wait for a large deletion, nor for one that fails.
    if forgotten.is_none_or(|at| at.elapsed() >= FORGET_INTERVAL) {
        forget_ended(core).await?;
        *forgotten = Some(Instant::now());
    }
    purge_tenants(core).await
}

/// Puts runs back whose worker was lost, or ends them when that happened too often.
async fn take_from_the_lost(core: &Core) -> Result<(), StoreError> {
    let at = core.clock.now();
    let mut tx = core.db.write().await?;
    let swept =
        operation_runs::sweep_expired(&mut tx, core.config.max_attempts, core.config.longest_lease(), at).await?;
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
///
/// In batches: one transaction for many, and others who write come in between.
async fn end_overdue(core: &Core) -> Result<(), StoreError> {
    let code = ReasonCode::ConcurrencyLimit;
    let end = End {
        status: OperationStatus::Aborted,
        reason_code: Some(code),
        reason: code.sentence().to_owned(),
        rest: Rest::Skipped,
    };
    let wait = i64::try_from(core.config.lock_wait.as_millis()).unwrap_or(i64::MAX);
    let limits = Limits { global: core.config.global_sync_limit, per_tenant: core.config.tenant_sync_limit };
    loop {
        let at = core.clock.now();
        let before = Timestamp::from_millis(at.as_millis().saturating_sub(wait));
        let mut tx = core.db.write().await?;
        let overdue = operation_runs::overdue(&mut tx, before, limits, BATCH).await?;
        let mut ended = Vec::with_capacity(overdue.len());
        for run in overdue {
            let Some(run) = operation_runs::end_unclaimed(&mut tx, run.id, &end, at).await? else { continue };
            close(core, &mut tx, &run, &end, at).await?;
            ended.push(run);
        }
        tx.commit().await?;
        let people: BTreeSet<UserId> = ended.iter().filter_map(|run| run.user_id).collect();
        for run in &ended {
            core.publish_run(&RunState::of(run));
        }
        for user in people {
            core.publish_unread(user).await;
        }
        if ended.len() < BATCH as usize || core.stopping.is_cancelled() {
            return Ok(());
        }
    }
}

/// Deletes what is left of tenants that were removed, a piece at a time, for as long as the next sweep may wait; the rest
/// comes with that.
async fn purge_tenants(core: &Core) -> Result<(), StoreError> {
    let began = Instant::now();
    while let Some(tenant) = tenants::retired(&core.db).await? {
        loop {
            if core.stopping.is_cancelled() {
                return Ok(());
            }
            if began.elapsed() >= core.config.sweep_interval {
                core.sweep_now.notify_one();
                return Ok(());
            }
            let mut tx = core.db.write().await?;
            let more = tenants::purge_piece(&mut tx, tenant).await?;
            tx.commit().await?;
            if !more {
                break;
            }
            // Whoever waits for the writer has its turn now.
            tokio::time::sleep(BETWEEN_PIECES).await;
        }
    }
    Ok(())
}

/// Removes sign-ins whose second step did not come, and tells their people: somebody else may know the password.
async fn tell_of_unfinished_sign_ins(core: &Core) -> Result<(), StoreError> {
    let at = core.clock.now();
    let mut tx = core.db.write().await?;
    let ended = pending_sign_ins::remove_ended(&mut tx, at).await?;
    let told = core.tell_of_unfinished(&mut tx, ended, at).await?;
    tx.commit().await?;
    for user in told {
        core.publish_unread(user).await;
    }
    Ok(())
}

/// Forgets what has ended and is of no use any more: sessions, one-time links, set-ups that nobody
/// finished, failed sign-ins, browsers that were not used for long.
async fn forget_ended(core: &Core) -> Result<(), StoreError> {
    let at = core.clock.now();
    let mut tx = core.db.write().await?;
    let before = |length: Duration| {
        Timestamp::from_millis(at.as_millis().saturating_sub(i64::try_from(length.as_millis()).unwrap_or(i64::MAX)))
    };
    sessions::remove_ended(&mut tx, at).await?;
    second_factors::remove_unconfirmed(&mut tx, before(SET_UP_LASTS)).await?;
    known_browsers::remove_old(&mut tx, before(BROWSER_IS_KNOWN)).await?;
    one_time_links::remove_ended(&mut tx, at).await?;
    sign_in_attempts::remove_old(&mut tx, LONGEST_WINDOW, at).await?;
    tx.commit().await
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
