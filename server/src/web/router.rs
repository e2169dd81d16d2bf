//! Which address is answered by what.

use super::{assets, security, session};
use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderMap, StatusCode},
    middleware,
    response::Response,
    routing::{get, post},
};
use leptos::{context::provide_context, nonce::Nonce};
use tenantatlas_app::{App, AssetPaths, CurrentSession, shell};
use tenantatlas_engine::Engine;
use tokio_util::sync::CancellationToken;
use tower_http::{catch_panic::CatchPanicLayer, csrf::CsrfLayer, limit::RequestBodyLimitLayer};

/// The largest request body, in bytes: forms only.
const BODY_LIMIT: usize = 64 * 1024;

/// The whole site.
pub fn router(engine: Engine, stopping: CancellationToken) -> Router {
    let assets = AssetPaths {
        js: assets::path_of("js").unwrap_or_default(),
        wasm: assets::path_of("wasm").unwrap_or_default(),
        css: assets::path_of("css").unwrap_or_default(),
    };
    let page = move |request: Request| render(request, assets.clone());
    // Runs the application once: it collects the routes, and starts the executor that rendering needs.
    let routes = leptos_axum::generate_route_list(App);
    let mut pages = Router::new();
    for route in &routes {
        pages = pages.route(route.path(), get(page.clone()));
    }
    let pages = pages
        .route("/sign-out", post(session::sign_out))
        .fallback(page)
        .route_layer(middleware::from_fn_with_state(engine.clone(), session::require));
    let mut router = Router::new().route("/pkg/{name}", get(assets::hashed));
    for name in assets::public_names() {
        let name: &'static str = name.leak();
        router = router.route(&format!("/{name}"), get(move |headers: HeaderMap| assets::named(name, headers)));
    }
    router
        .merge(pages)
        .merge(Router::new().route("/sign-in", post(session::sign_in)))
        .with_state(engine.clone())
        .merge(
            Router::new()
                .route("/healthz", get(|| async { "ok\n" }))
                .route("/readyz", get(ready))
                .with_state((engine, stopping)),
        )
        .layer(RequestBodyLimitLayer::new(BODY_LIMIT))
        .layer(CsrfLayer::new())
        .layer(CatchPanicLayer::new())
        .layer(middleware::from_fn(security::headers))
}

/// Renders a page with who looks at it and the nonce of this answer.
async fn render(request: Request, assets: AssetPaths) -> Response {
    let nonce = request.extensions().get::<Nonce>().cloned();
    let session = request.extensions().get::<CurrentSession>().cloned();
    let context = move || {
        if let Some(nonce) = nonce.clone() {
            provide_context(nonce);
        }
        if let Some(session) = session.clone() {
            provide_context(session);
        }
    };
    leptos_axum::render_app_async_with_context(context, move || shell(&assets))(request).await
}

/// Ready when the database answers and the process is not stopping.
async fn ready(State((engine, stopping)): State<(Engine, CancellationToken)>) -> (StatusCode, &'static str) {
    if stopping.is_cancelled() {
        return (StatusCode::SERVICE_UNAVAILABLE, "stopping\n");
    }
    match engine.db().ping().await {
        Ok(()) => (StatusCode::OK, "ready\n"),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n"),
    }
}
