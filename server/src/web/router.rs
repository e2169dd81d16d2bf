//! Which address is answered by what.

use std::convert::Infallible;

use axum::body::Body;
use axum::extract::{MatchedPath, Path, Request, State as Extract};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::{MethodRouter, any, get, post};
use axum::{Router, middleware};
use tenantatlas_app::access::{self, Rule};
use tenantatlas_app::address::{FUNCTIONS, route};
use tenantatlas_app::{App, AssetPaths, PAGES, shell};
use tenantatlas_domain::role::Action;
use tenantatlas_store::StoreError;
use tower_http::CompressionLevel;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::csrf::{CsrfLayer, ProtectionError};
use tower_http::trace::{DefaultOnFailure, DefaultOnResponse, TraceLayer};
use tracing::Level;
use tracing::field::Empty;

use super::answer::{lead_to, refuse_in_words};
use super::context::provide;
use super::declared::{self, Declared, Kind};
use super::request_id::{self, RequestId};
use super::session::{self, Guard};
use super::{
    State, address, api, assets, body, client, events, export, findings, functions, metrics, security, settings, typed,
    under_way, versions,
};

/// An address that is neither a page nor a server function. It is asked for by `GET`.
pub struct Raw {
    /// Its route.
    pub route: &'static str,
    /// What it is.
    pub kind: Kind,
    /// Who may reach it.
    pub rule: Rule,
    handler: fn(&State) -> MethodRouter<State>,
}

/// Every address behind the sign-in that is neither a page nor a server function.
pub const RAW: &[Raw] = &[
    Raw { route: route::TENANT, kind: Kind::Page, rule: Rule::SignedIn, handler: |_| get(to_inventory) },
    Raw {
        route: route::EVENTS,
        kind: Kind::Data,
        rule: Rule::Member(Action::View),
        handler: |_| get(events::of_tenant),
    },
    Raw { route: route::EVENTS_OF_PERSON, kind: Kind::Data, rule: Rule::SignedIn, handler: |_| get(events::of_person) },
    Raw {
        route: route::INVENTORY_EXPORT,
        kind: Kind::Data,
        rule: Rule::Member(Action::View),
        handler: |state| get(export::items).layer(middleware::from_fn_with_state(state.clone(), export::record)),
    },
    Raw {
        route: route::FINDINGS_EXPORT,
        kind: Kind::Data,
        rule: Rule::Member(Action::View),
        handler: |state| get(findings::download).layer(middleware::from_fn_with_state(state.clone(), export::record)),
    },
    Raw {
        route: route::VERSION_EXPORT,
        kind: Kind::Data,
        rule: Rule::Member(Action::SeeBodies),
        handler: |state| get(versions::body).layer(middleware::from_fn_with_state(state.clone(), export::record)),
    },
    Raw {
        route: route::DIFFERENCE_EXPORT,
        kind: Kind::Data,
        rule: Rule::Member(Action::SeeBodies),
        handler: |state| get(versions::difference).layer(middleware::from_fn_with_state(state.clone(), export::record)),
    },
    Raw {
        route: route::SETTINGS_EXPORT,
        kind: Kind::Data,
        rule: Rule::SignedIn,
        handler: |state| get(settings::of_person).layer(middleware::from_fn_with_state(state.clone(), export::record)),
    },
    Raw {
        route: route::TENANT_SETTINGS_EXPORT,
        kind: Kind::Data,
        rule: Rule::Member(Action::SeeBodies),
        handler: |state| get(settings::of_tenant).layer(middleware::from_fn_with_state(state.clone(), export::record)),
    },
    Raw {
        route: route::AUDIT_EXPORT,
        kind: Kind::Data,
        rule: Rule::Member(Action::View),
        handler: |state| get(export::audit_log).layer(middleware::from_fn_with_state(state.clone(), export::record)),
    },
];

