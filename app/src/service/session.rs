//! Signing in and out.

use super::{go_to, set_cookie};
use crate::auth::{self, CurrentSession, IDLE, safe_next};
use crate::error::{AppError, ErrorKind};
use crate::scope::{self, Client};
use http::{header, request::Parts};
use leptos::prelude::*;
use secrecy::SecretString;
use std::net::{IpAddr, Ipv4Addr};
use tenantatlas_domain::ids::UserId;
use tenantatlas_engine::{Actor, Engine, EngineError, SIGN_IN_THROTTLE};
use tenantatlas_store::one_time_links::{self, Purpose};
use tenantatlas_store::sessions::{self, NewSession};
use tenantatlas_store::sign_in_attempts;
use tenantatlas_store::{tenants, users};
use tokio::sync::Semaphore;
use uuid::Uuid;

/// Attempts between the question whether one is allowed and the note that it failed. With more at a time a burst would
/// pass the throttle before its first failure is noted.
static ATTEMPTS_AT_ONCE: Semaphore = Semaphore::const_new(2);

/// Where a request comes from.
struct Origin {
    address: IpAddr,
    user_agent: String,
    /// Whether the cookie must be kept to encrypted connections: everywhere but on this machine itself.
    secure: bool,
}

fn origin() -> Result<(Parts, Origin), AppError> {
    let parts = use_context::<Parts>().ok_or_else(|| AppError::new(ErrorKind::Internal, "The request is gone."))?;
    let unknown = Client { address: IpAddr::V4(Ipv4Addr::UNSPECIFIED), local: false, secure: false };
    let Client { address, local, .. } = parts.extensions.get().copied().unwrap_or(unknown);
    let user_agent = parts.headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let user_agent = user_agent.chars().take(300).collect();
    Ok((parts, Origin { address, user_agent, secure: !local }))
}

/// Signs a person in: the same answer, after the same work, for an unknown person and a wrong password.
///
/// # Errors
/// Too many attempts; e-mail and password do not fit.
pub async fn sign_in(email: String, password: String, next: String) -> Result<(), AppError> {
    let engine = scope::engine()?;
    let (parts, origin) = origin()?;
    let subjects = subjects(&engine, &email, &origin);
    let user = {
        let _turn = ATTEMPTS_AT_ONCE.acquire().await;
        refuse_haste(&engine, &subjects).await?;
        let fits = engine.verify_user(&email, SecretString::from(password)).await?;
        if fits.is_none() {
            count_failure(&engine, &subjects).await?;
        }
        fits
    };
    let Some(user) = user else {
        return Err(AppError::invalid("password", "E-mail and password do not fit. Check both and try again."));
    };
    open(&engine, user.id, &parts, &origin, Some(&subjects[0])).await?;
    let next = match safe_next(&next).as_str() {
        "/" => first_page(&engine, user.id).await?,
        next => next.to_owned(),
    };
    go_to(&next, None);
    Ok(())
}

/// Where a person begins who did not say where: in the tenant they used last, or with all of theirs.
async fn first_page(engine: &Engine, user: UserId) -> Result<String, AppError> {
    let visible = tenants::list_visible(engine.db(), user).await?;
    let last = visible.into_iter().filter(|one| one.last_used_at.is_some()).max_by_key(|one| one.last_used_at);
    Ok(last.map_or_else(|| "/".to_owned(), |last| format!("/t/{}/inventory", last.tenant.id)))
}

fn subjects(engine: &Engine, account: &str, origin: &Origin) -> [[u8; 32]; 2] {
    [
        engine.vault().keyed_hash("sign-in account", &account.trim().to_lowercase()),
        engine.vault().keyed_hash("sign-in address", &origin.address.to_string()),
    ]
}

async fn refuse_haste(engine: &Engine, subjects: &[[u8; 32]]) -> Result<(), AppError> {
    for subject in subjects {
        if let Some(until) = sign_in_attempts::blocked_until(engine.db(), subject, &SIGN_IN_THROTTLE, engine.now()).await? {
            let seconds = ((until.as_millis() - engine.now().as_millis()) / 1000).max(1);
            let wait = crate::format::span(seconds * 1000);
            return Err(AppError::new(ErrorKind::TooMany, format!("Too many attempts. Wait {wait} and try again.")));
        }
    }
    Ok(())
}

