//! What a person sets about themselves.

use super::{go_to, set_cookie};
use crate::address;
use crate::auth::THEME_COOKIE;
use crate::error::AppError;
use crate::scope;
use tenantatlas_domain::ids::SessionId;
use tenantatlas_domain::role::Action;
use tenantatlas_store::sessions::{self, Session};

/// Changes the name.
///
/// # Errors
/// Signed out; a name that is not acceptable.
pub async fn update_profile(name: String) -> Result<(), AppError> {
    let session = scope::session()?;
    scope::engine()?.rename_self(&session.actor(), &name).await?;
    go_to(address::ACCOUNT, Some("profile"));
    Ok(())
}

/// Changes the password. Every session ends; this browser gets a new one.
///
/// # Errors
/// The old password does not fit, or was guessed too often; the new one is not acceptable.
pub async fn change_password(current: String, password: String) -> Result<(), AppError> {
    let session = scope::session()?;
    super::session::change_password(&session, current, password).await?;
    go_to(address::ACCOUNT, Some("password"));
    Ok(())
}

/// Ends one of the person's own sessions.
///
/// # Errors
/// Not found when it is not theirs.
pub async fn end_session(ended: SessionId) -> Result<(), AppError> {
    let session = scope::session()?;
    scope::engine()?.end_session(&session.actor(), ended.as_uuid()).await?;
    go_to(address::ACCOUNT, Some("session"));
    Ok(())
}

/// The person's sessions, newest use first.
///
/// # Errors
/// Signed out; when the database fails.
pub async fn sessions() -> Result<Vec<Session>, AppError> {
    let session = scope::session()?;
    let engine = scope::engine()?;
    Ok(sessions::list(engine.db(), session.user_id, engine.now()).await?)
}

/// Keeps the choice of colours in this browser.
///
/// # Errors
/// A choice that there is not.
pub fn set_theme(theme: &str) -> Result<(), AppError> {
    if !matches!(theme, "" | "light" | "dark") {
        return Err(AppError::invalid("theme", "Choose light, dark, or as the system."));
    }
    set_cookie(&format!("{THEME_COOKIE}={theme}; Path=/; Max-Age=31536000; SameSite=Lax"));
    Ok(())
}

/// Marks the tenant as favourite, or not.
///
/// # Errors
/// Not found when the tenant does not exist for this person.
pub async fn set_favourite(favourite: bool) -> Result<(), AppError> {
    let inside = scope::acting(Action::View)?;
    inside.engine.set_favourite(&inside.session.actor(), inside.id(), favourite).await?;
    go_to(address::HOME, None);
    Ok(())
}
