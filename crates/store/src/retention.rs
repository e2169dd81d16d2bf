//! How long is kept what has ended (`docs/rules.md`, section Retention), and what is deleted once that is over: a few hundred rows
//! in one transaction, so that whoever waits for the writer has its turn soon. Versions are deleted in `policies/retention.rs`.

use serde::Serialize;
use sqlx::{AssertSqlSafe, FromRow};
use tenantatlas_domain::ids::{SyncRunId, TenantId};
use tenantatlas_domain::time::Timestamp;
use uuid::Uuid;

use crate::database::{Access, Run as _};
use crate::sql::{Statement, args};
use crate::{StoreError, Tx};

/// Rows that go in one transaction, at most.
const PIECE: u32 = 300;

/// How long is kept what has ended, in days; 1 to 3,650.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, FromRow)]
pub struct Retention {
    /// Runs, after their end.
    #[sqlx(try_from = "i64")]
    pub run_days: u32,
    /// Notifications, after they were written.
    #[sqlx(try_from = "i64")]
    pub notification_days: u32,
    /// Versions of policies, after they were read; the latest of each object is kept.
    #[sqlx(try_from = "i64")]
    pub version_days: u32,
    /// Messages to endpoints, after they were written.
    #[sqlx(try_from = "i64")]
    pub delivery_days: u32,
}

impl Default for Retention {
    fn default() -> Self {
        Self { run_days: 180, notification_days: 90, version_days: 365, delivery_days: 30 }
    }
}

/// How long things are kept.
///
/// # Errors
/// When the database fails.
pub async fn get(mut on: impl Access) -> Result<Retention, StoreError> {
    let known: Option<Retention> = on
        .row("SELECT run_days, notification_days, version_days, delivery_days FROM retention WHERE id = 1", &[])
        .await?;
    Ok(known.unwrap_or_default())
}

/// Says how long things are kept from now on.
///
/// # Errors
/// When the database fails.
pub async fn set(tx: &mut Tx, retention: Retention) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE retention SET run_days = $1, notification_days = $2, version_days = $3, delivery_days = $4 WHERE id = 1",
        &args![retention.run_days, retention.notification_days, retention.version_days, retention.delivery_days],
    )
    .await
    .map(|_| ())
}

/// Deletes runs of a tenant that ended before a moment, a piece. Answers how many went.
///
/// # Errors
/// When the database fails.
pub async fn prune_runs(tx: &mut Tx, tenant: TenantId, before: Timestamp) -> Result<u64, StoreError> {
    tx.execute(
        "DELETE FROM bulk_operation_runs
         WHERE tenant_id = $1 AND id IN (
             SELECT id FROM bulk_operation_runs
             WHERE tenant_id = $1 AND created_at < $2 AND finished_at < $2
             ORDER BY created_at, id LIMIT $3)",
        &args![tenant, before, PIECE],
    )
    .await
}

/// Sync runs of a tenant that ended before a moment and on which nothing stands, the oldest of them. Those stay on which something
/// does: the inventory of their selection (its latest run, the completed one before it, the last two full reads of a type, a chosen or
/// a first baseline, what a run goes on from), the state of an item, when a missing item was last seen, a finding, a comparison that is
/// as young, a run that is kept.
///
/// # Errors
/// When the database fails.
pub async fn sync_runs_to_prune(
    mut on: impl Access,
    tenant: TenantId,
    before: Timestamp,
) -> Result<Vec<SyncRunId>, StoreError> {
    let text = format!(
        "SELECT r.id
         FROM inventory_sync_runs r
         WHERE r.tenant_id = $1 AND r.status <> 'running' AND r.finished_at < $2 {NOTHING_STANDS_ON_IT}
         ORDER BY r.seq LIMIT $4"
    );
    let found: Vec<Uuid> =
        on.values(AssertSqlSafe(text), &args![tenant, before, i64::MAX, SYNC_RUNS_FOUND_AT_ONCE]).await?;
    Ok(found.into_iter().map(SyncRunId::from_uuid).collect())
}

