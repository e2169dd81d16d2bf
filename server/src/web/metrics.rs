//! `GET /metrics`: figures of this process in the text format of Prometheus.

use super::State;
use axum::{
    extract::{Extension, MatchedPath, Request, State as Extract},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use metrics::{counter, gauge, histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use secrecy::ExposeSecret as _;
use std::{sync::OnceLock, time::Instant};
use tenantatlas_app::scope::Client;
use tenantatlas_store::operation_runs;

/// Upper bounds of the buckets of answer times, in seconds.
const BUCKETS: [f64; 10] = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];

/// The recorder of this process; installed once.
pub fn recorder() -> Option<PrometheusHandle> {
    static HANDLE: OnceLock<Option<PrometheusHandle>> = OnceLock::new();
    HANDLE
        .get_or_init(|| {
            PrometheusBuilder::new()
                .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &BUCKETS)
                .and_then(PrometheusBuilder::install_recorder)
                .inspect_err(|error| tracing::warn!(%error, "there will be no metrics"))
                .ok()
        })
        .clone()
}

/// Counts and times every answer, by route: an address itself may hold an id or a token and is never a label.
pub async fn measure(request: Request, next: Next) -> Response {
    let begin = Instant::now();
    let route = request.extensions().get::<MatchedPath>().map_or("unmatched", MatchedPath::as_str).to_owned();
    let method = known_method(request.method());
    let response = next.run(request).await;
    let status = response.status().as_u16().to_string();
    counter!("http_requests_total", "route" => route.clone(), "method" => method, "status" => status).increment(1);
    histogram!("http_request_duration_seconds", "route" => route).record(begin.elapsed().as_secs_f64());
    response
}

/// A method as a label. HTTP allows any word for one, and every label that is seen once is kept for ever.
fn known_method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::OPTIONS => "OPTIONS",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        _ => "other",
    }
}

/// Answers whoever sends the token of the settings, and without one this machine itself, as long as nothing but this machine
/// can reach the server. To all others it does not exist.
pub async fn metrics(
    Extract(state): Extract<State>,
    Extension(client): Extension<Client>,
    headers: HeaderMap,
) -> Response {
    if !may_read(&state, client, &headers) {
        return StatusCode::NOT_FOUND.into_response();
    }
    let Some(handle) = recorder() else { return StatusCode::SERVICE_UNAVAILABLE.into_response() };
    observe(&state).await;
    let mut response = handle.render().into_response();
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

fn may_read(state: &State, client: Client, headers: &HeaderMap) -> bool {
    match &state.metrics_token {
        Some(token) => {
            let sent =
                headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
            // Both are hashed, so that the time of the comparison tells nothing.
            let hash = tenantatlas_app::session::cookies::hash_token;
            sent.is_some_and(|sent| hash(sent) == hash(token.expose_secret()))
        }
        None => state.reach.is_this_machine() && client.local,
    }
}

async fn observe(state: &State) {
    let stats = state.engine.stats();
    for (name, value) in [
        ("runs_dispatched_total", stats.dispatched),
        ("runs_claimed_total", stats.claimed),
        ("runs_ended_total", stats.ended),
        ("runs_failed_total", stats.failed),
        ("run_leases_lost_total", stats.leases_lost),
        ("run_leases_reclaimed_total", stats.reclaimed),
        ("inventory_items_written_total", stats.items_written),
        ("inventory_write_batches_total", stats.write_batches),
        ("graph_requests_total", stats.graph_requests),
        ("graph_retries_total", stats.graph_retries),
        ("graph_throttled_total", stats.graph_throttled),
    ] {
        counter!(name).absolute(value);
    }
    #[expect(clippy::cast_precision_loss, reason = "gauges are floating point; these are small")]
    let set = |name: &'static str, value: u64| gauge!(name).set(value as f64);
    set("run_workers_busy", stats.working);
    set("event_streams_open", (super::events::MAX_STREAMS - state.streams.available_permits()) as u64);
    match operation_runs::queue_depth(state.engine.db()).await {
        Ok(depth) => {
            set("runs_pending", depth.pending);
            set("runs_running", depth.running);
        }
        Err(error) => tracing::warn!(%error, "the length of the queue could not be read"),
    }
}
