//! The search of settings, as a page and as downloads.

use axum::http::{Method, StatusCode, header};
use serde_json::Value;
use tenantatlas_domain::role::Role;

use super::site::{Answer, Site, Who};

const HTML: &str = "text/html";
const OPERATOR: Who = Who::Member(Role::Operator);
const READER: Who = Who::Member(Role::Readonly);
/// What the site has captured one policy of.
const ALL: &str = "type%3AsettingsCatalogPolicy";

async fn get(site: &Site, who: Who, path: &str) -> Answer {
    let answer = site.ask(who, Method::GET, path, HTML, None).await;
    site.settle().await;
    answer
}

async fn of_tenant(site: &Site, who: Who, rest: &str) -> Answer {
    get(site, who, &format!("/t/{}/policy-settings{rest}", site.own)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_are_found_in_a_tenant_and_over_all_tenants_by_those_who_see_bodies() {
    let site = Site::start().await;
    let version = get(&site, OPERATOR, &format!("/t/{}/inventory/{}/versions/1/body.json", site.own, site.item)).await;
    let body: Value = serde_json::from_str(&version.body).expect("JSON");
    let ids: Vec<&str> = body["settings"]
        .as_array()
        .expect("settings")
        .iter()
        .filter_map(|one| one["settingInstance"]["settingDefinitionId"].as_str())
        .collect();
    assert!(!ids.is_empty());
    for path in [format!("/t/{}/policy-settings", site.own), "/settings".to_owned()] {
        let page = get(&site, OPERATOR, &format!("{path}?q={ALL}")).await;
        assert_eq!(page.status, StatusCode::OK);
        for id in &ids {
            assert!(page.body.contains(id), "{path}: {id} is not found");
        }
        assert!(page.body.contains(&format!("/inventory/{}\"", site.item)), "the policy is linked");
        assert!(page.body.contains("Assigned to: ") && page.body.contains("since "));
        assert!(page.body.contains("not captured"), "what was not searched is told: {}", page.body);
        let values = get(&site, OPERATOR, &format!("{path}?q={ALL}&setting={}", ids[0])).await;
        assert!(values.body.contains("Policies by tenant and value"), "{}", values.body);
        assert!(
            values.body.contains("/export.csv?q=") && values.body.contains("/export.json?q="),
            "they are downloaded"
        );
        assert!(values.body.contains("+value%3A"), "a cell leads to the policies with its value: {}", values.body);
        let help = get(&site, OPERATOR, &path).await;
        assert!(help.body.contains("What can be looked for") && !help.body.contains(ids[0]));
        for (query, expected) in [
            ("vlaue%3Ax", "There is no filter"),
            ("%22x", "quotation mark"),
            ("type%3AsetingsCatalogPolicy", "did you mean settingsCatalogPolicy"),
            ("tenant%3ANobodyKnows", "There is no tenant"),
            ("%2D%2D", "Expected letters or digits"),
        ] {
            let refused = get(&site, OPERATOR, &format!("{path}?q={query}")).await;
            assert_eq!(refused.status, StatusCode::OK);
            assert!(refused.body.contains(expected), "{query}: {}", refused.body);
        }
    }

    let reader = get(&site, READER, &format!("/settings?q={ALL}")).await;
    assert_eq!(reader.status, StatusCode::OK);
    assert!(ids.iter().all(|id| !reader.body.contains(id)), "values are for operators");
    assert!(reader.body.contains("because your role there"), "{}", reader.body);
    assert_eq!(of_tenant(&site, READER, &format!("?q={ALL}")).await.status, StatusCode::FORBIDDEN);
    let stranger = get(&site, Who::Stranger, &format!("/settings?q={ALL}")).await;
    assert!(stranger.body.contains("Nothing found") && ids.iter().all(|id| !stranger.body.contains(id)));
    // The navigation leads there for whom it is.
    let link = format!("/t/{}/policy-settings\"", site.own);
    let inventory = format!("/t/{}/inventory", site.own);
    assert!(get(&site, OPERATOR, &inventory).await.body.contains(&link));
    assert!(!get(&site, READER, &inventory).await.body.contains(&link));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_found_is_downloaded_with_what_was_not_searched_and_written_down() {
    let site = Site::start().await;
    let csv = of_tenant(&site, OPERATOR, &format!("/export.csv?q={ALL}")).await;
    assert_eq!(csv.headers[header::CONTENT_TYPE], "text/csv; charset=utf-8");
    let lines: Vec<&str> = csv.body.lines().collect();
    assert!(lines[0].starts_with("\"kind\",\"tenant\",\"type\""), "{}", lines[0]);
    assert!(lines.iter().any(|line| line.starts_with("\"not_searched\"")), "{}", csv.body);
    let found = lines.iter().filter(|line| line.starts_with("\"setting\"")).count();
    assert!(found > 0);
    let json = get(&site, OPERATOR, &format!("/settings/export.json?q={ALL}")).await;
    let document: Value = serde_json::from_str(&json.body).expect("JSON");
    let policies = document["policies"].as_array().expect("an array");
    assert_eq!(policies.len(), 1);
    assert_eq!(policies[0]["settings"].as_array().expect("an array").len(), found);
    assert_eq!(document["coverage"]["tenants"], 1);
    let entries = site.entries("settings.exported").await;
    assert_eq!(entries.len(), 2);
    for entry in &entries {
        assert_eq!(entry.tenant_id, Some(site.own), "each tenant that was searched is told");
        assert_eq!(entry.context["filter"]["q"], true, "not what was typed");
    }
    let reader = get(&site, READER, &format!("/settings/export.json?q={ALL}")).await;
    let document: Value = serde_json::from_str(&reader.body).expect("JSON");
    assert_eq!(document["policies"].as_array().map(Vec::len), Some(0));
    assert_eq!(of_tenant(&site, READER, &format!("/export.csv?q={ALL}")).await.status, StatusCode::FORBIDDEN);
    assert_eq!(of_tenant(&site, OPERATOR, &format!("/export.xml?q={ALL}")).await.status, StatusCode::NOT_FOUND);
    let refused = of_tenant(&site, OPERATOR, "/export.csv?q=vlaue%3Ax").await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(site.entries("settings.exported").await.len(), 2, "what was refused took nothing away");
}

#[tokio::test(flavor = "multi_thread")]
async fn values_by_tenant_are_downloaded_with_what_was_not_searched_as_the_search_is() {
    let site = Site::start().await;
    let found = get(&site, OPERATOR, &format!("/settings/export.json?q={ALL}")).await;
    let found: Value = serde_json::from_str(&found.body).expect("JSON");
    let key = found["policies"][0]["settings"][0]["key"].as_str().expect("a key").to_owned();
    let json = get(&site, OPERATOR, &format!("/settings/export.json?q={ALL}&setting={key}")).await;
    let json: Value = serde_json::from_str(&json.body).expect("JSON");
    assert_eq!((&json["key"], &json["coverage"]), (&Value::from(key.clone()), &found["coverage"]));
    assert_eq!(json["values"].as_array().map(Vec::len), json["rows"][0]["policies"].as_array().map(Vec::len));
    let csv = of_tenant(&site, OPERATOR, &format!("/export.csv?q={ALL}&setting={key}")).await;
    assert!(csv.headers[header::CONTENT_DISPOSITION].to_str().is_ok_and(|name| name.contains("-values.csv")));
    for kind in ["value", "not_searched"] {
        assert!(csv.body.lines().any(|line| line.starts_with(&format!("\"{kind}\""))), "{kind}: {}", csv.body);
    }
    assert_eq!(site.entries("settings.exported").await.len(), 3, "each is written down");
    assert_eq!(
        of_tenant(&site, READER, &format!("/export.csv?q={ALL}&setting={key}")).await.status,
        StatusCode::FORBIDDEN
    );
}