/// Sync runs that are looked for at once, so that the writer is not held while they are.
const SYNC_RUNS_FOUND_AT_ONCE: u32 = 60;

/// Deletes sync runs that were found by [`sync_runs_to_prune`], with what they tell of each type. Answers how many went: one that became
/// a baseline meanwhile, or what a run goes on from, stays.
///
/// # Errors
/// When the database fails.
pub async fn remove_sync_runs(tx: &mut Tx, tenant: TenantId, runs: &[SyncRunId]) -> Result<u64, StoreError> {
    let mut statement = Statement::of("DELETE FROM inventory_sync_runs WHERE tenant_id = $1", args![tenant]);
    statement.push_in(" AND id", runs);
    statement.push(
        " AND NOT EXISTS (
             SELECT 1 FROM inventory_scopes s
             WHERE s.tenant_id = $1
                 AND (s.latest_run_id = inventory_sync_runs.id OR s.drift_baseline_run_id = inventory_sync_runs.id))
         AND id NOT IN (
             SELECT c.continues FROM inventory_sync_runs c WHERE c.tenant_id = $1 AND c.continues IS NOT NULL)",
        args![tenant],
    );
    tx.run(&statement).await
}

/// That nothing stands on the sync run `r` of the tenant `$1`, as further conditions; `$2` is the moment before which it ended, `$3`
/// the end of an absence that goes on.
const NOTHING_STANDS_ON_IT: &str = "
    AND NOT EXISTS (SELECT 1 FROM bulk_operation_runs o WHERE o.id = r.operation_run_id)
    AND NOT EXISTS (
        SELECT 1 FROM inventory_scopes s
        WHERE s.id = r.scope_id AND (s.latest_run_id = r.id OR s.drift_baseline_run_id = r.id))
    AND NOT EXISTS (SELECT 1 FROM inventory_baselines b WHERE b.tenant_id = $1 AND b.seq = r.seq)
    AND NOT EXISTS (SELECT 1 FROM inventory_items i WHERE i.tenant_id = $1 AND i.changed_seq = r.seq)
    AND (r.stopped IS NOT NULL OR r.status = 'skipped' OR (
        SELECT n.seq FROM inventory_sync_runs n
        WHERE n.scope_id = r.scope_id AND n.seq > r.seq AND n.status IN ('success', 'partial', 'failed') AND n.stopped IS NULL
        ORDER BY n.seq LIMIT 1 OFFSET 1) IS NOT NULL)
    AND NOT EXISTS (
        SELECT 1 FROM inventory_sync_run_types t
        WHERE t.run_id = r.id AND (t.outcome = 'succeeded' OR t.items > 0) AND (
            SELECT n.seq FROM inventory_sync_run_types n
            WHERE n.scope_id = t.scope_id AND n.policy_type = t.policy_type AND n.seq > t.seq
                AND n.outcome = 'succeeded' AND n.unsteady = FALSE
            ORDER BY n.seq LIMIT 1 OFFSET 1) IS NULL)
    AND r.id NOT IN (
        SELECT c.continues FROM inventory_sync_runs c WHERE c.tenant_id = $1 AND c.continues IS NOT NULL)
    AND r.id NOT IN (SELECT f.current_run_id FROM findings f WHERE f.tenant_id = $1)
    AND r.id NOT IN (SELECT f.baseline_run_id FROM findings f WHERE f.tenant_id = $1)
    AND r.id NOT IN (
        SELECT d.current_run_id FROM drift_comparisons d WHERE d.tenant_id = $1 AND d.finished_at >= $2)
    AND r.id NOT IN (
        SELECT d.baseline_run_id FROM drift_comparisons d
        WHERE d.tenant_id = $1 AND d.finished_at >= $2 AND d.baseline_run_id IS NOT NULL)
    AND (r.scope_id, r.seq) NOT IN (
        SELECT a.scope_id, y.last_seq
        FROM inventory_scopes s
        JOIN inventory_absences a ON a.scope_id = s.id AND a.until_seq = $3
        JOIN inventory_sightings y ON y.item_id = a.item_id AND y.scope_id = a.scope_id
        WHERE s.tenant_id = $1)";

