//! What a person sets about themselves and their browser.
#![allow(missing_docs, reason = "the macro makes a type per function whose fields are the parameters")]

use leptos::prelude::*;
use tenantatlas_domain::ids::SessionId;

use crate::error::AppError;
#[cfg(feature = "ssr")]
use {
    crate::{
        access::Rule,
        address,
        done::Done,
        redirect::go_to_with,
        scope,
        session::{
            cookies::{THEME_COOKIE, set_cookie},
            origin::origin,
        },
    },
    secrecy::SecretString,
};

/// Changes the name.
///
/// # Errors
/// Signed out; a name that is not acceptable.
#[server(prefix = "/api", endpoint = "update_profile")]
pub async fn update_profile(name: String) -> Result<(), AppError> {
    let session = scope::session()?;
    scope::engine()?.rename_self(&session.actor(), &name).await?;
    go_to_with(address::ACCOUNT, Done::NameSaved);
    Ok(())
}
rule!(UpdateProfile, Rule::SignedIn);

/// Changes the password. Every session ends; this browser gets a new one.
///
/// # Errors
/// The old password does not fit, or was guessed too often; the new one is not acceptable.
#[server(prefix = "/api", endpoint = "change_password")]
pub async fn change_password(current: String, password: String) -> Result<(), AppError> {
    let (engine, origin, session) = (scope::engine()?, origin()?, scope::session()?);
    let (current, password) = (SecretString::from(current), SecretString::from(password));
    if let Some(token) = engine.change_password(&session.actor(), &origin.visitor, current, password).await? {
        origin.keep_session(&engine, &token);
    }
    go_to_with(address::ACCOUNT, Done::PasswordChanged);
    Ok(())
}
rule!(ChangePassword, Rule::SignedIn);

/// Ends one of the person's own sessions.
///
/// # Errors
/// Not found when it is not theirs.
#[server(prefix = "/api", endpoint = "end_session")]
pub async fn end_session(session: SessionId) -> Result<(), AppError> {
    let own = scope::session()?;
    scope::engine()?.end_session(&own.actor(), session.as_uuid()).await?;
    go_to_with(address::ACCOUNT, Done::SessionEnded);
    Ok(())
}
rule!(EndSession, Rule::SignedIn);

/// Keeps whether single keys such as `/` do something on this person's pages.
///
/// # Errors
/// Signed out.
#[server(prefix = "/api", endpoint = "set_single_keys")]
pub async fn set_single_keys(#[server(default)] single_keys: bool) -> Result<(), AppError> {
    let session = scope::session()?;
    scope::engine()?.set_single_keys(&session.actor(), single_keys).await?;
    go_to_with(address::ACCOUNT, Done::KeysSaved);
    Ok(())
}
rule!(SetSingleKeys, Rule::SignedIn);

/// Keeps light, dark or as the system, in a cookie of this browser.
///
/// # Errors
/// A choice that there is not.
#[server(prefix = "/api", endpoint = "set_theme")]
pub async fn set_theme(theme: String) -> Result<(), AppError> {
    if !matches!(theme.as_str(), "" | "light" | "dark") {
        return Err(AppError::invalid("theme", "Choose light, dark, or as the system."));
    }
    set_cookie(&format!("{THEME_COOKIE}={theme}; Path=/; Max-Age=31536000; SameSite=Lax"));
    Ok(())
}
rule!(SetTheme, Rule::Public);
