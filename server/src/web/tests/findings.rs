//! The inbox of findings: what is shown to whom, and what its forms do without a script.

use std::net::SocketAddr;

use axum::http::{Method, StatusCode, header};
use tenantatlas_domain::ids::TenantId;
use tenantatlas_domain::role::Role;
use tenantatlas_domain::selection::Selection;
use tenantatlas_engine::Actor;
use tenantatlas_graph_sim::{SimTenant, Simulator, SimulatorConfig};
use tenantatlas_store::findings::{self, Finding, FindingFilter};
use tenantatlas_store::scopes;

use super::site::{self, Answer, Site, Who};

const HTML: &str = "text/html,application/xhtml+xml";
const OPERATOR: Who = Who::Member(Role::Operator);

/// A site with a tenant that has drifted between two syncs, and the cloud of that tenant.
async fn drifted() -> (Site, TenantId, Simulator) {
    let site = Site::start().await;
    let simulated = SimTenant::new("Northwind", 5, 400);
    let config = SimulatorConfig { tenants: vec![simulated.clone()], ..SimulatorConfig::default() };
    let cloud = Simulator::start(config, SocketAddr::from(([127, 0, 0, 1], 0))).await.expect("a cloud");
    let root = Actor::command_line();
    let tenant = site::tenant(&site.engine, &cloud, 0).await;
    for role in [Role::Manager, Role::Operator, Role::Readonly] {
        let person = site.people[&Who::Member(role)];
        site.engine.set_member(&root, tenant, person, role).await.expect("a member");
    }
    let selection = Selection {
        policy_types: vec!["settingsCatalogPolicy".to_owned()],
        categories: Vec::new(),
        include_foundations: false,
        include_dependencies: false,
    };
    for _ in 0..2 {
        site.engine.dispatch_sync(&root, tenant, &selection).await.expect("dispatched");
        // The sync, and the comparison that follows it.
        site.settle().await;
        site.settle().await;
        cloud.control().evolve(&simulated.tenant_id, 2);
    }
    (site, tenant, cloud)
}

async fn open(site: &Site, tenant: TenantId) -> Vec<Finding> {
    let scope = scopes::main_of(site.engine.reader(), tenant).await.expect("read").expect("a scope");
    let (key, filter) = (scope.selection_hash.to_string(), FindingFilter::default());
    let page = findings::list(site.engine.reader(), tenant, &key, &filter, (None, 500), site.engine.now()).await;
    page.expect("a page").findings
}

async fn shown((site, tenant): (&Site, TenantId), who: Who, query: &str) -> String {
    let path = format!("/t/{tenant}/findings{query}");
    let answer = site.ask(who, Method::GET, &path, HTML, None).await;
    assert_eq!(answer.status, StatusCode::OK, "{path}");
    answer.body
}

async fn sent((site, tenant): (&Site, TenantId), who: Who, function: &str, form: &str) -> Answer {
    let path = format!("/t/{tenant}/api/{function}");
    site.ask(who, Method::POST, &path, HTML, Some(form)).await
}

