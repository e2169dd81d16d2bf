//! What log and traces tell of a run: a span for each attempt of a worker at it.

use tenantatlas_store::operation_runs::OperationRun;
use tracing::field::Empty;
use tracing::{Span, info_span};

/// The span of an attempt. What the work asks of others lies below it.
pub(crate) fn span(run: &OperationRun) -> Span {
    info_span!(
        "run",
        id = %run.id,
        operation = %format!("{}.{}", run.resource, run.action),
        attempt = run.attempt,
        correlation = %run.correlation_id,
        state = Empty,
        reason = Empty,
    )
}

/// The run has come to its end.
pub(crate) fn ended(span: &Span, run: &OperationRun) {
    span.record("state", run.status.as_str());
    if let Some(reason) = run.reason_code {
        span.record("reason", reason.as_str());
    }
}

/// Another worker goes on with it, for this reason: `handed_back`, `lease_lost` or `database_away`.
pub(crate) fn left(span: &Span, why: &'static str) {
    span.record("state", why);
}
