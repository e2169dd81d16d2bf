//! Which address is answered by what.

use super::{
    State, address,
    answer::{lead_to, refuse_in_words},
    assets, body, client,
    context::provide,
    events, export, functions, metrics,
    request_id::{self, RequestId},
    security, session, under_way,
};
use axum::{
    Router,
    extract::{MatchedPath, Path, Request, State as Extract},
    http::{HeaderMap, StatusCode},
    middleware,
    response::Response,
    routing::{get, post},
};
use tenantatlas_app::{App, AssetPaths, shell};
use tenantatlas_store::StoreError;
use tower_http::{
    CompressionLevel,
    catch_panic::CatchPanicLayer,
    compression::CompressionLayer,
    csrf::{CsrfLayer, ProtectionError},
    trace::{DefaultOnFailure, DefaultOnResponse, TraceLayer},
};
use tracing::Level;

/// Addresses of a tenant that are no pages: method, route.
pub const TENANT_ROUTES: [(&str, &str); 4] = [
    ("GET", "/t/{tenant}"),
    ("GET", "/t/{tenant}/events"),
    ("GET", "/t/{tenant}/inventory/export.{kind}"),
    ("GET", "/t/{tenant}/audit/export.csv"),
];

/// The whole site.
pub fn router(state: State) -> Router {
    let assets = AssetPaths {
        js: assets::path_of("js").unwrap_or_default(),
        wasm: assets::path_of("wasm").unwrap_or_default(),
        css: assets::path_of("css").unwrap_or_default(),
    };
    let page = move |state: Extract<State>, request: Request| render(state, request, assets.clone());
    // Runs the application once: it collects the routes, and starts the executor that rendering needs.
    let routes = leptos_axum::generate_route_list(App);
    let mut pages = Router::new();
    for route in &routes {
        pages = pages.route(route.path(), get(page.clone()));
    }
    // Pages are text for one person without a secret in it: they may be compressed. Streams never are.
    let pages = pages.fallback(page).layer(CompressionLayer::new().quality(CompressionLevel::Fastest));
    let [tenant, live, items, audit] = TENANT_ROUTES.map(|(_, route)| route);
    let downloads = Router::new()
        .route(items, get(export::items))
        .route(audit, get(export::audit_log))
        .layer(middleware::from_fn_with_state(state.clone(), export::record));
    // All that changes something lies in here, so the origin of requests is looked at in here, where it is known who asks
    // and a refusal can be written down.
    let guarded = pages
        .merge(downloads)
        .route(tenant, get(to_inventory))
        .route(live, get(events::events))
        .route("/api/{function}", post(functions::call))
        .route("/t/{tenant}/api/{function}", post(functions::call))
        .layer(CsrfLayer::new().with_rejection_response(foreign_origin))
        .layer(middleware::from_fn_with_state(state.clone(), session::require));
    let mut open = Router::new()
        .route("/pkg/{name}", get(assets::hashed))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics::metrics));
    for name in assets::public_names() {
        let name: &'static str = name.leak();
        open = open.route(&format!("/{name}"), get(move |headers: HeaderMap| assets::named(name, headers)));
    }
    guarded
        .merge(open)
        .layer(middleware::from_fn_with_state(state.clone(), body::receive))
        .layer(middleware::from_fn_with_state(state.clone(), under_way::per_client))
        .layer(middleware::from_fn(address::check))
        .layer(CatchPanicLayer::new())
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

/// The span of a request: its id and its route, never its address, which may hold a token.
fn span(request: &Request) -> tracing::Span {
    let id = request.extensions().get::<RequestId>();
    let route = request.extensions().get::<MatchedPath>().map_or("unmatched", MatchedPath::as_str);
    let (own, peer) = (id.map(|id| tracing::field::display(id.own)), id.and_then(|id| id.peer.as_deref()));
    tracing::info_span!("request", id = own, peer_id = peer, method = %request.method(), route)
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

/// `GET /t/{tenant}`: a tenant begins with its inventory.
async fn to_inventory(Path(tenant): Path<String>) -> Response {
    let tenant: String =
        tenant.chars().filter(|character| character.is_ascii_alphanumeric() || *character == '-').collect();
    lead_to(&format!("/t/{tenant}/inventory"))
}

/// Ready when the database answers, takes what is written, and the process is not stopping.
async fn ready(Extract(state): Extract<State>) -> (StatusCode, &'static str) {
    if state.stopping.is_cancelled() {
        return (StatusCode::SERVICE_UNAVAILABLE, "stopping\n");
    }
    let Err(error) = state.engine.db().ready().await else { return (StatusCode::OK, "ready\n") };
    tracing::warn!(%error, "not ready");
    let short = match error {
        StoreError::DiskFull => "the disk of the database is full\n",
        StoreError::ReadOnly | StoreError::Unwritable { .. } => "the database cannot be written\n",
        StoreError::Disk { .. } => "the disk of the database failed\n",
        _ => "the database does not answer\n",
    };
    (StatusCode::SERVICE_UNAVAILABLE, short)
}
