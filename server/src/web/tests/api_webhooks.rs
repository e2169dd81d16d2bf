//! Endpoints, groups, what follows a sync and what a person was told, over the REST API.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use tenantatlas_domain::role::Role;
use tenantatlas_engine::Actor;
use tenantatlas_store::api_tokens::ApiTokenOwner;
use tenantatlas_store::audit;

use super::api::problem;
use super::site::{Site, Who};
use crate::web::api::Verb;

impl Site {
    /// Asks, and answers what is told.
    async fn told(&self, token: &str, verb: Verb, path: &str, body: Option<&Value>) -> Value {
        let answer = self.call(token, verb, path, body).await;
        assert!(answer.status.is_success(), "{path}: {} {}", answer.status, answer.body);
        serde_json::from_str(&answer.body).expect("JSON")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_is_added_changed_and_removed_and_its_secret_is_told_once() {
    let site = Site::start().await;
    let token = site.personal(Who::Member(Role::Manager), Role::Manager).await;
    let path = format!("/api/v1/tenants/{}/endpoints", site.own);
    let body = json!({
        "kind": "webhook", "name": "Alerts", "address": "https://hooks.contoso.com/right-in-the-path",
        "events": ["run.ended"], "states": ["failed"],
    });
    for (field, wrong) in [
        ("kind", json!("pager")),
        ("name", json!("")),
        ("address", json!("https://10.0.0.1/x")),
        ("events", json!(["endpoint.test"])),
        ("states", json!(["running"])),
        ("operations", json!(["tenants.remove"])),
        ("digest", json!(true)),
    ] {
        let mut body = body.clone();
        body[field] = wrong;
        let refused = site.call(&token, Verb::Post, &path, Some(&body)).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{field}: {}", refused.body);
        assert_eq!(problem(&refused)["errors"][0]["field"], field, "{}", refused.body);
    }
    let key = [("idempotency-key", "alerts-1")];
    let first = site.call_with(&token, Method::POST, &path, Some(&body), &key).await;
    let added: Value = serde_json::from_str(&first.body).expect("JSON");
    let secret = added["secret"].as_str().expect("a secret").to_owned();
    assert!(secret.starts_with("whsec_"));
    let again = site.call_with(&token, Method::POST, &path, Some(&body), &key).await;
    let again: Value = serde_json::from_str(&again.body).expect("JSON");
    assert_eq!(
        (&again["endpoint"], &again["secret"]),
        (&added["endpoint"], &Value::Null),
        "it is kept nowhere in clear"
    );
    let one = format!("{path}/{}", added["endpoint"]["id"].as_str().expect("an id"));
    let change = json!({ "name": "Alarms", "events": ["findings.new", "run.ended"], "enabled": false });
    let changed = site.told(&token, Verb::Patch, &one, Some(&change)).await;
    assert_eq!(
        (&changed["name"], &changed["events"], &changed["states"], &changed["enabled"]),
        (&change["name"], &change["events"], &json!(["failed"]), &json!(false)),
        "what is left out stays"
    );
    let refused = site.call(&token, Verb::Patch, &one, Some(&json!({ "address": "https://example.com/x" }))).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST, "another address is another endpoint: {}", refused.body);
    let listed = site.call(&token, Verb::Get, &path, None).await;
    assert!(listed.body.contains("hooks.contoso.com") && listed.body.contains("Alarms"), "{}", listed.body);
    assert!(!listed.body.contains("right-in-the-path") && !listed.body.contains(&secret), "{}", listed.body);
    site.told(&token, Verb::Post, &format!("{one}/remove"), None).await;
    assert_eq!(site.call(&token, Verb::Get, &one, None).await.status, StatusCode::NOT_FOUND);
    let filter = audit::Filter { limit: 100, ..audit::Filter::default() };
    let entries = audit::list(site.engine.reader(), &filter).await.expect("entries");
    let of_token =
        |action: &str| entries.iter().filter(|one| one.action == action && one.actor_kind == "token").count();
    assert_eq!(
        ["endpoint.added", "endpoint.changed", "endpoint.removed"].map(|action| of_token(action) > 0),
        [true; 3]
    );
    assert!(entries.iter().all(|one| !one.context.to_string().contains("right-in-the-path")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_is_told_with_its_end_and_sent_again_once_its_endpoint_is_on() {
    let site = Site::start().await.telling().await;
    let token = site.personal(Who::Member(Role::Manager), Role::Manager).await;
    let (endpoint, delivery) = site.endpoint;
    let tenant = format!("/api/v1/tenants/{}", site.own);
    let log = site.told(&token, Verb::Get, &format!("{tenant}/endpoints/{endpoint}/deliveries?limit=1"), None).await;
    assert_eq!((&log["items"][0]["id"], &log["next"]), (&json!(delivery), &Value::Null), "{log}");
    assert_eq!((&log["items"][0]["status"], &log["items"][0]["run_id"]), (&json!("failed"), &json!(site.run)), "{log}");
    let replay = format!("{tenant}/deliveries/{delivery}/replay");
    let refused = site.call(&token, Verb::Post, &replay, None).await;
    assert_eq!(refused.status, StatusCode::CONFLICT, "it is switched off: {}", refused.body);
    // Nothing of another tenant is found by its id.
    let foreign = site.personal(Who::Administrator, Role::Owner).await;
    for path in ["deliveries/{}", "deliveries/{}/replay"] {
        let verb = if path.ends_with("replay") { Verb::Post } else { Verb::Get };
        let path = format!("/api/v1/tenants/{}/{}", site.other, path.replace("{}", &delivery.to_string()));
        assert_eq!(site.call(&foreign, verb, &path, None).await.status, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_wishes_and_gaps_are_told_as_the_pages_tell_them() {
    let site = Site::start().await;
    site.sync_everything().await;
    let token = site.personal(Who::Member(Role::Manager), Role::Manager).await;
    let tenant = format!("/api/v1/tenants/{}", site.own);
    let groups = site.told(&token, Verb::Get, &format!("{tenant}/groups?limit=1"), None).await;
    let group = groups["items"][0]["id"].as_str().expect("a group");
    let path = format!("{tenant}/groups/{group}");
    let told = site.told(&token, Verb::Get, &path, None).await;
    assert_eq!(told["group"], groups["items"][0]);
    let counted: u64 = told["types"].as_array().expect("types").iter().filter_map(|one| one["included"].as_u64()).sum();
    assert!(counted > 0 && !told["items"].as_array().expect("items").is_empty(), "{told}");
    let word = groups["items"][0]["name"].as_str().expect("a name").split(' ').next().expect("a word").to_owned();
    let found = site.told(&token, Verb::Get, &format!("{tenant}/groups?q={word}"), None).await;
    assert!(!found["items"].as_array().expect("items").is_empty(), "{found}");
    let unknown = site.call(&token, Verb::Get, &format!("{tenant}/groups/{}", uuid::Uuid::nil()), None).await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);

    let wishes = format!("{tenant}/after-sync");
    let before = site.told(&token, Verb::Get, &wishes, None).await;
    let after = site.told(&token, Verb::Patch, &wishes, Some(&json!({ "drift": true }))).await;
    assert_eq!((&after["drift"], &after["capture"]), (&json!(true), &before["capture"]));
    let compared = site.told(&token, Verb::Get, &format!("{tenant}/comparison"), None).await;
    assert_eq!(compared["comparison"], Value::Null, "nothing was compared yet");
    site.sync_everything().await;
    let compared = site.told(&token, Verb::Get, &format!("{tenant}/comparison"), None).await;
    assert!(compared["comparison"]["not_comparable"].is_array(), "{compared}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_told_their_own_notifications_of_the_tenant_alone() {
    let site = Site::start().await;
    let token = site.personal(Who::Member(Role::Operator), Role::Operator).await;
    let tenant = format!("/api/v1/tenants/{}", site.own);
    let of_tenant = site.token_of(ApiTokenOwner::Tenant(site.own), Role::Owner).await.1;
    let compare = format!("/t/{}/api/compare_runs", site.own);
    site.ask(Who::Member(Role::Operator), Method::POST, &compare, "text/html", Some("")).await;
    site.settle().await;
    let path = format!("{tenant}/notifications");
    let told = site.told(&token, Verb::Get, &path, None).await;
    let of_run = told["items"].as_array().expect("items").iter().find(|one| one["kind"] == "operation.ended");
    assert!(of_run.is_some_and(|one| one["title"].as_str().is_some_and(|title| !title.is_empty())), "{told}");
    let none = site.told(&of_tenant, Verb::Get, &path, None).await;
    assert_eq!(none["items"], json!([]), "it has no person");
}

#[tokio::test(flavor = "multi_thread")]
async fn notifications_are_marked_as_read_by_their_person_alone_and_in_the_tenant_of_the_address_alone() {
    let site = Site::start().await;
    let whose = Who::Member(Role::Operator);
    let compare = format!("/t/{}/api/compare_runs", site.own);
    for _ in 0..2 {
        site.ask(whose, Method::POST, &compare, "text/html", Some("")).await;
        site.settle().await;
    }
    let token = site.personal(whose, Role::Readonly).await;
    let path = format!("/api/v1/tenants/{}/notifications", site.own);
    let unread = format!("{path}?unread=true");
    let told = site.told(&token, Verb::Get, &unread, None).await;
    assert_eq!(told["items"].as_array().expect("items").len(), 2, "{told}");
    let one = format!("{path}/{}/read", told["items"][0]["id"].as_str().expect("an id"));
    let of_tenant = site.token_of(ApiTokenOwner::Tenant(site.own), Role::Owner).await.1;
    let of_other = site.personal(Who::Member(Role::Manager), Role::Manager).await;
    for foreign in [&of_tenant, &of_other] {
        let refused = site.call(foreign, Verb::Post, &one, None).await;
        assert_eq!((refused.status, problem(&refused)["code"].as_str()), (StatusCode::NOT_FOUND, Some("not_found")));
        assert_eq!(site.told(foreign, Verb::Post, &format!("{path}/read"), None).await, json!({ "marked": 0 }));
    }
    // The person may see the other tenant by now, but the notification is not about it.
    site.engine
        .set_member(&Actor::command_line(), site.other, site.people[&whose], Role::Owner)
        .await
        .expect("a member");
    let elsewhere = site.personal(whose, Role::Operator).await;
    let there = one.replace(&site.own.to_string(), &site.other.to_string());
    assert_eq!(site.call(&elsewhere, Verb::Post, &there, None).await.status, StatusCode::NOT_FOUND);
    let all_there = format!("/api/v1/tenants/{}/notifications/read", site.other);
    assert_eq!(site.told(&elsewhere, Verb::Post, &all_there, None).await, json!({ "marked": 0 }));
    assert_eq!(site.told(&token, Verb::Get, &unread, None).await["items"].as_array().expect("items").len(), 2);
    let read = site.told(&token, Verb::Post, &one, None).await;
    assert!(read["read_at"].is_string() && read["id"] == told["items"][0]["id"], "{read}");
    assert_eq!(site.told(&token, Verb::Post, &one, None).await, read, "the time when it was read stays");
    assert_eq!(site.told(&token, Verb::Get, &unread, None).await["items"].as_array().expect("items").len(), 1);
    assert_eq!(site.told(&token, Verb::Post, &format!("{path}/read"), None).await, json!({ "marked": 1 }));
    assert_eq!(site.told(&token, Verb::Get, &unread, None).await["items"], json!([]));
    let nonsense = site.call(&token, Verb::Post, &format!("{path}/nonsense/read"), None).await;
    assert_eq!(nonsense.status, StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_and_schedules_are_those_of_the_tenants_of_the_token() {
    let site = Site::start().await.scheduled().await;
    let member = site.personal(Who::Member(Role::Manager), Role::Manager).await;
    let all = site.personal(Who::Administrator, Role::Owner).await;
    let body = json!({ "tenants": [site.own, site.other], "spread_minutes": 30, "schedule": {
        "name": "Both", "operation": "inventory.sync", "cron": "0 0 1 1 *", "zone": "UTC",
    } });
    let added = site.told(&member, Verb::Post, "/api/v1/schedules", Some(&body)).await;
    assert_eq!((&added["added"][0]["tenant_id"], &added["added"][0]["spread_minutes"]), (&json!(site.own), &json!(30)));
    assert_eq!(
        (&added["refused"][0]["tenant_id"], &added["refused"][0]["code"]),
        (&json!(site.other), &json!("not_found"))
    );
    site.told(
        &all,
        Verb::Post,
        "/api/v1/schedules",
        Some(&json!({ "tenants": [site.other], "schedule": body["schedule"] })),
    )
    .await;
    let mine = site.told(&member, Verb::Get, "/api/v1/schedules", None).await;
    assert!(mine["items"].as_array().expect("items").iter().all(|one| one["tenant_id"] == json!(site.own)), "{mine}");
    let mut seen = Vec::new();
    let mut path = "/api/v1/schedules?limit=1".to_owned();
    loop {
        let page = site.told(&all, Verb::Get, &path, None).await;
        seen.extend(page["items"].as_array().expect("items").iter().map(|one| one["tenant_id"].clone()));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/api/v1/schedules?limit=1&after={next}");
    }
    assert_eq!(seen.len(), 3, "{seen:?}");
    let found = site.told(&member, Verb::Get, "/api/v1/settings?q=type:settingsCatalogPolicy", None).await;
    assert!(!found.to_string().contains("Fabrikam"), "{found}");
    assert!(found["found"]["coverage"].is_object() || found["found"].is_object(), "{found}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_action_and_an_operation_that_there_are_not_are_told_with_those_there_are() {
    let site = Site::start().await;
    let token = site.personal(Who::Member(Role::Manager), Role::Manager).await;
    let tenant = format!("/api/v1/tenants/{}", site.own);
    let refused = site.call(&token, Verb::Get, &format!("{tenant}/audit?action=inventory.sync.finished"), None).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    let words = problem(&refused)["detail"].as_str().expect("words").to_owned();
    assert!(words.contains("inventory.sync.finished") && words.contains("policies.capture"), "{words}");
    site.told(&token, Verb::Get, &format!("{tenant}/audit?action=inventory.sync.dispatched"), None).await;
    let path = format!("/t/{}/audit?action=foo", site.own);
    let page = site.ask(Who::Member(Role::Manager), Method::GET, &path, "text/html", None).await;
    assert!(page.body.contains("There is no action foo"));
    let kinds: Vec<String> = site.engine.runs().operations().kinds().iter().map(ToString::to_string).collect();
    let mut names = tenantatlas_engine::OPERATION_NAMES.map(ToOwned::to_owned).to_vec();
    names.sort();
    let mut known = kinds.clone();
    known.sort();
    assert_eq!(names, known, "the names that are told are those of the operations");
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_are_found_by_the_schedule_and_the_token_that_started_them() {
    let site = Site::start().await;
    let (id, token) = site.token_of(ApiTokenOwner::Tenant(site.own), Role::Operator).await;
    let runs = format!("/api/v1/tenants/{}/runs", site.own);
    site.told(&token, Verb::Post, &runs, Some(&json!({ "operation": "drift.generate" }))).await;
    site.settle().await;
    let of_token = site.told(&token, Verb::Get, &format!("{runs}?by=token-{id}"), None).await;
    let items = of_token["items"].as_array().expect("items");
    assert!(!items.is_empty() && items.iter().all(|one| one["token_id"] == json!(id)), "{of_token}");
    for none in ["token", "schedule"].map(|kind| format!("{runs}?by={kind}-{}", uuid::Uuid::nil())) {
        let found = site.told(&token, Verb::Get, &none, None).await;
        assert_eq!(found["items"], json!([]), "{none}");
    }
    let operator = Who::Member(Role::Operator);
    let page = site.ask(operator, Method::GET, &format!("/t/{}/runs?by=token-{id}", site.own), "text/html", None).await;
    assert!(
        page.body.contains("By Token Test") && page.body.contains("name=\"by\" id=\"filter-by\" value=\"Token Test\""),
        "{}",
        page.body
    );
    let run = items[0]["id"].as_str().expect("an id");
    let page = site.ask(operator, Method::GET, &format!("/t/{}/runs/{run}", site.own), "text/html", None).await;
    assert!(page.body.contains("Token Test"), "{}", page.body);
    assert!(page.body.contains("started: Comparison") || page.body.contains("started: "), "the audit box is in words");
}
