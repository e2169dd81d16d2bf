//! Tokens of the API that are refused: the audit log tells of it, once an hour for the same refusal, whichever processes it met.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use axum::http::{Method, Request, StatusCode, header};
use secrecy::ExposeSecret as _;
use tenantatlas_domain::role::Role;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_engine::{Actor, NewToken};
use tenantatlas_store::api_tokens::ApiTokenOwner;
use tenantatlas_store::audit::{self, Entry, Outcome};
use tenantatlas_store::testing::on_both_engines;
use tower::ServiceExt as _;

use super::site::{Site, Who};

const PATIENCE: Duration = Duration::from_secs(120);

/// Asks a process for something with a token.
async fn ask(router: &Router, secret: &str, method: Method, path: &str) -> StatusCode {
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::HOST, "localhost")
        .header(header::AUTHORIZATION, format!("Bearer {secret}"))
        .body(Body::empty())
        .expect("a request");
    request.extensions_mut().insert(ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 50_000))));
    router.clone().oneshot(request).await.expect("an answer").status()
}

/// A token that has ended when this answers.
async fn ended_token(site: &Site, owner: ApiTokenOwner) -> (String, String) {
    let expires_at = Timestamp::from_millis(site.engine.now().as_millis() + 40);
    let new = NewToken { name: "Of yesterday".to_owned(), role: Role::Operator, owner, expires_at };
    let (id, secret) = site.engine.create_token(&Actor::command_line(), &new).await.expect("a token");
    while site.engine.now() <= expires_at {
        tokio::task::yield_now().await;
    }
    (id.to_string(), secret.expose_secret().to_owned())
}

fn of_token<'e>(entries: &'e [Entry], id: &str) -> Vec<&'e Entry> {
    entries.iter().filter(|entry| entry.context["token"] == id).collect()
}

