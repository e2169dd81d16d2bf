//! Signing in and out.
#![allow(missing_docs, reason = "the macro makes a type per function whose fields are the parameters")]

use leptos::prelude::*;

use crate::error::AppError;
#[cfg(feature = "ssr")]
use {
    super::cookies::{self, SESSION_COOKIE, WAITING_COOKIE},
    super::origin::{Origin, forget, origin},
    crate::{
        access::Rule,
        address,
        error::ErrorKind,
        redirect::{go_to, safe_next},
        scope,
    },
    secrecy::SecretString,
    std::time::Duration,
    tenantatlas_domain::ids::UserId,
    tenantatlas_engine::{Engine, SECOND_STEP_LASTS, SET_UP_STEP_LASTS, SignIn as Step},
    tenantatlas_store::tenants,
};

/// The first step of signing in, which leads to `next`, or to the tenant used last: the same answer, after the same work,
/// for an unknown person and a wrong password.
///
/// # Errors
/// Too many attempts; e-mail and password do not fit.
#[server(prefix = "/api", endpoint = "sign_in")]
pub async fn sign_in(email: String, password: String, #[server(default)] next: String) -> Result<(), AppError> {
    let (engine, origin) = (scope::engine()?, origin()?);
    let step = engine.sign_in(&origin.visitor, &email, SecretString::from(password)).await?;
    // It is about both fields, and says so above them.
    let refused = || AppError::new(ErrorKind::Invalid, "Sign-in failed. Check e-mail and password, and try again.");
    proceed(&engine, &origin, step, &next, refused).await
}
rule!(SignIn, Rule::Public);

/// The second step: a code of the authenticator, or a recovery code.
///
/// # Errors
/// Too many attempts; the code does not fit.
#[server(prefix = "/api", endpoint = "sign_in_code")]
pub async fn sign_in_code(code: String, #[server(default)] next: String) -> Result<(), AppError> {
    let (engine, origin) = (scope::engine()?, origin()?);
    let step = match &origin.waiting {
        Some(waiting) => engine.sign_in_with_code(&origin.visitor, waiting, &code).await?,
        None => Step::Ended,
    };
    proceed(&engine, &origin, step, &next, wrong_code).await
}
rule!(SignInCode, Rule::Public);

/// The second step of somebody who must have a second factor and sets it up now: its first code.
///
/// # Errors
/// Too many attempts; the code does not fit.
#[server(prefix = "/api", endpoint = "sign_in_set_up")]
pub async fn sign_in_set_up(code: String, #[server(default)] next: String) -> Result<(), AppError> {
    let (engine, origin) = (scope::engine()?, origin()?);
    let step = match &origin.waiting {
        Some(waiting) => engine.sign_in_with_set_up(&origin.visitor, waiting, &code).await?,
        None => Step::Ended,
    };
    proceed(&engine, &origin, step, &next, wrong_code).await
}
rule!(SignInSetUp, Rule::Public);

/// Proves again who one is, for what is sensitive, and goes to `next`.
///
/// # Errors
/// Signed out; too many attempts; password or code do not fit.
#[server(prefix = "/api", endpoint = "confirm")]
pub async fn confirm(
    password: String,
    #[server(default)] code: String,
    #[server(default)] next: String,
) -> Result<(), AppError> {
    let (engine, origin, session) = (scope::engine()?, origin()?, scope::session()?);
    let token = engine.confirm(&session.actor(), &origin.visitor, SecretString::from(password), &code).await?;
    origin.keep_session(&engine, &token);
    go_to(&safe_next(&next));
    Ok(())
}
rule!(Confirm, Rule::SignedIn);

/// Ends the session of this browser.
///
/// # Errors
/// When the database fails.
#[server(prefix = "/api", endpoint = "sign_out")]
pub async fn sign_out() -> Result<(), AppError> {
    scope::engine()?.sign_out(&origin()?.visitor).await?;
    forget(SESSION_COOKIE);
    go_to(address::SIGN_IN);
    Ok(())
}
rule!(SignOut, Rule::Public);

/// Ends every session of this person, this one too. Open streams notice within seconds.
///
/// # Errors
/// Signed out; when the database fails.
#[server(prefix = "/api", endpoint = "sign_out_everywhere")]
pub async fn sign_out_everywhere() -> Result<(), AppError> {
    let session = scope::session()?;
    scope::engine()?.sign_out_everywhere(&session.actor()).await?;
    forget(SESSION_COOKIE);
    go_to(address::SIGN_IN);
    Ok(())
}
rule!(SignOutEverywhere, Rule::SignedIn);

