//! Every page, server function and other address, for everybody, in their own tenant, in another one, and signed out.
//! Addresses and rules are those by which the router is made; a function that has none, or nothing to send, fails the test.

use std::collections::{BTreeMap, BTreeSet};

use axum::http::{Method, StatusCode, header};
use tenantatlas_app::access::{self, Rule};
use tenantatlas_app::{App, PAGES, Page};
use tenantatlas_domain::ids::{TenantId, UserId};
use tenantatlas_domain::role::{Action, Role};
use tenantatlas_store::{audit, operation_runs};

use uuid::Uuid;

use super::site::{Site, Who};
use crate::web::declared::Kind;
use crate::web::router::RAW;

/// Whether a rule lets somebody by, as the roles of the product say it.
fn allows(rule: Rule, who: Who) -> bool {
    match (rule, who) {
        (Rule::Public, _) | (Rule::SignedIn | Rule::Administrator, Who::Administrator) => true,
        (_, Who::Nobody) | (Rule::Administrator, _) => false,
        (Rule::SignedIn, _) | (Rule::Member(_) | Rule::AdministratorInside, Who::Administrator) => true,
        (Rule::Member(action), Who::Member(role)) => role.allows(action),
        (Rule::Member(_), Who::Stranger) | (Rule::AdministratorInside, _) => false,
    }
}

/// What to send to a server function: acceptable in form, and refused by its content where it would change what the next
/// case needs. `RUN` and `USER` stand for real ones.
fn payload(path: &str) -> Option<&'static str> {
    Some(match path {
        "/api/sign_in" => "email=nobody%40example.com&password=x",
        "/api/sign_in_code" | "/api/sign_in_set_up" => "code=123456",
        "/api/sign_out" => "",
        "/api/claim_first_admin" => "token=x&name=x&email=x%40example.com&password=long-enough-1",
        "/api/accept_invitation" => "token=x&name=x&password=long-enough-1",
        "/api/set_theme" => "theme=dark",
        "/api/check_session" => "",
        "/api/sign_out_everywhere" => "",
        "/api/confirm" => "password=x",
        "/api/begin_second_factor" | "/api/new_recovery_codes" | "/api/keep_recovery_codes" => "",
        "/api/confirm_second_factor" | "/api/remove_second_factor" => "code=nonsense",
        "/api/update_profile" => "name=",
        "/api/change_password" => "current=x&password=short",
        "/api/end_session" => "session=x",
        "/api/create_token" => "name=&role=readonly&days=30",
        "/api/create_tenant_token" => "name=&role=readonly&days=30",
        "/api/revoke_token" | "/api/revoke_tenant_token" => "token=RUN",
        "/api/set_favourite" => "favourite=true",
        "/api/my_tenants" => "{}",
        "/api/set_columns" => "columns[]=type&query=state%3Dmissing",
        "/api/save_view" => "name=x&query=state%3Dmissing",
        "/api/rename_view" => "view=RUN&name=x",
        "/api/remove_view" => "view=RUN",
        "/api/sync_items" | "/api/capture_items" => "items[]=nonsense",
        "/api/compare_runs" => "",
        "/api/accept_findings" => "findings[]=nonsense&reason=x&query=status%3Dopen",
        "/api/reopen_findings" => "findings[]=nonsense",
        "/api/set_after_sync" => "drift=true",
        "/api/set_drift_severity" => "policy_type=nonsense",
        "/api/pin_drift_baseline" => "run=RUN",
        "/api/refresh_setting_names" => "",
        "/api/set_single_keys" => "single_keys=true",
        "/api/palette" => r#"{"text":"x"}"#,
        "/api/add_schedule" => "name=x&operation=nonsense&when=daily&time=02:30&zone=UTC",
        "/api/add_schedules" => "tenants[]=RUN&spread=0&name=x&operation=nonsense&when=daily&time=02:30&zone=UTC",
        "/api/set_retention" => "runs=0&notifications=0&versions=0&deliveries=0",
        "/api/change_schedule" => "schedule=RUN&revision=1&name=x&operation=nonsense&when=daily&time=02:30&zone=UTC",
        "/api/pause_schedule" | "/api/remove_schedule" => "schedule=RUN",
        "/api/sync_tenants" => "tenants[]=RUN",
        "/api/add_tenant" => "name=x&environment=x&cloud=x&entra_id=x&client_id=x&credential_kind=secret&secret=x",
        "/api/make_certificate" => "",
        "/api/add_user" => "name=x&email=x&password=short",
        "/api/change_user" => "user=x",
        "/api/reset_password" => "user=x&password=short",
        "/api/reset_second_factor" => "user=x",
        "/api/remove_user" => "user=x&confirmation=x",
        "/api/start_sync" => "policy_types[]=nonsense",
        "/api/cancel_run" => "run=RUN",
        "/api/cancel_runs" => "runs[]=RUN",
        "/api/retry_runs" => "runs[]=RUN&only_failed=true",
        "/api/retry_run" => "run=RUN&only_failed=true",
        "/api/load_run" => r#"{"run":"RUN"}"#,
        "/api/my_runs" => r#"{"runs":["RUN"]}"#,
        "/api/picker" => "{}",
        "/api/notifications" => "{}",
        "/api/mark_read" => "notification=RUN",
        "/api/mark_shown" => r#"{"shown":["RUN"]}"#,
        "/api/mark_all_read" => "",
        "/api/edit_connection" => "name=x&environment=x&cloud=x&entra_id=x&client_id=x",
        "/api/rotate_credential" => "credential_kind=nonsense",
        "/api/test_connection" | "/api/read_audit_events" => "",
        "/api/remove_tenant" => "confirmation=nonsense",
        "/api/add_endpoint" => "kind=webhook&name=x&address=nonsense&events[]=run.ended",
        "/api/change_endpoint" => "endpoint=RUN&name=&events[]=run.ended",
        "/api/switch_endpoint" => "endpoint=RUN&enabled=true",
        "/api/rotate_endpoint" | "/api/test_endpoint" | "/api/remove_endpoint" => "endpoint=RUN",
        "/api/replay_delivery" => "endpoint=RUN&delivery=RUN",
        "/api/add_member" => "email=nonsense&role=owner",
        "/api/revoke_invitation" => "invitation=RUN",
        "/api/change_member" => "user=USER&role=nonsense",
        "/api/remove_member" | "/api/restore_member" => "user=RUN",
        _ => return None,
    })
}

