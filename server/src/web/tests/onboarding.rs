//! What somebody who adds a tenant is shown and told.

use axum::http::{Method, StatusCode, header};
use leptos::server_fn::error::ServerFnUrlError;
use tenantatlas_app::error::AppError;
use tenantatlas_domain::registry::registry;

use super::site::{Site, Who};

const HTML: &str = "text/html";
const JSON: &str = "application/json";
const NONSENSE: &str = "name=+&environment=prod&cloud=custom&entra_id=x&client_id=x&login_url=ftp%3A%2F%2Fx&\
                        graph_url=https%3A%2F%2Fgraph.example&credential_kind=certificate&certificate=x";

const PAGE: &str = "/admin/tenants/new";

/// The page of adding, as an administrator sees it.
async fn page(site: &Site, address: &str) -> String {
    let page = site.ask(Who::Administrator, Method::GET, address, HTML, None).await;
    assert_eq!(page.status, StatusCode::OK);
    page.body
}

/// Presses the button that makes a certificate; where it leads.
async fn make(site: &Site) -> String {
    let made = site.ask(Who::Administrator, Method::POST, "/api/make_certificate", HTML, Some("")).await;
    let location = made.headers.get(header::LOCATION).and_then(|to| to.to_str().ok()).unwrap_or_default().to_owned();
    assert!(location.starts_with("/admin/tenants/new?certificate="), "{location} {}", made.body);
    location
}

/// What the application calls the certificate of a page.
fn label(page: &str) -> &str {
    let (_, rest) = page.split_once("<strong>TenantAtlas ").expect("a certificate is shown");
    &rest[..8]
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_for_a_new_tenant_asks_for_exactly_what_the_check_looks_for() {
    let site = Site::start().await;
    // Two shells for a secret, once one was made for a certificate too, and the list for doing it by hand.
    for scripts in [2, 4] {
        let page = page(&site, PAGE).await;
        let asked = registry().connection_permissions();
        for permission in &asked {
            assert_eq!(page.matches(permission.app_role_id).count(), scripts, "{}", permission.name);
            assert_eq!(page.matches(permission.name).count(), scripts + 1, "{}", permission.name);
        }
        let read_all = asked.iter().filter(|permission| permission.name.ends_with(".Read.All")).count();
        // The PowerShell scripts ask for no permission of that kind for themselves.
        assert_eq!(page.matches(".Read.All").count(), read_all * (scripts + 1));
        make(&site).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_certificate_of_a_new_tenant_outlasts_a_reload_and_its_private_key_is_on_no_page() {
    let site = Site::start().await;
    assert!(!page(&site, PAGE).await.contains("BEGIN CERTIFICATE"));
    let (first, second) = (make(&site).await, make(&site).await);
    let shown = page(&site, &first).await;
    // Both scripts, and the text for uploading it by hand.
    assert_eq!(shown.matches("BEGIN CERTIFICATE").count(), 3);
    assert_eq!(label(&shown), label(&page(&site, &first).await), "a reload makes no other one");
    assert_eq!(label(&page(&site, PAGE).await), label(&page(&site, &second).await), "the newest, where none is named");
    assert_ne!(label(&shown), label(&page(&site, PAGE).await));
    let id = first.rsplit('=').next().expect("an id");
    assert!(shown.contains(&format!("value=\"{id}\"")), "the form sends the one whose script is shown");
    let log = site.ask(Who::Administrator, Method::GET, &format!("/t/{}/audit", site.own), HTML, None).await.body;
    for text in [&shown, &log] {
        // The label of the field for a key of one's own has the words in other letters.
        assert!(!text.contains("PRIVATE KEY"), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_without_the_certificate_that_was_to_be_made_is_refused_in_words() {
    let site = Site::start().await;
    for (made, words) in [("", "Make the certificate first"), ("nonsense", "Make the certificate first")] {
        let form = format!(
            "name=New&environment=prod&cloud=global&entra_id={0}&client_id={0}&credential_kind=made&made_certificate={made}",
            uuid::Uuid::from_u128(7)
        );
        let answer = site.ask(Who::Administrator, Method::POST, "/api/add_tenant", JSON, Some(&form)).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", answer.body);
        assert!(answer.body.contains(words), "{}", answer.body);
    }
    let form = format!(
        "name=New&environment=prod&cloud=global&entra_id={0}&client_id={0}&credential_kind=made&made_certificate={0}",
        uuid::Uuid::from_u128(7)
    );
    let answer = site.ask(Who::Administrator, Method::POST, "/api/add_tenant", JSON, Some(&form)).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", answer.body);
    assert!(answer.body.contains("was used for another tenant"), "{}", answer.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_form_names_every_field_and_keeps_each_beside_its_message_without_a_script_too() {
    let site = Site::start().await;
    let answer = site.ask(Who::Administrator, Method::POST, "/api/add_tenant", JSON, Some(NONSENSE)).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", answer.body);
    let refusal: AppError = serde_json::from_str(&answer.body).expect("a refusal");
    for field in ["name", "entra_id", "client_id", "login_url", "private_key"] {
        assert!(refusal.problem_of(field).is_some(), "{field}: {}", answer.body);
    }
    let told = ServerFnUrlError::new("/api/add_tenant", refusal).to_url("http://localhost/").expect("an address");
    let address = format!("/admin/tenants/new?{}", told.query().expect("a query"));
    let page = site.ask(Who::Administrator, Method::GET, &address, HTML, None).await.body;
    for (field, words) in [
        ("name", "Name must have 1 to 120 characters"),
        ("entra_id", "Directory (tenant) ID must be a GUID"),
        ("client_id", "Application (client) ID must be a GUID"),
        ("login_url", "Sign-in endpoint must start with"),
        ("private_key", "Paste the private key"),
    ] {
        let place = page.split("<span").find(|span| span.contains(&format!("id=\"{field}-error\"")));
        assert!(
            place.and_then(|place| place.split("</span>").next()).is_some_and(|shown| shown.contains(words)),
            "{field}"
        );
        let input = page.split('<').find(|tag| tag.contains(&format!("id=\"{field}\""))).expect("an input");
        assert!(input.contains("aria-invalid=\"true\""), "{input}");
        assert!(input.contains(&format!("{field}-error")), "{input}");
    }
    let untouched = page.split('<').find(|tag| tag.contains("id=\"secret\"")).expect("an input");
    assert!(!untouched.contains("aria-invalid"), "{untouched}");
}
