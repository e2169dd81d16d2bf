//! Signing in and out.

use super::{go_to, set_cookie};
use crate::address;
use crate::auth::{self, BROWSER_COOKIE, CurrentSession, SESSION_COOKIE, WAITING_COOKIE, safe_next};
use crate::error::{AppError, ErrorKind};
use crate::scope::{self, Client};
use http::{header, request::Parts};
use leptos::prelude::*;
use secrecy::SecretString;
use std::net::{IpAddr, Ipv4Addr};
use tenantatlas_domain::ids::UserId;
use tenantatlas_engine::{BROWSER_IS_KNOWN, Engine, Opened, SECOND_STEP_LASTS, SetUp, SignIn, Visitor};
use tenantatlas_store::sessions::TokenHash;
use tenantatlas_store::tenants;

/// Longest name of a browser that is kept, in characters.
const MAX_USER_AGENT: usize = 300;

/// Where a request comes from.
pub(super) struct Origin {
    /// As the engine wants to know it.
    pub visitor: Visitor,
    /// Whether cookies must be kept to encrypted connections: everywhere but on this machine itself.
    secure: bool,
    /// The sign-in of this browser that waits for its second step.
    waiting: Option<TokenHash>,
}

/// Where the request at hand comes from.
///
/// # Errors
/// When the server did not provide it, which is a fault.
pub(super) fn origin() -> Result<Origin, AppError> {
    let parts = use_context::<Parts>().ok_or_else(|| AppError::new(ErrorKind::Internal, "The request is gone."))?;
    let unknown = Client { address: IpAddr::V4(Ipv4Addr::UNSPECIFIED), local: false, secure: false };
    let Client { address, local, .. } = parts.extensions.get().copied().unwrap_or(unknown);
    let headers = &parts.headers;
    let user_agent = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let token = |name| auth::token_of(headers, name, !local);
    let visitor = Visitor {
        address,
        user_agent: user_agent.chars().take(MAX_USER_AGENT).collect(),
        session: token(SESSION_COOKIE),
        browser: token(BROWSER_COOKIE),
    };
    Ok(Origin { visitor, secure: !local, waiting: token(WAITING_COOKIE) })
}

impl Origin {
    /// Gives a new token of the session to the browser.
    pub(super) fn keep_session(&self, engine: &Engine, token: &str) {
        set_cookie(&auth::keep_token(SESSION_COOKIE, token, engine.session_policy().lifetime, self.secure));
    }

    /// Gives the tokens of a session that has begun to the browser.
    fn enter(&self, opened: &Opened) {
        set_cookie(&auth::keep_token(SESSION_COOKIE, &opened.token, opened.lifetime, self.secure));
        if let Some(browser) = &opened.browser_token {
            set_cookie(&auth::keep_token(BROWSER_COOKIE, browser, BROWSER_IS_KNOWN, self.secure));
        }
        if self.waiting.is_some() {
            forget(WAITING_COOKIE);
        }
    }
}

fn forget(name: &str) {
    for cookie in auth::forget_token(name) {
        set_cookie(&cookie);
    }
}

/// The first step of signing in: the same answer, after the same work, for an unknown person and a wrong password.
///
/// # Errors
/// Too many attempts; e-mail and password do not fit.
pub async fn sign_in(email: String, password: String, next: String) -> Result<(), AppError> {
    let (engine, origin) = (scope::engine()?, origin()?);
    let step = engine.sign_in(&origin.visitor, &email, SecretString::from(password)).await?;
    let refused = || AppError::invalid("password", "E-mail and password do not fit. Check both and try again.");
    proceed(&engine, &origin, step, &next, refused).await
}

/// The second step: a code.
///
/// # Errors
/// Too many attempts; the code does not fit.
pub async fn sign_in_code(code: String, next: String) -> Result<(), AppError> {
    let (engine, origin) = (scope::engine()?, origin()?);
    let step = match &origin.waiting {
        Some(waiting) => engine.sign_in_with_code(&origin.visitor, waiting, &code).await?,
        None => SignIn::Ended,
    };
    proceed(&engine, &origin, step, &next, wrong_code).await
}

/// The second step of somebody who must have a second factor and sets it up now.
///
/// # Errors
/// Too many attempts; the code does not fit.
pub async fn sign_in_set_up(code: String, next: String) -> Result<(), AppError> {
    let (engine, origin) = (scope::engine()?, origin()?);
    let step = match &origin.waiting {
        Some(waiting) => engine.sign_in_with_set_up(&origin.visitor, waiting, &code).await?,
        None => SignIn::Ended,
    };
    proceed(&engine, &origin, step, &next, wrong_code).await
}

fn wrong_code() -> AppError {
    AppError::invalid(
        "code",
        "The code does not fit. Type the six digits that your authenticator shows now; each code works once.",
    )
}

