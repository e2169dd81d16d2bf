//! What one person or one client may have at a time and in a while, and what is no use of a session.

use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderValue, Method, Request, StatusCode};
use axum::response::Response;
use tenantatlas_app::live::parts::BY_ITSELF;
use tenantatlas_app::session::cookies::{self, SESSION_COOKIE};
use tenantatlas_domain::role::Role;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_store::sessions::{self, NewSession, TokenHash};
use tower::ServiceExt as _;
use uuid::Uuid;

use super::site::{Site, Who};
use crate::web::under_way::MAX_STREAMS_PER_PERSON;

const HTML: &str = "text/html";
const READER: Who = Who::Member(Role::Readonly);
/// More than what is tried here may ever need.
const PATIENCE: Duration = Duration::from_secs(60);

async fn send(site: &Site, request: Request<Body>) -> Response {
    site.router.clone().oneshot(request).await.expect("an answer")
}

/// A request that a proxy on this machine passes on for a client.
fn from_client(site: &Site, who: Who, path: &str, client: &str) -> Request<Body> {
    let mut request = site.request(who, Method::GET, path, HTML, None);
    request.headers_mut().insert("x-forwarded-for", client.parse().expect("a value"));
    let cookie = site.cookie(who).replace(SESSION_COOKIE, &cookies::cookie_name(SESSION_COOKIE, true));
    request.headers_mut().insert("cookie", cookie.parse().expect("a value"));
    request
}

#[tokio::test(flavor = "multi_thread")]
async fn downloads_in_a_loop_do_not_fill_the_audit_log_and_a_look_at_the_head_is_none() {
    let site = Site::start().await;
    let path = format!("/t/{}/inventory/export.csv", site.own);
    for _ in 0..3 {
        assert_eq!(site.ask(READER, Method::HEAD, &path, HTML, None).await.status, StatusCode::OK);
    }
    assert_eq!(site.entries("inventory.exported").await.len(), 0, "nothing left the server");
    let mut downloads = 0;
    let refused = loop {
        let answer = site.ask(READER, Method::GET, &path, HTML, None).await;
        match answer.status {
            StatusCode::OK if downloads < 500 => downloads += 1,
            status => break status,
        }
    };
    assert_eq!(refused, StatusCode::TOO_MANY_REQUESTS, "after {downloads}");
    assert_eq!(site.entries("inventory.exported").await.len(), downloads);
    let owner = Who::Member(Role::Owner);
    assert_eq!(site.ask(owner, Method::GET, &path, HTML, None).await.status, StatusCode::OK, "others may");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_person_cannot_open_all_live_streams_behind_whatever_addresses() {
    let site = Site::start().await;
    let path = format!("/t/{}/events", site.own);
    let mut open = Vec::new();
    for number in 0..MAX_STREAMS_PER_PERSON {
        let response = send(&site, from_client(&site, READER, &path, &format!("192.0.2.{number}"))).await;
        assert_eq!(response.status(), StatusCode::OK, "{number}");
        open.push(response);
    }
    let one_more = || from_client(&site, READER, &path, "198.51.100.1");
    assert_eq!(send(&site, one_more()).await.status(), StatusCode::TOO_MANY_REQUESTS);
    let page = format!("/t/{}/inventory", site.own);
    assert_eq!(site.ask(READER, Method::GET, &page, HTML, None).await.status, StatusCode::OK, "pages still open");
    let operator = Who::Member(Role::Operator);
    assert_eq!(send(&site, from_client(&site, operator, &path, "192.0.2.1")).await.status(), StatusCode::OK);
    open.pop();
    assert_eq!(send(&site, one_more()).await.status(), StatusCode::OK, "one that was closed makes room");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_client_behind_the_proxy_has_so_many_requests_under_way_and_no_more() {
    let site = Site::start().await;
    let request = |client: &str| from_client(&site, Who::Nobody, "/healthz", client);
    let mut unread = Vec::new();
    // Answers that nobody reads to their end.
    let refused = loop {
        let response = send(&site, request("2001:db8::7")).await;
        if response.status() != StatusCode::OK || unread.len() > 5_000 {
            break response.status();
        }
        unread.push(response);
    };
    assert_eq!((refused, unread.len()), (StatusCode::TOO_MANY_REQUESTS, 512));
    assert_eq!(send(&site, request("2001:db8::8")).await.status(), StatusCode::TOO_MANY_REQUESTS, "its network");
    assert_eq!(send(&site, request("192.0.2.1")).await.status(), StatusCode::OK, "another client");
    unread.pop();
    assert_eq!(send(&site, request("2001:db8::7")).await.status(), StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_is_left_open_does_not_keep_its_session_from_ending() {
    let site = Site::start().await;
    let now = site.engine.now();
    let before = |minutes: i64| Timestamp::from_millis(now.as_millis() - minutes * 60_000);
    let begin = async |minutes: i64| {
        let (token, hash) = cookies::new_token();
        let session = NewSession {
            id: Uuid::now_v7(),
            user_id: site.people[&READER],
            idle_expires_at: Timestamp::from_millis(now.as_millis() + 600_000),
            expires_at: Timestamp::from_millis(now.as_millis() + 3_600_000),
            user_agent: "test".to_owned(),
            address: "127.0.0.1".to_owned(),
        };
        let mut tx = site.db.write().await.expect("a transaction");
        sessions::create(&mut tx, &hash, &session, before(minutes)).await.expect("a session");
        tx.commit().await.expect("committed");
        (token, hash)
    };
    let used = async |hash: &TokenHash| {
        sessions::find(site.engine.reader(), hash, now).await.expect("a look").expect("a session").session.last_used_at
    };
    let ask = async |token: &str, method: Method, path: &str, form: Option<&str>, by_itself: bool| {
        let mut request = site.request(Who::Nobody, method, path, HTML, form);
        let cookie = format!("{SESSION_COOKIE}={token}");
        request.headers_mut().insert("cookie", cookie.parse().expect("a value"));
        if by_itself {
            request.headers_mut().insert(BY_ITSELF, HeaderValue::from_static("1"));
        }
        let status = send(&site, request).await.status();
        assert!(status.is_success() || status.is_redirection(), "{path}: {status}");
    };
    let inside = |rest: &str| format!("/t/{}/{rest}", site.own);
    let (left_open, left_open_hash) = begin(5).await;
    let (in_use, in_use_hash) = begin(5).await;
    ask(&left_open, Method::GET, &inside("events"), None, false).await;
    ask(&left_open, Method::GET, &inside("inventory"), None, true).await;
    ask(&left_open, Method::POST, &inside("api/notifications"), Some("{}"), false).await;
    let run = format!(r#"{{"run":"{}"}}"#, site.run);
    ask(&left_open, Method::POST, &inside("api/load_run"), Some(&run), false).await;
    // Uses are noted one after the other: when this one is, those before it would have been.
    ask(&in_use, Method::GET, &inside("inventory"), None, false).await;
    let noted = async {
        while used(&in_use_hash).await == before(5) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, noted).await.expect("the use of the other session is noted");
    assert_eq!(used(&left_open_hash).await, before(5));
}
