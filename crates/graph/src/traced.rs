//! What a trace tells of requests to Graph: a span for each attempt, by the template of its path, never by its address.

use tenantatlas_domain::traces::{TARGET, graph_path};
use tokio::time::Instant;
use tracing::field::Empty;
use tracing::{Span, info_span};

use crate::error::GraphError;

/// The attempts at one request.
pub(crate) struct Traced {
    resent: i64,
    idle_since: Instant,
}

impl Traced {
    pub(crate) fn new() -> Self {
        Self { resent: 0, idle_since: Instant::now() }
    }

    /// The span of the attempt that begins now. Costs nothing where nobody takes spans.
    pub(crate) fn attempt(&self, method: &'static str, path: &str) -> Span {
        let span = info_span!(
            target: TARGET,
            "graph",
            otel.name = Empty,
            otel.kind = "client",
            otel.status_code = Empty,
            http.request.method = method,
            http.request.resend_count = Empty,
            http.response.status_code = Empty,
            error.type = Empty,
            tenantatlas.graph.path = Empty,
            tenantatlas.graph.waited_ms = Empty,
        );
        if !span.is_disabled() {
            let path = graph_path(path);
            span.record("otel.name", format!("{method} {path}"));
            span.record("tenantatlas.graph.path", path);
            let waited = i64::try_from(self.idle_since.elapsed().as_millis()).unwrap_or(i64::MAX);
            span.record("tenantatlas.graph.waited_ms", waited);
            if self.resent > 0 {
                span.record("http.request.resend_count", self.resent);
            }
        }
        span
    }

    /// Notes how it ended.
    pub(crate) fn ended(&mut self, span: &Span, error: Option<&GraphError>) {
        self.resent += 1;
        self.idle_since = Instant::now();
        note(span, error);
    }
}

/// The span of an attempt at signing in.
pub(crate) fn sign_in() -> Span {
    info_span!(
        target: TARGET,
        "sign-in",
        otel.name = "POST /{tenant}/oauth2/v2.0/token",
        otel.kind = "client",
        otel.status_code = Empty,
        http.request.method = "POST",
        http.response.status_code = Empty,
        error.type = Empty,
        tenantatlas.graph.path = "/{tenant}/oauth2/v2.0/token",
    )
}

/// Notes on the span of an attempt how it ended.
pub(crate) fn note(span: &Span, error: Option<&GraphError>) {
    let status = error.map_or(Some(200), |error| error.status);
    if let Some(status) = status {
        span.record("http.response.status_code", i64::from(status));
    }
    if let Some(error) = error {
        span.record("otel.status_code", "error");
        span.record("error.type", error.reason.as_str());
    }
}
