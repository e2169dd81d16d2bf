//! How each log went in a run.

use serde::Serialize;
use sqlx::FromRow;
use tenantatlas_domain::audit_event::AuditSource;
use tenantatlas_domain::ids::{OperationRunId, TenantId};
use tenantatlas_domain::reason::ReasonCode;
use tenantatlas_domain::sync::TypeOutcome;
use tenantatlas_domain::time::Timestamp;

use crate::database::{Access, Run as _};
use crate::operation_runs::{Fence, hold};
use crate::record::Nullable;
use crate::sql::{args, without_nul};
use crate::{StoreError, Tx};

/// One log of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, FromRow)]
pub struct SourceRead {
    /// The log.
    #[sqlx(try_from = "String")]
    pub source: AuditSource,
    /// How it ended; `None` while it is being read.
    #[sqlx(try_from = "Nullable<String>")]
    pub outcome: Option<TypeOutcome>,
    /// Why it was not read to the end.
    #[sqlx(try_from = "Nullable<String>")]
    pub reason_code: Option<ReasonCode>,
    /// The same in a sanitised sentence.
    pub message: Option<String>,
    /// Events that came.
    #[sqlx(try_from = "i64")]
    pub events: u64,
    /// Of these, those that were not known and are kept.
    #[sqlx(try_from = "i64")]
    pub kept: u64,
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

/// How a log ended.
#[derive(Clone, Debug)]
pub struct SourceEnd {
    /// How it ended.
    pub outcome: TypeOutcome,
    /// Why it was not read to the end.
    pub reason: Option<(ReasonCode, String)>,
    /// Requests sent.
    pub requests: u64,
    /// Of these, repeated ones.
    pub retries: u64,
}

/// Begins to read a log, or goes on where an earlier attempt at the same run was. Answers since when it is read in this run.
///
/// # Errors
/// [`StoreError::LeaseLost`], or when the database fails.
pub async fn begin_source(
    tx: &mut Tx,
    fence: &Fence,
    (tenant, run): (TenantId, OperationRunId),
    source: AuditSource,
    at: Timestamp,
) -> Result<Timestamp, StoreError> {
    hold(tx, fence).await?;
    tx.execute(
        "INSERT INTO audit_event_reads (operation_run_id, source, tenant_id, started_at)
         VALUES ($1, $2, $3, $4)
         ON CONFLICT (operation_run_id, source) DO NOTHING",
        &args![run, source.as_str(), tenant, at],
    )
    .await?;
    let reads = reads_of(&mut *tx, tenant, run).await?;
    Ok(reads.into_iter().find(|read| read.source == source).map_or(at, |read| read.started_at))
}

/// Counts events of a log, in the transaction that keeps them.
///
/// # Errors
/// When the database fails.
pub async fn count_events(
    tx: &mut Tx,
    (tenant, run): (TenantId, OperationRunId),
    source: AuditSource,
    (events, kept): (u64, u64),
) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE audit_event_reads SET events = events + $4, kept = kept + $5
         WHERE operation_run_id = $1 AND source = $2 AND tenant_id = $3 AND outcome IS NULL",
        &args![run, source.as_str(), tenant, events, kept],
    )
    .await
    .map(|_| ())
}

/// Ends a log, and notes with it why it was not read to the end. Count the unit of the operation run in the same transaction.
/// Answers whether it had not ended before: else it stays as it is, and must not be counted again.
///
/// # Errors
/// [`StoreError::LeaseLost`], or when the database fails.
pub async fn finish_source(
    tx: &mut Tx,
    fence: &Fence,
    (tenant, run): (TenantId, OperationRunId),
    source: AuditSource,
    end: &SourceEnd,
    at: Timestamp,
) -> Result<bool, StoreError> {
    hold(tx, fence).await?;
    let (code, message) =
        end.reason.as_ref().map(|(code, text)| (code.as_str(), without_nul(text).into_owned())).unzip();
    let ended = tx
        .execute(
            "UPDATE audit_event_reads
             SET outcome = $4, reason_code = $5, message = $6, requests = requests + $7, retries = retries + $8,
                 finished_at = $9
             WHERE operation_run_id = $1 AND source = $2 AND tenant_id = $3 AND outcome IS NULL",
            &args![
                run,
                source.as_str(),
                tenant,
                end.outcome.as_str(),
                code,
                message.clone(),
                end.requests,
                end.retries,
                at
            ],
        )
        .await?;
    tx.execute(
        "INSERT INTO audit_event_sources (tenant_id, source, reason_code, message, attempted_at)
         VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (tenant_id, source) DO UPDATE SET reason_code = $3, message = $4, attempted_at = $5",
        &args![tenant, source.as_str(), code, message, at],
    )
    .await?;
    Ok(ended == 1)
}

/// How the logs went in a run.
///
/// # Errors
/// When the database fails.
pub async fn reads_of(
    mut on: impl Access,
    tenant: TenantId,
    run: OperationRunId,
) -> Result<Vec<SourceRead>, StoreError> {
    on.rows(
        "SELECT * FROM audit_event_reads WHERE operation_run_id = $1 AND tenant_id = $2 ORDER BY source DESC",
        &args![run, tenant],
    )
    .await
}
