//! Faults that need more than a status.

use std::time::{Duration, Instant};

use reqwest::StatusCode;
use serde_json::{Value, json};
use tenantatlas_graph_sim::{Fault, FaultKind, Throttle, Within};

use crate::visitor::Visitor;

const PATH: &str = "beta/deviceManagement/deviceConfigurations?$top=5";

#[tokio::test]
async fn retry_after_comes_as_it_was_asked_for_or_not_at_all() {
    let visitor = Visitor::new(300, |_| {}).await;
    for wait in [None, Some("0.5"), Some("Wed, 21 Oct 2026 07:28:00 GMT"), Some("120")] {
        let kind = FaultKind::Throttled { retry_after: wait.map(str::to_owned) };
        visitor.cloud.control().set_faults(vec![Fault::times("deviceConfigurations", 1, kind)]);
        let answer = visitor.raw(PATH).await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(answer.headers().get("retry-after").map(|value| value.to_str().expect("text")), wait);
    }
}

#[tokio::test]
async fn one_item_of_a_batch_may_be_throttled_while_the_batch_succeeds() {
    let visitor = Visitor::new(300, |_| {}).await;
    let kind = FaultKind::Throttled { retry_after: Some("2".into()) };
    visitor.cloud.control().set_faults(vec![Fault::times("intents", 1, kind).only_within(Within::BatchItems)]);
    assert_eq!(visitor.get("beta/deviceManagement/intents").await.0, StatusCode::OK);
    let requests: Vec<Value> = ["intents", "deviceCategories"]
        .iter()
        .map(|name| json!({"id": name, "method": "GET", "url": format!("/deviceManagement/{name}")}))
        .collect();
    let (status, body) = visitor.post("beta/$batch", &json!({ "requests": requests })).await;
    assert_eq!(status, StatusCode::OK);
    let item = |id: &str| {
        body["responses"].as_array().expect("responses").iter().find(|item| item["id"] == json!(id)).expect("an item")
    };
    assert_eq!((&item("intents")["status"], &item("deviceCategories")["status"]), (&json!(429), &json!(200)));
    assert_eq!(item("intents")["headers"]["Retry-After"], json!("2"));
}

#[tokio::test]
async fn every_item_of_a_batch_costs_quota() {
    let visitor = Visitor::new(300, |config| config.throttle = Some(Throttle { requests: 3, window_ms: 60_000 })).await;
    let requests: Vec<Value> = (0..5)
        .map(|id| json!({"id": id.to_string(), "method": "GET", "url": "/deviceManagement/deviceCategories"}))
        .collect();
    let (_, body) = visitor.post("beta/$batch", &json!({ "requests": requests })).await;
    let throttled = body["responses"].as_array().expect("responses").iter().filter(|item| item["status"] == json!(429));
    assert_eq!(throttled.count(), 2);
}

#[tokio::test]
async fn a_body_may_be_cut_off_and_an_answer_withheld() {
    let visitor = Visitor::new(300, |_| {}).await;
    let control = visitor.cloud.control();
    control.set_faults(vec![Fault::always("deviceConfigurations", FaultKind::CutBody)]);
    let cut = match visitor.raw(PATH).await {
        Ok(answer) => answer.bytes().await.is_err(),
        Err(_) => true,
    };
    assert!(cut);
    control.set_faults(vec![Fault::always("deviceConfigurations", FaultKind::Stall { pause_ms: 200 })]);
    let started = Instant::now();
    assert_eq!(visitor.get(PATH).await.0, StatusCode::OK);
    assert!(started.elapsed() >= Duration::from_millis(200));
}

#[tokio::test]
async fn statuses_and_their_bodies_are_graphs() {
    let visitor = Visitor::new(300, |_| {}).await;
    for (kind, status, code) in [
        (FaultKind::Unavailable, 503, "ServiceUnavailable"),
        (FaultKind::GatewayTimeout, 504, "GatewayTimeout"),
        (FaultKind::ServerError, 500, "InternalServerError"),
        (FaultKind::Forbidden, 403, "Forbidden"),
        (FaultKind::UnknownSegment, 404, "ResourceNotFound"),
        (FaultKind::LicenceMissing, 403, "Forbidden"),
        (FaultKind::Status { status: 410, code: "Gone".into(), message: "Expired.".into() }, 410, "Gone"),
    ] {
        visitor.cloud.control().set_faults(vec![Fault::always("deviceConfigurations", kind)]);
        let answer = visitor.raw(PATH).await.expect("an answer");
        assert_eq!(answer.status().as_u16(), status);
        let request_id = answer.headers()["request-id"].to_str().expect("text").to_owned();
        let body: Value = answer.json().await.expect("JSON");
        assert_eq!(body["error"]["code"], json!(code));
        assert_eq!(body["error"]["innerError"]["request-id"], json!(request_id));
    }
}