/// The whole site.
pub fn router(state: State) -> Router {
    pages(&state)
        .merge(functions(&state))
        .merge(raw(&state))
        .merge(api::router())
        .merge(open())
        .layer(middleware::from_fn_with_state(state.clone(), body::receive))
        .layer(middleware::from_fn_with_state(state.clone(), under_way::per_client))
        .layer(middleware::from_fn(address::check))
        .layer(CatchPanicLayer::new())
        .layer(middleware::from_fn(api::in_form))
        .layer(middleware::from_fn(security::headers))
        .layer(middleware::from_fn_with_state(state.clone(), client::identify))
        .with_state(state)
        .layer(middleware::from_fn(metrics::measure))
        .layer(
            TraceLayer::new_for_http()
                .make_span_with(span)
                .on_request(())
                .on_response(DefaultOnResponse::new().level(Level::INFO))
                .on_failure(DefaultOnFailure::new().level(Level::WARN)),
        )
        .layer(middleware::from_fn(request_id::set))
}

/// What watches a process that serves no pages: the same addresses by the same rules.
pub fn watched(state: State) -> Router {
    watching()
        .layer(middleware::from_fn_with_state(state.clone(), body::receive))
        .layer(middleware::from_fn_with_state(state.clone(), under_way::per_client))
        .layer(middleware::from_fn(address::check))
        .layer(CatchPanicLayer::new())
        .layer(middleware::from_fn(security::headers))
        .layer(middleware::from_fn_with_state(state.clone(), client::identify))
        .with_state(state)
        .layer(middleware::from_fn(metrics::measure))
        .layer(middleware::from_fn(request_id::set))
}

/// Whoever answers an address, behind what is declared of it. Who asks is found first; then the origin of the request is
/// looked at, so that a refusal can be written down with who it was; then the rule.
fn guarded(state: &State, declared: Declared, answer: MethodRouter<State>) -> MethodRouter<State> {
    let guard = Guard { state: state.clone(), declared: declared.clone() };
    answer
        .layer::<_, Infallible>(middleware::from_fn_with_state(declared, declared::enforce))
        .layer::<_, Infallible>(CsrfLayer::new().with_rejection_response(foreign_origin))
        .layer(middleware::from_fn_with_state(guard, session::require))
}

/// The pages, and what is said where there is none.
fn pages(state: &State) -> Router<State> {
    // Runs the application once: it starts the executor that rendering needs.
    let _ = leptos_axum::generate_route_list(App);
    let assets = AssetPaths {
        js: assets::path_of("js").unwrap_or_default(),
        wasm: assets::path_of("wasm").unwrap_or_default(),
        css: assets::path_of("css").unwrap_or_default(),
    };
    let of_refused = assets.clone();
    let again = move |state: Extract<State>, request: Request| render_again(state, request, of_refused.clone());
    let page = move |state: Extract<State>, request: Request| render(state, request, assets.clone());
    // Pages are text for one person without a secret in it: they may be compressed. Streams never are.
    let compressed = CompressionLayer::new().quality(CompressionLevel::Fastest);
    let none = Declared::new(Kind::Page, Rule::SignedIn, "unmatched");
    let mut pages = Router::new()
        .fallback_service(guarded(state, none, any(page.clone()).layer(compressed.clone())).with_state(state.clone()));
    for declared in PAGES {
        let (route, answer) = (declared.route(), get(page.clone()).post(again.clone()).layer(compressed.clone()));
        pages = pages.route(&route, guarded(state, Declared::new(Kind::Page, declared.rule, route.as_str()), answer));
    }
    pages
}

/// The server functions. Those of a tenant lie below its address alone. The others can be reached from there too, since
/// the islands of a page of a tenant ask below its address; whoever does is signed in.
fn functions(state: &State) -> Router<State> {
    let mut router = Router::new();
    for access::Function { path, rule } in access::functions().copied() {
        let answer =
            || post(move |Extract(state): Extract<State>, request: Request| functions::call(path, state, request));
        let declared = |rule| Declared::new(Kind::Function, rule, path);
        if !rule.inside() {
            router = router.route(path, guarded(state, declared(rule), answer()));
        }
        let rule = if rule == Rule::Public { Rule::SignedIn } else { rule };
        router = router.route(&format!("{}{path}", route::TENANT), guarded(state, declared(rule), answer()));
    }
    for prefix in ["", route::TENANT] {
        let unknown = Declared::new(Kind::Function, Rule::SignedIn, "unknown");
        let any_name = format!("{prefix}{FUNCTIONS}/{{function}}");
        router = router.route(&any_name, guarded(state, unknown, post(functions::unknown)));
    }
    router
}

