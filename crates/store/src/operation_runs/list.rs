//! Runs that have not ended: what a live view begins with, and what waits.

use sqlx::{AssertSqlSafe, FromRow};
use tenantatlas_domain::ids::{OperationRunId, TenantId, UserId};
use tenantatlas_domain::time::Timestamp;
use uuid::Uuid;

use super::lease::{limit_terms, limit_values};
use super::{ACTIVE, KindLimits, OperationRun};
use crate::database::{Access, Run as _};
use crate::sql::{Statement, Value, args};
use crate::{StoreError, Tx, dialect};

/// Active runs in a snapshot, at most.
const MAX_ACTIVE: i64 = 200;

/// The active runs, oldest first: of one tenant or all, of one person or all. The snapshot with which a live view
/// begins.
///
/// # Errors
/// When the database fails.
pub async fn active(
    mut on: impl Access,
    tenant: Option<TenantId>,
    user: Option<UserId>,
) -> Result<Vec<OperationRun>, StoreError> {
    let mut statement = Statement::new(&format!("SELECT * FROM bulk_operation_runs WHERE {ACTIVE}"));
    if let Some(tenant) = tenant {
        statement.push(" AND tenant_id = $1", args![tenant]);
    }
    if let Some(user) = user {
        statement.push(" AND user_id = $1", args![user]);
    }
    statement.push(" ORDER BY created_at, id LIMIT $1", args![MAX_ACTIVE]);
    on.query(&statement).await
}

/// Whether an operation is active in any tenant.
///
/// # Errors
/// When the database fails.
pub async fn is_active_anywhere(mut on: impl Access, resource: &str, action: &str) -> Result<bool, StoreError> {
    let found: Option<Uuid> = on
        .value(
            AssertSqlSafe(format!(
                "SELECT id AS value FROM bulk_operation_runs
                 WHERE {ACTIVE} AND resource = $1 AND action = $2 LIMIT 1"
            )),
            &args![resource, action],
        )
        .await?;
    Ok(found.is_some())
}

/// The active runs of these tenants, of at most 200 runs, oldest first.
///
/// # Errors
/// When the database fails.
pub async fn active_in(mut on: impl Access, tenants: &[TenantId]) -> Result<Vec<OperationRun>, StoreError> {
    let mut statement = Statement::new(&format!("SELECT * FROM bulk_operation_runs WHERE {ACTIVE}"));
    statement.push_in(" AND tenant_id", tenants);
    statement.push(" ORDER BY created_at, id LIMIT $1", args![MAX_ACTIVE]);
    on.query(&statement).await
}

/// The runs that the person `$1` started, in the tenants that are theirs.
const OF_PERSON: &str = "
    SELECT r.*
    FROM bulk_operation_runs r
    JOIN users u ON u.id = $1
    WHERE r.user_id = $1 AND (u.platform_admin = TRUE OR EXISTS (
        SELECT 1 FROM tenant_members m WHERE m.tenant_id = r.tenant_id AND m.user_id = $1))";

/// The active runs that a person started, oldest first, in every tenant that is theirs.
///
/// # Errors
/// When the database fails.
pub async fn active_of_person(mut on: impl Access, user: UserId) -> Result<Vec<OperationRun>, StoreError> {
    let mut statement = Statement::default();
    statement.push(OF_PERSON, args![user]);
    statement.push(&format!(" AND r.{ACTIVE} ORDER BY r.created_at, r.id LIMIT $1"), args![MAX_ACTIVE]);
    on.query(&statement).await
}

/// The active runs that somebody sees who looks at a tenant that is theirs, oldest first: those of the tenant, and what they
/// started in any other that is theirs.
///
/// # Errors
/// When the database fails.
pub async fn active_seen(mut on: impl Access, user: UserId, tenant: TenantId) -> Result<Vec<OperationRun>, StoreError> {
    let mut statement = Statement::default();
    statement.push(
        &format!(
            "SELECT r.*
             FROM bulk_operation_runs r
             JOIN users u ON u.id = $1
             WHERE r.{ACTIVE} AND (r.tenant_id = $2 OR (r.user_id = $1 AND (u.platform_admin = TRUE OR EXISTS (
                 SELECT 1 FROM tenant_members m WHERE m.tenant_id = r.tenant_id AND m.user_id = $1))))
             ORDER BY r.created_at, r.id"
        ),
        args![user, tenant],
    );
    statement.push_limit(2 * MAX_ACTIVE.unsigned_abs());
    on.query(&statement).await
}

