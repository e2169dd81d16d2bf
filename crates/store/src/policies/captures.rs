//! Captures: one row each, and one for each of their types.

use std::collections::HashMap;

use serde::Serialize;
use sqlx::{Error, FromRow};
use tenantatlas_domain::ids::{CaptureId, OperationRunId, TenantId, UserId};
use tenantatlas_domain::reason::ReasonCode;
use tenantatlas_domain::sync::{SyncRunStatus, TypeOutcome};
use tenantatlas_domain::time::Timestamp;
use uuid::Uuid;

use crate::database::{Access, Run as _};
use crate::operation_runs::{Fence, hold};
use crate::record::Nullable;
use crate::sql::{Statement, args, without_nul};
use crate::{StoreError, Tx};

/// One execution of a capture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, FromRow)]
pub struct Capture {
    /// Its id.
    #[sqlx(try_from = "Uuid")]
    pub id: CaptureId,
    /// The tenant.
    #[sqlx(try_from = "Uuid")]
    pub tenant_id: TenantId,
    /// The operation run that a person watches.
    #[sqlx(try_from = "Uuid")]
    pub operation_run_id: OperationRunId,
    /// How it is or how it ended.
    #[sqlx(try_from = "String")]
    pub status: SyncRunStatus,
    /// Why it did not come to its own end.
    #[sqlx(try_from = "Nullable<String>")]
    pub stopped: Option<ReasonCode>,
    /// Requests sent to Graph.
    #[sqlx(try_from = "i64")]
    pub requests: u64,
    /// Of these, repeated ones.
    #[sqlx(try_from = "i64")]
    pub retries: u64,
    /// When it began.
    #[sqlx(try_from = "i64")]
    pub started_at: Timestamp,
    /// When it ended.
    #[sqlx(try_from = "Nullable<i64>")]
    pub finished_at: Option<Timestamp>,
}

/// What a capture begins with.
#[derive(Clone, Copy, Debug)]
pub struct NewCapture {
    /// Its id, where it is new.
    pub id: CaptureId,
    /// The tenant.
    pub tenant_id: TenantId,
    /// The operation run.
    pub operation_run_id: OperationRunId,
    /// Who asked for it, if it was a person.
    pub user_id: Option<UserId>,
}

/// One policy type of a capture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, FromRow)]
pub struct CaptureTypeRun {
    /// The key of the type.
    pub policy_type: String,
    /// How it ended; `None` while it is being read.
    #[sqlx(try_from = "Nullable<String>")]
    pub outcome: Option<TypeOutcome>,
    /// Why it was not read to the end.
    #[sqlx(try_from = "Nullable<String>")]
    pub reason_code: Option<ReasonCode>,
    /// The same in a sanitised sentence.
    pub message: Option<String>,
    /// Objects to be read.
    #[sqlx(try_from = "i64")]
    pub items: u64,
    /// Objects read.
    #[sqlx(try_from = "i64")]
    pub captured: u64,
    /// Of these, those that made a version.
    #[sqlx(try_from = "i64")]
    pub created: u64,
    /// Objects whose latest version has the same content: as they were read, or as a sync has just seen them.
    #[sqlx(try_from = "i64")]
    pub unchanged: u64,
    /// Of those that were read, the ones of which something was lacking.
    #[sqlx(try_from = "i64")]
    pub partial: u64,
    /// Objects that are not there any more.
    #[sqlx(try_from = "i64")]
    pub gone: u64,
    /// Objects that could not be read.
    #[sqlx(try_from = "i64")]
    pub failed: u64,
    /// Requests sent.
    #[sqlx(try_from = "i64")]
    pub requests: u64,
    /// Of these, repeated ones.
    #[sqlx(try_from = "i64")]
    pub retries: u64,
    /// When reading began.
    #[sqlx(try_from = "i64")]
    pub started_at: Timestamp,
    /// When it ended.
    #[sqlx(try_from = "Nullable<i64>")]
    pub finished_at: Option<Timestamp>,
}

impl CaptureTypeRun {
    /// Of the unchanged, those that were not read again: a sync had seen them as they were when they were captured last.
    #[must_use]
    pub fn not_read_again(&self) -> u64 {
        // Whatever is read makes a version or is unchanged.
        (self.created + self.unchanged).saturating_sub(self.captured)
    }

