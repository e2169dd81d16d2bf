//! What an item was before, and which runs saw it.

use serde::Serialize;
use serde_json::{Map, Value as Json};
use sqlx::{AssertSqlSafe, FromRow};
use tenantatlas_domain::ids::{ItemId, SyncRunId, TenantId};
use tenantatlas_domain::named;
use tenantatlas_domain::normalise::ContentHash;
use tenantatlas_domain::sync::{SyncRunStatus, TypeOutcome};
use tenantatlas_domain::time::Timestamp;
use uuid::Uuid;

use super::rows::absences;
use super::view::Stretch;
use crate::database::{Access, Run as _};
use crate::reader::Readable;
use crate::record::Nullable;
use crate::scopes::ScopeId;
use crate::sql::args;
use crate::{Db, StoreError};

/// Versions and runs of one item that are read, at most.
const MAX_ROWS: i64 = 200;

/// The state of an item over a stretch of runs.
#[derive(Clone, Debug, PartialEq, Serialize, FromRow)]
pub struct ItemVersion {
    /// The number of the run that first observed it.
    pub from_seq: i64,
    /// That run.
    #[sqlx(try_from = "Nullable<Uuid>")]
    pub run_id: Option<SyncRunId>,
    /// When it was first observed.
    #[sqlx(try_from = "i64")]
    pub observed_at: Timestamp,
    /// The number of the run that observed the next one; `None` for the current state.
    pub until_seq: Option<i64>,
    /// The name then.
    pub display_name: String,
    /// The platform then.
    pub platform: String,
    /// The hash of the normalised content.
    #[sqlx(try_from = "Vec<u8>")]
    pub content_hash: ContentHash,
    /// The version of the normaliser that made it.
    #[sqlx(try_from = "i64")]
    pub normaliser_version: u32,
    /// A digest of what it set; `None` where an earlier version of this program kept the state. As comparable as the hash.
    #[serde(skip)]
    pub settings_digest: Option<i64>,
    /// A digest of whom it was assigned to, likewise.
    #[serde(skip)]
    pub assignments_digest: Option<i64>,
    /// Allow-listed facts then.
    #[sqlx(json)]
    pub meta: Map<String, Json>,
}

/// The states of item `$1` of tenant `$2`: the current one, and those before it.
const VERSIONS: &str = "
    SELECT v.*, r.id AS run_id
    FROM (
        SELECT changed_seq AS from_seq, CAST(NULL AS BIGINT) AS until_seq, changed_at AS observed_at, display_name,
            platform, content_hash, normaliser_version, settings_digest, assignments_digest, meta
        FROM inventory_items
        WHERE id = $1 AND tenant_id = $2
        UNION ALL
        SELECT from_seq, until_seq, observed_at, display_name, platform, content_hash, normaliser_version,
            settings_digest, assignments_digest, meta
        FROM inventory_item_versions
        WHERE item_id = $1 AND tenant_id = $2) AS v
    LEFT JOIN inventory_sync_runs r ON r.tenant_id = $2 AND r.seq = v.from_seq";

/// The states of an item, the current one first; at most 200.
///
/// # Errors
/// When the database fails.
pub async fn history(mut on: impl Access, tenant: TenantId, item: ItemId) -> Result<Vec<ItemVersion>, StoreError> {
    let text = format!("{VERSIONS} ORDER BY v.from_seq DESC LIMIT $3");
    on.rows(AssertSqlSafe(text), &args![item, tenant, MAX_ROWS]).await
}

/// The state of an item as of a run: what the last run up to it had observed. `None` when it was not known yet.
///
/// # Errors
/// When the database fails.
pub async fn state_as_of(
    mut on: impl Access,
    tenant: TenantId,
    item: ItemId,
    seq: i64,
) -> Result<Option<ItemVersion>, StoreError> {
    let text = format!("{VERSIONS} WHERE v.from_seq <= $3 ORDER BY v.from_seq DESC LIMIT 1");
    on.row(AssertSqlSafe(text), &args![item, tenant, seq]).await
}

named! {
    /// What a run says about an item.
    pub enum RunReading: UnknownRunReading, "reading of an item by a run" {
        /// It saw the item.
        Seen = "seen",
        /// It read the type to the end and did not see the item.
        NotThere = "not_there",
        /// It did not read the type to the end and did not see the item.
        NotRead = "not_read",
    }
}

/// A run of a scope that held the type of an item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RunSighting {
    /// The run.
    pub run_id: SyncRunId,
    /// Its number.
    pub seq: i64,
    /// How it ended.
    pub status: SyncRunStatus,
    /// When it began.
    pub started_at: Timestamp,
    /// What it says about the item.
    pub reading: RunReading,
}

#[derive(FromRow)]
struct RunRow {
    #[sqlx(try_from = "Uuid")]
    id: SyncRunId,
    seq: i64,
    #[sqlx(try_from = "String")]
    status: SyncRunStatus,
    #[sqlx(try_from = "i64")]
    started_at: Timestamp,
    #[sqlx(try_from = "Nullable<String>")]
    outcome: Option<TypeOutcome>,
    items: i64,
}

/// Whether a run of a scope saw an item. The run read something of the item's type.
///
/// # Errors
/// When the database fails.
pub async fn was_seen(db: &impl Readable, scope: ScopeId, seq: i64, item: ItemId) -> Result<bool, StoreError> {
    Ok(stretch(db.database(), scope, item).await?.saw(seq))
}

/// Which runs of a scope saw an item.
async fn stretch(db: &Db, scope: ScopeId, item: ItemId) -> Result<Stretch, StoreError> {
    let mut on = db;
    let range: Option<(i64, i64)> = on
        .row(
            "SELECT since_seq, last_seq FROM inventory_sightings WHERE item_id = $1 AND scope_id = $2",
            &args![item, scope.0],
        )
        .await?;
    let absences = absences(db, scope.0, &[item.as_uuid()]).await?.remove(&item.as_uuid()).unwrap_or_default();
    Ok(Stretch { range, absences })
}

/// The runs of a scope that read the type of an item, newest first, with what each says about it; at most 200.
///
/// # Errors
/// When the database fails.
pub async fn runs_that_saw(
    db: &impl Readable,
    tenant: TenantId,
    scope: ScopeId,
    item: ItemId,
) -> Result<Vec<RunSighting>, StoreError> {
    let db = db.database();
    let mut on = db;
    let runs: Vec<RunRow> = on
        .rows(
            "SELECT r.id, r.seq, r.status, r.started_at, t.outcome, t.items
             FROM inventory_items i
             JOIN inventory_sync_run_types t ON t.scope_id = $2 AND t.policy_type = i.policy_type AND t.carried_from IS NULL
             JOIN inventory_sync_runs r ON r.id = t.run_id
             WHERE i.id = $1 AND i.tenant_id = $3 AND r.tenant_id = $3
             ORDER BY r.seq DESC LIMIT $4",
            &args![item, scope.0, tenant, MAX_ROWS],
        )
        .await?;
    let stretch = stretch(db, scope, item).await?;
    Ok(runs
        .into_iter()
        .map(|row| {
            let to_the_end = row.outcome == Some(TypeOutcome::Succeeded);
            let reading = if (to_the_end || row.items > 0) && stretch.saw(row.seq) {
                RunReading::Seen
            } else if to_the_end {
                RunReading::NotThere
            } else {
                RunReading::NotRead
            };
            RunSighting { run_id: row.id, seq: row.seq, status: row.status, started_at: row.started_at, reading }
        })
        .collect())
}
