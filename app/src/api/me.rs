//! What a person sets about themselves.

use crate::error::AppError;
use leptos::prelude::*;
use tenantatlas_domain::ids::SessionId;

/// Changes the name.
#[server(prefix = "/api", endpoint = "update_profile")]
pub async fn update_profile(name: String) -> Result<(), AppError> {
    crate::service::me::update_profile(name).await
}

/// Changes the password and ends every other session.
#[server(prefix = "/api", endpoint = "change_password")]
pub async fn change_password(current: String, password: String) -> Result<(), AppError> {
    crate::service::me::change_password(current, password).await
}

/// Ends one of the person's own sessions.
#[server(prefix = "/api", endpoint = "end_session")]
pub async fn end_session(session: SessionId) -> Result<(), AppError> {
    crate::service::me::end_session(session).await
}

/// Remembers light, dark or as the system, in a cookie of this browser.
#[server(prefix = "/api", endpoint = "set_theme")]
pub async fn set_theme(theme: String) -> Result<(), AppError> {
    crate::service::me::set_theme(&theme)
}

/// Marks the tenant as favourite, or not.
#[server(prefix = "/api", endpoint = "set_favourite")]
pub async fn set_favourite(#[server(default)] favourite: bool) -> Result<(), AppError> {
    crate::service::me::set_favourite(favourite).await
}
