//! What one person or one client may have at a time.

use super::site::{Site, Who};
use crate::web::under_way::MAX_STREAMS_PER_PERSON;
use axum::{
    body::Body,
    http::{Method, Request, StatusCode},
    response::Response,
};
use tenantatlas_app::auth;
use tenantatlas_domain::role::Role;
use tower::ServiceExt as _;

const HTML: &str = "text/html";
const READER: Who = Who::Member(Role::Readonly);

async fn send(site: &Site, request: Request<Body>) -> Response {
    site.router.clone().oneshot(request).await.expect("an answer")
}

/// A request that a proxy on this machine passes on for a client.
fn from_client(site: &Site, who: Who, path: &str, client: &str) -> Request<Body> {
    let mut request = site.request(who, Method::GET, path, HTML, None);
    request.headers_mut().insert("x-forwarded-for", client.parse().expect("a value"));
    let cookie = site.cookie(who).replace(auth::SESSION_COOKIE, &auth::cookie_name(auth::SESSION_COOKIE, true));
    request.headers_mut().insert("cookie", cookie.parse().expect("a value"));
    request
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
