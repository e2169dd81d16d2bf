//! The last look at spans before they leave.

use std::fmt;
use std::sync::Arc;

use opentelemetry::trace::{SpanKind, Status};
use opentelemetry::{KeyValue, Value};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanExporter, SpanLinks};

use crate::queue::Account;

/// The attributes that leave. Where OpenTelemetry has a name for it, it is that (Semantic Conventions, "HTTP spans").
pub const ATTRIBUTES: [&str; 16] = [
    "error.type",
    "http.request.method",
    "http.request.resend_count",
    "http.response.status_code",
    "http.route",
    "tenantatlas.delivery.kind",
    "tenantatlas.delivery.messages",
    "tenantatlas.delivery.outcome",
    "tenantatlas.graph.path",
    "tenantatlas.graph.waited_ms",
    "tenantatlas.request.id",
    "tenantatlas.run.attempt",
    "tenantatlas.run.id",
    "tenantatlas.run.operation",
    "tenantatlas.run.reason",
    "tenantatlas.run.state",
];

/// An exporter that hands on what may leave, and keeps account of what was not taken.
pub(crate) struct Export<E> {
    pub(crate) inner: E,
    pub(crate) account: Arc<Account>,
}

impl<E> fmt::Debug for Export<E> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Export")
    }
}

impl<E: SpanExporter> SpanExporter for Export<E> {
    async fn export(&self, mut batch: Vec<SpanData>) -> OTelSdkResult {
        let count = batch.len();
        self.account.left(count);
        batch.iter_mut().for_each(tell);
        let result = self.inner.export(batch).await;
        match &result {
            Ok(()) => self.account.taken(),
            Err(error) => self.account.refused(count, &error.to_string()),
        }
        result
    }

    fn shutdown(&self) -> OTelSdkResult {
        self.inner.shutdown()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.inner.set_resource(resource);
    }
}

/// The span of a request in the log.
pub(crate) const REQUEST: &str = "request";
/// That of a run.
pub(crate) const RUN: &str = "run";

/// What of the spans of the log is told, and under which name. Other spans have the names of [`ATTRIBUTES`] from the beginning.
const OF_REQUESTS: [(&str, &str); 4] = [
    ("id", "tenantatlas.request.id"),
    ("method", "http.request.method"),
    ("route", "http.route"),
    ("http.response.status_code", "http.response.status_code"),
];
const OF_RUNS: [(&str, &str); 5] = [
    ("id", "tenantatlas.run.id"),
    ("operation", "tenantatlas.run.operation"),
    ("attempt", "tenantatlas.run.attempt"),
    ("state", "tenantatlas.run.state"),
    ("reason", "tenantatlas.run.reason"),
];
/// Methods that are told. HTTP allows any word for one.
const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE"];
/// States of a run that are faults.
const FAULTS: [&str; 3] = ["failed", "lease_lost", "database_away"];
/// What watches the process asks all day long, and is no use of it.
const WATCHING: [&str; 3] = ["/healthz", "/readyz", "/metrics"];

/// Whether a span is of a request that only watches the process.
pub(crate) fn is_watching(span: &SpanData) -> bool {
    span.name == REQUEST
        && value(span, "route").is_some_and(|route| WATCHING.iter().any(|known| *known == route.as_str()))
}

fn value<'span>(span: &'span SpanData, key: &str) -> Option<&'span Value> {
    span.attributes.iter().find(|attribute| attribute.key.as_str() == key).map(|attribute| &attribute.value)
}

/// Makes of a span what is told of it.
fn tell(span: &mut SpanData) {
    match &*span.name {
        REQUEST => tell_request(span),
        RUN => tell_run(span),
        _ => {}
    }
    span.attributes.retain(|attribute| ATTRIBUTES.contains(&attribute.key.as_str()));
    span.events = SpanEvents::default();
    span.links = SpanLinks::default();
}

