//! Signing in and out.

use crate::error::AppError;
use leptos::prelude::*;

/// Signs a person in and goes to `next`, or to the tenant used last. The same answer for an unknown person and a wrong
/// password.
#[server(prefix = "/api", endpoint = "sign_in")]
pub async fn sign_in(email: String, password: String, #[server(default)] next: String) -> Result<(), AppError> {
    crate::service::session::sign_in(email, password, next).await
}

/// The second step of a sign-in: a code of the authenticator, or a recovery code.
#[server(prefix = "/api", endpoint = "sign_in_code")]
pub async fn sign_in_code(code: String, #[server(default)] next: String) -> Result<(), AppError> {
    crate::service::session::sign_in_code(code, next).await
}

/// The second step of a sign-in that needs a second factor to be set up: its first code.
#[server(prefix = "/api", endpoint = "sign_in_set_up")]
pub async fn sign_in_set_up(code: String, #[server(default)] next: String) -> Result<(), AppError> {
    crate::service::session::sign_in_set_up(code, next).await
}

/// Proves again who one is, for what is sensitive, and goes to `next`.
#[server(prefix = "/api", endpoint = "confirm")]
pub async fn confirm(
    password: String,
    #[server(default)] code: String,
    #[server(default)] next: String,
) -> Result<(), AppError> {
    crate::service::session::confirm(password, code, next).await
}

/// Ends this session.
#[server(prefix = "/api", endpoint = "sign_out")]
pub async fn sign_out() -> Result<(), AppError> {
    crate::service::session::sign_out().await
}

/// Ends every session of this person, this one too.
#[server(prefix = "/api", endpoint = "sign_out_everywhere")]
pub async fn sign_out_everywhere() -> Result<(), AppError> {
    crate::service::session::sign_out_everywhere().await
}

/// Makes the first administrator with the one-time link that the server printed at its first start.
#[server(prefix = "/api", endpoint = "claim_first_admin")]
pub async fn claim_first_admin(token: String, name: String, email: String, password: String) -> Result<(), AppError> {
    crate::service::session::claim_first_admin(token, name, email, password).await
}

/// Whether the session still lasts.
#[server(prefix = "/api", endpoint = "check_session")]
pub async fn check_session() -> Result<(), AppError> {
    crate::scope::session().map(|_| ())
}
