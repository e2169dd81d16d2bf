//! `tenantatlas token …`

use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use tenantatlas_domain::role::Role;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_engine::{Actor, Engine, LONGEST_TOKEN_DAYS, NewToken};
use tenantatlas_store::api_tokens::{self, ApiToken, ApiTokenOwner};
use tenantatlas_store::{tenants, users};

use super::arguments::{TokenCommand, TokenCreateArguments};
use super::output::Output;
use crate::exit::Exit;
use crate::open;
use crate::settings::Settings;

/// Milliseconds of a day.
const DAY: i64 = 86_400_000;

/// Makes, lists and takes back tokens of the API.
///
/// # Errors
/// When something typed is not acceptable; then nothing is changed.
pub async fn run(settings: &Settings, command: TokenCommand, output: Output) -> Result<(), Exit> {
    let engine = open::engine(settings, open::without_workers()).await?;
    let result = match command {
        TokenCommand::Create(arguments) => create(&engine, &arguments, output).await,
        TokenCommand::List { user, tenant } => list(&engine, user.as_deref(), tenant.as_deref(), output).await,
        TokenCommand::Revoke { token } => revoke(&engine, &token, output).await,
    };
    engine.shutdown().await;
    result
}

async fn create(engine: &Engine, arguments: &TokenCreateArguments, output: Output) -> Result<(), Exit> {
    let role: Role = arguments.role.parse().map_err(|_| {
        Exit::usage(format!("--role {}: expected readonly, operator, manager or owner", arguments.role))
    })?;
    if !(1..=LONGEST_TOKEN_DAYS).contains(&i64::from(arguments.days)) {
        return Err(Exit::usage(format!("--days {}: expected 1 to {LONGEST_TOKEN_DAYS}", arguments.days)));
    }
    let mut named = Vec::new();
    for tenant in &arguments.tenants {
        named.push(open::tenant(engine.reader(), tenant).await?.id);
    }
    let owner = match (&arguments.user, named.as_slice()) {
        (Some(email), _) => ApiTokenOwner::Person(user(engine, email).await?, named),
        (None, [tenant]) => ApiTokenOwner::Tenant(*tenant),
        (None, _) => return Err(Exit::usage("a token of a tenant is of one tenant: give --tenant once, or --user")),
    };
    // A token that ends in n days may last n days whole, but not longer than any may.
    let expires_at = Timestamp::from_millis(engine.now().as_millis() + i64::from(arguments.days) * DAY - 1);
    let new = NewToken { name: arguments.name.clone(), role, owner, expires_at };
    let (id, secret) = engine.create_token(&Actor::command_line(), &new).await?;
    let secret = secret.expose_secret();
    output.document(
        &json!({ "id": id, "name": new.name, "role": role, "expires_at": expires_at.to_rfc3339(), "token": secret }),
    )?;
    output.line(secret)?;
    output.line("")?;
    output.line(format!(
        "This is the only time that the token is shown. It ends on {}. It is sent as \"Authorization: Bearer …\".",
        expires_at.to_rfc3339()
    ))
}

async fn user(engine: &Engine, email: &str) -> Result<tenantatlas_domain::ids::UserId, Exit> {
    let found = users::find_by_email(engine.reader(), email).await?;
    found
        .map(|found| found.user.id)
        .ok_or_else(|| Exit::usage(format!("nobody signs in as \"{email}\": `tenantatlas user list` shows who does")))
}

async fn list(engine: &Engine, email: Option<&str>, tenant: Option<&str>, output: Output) -> Result<(), Exit> {
    let db = engine.reader();
    let tokens = match (email, tenant) {
        (Some(email), _) => api_tokens::of_person(db, user(engine, email).await?).await?,
        (None, Some(tenant)) => api_tokens::of_tenant(db, open::tenant(db, tenant).await?.id).await?,
        (None, None) => api_tokens::list(db).await?,
    };
    let mut rows = Vec::with_capacity(tokens.len());
    for token in tokens {
        let reach = reach(engine, &token).await?;
        rows.push((token, reach));
    }
    let now = engine.now();
    output.document(&rows.iter().map(|(token, reach)| document(token, reach, now)).collect::<Vec<_>>())?;
    output.table(
        &["TOKEN", "NAME", "OF", "ROLE", "TENANTS", "STATE", "ENDS", "LAST USED"],
        rows.iter().map(|(token, reach)| {
            vec![
                token.id.to_string(),
                token.name.clone(),
                token.owner_email.clone().unwrap_or_else(|| "tenant".to_owned()),
                token.role.as_str().to_owned(),
                if token.all_tenants { "all".to_owned() } else { reach.join(", ") },
                state(token, now).to_owned(),
                token.expires_at.to_rfc3339(),
                token.last_used_at.map(Timestamp::to_rfc3339).unwrap_or_default(),
            ]
        }),
    )
}

/// The names of the tenants that a token names.
async fn reach(engine: &Engine, token: &ApiToken) -> Result<Vec<String>, Exit> {
    let db = engine.reader();
    let ids = match token.tenant_id {
        Some(tenant) => vec![tenant],
        None => api_tokens::limits(db, token.id).await?,
    };
    let mut names = Vec::with_capacity(ids.len());
    for id in ids {
        names.extend(tenants::get(db, id).await?.map(|tenant| tenant.name));
    }
    Ok(names)
}

fn state(token: &ApiToken, now: Timestamp) -> &'static str {
    match token {
        ApiToken { revoked_at: Some(_), .. } => "revoked",
        ApiToken { owner_disabled: true, .. } => "owner disabled",
        token if !token.stands(now) => "ended",
        _ => "active",
    }
}

fn document(token: &ApiToken, reach: &[String], now: Timestamp) -> Value {
    json!({
        "id": token.id, "name": token.name, "role": token.role, "user": token.owner_email, "tenant_id": token.tenant_id,
        "all_tenants": token.all_tenants, "tenants": reach, "state": state(token, now), "created_by": token.created_by,
        "created_at": token.created_at.to_rfc3339(), "expires_at": token.expires_at.to_rfc3339(),
        "last_used_at": token.last_used_at.map(Timestamp::to_rfc3339),
        "revoked_at": token.revoked_at.map(Timestamp::to_rfc3339), "revoked_by": token.revoked_by,
    })
}

async fn revoke(engine: &Engine, text: &str, output: Output) -> Result<(), Exit> {
    let unknown =
        || Exit::usage(format!("there is no token {text}: `tenantatlas token list` lists them with their ids"));
    let id = text.parse().map_err(|_| unknown())?;
    let token = api_tokens::get(engine.reader(), id).await?.ok_or_else(unknown)?;
    engine.revoke_token(&Actor::command_line(), id).await?;
    output.document(&json!({ "id": id, "name": token.name, "state": "revoked" }))?;
    output.line(format!("The token {} is revoked.", token.name))
}