fn rename(span: &mut SpanData, names: &[(&str, &'static str)]) {
    for attribute in &mut span.attributes {
        let known = names.iter().find(|(known, _)| attribute.key.as_str() == *known);
        attribute.key = known.map_or("", |(_, name)| *name).into();
    }
}

fn tell_request(span: &mut SpanData) {
    rename(span, &OF_REQUESTS);
    for attribute in &mut span.attributes {
        let is_method = attribute.key.as_str() == "http.request.method";
        if is_method && !METHODS.iter().any(|known| *known == attribute.value.as_str()) {
            attribute.value = "_OTHER".into();
        }
    }
    let text = |key| value(span, key).map(|value| value.as_str().into_owned());
    let (method, route) = (text("http.request.method"), text("http.route"));
    span.name = format!("{} {}", method.unwrap_or_default(), route.unwrap_or_default()).into();
    span.span_kind = SpanKind::Server;
    if let Some(Value::I64(status @ 500..)) = value(span, "http.response.status_code") {
        let status = status.to_string();
        fail(span, status);
    }
}

fn tell_run(span: &mut SpanData) {
    rename(span, &OF_RUNS);
    let text = |key| value(span, key).map(|value| value.as_str().into_owned());
    let (operation, state) = (text("tenantatlas.run.operation"), text("tenantatlas.run.state").unwrap_or_default());
    let reason = text("tenantatlas.run.reason");
    span.name = format!("{RUN} {}", operation.unwrap_or_default()).into();
    if FAULTS.contains(&state.as_str()) {
        fail(span, reason.unwrap_or(state));
    }
}

fn fail(span: &mut SpanData, why: String) {
    span.status = Status::error("");
    span.attributes.push(KeyValue::new("error.type", why));
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use opentelemetry::InstrumentationScope;
    use opentelemetry::trace::{SpanContext, SpanId};

    use super::*;

    fn span(name: &'static str, attributes: &[(&'static str, Value)]) -> SpanData {
        SpanData {
            span_context: SpanContext::empty_context(),
            parent_span_id: SpanId::INVALID,
            parent_span_is_remote: false,
            span_kind: SpanKind::Internal,
            name: name.into(),
            start_time: SystemTime::UNIX_EPOCH,
            end_time: SystemTime::UNIX_EPOCH,
            attributes: attributes.iter().map(|(key, value)| KeyValue::new(*key, value.clone())).collect(),
            dropped_attributes_count: 0,
            events: SpanEvents::default(),
            links: SpanLinks::default(),
            status: Status::Unset,
            instrumentation_scope: InstrumentationScope::default(),
        }
    }

    fn told(mut span: SpanData) -> (String, Vec<String>, bool) {
        tell(&mut span);
        let attributes = span.attributes.iter().map(|one| format!("{}={}", one.key, one.value)).collect();
        (span.name.into_owned(), attributes, span.status == Status::error(""))
    }

    #[test]
    fn nothing_leaves_but_what_is_listed() {
        let (name, attributes, failed) = told(span(
            "GET /v1.0/groups/{id}",
            &[("http.request.method", "GET".into()), ("url.full", "secret".into()), ("id", "secret".into())],
        ));
        assert_eq!(
            (name.as_str(), attributes, failed),
            ("GET /v1.0/groups/{id}", vec!["http.request.method=GET".to_owned()], false)
        );
        let every = ATTRIBUTES.iter().collect::<std::collections::BTreeSet<_>>();
        assert!(every.len() == ATTRIBUTES.len() && !ATTRIBUTES.iter().any(|name| name.starts_with("url.")));
        assert!(OF_REQUESTS.iter().chain(&OF_RUNS).all(|(_, name)| ATTRIBUTES.contains(name)));
    }

    #[test]
    fn a_request_is_told_by_method_route_and_status_and_not_by_what_the_other_side_calls_it() {
        let request = |method: &'static str, status: i64| {
            told(span(
                REQUEST,
                &[
                    ("id", "1".into()),
                    ("peer_id", "secret".into()),
                    ("method", method.into()),
                    ("route", "/t/{tenant}".into()),
                    ("http.response.status_code", status.into()),
                ],
            ))
        };
        let (name, attributes, failed) = request("SECRET", 404);
        assert_eq!((name.as_str(), failed), ("_OTHER /t/{tenant}", false));
        assert!(!attributes.iter().any(|one| one.to_lowercase().contains("secret")), "{attributes:?}");
        let (name, attributes, failed) = request("GET", 503);
        assert!(
            name == "GET /t/{tenant}" && failed && attributes.contains(&"error.type=503".to_owned()),
            "{attributes:?}"
        );
    }

    #[test]
    fn a_run_that_failed_is_a_fault_with_its_reason_and_one_that_was_handed_back_is_none() {
        let run = |state: &'static str, reason: &[(&'static str, Value)]| {
            let known = [("operation", "inventory.sync".into()), ("correlation", "x".into()), ("state", state.into())];
            told(span(RUN, &[&known[..], reason].concat()))
        };
        let (name, attributes, failed) = run("failed", &[("reason", "auth_failed".into())]);
        assert!(name == "run inventory.sync" && failed, "{name}");
        assert!(attributes.contains(&"error.type=auth_failed".to_owned()), "{attributes:?}");
        assert!(!attributes.iter().any(|one| one.ends_with("=x")), "{attributes:?}");
        assert!(!run("handed_back", &[]).2 && !run("completed", &[]).2 && run("lease_lost", &[]).2);
    }

    #[test]
    fn what_watches_the_process_makes_no_traces() {
        let of = |route: &'static str| is_watching(&span(REQUEST, &[("route", route.into())]));
        assert!(of("/healthz") && of("/metrics") && !of("/sign-in"));
    }
}