/// Leads on from a step of signing in.
async fn proceed(
    engine: &Engine,
    origin: &Origin,
    step: SignIn,
    next: &str,
    refused: impl FnOnce() -> AppError,
) -> Result<(), AppError> {
    let next = safe_next(next);
    match step {
        SignIn::Opened(opened) => {
            origin.enter(&opened);
            let next = if next == address::HOME { first_page(engine, opened.user_id).await? } else { next };
            go_to(&next, None);
        }
        SignIn::Code(token) => wait(origin, &token, address::SIGN_IN_CODE, &next),
        SignIn::SetUp(token) => wait(origin, &token, address::SIGN_IN_SET_UP, &next),
        SignIn::Refused => return Err(refused()),
        SignIn::Ended => {
            forget(WAITING_COOKIE);
            go_to(&address::with_next(address::SIGN_IN, &next), None);
        }
    }
    Ok(())
}

fn wait(origin: &Origin, token: &str, page: &str, next: &str) {
    set_cookie(&auth::keep_token(WAITING_COOKIE, token, SECOND_STEP_LASTS, origin.secure));
    go_to(&address::with_next(page, next), None);
}

/// Whether a sign-in of this browser waits for a code.
///
/// # Errors
/// When the database fails.
pub async fn waits_for_code() -> Result<bool, AppError> {
    match origin()?.waiting {
        Some(waiting) => Ok(scope::engine()?.waits_for_code(&waiting).await?),
        None => Ok(false),
    }
}

/// What a sign-in of this browser that waits for a second factor to be set up shows.
///
/// # Errors
/// When the database fails.
pub async fn set_up_at_sign_in() -> Result<Option<SetUp>, AppError> {
    match origin()?.waiting {
        Some(waiting) => Ok(scope::engine()?.set_up_at_sign_in(&waiting).await?),
        None => Ok(None),
    }
}

/// Where a person begins who did not say where: in the tenant they used last, or with all of theirs.
async fn first_page(engine: &Engine, user: UserId) -> Result<String, AppError> {
    let visible = tenants::list_visible(engine.db(), user).await?;
    let last = visible.into_iter().filter(|one| one.last_used_at.is_some()).max_by_key(|one| one.last_used_at);
    Ok(last.map_or_else(|| address::HOME.to_owned(), |last| address::tenant(last.tenant.id).inventory()))
}

/// Proves again who one is, for what is sensitive, and leads back.
///
/// # Errors
/// Signed out; too many attempts; password or code do not fit.
pub async fn confirm(password: String, code: String, next: String) -> Result<(), AppError> {
    let (engine, origin, session) = (scope::engine()?, origin()?, scope::session()?);
    let token = engine.confirm(&session.actor(), &origin.visitor, SecretString::from(password), &code).await?;
    origin.keep_session(&engine, &token);
    go_to(&safe_next(&next), None);
    Ok(())
}

/// Where the page that confirms a password leads back to when its address does not say: to the page with its link.
#[must_use]
pub fn came_from() -> String {
    let referer = use_context::<Parts>()
        .and_then(|parts| parts.headers.get(header::REFERER)?.to_str().ok()?.parse::<http::Uri>().ok())
        .map(|uri| uri.path().to_owned());
    referer.filter(|path| path != address::CONFIRM).map_or_else(|| address::HOME.to_owned(), |path| safe_next(&path))
}

/// Changes the password of the person of this request, who must know the old one.
///
/// # Errors
/// Too many attempts; the old password does not fit, or the new one is not acceptable.
pub(super) async fn change_password(session: &CurrentSession, old: String, new: String) -> Result<(), AppError> {
    let (engine, origin) = (scope::engine()?, origin()?);
    let (old, new) = (SecretString::from(old), SecretString::from(new));
    if let Some(token) = engine.change_password(&session.actor(), &origin.visitor, old, new).await? {
        origin.keep_session(&engine, &token);
    }
    Ok(())
}

/// Ends the session of this browser.
///
/// # Errors
/// When the database fails.
pub async fn sign_out() -> Result<(), AppError> {
    scope::engine()?.sign_out(&origin()?.visitor).await?;
    forget(SESSION_COOKIE);
    go_to(address::SIGN_IN, None);
    Ok(())
}

/// Ends every session of this person. Open streams notice within seconds.
///
/// # Errors
/// Signed out; when the database fails.
pub async fn sign_out_everywhere() -> Result<(), AppError> {
    let session = scope::session()?;
    scope::engine()?.sign_out_everywhere(&session.actor()).await?;
    forget(SESSION_COOKIE);
    go_to(address::SIGN_IN, None);
    Ok(())
}

/// Whether a link for the first administrator would work.
///
/// # Errors
/// When the database fails.
pub async fn first_admin_link_works(token: &str) -> Result<bool, AppError> {
    Ok(scope::engine()?.first_administrator_link_works(&auth::hash_token(token)).await?)
}

/// Makes the first administrator and signs them in. The link works once, and only while there is nobody.
///
/// # Errors
/// Not found when the link does not work; invalid for what the person typed.
pub async fn claim_first_admin(token: String, name: String, email: String, password: String) -> Result<(), AppError> {
    let (engine, origin) = (scope::engine()?, origin()?);
    let (link, password) = (auth::hash_token(&token), SecretString::from(password));
    let opened = engine.claim_first_administrator(&origin.visitor, &link, &name, &email, password).await?;
    origin.enter(&opened);
    go_to(address::HOME, None);
    Ok(())
}
