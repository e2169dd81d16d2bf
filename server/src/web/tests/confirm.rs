//! What a session may do without a password that was confirmed lately, and which cookies make one.

use axum::http::{Method, StatusCode, header};
use tenantatlas_app::session::cookies::{SESSION_COOKIE, hash_token};
use tenantatlas_domain::role::Role;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_store::sessions;
use tower::ServiceExt as _;

use super::site::{Site, Who};

const HTML: &str = "text/html";
const JSON: &str = "application/json";

impl Site {
    /// As if more than ten minutes had passed since this person proved who they are.
    async fn let_confirmation_lapse(&self, who: Who) {
        let (user, hash) = (self.people[&who], hash_token(&self.tokens[&who]));
        let db = &self.db;
        let now = self.engine.now();
        let found = sessions::find(db, &hash, now).await.expect("a session").expect("a session");
        let mut tx = db.write().await.expect("a transaction");
        let long_ago = Timestamp::from_millis(0);
        assert!(sessions::renew(&mut tx, user, found.session.id, &hash, long_ago, now).await.expect("renewed"));
        tx.commit().await.expect("committed");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_say_that_a_password_is_needed_before_anybody_types_and_functions_refuse_without() {
    let site = Site::start().await;
    let (admin, owner) = (Who::Administrator, Who::Member(Role::Owner));
    let inside = |rest: &str| format!("/t/{}/{rest}", site.own);
    let pages = [
        (admin, "/admin/users".to_owned()),
        (admin, "/admin/tenants/new".to_owned()),
        (owner, inside("settings")),
        (owner, inside("settings/members")),
        (owner, "/me/second-factor".to_owned()),
    ];
    for (who, page) in &pages {
        let answer = site.ask(*who, Method::GET, page, HTML, None).await;
        assert!(!answer.body.contains("/confirm?"), "{page}: it was confirmed just now");
    }
    site.let_confirmation_lapse(admin).await;
    site.let_confirmation_lapse(owner).await;
    for (who, page) in &pages {
        let answer = site.ask(*who, Method::GET, page, HTML, None).await;
        let link = format!("/confirm?next={}", page.replace('/', "%2F"));
        assert!(answer.body.contains(&link), "{page} does not lead to {link}");
    }
    let user = site.people[&Who::Stranger];
    for (who, path, form) in [
        (admin, "/api/change_user".to_owned(), format!("user={user}&disabled=true")),
        (admin, "/api/add_user".to_owned(), "name=x&email=x%40example.com&password=a+long+sentence+more".to_owned()),
        (admin, "/api/remove_user".to_owned(), format!("user={user}&confirmation=x")),
        (owner, "/api/begin_second_factor".to_owned(), String::new()),
        (owner, inside("api/add_member"), "email=person5%40example.com&role=owner".to_owned()),
        (owner, inside("api/remove_member"), format!("user={}", site.people[&owner])),
        (owner, inside("api/rotate_credential"), "credential_kind=secret&secret=new".to_owned()),
        (admin, inside("api/remove_tenant"), "confirmation=x".to_owned()),
    ] {
        let answer = site.ask(who, Method::POST, &path, JSON, Some(&form)).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path}: {}", answer.body);
        assert!(answer.body.contains("\"kind\":\"confirm\""), "{path}: {}", answer.body);
    }
    let page = site.ask(owner, Method::GET, "/confirm?next=%2Fme", HTML, None).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.body.contains("name=\"next\" value=\"/me\""), "{}", page.body);
    let evil = site.ask(owner, Method::GET, "/confirm?next=https%3A%2F%2Fevil.example", HTML, None).await;
    assert!(!evil.body.contains("evil.example"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_needs_one_cookie_of_the_name_that_fits_the_connection() {
    let site = Site::start().await;
    let who = Who::Stranger;
    let token = &site.tokens[&who];
    for (host, cookies, status) in [
        ("127.0.0.1", format!("{SESSION_COOKIE}={token}"), StatusCode::OK),
        ("127.0.0.1", format!("{SESSION_COOKIE}={token}; {SESSION_COOKIE}={token}"), StatusCode::SEE_OTHER),
        ("atlas.example", format!("{SESSION_COOKIE}={token}"), StatusCode::SEE_OTHER),
        ("atlas.example", format!("__Host-{SESSION_COOKIE}={token}"), StatusCode::OK),
        ("atlas.example", format!("__Host-{SESSION_COOKIE}={token}; {SESSION_COOKIE}=planted"), StatusCode::OK),
    ] {
        let mut request = site.request(Who::Nobody, Method::GET, "/me", HTML, None);
        request.headers_mut().insert(header::HOST, host.parse().expect("a value"));
        request.headers_mut().insert(header::COOKIE, cookies.parse().expect("a value"));
        let answer = site.router.clone().oneshot(request).await.expect("an answer");
        assert_eq!(answer.status(), status, "{host} {}", cookies.replace(token.as_str(), "TOKEN"));
    }
    let mut request = site.request(who, Method::POST, "/api/sign_out", HTML, Some(""));
    request.headers_mut().insert(header::HOST, "127.0.0.1".parse().expect("a value"));
    let answer = site.router.clone().oneshot(request).await.expect("an answer");
    let forgotten: Vec<_> =
        answer.headers().get_all(header::SET_COOKIE).iter().filter_map(|value| value.to_str().ok()).collect();
    assert!(forgotten.iter().any(|cookie| cookie.starts_with("__Host-tenantatlas_session=;")), "{forgotten:?}");
    assert!(forgotten.iter().any(|cookie| cookie.starts_with("tenantatlas_session=;")), "{forgotten:?}");
}