/// Makes the first administrator with the one-time link that the server printed at its first start, and signs them in.
/// The link works once, and only while there is nobody.
///
/// # Errors
/// Not found when the link does not work; invalid for what the person typed.
#[server(prefix = "/api", endpoint = "claim_first_admin")]
pub async fn claim_first_admin(token: String, name: String, email: String, password: String) -> Result<(), AppError> {
    let (engine, origin) = (scope::engine()?, origin()?);
    let (link, password) = (cookies::hash_token(&token), SecretString::from(password));
    let opened = engine.claim_first_administrator(&origin.visitor, &link, &name, &email, password).await?;
    origin.enter(&opened);
    go_to(address::HOME);
    Ok(())
}
rule!(ClaimFirstAdmin, Rule::Public);

/// Makes the account of somebody who was invited, by the link that works once, and signs them in as everybody signs in:
/// with a second step where the rules of the server want one.
///
/// # Errors
/// Not found when the link does not work; invalid for what the person typed; somebody has the address meanwhile.
#[server(prefix = "/api", endpoint = "accept_invitation")]
pub async fn accept_invitation(token: String, name: String, password: String) -> Result<(), AppError> {
    let (engine, origin) = (scope::engine()?, origin()?);
    let (link, password) = (cookies::hash_token(&token), SecretString::from(password));
    let invited = engine.accept_invitation(&origin.visitor, &link, &name, password.clone()).await?;
    let next = address::tenant(invited.tenant_id).inventory();
    let step = engine.sign_in(&origin.visitor, &invited.email, password).await;
    // The account is made: whoever cannot sign in just now does so later.
    let step = step.unwrap_or(Step::Ended);
    let refused = || AppError::invalid("password", "The account is made. Sign in with it.");
    proceed(&engine, &origin, step, &next, refused).await
}
rule!(AcceptInvitation, Rule::Public);

/// Whether the session still lasts.
///
/// # Errors
/// Signed out.
#[server(prefix = "/api", endpoint = "check_session")]
pub async fn check_session() -> Result<(), AppError> {
    scope::session().map(|_| ())
}
rule!(CheckSession, Rule::SignedIn);

#[cfg(feature = "ssr")]
fn wrong_code() -> AppError {
    AppError::invalid(
        "code",
        "The code does not fit. Type the six digits that your authenticator shows now; each code works once.",
    )
}

/// Leads on from a step of signing in.
#[cfg(feature = "ssr")]
async fn proceed(
    engine: &Engine,
    origin: &Origin,
    step: Step,
    next: &str,
    refused: impl FnOnce() -> AppError,
) -> Result<(), AppError> {
    let next = safe_next(next);
    match step {
        Step::Opened(opened) => {
            origin.enter(&opened);
            let next = if next == address::HOME { first_page(engine, opened.user_id).await? } else { next };
            go_to(&next);
        }
        Step::Code(token) => wait(origin, &token, SECOND_STEP_LASTS, address::SIGN_IN_CODE, &next),
        Step::SetUp(token) => wait(origin, &token, SET_UP_STEP_LASTS, address::SIGN_IN_SET_UP, &next),
        Step::Refused => return Err(refused()),
        Step::Ended => {
            forget(WAITING_COOKIE);
            go_to(&address::with_next(address::SIGN_IN, &next));
        }
    }
    Ok(())
}

#[cfg(feature = "ssr")]
fn wait(origin: &Origin, token: &str, lasts: Duration, page: &str, next: &str) {
    origin.keep_waiting(token, lasts);
    go_to(&address::with_next(page, next));
}

/// Where a person begins who did not say where: in the tenant they used last, or with all of theirs.
#[cfg(feature = "ssr")]
async fn first_page(engine: &Engine, user: UserId) -> Result<String, AppError> {
    let visible = tenants::list_visible(engine.reader(), user).await?;
    let last = visible.into_iter().filter(|one| one.last_used_at.is_some()).max_by_key(|one| one.last_used_at);
    Ok(last.map_or_else(|| address::HOME.to_owned(), |last| address::tenant(last.tenant.id).inventory()))
}
