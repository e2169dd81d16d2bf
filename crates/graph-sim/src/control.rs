//! The control over HTTP below `/_sim/`: what tests in other languages and the bench use.

use crate::{cloud::Cloud, config::Throttle, fault::Fault, server::json_response};
use axum::body::Body;
use http::Response;
use serde_json::{Value, json};
use std::time::Duration;

/// Answers one control. The tenant is the first unless `tenant_id` names another.
#[must_use]
pub(crate) fn answer(cloud: &Cloud, path: &str, body: &[u8]) -> Response<Body> {
    let sent: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
    let first = cloud.config().tenants.first().map_or("", |tenant| tenant.tenant_id.as_str());
    let tenant = sent["tenant_id"].as_str().unwrap_or(first);
    if let Some(told) = tell(cloud, path, &sent, tenant) {
        return json_response(200, &told);
    }
    match change(cloud, path, &sent) {
        Ok(true) => json_response(200, &json!({})),
        Ok(false) => json_response(404, &json!({"error": "unknown control"})),
        Err(error) => json_response(400, &json!({"error": error.to_string()})),
    }
}

/// What is asked of the cloud; `None` for other controls.
fn tell(cloud: &Cloud, path: &str, sent: &Value, tenant: &str) -> Option<Value> {
    Some(match path {
        "counts" => json!(cloud.counts()),
        "log" => json!(cloud.log()),
        "expected" => json!(cloud.expected(tenant)),
        "secrets" => {
            let most = usize::try_from(sent["most"].as_u64().unwrap_or(10_000)).unwrap_or(usize::MAX);
            json!(cloud.planted_secrets(tenant, most))
        }
        "evolve" => json!(cloud.evolve(tenant, sent["steps"].as_u64().unwrap_or(1))),
        _ => return None,
    })
}

/// Changes the cloud; false for an unknown control.
fn change(cloud: &Cloud, path: &str, sent: &Value) -> Result<bool, serde_json::Error> {
    match path {
        "counts/reset" => cloud.reset_counts(),
        "faults" => cloud.set_faults(serde_json::from_value::<Vec<Fault>>(sent["faults"].clone())?),
        "throttle" => cloud.set_throttle(serde_json::from_value::<Throttle>(sent["throttle"].clone()).ok()),
        "latency" => cloud.set_latency(Duration::from_millis(sent["latency_ms"].as_u64().unwrap_or(0))),
        "hold" => cloud.hold(sent["path"].as_str().unwrap_or_default()),
        "release" => cloud.release(),
        "tokens/revoke" => cloud.revoke_tokens(),
        _ => return Ok(false),
    }
    Ok(true)
}
