//! Where a request comes from, and what its browser carries.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use http::header;
use http::request::Parts;
use leptos::prelude::*;
use secrecy::{ExposeSecret as _, SecretString};
use tenantatlas_engine::{BROWSER_IS_KNOWN, Engine, Opened, SetUp, Visitor};
use tenantatlas_store::invitations::Invitation;
use tenantatlas_store::sessions::TokenHash;

use super::cookies::{self, BROWSER_COOKIE, LINK_COOKIE, SESSION_COOKIE, WAITING_COOKIE, set_cookie};
use crate::address;
use crate::error::{AppError, ErrorKind};
use crate::redirect::safe_next;
use crate::scope::{self, Client};

/// How long the token of a link that was just made waits for the page that shows it: for as long as a redirect takes.
const LINK_WAITS: Duration = Duration::from_secs(60);
/// Longest name of a browser that is kept, in characters.
const MAX_USER_AGENT: usize = 300;

/// Where a request comes from.
pub(crate) struct Origin {
    /// As the engine wants to know it.
    pub visitor: Visitor,
    /// Whether cookies must be kept to encrypted connections: always, unless the browser says that it speaks http to this
    /// machine.
    secure: bool,
    /// The sign-in of this browser that waits for its second step.
    pub waiting: Option<TokenHash>,
}

/// Where the request at hand comes from.
///
/// # Errors
/// When the server did not provide it, which is a fault.
pub(crate) fn origin() -> Result<Origin, AppError> {
    let parts = use_context::<Parts>().ok_or_else(|| AppError::new(ErrorKind::Internal, "The request is gone."))?;
    let unknown = Client { address: IpAddr::V4(Ipv4Addr::UNSPECIFIED), local: false, plain: false, secure: false };
    let Client { address, local, plain, .. } = parts.extensions.get().copied().unwrap_or(unknown);
    let headers = &parts.headers;
    let user_agent = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let token = |name| cookies::token_of_either(headers, name, local);
    let visitor = Visitor {
        address,
        user_agent: user_agent.chars().take(MAX_USER_AGENT).collect(),
        session: token(SESSION_COOKIE),
        browser: token(BROWSER_COOKIE),
    };
    Ok(Origin { visitor, secure: !plain, waiting: token(WAITING_COOKIE) })
}

impl Origin {
    /// Gives a new token of the session to the browser.
    pub(crate) fn keep_session(&self, engine: &Engine, token: &str) {
        set_cookie(&cookies::keep_token(SESSION_COOKIE, token, engine.session_policy().lifetime, self.secure));
    }

    /// Gives the token of a sign-in that waits for its second step to the browser.
    pub(crate) fn keep_waiting(&self, token: &str, lasts: Duration) {
        set_cookie(&cookies::keep_token(WAITING_COOKIE, token, lasts, self.secure));
    }

    /// Brings the token of a link that was just made to the next page, which shows it: in no address and in no log.
    pub(crate) fn show_link(&self, token: &str) {
        set_cookie(&cookies::keep_token(LINK_COOKIE, token, LINK_WAITS, self.secure));
    }

    /// The same for the secret of a token of the API that was just made.
    pub(crate) fn show_secret(&self, secret: &SecretString) {
        self.show_link(secret.expose_secret());
    }

    /// Gives the tokens of a session that has begun to the browser.
    pub(crate) fn enter(&self, opened: &Opened) {
        set_cookie(&cookies::keep_token(SESSION_COOKIE, &opened.token, opened.lifetime, self.secure));
        if let Some(browser) = &opened.browser_token {
            set_cookie(&cookies::keep_token(BROWSER_COOKIE, browser, BROWSER_IS_KNOWN, self.secure));
        }
        if self.waiting.is_some() {
            forget(WAITING_COOKIE);
        }
    }
}

/// Makes the browser forget a token.
pub(crate) fn forget(name: &str) {
    for cookie in cookies::forget_token(name) {
        set_cookie(&cookie);
    }
}

/// The token of a link that was just made in this browser. It is forgotten with this answer: it is shown once.
pub(crate) fn link_to_show() -> Option<String> {
    let (parts, client) = (use_context::<Parts>()?, client()?);
    let token = cookies::either(&parts.headers, LINK_COOKIE, client.local)?.to_owned();
    forget(LINK_COOKIE);
    Some(token)
}

/// An address of this site as it is sent to somebody: with the scheme and the host by which this browser asks.
pub(crate) fn in_full(address: &str) -> Option<String> {
    let (parts, client) = (use_context::<Parts>()?, client()?);
    let scheme = if client.local && !client.secure { "http" } else { "https" };
    let host = parts.headers.get(header::HOST)?.to_str().ok()?;
    Some(format!("{scheme}://{host}{address}"))
}

fn client() -> Option<Client> {
    use_context::<Parts>()?.extensions.get().copied()
}

/// Whether a sign-in of this browser waits for a code.
///
/// # Errors
/// When the database fails.
pub(crate) async fn waits_for_code() -> Result<bool, AppError> {
    match origin()?.waiting {
        Some(waiting) => Ok(scope::engine()?.waits_for_code(&waiting).await?),
        None => Ok(false),
    }
}

/// What a sign-in of this browser that waits for a second factor to be set up shows.
///
/// # Errors
/// When the database fails.
pub(crate) async fn set_up_at_sign_in() -> Result<Option<SetUp>, AppError> {
    match origin()?.waiting {
        Some(waiting) => Ok(scope::engine()?.set_up_at_sign_in(&waiting).await?),
        None => Ok(None),
    }
}

/// Whether a link for the first administrator would work.
///
/// # Errors
/// When the database fails.
pub(crate) async fn first_admin_link_works(token: &str) -> Result<bool, AppError> {
    Ok(scope::engine()?.first_administrator_link_works(&cookies::hash_token(token)).await?)
}

/// The invitation of a link, when the link would work.
///
/// # Errors
/// When the database fails.
pub(crate) async fn invitation_of(token: &str) -> Result<Option<Invitation>, AppError> {
    Ok(scope::engine()?.invitation(&cookies::hash_token(token)).await?)
}

/// Where the page that confirms a password leads back to when its address does not say: to the page with its link.
#[must_use]
pub(crate) fn came_from() -> String {
    let referer = use_context::<Parts>()
        .and_then(|parts| parts.headers.get(header::REFERER)?.to_str().ok()?.parse::<http::Uri>().ok())
        .map(|uri| uri.path().to_owned());
    referer.filter(|path| path != address::CONFIRM).map_or_else(|| address::HOME.to_owned(), |path| safe_next(&path))
}
