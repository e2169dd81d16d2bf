//! Reading, batching, the quota, faults and time.

use std::collections::BTreeSet;
use std::time::Duration;

use reqwest::StatusCode;
use serde_json::{Value, json};
use tenantatlas_graph_sim::{Fault, FaultKind, SECRET_MARK, Throttle};

use crate::visitor::Visitor;

#[tokio::test]
async fn every_expected_object_is_found_by_following_the_links() {
    let visitor = Visitor::new(3_000, |_| {}).await;
    let expected = visitor.cloud.control().expected(&visitor.tenant.tenant_id);
    assert!(expected.len() >= 65, "{}", expected.len());
    assert!(expected.values().map(Vec::len).sum::<usize>() >= 2_900);
    for (path, keys) in [
        ("beta/deviceManagement/intents?$top=7", vec!["endpointSecurityIntent"]),
        (
            "beta/deviceManagement/deviceConfigurations",
            vec!["deviceConfiguration", "windowsUpdateRing", "iosUpdateConfiguration"],
        ),
        ("v1.0/identity/conditionalAccess/policies?$top=100", vec!["conditionalAccessPolicy"]),
    ] {
        let found: BTreeSet<String> =
            visitor.all(path).await.iter().map(|object| object["id"].as_str().expect("an id").to_owned()).collect();
        let wanted: BTreeSet<String> = keys.iter().flat_map(|key| expected[*key].iter().cloned()).collect();
        assert_eq!(found, wanted, "{path}");
    }
    let policies = visitor.get("beta/deviceManagement/configurationPolicies").await.1;
    assert_eq!(policies["value"].as_array().map(Vec::len), Some(25), "the documented default");
}

#[tokio::test]
async fn expansion_is_taken_where_it_is_documented_and_refused_elsewhere() {
    let visitor = Visitor::new(800, |_| {}).await;
    let policies =
        visitor.all("beta/deviceManagement/configurationPolicies?$expand=assignments,settings&$top=50").await;
    assert!(policies.iter().all(|policy| policy["settings"].is_array() && policy["assignments"].is_array()));
    assert!(policies.iter().any(|policy| policy["assignments"].as_array().is_some_and(|list| !list.is_empty())));
    let (status, body) = visitor.get("beta/deviceManagement/roleScopeTags?$expand=assignments").await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "{body}");
    let id = visitor.all("beta/deviceManagement/windowsAutopilotDeploymentProfiles").await[0]["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let (status, children) =
        visitor.get(&format!("beta/deviceManagement/windowsAutopilotDeploymentProfiles/{id}/assignments")).await;
    assert_eq!((status, children["value"].is_array()), (StatusCode::OK, true));
}

