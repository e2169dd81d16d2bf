//! What comparisons came to.

use serde::{Deserialize, Serialize};
use sqlx::FromRow;
use tenantatlas_domain::drift::{Gap, GapNow};
use tenantatlas_domain::ids::{OperationRunId, SyncRunId, TenantId};
use tenantatlas_domain::time::Timestamp;
use uuid::Uuid;

use crate::database::{Access, Run as _};
use crate::inventory::ScopeView;
use crate::reader::Readable;
use crate::record::Nullable;
use crate::sql::{args, json};
use crate::{StoreError, Tx, scopes, sync_runs};

/// What a comparison came to, in findings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DriftCounts {
    /// Found for the first time, or again after they were gone.
    pub found: u64,
    /// Accepted once, and new again since another value is there or the acceptance has ended.
    pub reopened: u64,
    /// Gone.
    pub resolved: u64,
    /// That go on, whatever their status.
    pub unchanged: u64,
}

/// A comparison that has ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, FromRow)]
pub struct ComparisonRecord {
    /// The operation run that compared.
    #[sqlx(try_from = "Uuid")]
    pub operation_run_id: OperationRunId,
    /// The tenant.
    #[sqlx(try_from = "Uuid")]
    pub tenant_id: TenantId,
    /// The hash of the selection.
    pub scope_key: String,
    /// The run that was compared with; `None` when there was none yet.
    #[sqlx(try_from = "Nullable<Uuid>")]
    pub baseline_run_id: Option<SyncRunId>,
    /// The run that was compared.
    #[sqlx(try_from = "Uuid")]
    pub current_run_id: SyncRunId,
    /// Whether a person chose the baseline.
    pub pinned: bool,
    /// What could not be compared.
    #[sqlx(json)]
    pub not_comparable: Vec<Gap>,
    /// What was found.
    #[sqlx(json)]
    pub counts: DriftCounts,
    /// When it ended.
    #[sqlx(try_from = "i64")]
    pub finished_at: Timestamp,
}

/// Keeps what a comparison came to. Part of the transaction that ends its run.
///
/// # Errors
/// When the database fails.
pub async fn record_comparison(tx: &mut Tx, record: &ComparisonRecord) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO drift_comparisons (operation_run_id, tenant_id, scope_key, baseline_run_id, current_run_id, pinned,
             not_comparable, counts, finished_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         ON CONFLICT (operation_run_id) DO NOTHING",
        &args![
            record.operation_run_id,
            record.tenant_id,
            &record.scope_key,
            record.baseline_run_id,
            record.current_run_id,
            record.pinned,
            json(&record.not_comparable),
            json(&record.counts),
            record.finished_at
        ],
    )
    .await
    .map(|_| ())
}

/// The comparison of an operation run.
///
/// # Errors
/// When the database fails.
pub async fn of_run(
    mut on: impl Access,
    tenant: TenantId,
    run: OperationRunId,
) -> Result<Option<ComparisonRecord>, StoreError> {
    on.row("SELECT * FROM drift_comparisons WHERE operation_run_id = $1 AND tenant_id = $2", &args![run, tenant]).await
}

/// The comparison of a scope that ended last.
///
/// # Errors
/// When the database fails.
pub async fn latest_comparison(
    mut on: impl Access,
    tenant: TenantId,
    scope_key: &str,
) -> Result<Option<ComparisonRecord>, StoreError> {
    on.row(
        "SELECT *
         FROM drift_comparisons
         WHERE tenant_id = $1 AND scope_key = $2
         ORDER BY finished_at DESC, operation_run_id DESC LIMIT 1",
        &args![tenant, scope_key],
    )
    .await
}

/// What became of what a comparison could not compare: whether the types were read to the end since.
///
/// # Errors
/// When the database fails.
pub async fn gaps_now(db: &impl Readable, record: &ComparisonRecord) -> Result<Vec<GapNow>, StoreError> {
    let (tenant, gaps) = (record.tenant_id, &record.not_comparable);
    let hash = record.scope_key.parse().ok();
    let scope = match hash.filter(|_| !gaps.is_empty()) {
        Some(hash) => scopes::find(db.database(), tenant, &hash).await?,
        None => None,
    };
    let still = |gap: &Gap| GapNow { gap: gap.clone(), read_at: None, said_since: None };
    let Some(scope) = scope else { return Ok(gaps.iter().map(still).collect()) };
    let view = ScopeView::load(db, tenant, Some(scope.id)).await?;
    let compared = sync_runs::get(db.database(), tenant, record.current_run_id).await?;
    let seq = compared.map_or(i64::MAX, |run| run.seq);
    let now = |gap: &Gap| {
        let state = view.types.get(&gap.policy_type);
        let read = state.and_then(|state| state.last_full_read).filter(|read| read.seq > seq);
        let said = state.and_then(|state| state.run.as_ref()).and_then(|run| run.message.clone());
        let said_since = said.filter(|said| read.is_none() && Some(said) != gap.message.as_ref());
        GapNow { gap: gap.clone(), read_at: read.map(|read| read.at), said_since }
    };
    Ok(gaps.iter().map(now).collect())
}
