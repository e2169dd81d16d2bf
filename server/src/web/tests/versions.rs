//! The body of a version and what differs between two, as pages and as downloads.

use axum::http::{Method, StatusCode, header};
use serde_json::Value;
use tenantatlas_domain::role::Role;

use super::site::{Answer, Site, Who};

const HTML: &str = "text/html";
const OPERATOR: Who = Who::Member(Role::Operator);

async fn get(site: &Site, who: Who, path: &str) -> Answer {
    let answer =
        site.ask(who, Method::GET, &format!("/t/{}/inventory/{}{path}", site.own, site.item), HTML, None).await;
    site.settle().await;
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_is_a_tree_of_its_settings_and_the_item_leads_there() {
    let site = Site::start().await;
    let item = get(&site, OPERATOR, "").await;
    assert!(item.body.contains(&format!("/inventory/{}/versions/1\"", site.item)), "{}", item.body);
    let reader = get(&site, Who::Member(Role::Readonly), "").await;
    assert!(reader.body.contains("Version 1") && !reader.body.contains("/versions/1"), "bodies are for operators");
    let page = get(&site, OPERATOR, "/versions/1").await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.body.contains("Version 1 of ") && page.body.contains("class=\"settings\""), "{}", page.body);
    let body = get(&site, OPERATOR, "/versions/1/body.json").await;
    let body: Value = serde_json::from_str(&body.body).expect("JSON");
    let settings = body["settings"].as_array().expect("settings");
    assert!(!settings.is_empty());
    for setting in settings {
        let id = setting["settingInstance"]["settingDefinitionId"].as_str().expect("an id");
        assert!(page.body.contains(id), "{id} is not shown");
    }
    assert_eq!(get(&site, OPERATOR, "/versions/7").await.status, StatusCode::NOT_FOUND);
    assert_eq!(get(&site, OPERATOR, "/versions/one").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_difference_says_that_nothing_differs_and_of_how_much() {
    let site = Site::start().await;
    for query in ["", "?from=1&to=1", "?from=1&to=1&show=all", "?from=nonsense"] {
        let page = get(&site, OPERATOR, &format!("/difference{query}")).await;
        assert_eq!(page.status, StatusCode::OK, "{query}");
        assert!(page.body.contains("No setting differs; "), "{query}: {}", page.body);
        assert_eq!(page.body.contains("class=\"difference\""), query.contains("show=all"), "{query}");
    }
    assert_eq!(get(&site, OPERATOR, "/difference?from=1&to=9").await.status, StatusCode::NOT_FOUND);
    let document = get(&site, OPERATOR, "/difference.json?from=1&to=1").await;
    assert_eq!(document.headers[header::CONTENT_TYPE], "application/json");
    let document: Value = serde_json::from_str(&document.body).expect("JSON");
    assert_eq!(document["same"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_download_of_a_version_is_written_down_with_what_it_was() {
    let site = Site::start().await;
    get(&site, OPERATOR, "/versions/1/body.json").await;
    get(&site, OPERATOR, "/difference.json?from=1&to=1").await;
    let entries = site.entries("policy.exported").await;
    assert_eq!(entries.len(), 2);
    assert!(entries.iter().all(|entry| entry.resource_id == site.item.to_string()));
    let told: Vec<_> = entries.iter().map(|entry| entry.context["of"].clone()).collect();
    assert!(told.iter().any(|of| of["version"] == 1) && told.iter().any(|of| of["from"] == 1), "{told:?}");
}
