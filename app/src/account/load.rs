//! What the page of one's own account shows.

use tenantatlas_store::sessions::{self, Session};

use crate::error::AppError;
use crate::scope;

/// The person's sessions, newest use first.
///
/// # Errors
/// Signed out; when the database fails.
pub async fn sessions() -> Result<Vec<Session>, AppError> {
    let session = scope::session()?;
    let engine = scope::engine()?;
    Ok(sessions::list(engine.reader(), session.user_id, engine.now()).await?)
}
