//! The users of this server. Platform administrators only.

use super::go_to;
use crate::address;
use crate::error::AppError;
use crate::scope;
use secrecy::SecretString;
use std::collections::BTreeSet;
use tenantatlas_domain::ids::UserId;
use tenantatlas_store::second_factors;
use tenantatlas_store::users::{self, User};

/// All users, by name.
///
/// # Errors
/// Forbidden to all others.
pub async fn list() -> Result<Vec<User>, AppError> {
    scope::administrator()?;
    Ok(users::list(scope::engine()?.db()).await?)
}

/// Who of them has a second factor.
///
/// # Errors
/// Forbidden to all others.
pub async fn with_second_factor() -> Result<BTreeSet<UserId>, AppError> {
    scope::administrator()?;
    Ok(second_factors::active(scope::engine()?.db()).await?.into_iter().collect())
}

/// Adds a user.
///
/// # Errors
/// Forbidden; a value that is not acceptable; the address is taken.
pub async fn add(name: String, email: String, password: String, platform_admin: bool) -> Result<(), AppError> {
    let session = scope::administrator()?;
    let password = SecretString::from(password);
    scope::engine()?.create_user(&session.actor(), &email, &name, platform_admin, password).await?;
    go_to(address::USERS, Some("user"));
    Ok(())
}

/// Changes what a user may do: what is given, and nothing else, whatever the page showed when it was made.
///
/// # Errors
/// Forbidden; no such user; one administrator must stay.
pub async fn change(user: UserId, platform_admin: Option<bool>, disabled: Option<bool>) -> Result<(), AppError> {
    let session = scope::administrator()?;
    let engine = scope::engine()?;
    if let Some(platform_admin) = platform_admin {
        engine.set_platform_admin(&session.actor(), user, platform_admin).await?;
    }
    if let Some(disabled) = disabled {
        engine.set_user_disabled(&session.actor(), user, disabled).await?;
    }
    go_to(address::USERS, Some("user"));
    Ok(())
}

/// Removes a user, whose e-mail address must be typed.
///
/// # Errors
/// Forbidden; to be confirmed; no such user; another address was typed; one administrator must stay.
pub async fn remove(user: UserId, confirmation: String) -> Result<(), AppError> {
    let session = scope::administrator()?;
    scope::engine()?.remove_user(&session.actor(), user, &confirmation).await?;
    go_to(if user == session.user_id { address::SIGN_IN } else { address::USERS }, Some("removed_user"));
    Ok(())
}

/// Sets a new password and ends the user's sessions.
///
/// # Errors
/// Forbidden; no such user; a password that is not acceptable.
pub async fn reset_password(user: UserId, password: String) -> Result<(), AppError> {
    let session = scope::administrator()?;
    scope::engine()?.set_password(&session.actor(), user, SecretString::from(password)).await?;
    go_to(address::USERS, Some("user"));
    Ok(())
}
