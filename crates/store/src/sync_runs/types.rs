//! How each policy type of a sync run went.

use serde::{Deserialize, Serialize};
use sqlx::{Error, FromRow};
use tenantatlas_domain::ids::{SyncRunId, TenantId};
use tenantatlas_domain::reason::ReasonCode;
use tenantatlas_domain::sync::TypeOutcome;
use tenantatlas_domain::time::Timestamp;
use uuid::Uuid;

use super::SyncRun;
use crate::database::{Access, Run as _};
use crate::operation_runs::{Fence, hold};
use crate::record::Nullable;
use crate::sql::{args, without_nul};
use crate::{StoreError, Tx, inventory};

/// One policy type of a sync run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, FromRow)]
pub struct TypeRun {
    /// The key of the type.
    pub policy_type: String,
    /// How it ended; `None` while it is being read.
    #[sqlx(try_from = "Nullable<String>")]
    pub outcome: Option<TypeOutcome>,
    /// Objects seen, each once.
    #[sqlx(try_from = "i64")]
    pub items: u64,
    /// Objects that were new to the tenant.
    #[sqlx(try_from = "i64")]
    pub inserted: u64,
    /// Objects whose content had changed.
    #[sqlx(try_from = "i64")]
    pub changed: u64,
    /// Known objects that this run was the first of its scope not to see, of a type that was read to the end.
    #[sqlx(try_from = "i64")]
    pub newly_missing: u64,
    /// Pages read.
    #[sqlx(try_from = "i64")]
    pub pages: u64,
    /// Requests sent.
    #[sqlx(try_from = "i64")]
    pub requests: u64,
    /// Of these, repeated ones.
    #[sqlx(try_from = "i64")]
    pub retries: u64,
    /// Answers that were throttled.
    #[sqlx(try_from = "i64")]
    pub throttled: u64,
    /// Bytes received.
    #[sqlx(try_from = "i64")]
    pub bytes: u64,
    /// Why it was not read to the end.
    #[sqlx(try_from = "Nullable<String>")]
    pub reason_code: Option<ReasonCode>,
    /// The same in a sanitised sentence.
    pub message: Option<String>,
    /// When reading began.
    #[sqlx(try_from = "i64")]
    pub started_at: Timestamp,
    /// When it ended.
    #[sqlx(try_from = "Nullable<i64>")]
    pub finished_at: Option<Timestamp>,
    /// The last earlier run of the scope that read anything of the type.
    pub previous_seq: Option<i64>,
    /// The run that read it, where this one continues it and carried the outcome over.
    #[sqlx(try_from = "Nullable<Uuid>")]
    pub carried_from: Option<SyncRunId>,
    /// The number of the run that read it.
    pub read_seq: i64,
    /// The lowest number among the runs that were under way when that run began.
    pub read_floor_seq: i64,
    /// The place of the read among those of its tenant, in the order in which they began.
    pub read_no: i64,
    /// Whether an object came twice while the list was read, so that another may not have come at all.
    pub unsteady: bool,
}

/// How the reading of a type ended, with what it took.
#[derive(Clone, Debug)]
pub struct TypeEnd {
    /// How it ended.
    pub outcome: TypeOutcome,
    /// Why it was not read to the end.
    pub reason_code: Option<ReasonCode>,
    /// The same in a sanitised sentence.
    pub message: Option<String>,
    /// Pages read.
    pub pages: u64,
    /// Requests sent.
    pub requests: u64,
    /// Of these, repeated ones.
    pub retries: u64,
    /// Answers that were throttled.
    pub throttled: u64,
    /// Bytes received.
    pub bytes: u64,
    /// Whether an object came twice while the list was read, so that another may not have come at all.
    pub unsteady: bool,
}

