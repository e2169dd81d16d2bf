//! What the page of the members shows.

use tenantatlas_store::members::{self, Member};

use crate::error::AppError;
use crate::scope::Inside;

/// The members, by name.
///
/// # Errors
/// When the database fails.
pub async fn list(inside: &Inside) -> Result<Vec<Member>, AppError> {
    Ok(members::list(inside.engine.reader(), inside.id()).await?)
}