fn location(answer: &Answer) -> &str {
    answer.headers.get(header::LOCATION).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_drifted_is_shown_to_all_members_and_accepted_by_operators_without_a_script() {
    let (site, tenant, _cloud) = drifted().await;
    let here = (&site, tenant);
    let found = open(&site, tenant).await;
    assert!(found.len() >= 5, "{found:?}");
    let page = shown(here, OPERATOR, "").await;
    for finding in &found {
        assert!(page.contains(&finding.id.to_string()), "{} is there to be picked", finding.display_name);
    }
    let readonly = shown(here, Who::Member(Role::Readonly), "").await;
    assert!(readonly.contains(&format!("finding-{}", found[0].id)) && !readonly.contains("accept_findings"));
    let form = format!("findings[]={}&reason=as+agreed&until=2999-01-01&query=status%3Dopen", found[0].id);
    let accepted = sent(here, OPERATOR, "accept_findings", &form).await;
    assert_eq!(accepted.status, StatusCode::FOUND);
    assert!(location(&accepted).ends_with("/findings?status=open&done=accepted"), "{}", location(&accepted));
    let mark = format!("finding-{}", found[0].id);
    assert!(!shown(here, OPERATOR, "").await.contains(&mark), "what is accepted is no news");
    let there = shown(here, OPERATOR, "?status=acknowledged").await;
    assert!(there.contains(&mark) && there.contains("as agreed"));
    let reopened = sent(here, OPERATOR, "reopen_findings", &format!("findings[]={}", found[0].id)).await;
    assert_eq!(reopened.status, StatusCode::FOUND);
    assert!(shown(here, OPERATOR, "").await.contains("New again"));
    // Without a reason nothing is accepted.
    let refused = sent(here, OPERATOR, "accept_findings", "everything=true&reason=").await;
    assert!(!location(&refused).contains("done="), "{}", location(&refused));
    assert!(shown(here, OPERATOR, "").await.contains(&mark), "it is new as before");
    let everything = sent(here, OPERATOR, "accept_findings", "everything=true&reason=x").await;
    assert!(location(&everything).ends_with("/findings?done=accepted"), "{}", location(&everything));
    assert!(shown(here, OPERATOR, "").await.contains("Nothing new"));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_box_stands_for_several_findings_without_a_script() {
    let (site, tenant, _cloud) = drifted().await;
    let here = (&site, tenant);
    let found = open(&site, tenant).await;
    let form = format!("findings[]={},{}&findings[]={}&reason=x", found[0].id, found[1].id, found[1].id);
    let accepted = sent(here, OPERATOR, "accept_findings", &form).await;
    assert!(location(&accepted).ends_with("done=accepted"), "{}", location(&accepted));
    let there = shown(here, OPERATOR, "?status=acknowledged").await;
    assert!(there.contains("2 findings"), "{there}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_filter_finds_leaves_as_a_file_with_its_times_as_rfc_3339() {
    let (site, tenant, _cloud) = drifted().await;
    let here = (&site, tenant);
    let found = open(&site, tenant).await;
    let form = format!("findings[]={}&reason=known&until=2999-01-01", found[0].id);
    sent(here, OPERATOR, "accept_findings", &form).await;
    let file = |page: String| serde_json::from_str::<serde_json::Value>(&page).expect("JSON");
    let new = file(shown(here, OPERATOR, "/export.json").await);
    assert_eq!(new["findings"].as_array().map(Vec::len), Some(found.len() - 1), "what is accepted is not new");
    assert!(new["not_comparable"].is_array(), "{new}");
    let accepted = file(shown(here, OPERATOR, "/export.json?status=acknowledged").await);
    let one = &accepted["findings"][0];
    assert_eq!(
        (&one["accepted_until"], &one["acknowledged_reason"]),
        (&"2999-01-01T00:00:00.000Z".into(), &"known".into())
    );
    assert!(one["since"].as_str().is_some_and(|since| since.ends_with('Z')), "{one}");
    let csv = shown(here, OPERATOR, "/export.csv?status=open").await;
    assert_eq!(csv.lines().filter(|line| line.starts_with("\"finding\"")).count(), found.len(), "{csv}");
}

#[tokio::test(flavor = "multi_thread")]
async fn managers_choose_how_syncs_are_compared_and_everybody_reads_what_they_chose() {
    let (site, tenant, _cloud) = drifted().await;
    let here = (&site, tenant);
    let manager = Who::Member(Role::Manager);
    let page = shown(here, manager, "").await;
    assert!(
        page.contains("set_after_sync") && page.contains("set_drift_severity") && page.contains("pin_drift_baseline")
    );
    let done = async |function: &str, form: &str| location(&sent(here, manager, function, form).await).to_owned();
    assert!(done("set_after_sync", "drift=true&capture=true").await.ends_with("done=drift"));
    assert!(
        done("set_drift_severity", "policy_type=settingsCatalogPolicy&severity=critical")
            .await
            .ends_with("done=severity")
    );
    let scope = scopes::main_of(site.engine.reader(), tenant).await.expect("read").expect("a scope");
    let latest = scope.latest.expect("a run").id;
    assert!(done("pin_drift_baseline", &format!("run={latest}")).await.ends_with("done=baseline"));
    assert!(!done("set_drift_severity", "policy_type=settingsCatalogPolicy&severity=loud").await.contains("done="));
    let read = shown(here, Who::Member(Role::Readonly), "").await;
    assert!(read.contains("Compare it with the run before; Keep versions of what is new or changed."), "{read}");
    assert!(read.contains("Compared with: the run that ended") && read.contains(": Critical"), "{read}");
    assert!(!read.contains("set_after_sync"));
    assert_eq!(open(&site, tenant).await[0].severity, tenantatlas_domain::drift::Severity::Critical);
    // Together by who changed it: nobody has read the logs.
    let grouped = shown(here, OPERATOR, "").await;
    assert!(!grouped.contains("finding-group") && grouped.contains("Settings not named"), "{grouped}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_could_not_be_compared_is_said_and_is_neither_drift_nor_fine() {
    let site = Site::start().await;
    let here = (&site, site.own);
    let compared = sent(here, OPERATOR, "compare_runs", "").await;
    assert!(location(&compared).contains("/runs/"), "{}", location(&compared));
    site.settle().await;
    let page = shown(here, OPERATOR, "").await;
    assert!(page.contains("1 type is not comparable") && page.contains("not comparable, because"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_policy_among_many_is_found_by_its_type_and_the_words_of_its_name() {
    let (site, tenant, _cloud) = drifted().await;
    let here = (&site, tenant);
    let found = open(&site, tenant).await;
    let total = format!("{} findings", found.len());
    let of_type = shown(here, OPERATOR, "?type=settingsCatalogPolicy").await;
    assert!(of_type.contains(&total), "all are of the one type that was read");
    let other = shown(here, OPERATOR, "?type=deviceConfiguration").await;
    assert!(other.contains("No results") && other.contains("Remove the filter Device configuration"));
    let name = &found[0].display_name;
    let mut words: Vec<String> = name.to_uppercase().split_whitespace().map(ToOwned::to_owned).collect();
    words.reverse();
    let named = shown(here, OPERATOR, &format!("?q={}", words.join("+"))).await;
    assert!(named.contains(&format!("finding-{}", found[0].id)) && !named.contains(&total), "{name}");
    assert!(shown(here, OPERATOR, "?q=%25").await.contains("No results"), "words are taken literally");
    let exported = site.ask(OPERATOR, Method::GET, &format!("/t/{tenant}/findings/export.csv?q=%25"), HTML, None).await;
    assert_eq!(exported.body.lines().count(), 1, "a download holds what the page shows");
}