/// Those of these runs that a person started, in the tenants that are theirs; of at most 200 runs.
///
/// # Errors
/// When the database fails.
pub async fn of_person(
    mut on: impl Access,
    user: UserId,
    runs: &[OperationRunId],
) -> Result<Vec<OperationRun>, StoreError> {
    let mut statement = Statement::default();
    statement.push(OF_PERSON, args![user]);
    statement.push_in(" AND r.id", &runs[..runs.len().min(MAX_ACTIVE as usize)]);
    on.query(&statement).await
}

/// How many runs wait for a worker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromRow)]
pub struct Waiting {
    /// Of the tenant.
    #[sqlx(try_from = "i64")]
    pub of_tenant: u32,
    /// Of the person, over all tenants.
    #[sqlx(try_from = "i64")]
    pub of_person: u32,
}

/// Counts the runs that wait for a worker.
///
/// # Errors
/// When the database fails.
pub async fn waiting(mut on: impl Access, tenant: TenantId, user: Option<UserId>) -> Result<Waiting, StoreError> {
    let waiting: Option<Waiting> = on
        .row(
            "SELECT (SELECT COUNT(*) FROM bulk_operation_runs WHERE status = 'pending' AND tenant_id = $1) AS of_tenant,
                 (SELECT COUNT(*) FROM bulk_operation_runs WHERE status = 'pending' AND user_id = $2) AS of_person",
            &args![tenant, user],
        )
        .await?;
    Ok(waiting.unwrap_or_default())
}

/// Runs that wait for a place, and since before which moment that is too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overdue {
    /// Where other runs of the same tenant have its places.
    pub in_tenant: Timestamp,
    /// Where runs of whatever tenants have all places.
    pub over_all: Timestamp,
}

/// Runs that nobody has claimed for too long because their limits leave no place. Oldest first, at most `limit`, locked
/// until the transaction ends; those that another process ends are left out. A run that waits although there is a place
/// only waits for a worker.
///
/// # Errors
/// When the database fails.
pub async fn overdue(
    tx: &mut Tx,
    overdue: Overdue,
    limits: &[KindLimits],
    limit: u32,
) -> Result<Vec<OperationRun>, StoreError> {
    let lock = dialect::for_update_skip_locked(tx.backend());
    let held = format!(
        "SELECT COUNT(*)
         FROM bulk_operation_runs r
         WHERE r.{ACTIVE} AND r.status = 'running' AND r.lease_owner IS NOT NULL
             AND r.resource = c.resource AND r.action = c.action"
    );
    let (global, per_tenant) = limit_terms(limits, 4);
    let text = format!(
        "SELECT *
         FROM bulk_operation_runs c
         WHERE c.{ACTIVE} AND c.status = 'pending'
             AND ((c.created_at < $1 AND ({held} AND r.tenant_id = c.tenant_id) >= {per_tenant})
                 OR (c.created_at < $2 AND ({held}) >= {global}))
         ORDER BY c.created_at, c.id
         LIMIT $3{lock}"
    );
    let values: Vec<Value<'_>> =
        args![overdue.in_tenant, overdue.over_all, limit].into_iter().chain(limit_values(limits)).collect();
    tx.rows(AssertSqlSafe(text), &values).await
}

/// How much there is to do, for metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromRow)]
pub struct QueueDepth {
    /// Runs that wait for a worker.
    #[sqlx(try_from = "i64")]
    pub pending: u64,
    /// Runs that a worker has, or that wait for another one.
    #[sqlx(try_from = "i64")]
    pub running: u64,
}

/// Counts the active runs of all tenants.
///
/// # Errors
/// When the database fails.
pub async fn queue_depth(mut on: impl Access) -> Result<QueueDepth, StoreError> {
    let text = format!(
        "SELECT COUNT(CASE WHEN status = 'pending' THEN 1 END) AS pending,
             COUNT(CASE WHEN status = 'running' THEN 1 END) AS running
         FROM bulk_operation_runs
         WHERE {ACTIVE}"
    );
    let depth: Option<QueueDepth> = on.row(AssertSqlSafe(text), &[]).await?;
    Ok(depth.unwrap_or_default())
}

/// When the run was dispatched that has waited longest for a worker; none when none waits.
///
/// # Errors
/// When the database fails.
pub async fn oldest_pending(mut on: impl Access) -> Result<Option<Timestamp>, StoreError> {
    let text = format!("SELECT MIN(created_at) FROM bulk_operation_runs WHERE {ACTIVE} AND status = 'pending'");
    let at: Option<Option<i64>> = on.value(AssertSqlSafe(text), &[]).await?;
    Ok(at.flatten().map(Timestamp::from_millis))
}
