//! Who sends a request, and which tenant its address names: found once, before anything answers.

use std::net::IpAddr;

use axum::extract::{Request, State as Extract};
use axum::http::{Method, Uri, header};
use axum::middleware::Next;
use axum::response::Response;
use leptos::server_fn::ServerFn as _;
use tenantatlas_app::access::Rule;
use tenantatlas_app::address::{self, route};
use tenantatlas_app::error::AppError;
use tenantatlas_app::live::parts::BY_ITSELF;
use tenantatlas_app::notification::functions::Notifications;
use tenantatlas_app::redirect::safe_next;
use tenantatlas_app::run::functions::{LoadRun, MyRuns};
use tenantatlas_app::scope::{Client, TenantScope, Theme};
use tenantatlas_app::session::cookies::{self, SESSION_COOKIE, THEME_COOKIE};
use tenantatlas_app::session::current::CurrentSession;
use tenantatlas_app::session::functions::CheckSession;
use tenantatlas_domain::ids::TenantId;
use tenantatlas_engine::{Engine, EngineError};
use tenantatlas_store::sessions::TokenHash;
use tenantatlas_store::tenants::{self, AskedTenant};

use super::answer::{accepts_html, lead_to, refuse, refuse_as_asked, status_of};
use super::declared::{Declared, Kind};
use super::refusals::{self, Asked};
use super::{State, under_way};

/// What [`require`] works with.
#[derive(Clone)]
pub struct Guard {
    /// What every handler works with.
    pub state: State,
    /// The address that it guards.
    pub declared: Declared,
}

/// Finds the session of a request and the tenant of its address, and gives both to whoever answers. Without a session
/// pages lead to the sign-in page, everything else is refused with 401; the sign-in page with one leads on.
pub async fn require(Extract(guard): Extract<Guard>, mut request: Request, next: Next) -> Response {
    let Guard { state, declared } = guard;
    let theme = cookies::cookie(request.headers(), THEME_COOKIE).filter(|theme| matches!(*theme, "light" | "dark"));
    let theme = Theme(theme.unwrap_or_default().to_owned());
    request.extensions_mut().insert(theme);
    let address = request.extensions().get::<Client>().map(|client| client.address);
    let session = match find(&state.engine, cookie(&request), is_use(&request, &declared)).await {
        Ok(session) => session,
        Err(error) => return failed(&request, error),
    };
    let Some(session) = session else {
        if declared.rule != Rule::Public {
            return signed_out(&request, declared.kind);
        }
        let asked = Asked::of(&request, &declared, None);
        let response = next.run(request).await;
        refusals::note(&state, None, address, asked, false, &response);
        return response;
    };
    if &*declared.name == address::SIGN_IN && request.method() == Method::GET {
        return lead_to(&wanted(request.uri()));
    }
    let Some(counted) = state.under_way.count(session.user_id, is_stream(&declared)) else {
        return under_way::too_many(request.headers());
    };
    let named = match address::tenant_in(request.uri().path()) {
        Some(name) => match named(&state.engine, name, &session).await {
            Ok(named) => named,
            Err(error) => return failed(&request, error),
        },
        None => Named::Nowhere,
    };
    let (tenant, foreign) = match named {
        Named::Inside(scope) => {
            let id = scope.tenant.id;
            request.extensions_mut().insert(*scope);
            (Some(id), false)
        }
        // Whoever answers finds no tenant and says that it does not exist.
        Named::Foreign(id) => (Some(id), true),
        Named::Nowhere => (None, false),
    };
    let asked = Asked::of(&request, &declared, tenant);
    request.extensions_mut().insert(session.clone());
    let response = next.run(request).await;
    refusals::note(&state, Some(&session), address, asked, foreign, &response);
    under_way::hold(response, counted)
}

/// Whether an address is that of a live stream.
fn is_stream(declared: &Declared) -> bool {
    matches!(&*declared.name, route::EVENTS | route::EVENTS_OF_PERSON)
}

/// Functions that an open page calls by itself, as well as when a person asks for what they show; whatever else a person
/// does there is a request of its own.
const CALLED_BY_PAGES: [&str; 4] = [Notifications::PATH, LoadRun::PATH, MyRuns::PATH, CheckSession::PATH];

/// Whether a person asks, and not a page that was left open: its live stream, what it fetches anew, and what it calls by
/// itself.
fn is_use(request: &Request, declared: &Declared) -> bool {
    !is_stream(declared) && !CALLED_BY_PAGES.contains(&&*declared.name) && !request.headers().contains_key(BY_ITSELF)
}

/// The session token of a request, and where it comes from.
fn cookie(request: &Request) -> Option<(TokenHash, Option<IpAddr>)> {
    let client = request.extensions().get::<Client>();
    let local = client.is_some_and(|client| client.local);
    let token = cookies::token_of_either(request.headers(), SESSION_COOKIE, local)?;
    Some((token, client.map(|client| client.address)))
}

/// The person behind a session token. Only what is a use of the session keeps it from ending for lack of it.
///
/// # Errors
/// When the database fails.
async fn find(
    engine: &Engine,
    cookie: Option<(TokenHash, Option<IpAddr>)>,
    is_use: bool,
) -> Result<Option<CurrentSession>, EngineError> {
    let Some((token, address)) = cookie else { return Ok(None) };
    let found = if is_use { engine.session(&token).await? } else { engine.session_at_rest(&token).await? };
    Ok(found.map(|found| CurrentSession::of(found, token, address, engine.now())))
}

/// What the tenant that an address names is for a person.
enum Named {
    /// A tenant that exists for them.
    Inside(Box<TenantScope>),
    /// A tenant that exists, but not for them.
    Foreign(TenantId),
    /// No tenant.
    Nowhere,
}

/// The tenant of that name, as far as it exists for the person, and their role in it.
///
/// # Errors
/// When the database fails.
async fn named(engine: &Engine, name: &str, session: &CurrentSession) -> Result<Named, EngineError> {
    let Ok(id) = name.parse::<TenantId>() else { return Ok(Named::Nowhere) };
    Ok(match tenants::get_for(engine.reader(), id, session.user_id).await? {
        Some(AskedTenant { tenant, role: Some(role) }) => Named::Inside(Box::new(TenantScope { tenant, role })),
        Some(AskedTenant { tenant, role: None }) => Named::Foreign(tenant.id),
        None => Named::Nowhere,
    })
}

/// Where the sign-in page was asked to lead to.
fn wanted(uri: &Uri) -> String {
    let query = uri.query().unwrap_or_default();
    let next = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "next");
    next.map_or_else(|| address::HOME.to_owned(), |(_, next)| safe_next(&next))
}

fn failed(request: &Request, error: EngineError) -> Response {
    let error = AppError::from(error);
    refuse_as_asked(request.headers(), status_of(&error), &error)
}

fn signed_out(request: &Request, kind: Kind) -> Response {
    let headers = request.headers();
    if !accepts_html(headers) && (request.method() != Method::GET || kind != Kind::Page) {
        return refuse(&AppError::signed_out());
    }
    // A form that came too late leads back to its page.
    let from = if request.method() == Method::GET {
        request.uri().path_and_query().map(ToString::to_string)
    } else {
        let referer = headers.get(header::REFERER).and_then(|value| value.to_str().ok());
        referer.and_then(|referer| referer.parse::<Uri>().ok()?.path_and_query().map(ToString::to_string))
    };
    let next = from.map(|from| safe_next(&from));
    lead_to(&address::with_next(address::SIGN_IN, next.as_deref().unwrap_or_default()))
}
