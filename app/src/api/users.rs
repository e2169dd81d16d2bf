//! The users of this server. Platform administrators only.

use crate::error::AppError;
use leptos::prelude::*;
use tenantatlas_domain::ids::UserId;

/// Adds a user with a first password.
#[server(prefix = "/api", endpoint = "add_user")]
pub async fn add_user(
    name: String,
    email: String,
    password: String,
    #[server(default)] platform_admin: bool,
) -> Result<(), AppError> {
    crate::service::users::add(name, email, password, platform_admin).await
}

/// Changes what a user may do: administer the platform, sign in at all.
#[server(prefix = "/api", endpoint = "change_user")]
pub async fn change_user(
    user: UserId,
    #[server(default)] platform_admin: Option<bool>,
    #[server(default)] disabled: Option<bool>,
) -> Result<(), AppError> {
    crate::service::users::change(user, platform_admin, disabled).await
}

/// Sets a new password for a user and ends their sessions.
#[server(prefix = "/api", endpoint = "reset_password")]
pub async fn reset_password(user: UserId, password: String) -> Result<(), AppError> {
    crate::service::users::reset_password(user, password).await
}

/// Removes a user, whose e-mail address must be typed.
#[server(prefix = "/api", endpoint = "remove_user")]
pub async fn remove_user(user: UserId, confirmation: String) -> Result<(), AppError> {
    crate::service::users::remove(user, confirmation).await
}
