//! The REST API: every address, for every kind of token and role, in its own tenant and in another one; what is refused is told
//! as a problem; and nothing odd that is sent breaks the server.

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use tenantatlas_app::access::Rule;
use tenantatlas_domain::ids::TenantId;
use tenantatlas_domain::role::{Action, Role};
use tenantatlas_domain::time::Timestamp;
use tenantatlas_engine::{Actor, NewToken};
use tenantatlas_store::api_tokens::ApiTokenOwner;
use tenantatlas_store::{audit, operation_runs};
use tower::ServiceExt as _;
use uuid::Uuid;

use super::site::{Answer, Site, Who};
use crate::web::api::{self, Endpoint, Verb};

/// Milliseconds of a day.
const DAY: i64 = 86_400_000;

impl Site {
    /// A token, as the command line makes it.
    pub(super) async fn token_of(&self, owner: ApiTokenOwner, role: Role) -> (Uuid, String) {
        let expires_at = Timestamp::from_millis(self.engine.now().as_millis() + DAY);
        let new = NewToken { name: "Test".to_owned(), role, owner, expires_at };
        let (id, secret) = self.engine.create_token(&Actor::command_line(), &new).await.expect("a token");
        (id, secret.expose_secret().to_owned())
    }

    /// A token of a person with their own role.
    pub(super) async fn personal(&self, who: Who, role: Role) -> String {
        self.token_of(ApiTokenOwner::Person(self.people[&who], Vec::new()), role).await.1
    }

    pub(super) async fn call(&self, token: &str, verb: Verb, path: &str, body: Option<&Value>) -> Answer {
        self.call_with(token, verb.method(), path, body, &[]).await
    }

