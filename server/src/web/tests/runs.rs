//! The list of runs, of a tenant and over all of a person, and what is done with many at once, without a script.

use axum::http::{Method, StatusCode, header};
use tenantatlas_domain::ids::{OperationRunId, TenantId};
use tenantatlas_domain::operation::OperationStatus;
use tenantatlas_domain::role::Role;
use tenantatlas_domain::selection::Selection;
use tenantatlas_engine::Actor;
use tenantatlas_graph_sim::{Fault, FaultKind};
use tenantatlas_store::operation_runs::{self, Filter};
use tenantatlas_store::{Db, users};

use super::site::{Answer, Site, Who};

const HTML: &str = "text/html,application/xhtml+xml";
const OPERATOR: Who = Who::Member(Role::Operator);

async fn shown(site: &Site, who: Who, path: &str) -> String {
    let answer = site.ask(who, Method::GET, path, HTML, None).await;
    assert_eq!(answer.status, StatusCode::OK, "{path}");
    answer.body
}

fn location(answer: &Answer) -> &str {
    answer.headers.get(header::LOCATION).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

async fn send(site: &Site, who: Who, path: &str, form: &str) -> String {
    let answer = site.ask(who, Method::POST, path, HTML, Some(form)).await;
    assert_eq!(answer.status, StatusCode::FOUND, "{path} {form}: {}", answer.body);
    location(&answer).to_owned()
}

/// A sync of one type.
async fn sync(site: &Site, tenant: TenantId, policy_type: &str) -> OperationRunId {
    let selection = Selection {
        policy_types: vec![policy_type.to_owned()],
        categories: Vec::new(),
        include_foundations: false,
        include_dependencies: false,
    };
    site.engine.dispatch_sync(&Actor::command_line(), tenant, &selection).await.expect("dispatched").run_id
}

async fn status(site: &Site, tenant: TenantId, run: OperationRunId) -> OperationStatus {
    operation_runs::get(site.engine.reader(), tenant, run).await.expect("read").expect("a run").status
}

#[tokio::test(flavor = "multi_thread")]
async fn the_runs_of_all_tenants_are_those_of_the_tenants_that_exist_for_the_person() {
    let site = Site::start().await;
    let foreign = sync(&site, site.other, "conditionalAccessPolicy").await;
    site.settle().await;
    let (own, foreign) = (site.run.to_string(), foreign.to_string());
    let administrator = shown(&site, Who::Administrator, "/runs").await;
    assert!(administrator.contains(&own) && administrator.contains(&foreign));
    let member = shown(&site, Who::Member(Role::Readonly), "/runs").await;
    assert!(member.contains(&own) && !member.contains(&foreign));
    let stranger = shown(&site, Who::Stranger, "/runs").await;
    assert!(!stranger.contains(&own) && !stranger.contains(&foreign));
    let named = shown(&site, Who::Administrator, "/runs?tenant=nobody+has+this+name").await;
    assert!(named.contains("No such tenant"), "{named}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_shows_what_the_filter_of_its_address_asks_for() {
    let site = Site::start().await;
    let (own, base) = (site.run.to_string(), format!("/t/{}/runs", site.own));
    for (query, is_there) in [
        ("", true),
        ("?state=succeeded", true),
        ("?state=failed", false),
        ("?operation=inventory.sync", true),
        ("?operation=policies.capture", false),
        ("?reason=graph_throttled", false),
        ("?by=me", false),
        ("?by=nobody&days=1", true),
        ("?by=schedule", false),
        ("?from=2020-01-01&until=2020-01-02", false),
        ("?operation=;drop&reason=nonsense&state=x", true),
    ] {
        let page = shown(&site, OPERATOR, &format!("{base}{query}")).await;
        assert_eq!(page.contains(&format!("run-{own}")), is_there, "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_runs_are_cancelled_at_once_and_what_is_not_allowed_is_left_alone_and_told() {
    let site = Site::start().await;
    site.cloud.control().hold("conditionalAccess/policies");
    let first = sync(&site, site.own, "conditionalAccessPolicy").await;
    let foreign = sync(&site, site.other, "conditionalAccessPolicy").await;
    let runs = format!("runs[]={first}&runs[]={}&runs[]={foreign}&why=too+slow&query=state%3Drunning", site.run);
    // Whoever may not cancel is told so, run by run, and nothing happens.
    let told = send(&site, Who::Member(Role::Readonly), "/api/cancel_runs", &runs).await;
    assert!(told.ends_with("/runs?state=running&outcome=cancel.0.0.0.2.0"), "{told}");
    let path = format!("/t/{}/api/cancel_runs", site.own);
    let told = send(&site, OPERATOR, &path, &runs).await;
    assert!(told.ends_with("/runs?state=running&outcome=cancel.1.1.0.0.0"), "{told}");
    assert!(shown(&site, OPERATOR, &told).await.contains("Asked to stop: 1 run."));
    site.cloud.control().release();
    site.settle().await;
    assert_eq!(status(&site, site.own, first).await, OperationStatus::Aborted);
    assert_eq!(status(&site, site.other, foreign).await, OperationStatus::Completed, "no other tenant was touched");
    let audit = shown(&site, OPERATOR, &format!("/t/{}/audit", site.own)).await;
    assert!(audit.contains("too slow"), "the reason is in the audit log");
}

#[tokio::test(flavor = "multi_thread")]
async fn all_that_the_filter_finds_is_counted_when_it_is_done_and_not_when_the_page_was_made() {
    let site = Site::start().await;
    let refused = FaultKind::Status { status: 403, code: "Forbidden".to_owned(), message: "no".to_owned() };
    site.cloud.control().set_faults(vec![Fault::always("conditionalAccess/policies", refused)]);
    sync(&site, site.own, "conditionalAccessPolicy").await;
    site.settle().await;
    site.cloud.control().set_faults(Vec::new());
    let path = format!("/t/{}/api/retry_runs", site.own);
    let form = |told: u32| format!("everything=true&to_retry={told}&only_failed=true&query=operation%3Dinventory.sync");
    let refused = site.ask(OPERATOR, Method::POST, &path, HTML, Some(&form(7))).await;
    assert!(!location(&refused).contains("outcome="), "{}", location(&refused));
    let told = send(&site, OPERATOR, &path, &form(1)).await;
    assert!(told.contains("outcome=retry.1.0.0.0.0"), "{told}");
    site.settle().await;
    let filter = Filter { tenant_id: Some(site.own), limit: 1, ..Filter::default() };
    let newest = operation_runs::list(site.engine.reader(), &filter).await.expect("runs").remove(0);
    assert!(newest.retry_of.is_some(), "{newest:?}");
    let nothing = site.ask(OPERATOR, Method::POST, &path, HTML, Some("query=")).await;
    assert!(!location(&nothing).contains("outcome="), "nothing was picked");
}

#[tokio::test(flavor = "multi_thread")]
async fn captures_and_readings_of_microsofts_logs_have_a_timeline_as_syncs_do() {
    let site = Site::start().await;
    site.engine.read_audit_events(&Actor::command_line(), site.own).await.expect("dispatched");
    site.settle().await;
    for (operation, unit) in
        [(("policies", "capture"), "Settings catalog"), (("audit_events", "read"), "Intune audit log")]
    {
        let operation = Some((operation.0.to_owned(), operation.1.to_owned()));
        let filter = Filter { tenant_id: Some(site.own), operation, limit: 1, ..Filter::default() };
        let run = operation_runs::list(site.engine.reader(), &filter).await.expect("runs").remove(0);
        let page = shown(&site, OPERATOR, &format!("/t/{}/runs/{}", site.own, run.id)).await;
        let timeline = page.split("id=\"timeline-title\"").nth(1).expect("a timeline");
        let timeline = timeline.split("</section>").next().unwrap_or_default();
        assert!(
            timeline.contains(unit) && timeline.contains("from the first request to the last answer"),
            "{timeline}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_of_what_is_under_way_leads_to_the_run_that_does_it() {
    let site = Site::start().await;
    let ended = sync(&site, site.own, "mobileApp").await;
    site.settle().await;
    site.cloud.control().hold("");
    let active = sync(&site, site.own, "mobileApp").await;
    let form = format!("runs[]={ended}&why=again");
    let led = send(&site, OPERATOR, &format!("/t/{}/api/retry_runs", site.own), &form).await;
    let page = shown(&site, OPERATOR, &led).await;
    site.cloud.control().release();
    assert!(page.contains(&format!("href=\"/t/{}/runs/{active}\"", site.own)), "{led}");
    assert!(page.contains("The run that is under way"), "{led}");
    site.settle().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_shows_when_each_of_its_units_was_worked_on() {
    let site = Site::start().await;
    let all = Selection::full(tenantatlas_domain::registry::registry());
    for _ in 0..2 {
        site.engine.dispatch_sync(&Actor::command_line(), site.own, &all).await.expect("dispatched");
        site.settle().await;
    }
    let actor = Actor::command_line();
    let compared = site.engine.dispatch_drift(&actor, site.own, None, None).await.expect("dispatched").state.id;
    site.settle().await;
    let checked = site.engine.check_tenant(&actor, site.own, true).await.expect("dispatched").state.id;
    site.settle().await;
    let pruned = site.engine.prune_tenant(&actor, site.own).await.expect("dispatched").state.id;
    site.settle().await;
    let read = site.engine.read_audit_events(&actor, site.own).await.expect("dispatched").state.id;
    site.settle().await;
    for (run, least, label) in [
        (site.run, 1, "Settings catalog"),
        (compared, 1, " types together"),
        (checked, 10, "First page of Settings catalog"),
        (pruned, 5, "Notifications"),
        (read, 1, "Intune"),
    ] {
        let page = shown(&site, OPERATOR, &format!("/t/{}/runs/{run}", site.own)).await;
        let (_, timeline) =
            page.split_once("id=\"timeline-title\"").unwrap_or_else(|| panic!("{label}: no timeline: {page}"));
        let timeline = timeline.split("</section>").next().unwrap_or_default();
        let bars = timeline.matches("class=\"track\"").count();
        assert!(bars >= least && timeline.contains(label), "{label}: {bars} bars");
    }
    let times = operation_runs::unit_times(site.engine.reader(), site.own, checked).await.expect("times");
    let run = operation_runs::get(site.engine.reader(), site.own, checked).await.expect("read").expect("a run");
    assert_eq!(times.len(), run.item_ids.len(), "{times:?}");
    let within = |at| run.started_at.is_some_and(|from| at >= from) && run.finished_at.is_some_and(|until| at <= until);
    assert!(times.iter().all(|one| within(one.started_at) && within(one.finished_at)), "{times:?}");
    let foreign = operation_runs::unit_times(site.engine.reader(), site.other, checked).await.expect("times");
    assert!(foreign.is_empty(), "a run of another tenant tells nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_started_runs_and_why_they_failed_is_typed_in_words_and_completed() {
    let site = Site::start().await.scheduled().await;
    let base = format!("/t/{}/runs", site.own);
    let by = |words: &str| {
        let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("by", words).finish();
        format!("{base}?{query}")
    };
    send(&site, OPERATOR, &format!("/t/{}/api/compare_runs", site.own), "").await;
    site.settle().await;
    let token = site.personal(Who::Member(Role::Manager), Role::Manager).await;
    let start = serde_json::json!({ "operation": "drift.generate" });
    let path = format!("/api/v1/tenants/{}/runs", site.own);
    site.call(&token, crate::web::api::Verb::Post, &path, Some(&start)).await;
    site.settle().await;
    let person = users::get(site.engine.reader(), site.people[&OPERATOR]).await.expect("read").expect("a person").name;
    let plain = shown(&site, Who::Administrator, &base).await;
    assert!(plain.contains("list=\"initiators\"") && plain.contains("list=\"reasons\""), "{plain}");
    assert!(plain.contains(&format!("<option value=\"{person}\"")), "{person} is suggested: {plain}");
    let own = site.run.to_string();
    for (typed, chip) in [
        (person.to_lowercase(), format!("By {person}")),
        (" a token of the api ".to_owned(), "By a token of the api".to_owned()),
        ("Token Test".to_owned(), "By Token Test".to_owned()),
        ("nobody who signs in".to_owned(), "By nobody who signs in".to_owned()),
        (site.people[&OPERATOR].to_string(), format!("By {person}")),
    ] {
        let page = shown(&site, Who::Administrator, &by(&typed)).await;
        assert!(page.contains(&format!("Remove the filter {chip}")), "{typed}: {page}");
        assert!(!page.contains("is not understood") && !page.contains("Nobody and nothing"), "{typed}");
        assert_eq!(page.contains(&own), typed == "nobody who signs in", "{typed}");
    }
    let page = shown(&site, Who::Administrator, &by("Somebody <b>")).await;
    assert!(page.contains("Nobody and nothing called \"Somebody &lt;b&gt;\" started one of the newest"), "{page}");
    assert!(page.contains(&own) && !page.contains("name=\"everything\""), "all is shown, and not all can be chosen");
    let page = shown(&site, Who::Administrator, &format!("{base}?reason=Throttled+by+Microsoft+Graph")).await;
    assert!(page.contains("Remove the filter Throttled by Microsoft Graph"), "{page}");
    let page = shown(&site, Who::Administrator, &format!("{base}?reason=tired")).await;
    assert!(page.contains("reason \"tired\""), "{page}");
    // Two of one name are told apart.
    let tied = "UPDATE bulk_operation_runs SET initiator = 'Test' WHERE user_id IS NOT NULL AND token_id IS NULL";
    let twin = site.people[&Who::Member(Role::Owner)];
    let Db::Sqlite { writer, .. } = &site.db else { panic!("the site lies in SQLite") };
    site.ask(Who::Member(Role::Owner), Method::POST, &format!("/t/{}/api/compare_runs", site.own), HTML, Some(""))
        .await;
    site.settle().await;
    sqlx::query(tied).execute(writer).await.expect("the same name");
    let page = shown(&site, Who::Administrator, &by("Test")).await;
    assert!(page.contains("Several of those who started runs here are called \"Test\""), "{page}");
    assert!(page.contains(&format!("<option value=\"{twin}\" label=\"Test\"")), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_lacks_many_permissions_hides_none_and_never_says_that_nothing_changed() {
    let site = Site::start().await;
    let refused = [
        ("settingsCatalogPolicy", "deviceManagement/configurationPolicies", "Alpha.Read.All"),
        ("namedLocation", "conditionalAccess/namedLocations", "Beta.Read.All"),
        ("deviceCategory", "deviceManagement/deviceCategories", "Gamma.Read.All"),
        ("assignmentFilter", "deviceManagement/assignmentFilters", "Delta.Read.All"),
        ("termsAndConditions", "deviceManagement/termsAndConditions", "Delta.Read.All"),
    ];
    let faults = refused.map(|(_, path, scope)| {
        let message = format!("Application must have one of the following scopes: {scope}");
        Fault::always(path, FaultKind::Status { status: 403, code: "Forbidden".to_owned(), message })
    });
    site.cloud.control().set_faults(faults.to_vec());
    let selection = Selection {
        policy_types: refused.map(|(key, ..)| key.to_owned()).to_vec(),
        categories: Vec::new(),
        include_foundations: false,
        include_dependencies: false,
    };
    let owner = site.people[&Who::Member(Role::Owner)];
    let owner = users::get(site.engine.reader(), owner).await.expect("read").expect("a person");
    let actor = Actor::person(owner.id, owner.name, owner.email);
    let run = site.engine.dispatch_sync(&actor, site.own, &selection).await.expect("dispatched").run_id;
    site.settle().await;
    let page = shown(&site, OPERATOR, &format!("/t/{}/runs/{run}", site.own)).await;
    for (scope, count) in [
        ("Alpha.Read.All", "1 type"),
        ("Beta.Read.All", "1 type"),
        ("Gamma.Read.All", "1 type"),
        ("Delta.Read.All", "2 types"),
    ] {
        assert!(page.contains(&format!("{scope}</span><span class=\"quiet\">{count}")), "{scope}: {page}");
    }
    assert!(page.contains("nothing was read") && !page.contains("nothing changed"), "{page}");
    let item = shown(&site, OPERATOR, &format!("/t/{}/inventory/{}", site.own, site.item)).await;
    assert!(item.contains("Alpha.Read.All: The app lacks a permission"), "{item}");
    let told = shown(&site, Who::Member(Role::Owner), "/notifications").await;
    assert!(told.contains("Missing: Delta.Read.All (2 types), Alpha.Read.All (1 type)"), "{told}");
}
