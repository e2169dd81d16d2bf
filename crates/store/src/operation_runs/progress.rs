//! How runs go on and end.

use sqlx::AssertSqlSafe;
use tenantatlas_domain::ids::{OperationRunId, TenantId, UserId};
use tenantatlas_domain::live::Progress;
use tenantatlas_domain::news::News;
use tenantatlas_domain::operation::{Failure, FailureKind, ItemOutcome, MAX_FAILURES_KEPT, OperationStatus};
use tenantatlas_domain::pauses::Pauses;
use tenantatlas_domain::reason::ReasonCode;
use tenantatlas_domain::time::Timestamp;

use super::attempts::{self, AttemptEnd};
use super::{Fence, OperationRun, stored_reasons};
use crate::sql::{args, json};
use crate::{StoreError, Tx, dialect};

/// The end of one item.
#[derive(Clone, Debug)]
pub struct Settled {
    /// How it ended.
    pub outcome: ItemOutcome,
    /// The line to keep when it did not succeed.
    pub failure: Option<Failure>,
}

/// What counts for the items that a run leaves undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rest {
    /// There are none, or they stay unprocessed.
    Open,
    /// They were skipped, as when a run is aborted.
    Skipped,
    /// They failed.
    Failed,
}

/// How a run ends.
#[derive(Clone, Debug)]
pub struct End {
    /// The terminal state.
    pub status: OperationStatus,
    /// Why, when that is one reason.
    pub reason_code: Option<ReasonCode>,
    /// The same in a sanitised sentence; kept as a failure when there is a reason code.
    pub reason: String,
    /// What counts for the items that are not done.
    pub rest: Rest,
}

/// What became of the wish to cancel a run.
#[derive(Clone, Debug, PartialEq)]
pub enum CancelOutcome {
    /// The tenant has no such run.
    NotFound,
    /// It has ended already.
    AlreadyEnded(OperationRun),
    /// Nobody worked on it: it is `aborted` now. What goes with an end belongs into the same transaction.
    Aborted(OperationRun),
    /// Its worker was told and will end it soon.
    Requested(OperationRun),
}

async fn held(tx: &mut Tx, fence: &Fence) -> Result<OperationRun, StoreError> {
    let text = format!(
        "SELECT *
         FROM bulk_operation_runs
         WHERE id = $1 AND lease_owner = $2 AND attempt = $3 AND status = 'running'{}",
        dialect::for_update(tx.backend())
    );
    tx.row(AssertSqlSafe(text), &args![fence.run_id, fence.owner.as_str(), fence.attempt])
        .await?
        .ok_or(StoreError::LeaseLost)
}

async fn locked(tx: &mut Tx, id: OperationRunId) -> Result<Option<OperationRun>, StoreError> {
    let text = format!("SELECT * FROM bulk_operation_runs WHERE id = $1{}", dialect::for_update(tx.backend()));
    tx.row(AssertSqlSafe(text), &args![id]).await
}

/// The same within a tenant.
async fn locked_of(tx: &mut Tx, tenant: TenantId, id: OperationRunId) -> Result<Option<OperationRun>, StoreError> {
    let lock = dialect::for_update(tx.backend());
    let text = format!("SELECT * FROM bulk_operation_runs WHERE id = $1 AND tenant_id = $2{lock}");
    tx.row(AssertSqlSafe(text), &args![id, tenant]).await
}

fn keep(run: &mut OperationRun, failure: &Failure) {
    note(run, failure.reason_code);
    if run.failures.len() < MAX_FAILURES_KEPT {
        run.failures.push(failure.clone());
    } else {
        run.failures_omitted += 1;
    }
}

fn note(run: &mut OperationRun, reason: ReasonCode) {
    if !run.reasons.contains(&reason) {
        run.reasons.push(reason);
    }
}

async fn store(tx: &mut Tx, run: &OperationRun) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE bulk_operation_runs
         SET status = $2, processed_items = $3, succeeded = $4, failed = $5, skipped = $6, failures = $7,
             failures_omitted = $8, reason_code = $9, finished_at = $10, updated_at = $11, reasons = $12
         WHERE id = $1",
        &args![
            run.id,
            run.status.as_str(),
            run.counters.processed,
            run.counters.succeeded,
            run.counters.failed,
            run.counters.skipped,
            json(&run.failures),
            run.failures_omitted,
            run.reason_code.map(ReasonCode::as_str),
            run.finished_at,
            run.updated_at,
            stored_reasons(&run.reasons)
        ],
    )
    .await
    .map(|_| ())
}

/// Counts items that ended, and keeps the lines of those that did not succeed.
///
/// # Errors
/// [`StoreError::LeaseLost`]; [`StoreError::CountersExceeded`] when more items end than the run has.
pub async fn settle(tx: &mut Tx, fence: &Fence, items: &[Settled], at: Timestamp) -> Result<OperationRun, StoreError> {
    let mut run = held(tx, fence).await?;
    for item in items {
        run.counters.record(item.outcome)?;
        if let Some(failure) = &item.failure {
            keep(&mut run, failure);
        }
    }
    run.updated_at = at;
    store(tx, &run).await?;
    Ok(run)
}

/// Stores how far the run is within its items. Coalesce calls: a few per second and run.
///
/// # Errors
/// [`StoreError::LeaseLost`].
pub async fn set_progress(tx: &mut Tx, fence: &Fence, progress: &Progress, at: Timestamp) -> Result<(), StoreError> {
    let changed = tx
        .execute(
            "UPDATE bulk_operation_runs
             SET progress = $4, updated_at = $5
             WHERE id = $1 AND lease_owner = $2 AND attempt = $3 AND status = 'running'",
            &args![fence.run_id, fence.owner.as_str(), fence.attempt, json(progress), at],
        )
        .await?;
    if changed == 1 { Ok(()) } else { Err(StoreError::LeaseLost) }
}

