//! What the page of one's own account shows.

use tenantatlas_store::sessions::{self, Session};
use tenantatlas_store::user_preferences;

use crate::error::AppError;
use crate::scope;
use crate::session::current::CurrentSession;

/// The person's sessions, newest use first.
///
/// # Errors
/// Signed out; when the database fails.
pub async fn sessions() -> Result<Vec<Session>, AppError> {
    let session = scope::session()?;
    let engine = scope::engine()?;
    Ok(sessions::list(engine.reader(), session.user_id, engine.now()).await?)
}

/// Whether single keys do something for this person.
///
/// # Errors
/// When the database fails.
pub async fn single_keys(session: &CurrentSession) -> Result<bool, AppError> {
    Ok(user_preferences::get(scope::engine()?.reader(), session.user_id).await?.single_keys)
}
