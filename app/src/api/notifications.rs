//! Notifications of this person in a tenant.

use crate::error::AppError;
use crate::model::NotificationPage;
use leptos::prelude::*;
use leptos::server_fn::codec::Json;

/// The newest ones.
#[server(prefix = "/api", endpoint = "notifications", input = Json)]
pub async fn notifications(tenant: String) -> Result<NotificationPage, AppError> {
    crate::service::notifications::newest(tenant).await
}

/// Marks one as read.
#[server(prefix = "/api", endpoint = "mark_read")]
pub async fn mark_read(tenant: String, notification: String) -> Result<(), AppError> {
    crate::service::notifications::mark_read(tenant, notification).await
}

/// Marks all as read.
#[server(prefix = "/api", endpoint = "mark_all_read")]
pub async fn mark_all_read(tenant: String) -> Result<(), AppError> {
    crate::service::notifications::mark_all_read(tenant).await
}