#[tokio::test]
async fn who_may_not_is_told_so() {
    let visitor = Visitor::new(300, |config| {
        config.tenants[0].roles = Some(vec!["DeviceManagementConfiguration.Read.All".to_owned()]);
        config.tenants[0].windows365 = false;
    })
    .await;
    assert_eq!(visitor.get("beta/deviceManagement/intents").await.0, StatusCode::OK);
    let (status, body) = visitor.get("beta/deviceAppManagement/mobileApps").await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert!(body["error"]["message"].as_str().expect("text").contains("DeviceManagementApps.Read.All"));
    assert_eq!(visitor.get("beta/deviceManagement/virtualEndpoint/userSettings").await.0, StatusCode::FORBIDDEN);
    let (status, body) = visitor.ask_token(&visitor.tenant.tenant_id, "guess").await;
    assert_eq!((status, &body["error"]), (StatusCode::UNAUTHORIZED, &json!("invalid_client")));
    let (status, body) = visitor.ask_token("00000000-0000-0000-0000-000000000001", "x").await;
    assert_eq!((status, &body["error"]), (StatusCode::BAD_REQUEST, &json!("invalid_request")));
    let unsigned = visitor
        .http
        .get(format!("{}/beta/deviceManagement/intents", visitor.cloud.graph_url()))
        .bearer_auth("forged")
        .send()
        .await;
    assert_eq!(unsigned.expect("an answer").status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_batch_answers_each_item_by_itself() {
    let visitor = Visitor::new(300, |_| {}).await;
    let body = json!({"requests": [
        {"id": "1", "method": "GET", "url": "/deviceManagement/intents?$top=1"},
        {"id": "2", "method": "GET", "url": "/deviceManagement/nothing"},
    ]});
    let url = format!("{}/beta/$batch", visitor.cloud.graph_url());
    let answer: Value = visitor
        .http
        .post(&url)
        .bearer_auth(&visitor.token)
        .json(&body)
        .send()
        .await
        .expect("an answer")
        .json()
        .await
        .expect("JSON");
    let statuses: BTreeSet<(String, u64)> = answer["responses"]
        .as_array()
        .expect("responses")
        .iter()
        .map(|item| (item["id"].as_str().expect("an id").to_owned(), item["status"].as_u64().expect("a status")))
        .collect();
    assert_eq!(statuses, BTreeSet::from([("1".to_owned(), 200), ("2".to_owned(), 400)]));
    let many: Vec<Value> =
        (0..21).map(|id| json!({"id": id.to_string(), "method": "GET", "url": "/organization"})).collect();
    let refused = visitor
        .http
        .post(&url)
        .bearer_auth(&visitor.token)
        .json(&json!({ "requests": many }))
        .send()
        .await
        .expect("an answer");
    assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn the_quota_is_kept_and_refused_requests_count() {
    let visitor = Visitor::new(100, |config| config.throttle = Some(Throttle { requests: 3, window_ms: 60_000 })).await;
    for _ in 0..3 {
        assert_eq!(visitor.get("beta/deviceManagement/intents").await.0, StatusCode::OK);
    }
    let url = format!("{}/beta/deviceManagement/intents", visitor.cloud.graph_url());
    let refused = visitor.http.get(url).bearer_auth(&visitor.token).send().await.expect("an answer");
    assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
    assert!(refused.headers()["retry-after"].to_str().expect("text").parse::<u64>().expect("seconds") > 50);
    assert_eq!(visitor.cloud.control().counts().throttled, 1);
}

#[tokio::test]
async fn faults_happen_when_and_where_they_are_asked_for() {
    let visitor = Visitor::new(300, |_| {}).await;
    let path = "beta/deviceManagement/deviceConfigurations?$top=5";
    let control = visitor.cloud.control();
    control.set_faults(vec![Fault::times(
        "deviceConfigurations",
        1,
        FaultKind::Throttled { retry_after: Some("0.5".into()) },
    )]);
    assert_eq!(visitor.get(path).await.0, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(visitor.get(path).await.0, StatusCode::OK);

    control.set_faults(vec![Fault::always("deviceConfigurations", FaultKind::Reset)]);
    assert!(
        visitor
            .http
            .get(format!("{}/{path}", visitor.cloud.graph_url()))
            .bearer_auth(&visitor.token)
            .send()
            .await
            .is_err()
    );

    control.set_faults(vec![Fault::always("deviceConfigurations", FaultKind::TruncatedJson)]);
    let answer = visitor
        .http
        .get(format!("{}/{path}", visitor.cloud.graph_url()))
        .bearer_auth(&visitor.token)
        .send()
        .await
        .expect("an answer");
    assert!(serde_json::from_str::<Value>(&answer.text().await.expect("text")).is_err());

    control.set_faults(vec![Fault::always("deviceConfigurations", FaultKind::EmptyPage)]);
    let page = visitor.get(path).await.1;
    assert_eq!(page["value"], json!([]));
    assert!(page["@odata.nextLink"].is_string());

    control.set_faults(vec![Fault::always("deviceConfigurations", FaultKind::LoopingLink)]);
    let first = visitor.get(path).await.1["@odata.nextLink"].as_str().expect("a link").to_owned();
    assert_eq!(visitor.get_url(&first).await.1["@odata.nextLink"], json!(first));

    control.set_faults(vec![Fault::always(
        "deviceConfigurations",
        FaultKind::ForeignLink { host: "http://127.0.0.1:9".into() },
    )]);
    assert!(visitor.get(path).await.1["@odata.nextLink"].as_str().expect("a link").starts_with("http://127.0.0.1:9/"));

    control.set_faults(vec![Fault::times("deviceConfigurations", 1, FaultKind::TokenRevoked)]);
    assert_eq!(visitor.get(path).await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(visitor.get(path).await.0, StatusCode::UNAUTHORIZED, "only a new token helps");

    let visitor = Visitor::new(300, |config| {
        config.faults = vec![Fault::always("intents", FaultKind::SlowBody { pause_ms: 30 })];
    })
    .await;
    let started = std::time::Instant::now();
    assert_eq!(visitor.get("beta/deviceManagement/intents").await.0, StatusCode::OK);
    assert!(started.elapsed() >= Duration::from_millis(200));
}

#[tokio::test]
async fn a_collection_may_come_in_part_with_a_link_of_its_own() {
    let visitor = Visitor::new(300, |config| {
        config.faults = vec![Fault::always("$expand=settings", FaultKind::PartialCollections)];
    })
    .await;
    let policy = visitor.all("beta/deviceManagement/configurationPolicies?$expand=settings").await.swap_remove(0);
    assert_eq!(policy["settings"].as_array().map(Vec::len), Some(1));
    let link = policy["settings@odata.nextLink"].as_str().expect("a link");
    let path = link.strip_prefix(&format!("{}/", visitor.cloud.graph_url())).expect("a link to the same host");
    let count = 1 + visitor.all(path).await.len();
    assert_eq!(policy["settingCount"].as_u64(), Some(count as u64));
}

#[tokio::test]
async fn time_changes_what_it_says_and_nothing_else() {
    let visitor = Visitor::new(1_500, |_| {}).await;
    let path = "beta/deviceManagement/configurationPolicies?$expand=assignments,settings&$top=200";
    let by_id = |objects: Vec<Value>| -> std::collections::BTreeMap<String, Value> {
        objects.into_iter().map(|object| (object["id"].as_str().expect("an id").to_owned(), object)).collect()
    };
    let before = by_id(visitor.all(path).await);
    let told = visitor.cloud.control().evolve(&visitor.tenant.tenant_id, 1).swap_remove(0);
    let after = by_id(visitor.all(path).await);
    let key = "settingsCatalogPolicy";
    assert!(told.added[key].iter().all(|id| after.contains_key(id) && !before.contains_key(id)));
    assert!(told.deleted[key].iter().all(|id| !after.contains_key(id) && before.contains_key(id)));
    for id in &told.renamed[key] {
        assert_ne!(before[id]["name"], after[id]["name"]);
    }
    for id in &told.reassigned[key] {
        assert_ne!(before[id]["assignments"], after[id]["assignments"]);
    }
    for id in &told.edited[key] {
        assert_ne!(before[id]["description"], after[id]["description"]);
    }
    for id in &told.noisy[key] {
        assert_eq!(before[id]["settings"], after[id]["settings"]);
        assert_ne!(before[id]["lastModifiedDateTime"], after[id]["lastModifiedDateTime"]);
    }
}

#[tokio::test]
async fn secrets_are_planted_where_real_tenants_have_them() {
    let visitor = Visitor::new(600, |_| {}).await;
    for path in [
        "beta/deviceManagement/androidDeviceOwnerEnrollmentProfiles",
        "beta/deviceManagement/deviceConfigurations",
        "beta/deviceManagement/depOnboardingSettings",
        "beta/deviceAppManagement/vppTokens",
        "beta/deviceManagement/virtualEndpoint/onPremisesConnections",
        "beta/deviceManagement/configurationPolicies?$expand=settings",
    ] {
        let text = serde_json::to_string(&visitor.all(path).await).expect("JSON");
        assert!(text.contains(SECRET_MARK), "{path}");
    }
    let id =
        visitor.all("beta/deviceManagement/deviceManagementScripts").await[0]["id"].as_str().expect("an id").to_owned();
    let script = visitor.get(&format!("beta/deviceManagement/deviceManagementScripts/{id}")).await.1;
    assert!(script["scriptContent"].is_string(), "the body comes with the single read only");
}

#[tokio::test]
async fn groups_answer_by_id_by_filter_and_in_bulk() {
    let visitor = Visitor::new(300, |_| {}).await;
    let groups = visitor.get("v1.0/groups").await.1;
    let id = groups["value"][0]["id"].as_str().expect("an id").to_owned();
    assert_eq!(visitor.get(&format!("v1.0/groups/{id}?$select=id,displayName")).await.1["id"], json!(id));
    let url = format!("{}/v1.0/directoryObjects/getByIds", visitor.cloud.graph_url());
    let body = json!({"ids": [id, "11111111-2222-4333-8444-555555555555"], "types": ["group"]});
    let found: Value = visitor
        .http
        .post(url)
        .bearer_auth(&visitor.token)
        .json(&body)
        .send()
        .await
        .expect("an answer")
        .json()
        .await
        .expect("JSON");
    assert_eq!(found["value"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn the_control_works_over_http_too() {
    let visitor = Visitor::new(300, |_| {}).await;
    let origin = visitor.cloud.login_url().replace("/login", "/_sim");
    let expected: Value =
        visitor.http.post(format!("{origin}/expected")).send().await.expect("an answer").json().await.expect("JSON");
    assert!(expected["settingsCatalogPolicy"].is_array());
    let sent = json!({"faults": [{"path": "intents", "count": 1, "kind": {"throttled": {"retry_after": null}}}]});
    visitor
        .http
        .post(format!("{origin}/faults"))
        .json(&sent)
        .send()
        .await
        .expect("an answer")
        .error_for_status()
        .expect("taken");
    assert_eq!(visitor.get("beta/deviceManagement/intents").await.0, StatusCode::TOO_MANY_REQUESTS);
    let counts: Value =
        visitor.http.post(format!("{origin}/counts")).send().await.expect("an answer").json().await.expect("JSON");
    assert_eq!(counts["throttled"], json!(1));
}
