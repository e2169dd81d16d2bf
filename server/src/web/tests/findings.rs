//! The inbox of findings: what is shown to whom, and what its forms do without a script.

use axum::http::{Method, StatusCode, header};
use tenantatlas_domain::role::Role;
use tenantatlas_domain::selection::Selection;
use tenantatlas_engine::Actor;
use tenantatlas_store::findings::{self, Finding, FindingFilter};
use tenantatlas_store::scopes;

use super::site::{Answer, Site, Who};

const HTML: &str = "text/html,application/xhtml+xml";
const OPERATOR: Who = Who::Member(Role::Operator);

/// A site whose first tenant has drifted between two syncs.
async fn drifted() -> Site {
    let site = Site::start().await;
    let simulated = site.cloud.control().config().tenants[0].tenant_id.clone();
    site.cloud.control().evolve(&simulated, 2);
    let selection = Selection {
        policy_types: vec!["settingsCatalogPolicy".to_owned()],
        categories: Vec::new(),
        include_foundations: false,
        include_dependencies: false,
    };
    site.engine.dispatch_sync(&Actor::command_line(), site.own, &selection).await.expect("dispatched");
    site.settle().await;
    site.settle().await;
    site
}

async fn open(site: &Site) -> Vec<Finding> {
    let scope = scopes::main_of(site.engine.reader(), site.own).await.expect("read").expect("a scope");
    let (key, filter) = (scope.selection_hash.to_string(), FindingFilter::default());
    let page = findings::list(site.engine.reader(), site.own, &key, &filter, (None, 500), site.engine.now()).await;
    page.expect("a page").findings
}

async fn shown(site: &Site, who: Who, query: &str) -> String {
    let path = format!("/t/{}/findings{query}", site.own);
    let answer = site.ask(who, Method::GET, &path, HTML, None).await;
    assert_eq!(answer.status, StatusCode::OK, "{path}");
    answer.body
}

async fn sent(site: &Site, who: Who, function: &str, form: &str) -> Answer {
    let path = format!("/t/{}/api/{function}", site.own);
    site.ask(who, Method::POST, &path, HTML, Some(form)).await
}

fn location(answer: &Answer) -> &str {
    answer.headers.get(header::LOCATION).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_drifted_is_shown_to_all_members_and_accepted_by_operators_without_a_script() {
    let site = drifted().await;
    let found = open(&site).await;
    assert!(found.len() >= 5, "{found:?}");
    let page = shown(&site, OPERATOR, "").await;
    for finding in &found {
        assert!(page.contains(&finding.id.to_string()), "{} is there to be picked", finding.display_name);
    }
    let readonly = shown(&site, Who::Member(Role::Readonly), "").await;
    assert!(readonly.contains(&format!("finding-{}", found[0].id)) && !readonly.contains("accept_findings"));
    let form = format!("findings[]={}&reason=as+agreed&until=2999-01-01&query=status%3Dopen", found[0].id);
    let accepted = sent(&site, OPERATOR, "accept_findings", &form).await;
    assert_eq!(accepted.status, StatusCode::FOUND);
    assert!(location(&accepted).ends_with("/findings?status=open&done=accepted"), "{}", location(&accepted));
    let mark = format!("finding-{}", found[0].id);
    assert!(!shown(&site, OPERATOR, "").await.contains(&mark), "what is accepted is no news");
    let there = shown(&site, OPERATOR, "?status=acknowledged").await;
    assert!(there.contains(&mark) && there.contains("as agreed"));
    let reopened = sent(&site, OPERATOR, "reopen_findings", &format!("findings[]={}", found[0].id)).await;
    assert_eq!(reopened.status, StatusCode::FOUND);
    assert!(shown(&site, OPERATOR, "").await.contains("New again"));
    // Without a reason nothing is accepted, and the page says why.
    let refused = sent(&site, OPERATOR, "accept_findings", "everything=true&reason=").await;
    assert!(location(&refused).contains("__err"), "{}", location(&refused));
    assert_eq!(open(&site).await.len(), found.len());
    let everything = sent(&site, OPERATOR, "accept_findings", "everything=true&reason=x").await;
    assert!(location(&everything).ends_with("/findings?done=accepted"), "{}", location(&everything));
    assert!(shown(&site, OPERATOR, "").await.contains("Nothing new"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_could_not_be_compared_is_said_and_is_neither_drift_nor_fine() {
    let site = Site::start().await;
    let compared = sent(&site, OPERATOR, "compare_runs", "").await;
    assert!(location(&compared).contains("/runs/"), "{}", location(&compared));
    site.settle().await;
    let page = shown(&site, OPERATOR, "").await;
    assert!(page.contains("1 type is not comparable") && page.contains("not comparable, because"), "{page}");
}
