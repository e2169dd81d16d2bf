//! The list of items over HTTP, as a browser without script sends its forms.

use axum::http::{Method, StatusCode, header};
use tenantatlas_domain::registry::registry;
use tenantatlas_domain::role::Role;
use tenantatlas_domain::selection::Selection;
use tenantatlas_engine::Actor;
use tenantatlas_graph_sim::{Fault, FaultKind};
use tenantatlas_store::saved_views;

use super::site::{Site, Who};

const HTML: &str = "text/html";

#[tokio::test(flavor = "multi_thread")]
async fn fields_that_are_empty_leave_the_address_of_a_list() {
    let site = Site::start().await;
    let (who, base) = (Who::Member(Role::Readonly), format!("/t/{}/inventory", site.own));
    let location = |path: &str| {
        let (site, path) = (&site, path.to_owned());
        async move {
            let answer = site.ask(who, Method::GET, &path, HTML, None).await;
            (answer.status, answer.headers.get(header::LOCATION).and_then(|to| to.to_str().ok()).map(str::to_owned))
        }
    };
    let led = location(&format!("{base}?q=&category=&state=present&platform=")).await;
    assert_eq!(led, (StatusCode::SEE_OTHER, Some(format!("{base}?state=present"))));
    assert_eq!(location(&format!("{base}?q=")).await, (StatusCode::SEE_OTHER, Some(base.clone())));
    assert_eq!(location(&format!("{base}?state=present")).await, (StatusCode::OK, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_of_what_was_picked_holds_nothing_else_and_none_is_not_all() {
    let site = Site::start().await;
    let export = |who: Who, query: String| {
        let path = format!("/t/{}/inventory/export.csv?picked=1{query}", site.own);
        let site = &site;
        async move { site.ask(who, Method::GET, &path, "text/csv", None).await }
    };
    let reader = Who::Member(Role::Readonly);
    let one = export(reader, format!("&items%5B%5D={}", site.item)).await;
    assert_eq!(one.status, StatusCode::OK);
    assert_eq!(one.body.trim().lines().count(), 2, "the head and one item: {}", one.body);
    let none = export(reader, String::new()).await;
    assert_eq!(none.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", none.body);
    let unknown = export(reader, format!("&items%5B%5D={}", site.run)).await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND, "{}", unknown.body);
    // The same id, asked for in another tenant by whoever may see both.
    let path = format!("/t/{}/inventory/export.csv?picked=1&items%5B%5D={}", site.other, site.item);
    let elsewhere = site.ask(Who::Administrator, Method::GET, &path, "text/csv", None).await;
    assert_eq!(elsewhere.status, StatusCode::NOT_FOUND, "{}", elsewhere.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_of_what_was_picked_says_which_of_their_types_were_not_read_and_why() {
    let site = Site::start().await;
    // One more run of the same scope, in which the cloud fails.
    let refused = FaultKind::Status { status: 403, code: "Forbidden".to_owned(), message: "no".to_owned() };
    site.cloud.control().set_faults(vec![Fault::always("deviceManagement/configurationPolicies", refused)]);
    let selection = Selection {
        policy_types: vec!["settingsCatalogPolicy".to_owned()],
        categories: Vec::new(),
        include_foundations: false,
        include_dependencies: false,
    };
    site.engine.dispatch_sync(&Actor::command_line(), site.own, &selection).await.expect("dispatched");
    site.settle().await;
    let export = async |kind: &str| {
        let path = format!("/t/{}/inventory/export.{kind}?picked=1&items%5B%5D={}", site.own, site.item);
        site.ask(Who::Member(Role::Readonly), Method::GET, &path, "text/csv", None).await.body
    };
    let csv = export("csv").await;
    let lines: Vec<&str> = csv.trim().lines().collect();
    assert_eq!(lines.len(), 3, "the head, the type that was not read, and the item: {csv}");
    assert!(lines[1].contains("not_read") && lines[1].contains("permission_missing"), "{csv}");
    let json: serde_json::Value = serde_json::from_str(&export("json").await).expect("JSON");
    assert_eq!(json["not_read"][0]["reason_code"], "permission_missing", "{json}");
    assert_eq!(json["items"].as_array().map(Vec::len), Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_of_what_was_picked_leads_to_its_run_and_reads_those_types() {
    let site = Site::start().await;
    let form = format!("items%5B%5D={}&picked=1", site.item);
    let path = format!("/t/{}/api/sync_items", site.own);
    let started = site.ask(Who::Member(Role::Operator), Method::POST, &path, HTML, Some(&form)).await;
    let location = started.headers.get(header::LOCATION).and_then(|to| to.to_str().ok()).unwrap_or_default();
    assert!(location.starts_with(&format!("/t/{}/runs/", site.own)), "{location} {}", started.body);
    let page = site.ask(Who::Member(Role::Operator), Method::GET, location, HTML, None).await;
    let picked = registry().get("settingsCatalogPolicy").expect("the type of every item of the site").label;
    assert!(page.body.contains(picked), "the type of the item that was picked");
    site.settle().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_saved_view_keeps_the_filter_and_neither_its_page_nor_what_is_no_filter() {
    let site = Site::start().await;
    let who = Who::Member(Role::Readonly);
    let form = "name=Present+ones&query=state%3Dpresent%26sort%3Dtype%26after%3Dx%26evil%3D%2F%2Fevil.example";
    let path = format!("/t/{}/api/save_view", site.own);
    let saved = site.ask(who, Method::POST, &path, HTML, Some(form)).await;
    let location = saved.headers.get(header::LOCATION).and_then(|to| to.to_str().ok()).unwrap_or_default();
    assert_eq!(location, format!("/t/{}/inventory?state=present&sort=type&done=view", site.own), "{}", saved.body);
    let views = saved_views::list(site.engine.reader(), site.people[&who], site.own).await.expect("views");
    assert_eq!(views.iter().map(|view| view.query.as_str()).collect::<Vec<_>>(), ["state=present&sort=type"]);
    let page = site.ask(who, Method::GET, &format!("/t/{}/inventory", site.own), HTML, None).await;
    assert!(page.body.contains("Present ones"), "it stands above the list");
    let other = Who::Member(Role::Owner);
    let page = site.ask(other, Method::GET, &format!("/t/{}/inventory", site.own), HTML, None).await;
    assert!(!page.body.contains("Present ones"), "and above nobody else's");
}