#[tokio::test]
async fn the_log_and_the_counts_tell_what_was_asked() {
    let visitor = Visitor::new(300, |config| config.latency = Duration::from_millis(40)).await;
    visitor.cloud.control().hold("");
    let both_came = async {
        visitor.cloud.control().held(2).await;
        visitor.cloud.control().release();
    };
    let (first, second, ()) = tokio::join!(visitor.get(PATH), visitor.get("beta/deviceManagement/nothing"), both_came);
    assert_eq!((first.0, second.0), (StatusCode::OK, StatusCode::BAD_REQUEST));
    let counts = visitor.cloud.control().counts();
    assert_eq!((counts.requests, counts.max_concurrency, counts.tokens), (2, 2, 1));
    assert!(counts.first_at_ms <= counts.last_at_ms && counts.first_at_ms.is_some());
    let log = visitor.cloud.control().log();
    assert_eq!(log.len(), 2);
    assert!(log.iter().all(|entry| entry.took_ms >= 40 && entry.tenant_id == visitor.tenant.tenant_id));
    let echoed = visitor
        .http
        .get(format!("{}/{PATH}", visitor.cloud.graph_url()))
        .bearer_auth(&visitor.token)
        .header("client-request-id", "abc")
        .send()
        .await
        .expect("an answer");
    assert_eq!(echoed.headers()["client-request-id"], "abc");
}

#[tokio::test]
async fn answers_are_held_back_by_their_path_and_let_go_again() {
    let visitor = Visitor::new(300, |_| {}).await;
    let control = visitor.cloud.control();
    control.hold("deviceConfigurations");
    let mut held = std::pin::pin!(visitor.get(PATH));
    let other = async {
        control.held(1).await;
        visitor.get("beta/deviceManagement/intents").await
    };
    tokio::select! {
        biased;
        _ = &mut held => panic!("it is held back"),
        (status, _) = other => assert_eq!(status, StatusCode::OK),
    }
    control.release();
    assert_eq!(held.await.0, StatusCode::OK);
    assert_eq!(visitor.get(PATH).await.0, StatusCode::OK, "nothing is held back any more");
}

#[tokio::test]
async fn an_answer_may_say_success_and_not_be_whole() {
    let visitor = Visitor::new(300, |_| {}).await;
    let (_, whole) = visitor.get("beta/deviceManagement/deviceConfigurations?$top=5&$expand=assignments").await;
    let rows = |page: &Value| page["value"].as_array().cloned().expect("rows");
    let meets = |kind: FaultKind| {
        visitor.cloud.control().set_faults(vec![Fault::always("deviceConfigurations", kind)]);
        visitor.get("beta/deviceManagement/deviceConfigurations?$top=5&$expand=assignments")
    };
    let property = || "assignments".to_owned();
    let (_, page) = meets(FaultKind::NullProperty { property: property() }).await;
    assert!(rows(&page).iter().all(|row| row["assignments"].is_null()));
    let (_, page) = meets(FaultKind::ShortProperty { property: property() }).await;
    for (short, whole) in rows(&page).iter().zip(rows(&whole)) {
        let length = |row: &Value| row["assignments"].as_array().map_or(0, Vec::len);
        assert_eq!(length(short), length(&whole).saturating_sub(1));
    }
    let (_, page) = meets(FaultKind::RepeatedRow).await;
    assert_eq!((rows(&page).len(), &page["value"][4]), (5, &page["value"][0]));
    let (_, page) = meets(FaultKind::CutAtTop).await;
    assert_eq!((rows(&page).len(), page.get("@odata.nextLink")), (5, None));
    let (status, page) = meets(FaultKind::ErrorWithin).await;
    assert_eq!((status, page["error"]["code"].is_string()), (StatusCode::OK, true));
    for (kind, body) in [(FaultKind::NoBody, &b""[..]), (FaultKind::ByteOrderMark, b"\xEF\xBB\xBF{\"")] {
        visitor.cloud.control().set_faults(vec![Fault::always("deviceConfigurations", kind)]);
        let answer = visitor.raw(PATH).await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::OK);
        let bytes = answer.bytes().await.expect("a body");
        assert!(bytes.starts_with(body) && bytes.is_empty() == body.is_empty());
    }
}
