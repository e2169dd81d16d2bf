//! The members of a tenant.

use crate::error::AppError;
use leptos::prelude::*;
use tenantatlas_domain::ids::UserId;
use tenantatlas_domain::role::Role;

/// Gives a user of this server a role in the tenant.
#[server(prefix = "/api", endpoint = "add_member")]
pub async fn add_member(email: String, role: Role) -> Result<(), AppError> {
    crate::service::members::add(email, role).await
}

/// Changes the role of a member.
#[server(prefix = "/api", endpoint = "change_member")]
pub async fn change_member(user: UserId, role: Role) -> Result<(), AppError> {
    crate::service::members::change(user, role).await
}

/// Takes a member's access away; open live streams end within seconds.
#[server(prefix = "/api", endpoint = "remove_member")]
pub async fn remove_member(user: UserId) -> Result<(), AppError> {
    crate::service::members::remove(user).await
}
