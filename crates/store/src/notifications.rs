//! What a person is to know, persisted (`docs/rules.md`, section Notifications).

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use sqlx::FromRow;
use tenantatlas_domain::ids::{NotificationId, OperationRunId, TenantId, UserId};
use tenantatlas_domain::time::Timestamp;
use uuid::Uuid;

use crate::database::{Access, Run as _};
use crate::record::Nullable;
use crate::sql::{Statement, args, json};
use crate::{StoreError, Tx};

/// The longest page of a list.
const MAX_PAGE: u32 = 200;

/// A new notification.
#[derive(Clone, Debug)]
pub struct NewNotification {
    /// The id (version 7).
    pub id: NotificationId,
    /// Who is to know.
    pub user_id: UserId,
    /// The tenant it is about; `None` for what is about the person's account.
    pub tenant_id: Option<TenantId>,
    /// What kind, such as `operation.queued`.
    pub kind: String,
    /// The run it is about: each kind is told only once per person and run.
    pub operation_run_id: Option<OperationRunId>,
    /// Structured, safe facts; texts are made from them when shown.
    pub payload: Json,
    /// Whether it is no news to the person, and so counts as read from the start.
    pub read: bool,
}

/// A notification.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, FromRow)]
pub struct Notification {
    /// The id.
    #[sqlx(try_from = "Uuid")]
    pub id: NotificationId,
    /// Who is to know.
    #[sqlx(try_from = "Uuid")]
    pub user_id: UserId,
    /// The tenant it is about; `None` for what is about the person's account.
    #[sqlx(try_from = "Nullable<Uuid>")]
    pub tenant_id: Option<TenantId>,
    /// What kind.
    pub kind: String,
    /// The run it is about.
    #[sqlx(try_from = "Nullable<Uuid>")]
    pub operation_run_id: Option<OperationRunId>,
    /// Structured, safe facts.
    #[sqlx(json)]
    pub payload: Json,
    /// When it was written.
    #[sqlx(try_from = "i64")]
    pub created_at: Timestamp,
    /// When it was read.
    #[sqlx(try_from = "Nullable<i64>")]
    pub read_at: Option<Timestamp>,
}

/// Writes a notification. Answers `false` when the person was told the same of the same run before.
///
/// # Errors
/// When the person or the tenant does not exist.
pub async fn create(tx: &mut Tx, new: &NewNotification, at: Timestamp) -> Result<bool, StoreError> {
    let written = tx
        .execute(
            "INSERT INTO notifications (id, user_id, tenant_id, kind, operation_run_id, payload, created_at, read_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
             ON CONFLICT DO NOTHING",
            &args![
                new.id,
                new.user_id,
                new.tenant_id,
                new.kind.as_str(),
                new.operation_run_id,
                json(&new.payload),
                at,
                Some(at).filter(|_| new.read)
            ],
        )
        .await?;
    Ok(written == 1)
}

/// Marks those of these notifications that are the person's as read. Answers how many were unread.
///
/// # Errors
/// When the database fails.
pub async fn mark_these_read(
    tx: &mut Tx,
    user: UserId,
    ids: &[NotificationId],
    at: Timestamp,
) -> Result<u64, StoreError> {
    let mut statement = Statement::new("");
    statement.push("UPDATE notifications SET read_at = $1 WHERE user_id = $2 AND read_at IS NULL", args![at, user]);
    statement.push_in(" AND id", ids);
    tx.run(&statement).await
}

/// Which notifications of a person.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Only about this tenant.
    pub tenant_id: Option<TenantId>,
    /// Only about the person's account.
    pub account: bool,
    /// Only unread ones.
    pub unread: bool,
    /// Only those older than this one.
    pub before: Option<(Timestamp, NotificationId)>,
    /// At most so many; 1 to 200.
    pub limit: u32,
}

/// The kind of the notification that a run was dispatched.
pub const RUN_QUEUED: &str = "operation.queued";
/// The kind of the notification that a run has ended.
pub const RUN_ENDED: &str = "operation.ended";