async fn count_failure(engine: &Engine, subjects: &[[u8; 32]]) -> Result<(), AppError> {
    let mut tx = engine.db().write().await?;
    for subject in subjects {
        sign_in_attempts::record_failure(&mut tx, subject, &SIGN_IN_THROTTLE, engine.now()).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// Opens a session for a person and gives its token to the browser. A session that this browser had before ends: the
/// token changes at every sign-in.
async fn open(
    engine: &Engine,
    user: UserId,
    parts: &Parts,
    origin: &Origin,
    attempts: Option<&[u8; 32]>,
) -> Result<(), AppError> {
    let (token, hash) = auth::new_token();
    let now = engine.now();
    let session = NewSession {
        id: Uuid::now_v7(),
        user_id: user,
        idle_expires_at: auth::after(now, IDLE),
        expires_at: auth::after(now, auth::ABSOLUTE),
        user_agent: origin.user_agent.clone(),
        address: origin.address.to_string(),
    };
    let mut tx = engine.db().write().await?;
    if let Some(old) = auth::token_of(&parts.headers) {
        sessions::revoke(&mut tx, &old).await?;
    }
    sessions::create(&mut tx, &hash, &session, now).await?;
    if let Some(subject) = attempts {
        sign_in_attempts::clear(&mut tx, subject).await?;
    }
    users::record_sign_in(&mut tx, user, now).await?;
    tx.commit().await?;
    set_cookie(&auth::session_cookie(&token, origin.secure));
    Ok(())
}

/// Opens a new session for the person of this request, in the place of the one they have: after a change of password
/// every session has ended.
///
/// # Errors
/// When the database fails.
pub(super) async fn reopen(session: &CurrentSession) -> Result<(), AppError> {
    let (parts, origin) = origin()?;
    open(&scope::engine()?, session.user_id, &parts, &origin, None).await
}

/// Changes the password of the person of this request, who must know the old one; guessing it is throttled as signing in
/// is, since a session may be somebody else's finger on an unlocked screen.
///
/// # Errors
/// Too many attempts; the old password does not fit, or the new one is not acceptable.
pub(super) async fn change_password(session: &CurrentSession, old: String, new: String) -> Result<(), AppError> {
    let engine = scope::engine()?;
    let (_, origin) = origin()?;
    let subjects = subjects(&engine, &session.email, &origin);
    let _turn = ATTEMPTS_AT_ONCE.acquire().await;
    refuse_haste(&engine, &subjects).await?;
    let changed = engine.change_password(&session.actor(), SecretString::from(old), SecretString::from(new)).await;
    if matches!(&changed, Err(EngineError::Invalid { field: "current", .. })) {
        count_failure(&engine, &subjects).await?;
    }
    Ok(changed?)
}

/// Ends the session of this browser.
///
/// # Errors
/// When the database fails.
pub async fn sign_out() -> Result<(), AppError> {
    let engine = scope::engine()?;
    let (parts, _) = origin()?;
    if let Some(hash) = auth::token_of(&parts.headers) {
        let mut tx = engine.db().write().await?;
        sessions::revoke(&mut tx, &hash).await?;
        tx.commit().await?;
    }
    set_cookie(&auth::forget_session());
    go_to("/sign-in", None);
    Ok(())
}

/// Ends every session of this person. Open streams notice within seconds.
///
/// # Errors
/// Signed out; when the database fails.
pub async fn sign_out_everywhere() -> Result<(), AppError> {
    let engine = scope::engine()?;
    let session = scope::session()?;
    let mut tx = engine.db().write().await?;
    sessions::revoke_all(&mut tx, session.user_id, None).await?;
    tx.commit().await?;
    set_cookie(&auth::forget_session());
    go_to("/sign-in", None);
    Ok(())
}

/// Whether a link for the first administrator would work.
///
/// # Errors
/// When the database fails.
pub async fn first_admin_link_works(token: &str) -> Result<bool, AppError> {
    let engine = scope::engine()?;
    let found =
        one_time_links::peek(engine.db(), &auth::hash_token(token), Purpose::FirstAdministrator, engine.now()).await?;
    Ok(found.is_some() && users::list(engine.db()).await?.is_empty())
}

/// Makes the first administrator and signs them in. The link works once, and only while there is nobody.
///
/// # Errors
/// Not found when the link does not work; invalid for what the person typed.
pub async fn claim_first_admin(token: String, name: String, email: String, password: String) -> Result<(), AppError> {
    let engine = scope::engine()?;
    let (parts, origin) = origin()?;
    let subjects = subjects(&engine, "first administrator", &origin);
    refuse_haste(&engine, &subjects).await?;
    if !first_admin_link_works(&token).await? {
        count_failure(&engine, &subjects).await?;
        return Err(AppError::not_found("The link"));
    }
    // Making the person first: a refused password must not use the link up. Two at once collide on the e-mail address
    // or meet a person, and then the link no longer works.
    let user = engine.create_user(&Actor::command_line(), &email, &name, true, SecretString::from(password)).await?;
    let mut tx = engine.db().write().await?;
    let taken =
        one_time_links::take(&mut tx, &auth::hash_token(&token), Purpose::FirstAdministrator, engine.now()).await?;
    if taken.is_none() {
        users::remove(&mut tx, user).await?;
        tx.commit().await?;
        return Err(AppError::not_found("The link"));
    }
    tx.commit().await?;
    open(&engine, user, &parts, &origin, None).await?;
    go_to("/", None);
    Ok(())
}
