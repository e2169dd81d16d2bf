//! Which address is answered by what.

use super::{assets, security};
use axum::{
    Router,
    extract::State,
    http::{HeaderMap, StatusCode},
    middleware,
    routing::get,
};
use tenantatlas_engine::Engine;
use tokio_util::sync::CancellationToken;

/// The whole site.
pub fn router(engine: Engine, stopping: CancellationToken) -> Router {
    let mut router = Router::new().route("/pkg/{name}", get(assets::hashed));
    for name in assets::public_names() {
        let name: &'static str = name.leak();
        router = router.route(&format!("/{name}"), get(move |headers: HeaderMap| assets::named(name, headers)));
    }
    router
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .with_state((engine, stopping))
        .layer(middleware::from_fn(security::headers))
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
