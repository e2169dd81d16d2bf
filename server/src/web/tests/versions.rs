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

#[tokio::test(flavor = "multi_thread")]
async fn a_difference_can_be_copied_as_text_with_the_words_of_the_page() {
    let site = Site::of(900).await;
    site.read_everything().await;
    let changed = site.evolve();
    site.read_everything().await;
    let edited = changed.edited.iter().flat_map(|(key, ids)| ids.iter().map(move |id| (key, id)));
    let mut seen = 0;
    for (key, id) in edited.take(8) {
        let Some(item) = site.item_of(key, id).await else { continue };
        let path = format!("/t/{}/inventory/{item}/difference?from=1&to=2", site.own);
        let page = site.ask(OPERATOR, Method::GET, &path, HTML, None).await;
        assert_eq!(page.status, StatusCode::OK, "{key}");
        assert!(page.body.contains("data-copy=\"difference-text\""), "{}", page.body);
        let (_, rest) = page.body.split_once("id=\"difference-text\"").expect("the text");
        let text = rest.split_once('>').and_then(|(_, rest)| rest.split_once("</pre>")).expect("its end").0;
        assert!(text.starts_with("Versions 1 and 2 of "), "{text}");
        assert!(text.contains("\nBefore: version 1, read ") && text.contains("\nAfter: version 2, read "), "{text}");
        assert!(text.contains(" compared."), "{text}");
        let told =
            text.lines().filter(|line| ["changed: ", "added: ", "removed: "].iter().any(|word| line.starts_with(word)));
        for line in told {
            let (_, title) = line.split_once(": ").expect("a title");
            let last = title.rsplit(" › ").next().expect("a title");
            assert!(page.body.contains(last), "{last} is in the text alone");
            seen += 1;
        }
        let reader = site.ask(Who::Member(Role::Readonly), Method::GET, &path, HTML, None).await;
        assert_eq!(reader.status, StatusCode::FORBIDDEN, "values are for those who see bodies");
    }
    assert!(seen > 3, "{seen} changes");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_is_shown_once_it_is_asked_for() {
    let site = Site::of(900).await;
    site.read_everything().await;
    let control = site.cloud.control();
    let expected = control.expected(&control.config().tenants[0].tenant_id);
    for key in ["deviceManagementScript", "deviceShellScript"] {
        let Some(id) = expected.get(key).and_then(|ids| ids.first()) else { continue };
        let item = site.item_of(key, id).await.expect("an item");
        let page = |rest: &str| format!("/t/{}/inventory/{item}/versions/1{rest}", site.own);
        let hidden = site.ask(OPERATOR, Method::GET, &page(""), HTML, None).await;
        assert!(hidden.body.contains("Hidden, ") && !hidden.body.contains("aria-label=\"Content\""), "{}", hidden.body);
        let shown = site.ask(OPERATOR, Method::GET, &page("?scripts=shown"), HTML, None).await;
        assert!(shown.body.contains("aria-label=\"Content\""), "{}", shown.body);
        assert!(!shown.body.contains("Hidden, "), "{}", shown.body);
    }
}