    pub(super) async fn call_with(
        &self,
        token: &str,
        method: Method,
        path: &str,
        body: Option<&Value>,
        headers: &[(&'static str, &str)],
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path).header(header::HOST, "localhost");
        if !token.is_empty() {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = match body {
            Some(body) => {
                request = request.header(header::CONTENT_TYPE, "application/json");
                Body::from(body.to_string())
            }
            None => Body::empty(),
        };
        self.send_raw(request.body(body).expect("a request")).await
    }

    async fn send_raw(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.expect("an answer");
        let (parts, body) = response.into_parts();
        let events = parts.headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind == "text/event-stream");
        let bytes = if events { Vec::new().into() } else { to_bytes(body, usize::MAX).await.expect("a body") };
        Answer { status: parts.status, headers: parts.headers, body: String::from_utf8_lossy(&bytes).into_owned() }
    }
}

pub(super) fn problem(answer: &Answer) -> Value {
    assert_eq!(answer.headers[header::CONTENT_TYPE], "application/problem+json", "{}", answer.body);
    let problem: Value = serde_json::from_str(&answer.body).expect("JSON");
    assert_eq!(problem["status"], answer.status.as_u16());
    for field in ["type", "title", "detail", "code"] {
        assert!(problem[field].as_str().is_some_and(|text| !text.is_empty()), "{field}: {problem}");
    }
    problem
}

/// The address of an endpoint in a tenant, with what it needs.
fn address(site: &Site, endpoint: &Endpoint, tenant: TenantId) -> String {
    let path = site.fill(endpoint.path, tenant);
    match endpoint.id {
        "get_difference" => format!("{path}?from=1&to=1"),
        "search_settings" | "search_all_settings" => format!("{path}?q=x"),
        // Of one that there is not: nothing is to leave a test, and what is removed is gone for the next token.
        "test_endpoint" | "remove_endpoint" => path.replace(&site.endpoint.0.to_string(), &Uuid::nil().to_string()),
        _ => path,
    }
}

/// What to send: acceptable in form, and of no effect.
fn body(endpoint: &Endpoint) -> Option<Value> {
    let nobody = Uuid::nil().to_string();
    match endpoint.id {
        "start_run" => Some(json!({ "operation": "policies.capture", "items": [nobody] })),
        "accept_findings" => Some(json!({ "findings": [nobody], "reason": "x" })),
        "reopen_findings" => Some(json!({ "findings": [nobody] })),
        "cancel_run" => Some(json!({})),
        "change_schedule" => Some(json!({ "name": "" })),
        "change_endpoint" | "change_after_sync" => Some(json!({})),
        "add_endpoint" => Some(json!({ "kind": "webhook", "name": "", "address": "x", "events": ["run.ended"] })),
        "add_schedules" => Some(json!({ "tenants": [nobody], "schedule": {
            "name": "", "operation": "inventory.sync", "cron": "0 2 * * *", "zone": "UTC",
        } })),
        "add_schedule" => {
            Some(json!({ "name": "", "operation": "inventory.sync", "cron": "0 2 * * *", "zone": "UTC" }))
        }
        _ => None,
    }
}

/// The rule of what is asked for: the run that is tried again is a sync, and its operation says who may start it.
fn rule_of_content(endpoint: &Endpoint) -> Rule {
    if endpoint.id.starts_with("retry") { Rule::Member(Action::Sync) } else { endpoint.rule }
}

/// Whether a rule lets a role in the tenant by.
fn allows(rule: Rule, role: Option<Role>) -> bool {
    match rule {
        Rule::Member(action) => role.is_some_and(|role| role.allows(action)),
        _ => true,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_address_of_the_api_is_for_those_whose_token_allows_it_and_exists_for_nobody_else() {
    let site = Site::start().await.scheduled().await.telling().await;
    // Of each kind and role a token, with what it allows in the first tenant.
    let mut tokens: Vec<(String, String, Option<Role>)> = Vec::new();
    for role in Role::ALL.iter().copied() {
        let own = site.personal(Who::Member(role), role).await;
        tokens.push((format!("of a {role}"), own, Some(role)));
        let of_tenant = site.token_of(ApiTokenOwner::Tenant(site.own), role).await.1;
        tokens.push((format!("of the tenant, {role}"), of_tenant, Some(role)));
        let lesser = site.personal(Who::Member(Role::Owner), role).await;
        tokens.push((format!("of an owner, {role}"), lesser, Some(role)));
    }
    tokens.push((
        "of the other tenant".to_owned(),
        site.token_of(ApiTokenOwner::Tenant(site.other), Role::Owner).await.1,
        None,
    ));
    let named = ApiTokenOwner::Person(site.people[&Who::Administrator], vec![site.other]);
    tokens.push((
        "of an administrator, for the other tenant".to_owned(),
        site.token_of(named, Role::Owner).await.1,
        None,
    ));
    let address = |endpoint, tenant| address(&site, endpoint, tenant);
    for endpoint in api::endpoints() {
        let path = address(endpoint, site.own);
        let inside = endpoint.rule.inside();
        for (whose, token, role) in &tokens {
            let answer = site.call(token, endpoint.verb, &path, body(endpoint).as_ref()).await;
            let case = format!("{} {path}, a token {whose}: {} {}", endpoint.id, answer.status, answer.body);
            assert!(answer.headers.contains_key("ratelimit-remaining"), "{case}");
            if allows(rule_of_content(endpoint), *role) {
                assert!(!matches!(answer.status.as_u16(), 401 | 403 | 500..), "{case}");
                assert!(!answer.body.contains("The tenant was not found"), "{case}");
                if endpoint.verb == Verb::Get {
                    assert_eq!(answer.status, StatusCode::OK, "{case}");
                }
            } else if role.is_none() {
                assert_eq!(answer.status, StatusCode::NOT_FOUND, "{case}");
                assert!(!answer.body.contains("Contoso"), "{case}");
                problem(&answer);
            } else {
                assert_eq!(answer.status, StatusCode::FORBIDDEN, "{case}");
                assert_eq!(problem(&answer)["code"], "forbidden");
            }
            if inside && role.is_some() && *whose != "of an administrator" {
                let foreign = address(endpoint, site.other);
                let answer = site.call(token, endpoint.verb, &foreign, body(endpoint).as_ref()).await;
                assert_eq!(answer.status, StatusCode::NOT_FOUND, "{whose} {foreign}");
                assert!(!answer.body.contains("Fabrikam"), "{whose} {foreign}");
            }
        }
        // Neither nothing nor a session of a browser is a token.
        let cookie = site.cookie(Who::Administrator);
        for headers in [&[][..], &[("cookie", cookie.as_str())], &[("authorization", "Basic eDp5")]] {
            let answer = site.call_with("", endpoint.verb.method(), &path, body(endpoint).as_ref(), headers).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{path}: {}", answer.body);
            assert!(answer.headers[header::WWW_AUTHENTICATE].to_str().expect("text").starts_with("Bearer"));
            problem(&answer);
        }
    }
    site.settle().await;
    let refused = site.entries("access.refused").await;
    assert!(refused.iter().all(|entry| entry.actor_kind == "token"), "{refused:?}");
    assert!(refused.iter().any(|entry| entry.context["reason"] == "not_a_member"));
    assert!(refused.iter().any(|entry| entry.context["reason"] == "not_allowed"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_worth_nothing_is_told_why() {
    let site = Site::start().await;
    let (id, secret) = site.token_of(ApiTokenOwner::Tenant(site.own), Role::Owner).await;
    let path = format!("/api/v1/tenants/{}", site.own);
    assert_eq!(site.call(&secret, Verb::Get, &path, None).await.status, StatusCode::OK);
    let other = if secret.ends_with('x') { 'y' } else { 'x' };
    let mistyped = format!("{}{other}", &secret[..secret.len() - 1]);
    let answer = site.call(&mistyped, Verb::Get, &path, None).await;
    assert!(problem(&answer)["detail"].as_str().expect("words").contains("typed wrong"), "{}", answer.body);
    site.engine.revoke_token(&Actor::command_line(), id).await.expect("revoked");
    let answer = site.call(&secret, Verb::Get, &path, None).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert!(problem(&answer)["detail"].as_str().expect("words").contains("revoked"), "{}", answer.body);
    let person = site.people[&Who::Member(Role::Operator)];
    let own = site.personal(Who::Member(Role::Operator), Role::Operator).await;
    site.engine.set_user_disabled(&Actor::command_line(), person, true).await.expect("disabled");
    assert_eq!(site.call(&own, Verb::Get, &path, None).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_walked_to_their_end_and_a_cursor_of_another_list_is_refused() {
    let site = Site::start().await;
    site.sync_everything().await;
    let token = site.personal(Who::Administrator, Role::Owner).await;
    let items = |tenant: TenantId, query: &str| format!("/api/v1/tenants/{tenant}/items?{query}");
    let (mut seen, mut path) = (Vec::new(), items(site.own, "limit=7&sort=type"));
    let mut first_cursor = None;
    loop {
        let answer = site.call(&token, Verb::Get, &path, None).await;
        let page: Value = serde_json::from_str(&answer.body).expect("JSON");
        seen.extend(
            page["items"].as_array().expect("items").iter().map(|one| one["id"].as_str().expect("an id").to_owned()),
        );
        let Some(cursor) = page["next"].as_str() else { break };
        let link = answer.headers[header::LINK].to_str().expect("text");
        path = link.trim_start_matches('<').split('>').next().expect("an address").to_owned();
        assert!(path.contains(cursor), "{link}");
        first_cursor.get_or_insert(cursor.to_owned());
    }
    let all = site.call(&token, Verb::Get, &items(site.own, "limit=200"), None).await;
    let all: Value = serde_json::from_str(&all.body).expect("JSON");
    let unique: std::collections::BTreeSet<_> = seen.iter().collect();
    assert_eq!(
        (seen.len(), unique.len()),
        (seen.len(), all["items"].as_array().expect("items").len().max(unique.len()))
    );
    assert!(seen.len() > 14, "{}", seen.len());
    let cursor = first_cursor.expect("more than a page");
    for other in [
        items(site.other, &format!("limit=7&sort=type&after={cursor}")),
        items(site.own, &format!("limit=7&sort=type&state=present&after={cursor}")),
        items(site.own, "sort=type&after=nonsense"),
        format!("/api/v1/tenants/{}/runs?after={cursor}", site.own),
    ] {
        let answer = site.call(&token, Verb::Get, &other, None).await;
        assert_eq!(
            (answer.status, problem(&answer)["code"].as_str()),
            (StatusCode::BAD_REQUEST, Some("invalid_parameter")),
            "{other}"
        );
    }
    let same = items(site.own, &format!("limit=9&sort=type&after={cursor}"));
    assert_eq!(
        site.call(&token, Verb::Get, &same, None).await.status,
        StatusCode::OK,
        "the length of a page may change"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_understood_says_what_was_expected() {
    let site = Site::start().await;
    let token = site.personal(Who::Administrator, Role::Owner).await;
    let tenant = format!("/api/v1/tenants/{}", site.own);
    for (query, words) in [
        ("items?colour=red", "q, category, type"),
        ("items?state=deleted", "present, missing, not_read, changed"),
        ("items?limit=0", "from 1 to 200"),
        ("items?limit=7&limit=8", "expected it once"),
        ("runs?from=yesterday", "2026-11-30"),
        ("runs?by=somebody", "person, schedule, token, nobody"),
        ("groups?q=%00", "without the character"),
        ("settings", "this is needed"),
        ("types?x=", "none here"),
    ] {
        let answer = site.call(&token, Verb::Get, &format!("{tenant}/{query}"), None).await;
        let problem = problem(&answer);
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{query}: {problem}");
        assert!(problem["detail"].as_str().expect("words").contains(words), "{query}: {problem}");
    }
    for (path, body, status, words) in [
        ("runs", json!({ "operation": "inventory.remove" }), 400, "inventory.sync"),
        ("runs", json!({ "operation": "tenants.check", "policy_types": ["mobileApp"] }), 422, "takes no such field"),
        ("runs", json!({ "operation": "inventory.sync", "policy_types": ["x"] }), 422, "expected keys of policy types"),
        ("runs", json!({ "operation": "inventory.sync", "colour": 1 }), 400, "colour"),
        ("runs", json!(["inventory.sync"]), 400, "expected an object"),
        ("findings/accept", json!({ "findings": ["\u{0}"], "reason": "x" }), 400, "U+0000"),
        ("findings/accept", json!({ "findings": [], "reason": "x" }), 422, "1 to 500"),
    ] {
        let answer = site.call(&token, Verb::Post, &format!("{tenant}/{path}"), Some(&body)).await;
        let problem = problem(&answer);
        assert_eq!(answer.status.as_u16(), status, "{body}: {problem}");
        assert!(problem["detail"].as_str().expect("words").contains(words), "{body}: {problem}");
    }
    let answer = site.call_with(&token, Method::DELETE, &tenant, None, &[]).await;
    assert_eq!(
        (answer.status, answer.headers[header::ALLOW].to_str().ok()),
        (StatusCode::METHOD_NOT_ALLOWED, Some("GET"))
    );
    problem(&answer);
    for path in ["/api/v1/nonsense", "/api/v1/tenants/x/items", "/api/v1/tenants/%00", "/api/v1/"] {
        let answer = site.call(&token, Verb::Get, path, None).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}: {}", answer.body);
        problem(&answer);
    }
    let form = Request::builder()
        .method(Method::POST)
        .uri(format!("{tenant}/runs"))
        .header(header::HOST, "localhost")
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from("operation=inventory.sync"))
        .expect("a request");
    assert_eq!(site.send_raw(form).await.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_odd_text_in_a_parameter_or_a_body_breaks_the_server() {
    let site = Site::start().await;
    let odd = [
        "%00",
        "%ff%fe",
        "%F0%9F%92%A9",
        "'%22%3Cscript%3E%25_%5C",
        "-1",
        "99999999999999999999",
        "%E2%80%AE",
        "",
        "1e3",
        "%0d%0a",
    ];
    for endpoint in api::endpoints() {
        // Each with a token of its own, so that none is refused for asking too often.
        let (id, token) = site.token_of(ApiTokenOwner::Tenant(site.own), Role::Owner).await;
        for text in odd {
            for parameter in endpoint.query {
                let path = format!("{}?{}={text}", site.fill(endpoint.path, site.own), parameter.name);
                let answer = site.call(&token, endpoint.verb, &path, None).await;
                assert!(answer.status != StatusCode::TOO_MANY_REQUESTS, "{path}");
                assert!(answer.status.as_u16() < 500, "{path}: {} {}", answer.status, answer.body);
            }
            let text =
                url::form_urlencoded::parse(format!("x={text}").as_bytes()).next().map(|(_, value)| value.into_owned());
            let text = text.unwrap_or_default();
            for body in [
                json!({ "operation": text, "why": text, "findings": [text], "reason": text, "until": text }),
                json!({ "operation": "policies.capture", "items": [text] }),
                json!({ "operation": "inventory.sync", "policy_types": [text], "categories": [text] }),
                json!({ "findings": [text], "reason": text }),
                json!({ "why": text }),
            ] {
                if endpoint.verb == Verb::Post {
                    let answer = site.call(&token, Verb::Post, &site.fill(endpoint.path, site.own), Some(&body)).await;
                    assert!(answer.status.as_u16() < 500, "{} {body}: {} {}", endpoint.id, answer.status, answer.body);
                }
            }
        }
        site.engine.revoke_token(&Actor::command_line(), id).await.expect("revoked");
    }
    site.settle().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_started_once_for_a_key_and_tells_its_token() {
    let site = Site::start().await;
    let (id, token) = site.token_of(ApiTokenOwner::Tenant(site.own), Role::Operator).await;
    let runs = format!("/api/v1/tenants/{}/runs", site.own);
    let body =
        json!({ "operation": "inventory.sync", "policy_types": ["namedLocation"], "include_foundations": false });
    let key = [("idempotency-key", "nightly-1")];
    let first = site.call_with(&token, Method::POST, &runs, Some(&body), &key).await;
    assert_eq!(first.status, StatusCode::ACCEPTED, "{}", first.body);
    site.settle().await;
    let again = site.call_with(&token, Method::POST, &runs, Some(&body), &key).await;
    assert_eq!(
        (again.status, &again.body),
        (StatusCode::ACCEPTED, &first.body),
        "answered as before, although it has ended"
    );
    let other = json!({ "operation": "inventory.sync" });
    let refused = site.call_with(&token, Method::POST, &runs, Some(&other), &key).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(problem(&refused)["detail"].as_str().expect("words").contains("another request"));
    let filter = operation_runs::Filter { tenant_id: Some(site.own), by_token: true, limit: 9, ..Default::default() };
    let started = operation_runs::list(site.engine.reader(), &filter).await.expect("runs");
    assert_eq!(started.iter().map(|run| run.token_id).collect::<Vec<_>>(), [Some(id)]);
    let listed = site.call(&token, Verb::Get, &format!("{runs}?by=token"), None).await;
    let listed: Value = serde_json::from_str(&listed.body).expect("JSON");
    assert_eq!((&listed["items"][0]["initiator"], &listed["items"][0]["token_id"]), (&json!("Test"), &json!(id)));
    let entries =
        audit::Filter { action: Some("inventory.sync.dispatched".to_owned()), limit: 1, ..Default::default() };
    let entries = audit::list(site.engine.reader(), &entries).await.expect("entries");
    assert_eq!((entries[0].actor_kind.as_str(), entries[0].actor_name.as_str()), ("token", "Test"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_tells_of_the_end_of_a_run_and_ends_when_its_token_does() {
    use futures::StreamExt as _;
    let site = Site::start().await;
    let (id, token) = site.token_of(ApiTokenOwner::Tenant(site.own), Role::Operator).await;
    let open = async |run: String| {
        let request = Request::builder()
            .uri(format!("/api/v1/tenants/{}/runs/{run}/events", site.own))
            .header(header::HOST, "localhost")
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .body(Body::empty())
            .expect("a request");
        site.router.clone().oneshot(request).await.expect("an answer")
    };
    let ended = open(site.run.to_string()).await;
    let text = to_bytes(ended.into_body(), usize::MAX).await.expect("it ends");
    let text = String::from_utf8_lossy(&text).into_owned();
    assert!(text.starts_with("event: run\ndata: {") && text.contains("\"ended\":true"), "{text}");
    // A run that does not end: its cloud does not answer.
    site.cloud.control().hold("deviceManagement/configurationPolicies");
    let runs = format!("/api/v1/tenants/{}/runs", site.own);
    let body = json!({ "operation": "inventory.sync", "policy_types": ["settingsCatalogPolicy"], "include_foundations": false });
    let started = site.call(&token, Verb::Post, &runs, Some(&body)).await;
    let started: Value = serde_json::from_str(&started.body).expect("JSON");
    let run = started["run"]["id"].as_str().expect("an id").to_owned();
    let mut frames = open(run).await.into_body().into_data_stream();
    assert!(frames.next().await.is_some());
    site.engine.revoke_token(&Actor::command_line(), id).await.expect("revoked");
    let rest =
        tokio::time::timeout(std::time::Duration::from_secs(60), async { while frames.next().await.is_some() {} })
            .await;
    assert!(rest.is_ok(), "it goes on with a token that was revoked");
    site.cloud.control().release();
    site.settle().await;
}

/// Nothing of what a request shows stands in what is told of it.
#[tokio::test(flavor = "multi_thread")]
async fn a_secret_stands_in_no_answer_and_in_no_entry() {
    let site = Site::start().await;
    let (_, token) = site.token_of(ApiTokenOwner::Tenant(site.own), Role::Readonly).await;
    for path in ["/api/v1/token".to_owned(), format!("/api/v1/tenants/{}/audit", site.own)] {
        let answer = site.call(&token, Verb::Get, &path, None).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert!(!answer.body.contains("tat_"), "{path}: {}", answer.body);
        assert!(!told(&answer.headers).contains("tat_"));
    }
    let refused =
        site.call(&token, Verb::Post, &format!("/api/v1/tenants/{}/runs/{}/cancel", site.own, site.run), None).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    site.settle().await;
    let entries =
        audit::list(site.engine.reader(), &audit::Filter { limit: 500, ..Default::default() }).await.expect("entries");
    assert!(!format!("{entries:?}").contains("tat_"));
}

fn told(headers: &HeaderMap) -> String {
    headers.iter().map(|(name, value)| format!("{name}: {value:?}\n")).collect()
}
