//! What somebody who adds a tenant is shown and told.

use axum::http::{Method, StatusCode};
use leptos::server_fn::error::ServerFnUrlError;
use tenantatlas_app::error::AppError;
use tenantatlas_domain::registry::registry;

use super::site::{Site, Who};

const HTML: &str = "text/html";
const JSON: &str = "application/json";
const NONSENSE: &str = "name=+&environment=prod&cloud=custom&entra_id=x&client_id=x&login_url=ftp%3A%2F%2Fx&\
                        graph_url=https%3A%2F%2Fgraph.example&credential_kind=certificate&certificate=x";

#[tokio::test(flavor = "multi_thread")]
async fn the_page_for_a_new_tenant_asks_for_exactly_what_the_check_looks_for() {
    let site = Site::start().await;
    let page = site.ask(Who::Administrator, Method::GET, "/admin/tenants/new", HTML, None).await;
    assert_eq!(page.status, StatusCode::OK);
    let asked = registry().connection_permissions();
    for permission in &asked {
        // Two shells, each for a certificate and for a secret, and the list for doing it by hand.
        assert_eq!(page.body.matches(permission.app_role_id).count(), 4, "{}", permission.name);
        assert_eq!(page.body.matches(permission.name).count(), 5, "{}", permission.name);
    }
    assert_eq!(page.body.matches(".Read.All").count(), {
        let read_all = asked.iter().filter(|permission| permission.name.ends_with(".Read.All")).count();
        // The PowerShell scripts ask for no permission of that kind for themselves.
        read_all * 5
    });
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
