//! The second factor of a person.

use crate::error::AppError;
use leptos::prelude::*;
use tenantatlas_domain::ids::UserId;

/// Begins to set it up.
#[server(prefix = "/api", endpoint = "begin_second_factor")]
pub async fn begin_second_factor() -> Result<(), AppError> {
    crate::service::second_factor::begin().await
}

/// Puts it in force with its first code.
#[server(prefix = "/api", endpoint = "confirm_second_factor")]
pub async fn confirm_second_factor(code: String) -> Result<(), AppError> {
    crate::service::second_factor::confirm(code).await
}

/// Takes it away, with a code.
#[server(prefix = "/api", endpoint = "remove_second_factor")]
pub async fn remove_second_factor(code: String) -> Result<(), AppError> {
    crate::service::second_factor::remove(code).await
}

/// Makes new recovery codes and shows them.
#[server(prefix = "/api", endpoint = "new_recovery_codes")]
pub async fn new_recovery_codes() -> Result<(), AppError> {
    crate::service::second_factor::new_codes().await
}

/// Puts the recovery codes that are shown in force.
#[server(prefix = "/api", endpoint = "keep_recovery_codes")]
pub async fn keep_recovery_codes() -> Result<(), AppError> {
    crate::service::second_factor::keep_codes().await
}

/// Takes the second factor of somebody away who lost it. Platform administrators only.
#[server(prefix = "/api", endpoint = "reset_second_factor")]
pub async fn reset_second_factor(user: UserId) -> Result<(), AppError> {
    crate::service::second_factor::reset(user).await
}