/// The notifications of a person, newest first. Those about tenants the person lost access to are left out, and so is that a
/// run was queued once its end is told.
///
/// # Errors
/// When the database fails.
pub async fn list(mut on: impl Access, user: UserId, filter: &Filter) -> Result<Vec<Notification>, StoreError> {
    let mut statement = Statement::default();
    statement.push(&format!("SELECT n.* {VISIBLE}"), args![user]);
    statement.push(
        " AND NOT (n.kind = $1 AND EXISTS (
             SELECT 1 FROM notifications e
             WHERE e.user_id = n.user_id AND e.operation_run_id = n.operation_run_id AND e.kind = $2))",
        args![RUN_QUEUED, RUN_ENDED],
    );
    if let Some(tenant) = filter.tenant_id {
        statement.push(" AND n.tenant_id = $1", args![tenant]);
    }
    if filter.account {
        statement.push(" AND n.tenant_id IS NULL", []);
    }
    if filter.unread {
        statement.push(" AND n.read_at IS NULL", []);
    }
    if let Some((at, id)) = filter.before {
        statement.push(" AND (n.created_at, n.id) < ($1, $2)", args![at, id]);
    }
    statement.push(" ORDER BY n.created_at DESC, n.id DESC LIMIT $1", args![filter.limit.clamp(1, MAX_PAGE)]);
    on.query(&statement).await
}

/// One notification of a person about a tenant that the person may still see.
///
/// # Errors
/// When the database fails.
pub async fn get(
    mut on: impl Access,
    user: UserId,
    tenant: TenantId,
    id: NotificationId,
) -> Result<Option<Notification>, StoreError> {
    let mut statement = Statement::default();
    statement.push(&format!("SELECT n.* {VISIBLE}"), args![user]);
    statement.push(" AND n.tenant_id = $1 AND n.id = $2", args![tenant, id]);
    Ok(on.query(&statement).await?.into_iter().next())
}

/// The notifications of the person `$1` about the account, or about a tenant that the person may still see.
const VISIBLE: &str = "
    FROM notifications n
    JOIN users u ON u.id = n.user_id
    WHERE n.user_id = $1 AND (n.tenant_id IS NULL OR u.platform_admin = TRUE OR EXISTS (
        SELECT 1 FROM tenant_members m WHERE m.tenant_id = n.tenant_id AND m.user_id = n.user_id))";

/// How many notifications of a person are unread, in one tenant or in all.
///
/// # Errors
/// When the database fails.
pub async fn unread_count(mut on: impl Access, user: UserId, tenant: Option<TenantId>) -> Result<u64, StoreError> {
    let mut statement = Statement::default();
    statement.push(&format!("SELECT COUNT(*) {VISIBLE} AND n.read_at IS NULL"), args![user]);
    if let Some(tenant) = tenant {
        statement.push(" AND n.tenant_id = $1", args![tenant]);
    }
    let count: Option<i64> = on.value(statement.text(), statement.values()).await?;
    Ok(count.map_or(0, i64::unsigned_abs))
}

/// Marks one notification of a person as read. Answers whether it was unread.
///
/// # Errors
/// When the database fails.
pub async fn mark_read(tx: &mut Tx, user: UserId, id: NotificationId, at: Timestamp) -> Result<bool, StoreError> {
    let changed = tx
        .execute(
            "UPDATE notifications SET read_at = $3 WHERE id = $1 AND user_id = $2 AND read_at IS NULL",
            &args![id, user, at],
        )
        .await?;
    Ok(changed == 1)
}

/// Marks all notifications of a person as read, in one tenant or in all. Answers how many were unread.
///
/// # Errors
/// When the database fails.
pub async fn mark_all_read(
    tx: &mut Tx,
    user: UserId,
    tenant: Option<TenantId>,
    at: Timestamp,
) -> Result<u64, StoreError> {
    let mut statement = Statement::default();
    statement.push("UPDATE notifications SET read_at = $1 WHERE read_at IS NULL AND user_id = $2", args![at, user]);
    if let Some(tenant) = tenant {
        statement.push(" AND tenant_id = $1", args![tenant]);
    }
    tx.run(&statement).await
}
