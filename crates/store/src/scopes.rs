//! Scopes: one tenant and one selection hash. Presence is only ever told relative to a scope (`docs/rules.md`, section
//! Missing).

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};
use sqlx::{AssertSqlSafe, Error, FromRow};
use tenantatlas_domain::ids::{SyncRunId, TenantId};
use tenantatlas_domain::registry::registry;
use tenantatlas_domain::selection::{Selection, SelectionHash};
use tenantatlas_domain::time::Timestamp;
use uuid::Uuid;

use crate::database::{Access, Run as _};
use crate::record::Nullable;
use crate::sql::{Statement, args, json};
use crate::{StoreError, Tx};

/// Scopes that are offered and compared: those that completed a run most recently.
const RECENT_SCOPES: i64 = 30;

/// The id of a scope within this database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, sqlx::Type)]
#[serde(transparent)]
#[sqlx(transparent, no_pg_array)]
pub struct ScopeId(pub i64);

/// The latest completed run of a scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct LatestRun {
    /// The run.
    pub id: SyncRunId,
    /// Its number within the tenant.
    pub seq: i64,
    /// When it finished.
    pub finished_at: Timestamp,
}

/// A scope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, FromRow)]
pub struct Scope {
    /// The id.
    pub id: ScopeId,
    /// The tenant.
    #[sqlx(try_from = "Uuid")]
    pub tenant_id: TenantId,
    /// The hash that names the selection.
    #[sqlx(try_from = "String")]
    pub selection_hash: SelectionHash,
    /// The selection.
    #[sqlx(rename = "selection_payload", json)]
    pub selection: Selection,
    /// Its latest completed run; `None` while none has completed.
    #[sqlx(flatten, try_from = "LatestColumns")]
    pub latest: Option<LatestRun>,
    /// The run that a person wants the scope compared with; the one before the latest where there is none.
    #[sqlx(rename = "drift_baseline_run_id", try_from = "Nullable<Uuid>")]
    pub drift_baseline: Option<SyncRunId>,
}

/// The columns of [`LatestRun`]; all are NULL while no run has completed.
#[derive(FromRow)]
pub struct LatestColumns {
    #[sqlx(try_from = "Nullable<Uuid>")]
    latest_run_id: Option<SyncRunId>,
    latest_run_seq: Option<i64>,
    #[sqlx(try_from = "Nullable<i64>")]
    latest_finished_at: Option<Timestamp>,
}

impl From<LatestColumns> for Option<LatestRun> {
    fn from(columns: LatestColumns) -> Self {
        let (id, seq) = columns.latest_run_id.zip(columns.latest_run_seq)?;
        Some(LatestRun { id, seq, finished_at: columns.latest_finished_at? })
    }
}

/// The scope of a tenant and a selection; made when it is new.
///
/// # Errors
/// When the tenant does not exist.
pub async fn get_or_create(
    tx: &mut Tx,
    tenant: TenantId,
    hash: &SelectionHash,
    selection: &Selection,
) -> Result<Scope, StoreError> {
    tx.execute(
        "INSERT INTO inventory_scopes (tenant_id, selection_hash, selection_payload)
         VALUES ($1, $2, $3)
         ON CONFLICT (tenant_id, selection_hash) DO NOTHING",
        &args![tenant, hash.as_str(), json(selection)],
    )
    .await?;
    find(tx, tenant, hash).await?.ok_or_else(|| Error::RowNotFound.into())
}

/// The scope of a tenant and a selection hash.
///
/// # Errors
/// When the database fails.
pub async fn find(mut on: impl Access, tenant: TenantId, hash: &SelectionHash) -> Result<Option<Scope>, StoreError> {
    on.row("SELECT * FROM inventory_scopes WHERE tenant_id = $1 AND selection_hash = $2", &args![tenant, hash.as_str()])
        .await
}

/// A scope of a tenant by its id.
///
/// # Errors
/// When the database fails.
pub async fn get(mut on: impl Access, tenant: TenantId, id: ScopeId) -> Result<Option<Scope>, StoreError> {
    on.row("SELECT * FROM inventory_scopes WHERE tenant_id = $1 AND id = $2", &args![tenant, id.0]).await
}

/// Says with which run a scope is compared from now on; with the one before the latest where none is named.
///
/// # Errors
/// When the database fails.
pub async fn set_drift_baseline(
    tx: &mut Tx,
    tenant: TenantId,
    id: ScopeId,
    run: Option<SyncRunId>,
) -> Result<(), StoreError> {
    let text = "UPDATE inventory_scopes SET drift_baseline_run_id = $3 WHERE tenant_id = $1 AND id = $2";
    tx.execute(text, &args![tenant, id.0, run]).await.map(|_| ())
}

/// The scopes of a tenant that completed a run, the most recent first; at most 30.
///
/// # Errors
/// When the database fails.
pub async fn list(mut on: impl Access, tenant: TenantId) -> Result<Vec<Scope>, StoreError> {
    on.rows(
        "SELECT *
         FROM inventory_scopes
         WHERE tenant_id = $1 AND latest_run_seq IS NOT NULL
         ORDER BY latest_finished_at DESC, id DESC LIMIT $2",
        &args![tenant, RECENT_SCOPES],
    )
    .await
}

/// The hash of the full inventory.
static FULL: LazyLock<SelectionHash> = LazyLock::new(|| Selection::full(registry()).hash());

/// The main scope comes first: the full inventory once it has completed, else the widest selection that did, the latest of
/// these. `$2` is the hash of the full inventory.
const MAIN_FIRST: &str =
    "CASE WHEN selection_hash = $2 THEN 0 ELSE 1 END, latest_types DESC, latest_finished_at DESC, id DESC";

