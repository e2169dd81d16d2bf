//! What somebody who invites is shown, and somebody who was invited.

use axum::http::{HeaderMap, Method, StatusCode, header};
use tenantatlas_app::session::cookies::{self, LINK_COOKIE, SESSION_COOKIE};
use tenantatlas_domain::ids::TenantId;
use tenantatlas_domain::role::Role;
use tenantatlas_store::{invitations, members, users};
use tower::ServiceExt as _;

use super::site::{Answer, Site, Who};

const HTML: &str = "text/html";
const OWNER: Who = Who::Member(Role::Owner);

/// What an answer sets as a cookie of this name, with its attributes.
fn set(headers: &HeaderMap, name: &str) -> Option<String> {
    let all = headers.get_all(header::SET_COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut of_name = all.filter_map(|cookie| cookie.split_once('=').filter(|(key, _)| key.ends_with(name)));
    of_name.find_map(|(_, value)| (!value.starts_with(';')).then(|| value.to_owned()))
}

fn location(answer: &Answer) -> &str {
    answer.headers[header::LOCATION].to_str().expect("text")
}

impl Site {
    /// The page of the members, in the browser of the owner that also holds the token of a link.
    async fn members_with(&self, tenant: TenantId, token: &str) -> Answer {
        let path = format!("/t/{tenant}/settings/members?done=invited");
        let mut request = self.request(OWNER, Method::GET, &path, HTML, None);
        let name = cookies::cookie_name(LINK_COOKIE, true);
        let session = cookies::cookie_name(SESSION_COOKIE, true);
        let cookie = format!("{session}={}; {name}={token}", self.tokens[&OWNER]);
        request.headers_mut().insert(header::COOKIE, cookie.parse().expect("a value"));
        let (parts, body) = self.router.clone().oneshot(request).await.expect("an answer").into_parts();
        let bytes = axum::body::to_bytes(body, 8 << 20).await.expect("a body");
        Answer { status: parts.status, headers: parts.headers, body: String::from_utf8_lossy(&bytes).into_owned() }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_is_shown_once_in_no_address_and_only_to_who_may_invite_there() {
    let site = Site::start().await;
    let add = format!("/t/{}/api/add_member", site.own);
    let form = "email=bea%40example.com&role=manager";
    let added = site.ask(OWNER, Method::POST, &add, HTML, Some(form)).await;
    assert!(matches!(added.status.as_u16(), 302 | 303), "{} {}", added.status, added.body);
    assert!(location(&added).ends_with("/settings/members?done=invited"), "{}", location(&added));
    let kept = set(&added.headers, LINK_COOKIE).expect("a cookie");
    let (token, attributes) = kept.split_once(';').expect("attributes");
    assert!(
        attributes.contains("HttpOnly") && attributes.contains("SameSite=Lax") && attributes.contains("Max-Age=60")
    );
    let page = site.members_with(site.own, token).await;
    assert_eq!(page.status, StatusCode::OK);
    let link = format!("http://localhost/invitation/{token}");
    assert!(page.body.contains(&link) && page.body.contains("bea@example.com"), "the link is shown");
    let forgotten = page.headers.get_all(header::SET_COOKIE).iter().filter_map(|value| value.to_str().ok());
    assert!(forgotten.filter(|cookie| cookie.contains(LINK_COOKIE) && cookie.contains("Max-Age=0")).count() >= 1);
    let again = site.ask(OWNER, Method::GET, location(&added), HTML, None).await;
    assert!(!again.body.contains("/invitation/"), "once");
    assert!(again.body.contains("bea@example.com") && again.body.contains("Take back"), "it is open");
    // Neither what a cookie makes up nor who may not invite makes a page show a link.
    let planted = site.members_with(site.own, "planted").await;
    assert!(!planted.body.contains("/invitation/"));
    let reader = site.ask(Who::Member(Role::Readonly), Method::GET, location(&added), HTML, None).await;
    assert!(
        reader.status == StatusCode::OK && !reader.body.contains("bea@example.com"),
        "a reader sees no invitations"
    );
    // One who has an account is a member at once.
    let stranger = users::get(&site.db, site.people[&Who::Stranger]).await.expect("read").expect("a person");
    let form = format!("email={}&role=readonly", stranger.email.replace('@', "%40"));
    let added = site.ask(OWNER, Method::POST, &add, HTML, Some(&form)).await;
    assert!(location(&added).ends_with("?done=added"), "{}", location(&added));
    assert_eq!(set(&added.headers, LINK_COOKIE), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn looking_at_an_invitation_uses_nothing_up_and_a_form_without_a_script_makes_the_account() {
    let site = Site::start().await;
    let page = format!("/invitation/{}", site.invitation);
    for _ in 0..2 {
        let shown = site.ask(Who::Nobody, Method::GET, &page, HTML, None).await;
        assert_eq!(shown.status, StatusCode::OK);
        assert_eq!(shown.headers["referrer-policy"], "same-origin", "no other site is told the address");
        assert_eq!(shown.headers["cache-control"], "no-store");
        assert!(shown.body.contains("invited@example.com") && shown.body.contains("with the role Operator"));
    }
    let accept = "/api/accept_invitation";
    let form = |password: &str| format!("token={}&name=Ina+Vited&password={password}", site.invitation);
    let refused = site.ask(Who::Nobody, Method::POST, accept, HTML, Some(&form("short"))).await;
    assert!(set(&refused.headers, SESSION_COOKIE).is_none());
    assert!(users::find_by_email(&site.db, "invited@example.com").await.expect("read").is_none());
    let made = site.ask(Who::Nobody, Method::POST, accept, HTML, Some(&form("a+long+sentence+of+hers"))).await;
    assert_eq!(location(&made), format!("/t/{}/inventory", site.own), "{}", made.body);
    assert!(set(&made.headers, SESSION_COOKIE).is_some(), "signed in");
    let ina = users::find_by_email(&site.db, "invited@example.com").await.expect("read").expect("a person").user;
    assert_eq!((ina.name.as_str(), ina.platform_admin), ("Ina Vited", false));
    assert_eq!(members::effective_role(&site.db, site.own, ina.id).await.expect("read"), Some(Role::Operator));
    let gone = site.ask(Who::Nobody, Method::GET, &page, HTML, None).await;
    assert_eq!(gone.status, StatusCode::NOT_FOUND);
    assert!(gone.body.contains("Ask whoever sent it for a new one"), "a clear sentence");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_takes_an_invitation_back_and_none_of_another_tenant() {
    let site = Site::start().await;
    let open = || invitations::list(&site.db, site.own, site.engine.now());
    let id = open().await.expect("read")[0].id;
    let form = format!("invitation={id}");
    let elsewhere = format!("/t/{}/api/revoke_invitation", site.other);
    site.ask(Who::Administrator, Method::POST, &elsewhere, HTML, Some(&form)).await;
    assert_eq!(open().await.expect("read").len(), 1, "it is of the other tenant");
    let path = format!("/t/{}/api/revoke_invitation", site.own);
    let revoked = site.ask(OWNER, Method::POST, &path, HTML, Some(&form)).await;
    assert!(location(&revoked).ends_with("?done=uninvited"), "{}", location(&revoked));
    assert!(open().await.expect("read").is_empty());
    let again = site.ask(OWNER, Method::POST, &path, "application/json", Some(&form)).await;
    assert_eq!(again.status, StatusCode::NOT_FOUND, "{}", again.body);
}
