//! `GET /metrics`: figures of this process in the text format of Prometheus.

use std::sync::OnceLock;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State as Extract};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use metrics::{counter, gauge, histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use secrecy::ExposeSecret as _;
use tenantatlas_store::operation_runs;
use tracing::Span;

use super::State;

/// Upper bounds of the buckets of answer times, in seconds.
const BUCKETS: [f64; 10] = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];

/// What is counted elsewhere, so that it is there from the start: a counter that appears with its first event has no rise
/// that an alert could see.
const COUNTERS: [&str; 15] = [
    "runs_dispatched_total",
    "runs_claimed_total",
    "runs_ended_total",
    "runs_failed_total",
    "run_throttled_seconds_total",
    "run_leases_lost_total",
    "run_leases_reclaimed_total",
    "inventory_items_written_total",
    "inventory_write_batches_total",
    "graph_requests_total",
    "graph_retries_total",
    "graph_throttled_total",
    "http_connections_refused_total",
    "deliveries_total",
    super::api::REFUSED_TOKENS,
];

/// The recorder of this process; installed once.
pub fn recorder() -> Option<PrometheusHandle> {
    static HANDLE: OnceLock<Option<PrometheusHandle>> = OnceLock::new();
    HANDLE
        .get_or_init(|| {
            PrometheusBuilder::new()
                .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &BUCKETS)
                .and_then(PrometheusBuilder::install_recorder)
                .inspect(|_| {
                    for name in COUNTERS {
                        counter!(name).increment(0);
                    }
                    gauge!("run_workers_busy").set(0.0);
                    drop(histogram!(super::events::DELAY));
                })
                .inspect_err(|error| tracing::warn!(%error, "there will be no metrics"))
                .ok()
        })
        .clone()
}

/// Counts and times every answer, by route: an address itself may hold an id or a token and is never a label. Notes its status
/// on the span of the request, for traces.
pub async fn measure(request: Request, next: Next) -> Response {
    let begin = Instant::now();
    let route = request.extensions().get::<MatchedPath>().map_or("unmatched", MatchedPath::as_str).to_owned();
    let method = known_method(request.method());
    let response = next.run(request).await;
    let status = response.status().as_u16();
    Span::current().record("http.response.status_code", i64::from(status));
    let status = status.to_string();
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

/// Answers whoever sends the token of the settings. To all others it does not exist, and to nobody where there is no token:
/// what comes from this machine may come through a proxy on it, for anybody.
pub async fn metrics(Extract(state): Extract<State>, headers: HeaderMap) -> Response {
    if !may_read(&state, &headers) {
        return StatusCode::NOT_FOUND.into_response();
    }
    let Some(handle) = recorder() else { return StatusCode::SERVICE_UNAVAILABLE.into_response() };
    observe(&state).await;
    let mut response = handle.render().into_response();
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

fn may_read(state: &State, headers: &HeaderMap) -> bool {
    let Some(token) = &state.metrics_token else { return false };
    let sent = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    // Both are hashed, so that the time of the comparison tells nothing.
    let hash = tenantatlas_app::session::cookies::hash_token;
    sent.is_some_and(|sent| hash(sent) == hash(token.expose_secret()))
}

async fn observe(state: &State) {
    #[expect(clippy::cast_precision_loss, reason = "gauges are floating point; these are small")]
    let set = |name: &'static str, value: u64| gauge!(name).set(value as f64);
    set("event_streams_open", (super::events::MAX_STREAMS - state.streams.available_permits()) as u64);
    match operation_runs::queue_depth(state.engine.reader()).await {
        Ok(depth) => {
            set("runs_pending", depth.pending);
            set("runs_running", depth.running);
        }
        Err(error) => tracing::warn!(%error, "the length of the queue could not be read"),
    }
    match operation_runs::oldest_pending(state.engine.reader()).await {
        Ok(at) => {
            let waited = at.map_or(0, |at| state.engine.now().as_millis() - at.as_millis());
            set("runs_oldest_pending_seconds", u64::try_from(waited / 1_000).unwrap_or_default());
        }
        Err(error) => tracing::warn!(%error, "the age of the queue could not be read"),
    }
}