    /// Of the unchanged, those that were read.
    #[must_use]
    pub fn read_unchanged(&self) -> u64 {
        self.unchanged.saturating_sub(self.not_read_again())
    }
}

/// What became of objects that were read together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CountedItems {
    /// To be read.
    pub asked: u64,
    /// Read.
    pub captured: u64,
    /// Of these, those that made a version.
    pub created: u64,
    /// Those whose latest version has the same content: of these, and of those that a sync has just seen.
    pub unchanged: u64,
    /// Of those that were read, the ones of which something was lacking.
    pub partial: u64,
    /// Not there any more.
    pub gone: u64,
    /// Not to be read.
    pub failed: u64,
}

/// How a type ended.
#[derive(Clone, Debug)]
pub struct CaptureTypeEnd {
    /// How it ended.
    pub outcome: TypeOutcome,
    /// Why it was not read to the end.
    pub reason_code: Option<ReasonCode>,
    /// The same in a sanitised sentence.
    pub message: Option<String>,
    /// Requests sent.
    pub requests: u64,
    /// Of these, repeated ones.
    pub retries: u64,
}

/// Begins a capture, or goes on with that of an earlier attempt at the same operation run.
///
/// # Errors
/// [`StoreError::LeaseLost`].
pub async fn begin(tx: &mut Tx, fence: &Fence, new: &NewCapture, at: Timestamp) -> Result<Capture, StoreError> {
    hold(tx, fence).await?;
    tx.execute(
        "INSERT INTO policy_captures (id, tenant_id, operation_run_id, user_id, status, started_at)
         VALUES ($1, $2, $3, $4, 'running', $5)
         ON CONFLICT (operation_run_id) DO NOTHING",
        &args![new.id, new.tenant_id, new.operation_run_id, new.user_id, at],
    )
    .await?;
    let capture = get_by_operation(&mut *tx, new.tenant_id, new.operation_run_id).await?;
    capture.ok_or_else(|| Error::RowNotFound.into())
}

/// The capture of an operation run.
///
/// # Errors
/// When the database fails.
pub async fn get_by_operation(
    mut on: impl Access,
    tenant: TenantId,
    run: OperationRunId,
) -> Result<Option<Capture>, StoreError> {
    on.row("SELECT * FROM policy_captures WHERE tenant_id = $1 AND operation_run_id = $2", &args![tenant, run]).await
}

/// Begins to read a type, or begins anew after an earlier attempt that did not end it.
///
/// # Errors
/// [`StoreError::LeaseLost`].
pub async fn begin_type(
    tx: &mut Tx,
    fence: &Fence,
    capture: &Capture,
    policy_type: &str,
    at: Timestamp,
) -> Result<(), StoreError> {
    hold(tx, fence).await?;
    tx.execute(
        "INSERT INTO policy_capture_types (capture_id, policy_type, tenant_id, started_at)
         VALUES ($1, $2, $3, $4)
         ON CONFLICT (capture_id, policy_type) DO UPDATE
         SET items = 0, captured = 0, created = 0, unchanged = 0, partial = 0, gone = 0, failed = 0
         WHERE policy_capture_types.outcome IS NULL",
        &args![capture.id, policy_type, capture.tenant_id, at],
    )
    .await
    .map(|_| ())
}

/// Counts objects of a type, in the transaction that records their versions.
///
/// # Errors
/// When the database fails.
pub async fn count_items(
    tx: &mut Tx,
    capture: &Capture,
    policy_type: &str,
    counted: &CountedItems,
) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE policy_capture_types
         SET captured = captured + $4, created = created + $5, unchanged = unchanged + $6, partial = partial + $7,
             gone = gone + $8, failed = failed + $9, items = items + $10
         WHERE capture_id = $1 AND policy_type = $2 AND tenant_id = $3 AND outcome IS NULL",
        &args![
            capture.id,
            policy_type,
            capture.tenant_id,
            counted.captured,
            counted.created,
            counted.unchanged,
            counted.partial,
            counted.gone,
            counted.failed,
            counted.asked
        ],
    )
    .await
    .map(|_| ())
}