/// The main scope of a tenant, in which a view is shown when none was chosen: the full inventory once it has completed,
/// else the widest selection that did, the latest of these. What a view shows has no influence on it.
///
/// # Errors
/// When the database fails.
pub async fn main_of(mut on: impl Access, tenant: TenantId) -> Result<Option<Scope>, StoreError> {
    let text = format!(
        "SELECT *
         FROM inventory_scopes
         WHERE tenant_id = $1 AND latest_run_seq IS NOT NULL
         ORDER BY {MAIN_FIRST} LIMIT 1"
    );
    on.row(AssertSqlSafe(text), &args![tenant, FULL.as_str()]).await
}

/// The main scopes of tenants, of each that has one; see [`main_of`].
///
/// # Errors
/// When the database fails.
pub(crate) async fn main_of_many(mut on: impl Access, tenants: &[TenantId]) -> Result<Vec<Scope>, StoreError> {
    if tenants.is_empty() {
        return Ok(Vec::new());
    }
    let mut statement = Statement::new("WITH wanted (tenant_id) AS (VALUES ");
    let text = format!(
        ") SELECT s.*
         FROM wanted w
         CROSS JOIN inventory_scopes s
         WHERE s.tenant_id = w.tenant_id AND s.id = (
             SELECT id
             FROM inventory_scopes m
             WHERE m.tenant_id = w.tenant_id AND latest_run_seq IS NOT NULL
             ORDER BY {} LIMIT 1)",
        MAIN_FIRST.replace("$2", "$1")
    );
    statement.push_rows(tenants).push(&text, args![FULL.to_string()]);
    on.query(&statement).await
}

/// The scopes among which a view can choose.
#[derive(Clone, Debug, Default)]
pub struct Offered {
    /// Those that completed a run, the most recent first; at most 30 and the main one.
    pub scopes: Vec<Scope>,
    /// The main one, see [`main_of`].
    pub main: Option<Scope>,
}

#[derive(FromRow)]
struct OfferedRow {
    #[sqlx(flatten)]
    scope: Scope,
    main_place: i64,
}

/// [`list`] and [`main_of`] in one question.
///
/// # Errors
/// When the database fails.
pub async fn offered(mut on: impl Access, tenant: TenantId) -> Result<Offered, StoreError> {
    let text = format!(
        "SELECT *
         FROM (
             SELECT s.*, ROW_NUMBER() OVER (ORDER BY {MAIN_FIRST}) AS main_place,
                 ROW_NUMBER() OVER (ORDER BY latest_finished_at DESC, id DESC) AS recent_place
             FROM inventory_scopes s
             WHERE tenant_id = $1 AND latest_run_seq IS NOT NULL) o
         WHERE main_place = 1 OR recent_place <= $3
         ORDER BY recent_place"
    );
    let rows: Vec<OfferedRow> = on.rows(AssertSqlSafe(text), &args![tenant, FULL.as_str(), RECENT_SCOPES]).await?;
    let main = rows.iter().find(|row| row.main_place == 1).map(|row| row.scope.clone());
    Ok(Offered { scopes: rows.into_iter().map(|row| row.scope).collect(), main })
}

/// A type as another selection read it to the end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OtherRead {
    /// The scope in which it was read.
    pub scope: Scope,
    /// The number of the run that read it.
    pub read_seq: i64,
    /// When that run finished with the type.
    pub at: Timestamp,
    /// Items it saw.
    pub items: u64,
}

#[derive(FromRow)]
struct OtherReadRow {
    policy_type: String,
    read_seq: i64,
    #[sqlx(try_from = "i64")]
    read_at: Timestamp,
    #[sqlx(try_from = "i64")]
    items: u64,
    #[sqlx(flatten)]
    scope: Scope,
}

/// How the latest completed runs of the other scopes of a tenant read each type to the end: for each type the latest of
/// these, among the 30 scopes that completed last.
///
/// # Errors
/// When the database fails.
pub async fn reads_elsewhere(
    mut on: impl Access,
    tenant: TenantId,
    scope: ScopeId,
) -> Result<Vec<(String, OtherRead)>, StoreError> {
    let rows: Vec<OtherReadRow> = on
        .rows(
            "SELECT l.policy_type, l.read_seq, l.read_at, l.items, s.*
             FROM (
                 SELECT t.scope_id, t.policy_type, t.read_seq, t.finished_at AS read_at, t.items,
                     ROW_NUMBER() OVER (PARTITION BY t.policy_type ORDER BY t.finished_at DESC, t.seq DESC) AS place
                 FROM (
                     SELECT id, latest_run_id
                     FROM inventory_scopes
                     WHERE tenant_id = $1 AND latest_run_seq IS NOT NULL AND id <> $2
                     ORDER BY latest_finished_at DESC, id DESC LIMIT $3) o
                 JOIN inventory_sync_run_types t ON t.run_id = o.latest_run_id
                 WHERE t.outcome = 'succeeded') l
             JOIN inventory_scopes s ON s.id = l.scope_id
             WHERE l.place = 1 AND s.tenant_id = $1",
            &args![tenant, scope.0, RECENT_SCOPES],
        )
        .await?;
    let read =
        |row: OtherReadRow| OtherRead { scope: row.scope, read_seq: row.read_seq, at: row.read_at, items: row.items };
    Ok(rows.into_iter().map(|row| (row.policy_type.clone(), read(row))).collect())
}