/// Waits until an entry of the action fits.
async fn until_entry(site: &Site, action: &str, fits: impl Fn(&Entry) -> bool) -> Entry {
    let wait = async {
        loop {
            if let Some(entry) = site.entries(action).await.into_iter().find(|entry| fits(entry)) {
                return entry;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.expect("the entry comes")
}

/// Nothing of a secret stands in the audit log.
async fn no_secret_is_written(site: &Site, secrets: &[&str]) {
    let entries = audit::Filter { limit: 500, ..audit::Filter::default() };
    let entries = audit::list(site.engine.reader(), &entries).await.expect("entries");
    let written = format!("{entries:?}");
    for secret in secrets {
        assert!(!written.contains(&secret[4..20]), "a part of a token is written down");
    }
}

on_both_engines! {
    async fn a_token_that_is_worth_nothing_any_more_makes_one_entry_an_hour_whichever_processes_it_is_shown(test: TestDatabase) {
        let site = Site::on(test).await;
        let root = Actor::command_line();
        let person = site.people[&Who::Member(Role::Operator)];
        let (revoked, revoked_secret) = site.token_of(ApiTokenOwner::Tenant(site.own), Role::Owner).await;
        site.engine.revoke_token(&root, revoked).await.expect("revoked");
        let (ended, ended_secret) = ended_token(&site, ApiTokenOwner::Person(person, Vec::new())).await;
        let (orphan, orphan_secret) = site.token_of(ApiTokenOwner::Person(person, Vec::new()), Role::Operator).await;
        site.engine.set_user_disabled(&root, person, true).await.expect("disabled");
        let secrets = [revoked_secret.as_str(), &ended_secret, &orphan_secret];
        let path = format!("/api/v1/tenants/{}", site.own);
        let (other, router, background) = site.another_process();
        for secret in secrets {
            for process in [&site.router, &router, &site.router, &router] {
                assert_eq!(ask(process, secret, Method::GET, &path).await, StatusCode::UNAUTHORIZED);
            }
        }
        background.close();
        background.wait().await;
        let entries = site.entries("token.refused").await;
        assert_eq!(entries.len(), 3, "{entries:?}");
        // Its person cannot sign in either: that is why first.
        for (id, reason, tenant, actor) in [
            (revoked.to_string(), "revoked", Some(site.own), None),
            (ended, "owner_disabled", None, Some(person)),
            (orphan.to_string(), "owner_disabled", None, Some(person)),
        ] {
            let [entry] = of_token(&entries, &id)[..] else { panic!("one entry of {id}: {entries:?}") };
            assert_eq!((entry.resource_type.as_str(), &entry.resource_id), ("token", &id));
            assert_eq!((entry.actor_kind.as_str(), entry.actor_id, entry.tenant_id), ("token", actor, tenant));
            assert_eq!((entry.outcome, entry.context["reason"].as_str()), (Outcome::Denied, Some(reason)));
            assert_eq!(entry.context["address"], "127.0.0.1");
        }

        // Both processes end and hand over what they counted; when the hour is over a third one tells of it, although nobody asks.
        for engine in [&site.engine, &other] {
            engine.shutdown().await;
        }
        let wait = async {
            while site.database.number("SELECT CAST(SUM(counted) AS BIGINT) AS value FROM api_token_refusals").await < 9 {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, wait).await.expect("three further ones of each token are counted");
        site.database.execute("UPDATE api_token_refusals SET told_at = told_at - 3600000").await;
        let (third, router, background) = site.another_process();
        let told = until_entry(&site, "token.refused", |entry| entry.context["repeated"] == 3 && entry.tenant_id.is_some()).await;
        assert_eq!((told.context["token"].as_str(), told.context["reason"].as_str()), (Some(&*revoked.to_string()), Some("revoked")));
        assert_eq!((told.actor_kind.as_str(), told.context.get("address")), ("token", None));
        // In the next hour it is told anew.
        ask(&router, &revoked_secret, Method::GET, &path).await;
        background.close();
        background.wait().await;
        let entries = site.entries("token.refused").await;
        assert_eq!(of_token(&entries, &revoked.to_string()).len(), 3, "{entries:?}");
        no_secret_is_written(&site, &secrets).await;
        let verified = site.engine.verify_audit().await.expect("verified");
        assert!(matches!(verified, audit::Verification::Intact { .. }), "{verified:?}");
        third.shutdown().await;
    }

    async fn a_token_that_asks_for_more_than_it_may_is_named_in_one_entry_an_hour_for_what_it_asked(test: TestDatabase) {
        let site = Site::on(test).await;
        let person = site.people[&Who::Member(Role::Operator)];
        let reading = ApiTokenOwner::Person(person, Vec::new());
        // Two of one person: neither hides the other.
        let tokens = [
            site.token_of(reading.clone(), Role::Readonly).await,
            site.token_of(reading, Role::Readonly).await,
            site.token_of(ApiTokenOwner::Tenant(site.own), Role::Readonly).await,
        ];
        let own = format!("/api/v1/tenants/{}/schedules", site.own);
        let foreign = format!("/api/v1/tenants/{}/schedules", site.other);
        let (other, router, background) = site.another_process();
        for (_, secret) in &tokens {
            for process in [&site.router, &router, &router] {
                assert_eq!(ask(process, secret, Method::POST, &own).await, StatusCode::FORBIDDEN);
                assert_eq!(ask(process, secret, Method::GET, &foreign).await, StatusCode::NOT_FOUND);
            }
        }
        background.close();
        background.wait().await;
        let entries = site.entries("access.refused").await;
        for (id, _) in &tokens {
            let of_it = of_token(&entries, &id.to_string());
            let told: BTreeSet<_> = of_it.iter().map(|entry| (entry.context["reason"].as_str(), entry.tenant_id)).collect();
            let expected = BTreeSet::from([(Some("not_allowed"), Some(site.own)), (Some("not_a_member"), Some(site.other))]);
            assert_eq!((told, of_it.len()), (expected, 2), "{entries:?}");
            assert!(of_it.iter().all(|entry| entry.actor_name == "Test" && entry.resource_id.ends_with("/schedules")), "{of_it:?}");
        }
        assert_eq!(entries.len(), 6);
        no_secret_is_written(&site, &[&tokens[0].1, &tokens[1].1, &tokens[2].1]).await;
        other.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_nobody_knows_is_counted_and_stands_in_no_audit_log() {
    let site = Site::start().await;
    let (id, secret) = site.token_of(ApiTokenOwner::Tenant(site.own), Role::Owner).await;
    let path = format!("/api/v1/tenants/{}", site.own);
    // Whoever asks for figures first begins the counting.
    figures(&site).await;
    // As if it had never been made.
    site.database.execute("DELETE FROM api_tokens").await;
    for token in [secret.as_str(), "tat_nonsense"] {
        assert_eq!(ask(&site.router, token, Method::GET, &path).await, StatusCode::UNAUTHORIZED);
    }
    assert!(site.entries("token.refused").await.is_empty(), "{id}");
    assert!(site.entries("access.refused").await.is_empty());
    let figures = figures(&site).await;
    for reason in ["unknown", "malformed"] {
        let figure = format!("api_tokens_refused_total{{reason=\"{reason}\"}} ");
        assert!(figures.lines().any(|line| line.starts_with(&figure)), "{figure}: {figures}");
    }
}

async fn figures(site: &Site) -> String {
    let request = Request::get("/metrics")
        .header(header::HOST, "localhost")
        .header(header::AUTHORIZATION, "Bearer metrics-token");
    let answer = site.router.clone().oneshot(request.body(Body::empty()).expect("a request")).await.expect("an answer");
    let figures = to_bytes(answer.into_body(), 1 << 20).await.expect("figures");
    String::from_utf8(figures.to_vec()).expect("text")
}