/// Deletes notifications about a tenant that were written before a moment, a piece. Answers how many went.
///
/// # Errors
/// When the database fails.
pub async fn prune_notifications(tx: &mut Tx, tenant: TenantId, before: Timestamp) -> Result<u64, StoreError> {
    tx.execute(
        "DELETE FROM notifications
         WHERE tenant_id = $1 AND id IN (
             SELECT id FROM notifications WHERE tenant_id = $1 AND created_at < $2 ORDER BY created_at LIMIT $3)",
        &args![tenant, before, PIECE],
    )
    .await
}

/// The same of notifications about people's own accounts.
///
/// # Errors
/// When the database fails.
pub async fn prune_account_notifications(tx: &mut Tx, before: Timestamp) -> Result<u64, StoreError> {
    tx.execute(
        "DELETE FROM notifications
         WHERE id IN (
             SELECT id FROM notifications WHERE tenant_id IS NULL AND created_at < $1 ORDER BY created_at LIMIT $2)",
        &args![before, PIECE],
    )
    .await
}

/// When a tenant is due to be pruned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromRow)]
pub struct DueTenant {
    /// The tenant.
    #[sqlx(try_from = "Uuid")]
    pub tenant_id: TenantId,
    /// When.
    #[sqlx(try_from = "i64")]
    pub due_at: Timestamp,
}

/// Tenants that have no time yet at which they are pruned.
///
/// # Errors
/// When the database fails.
pub async fn without_due(mut on: impl Access, limit: u32) -> Result<Vec<TenantId>, StoreError> {
    let tenants: Vec<Uuid> = on
        .values(
            "SELECT t.id FROM tenants t
             WHERE t.removed_at IS NULL AND NOT EXISTS (SELECT 1 FROM retention_dues d WHERE d.tenant_id = t.id)
             LIMIT $1",
            &args![limit],
        )
        .await?;
    Ok(tenants.into_iter().map(TenantId::from_uuid).collect())
}

/// Gives a tenant its first time, unless it has one.
///
/// # Errors
/// When the database fails.
pub async fn set_first_due(tx: &mut Tx, tenant: TenantId, due_at: Timestamp) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO retention_dues (tenant_id, due_at)
         SELECT id, $2 FROM tenants WHERE id = $1
         ON CONFLICT (tenant_id) DO NOTHING",
        &args![tenant, due_at],
    )
    .await
    .map(|_| ())
}

/// Tenants that are due by now, the longest due first.
///
/// # Errors
/// When the database fails.
pub async fn due(mut on: impl Access, now: Timestamp, limit: u32) -> Result<Vec<DueTenant>, StoreError> {
    on.rows(
        "SELECT d.tenant_id, d.due_at
         FROM retention_dues d
         JOIN tenants t ON t.id = d.tenant_id AND t.removed_at IS NULL
         WHERE d.due_at <= $1
         ORDER BY d.due_at LIMIT $2",
        &args![now, limit],
    )
    .await
}

/// Takes the due time of a tenant. Answers whether it was still there.
///
/// # Errors
/// When the database fails.
pub async fn claim(tx: &mut Tx, due: DueTenant, next: Timestamp) -> Result<bool, StoreError> {
    let taken = tx
        .execute(
            "UPDATE retention_dues SET due_at = $3 WHERE tenant_id = $1 AND due_at = $2",
            &args![due.tenant_id, due.due_at, next],
        )
        .await?;
    Ok(taken == 1)
}
