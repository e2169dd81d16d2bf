//! Who asks, whether they may, and whether what they ask can be understood: before anything answers.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use axum::body::{Bytes, to_bytes};
use axum::extract::{FromRequestParts as _, RawPathParams, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, header};
use axum::response::Response;
use secrecy::SecretString;
use tenantatlas_app::error::ErrorKind;
use tenantatlas_app::scope::{Client, TenantScope};
use tenantatlas_app::session::current::CurrentSession;
use tenantatlas_domain::ids::TenantId;
use tenantatlas_engine::{AuthenticatedToken, TokenRefusal};
use tenantatlas_store::tenants;

use super::call::Call;
use super::endpoint::{Answer, Endpoint, Verb};
use super::once;
use super::problem::Problem;
use super::rates::Rates;
use super::reply::Reply;
use crate::web::body::BODY_LIMIT;
use crate::web::declared::{Declared, Kind};
use crate::web::payload::media_type;
use crate::web::refusals::{self, Asked};
use crate::web::{State, under_way};

/// The figure of tokens that were refused.
pub const REFUSED_TOKENS: &str = "api_tokens_refused_total";

/// Answers a request to an address.
pub async fn answer(state: State, rates: Arc<Rates>, endpoint: &'static Endpoint, request: Request) -> Response {
    let (mut parts, body) = request.into_parts();
    let address = parts.extensions.get::<Client>().map(|client| client.address);
    let token = match authenticate(&state, &parts.headers, address).await {
        Ok(token) => token,
        Err(problem) => return problem.into_response(),
    };
    let left = rates.take(token.0.id);
    if !left.allowed {
        let words =
            "This token asks too often. Wait as long as Retry-After says; RateLimit-Remaining tells how much is left.";
        let mut response = Problem { retry_after: Some(1), ..Problem::new("too_many", words) }.into_response();
        left.tell(response.headers_mut());
        return response;
    }
    let session = CurrentSession::of_token(token.0.user_id, token.0.id, token.actor().from_address(address));
    let stream = matches!(endpoint.answer, Answer::Events(_));
    let Some(counted) = state.under_way.count(session.user_id, stream) else {
        let words = "Too many requests of yours are under way at once. Wait until some are answered.";
        return Problem { retry_after: Some(1), ..Problem::new("too_many", words) }.into_response();
    };
    let bytes = to_bytes(body, BODY_LIMIT).await.unwrap_or_default();
    let mut response = match of_tenant(&state, &token, &mut parts).await {
        Err(problem) => problem.into_response(),
        Ok((scope, named)) => {
            let foreign = scope.is_none() && named.is_some();
            let asked = asked_for(endpoint, &parts, scope.as_ref().map(|scope| scope.tenant.id).or(named));
            let done = checked(&state, (token, session.clone(), scope), endpoint, &mut parts, bytes).await;
            let response = done.map_or_else(Problem::into_response, Reply::into_response);
            refusals::note(&state, Some(&session), address, asked, foreign, &response);
            response
        }
    };
    left.tell(response.headers_mut());
    under_way::hold(response, counted)
}

/// What is asked for, as the audit log names it.
fn asked_for(endpoint: &Endpoint, parts: &Parts, tenant: Option<TenantId>) -> Asked {
    let mut request = Request::new(axum::body::Body::empty());
    *request.method_mut() = parts.method.clone();
    Asked::of(&request, &Declared::new(Kind::Data, endpoint.rule, endpoint.path), tenant)
}

/// The token of a request. Cookies are never looked at, so that no page of another site asks in somebody's name.
async fn authenticate(
    state: &State,
    headers: &HeaderMap,
    address: Option<IpAddr>,
) -> Result<AuthenticatedToken, Problem> {
    let none = "This needs a token: expected the header \"Authorization: Bearer tat_…\", once. Make a token under Account, or with `tenantatlas token create`.";
    let mut given = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (given.next(), given.next()) else { return Err(Problem::new("unauthorized", none)) };
    let bearer = value.to_str().ok().and_then(|value| value.split_once(' '));
    let Some((_, secret)) = bearer.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")) else {
        return Err(Problem::new("unauthorized", none));
    };
    match state.engine.authenticate_token(&SecretString::from(secret.trim())).await? {
        Ok(token) => Ok(token),
        Err(refused) => {
            let problem = Problem::new("unauthorized", refused.why.sentence());
            note_refused(state, refused, address);
            Err(problem)
        }
    }
}

