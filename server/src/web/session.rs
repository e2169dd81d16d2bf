//! Sessions: who sends this request. The cookie holds a random token; the database only its SHA-256.

use axum::{
    Form,
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse as _, Redirect, Response},
};
use axum_extra::extract::cookie::{Cookie, CookieJar, SameSite};
use rand::Rng as _;
use secrecy::SecretString;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use std::{net::SocketAddr, time::Duration};
use tenantatlas_app::{CurrentSession, TenantSummary};
use tenantatlas_domain::{ids::UserId, time::Timestamp};
use tenantatlas_engine::{Engine, EngineError};
use tenantatlas_store::{
    inventory::ScopeView,
    sessions::{self, NewSession, TokenHash},
    sign_in_attempts::{self, Throttle},
    tenants, users,
};
use uuid::Uuid;

const COOKIE: &str = "tenantatlas_session";
/// A session ends after so long without a request, and after so long in any case.
const IDLE: Duration = Duration::from_secs(12 * 3_600);
const ABSOLUTE: Duration = Duration::from_secs(14 * 24 * 3_600);
/// A session is written again at most so often.
const TOUCH_INTERVAL: i64 = 60_000;
/// Attempts at one account or from one address.
const THROTTLE: Throttle = Throttle {
    window: Duration::from_secs(15 * 60),
    free: 8,
    first_wait: Duration::from_secs(2),
    longest_wait: Duration::from_secs(300),
};

/// What the sign-in form sends.
#[derive(Deserialize)]
pub struct Credentials {
    email: String,
    password: SecretString,
}

/// Finds the session of a request. Pages without one lead to the sign-in page; the sign-in page with one leads home.
pub async fn require(State(engine): State<Engine>, jar: CookieJar, mut request: Request, next: Next) -> Response {
    let signed_in = match token(&jar) {
        None => None,
        Some(hash) => match sessions::find(engine.db(), &hash, engine.now()).await {
            Ok(found) => found.filter(|found| found.user.disabled_at.is_none()),
            Err(error) => return unavailable(&error.into()),
        },
    };
    let public = request.uri().path() == "/sign-in";
    let Some(signed_in) = signed_in else {
        return if public { next.run(request).await } else { Redirect::to("/sign-in").into_response() };
    };
    if public {
        return Redirect::to("/").into_response();
    }
    let now = engine.now();
    if now.as_millis() - signed_in.session.last_used_at.as_millis() > TOUCH_INTERVAL {
        let touched = async {
            let mut tx = engine.db().write().await?;
            sessions::touch(&mut tx, signed_in.session.id, now, after(now, IDLE)).await?;
            tx.commit().await
        };
        if let Err(error) = touched.await {
            tracing::warn!(%error, "the use of a session could not be noted");
        }
    }
    match current(&engine, signed_in.user).await {
        Ok(session) => {
            request.extensions_mut().insert(session);
            next.run(request).await
        }
        Err(error) => unavailable(&error),
    }
}

async fn current(engine: &Engine, user: users::User) -> Result<CurrentSession, EngineError> {
    let mut summaries = Vec::new();
    for visible in tenants::list_visible(engine.db(), user.id).await? {
        let view = ScopeView::load(engine.db(), visible.tenant.id, None, &[]).await?;
        let counts = view.counts(&[]);
        let finished = view.run.as_ref().and_then(|run| run.finished_at);
        summaries.push(TenantSummary {
            name: visible.tenant.name,
            environment: visible.tenant.environment.as_str().to_owned(),
            role: visible.role.as_str().to_owned(),
            items: counts.known,
            missing: counts.missing,
            types: finished.map(|_| (counts.types_read, counts.types_selected)),
            last_read: finished.map(Timestamp::to_rfc3339),
        });
    }
    Ok(CurrentSession { name: user.name, email: user.email, tenants: summaries })
}

/// `POST /sign-in`: the same answer, after the same work, for an unknown person and a wrong password.
pub async fn sign_in(
    State(engine): State<Engine>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    jar: CookieJar,
    Form(credentials): Form<Credentials>,
) -> Response {
    match try_sign_in(&engine, peer, &headers, jar, credentials).await {
        Ok(response) => response,
        Err(error) => {
            tracing::error!(%error, "signing in failed");
            Redirect::to("/sign-in?refused=unavailable").into_response()
        }
    }
}

