//! What the page of all users shows.

use std::collections::BTreeSet;

use tenantatlas_domain::ids::UserId;
use tenantatlas_store::second_factors;
use tenantatlas_store::users::{self, User};

use crate::error::AppError;
use crate::scope;

/// All users, by name.
///
/// # Errors
/// Forbidden to all but platform administrators.
pub async fn list() -> Result<Vec<User>, AppError> {
    scope::administrator()?;
    Ok(users::list(scope::engine()?.reader()).await?)
}

/// Who of them has a second factor.
///
/// # Errors
/// Forbidden to all but platform administrators.
pub async fn with_second_factor() -> Result<BTreeSet<UserId>, AppError> {
    scope::administrator()?;
    Ok(second_factors::active(scope::engine()?.reader()).await?.into_iter().collect())
}
