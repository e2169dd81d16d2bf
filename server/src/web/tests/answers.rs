//! What answers say about themselves, and what is written down about them.

use axum::http::{HeaderValue, Method, StatusCode, header};
use serde_json::json;
use tenantatlas_domain::role::Role;
use tenantatlas_store::{Db, audit};
use tower::ServiceExt as _;

use super::site::{Site, Who};

const HTML: &str = "text/html";
const JSON: &str = "application/json";
const READER: Who = Who::Member(Role::Readonly);

impl Site {
    /// The entries of one action, newest first.
    pub async fn entries(&self, action: &str) -> Vec<audit::Entry> {
        self.settle().await;
        let filter = audit::Filter { action: Some(action.to_owned()), limit: 500, ..audit::Filter::default() };
        audit::list(self.engine.reader(), &filter).await.expect("entries")
    }

    /// Makes the audit log refuse every new entry.
    pub(super) async fn close_the_audit_log(&self) {
        let Db::Sqlite { writer, .. } = &self.db else { panic!("the site lies in SQLite") };
        let refuse = "CREATE TRIGGER closed BEFORE INSERT ON audit_logs BEGIN SELECT RAISE(ABORT, 'closed'); END";
        sqlx::query(refuse).execute(writer).await.expect("a trigger");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_download_is_written_down_before_it_begins_or_does_not_begin() {
    let site = Site::start().await;
    let downloads = [
        ("inventory/export.csv?type=settingsCatalogPolicy&q=hidden", "inventory.exported", "csv"),
        ("inventory/export.json", "inventory.exported", "json"),
        ("findings/export.csv?status=open", "findings.exported", "csv"),
        ("findings/export.json", "findings.exported", "json"),
        ("audit/export.csv?actor=hidden", "audit.exported", "csv"),
    ];
    for (path, action, format) in downloads {
        let before = site.entries(action).await.len();
        let path = format!("/t/{}/{path}", site.own);
        let answer = site.ask(READER, Method::GET, &path, HTML, None).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        let entries = site.entries(action).await;
        assert_eq!(entries.len(), before + 1, "{path}");
        let entry = &entries[0];
        assert_eq!((entry.tenant_id, entry.actor_id), (Some(site.own), Some(site.people[&READER])), "{path}");
        assert_eq!(entry.context["format"], format);
        assert_eq!(entry.context["address"], "127.0.0.1");
        assert!(!entry.context.to_string().contains("hidden"), "what was typed is not kept: {}", entry.context);
    }
    let filtered = site.entries("inventory.exported").await;
    let filter = &filtered.last().expect("the first download").context["filter"];
    assert_eq!(*filter, json!({ "type": "settingsCatalogPolicy", "q": true }));
    site.close_the_audit_log().await;
    for (path, ..) in downloads {
        let path = format!("/t/{}/{path}", site.own);
        let answer = site.ask(READER, Method::GET, &path, HTML, None).await;
        assert!(answer.status.is_server_error() && !answer.body.contains("seq,"), "{path}: {}", answer.body);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_form_without_script_is_written_down_although_it_is_answered_with_a_redirect() {
    let site = Site::start().await;
    let path = format!("/t/{}/api/start_sync", site.own);
    let form = "policy_types[]=settingsCatalogPolicy";
    let mut request = site.request(READER, Method::POST, &path, HTML, Some(form));
    request.headers_mut().insert(header::REFERER, HeaderValue::from_static("http://localhost/me"));
    let answer = site.router.clone().oneshot(request).await.expect("an answer");
    assert!(answer.status().is_redirection());
    let led = answer.headers()[header::LOCATION].to_str().expect("text");
    assert!(led.starts_with("http://localhost/me?") && led.contains("__err="), "{led}");
    let entries = site.entries("access.refused").await;
    let entry = entries.first().expect("an entry");
    assert_eq!((entry.resource_type.as_str(), entry.resource_id.as_str()), ("function", "/api/start_sync"));
    assert_eq!((entry.tenant_id, entry.actor_id), (Some(site.own), Some(site.people[&READER])));
    assert_eq!(entry.context["reason"], "not_allowed");
    assert_eq!(entry.context["address"], "127.0.0.1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_that_leaves_out_what_was_chosen_says_so_on_the_page_of_its_run() {
    let (site, operator) = (Site::start().await, Who::Member(Role::Operator));
    let path = format!("/t/{}/api/start_sync", site.own);
    let form = "policy_types[]=settingsCatalogPolicy&policy_types[]=oneThatIsGone&include_foundations=true";
    let answer = site.ask(operator, Method::POST, &path, HTML, Some(form)).await;
    assert!(answer.status.is_redirection(), "{}", answer.status);
    let led = answer.headers[header::LOCATION].to_str().expect("text");
    assert!(led.ends_with("?done=left_out"), "{led}");
    let page = site.ask(operator, Method::GET, led, HTML, None).await;
    assert!(page.body.contains("without the types that this version does not know"), "{}", page.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_leads_back_to_no_other_site() {
    let site = Site::start().await;
    let path = format!("/t/{}/api/start_sync", site.own);
    let mut request = site.request(READER, Method::POST, &path, HTML, Some(""));
    request.headers_mut().insert(header::REFERER, HeaderValue::from_static("https://evil.example/"));
    let answer = site.router.clone().oneshot(request).await.expect("an answer");
    assert_eq!(answer.headers()[header::LOCATION], "/");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_function_reads_forms_and_json_alone() {
    let site = Site::start().await;
    for (kind, taken) in [
        ("application/x-www-form-urlencoded", true),
        ("application/x-www-form-urlencoded; charset=UTF-8", true),
        ("application/json", true),
        ("text/plain", false),
        ("multipart/form-data; boundary=x", false),
        ("application/octet-stream", false),
    ] {
        let mut request = site.request(READER, Method::POST, "/api/set_theme", JSON, Some("theme=dark"));
        request.headers_mut().insert(header::CONTENT_TYPE, kind.parse().expect("a value"));
        let answer = site.router.clone().oneshot(request).await.expect("an answer");
        assert_eq!(answer.status() != StatusCode::UNSUPPORTED_MEDIA_TYPE, taken, "{kind}: {}", answer.status());
    }
    let mut request = site.request(READER, Method::POST, "/api/set_theme", JSON, Some("theme=dark"));
    request.headers_mut().remove(header::CONTENT_TYPE);
    let answer = site.router.clone().oneshot(request).await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_value_of_next_makes_signing_in_panic() {
    let site = Site::start().await;
    for next in ["%01", "/%01", "/%7f", "/%0d%0aSet-Cookie:x=y", "//evil.example", "/%e4", "/\u{e4}"] {
        let path = format!("/sign-in?next={}", next.replace('\u{e4}', "%C3%A4"));
        for who in [Who::Nobody, READER] {
            let answer = site.ask(who, Method::GET, &path, HTML, None).await;
            assert!(matches!(answer.status.as_u16(), 200 | 303), "{who:?} {path}: {}", answer.status);
            let led = answer.headers.get(header::LOCATION).map(|value| value.to_str().expect("text"));
            assert!(led.is_none_or(|led| led == "/"), "{who:?} {path}: {led:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn json_is_saved_and_not_shown_and_https_stays_https() {
    let site = Site::start().await;
    let refused = site.ask(Who::Nobody, Method::POST, "/api/my_tenants", JSON, Some("{}")).await;
    assert_eq!(refused.headers[header::CONTENT_DISPOSITION], "attachment; filename=\"api.json\"");
    let page = site.ask(READER, Method::GET, "/me", HTML, None).await;
    assert!(!page.headers.contains_key(header::CONTENT_DISPOSITION));
    assert!(!page.headers.contains_key(header::STRICT_TRANSPORT_SECURITY), "it came over http");
    let mut request = site.request(READER, Method::GET, "/me", HTML, None);
    request.headers_mut().insert("x-forwarded-proto", HeaderValue::from_static("https"));
    let answer = site.router.clone().oneshot(request).await.expect("an answer");
    assert_eq!(answer.headers()[header::STRICT_TRANSPORT_SECURITY], "max-age=31536000; includeSubDomains");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_id_is_answered_like_an_id_that_nobody_has() {
    let site = Site::start().await;
    let (owner, admin) = (Who::Member(Role::Owner), Who::Administrator);
    let inside = |function: &str| format!("/t/{}/api/{function}", site.own);
    let unknown = "01932f1e-7c00-7000-8000-000000000001";
    for (who, path, form) in [
        (owner, inside("cancel_run"), "run=ID"),
        (owner, inside("retry_run"), "run=ID&only_failed=true"),
        (owner, inside("load_run"), r#"{"run":"ID"}"#),
        (owner, inside("change_member"), "user=ID&role=readonly"),
        (owner, inside("remove_member"), "user=ID"),
        (owner, inside("restore_member"), "user=ID"),
        (owner, "/api/end_session".to_owned(), "session=ID"),
        (admin, "/api/change_user".to_owned(), "user=ID&disabled=true"),
        (admin, "/api/remove_user".to_owned(), "user=ID&confirmation=x"),
    ] {
        for id in [unknown, "nonsense", ""] {
            let answer = site.ask(who, Method::POST, &path, JSON, Some(&form.replace("ID", id))).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path} {id:?}: {}", answer.body);
            assert!(answer.body.contains("was not found"), "{path} {id:?}: {}", answer.body);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payload_may_name_the_tenant_of_its_address() {
    let site = Site::start().await;
    let path = format!("/t/{}/api/load_run", site.own);
    let form = format!(r#"{{"tenant":"{}","run":"{}"}}"#, site.own, site.run);
    let answer = site.ask(READER, Method::POST, &path, JSON, Some(&form)).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
}
