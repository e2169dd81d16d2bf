//! The members of a tenant.

use crate::error::AppError;
use leptos::prelude::*;

/// Gives a user of this server a role in the tenant.
#[server(prefix = "/api", endpoint = "add_member")]
pub async fn add_member(tenant: String, email: String, role: String) -> Result<(), AppError> {
    crate::service::members::add(tenant, email, role).await
}

/// Changes the role of a member.
#[server(prefix = "/api", endpoint = "change_member")]
pub async fn change_member(tenant: String, user: String, role: String) -> Result<(), AppError> {
    crate::service::members::change(tenant, user, role).await
}

/// Takes a member's access away; open live streams end within seconds.
#[server(prefix = "/api", endpoint = "remove_member")]
pub async fn remove_member(tenant: String, user: String) -> Result<(), AppError> {
    crate::service::members::remove(tenant, user).await
}
