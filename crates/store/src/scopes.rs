//! Scopes: one tenant and one selection hash. Presence is only ever told relative to a scope (`docs/rules.md`, section
//! Missing).

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};
use sqlx::{Error, FromRow};
use tenantatlas_domain::ids::{SyncRunId, TenantId};
use tenantatlas_domain::selection::{Selection, SelectionHash};
use tenantatlas_domain::time::Timestamp;
use uuid::Uuid;

use crate::database::{Access, Run as _};
use crate::record::Nullable;
use crate::sql::{args, json};
use crate::{StoreError, Tx};

/// Scopes that are looked at when the default is chosen: those that completed a run most recently.
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

#[derive(FromRow)]
struct Covered {
    #[sqlx(rename = "scope_id")]
    scope: i64,
    policy_type: String,
}

/// The scope a view uses when none was chosen: that of the latest completed run which covers what is shown. `shown` are
/// the policy types in view; when empty, all that are known in the tenant. When no run covers them all, the one that
/// covers most of them, the latest of these.
///
/// # Errors
/// When the database fails.
pub async fn default_for(db: &crate::Db, tenant: TenantId, shown: &[String]) -> Result<Option<Scope>, StoreError> {
    let scopes = list(db, tenant).await?;
    if scopes.len() <= 1 {
        return Ok(scopes.into_iter().next());
    }
    let mut on = db;
    let covered: Vec<Covered> = on
        .rows(
            "SELECT t.scope_id, t.policy_type
             FROM inventory_scopes s
             JOIN inventory_sync_run_types t ON t.run_id = s.latest_run_id
             WHERE s.tenant_id = $1 AND s.latest_run_seq IS NOT NULL",
            &args![tenant],
        )
        .await?;
    let mut by_scope: HashMap<i64, HashSet<String>> = HashMap::new();
    for row in covered {
        by_scope.entry(row.scope).or_default().insert(row.policy_type);
    }
    let known: Vec<String>;
    let shown = if shown.is_empty() {
        known = crate::inventory::known_types(db, tenant).await?;
        &known
    } else {
        shown
    };
    let coverage = |scope: &Scope| {
        by_scope.get(&scope.id.0).map_or(0, |types| shown.iter().filter(|key| types.contains(*key)).count())
    };
    let most = scopes.iter().map(coverage).max().unwrap_or_default();
    Ok(scopes.into_iter().find(|scope| coverage(scope) == most))
}
