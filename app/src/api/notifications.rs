//! Notifications of this person in a tenant.

use crate::error::AppError;
use crate::model::NotificationPage;
use leptos::prelude::*;
use leptos::server_fn::codec::Json;
use tenantatlas_domain::ids::NotificationId;

/// The newest ones.
#[server(prefix = "/api", endpoint = "notifications", input = Json)]
pub async fn notifications() -> Result<NotificationPage, AppError> {
    crate::service::notifications::newest().await
}

/// Marks one as read.
#[server(prefix = "/api", endpoint = "mark_read")]
pub async fn mark_read(notification: NotificationId) -> Result<(), AppError> {
    crate::service::notifications::mark_read(notification).await
}

/// Marks all as read.
#[server(prefix = "/api", endpoint = "mark_all_read")]
pub async fn mark_all_read() -> Result<(), AppError> {
    crate::service::notifications::mark_all_read().await
}