/// The rule of what [`payload`] asks for. Which right a run asks for to be started again is its operation's to say, so the
/// function itself lets everybody by who sees the run; the run that is sent is an inventory sync.
fn rule_of_content(path: &str, rule: Rule) -> Rule {
    if path == "/api/retry_run" { Rule::Member(Action::Sync) } else { rule }
}

/// The same payload with a tenant in it.
fn naming(form: &str, tenant: TenantId) -> String {
    match form.strip_prefix('{') {
        Some("}") => format!(r#"{{"tenant":"{tenant}"}}"#),
        Some(rest) => format!(r#"{{"tenant":"{tenant}",{rest}"#),
        None => format!("tenant={tenant}&{form}"),
    }
}

/// Every server function with its rule, by path.
fn functions() -> BTreeMap<&'static str, Rule> {
    let functions: BTreeMap<_, _> = access::functions().map(|function| (function.path, function.rule)).collect();
    assert_eq!(functions.len(), access::functions().count(), "no function has two rules");
    let registered: BTreeSet<&str> = leptos::server_fn::axum::server_fn_paths()
        .map(|(path, method)| {
            assert_eq!(method, Method::POST, "{path}: what changes something is never reached by a link");
            path
        })
        .collect();
    assert_eq!(
        functions.keys().copied().collect::<BTreeSet<_>>(),
        registered,
        "every function has a rule: who may call it?"
    );
    assert!(functions.len() > 25, "the server functions are registered");
    functions
}

/// Every page, and what else is asked for by `GET`, with its route and its rule.
pub(super) fn routes() -> Vec<(String, Kind, Rule)> {
    let raw = RAW.iter().map(|raw| (raw.route.to_owned(), raw.kind, raw.rule));
    PAGES.iter().map(|page| (page.route(), Kind::Page, page.rule)).chain(raw).collect()
}

impl Site {
    pub(super) fn fill(&self, route: &str, tenant: TenantId) -> String {
        route
            .replace("{tenant}", &tenant.to_string())
            .replace("{group}", "all-devices")
            .replace("{item}", &self.item.to_string())
            .replace("{run}", &self.run.to_string())
            .replace("{schedule}", &self.schedule.to_string())
            .replace("{endpoint}", &self.endpoint.0.to_string())
            .replace("{delivery}", &self.endpoint.1.to_string())
            .replace("{notification}", &Uuid::nil().to_string())
            .replace("{version}", "1")
            .replace("{kind}", "csv")
            .replace("{token}", &self.invitation)
    }

    /// What a refused request must leave as it was. That it was refused is written down, see [`Refusals`].
    async fn traces(&self) -> (usize, usize, usize) {
        self.settle().await;
        let runs = operation_runs::Filter { limit: 500, ..Default::default() };
        let entries = audit::Filter { limit: 500, ..Default::default() };
        let runs = operation_runs::list(self.engine.reader(), &runs).await.expect("runs").len();
        let entries = audit::list(self.engine.reader(), &entries).await.expect("entries");
        let entries = entries.iter().filter(|entry| entry.outcome != audit::Outcome::Denied).count();
        let members = tenantatlas_store::members::list(self.engine.reader(), self.own).await.expect("members").len();
        (runs, entries, members)
    }
}

/// The action of a refusal in the audit log.
const REFUSED: &str = "access.refused";
/// Refusals of one person within a minute that get entries of their own; further ones may share one.
const ENTRIES_OF_THEIR_OWN: usize = 20;

/// What was refused to whom, as the test saw it: the audit log must say the same.
#[derive(Default)]
struct Refusals(BTreeMap<UserId, BTreeSet<(String, Option<TenantId>)>>);

impl Refusals {
    fn expect(&mut self, site: &Site, who: Who, resource: &str, tenant: Option<TenantId>) {
        if let Some(user) = site.people.get(&who) {
            self.0.entry(*user).or_default().insert((resource.to_owned(), tenant));
        }
    }

    async fn check(&self, site: &Site) {
        let mut written: BTreeMap<UserId, BTreeSet<(String, Option<TenantId>)>> = BTreeMap::new();
        for entry in site.entries(REFUSED).await {
            let user = entry.actor_id.expect("only people were refused");
            assert_eq!(entry.outcome, audit::Outcome::Denied);
            assert_eq!(entry.context["address"], "127.0.0.1", "{}", entry.context);
            written.entry(user).or_default().insert((entry.resource_id, entry.tenant_id));
        }
        for (user, expected) in &self.0 {
            let written = written.remove(user).unwrap_or_default();
            assert!(written.is_subset(expected), "{user}: {written:?} were not all refused");
            assert!(written.len() >= expected.len().min(ENTRIES_OF_THEIR_OWN), "{user}: {written:?} of {expected:?}");
        }
        assert!(written.is_empty(), "nothing was refused to {written:?}");
    }
}

const HTML: &str = "text/html,application/xhtml+xml";
const JSON: &str = "application/json";

#[tokio::test(flavor = "multi_thread")]
async fn every_page_is_shown_to_those_who_may_see_it_and_exists_for_nobody_else() {
    let site = Site::start().await.scheduled().await;
    let mut refusals = Refusals::default();
    for (route, kind, rule) in routes() {
        for who in Who::ALL {
            let path = site.fill(&route, site.own);
            let answer = site.ask(who, Method::GET, &path, HTML, None).await;
            let seen = (answer.status, answer.headers.get(header::LOCATION).and_then(|value| value.to_str().ok()));
            let case = format!("{who:?} {path}: {seen:?}");
            if rule == Rule::Public {
                // The sign-in page leads on who is signed in; a link that nobody made does not exist.
                assert!(matches!(answer.status.as_u16(), 200 | 303 | 404), "{case}");
            } else if who == Who::Nobody {
                if kind == Kind::Page {
                    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{case}");
                    assert!(seen.1.is_some_and(|location| location.starts_with("/sign-in")), "{case}");
                } else {
                    assert!(matches!(answer.status.as_u16(), 303 | 401), "{case}");
                }
            } else if route == "/t/{tenant}" {
                assert_eq!(
                    seen,
                    (StatusCode::SEE_OTHER, Some(format!("/t/{}/inventory", site.own).as_str())),
                    "{case}"
                );
            } else if allows(rule, who) {
                assert_eq!(answer.status, StatusCode::OK, "{case}");
            } else if who == Who::Stranger && rule.inside() {
                assert_eq!(answer.status, StatusCode::NOT_FOUND, "{case}");
                refusals.expect(&site, who, &route, Some(site.own));
            } else {
                assert_eq!(answer.status, StatusCode::FORBIDDEN, "{case}");
                refusals.expect(&site, who, &route, rule.inside().then_some(site.own));
            }
            if rule.inside() && who != Who::Administrator && who != Who::Nobody && route != "/t/{tenant}" {
                let path = site.fill(&route, site.other);
                let answer = site.ask(who, Method::GET, &path, HTML, None).await;
                assert_eq!(answer.status, StatusCode::NOT_FOUND, "{who:?} {path}");
                assert!(!answer.body.contains("Fabrikam"), "{who:?} {path}: the name of another tenant");
                refusals.expect(&site, who, &route, Some(site.other));
            }
        }
    }
    refusals.check(&site).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_server_function_does_what_the_role_allows_and_nothing_else() {
    let site = Site::start().await;
    let mut refusals = Refusals::default();
    for (path, rule) in functions() {
        let form = payload(path).unwrap_or_else(|| panic!("{path}: what is to be sent to it?"));
        for who in Who::ALL {
            // These end the session that later cases need.
            if matches!(path, "/api/sign_out" | "/api/sign_out_everywhere") && who != Who::Nobody {
                continue;
            }
            let form = form
                .replace("RUN", &site.run.to_string())
                .replace("USER", &site.people[&Who::Member(Role::Readonly)].to_string());
            let address = if rule.inside() { format!("/t/{}{path}", site.own) } else { path.to_owned() };
            let before = site.traces().await;
            let answer = site.ask(who, Method::POST, &address, JSON, Some(&form)).await;
            let case = format!("{who:?} {address}: {} {}", answer.status, answer.body);
            if allows(rule_of_content(path, rule), who) {
                assert!(!matches!(answer.status.as_u16(), 401 | 403 | 500), "{case}");
                assert!(!rule.inside() || !answer.body.contains("The tenant was not found"), "{case}");
                continue;
            }
            let expected = match who {
                Who::Nobody => StatusCode::UNAUTHORIZED,
                Who::Stranger if rule.inside() => StatusCode::NOT_FOUND,
                _ => StatusCode::FORBIDDEN,
            };
            assert_eq!(answer.status, expected, "{case}");
            assert_eq!(site.traces().await, before, "{case}: something happened");
            if who != Who::Nobody {
                refusals.expect(&site, who, path, rule.inside().then_some(site.own));
            }
        }
    }
    refusals.check(&site).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_tenant_in_address_or_payload_is_refused_and_nothing_happens() {
    let site = Site::start().await;
    let owner = Who::Member(Role::Owner);
    let mut refusals = Refusals::default();
    for (path, rule) in functions() {
        let Some(form) = payload(path) else { continue };
        if !rule.inside() {
            continue;
        }
        let before = site.traces().await;
        let form = form.replace("RUN", &site.run.to_string()).replace("USER", &site.people[&owner].to_string());
        // The address is another's: it does not exist.
        let address = format!("/t/{}{path}", site.other);
        let answer = site.ask(owner, Method::POST, &address, JSON, Some(&form)).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{address}: {}", answer.body);
        refusals.expect(&site, owner, path, Some(site.other));
        // The address is one's own and the payload names another: refused, also for whoever may see both.
        for who in [owner, Who::Administrator] {
            let address = format!("/t/{}{path}", site.own);
            let answer = site.ask(who, Method::POST, &address, JSON, Some(&naming(&form, site.other))).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{who:?} {address}: {}", answer.body);
            refusals.expect(&site, who, path, Some(site.own));
        }
        // Without a tenant in the address there is no tenant.
        let answer = site.ask(owner, Method::POST, path, JSON, Some(&form)).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}: {}", answer.body);
        assert_eq!(site.traces().await, before, "{path}: something happened");
    }
    refusals.check(&site).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_changes_from_another_site() {
    let site = Site::start().await;
    let mut refusals = Refusals::default();
    for (path, rule) in functions() {
        let Some(form) = payload(path) else { continue };
        let address = if rule.inside() { format!("/t/{}{path}", site.own) } else { path.to_owned() };
        let form = form.replace("RUN", &site.run.to_string());
        let mut request = site.request(Who::Administrator, Method::POST, &address, JSON, Some(&form));
        request.headers_mut().insert("sec-fetch-site", "cross-site".parse().expect("a value"));
        let answer = tower::ServiceExt::oneshot(site.router.clone(), request).await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{address}");
        refusals.expect(&site, Who::Administrator, path, rule.inside().then_some(site.own));
    }
    refusals.check(&site).await;
    assert!(site.entries(REFUSED).await.iter().all(|entry| entry.context["reason"] == "cross_origin"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pages_that_are_declared_are_those_that_are_shown() {
    let _site = Site::start().await;
    let shown: BTreeSet<String> =
        leptos_axum::generate_route_list(App).iter().map(|one| one.path().to_owned()).collect();
    assert_eq!(PAGES.iter().map(Page::route).collect::<BTreeSet<_>>(), shown);
}

#[tokio::test(flavor = "multi_thread")]
async fn below_a_tenant_no_function_answers_whoever_is_not_signed_in_and_none_of_a_tenant_answers_outside_of_it() {
    let site = Site::start().await;
    for (path, rule) in functions() {
        let form = payload(path).unwrap_or_default();
        let below = format!("/t/{}{path}", site.own);
        let answer = site.ask(Who::Nobody, Method::POST, &below, JSON, Some(form)).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{below}: {}", answer.body);
        if rule.inside() {
            let answer = site.ask(Who::Administrator, Method::POST, path, JSON, Some(form)).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}: {}", answer.body);
        }
    }
    // The islands of a page of a tenant ask for the tenants of the person below its address.
    let below = format!("/t/{}/api/my_tenants", site.own);
    let answer = site.ask(Who::Member(Role::Readonly), Method::POST, &below, JSON, Some("{}")).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    let nonsense = format!("/t/{}/api/nonsense", site.own);
    let answer = site.ask(Who::Administrator, Method::POST, &nonsense, JSON, Some("")).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND, "{}", answer.body);
}
