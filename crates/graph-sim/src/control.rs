//! The control over HTTP below `/_sim/`: what tests in other languages, the page and the bench use.

use std::net::IpAddr;
use std::time::Duration;

use axum::body::Body;
use http::request::Parts;
use http::{Method, Response, header};
use serde_json::{Value, json};

use crate::cloud::Cloud;
use crate::config::Throttle;
use crate::fault::Fault;
use crate::host;
use crate::server::json_response;

/// Who may not control the cloud: other machines, unless it was said that they may; and the pages of others in a browser
/// on this machine, which could send forms here (cross-site request forgery) or come by a name that leads here (DNS
/// rebinding).
#[must_use]
pub(crate) fn refused(cloud: &Cloud, peer: IpAddr, parts: &Parts, host: &str) -> Option<Response<Body>> {
    let name = host::without_port(host).trim_matches(['[', ']']);
    let is_loopback = |address: IpAddr| address.to_canonical().is_loopback();
    let is_here = name.eq_ignore_ascii_case("localhost") || name.parse().is_ok_and(is_loopback);
    let may = cloud.config().open_control || (is_loopback(peer) && is_here);
    if !may {
        return Some(forbidden("This page and the controls are open to this machine alone."));
    }
    let text = |name| parts.headers.get(name).and_then(|value| value.to_str().ok());
    let foreign =
        text(header::ORIGIN).is_some_and(|origin| origin.split_once("://").is_none_or(|(_, from)| from != host));
    let cross = text(header::HeaderName::from_static("sec-fetch-site"))
        .is_some_and(|site| !matches!(site, "same-origin" | "none"));
    (parts.method != Method::GET && (foreign || cross)).then(|| forbidden("This form was sent by another site."))
}

fn forbidden(message: &str) -> Response<Body> {
    json_response(403, &json!({ "error": message }))
}

/// Answers one control. The tenant is the first unless `tenant_id` names another.
#[must_use]
pub(crate) fn answer(cloud: &Cloud, path: &str, body: &[u8]) -> Response<Body> {
    let sent: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
    let first = cloud.config().tenants.first().map_or("", |tenant| tenant.tenant_id.as_str());
    let tenant = sent["tenant_id"].as_str().unwrap_or(first);
    if let Some(told) = tell(cloud, path, &sent, tenant) {
        return json_response(200, &told);
    }
    match change(cloud, path, &sent, tenant) {
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
        "audit" => json!(cloud.audit_events(tenant)),
        "evolve" => json!(cloud.evolve(tenant, sent["steps"].as_u64().unwrap_or(1))),
        _ => return None,
    })
}

/// Changes the cloud; false for an unknown control.
fn change(cloud: &Cloud, path: &str, sent: &Value, tenant: &str) -> Result<bool, serde_json::Error> {
    match path {
        "counts/reset" => cloud.reset_counts(),
        "faults" => cloud.set_faults(serde_json::from_value::<Vec<Fault>>(sent["faults"].clone())?),
        "throttle" => cloud.set_throttle(serde_json::from_value::<Throttle>(sent["throttle"].clone()).ok()),
        "latency" => cloud.set_latency(Duration::from_millis(sent["latency_ms"].as_u64().unwrap_or(0))),
        "audit/withhold" => cloud.withhold_audit_events(tenant, sent["on"].as_bool().unwrap_or(true)),
        "hold" => cloud.hold(sent["path"].as_str().unwrap_or_default()),
        "release" => cloud.release(),
        "tokens/revoke" => cloud.revoke_tokens(),
        _ => return Ok(false),
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::SimulatorConfig;
    use http::Request;

    #[test]
    fn other_machines_are_refused_unless_it_was_said_that_they_may() {
        let peers = ["127.0.0.1", "::1", "::ffff:127.0.0.1", "192.0.2.7", "2001:db8::7"]
            .map(|peer| peer.parse().expect("an address"));
        let (parts, ()) = Request::get("/").body(()).expect("a request").into_parts();
        let refuses = |open_control: bool| {
            let config = SimulatorConfig { open_control, ..SimulatorConfig::default() };
            let cloud = Cloud::new(config, "http://127.0.0.1:1".to_owned());
            peers.map(|peer| refused(&cloud, peer, &parts, "127.0.0.1:1").is_some())
        };
        assert_eq!(refuses(false), [false, false, false, true, true]);
        assert_eq!(refuses(true), [false; 5]);
    }
}
