//! What the palette finds by the words of engineers, and that it finds what it offers where it leads to.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use tenantatlas_domain::registry::registry;
use tenantatlas_domain::role::Role;

use super::site::{Site, Who};

const JSON: &str = "application/json";
const HTML: &str = "text/html";

/// What it finds: kind, label and address of each.
async fn found(site: &Site, who: Who, base: &str, text: &str) -> Vec<[String; 3]> {
    let asked = json!({ "text": text }).to_string();
    let answer = site.ask(who, Method::POST, &format!("{base}/api/palette"), JSON, Some(&asked)).await;
    assert_eq!(answer.status, StatusCode::OK, "{text}: {}", answer.body);
    let entries: Vec<Value> = serde_json::from_str(&answer.body).expect("entries");
    let text = |entry: &Value, name: &str| entry[name].as_str().unwrap_or_default().to_owned();
    entries.iter().map(|entry| ["kind", "label", "href"].map(|name| text(entry, name))).collect()
}

fn label(key: &str) -> &'static str {
    registry().get(key).expect("a type").label
}

#[tokio::test(flavor = "multi_thread")]
async fn the_words_of_engineers_find_their_page_type_target_or_action_first() {
    let site = Site::start().await;
    let at = format!("/t/{}", site.own);
    for (text, kind, wanted) in [
        ("ASR", "Type", label("endpointSecurityPolicy")),
        ("LAPS", "Type", label("endpointSecurityPolicy")),
        ("esp", "Type", label("enrollmentStatusPage")),
        ("CA", "Type", label("conditionalAccessPolicy")),
        ("schedule", "Page", "Schedules"),
        ("endpoint", "Page", "Endpoints"),
        ("token", "Page", "Tokens"),
        ("all devices", "Group", "All devices"),
        ("all users", "Group", "All users"),
        ("not assigned", "Group", "Nobody"),
        ("capture", "Action", "Capture policies"),
        ("compare", "Page", "Findings"),
        ("compare", "Action", "Compare two syncs"),
        ("check the connection", "Action", "Check the connection"),
    ] {
        let entries = found(&site, Who::Member(Role::Owner), &at, text).await;
        let near = entries.iter().take(4).any(|[one, label, _]| one == kind && label == wanted);
        assert!(near, "{text}: {entries:?}");
    }
    let entries = found(&site, Who::Member(Role::Owner), &at, "ca").await;
    for label in ["Notifications", "Apple tokens"] {
        assert!(entries.iter().all(|[_, one, _]| one != label), "{label}: {entries:?}");
    }
    let outside = found(&site, Who::Administrator, "", "all tenants").await;
    assert!(outside.iter().any(|[_, _, href]| href == "/admin/tenants"), "{outside:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_offered_what_they_may_not_open_and_a_type_alone_is_marked_where_its_sync_leads() {
    let site = Site::start().await;
    let at = format!("/t/{}", site.own);
    for role in [Role::Readonly, Role::Operator, Role::Manager, Role::Owner] {
        let who = Who::Member(role);
        for text in ["", "sync", "esp", "token", "endpoint"] {
            for [_, label, href] in found(&site, who, &at, text).await {
                if href.contains("/export.") {
                    continue;
                }
                let status = site.ask(who, Method::GET, &href, HTML, None).await.status;
                // Whoever has one tenant is led on from the list of them.
                let there = status == StatusCode::OK || (href == "/" && status == StatusCode::SEE_OTHER);
                assert!(there, "{label} for {role:?}: {href} {status}");
            }
        }
    }
    let entries = found(&site, Who::Member(Role::Operator), &at, "esp").await;
    let wanted = format!("Sync only {}", label("enrollmentStatusPage"));
    let sync = entries.iter().find(|[_, label, _]| *label == wanted).unwrap_or_else(|| panic!("{entries:?}"));
    let page = site.ask(Who::Member(Role::Operator), Method::GET, &sync[2], HTML, None).await.body;
    let ticked = |tag: &&str| tag.contains("policy_types[]") && tag.contains("checked");
    let ticked: Vec<&str> = page.split('<').filter(ticked).collect();
    assert!(ticked.len() == 1 && ticked[0].contains("enrollmentStatusPage"), "{ticked:?}");
}