/// Ends a type. Count the item of the operation run in the same transaction. Answers whether it had not ended before: else it
/// stays as it is, and must not be counted again.
///
/// # Errors
/// [`StoreError::LeaseLost`].
pub async fn finish_type(
    tx: &mut Tx,
    fence: &Fence,
    capture: &Capture,
    policy_type: &str,
    end: &CaptureTypeEnd,
    at: Timestamp,
) -> Result<bool, StoreError> {
    hold(tx, fence).await?;
    let message = end.message.as_deref().map(|text| without_nul(text).chars().take(1_000).collect::<String>());
    // A type that never began ends all the same: nothing was asked for it.
    tx.execute(
        "INSERT INTO policy_capture_types (capture_id, policy_type, tenant_id, started_at)
         VALUES ($1, $2, $3, $4)
         ON CONFLICT (capture_id, policy_type) DO NOTHING",
        &args![capture.id, policy_type, capture.tenant_id, at],
    )
    .await?;
    let ended = tx
        .execute(
            "UPDATE policy_capture_types
             SET outcome = $4, reason_code = $5, message = $6, requests = requests + $7, retries = retries + $8,
                 finished_at = $9
             WHERE capture_id = $1 AND policy_type = $2 AND tenant_id = $3 AND outcome IS NULL",
            &args![
                capture.id,
                policy_type,
                capture.tenant_id,
                end.outcome.as_str(),
                end.reason_code.map(ReasonCode::as_str),
                message,
                end.requests,
                end.retries,
                at
            ],
        )
        .await?;
    Ok(ended == 1)
}

/// The types of a capture by key.
///
/// # Errors
/// When the database fails.
pub async fn list_types(
    mut on: impl Access,
    tenant: TenantId,
    capture: CaptureId,
) -> Result<Vec<CaptureTypeRun>, StoreError> {
    on.rows(
        "SELECT * FROM policy_capture_types WHERE capture_id = $1 AND tenant_id = $2 ORDER BY policy_type",
        &args![capture, tenant],
    )
    .await
}

#[derive(FromRow)]
struct ReadingEnd {
    #[sqlx(try_from = "Uuid")]
    capture_id: CaptureId,
    #[sqlx(try_from = "i64")]
    finished_at: Timestamp,
}

/// When these captures ended reading a type, as far as they did.
///
/// # Errors
/// When the database fails.
pub async fn reading_ends(
    mut on: impl Access,
    tenant: TenantId,
    policy_type: &str,
    captures: &[CaptureId],
) -> Result<HashMap<CaptureId, Timestamp>, StoreError> {
    if captures.is_empty() {
        return Ok(HashMap::new());
    }
    let mut statement = Statement::new("SELECT capture_id, finished_at FROM policy_capture_types");
    statement
        .push(
            " WHERE tenant_id = $1 AND policy_type = $2 AND finished_at IS NOT NULL",
            args![tenant, policy_type.to_owned()],
        )
        .push_in(" AND capture_id", captures);
    let ends: Vec<ReadingEnd> = on.query(&statement).await?;
    Ok(ends.into_iter().map(|one| (one.capture_id, one.finished_at)).collect())
}

/// Ends a capture with what it cost. Part of the transaction that ends the operation run.
///
/// # Errors
/// [`StoreError::LeaseLost`].
pub async fn finish(
    tx: &mut Tx,
    fence: &Fence,
    capture: &Capture,
    status: SyncRunStatus,
    stopped: Option<ReasonCode>,
    (requests, retries): (u64, u64),
    at: Timestamp,
) -> Result<Capture, StoreError> {
    hold(tx, fence).await?;
    let ended: Option<Capture> = tx
        .row(
            "UPDATE policy_captures
             SET status = $3, stopped = $4, requests = requests + $5, retries = retries + $6, finished_at = $7
             WHERE id = $1 AND tenant_id = $2 AND status = 'running'
             RETURNING *",
            &args![
                capture.id,
                capture.tenant_id,
                status.as_str(),
                stopped.map(ReasonCode::as_str),
                requests,
                retries,
                at
            ],
        )
        .await?;
    ended.ok_or_else(|| Error::RowNotFound.into())
}

/// Ends the capture of an operation run that ends without work being done. `None` when none had begun.
///
/// # Errors
/// When the database fails.
pub async fn abandon(
    tx: &mut Tx,
    run: OperationRunId,
    reason: ReasonCode,
    at: Timestamp,
) -> Result<Option<Capture>, StoreError> {
    tx.row(
        "UPDATE policy_captures
         SET status = 'failed', stopped = $2, finished_at = $3
         WHERE operation_run_id = $1 AND status = 'running'
         RETURNING *",
        &args![run, reason.as_str(), at],
    )
    .await
}
