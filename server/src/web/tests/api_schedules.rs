//! Schedules and the list of all runs over the REST API.

use axum::http::StatusCode;
use serde_json::{Value, json};
use tenantatlas_domain::ids::TenantId;
use tenantatlas_domain::role::Role;
use tenantatlas_engine::Actor;
use tenantatlas_store::api_tokens::ApiTokenOwner;

use super::api::problem;
use super::site::{Site, Who};
use crate::web::api::Verb;

#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_is_added_by_somebody_who_answers_for_it_and_by_no_token_of_a_tenant() {
    let site = Site::start().await;
    let token = site.personal(Who::Member(Role::Manager), Role::Manager).await;
    let path = format!("/api/v1/tenants/{}/schedules", site.own);
    let body = json!({
        "name": "Nightly", "operation": "inventory.sync", "cron": "30 2 * * *", "zone": "Europe/Berlin",
        "policy_types": ["namedLocation"], "then_drift": true,
    });
    let of_tenant = site.token_of(ApiTokenOwner::Tenant(site.own), Role::Owner).await.1;
    let refused = site.call(&of_tenant, Verb::Post, &path, Some(&body)).await;
    assert_eq!((refused.status, &problem(&refused)["code"]), (StatusCode::CONFLICT, &json!("conflict")));
    for (field, wrong) in [("cron", "0 0 31 2 *"), ("zone", "Mars/Base"), ("operation", "tenants.remove")] {
        let mut body = body.clone();
        body[field] = json!(wrong);
        let refused = site.call(&token, Verb::Post, &path, Some(&body)).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{field}: {}", refused.body);
        assert_eq!(problem(&refused)["errors"][0]["field"], field, "{}", refused.body);
    }
    let added = site.call(&token, Verb::Post, &path, Some(&body)).await;
    assert_eq!(added.status, StatusCode::OK, "{}", added.body);
    let added: Value = serde_json::from_str(&added.body).expect("JSON");
    assert_eq!((&added["options"]["drift"], &added["state"]), (&json!(true), &json!("active")));
    assert!(added["next_due_at"].is_string(), "{added}");
    let one = format!("{path}/{}", added["id"].as_str().expect("an id"));
    // What is left out stays; the rules are those of adding.
    let changed = site.call(&token, Verb::Patch, &one, Some(&json!({ "zone": "UTC", "revision": 1 }))).await;
    assert_eq!(changed.status, StatusCode::OK, "{}", changed.body);
    let changed: Value = serde_json::from_str(&changed.body).expect("JSON");
    assert_eq!((&changed["zone"], &changed["cron"], &changed["revision"]), (&json!("UTC"), &body["cron"], &json!(2)));
    assert_eq!(changed["options"], added["options"], "what is chosen stays");
    let stale = site.call(&token, Verb::Patch, &one, Some(&json!({ "zone": "Europe/Paris", "revision": 1 }))).await;
    assert_eq!((stale.status, &problem(&stale)["code"]), (StatusCode::CONFLICT, &json!("conflict")));
    for (wrong, status) in [
        (json!({ "cron": "0 0 31 2 *" }), StatusCode::UNPROCESSABLE_ENTITY),
        (json!({ "operation": "tenants.remove" }), StatusCode::UNPROCESSABLE_ENTITY),
        (json!({ "tenant_id": site.other }), StatusCode::BAD_REQUEST),
    ] {
        let refused = site.call(&token, Verb::Patch, &one, Some(&wrong)).await;
        assert_eq!(refused.status, status, "{wrong}: {}", refused.body);
    }
    let other = site.call(&token, Verb::Patch, &one, Some(&json!({ "operation": "drift.generate" }))).await;
    let other: Value = serde_json::from_str(&other.body).expect("JSON");
    assert_eq!(other["options"]["drift"], false, "of another operation nothing stays that was chosen of this: {other}");
    let of_nobody = site.call(&of_tenant, Verb::Patch, &one, Some(&json!({ "zone": "UTC" }))).await;
    assert_eq!(of_nobody.status, StatusCode::CONFLICT, "nobody would answer for it: {}", of_nobody.body);
    assert!(of_nobody.body.contains("token of a person"), "{}", of_nobody.body);
    let resume = site.call(&of_tenant, Verb::Post, &format!("{one}/resume"), None).await;
    assert_eq!(resume.status, StatusCode::CONFLICT, "nobody would answer for it: {}", resume.body);
    for (what, state) in [("pause", "paused"), ("resume", "active"), ("remove", "active")] {
        let changed = site.call(&token, Verb::Post, &format!("{one}/{what}"), None).await;
        assert_eq!(changed.status, StatusCode::OK, "{what}: {}", changed.body);
        assert_eq!(serde_json::from_str::<Value>(&changed.body).expect("JSON")["state"], state, "{what}");
    }
    assert_eq!(site.call(&token, Verb::Get, &one, None).await.status, StatusCode::NOT_FOUND);
    let listed = site.call(&token, Verb::Get, &path, None).await;
    assert_eq!(serde_json::from_str::<Value>(&listed.body).expect("JSON")["items"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_of_all_runs_holds_those_of_no_tenant_that_the_token_does_not_name() {
    let site = Site::start().await;
    for tenant in [site.own, site.other] {
        site.engine.check_tenant(&Actor::command_line(), tenant, false).await.expect("dispatched");
    }
    site.settle().await;
    let seen = async |tenants: Vec<TenantId>| {
        let owner = ApiTokenOwner::Person(site.people[&Who::Administrator], tenants);
        let (_, token) = site.token_of(owner, Role::Readonly).await;
        let answer = site.call(&token, Verb::Get, "/api/v1/runs?operation=tenants.check", None).await;
        let page: Value = serde_json::from_str(&answer.body).expect("JSON");
        let runs = page["items"].as_array().expect("runs").clone();
        runs.iter().map(|run| run["tenant_id"].as_str().expect("text").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(seen(vec![site.other]).await, [site.other.to_string()]);
    assert_eq!(seen(Vec::new()).await, [site.other.to_string(), site.own.to_string()], "newest first");
}
