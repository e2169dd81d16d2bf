//! The REST API below `/api/v1` (`docs/api.md`): what the pages can do, as JSON, by the same commands and readers of the engine and
//! the same rules. Who asks shows a token; cookies are never looked at.
#![allow(clippy::result_large_err, reason = "a problem is made once for a request, and moved into its answer")]

mod call;
mod choices;
mod cursor;
mod document;
mod endpoint;
mod events;
mod findings;
mod groups;
mod guard;
mod items;
mod once;
mod problem;
mod rates;
mod reference;
mod reply;
mod runs;
mod schedules;
mod table;
mod tenants;
mod versions;
mod webhooks;
mod wire;

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State as Extract};
use axum::http::{HeaderValue, Method, header};
use axum::response::{Html, IntoResponse as _, Response};
use axum::routing::{MethodFilter, MethodRouter, any, get};

#[cfg(test)]
pub use endpoint::Endpoint;
pub use endpoint::Verb;
pub use guard::REFUSED_TOKENS;
pub use problem::in_form;
pub use table::endpoints;

use super::State;
use problem::Problem;
use rates::Rates;

/// The document, for tests.
#[cfg(test)]
pub fn document_text() -> &'static str {
    document::text()
}

/// The addresses of the API, its document and its reference.
pub fn router() -> Router<State> {
    let rates = Arc::<Rates>::default();
    let mut routes: BTreeMap<&'static str, (MethodRouter<State>, Vec<Method>)> = BTreeMap::new();
    for endpoint in endpoints() {
        let rates = Arc::clone(&rates);
        let answer =
            move |Extract(state): Extract<State>, request: Request| guard::answer(state, rates, endpoint, request);
        let filter = match endpoint.verb {
            Verb::Get => MethodFilter::GET,
            Verb::Post => MethodFilter::POST,
            Verb::Patch => MethodFilter::PATCH,
        };
        let (route, mut methods) = routes.remove(endpoint.path).unwrap_or_default();
        methods.push(endpoint.verb.method());
        routes.insert(endpoint.path, (route.on(filter, answer), methods));
    }
    let none = || async { guard::method_not_allowed(&[Method::GET]) };
    let mut router = Router::new()
        .route("/api/v1/openapi.json", get(openapi).fallback(none))
        .route("/api/v1/reference", get(|| async { Html(reference::page()) }).fallback(none))
        .route("/api/v1", any(|| async { unknown() }))
        .route("/api/v1/", any(|| async { unknown() }))
        .route("/api/v1/{*rest}", any(|| async { unknown() }));
    for (path, (route, methods)) in routes {
        router = router.route(path, route.fallback(move || async move { guard::method_not_allowed(&methods) }));
    }
    router
}

async fn openapi() -> Response {
    let kind = HeaderValue::from_static("application/json");
    ([(header::CONTENT_TYPE, kind)], document::text()).into_response()
}

/// What is said where the API has no address.
fn unknown() -> Response {
    Problem::new("not_found", "The API has no such address. /api/v1/reference lists those that there are.")
        .into_response()
}