fn raw(state: &State) -> Router<State> {
    RAW.iter().fold(Router::new(), |router, raw| {
        let declared = Declared::new(raw.kind, raw.rule, raw.route);
        router.route(raw.route, guarded(state, declared, (raw.handler)(state)))
    })
}

/// What everybody reaches without a session being looked for: files of the build, and what watches the process.
fn open() -> Router<State> {
    let open = watching().route("/pkg/{name}", get(assets::hashed));
    assets::public_names().into_iter().fold(open, |open, name| {
        let route = format!("/{name}");
        open.route(&route, get(move |headers: HeaderMap| assets::named(name.clone(), headers)))
    })
}

/// What watches the process.
fn watching() -> Router<State> {
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics::metrics))
}

/// The span of a request, for log and traces: its id and its route, never its address, which may hold a token. A trace begins
/// here, whatever `traceparent` the request has, which is anybody's.
fn span(request: &Request) -> tracing::Span {
    let id = request.extensions().get::<RequestId>();
    let route = request.extensions().get::<MatchedPath>().map_or("unmatched", MatchedPath::as_str);
    let (own, peer) = (id.map(|id| tracing::field::display(id.own)), id.and_then(|id| id.peer.as_deref()));
    tracing::info_span!("request", id = own, peer_id = peer, method = %request.method(), route, http.response.status_code = Empty)
}

/// What is said to a form or script of another site.
fn foreign_origin(_: ProtectionError) -> Response {
    refuse_in_words(
        StatusCode::FORBIDDEN,
        "The request comes from another site. Open TenantAtlas itself and try again.",
    )
}

/// Renders a page with what this request may see.
async fn render(Extract(state): Extract<State>, request: Request, assets: AssetPaths) -> Response {
    let context = provide(&state, &request);
    leptos_axum::render_app_async_with_context(context, move || shell(&assets))(request).await
}

/// Renders a page to which a form came back that was refused without script: with what was typed. Whatever else is sent to
/// a page is shown it.
async fn render_again(state: Extract<State>, request: Request, assets: AssetPaths) -> Response {
    let (parts, body) = request.into_parts();
    let refused = typed::Refused::of(&parts.uri, &parts.headers, body).await;
    let page = render(state, Request::from_parts(parts, Body::empty()), assets).await;
    match refused {
        Some(refused) => refused.filled(page).await,
        None => page,
    }
}

/// `GET /t/{tenant}`: a tenant begins with its inventory.
async fn to_inventory(Path(tenant): Path<String>) -> Response {
    let tenant: String =
        tenant.chars().filter(|character| character.is_ascii_alphanumeric() || *character == '-').collect();
    lead_to(&tenantatlas_app::address::tenant(tenant).inventory())
}

/// Ready when the database answers, takes what is written, and the process is not stopping.
async fn ready(Extract(state): Extract<State>) -> (StatusCode, &'static str) {
    if state.stopping.is_cancelled() {
        return (StatusCode::SERVICE_UNAVAILABLE, "stopping\n");
    }
    let Err(error) = state.engine.reader().ready().await else { return (StatusCode::OK, "ready\n") };
    tracing::warn!(%error, "not ready");
    let short = match error {
        StoreError::DiskFull => "the disk of the database is full\n",
        StoreError::ReadOnly | StoreError::Unwritable { .. } => "the database cannot be written\n",
        StoreError::Disk { .. } => "the disk of the database failed\n",
        _ => "the database does not answer\n",
    };
    (StatusCode::SERVICE_UNAVAILABLE, short)
}