/// Begins to read a type, or goes on with it after an earlier attempt. A type that has ended is answered as it is:
/// look at its outcome.
///
/// # Errors
/// [`StoreError::LeaseLost`].
pub async fn begin_type(
    tx: &mut Tx,
    fence: &Fence,
    run: &SyncRun,
    policy_type: &str,
    at: Timestamp,
) -> Result<TypeRun, StoreError> {
    hold(tx, fence).await?;
    let read_no = next_read(tx, run.tenant_id).await?;
    tx.execute(
        "INSERT INTO inventory_sync_run_types (run_id, policy_type, tenant_id, scope_id, seq, previous_seq,
             started_at, read_seq, read_floor_seq, read_no)
         VALUES ($1, $2, $3, $4, $5, (
             SELECT MAX(p.read_seq)
             FROM inventory_sync_run_types p
             WHERE p.scope_id = $4 AND p.policy_type = $2 AND p.seq < $5 AND (p.outcome = 'succeeded' OR p.items > 0)),
             $6, $5, $7, $8)
         ON CONFLICT (run_id, policy_type) DO UPDATE SET read_no = excluded.read_no
         WHERE inventory_sync_run_types.outcome IS NULL",
        &args![run.id, policy_type, run.tenant_id, run.scope_id.0, run.seq, at, run.floor_seq, read_no],
    )
    .await?;
    let row: Option<TypeRun> = tx
        .row(
            "SELECT * FROM inventory_sync_run_types WHERE run_id = $1 AND policy_type = $2",
            &args![run.id, policy_type],
        )
        .await?;
    row.ok_or_else(|| Error::RowNotFound.into())
}

/// The number of a read that begins now. An attempt that starts over reads anew, and so gets a number of its own.
async fn next_read(tx: &mut Tx, tenant: TenantId) -> Result<i64, StoreError> {
    let text = "UPDATE tenants SET last_read_no = last_read_no + 1 WHERE id = $1 RETURNING last_read_no";
    let number: Option<i64> = tx.value(text, &args![tenant]).await?;
    number.ok_or_else(|| Error::RowNotFound.into())
}

/// Ends the reading of a type. When it was read to the end, what was not seen is noted as absent from this run. Count
/// the item of the operation run in the same transaction. `None` when the type has ended already: it stays as it is, and
/// must not be counted again.
///
/// # Errors
/// [`StoreError::LeaseLost`].
pub async fn finish_type(
    tx: &mut Tx,
    fence: &Fence,
    run: &SyncRun,
    policy_type: &str,
    end: &TypeEnd,
    at: Timestamp,
) -> Result<Option<TypeRun>, StoreError> {
    hold(tx, fence).await?;
    let message = end.message.as_deref().map(|text| without_nul(text).chars().take(1_000).collect::<String>());
    // Costs add up: an earlier attempt may have counted its own before it lost its worker.
    let mut ended: Option<TypeRun> = tx
        .row(
            "UPDATE inventory_sync_run_types
             SET outcome = $3, reason_code = $4, message = $5, pages = pages + $6, requests = requests + $7,
                 retries = retries + $8, throttled = throttled + $9, bytes = bytes + $10, finished_at = $11, unsteady = $12
             WHERE run_id = $1 AND policy_type = $2 AND outcome IS NULL
             RETURNING *",
            &args![
                run.id,
                policy_type,
                end.outcome.as_str(),
                end.reason_code.map(ReasonCode::as_str),
                message,
                end.pages,
                end.requests,
                end.retries,
                end.throttled,
                end.bytes,
                at,
                end.unsteady
            ],
        )
        .await?;
    if let Some(ended) = ended.as_mut().filter(|_| end.outcome == TypeOutcome::Succeeded) {
        ended.newly_missing = inventory::note_absences(tx, run, policy_type, ended.items).await?;
        if ended.newly_missing > 0 {
            tx.execute(
                "UPDATE inventory_sync_run_types SET newly_missing = $3 WHERE run_id = $1 AND policy_type = $2",
                &args![run.id, policy_type, ended.newly_missing],
            )
            .await?;
        }
        // The first one stays.
        tx.execute(
            "INSERT INTO inventory_baselines (tenant_id, policy_type, seq)
             VALUES ($1, $2, $3)
             ON CONFLICT (tenant_id, policy_type) DO NOTHING",
            &args![run.tenant_id, policy_type, run.seq],
        )
        .await?;
    }
    Ok(ended)
}

/// The types of a run by key.
///
/// # Errors
/// When the database fails.
pub async fn list_types(mut on: impl Access, tenant: TenantId, run: SyncRunId) -> Result<Vec<TypeRun>, StoreError> {
    on.rows(
        "SELECT * FROM inventory_sync_run_types WHERE run_id = $1 AND tenant_id = $2 ORDER BY policy_type",
        &args![run, tenant],
    )
    .await
}
