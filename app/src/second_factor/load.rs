//! What is known of one's own second factor.

use tenantatlas_engine::{EngineError, SecondFactorState, SetUp};

use crate::error::AppError;
use crate::scope;

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
