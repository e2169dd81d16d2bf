//! Notifications of a person.

use super::{go_to, parse};
use crate::error::AppError;
use crate::model::{Notification, NotificationPage};
use crate::scope::{self, Inside};
use serde::Deserialize as _;
use tenantatlas_domain::ids::NotificationId;
use tenantatlas_domain::role::Action;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_engine::RunNotice;
use tenantatlas_store::notifications;

/// Notifications in the drawer.
const DRAWER: u32 = 30;
/// Notifications on a page.
const PAGE: u32 = 50;

/// The newest ones, for the drawer. They are those of all tenants of the person, as the bell counts them.
///
/// # Errors
/// Signed out, not found; when the database fails.
pub async fn newest(tenant: String) -> Result<NotificationPage, AppError> {
    let inside = scope::acting(&tenant, Action::View)?;
    Ok(page(&inside, None, DRAWER).await?.0)
}

/// A page of the list, and where the next one begins.
///
/// # Errors
/// When the database fails.
pub async fn list(
    inside: &Inside,
    before: Option<(Timestamp, NotificationId)>,
) -> Result<(NotificationPage, Option<(Timestamp, NotificationId)>), AppError> {
    page(inside, before, PAGE).await
}

async fn page(
    inside: &Inside,
    before: Option<(Timestamp, NotificationId)>,
    limit: u32,
) -> Result<(NotificationPage, Option<(Timestamp, NotificationId)>), AppError> {
    let db = inside.engine.db();
    let user = inside.session.user_id;
    let filter = notifications::Filter { tenant_id: None, unread: false, before, limit: limit + 1 };
    let mut found = notifications::list(db, user, &filter).await?;
    let more = found.len() > limit as usize;
    found.truncate(limit as usize);
    let next = found.last().filter(|_| more).map(|last| (last.created_at, last.id));
    let unread = notifications::unread_count(db, user, None).await?;
    let page = NotificationPage {
        entries: found.iter().filter_map(read).collect(),
        unread: u32::try_from(unread).unwrap_or(u32::MAX),
        more,
    };
    Ok((page, next))
}

fn read(stored: &notifications::Notification) -> Option<Notification> {
    let notice = RunNotice::deserialize(&stored.payload)
        .inspect_err(|error| tracing::warn!(%error, id = %stored.id, "a notification cannot be read"))
        .ok()?;
    let items = notice.facts.get("items_observed").and_then(serde_json::Value::as_u64).unwrap_or_default();
    Some(Notification {
        id: stored.id.to_string(),
        run_id: notice.run_id.to_string(),
        tenant_id: notice.tenant_id.to_string(),
        tenant_name: notice.tenant_name,
        resource: notice.resource,
        action: notice.action,
        bucket: notice.bucket,
        counters: notice.counters,
        items,
        reason: notice.reason_code.or_else(|| notice.reasons.first().map(|first| first.reason_code)),
        created_at: stored.created_at.as_millis(),
        read: stored.read_at.is_some(),
    })
}

/// Marks one as read.
///
/// # Errors
/// Signed out, not found; when the database fails.
pub async fn mark_read(tenant: String, notification: String) -> Result<(), AppError> {
    let inside = scope::acting(&tenant, Action::View)?;
    let id: NotificationId = parse(&notification, "The notification")?;
    inside.engine.mark_read(inside.session.user_id, id).await?;
    go_to(&inside.address("notifications"), None);
    Ok(())
}

/// Marks all of the person as read, over all their tenants: the bell counts them together.
///
/// # Errors
/// Signed out, not found; when the database fails.
pub async fn mark_all_read(tenant: String) -> Result<(), AppError> {
    let inside = scope::acting(&tenant, Action::View)?;
    inside.engine.mark_all_read(inside.session.user_id, None).await?;
    go_to(&inside.address("notifications"), None);
    Ok(())
}
