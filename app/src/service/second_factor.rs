//! The second factor of a person.

use super::go_to;
use super::session::origin;
use crate::address;
use crate::error::AppError;
use crate::scope;
use tenantatlas_domain::ids::UserId;
use tenantatlas_engine::{EngineError, SecondFactorState, SetUp};

/// Whether the person of this request has one, and what is to be shown of a set-up: only to whoever proved lately who
/// they are.
///
/// # Errors
/// Signed out; when the database fails.
pub async fn load() -> Result<(SecondFactorState, Option<SetUp>), AppError> {
    let (engine, session) = (scope::engine()?, scope::session()?);
    let state = engine.second_factor(session.user_id).await?;
    let set_up = match engine.second_factor_set_up(&session.actor()).await {
        Ok(set_up) => set_up,
        Err(EngineError::Confirm) => None,
        Err(error) => return Err(error.into()),
    };
    Ok((state, set_up))
}

/// Begins to set it up.
///
/// # Errors
/// Signed out; to be confirmed; there is one already.
pub async fn begin() -> Result<(), AppError> {
    let session = scope::session()?;
    scope::engine()?.begin_second_factor(&session.actor()).await?;
    go_to(address::SECOND_FACTOR, None);
    Ok(())
}

/// Puts it in force.
///
/// # Errors
/// Signed out; to be confirmed; the code does not fit.
pub async fn confirm(code: String) -> Result<(), AppError> {
    let session = scope::session()?;
    scope::engine()?.confirm_second_factor(&session.actor(), &origin()?.visitor, &code).await?;
    go_to(address::SECOND_FACTOR, Some("factor"));
    Ok(())
}

/// Takes it away.
///
/// # Errors
/// Signed out; to be confirmed; the code does not fit; the rules of the server want one.
pub async fn remove(code: String) -> Result<(), AppError> {
    let session = scope::session()?;
    scope::engine()?.remove_second_factor(&session.actor(), &origin()?.visitor, &code).await?;
    go_to(address::SECOND_FACTOR, Some("no_factor"));
    Ok(())
}

/// Makes new recovery codes and shows them.
///
/// # Errors
/// Signed out; to be confirmed; there is no second factor.
pub async fn new_codes() -> Result<(), AppError> {
    let session = scope::session()?;
    scope::engine()?.new_recovery_codes(&session.actor()).await?;
    go_to(address::SECOND_FACTOR, None);
    Ok(())
}

/// Puts the recovery codes that are shown in force.
///
/// # Errors
/// Signed out; to be confirmed; none are shown.
pub async fn keep_codes() -> Result<(), AppError> {
    let session = scope::session()?;
    scope::engine()?.keep_recovery_codes(&session.actor()).await?;
    go_to(address::SECOND_FACTOR, Some("codes"));
    Ok(())
}

/// Takes somebody's second factor away, who lost it.
///
/// # Errors
/// Forbidden; to be confirmed; no such user, or they have none.
pub async fn reset(user: UserId) -> Result<(), AppError> {
    let session = scope::administrator()?;
    scope::engine()?.reset_second_factor(&session.actor(), user).await?;
    go_to(address::USERS, Some("user"));
    Ok(())
}
