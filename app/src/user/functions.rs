//! The users of this server. Platform administrators only.
#![allow(missing_docs, reason = "the macro makes a type per function whose fields are the parameters")]

use leptos::prelude::*;
use tenantatlas_domain::ids::UserId;

use crate::error::AppError;
#[cfg(feature = "ssr")]
use {
    crate::{access::Rule, address, done::Done, redirect::go_to_with, scope},
    secrecy::SecretString,
};

/// Adds a user with a first password.
///
/// # Errors
/// Forbidden; a value that is not acceptable; the address is taken.
#[server(prefix = "/api", endpoint = "add_user")]
pub async fn add_user(
    name: String,
    email: String,
    password: String,
    #[server(default)] platform_admin: bool,
) -> Result<(), AppError> {
    let session = scope::administrator()?;
    let password = SecretString::from(password);
    scope::engine()?.create_user(&session.actor(), &email, &name, platform_admin, password).await?;
    go_to_with(address::USERS, Done::UsersSaved);
    Ok(())
}
rule!(AddUser, Rule::Administrator);

/// Changes what a user may do: what is given, and nothing else, whatever the page showed when it was made.
///
/// # Errors
/// Forbidden; no such user; one administrator must stay.
#[server(prefix = "/api", endpoint = "change_user")]
pub async fn change_user(
    user: UserId,
    #[server(default)] platform_admin: Option<bool>,
    #[server(default)] disabled: Option<bool>,
) -> Result<(), AppError> {
    let session = scope::administrator()?;
    let engine = scope::engine()?;
    if let Some(platform_admin) = platform_admin {
        engine.set_platform_admin(&session.actor(), user, platform_admin).await?;
    }
    if let Some(disabled) = disabled {
        engine.set_user_disabled(&session.actor(), user, disabled).await?;
    }
    go_to_with(address::USERS, Done::UsersSaved);
    Ok(())
}
rule!(ChangeUser, Rule::Administrator);

/// Sets a new password for a user and ends their sessions.
///
/// # Errors
/// Forbidden; no such user; a password that is not acceptable.
#[server(prefix = "/api", endpoint = "reset_password")]
pub async fn reset_password(user: UserId, password: String) -> Result<(), AppError> {
    let session = scope::administrator()?;
    scope::engine()?.set_password(&session.actor(), user, SecretString::from(password)).await?;
    go_to_with(address::USERS, Done::UsersSaved);
    Ok(())
}
rule!(ResetPassword, Rule::Administrator);

/// Takes the second factor of somebody away who lost it.
///
/// # Errors
/// Forbidden; to be confirmed; no such user, or they have none.
#[server(prefix = "/api", endpoint = "reset_second_factor")]
pub async fn reset_second_factor(user: UserId) -> Result<(), AppError> {
    let session = scope::administrator()?;
    scope::engine()?.reset_second_factor(&session.actor(), user).await?;
    go_to_with(address::USERS, Done::UsersSaved);
    Ok(())
}
rule!(ResetSecondFactor, Rule::Administrator);

/// Removes a user, whose e-mail address must be typed.
///
/// # Errors
/// Forbidden; to be confirmed; no such user; another address was typed; one administrator must stay.
#[server(prefix = "/api", endpoint = "remove_user")]
pub async fn remove_user(user: UserId, confirmation: String) -> Result<(), AppError> {
    let session = scope::administrator()?;
    scope::engine()?.remove_user(&session.actor(), user, &confirmation).await?;
    go_to_with(if user == session.user_id { address::SIGN_IN } else { address::USERS }, Done::UserRemoved);
    Ok(())
}
rule!(RemoveUser, Rule::Administrator);