async fn try_sign_in(
    engine: &Engine,
    peer: SocketAddr,
    headers: &HeaderMap,
    jar: CookieJar,
    credentials: Credentials,
) -> Result<Response, EngineError> {
    let subjects = [
        engine.vault().keyed_hash("sign-in account", &credentials.email.trim().to_lowercase()),
        engine.vault().keyed_hash("sign-in address", &peer.ip().to_string()),
    ];
    for subject in &subjects {
        if sign_in_attempts::blocked_until(engine.db(), subject, engine.now()).await?.is_some() {
            return Ok(Redirect::to("/sign-in?refused=wait").into_response());
        }
    }
    let Some(user) = engine.verify_user(&credentials.email, credentials.password).await? else {
        let mut tx = engine.db().write().await?;
        for subject in &subjects {
            sign_in_attempts::record_failure(&mut tx, subject, &THROTTLE, engine.now()).await?;
        }
        tx.commit().await?;
        return Ok(Redirect::to("/sign-in?refused=credentials").into_response());
    };
    let (secret, hash) = new_token();
    let now = engine.now();
    let session = NewSession {
        id: Uuid::now_v7(),
        user_id: user.id,
        idle_expires_at: after(now, IDLE),
        expires_at: after(now, ABSOLUTE),
        user_agent: text(headers, &header::USER_AGENT),
        address: peer.ip().to_string(),
    };
    let mut tx = engine.db().write().await?;
    // A session that this browser had before ends: the token changes at every sign-in.
    if let Some(old) = token(&jar) {
        sessions::revoke(&mut tx, &old).await?;
    }
    sessions::create(&mut tx, &hash, &session, now).await?;
    sign_in_attempts::clear(&mut tx, &subjects[0]).await?;
    record(&mut tx, user.id, now).await?;
    tx.commit().await?;
    let loopback = peer.ip().is_loopback() && headers.get("x-forwarded-proto").is_none();
    Ok((jar.add(cookie(secret, !loopback)), Redirect::to("/")).into_response())
}

async fn record(tx: &mut tenantatlas_store::Tx, user: UserId, at: Timestamp) -> Result<(), EngineError> {
    Ok(users::record_sign_in(tx, user, at).await?)
}

/// `POST /sign-out`
pub async fn sign_out(State(engine): State<Engine>, jar: CookieJar) -> Response {
    if let Some(hash) = token(&jar) {
        let revoked = async {
            let mut tx = engine.db().write().await?;
            sessions::revoke(&mut tx, &hash).await?;
            tx.commit().await
        };
        if let Err(error) = revoked.await {
            return unavailable(&error.into());
        }
    }
    let mut response = Redirect::to("/sign-in").into_response();
    let ended = cookie(String::new(), false).to_string() + "; Max-Age=0";
    if let Ok(ended) = HeaderValue::from_str(&ended) {
        response.headers_mut().append(header::SET_COOKIE, ended);
    }
    response
}

fn unavailable(error: &EngineError) -> Response {
    tracing::error!(%error, "a session could not be read");
    (StatusCode::SERVICE_UNAVAILABLE, "The database does not answer. Try again in a moment.\n").into_response()
}

fn token(jar: &CookieJar) -> Option<TokenHash> {
    jar.get(COOKIE).map(|cookie| Sha256::digest(cookie.value().as_bytes()).into())
}

fn new_token() -> (String, TokenHash) {
    let mut bytes = [0_u8; 32];
    rand::rng().fill_bytes(&mut bytes);
    let secret = hex::encode(bytes);
    let hash = Sha256::digest(secret.as_bytes()).into();
    (secret, hash)
}

fn cookie(value: String, secure: bool) -> Cookie<'static> {
    Cookie::build((COOKIE, value)).path("/").http_only(true).same_site(SameSite::Lax).secure(secure).build()
}

fn text(headers: &HeaderMap, name: &header::HeaderName) -> String {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
}

fn after(at: Timestamp, length: Duration) -> Timestamp {
    Timestamp::from_millis(at.as_millis() + i64::try_from(length.as_millis()).unwrap_or(i64::MAX / 2))
}
