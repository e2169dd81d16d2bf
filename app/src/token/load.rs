//! What the pages of tokens show.

use tenantatlas_engine::{Engine, is_token};
use tenantatlas_store::api_tokens::{self, ApiToken};
use tenantatlas_store::tenants;

use crate::error::AppError;
use crate::session::cookies::hash_token;
use crate::session::origin::link_to_show;

/// A token with the names of the tenants that it names.
pub struct Shown {
    /// The token.
    pub token: ApiToken,
    /// The names of those tenants; empty where it names none.
    pub tenants: Vec<String>,
}

/// Tokens with the names of their tenants.
///
/// # Errors
/// When the database fails.
pub async fn with_tenants(engine: &Engine, tokens: Vec<ApiToken>) -> Result<Vec<Shown>, AppError> {
    let db = engine.reader();
    let mut shown = Vec::with_capacity(tokens.len());
    for token in tokens {
        let mut names = Vec::new();
        if token.user_id.is_some() && !token.all_tenants {
            for id in api_tokens::limits(db, token.id).await? {
                names.extend(tenants::get(db, id).await?.map(|tenant| tenant.name));
            }
        }
        shown.push(Shown { token, tenants: names });
    }
    Ok(shown)
}

/// The secret of a token that this browser has just made: the one time that it is shown. Nothing but one of these is, whatever
/// a cookie says.
///
/// # Errors
/// When the database fails.
pub async fn new_secret(engine: &Engine, shown: &[Shown]) -> Result<Option<(String, String)>, AppError> {
    let Some(secret) = link_to_show().filter(|secret| is_token(secret)) else { return Ok(None) };
    let found = api_tokens::find(engine.reader(), &hash_token(&secret)).await?;
    let found = found.filter(|found| shown.iter().any(|one| one.token.id == found.id));
    Ok(found.map(|found| (found.name, secret)))
}
