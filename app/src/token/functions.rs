//! Making and revoking tokens of the API.
#![allow(missing_docs, reason = "the macro makes a type per function whose fields are the parameters")]

use leptos::prelude::*;

use crate::error::AppError;
#[cfg(feature = "ssr")]
use {
    crate::{access::Rule, address, done::Done, redirect::go_to, redirect::go_to_with, scope, session::origin::origin},
    tenantatlas_domain::ids::TenantId,
    tenantatlas_domain::role::{Action, Role},
    tenantatlas_domain::time::Timestamp,
    tenantatlas_engine::{Engine, LONGEST_TOKEN_DAYS, NewToken},
    tenantatlas_store::api_tokens::{self, ApiTokenOwner},
};

/// What a form says of a token, as the engine takes it.
#[cfg(feature = "ssr")]
fn asked(engine: &Engine, name: &str, role: &str, days: u16, owner: ApiTokenOwner) -> Result<NewToken, AppError> {
    let role: Role = role.parse().map_err(|_| AppError::invalid("role", "Choose a role from the list."))?;
    if !(1..=LONGEST_TOKEN_DAYS).contains(&i64::from(days)) {
        return Err(AppError::invalid("days", "Choose from the list when the token ends."));
    }
    let expires_at = Timestamp::from_millis(engine.now().as_millis() + i64::from(days) * 86_400_000 - 1);
    Ok(NewToken { name: name.to_owned(), role, owner, expires_at })
}

/// Makes a token of the person, for the tenants that are named or for all of theirs, and leads to where it is shown once.
///
/// # Errors
/// Signed out; to be confirmed; a name, role, tenant or end that is not acceptable; too many tokens.
#[server(prefix = "/api", endpoint = "create_token")]
pub async fn create_token(
    name: String,
    #[server(default)] role: String,
    #[server(default)] tenants: Vec<String>,
    #[server(default)] days: u16,
) -> Result<(), AppError> {
    let (engine, session, origin) = (scope::engine()?, scope::session()?, origin()?);
    let named: Result<Vec<TenantId>, _> = tenants.iter().filter(|id| !id.is_empty()).map(|id| id.parse()).collect();
    let named = named.map_err(|_| AppError::not_found("The tenant"))?;
    let new = asked(&engine, &name, &role, days, ApiTokenOwner::Person(session.user_id, named))?;
    let (_, secret) = engine.create_token(&session.actor(), &new).await?;
    origin.show_secret(&secret);
    go_to(address::TOKENS);
    Ok(())
}
rule!(CreateToken, Rule::SignedIn);

/// Takes a token of the person back.
///
/// # Errors
/// Signed out; no such token; it was revoked already.
#[server(prefix = "/api", endpoint = "revoke_token")]
pub async fn revoke_token(token: String) -> Result<(), AppError> {
    let (engine, session) = (scope::engine()?, scope::session()?);
    let missing = || AppError::not_found("The token");
    let id = token.parse().map_err(|_| missing())?;
    let found = api_tokens::get(engine.reader(), id).await?;
    found.filter(|token| token.user_id == Some(session.user_id)).ok_or_else(missing)?;
    engine.revoke_token(&session.actor(), id).await?;
    go_to_with(address::TOKENS, Done::TokenRevoked);
    Ok(())
}
rule!(RevokeToken, Rule::SignedIn);

/// Makes a token of the tenant, and leads to where it is shown once.
///
/// # Errors
/// Forbidden below owner; to be confirmed; a name, role or end that is not acceptable; too many tokens.
#[server(prefix = "/api", endpoint = "create_tenant_token")]
pub async fn create_tenant_token(
    name: String,
    #[server(default)] role: String,
    #[server(default)] days: u16,
) -> Result<(), AppError> {
    let inside = scope::acting(Action::ManageMembers)?;
    let origin = origin()?;
    let new = asked(&inside.engine, &name, &role, days, ApiTokenOwner::Tenant(inside.id()))?;
    let (_, secret) = inside.engine.create_token(&inside.session.actor(), &new).await?;
    origin.show_secret(&secret);
    go_to(&inside.address().tokens());
    Ok(())
}
rule!(CreateTenantToken, Rule::Member(Action::ManageMembers));

/// Takes a token of the tenant back.
///
/// # Errors
/// Forbidden below manager; no such token; it was revoked already.
#[server(prefix = "/api", endpoint = "revoke_tenant_token")]
pub async fn revoke_tenant_token(token: String) -> Result<(), AppError> {
    let inside = scope::acting(Action::EditConnection)?;
    let missing = || AppError::not_found("The token");
    let id = token.parse().map_err(|_| missing())?;
    let found = api_tokens::get(inside.engine.reader(), id).await?;
    found.filter(|token| token.tenant_id == Some(inside.id())).ok_or_else(missing)?;
    inside.engine.revoke_token(&inside.session.actor(), id).await?;
    go_to_with(&inside.address().tokens(), Done::TokenRevoked);
    Ok(())
}
rule!(RevokeTenantToken, Rule::Member(Action::EditConnection));
