//! What `deploy/` asks of the figures is there.

use std::collections::BTreeSet;
use std::path::Path;

use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use serde_json::{Value, json};
use tenantatlas_domain::ids::{CorrelationId, OperationRunId};
use tenantatlas_engine::Actor;
use tenantatlas_store::operation_runs::{self, NewOperationRun};
use tower::ServiceExt as _;
use uuid::Uuid;

use super::site::Site;
use crate::web::metrics;

/// Names in expressions that are of the language of Prometheus.
const OF_LANGUAGE: [&str; 3] = ["histogram_quantile", "min_over_time", "__rate_interval"];

fn deploy(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy").join(name);
    std::fs::read_to_string(path).expect("a file")
}

/// The names of figures in an expression. Every one of them has a line below.
fn names(expression: &str) -> impl Iterator<Item = &str> {
    let words = expression.split(|one: char| !(one.is_ascii_alphanumeric() || one == '_'));
    words.filter(|word| word.contains('_') && !OF_LANGUAGE.contains(word)).map(|word| word.trim_end_matches("_bucket"))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_dashboard_and_the_alerts_ask_for_no_figure_that_there_is_not() {
    let site = Site::start().await;
    let mut rendered = String::new();
    // The first request is counted when it is answered.
    for _ in 0..2 {
        let request = Request::get("/metrics")
            .header(header::HOST, "localhost")
            .header(header::AUTHORIZATION, "Bearer metrics-token");
        let request = request.body(Body::empty()).expect("a request");
        let response = site.router.clone().oneshot(request).await.expect("an answer");
        assert_eq!(response.status(), StatusCode::OK);
        let bytes = to_bytes(response.into_body(), 1 << 20).await.expect("a body");
        rendered = String::from_utf8(bytes.to_vec()).expect("text");
    }
    let dashboard: Value = serde_json::from_str(&deploy("grafana-dashboard.json")).expect("JSON");
    let panels = dashboard["panels"].as_array().expect("panels");
    let targets = panels.iter().flat_map(|panel| panel["targets"].as_array().expect("targets"));
    let mut asked: Vec<String> = targets.map(|one| one["expr"].as_str().expect("text").to_owned()).collect();
    let alerts = deploy("prometheus-alerts.yaml");
    asked.extend(alerts.lines().filter_map(|line| Some(line.trim().strip_prefix("expr: ")?.to_owned())));
    assert!(asked.len() > 20, "{}", asked.len());
    let names: BTreeSet<&str> = asked.iter().flat_map(|expression| names(expression)).collect();
    assert!(names.contains("runs_ended_total") && names.contains("http_request_duration_seconds"), "{names:?}");
    for name in names {
        assert!(rendered.contains(&format!("# TYPE {name} ")), "{name}:\n{rendered}");
    }
}

/// A run that no worker takes, since it is of no operation that there is.
async fn waiting(site: &Site, action: &str) -> OperationRunId {
    let new = NewOperationRun {
        id: OperationRunId::from_uuid(Uuid::now_v7()),
        tenant_id: site.own,
        user_id: None,
        token_id: None,
        initiator: "test".to_owned(),
        resource: "figures".to_owned(),
        action: action.to_owned(),
        idempotency_key: action.to_owned(),
        correlation_id: CorrelationId::from_uuid(Uuid::new_v4()),
        payload: json!({}),
        item_ids: vec!["one".to_owned()],
        audit_log_id: Uuid::new_v4(),
        retry_of: None,
        follows: None,
        follow_ups: Vec::new(),
        schedule_id: None,
    };
    let mut tx = site.db.write().await.expect("a transaction");
    operation_runs::create(&mut tx, &new, site.engine.now()).await.expect("written");
    tx.commit().await.expect("committed");
    new.id
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_no_worker_brought_to_its_end_is_counted_as_ended_too() {
    // Before anything is counted.
    let recorder = metrics::recorder().expect("figures");
    let site = Site::start().await;
    let id = waiting(&site, "cancelled").await;
    site.engine.runs().cancel(&Actor::command_line(), site.own, id).await.expect("cancelled");
    let figures = recorder.render();
    let of_it = |line: &&str| line.starts_with("runs_ended_total{") && line.contains("\"figures.cancelled\"");
    let counted: Vec<&str> = figures.lines().filter(of_it).collect();
    assert!(matches!(counted.as_slice(), [one] if one.ends_with(" 1")), "{counted:?}");
}