/// Stores what the run found that was not known before. Part of the transaction that ends it.
///
/// # Errors
/// [`StoreError::LeaseLost`].
pub async fn set_news(tx: &mut Tx, fence: &Fence, news: &News) -> Result<(), StoreError> {
    let changed = tx
        .execute(
            "UPDATE bulk_operation_runs
             SET news = $4
             WHERE id = $1 AND lease_owner = $2 AND attempt = $3 AND status = 'running'",
            &args![fence.run_id, fence.owner.as_str(), fence.attempt, json(news)],
        )
        .await?;
    if changed == 1 { Ok(()) } else { Err(StoreError::LeaseLost) }
}

/// Stores when the cloud let nothing in for the run. Part of the transaction that ends an attempt.
///
/// # Errors
/// [`StoreError::LeaseLost`].
pub async fn set_pauses(tx: &mut Tx, fence: &Fence, pauses: &Pauses) -> Result<(), StoreError> {
    let changed = tx
        .execute(
            "UPDATE bulk_operation_runs
             SET pauses = $4
             WHERE id = $1 AND lease_owner = $2 AND attempt = $3 AND status = 'running'",
            &args![fence.run_id, fence.owner.as_str(), fence.attempt, json(pauses)],
        )
        .await?;
    if changed == 1 { Ok(()) } else { Err(StoreError::LeaseLost) }
}

/// Ends a run that this worker holds.
///
/// # Errors
/// [`StoreError::LeaseLost`]; [`StoreError::IllegalTransition`] when the state is not terminal.
pub async fn finish(tx: &mut Tx, fence: &Fence, end: &End, at: Timestamp) -> Result<OperationRun, StoreError> {
    let run = held(tx, fence).await?;
    end_row(tx, run, end, at).await
}

/// Ends a run that no worker holds, such as one whose turn did not come in time. `None` when there is no such run, it
/// has ended, or a worker has it.
///
/// # Errors
/// [`StoreError::IllegalTransition`] when the state is not terminal.
pub async fn end_unclaimed(
    tx: &mut Tx,
    id: OperationRunId,
    end: &End,
    at: Timestamp,
) -> Result<Option<OperationRun>, StoreError> {
    match locked(tx, id).await? {
        Some(run) if run.lease_owner.is_none() && !run.status.is_terminal() => {
            end_row(tx, run, end, at).await.map(Some)
        }
        _ => Ok(None),
    }
}

/// Ends a run of a tenant that a person no longer wants: at once when nobody works on it, else by telling its worker. `by`
/// is the name of who asks, and the person where it is one.
///
/// # Errors
/// When the database fails.
pub async fn request_cancel(
    tx: &mut Tx,
    tenant: TenantId,
    id: OperationRunId,
    by: (&str, Option<UserId>),
    at: Timestamp,
) -> Result<CancelOutcome, StoreError> {
    let Some(mut run) = locked_of(tx, tenant, id).await? else { return Ok(CancelOutcome::NotFound) };
    if run.status.is_terminal() {
        return Ok(CancelOutcome::AlreadyEnded(run));
    }
    if run.cancel_requested_at.is_none() {
        run.cancel_requested_at = Some(at);
        run.cancel_requested_by = Some(by.0.to_owned());
        run.cancel_requested_by_id = by.1;
        run.updated_at = at;
        tx.execute(
            "UPDATE bulk_operation_runs
             SET cancel_requested_at = $2, cancel_requested_by = $3, cancel_requested_by_id = $4, updated_at = $2
             WHERE id = $1",
            &args![id, at, by.0, by.1],
        )
        .await?;
    }
    if run.lease_owner.is_some() {
        return Ok(CancelOutcome::Requested(run));
    }
    let end = End {
        status: OperationStatus::Aborted,
        reason_code: Some(ReasonCode::Cancelled),
        reason: ReasonCode::Cancelled.sentence().to_owned(),
        rest: Rest::Skipped,
    };
    end_row(tx, run, &end, at).await.map(CancelOutcome::Aborted)
}

/// The one place where a run gets a terminal state.
pub(super) async fn end_row(
    tx: &mut Tx,
    mut run: OperationRun,
    end: &End,
    at: Timestamp,
) -> Result<OperationRun, StoreError> {
    if !end.status.is_terminal() {
        let illegal = tenantatlas_domain::operation::IllegalTransition { from: run.status, to: end.status };
        return Err(illegal.into());
    }
    run.status = run.status.transition(end.status)?;
    let open = run.counters.total.saturating_sub(run.counters.processed);
    match end.rest {
        Rest::Open => {}
        Rest::Skipped => run.counters.skip_rest(),
        Rest::Failed => {
            run.counters.failed += open;
            run.counters.processed += open;
        }
    }
    if let Some(reason_code) = end.reason_code {
        let kind = if end.rest == Rest::Skipped { FailureKind::Skipped } else { FailureKind::Failed };
        let failure = Failure { reason_code, reason: end.reason.clone(), item_id: None, kind };
        keep(&mut run, &failure);
    }
    run.reason_code = end.reason_code;
    run.finished_at = Some(at);
    run.updated_at = at;
    run.lease_owner = None;
    store(tx, &run).await?;
    tx.execute("UPDATE bulk_operation_runs SET lease_owner = NULL, lease_until = 0 WHERE id = $1", &args![run.id])
        .await?;
    attempts::end(tx, run.id, run.attempt, AttemptEnd::End, at).await?;
    Ok(run)
}