/// Counts a token that was refused, and writes one that is known into the audit log, beside the answer.
fn note_refused(state: &State, refused: TokenRefusal, address: Option<IpAddr>) {
    metrics::counter!(REFUSED_TOKENS, "reason" => refused.why.as_str()).increment(1);
    let engine = state.engine.clone();
    state.background.spawn(async move { engine.record_refused_token(&refused, address).await });
}

/// The tenant of the address as it exists for the token, and the id of one that exists, but not for it.
async fn of_tenant(
    state: &State,
    token: &AuthenticatedToken,
    parts: &mut Parts,
) -> Result<(Option<TenantScope>, Option<TenantId>), Problem> {
    let path = path(parts).await;
    let Some(named) = path.get("tenant") else { return Ok((None, None)) };
    let Ok(id) = named.parse::<TenantId>() else { return Ok((None, None)) };
    let Some(tenant) = tenants::get(state.engine.reader(), id).await? else { return Ok((None, None)) };
    let role = state.engine.token_role(token.0.id, id).await?;
    Ok(match role {
        Some(role) => (Some(TenantScope { tenant, role }), None),
        None => (None, Some(id)),
    })
}

async fn path(parts: &mut Parts) -> BTreeMap<String, String> {
    let path = RawPathParams::from_request_parts(parts, &()).await;
    path.map(|path| path.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()).unwrap_or_default()
}

async fn checked(
    state: &State,
    (token, session, scope): (AuthenticatedToken, CurrentSession, Option<TenantScope>),
    endpoint: &'static Endpoint,
    parts: &mut Parts,
    body: Bytes,
) -> Result<Reply, Problem> {
    endpoint.rule.check(Some(&session), scope.as_ref()).map_err(|error| {
        let words = "The role of the token, or what its person may do by now, does not allow this.";
        match error.kind {
            ErrorKind::Forbidden => Problem::new("forbidden", words),
            _ => error.into(),
        }
    })?;
    let query = query(endpoint, parts.uri.query().unwrap_or_default())?;
    let key = match endpoint.verb {
        Verb::Get | Verb::Patch => None,
        Verb::Post => once::key(&parts.headers)?,
    };
    if !body.is_empty() {
        check_body(endpoint, &parts.headers)?;
    }
    let path = path(parts).await;
    let address = parts.uri.path().to_owned();
    let call = Call { state: state.clone(), token, session, scope, path, query, body, address };
    match key {
        Some(key) => once::once(endpoint, call, key).await,
        None => (endpoint.work)(call).await,
    }
}

/// Refuses a body where none is taken, and one that is not called JSON.
fn check_body(endpoint: &Endpoint, headers: &HeaderMap) -> Result<(), Problem> {
    if endpoint.body.is_none() {
        return Err(Problem::new("invalid_body", "This address takes no body. Send none."));
    }
    if media_type(headers).eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    Err(Problem::new("media_type", "Expected a body of JSON, with the header \"Content-Type: application/json\"."))
}

/// The parameters of an address: those that there are, each once, and what it may be.
fn query(endpoint: &Endpoint, raw: &str) -> Result<BTreeMap<&'static str, String>, Problem> {
    let mut query = BTreeMap::new();
    for (name, value) in url::form_urlencoded::parse(raw.as_bytes()) {
        let Some(parameter) = endpoint.query.iter().find(|one| one.name == name) else {
            let names: Vec<&str> = endpoint.query.iter().map(|one| one.name).collect();
            let known = if names.is_empty() { "none here".to_owned() } else { names.join(", ") };
            return Err(Problem::parameter(
                &name,
                format!("There is no such parameter. Those that there are: {known}."),
            ));
        };
        parameter.check(&value)?;
        if query.insert(parameter.name, value.into_owned()).is_some() {
            return Err(Problem::parameter(parameter.name, format!("{}: expected it once.", parameter.name)));
        }
    }
    match endpoint.query.iter().find(|one| one.required && !query.contains_key(one.name)) {
        Some(missing) => Err(Problem::parameter(
            missing.name,
            format!("{}: this is needed; expected {}.", missing.name, missing.expected()),
        )),
        None => Ok(query),
    }
}

/// What is said to a method that an address does not know.
pub fn method_not_allowed(known: &[Method]) -> Response {
    let names: Vec<&str> = known.iter().map(Method::as_str).collect();
    let allowed = names.join(", ");
    let mut response =
        Problem::new("method_not_allowed", format!("This address knows {allowed} alone.")).into_response();
    if let Ok(value) = allowed.parse() {
        response.headers_mut().insert(header::ALLOW, value);
    }
    response
}
