//! The page for people.

use reqwest::redirect::Policy;
use reqwest::{Client, Response, StatusCode};
use tenantatlas_graph_sim::SimTenant;

use crate::visitor::Visitor;

struct Person<'a> {
    visitor: &'a Visitor,
    http: Client,
    origin: String,
}

impl<'a> Person<'a> {
    fn at(visitor: &'a Visitor) -> Self {
        let http = Client::builder().no_proxy().redirect(Policy::none()).build().expect("a client");
        Self { visitor, http, origin: format!("http://{}", visitor.cloud.address()) }
    }

    async fn page(&self) -> String {
        let answer = self.http.get(&self.origin).send().await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::OK);
        assert!(answer.headers()["content-security-policy"].to_str().expect("text").starts_with("default-src 'none'"));
        answer.text().await.expect("text")
    }

    async fn sends(&self, form: &str, fields: &[(&str, &str)]) -> Response {
        let request = self.http.post(format!("{}/_sim/page/{form}", self.origin)).header("origin", &self.origin);
        request.form(fields).send().await.expect("an answer")
    }

    /// The status of a request to Graph.
    async fn graph(&self) -> StatusCode {
        self.visitor.get("beta/deviceManagement/intents?$top=1").await.0
    }
}

#[tokio::test]
async fn the_page_says_what_the_cloud_holds_and_no_name_becomes_markup() {
    let visitor = Visitor::new(500, |config| {
        config.tenants.push(SimTenant::new("<script>alert('x')</script>", 9, 200));
    })
    .await;
    let page = Person::at(&visitor).page().await;
    for tenant in &visitor.cloud.control().config().tenants {
        assert!(page.contains(&tenant.tenant_id) && page.contains(&tenant.client_id));
        assert!(!page.contains(&tenant.client_secret), "the secret is told at the start alone");
    }
    let held = visitor.cloud.control().expected(&visitor.tenant.tenant_id)["endpointSecurityIntent"].len();
    let row = format!("<tr><td><code>deviceManagement&#x2F;intents</code></td><td class=\"n\">{held}</td></tr>");
    assert!(page.contains(&row), "{row}");
    assert!(page.contains("&lt;script&gt;") && !page.contains("<script"), "no name is markup");
}

#[tokio::test]
async fn a_form_begins_a_fault_and_another_ends_it() {
    let visitor = Visitor::new(300, |_| {}).await;
    let person = Person::at(&visitor);
    assert_eq!(person.graph().await, StatusCode::OK);
    let fields = [("kind", "unavailable"), ("path", "deviceManagement/\"intents"), ("count", "")];
    let begun = person.sends("fault/begin", &fields).await;
    assert_eq!((begun.status(), begun.headers()["location"].to_str().expect("text")), (StatusCode::SEE_OTHER, "/"));
    let page = person.page().await;
    assert!(page.contains("503 Service unavailable") && page.contains("deviceManagement&#x2F;&quot;intents"), "{page}");
    assert_eq!(person.graph().await, StatusCode::OK, "it is for another address");
    let fields = [("kind", "forbidden"), ("path", "deviceManagement/intents"), ("count", "3")];
    person.sends("fault/begin", &fields).await;
    assert_eq!(person.graph().await, StatusCode::FORBIDDEN);
    let number = visitor.cloud.control().faults()[1].number.to_string();
    person.sends("fault/end", &[("number", &number)]).await;
    assert_eq!(person.graph().await, StatusCode::OK);
    assert_eq!(visitor.cloud.control().faults().len(), 1, "the other one goes on");
    person.sends("fault/end-all", &[]).await;
    assert!(visitor.cloud.control().faults().is_empty());
    for fields in
        [[("kind", "nonsense"), ("count", "")], [("kind", "reset"), ("count", "-1")], [("kind", "<b>"), ("count", "")]]
    {
        let refused = person.sends("fault/begin", &fields).await;
        assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
        assert!(!refused.text().await.expect("text").contains("<b>"));
    }
}

#[tokio::test]
async fn forms_let_time_pass_and_change_the_conditions() {
    let visitor = Visitor::new(2_000, |_| {}).await;
    let person = Person::at(&visitor);
    let control = visitor.cloud.control();
    let before = control.expected(&visitor.tenant.tenant_id);
    let evolved = person.sends("evolve", &[("tenant_id", &visitor.tenant.tenant_id), ("steps", "2")]).await;
    assert_eq!(evolved.status(), StatusCode::SEE_OTHER);
    assert_ne!(control.expected(&visitor.tenant.tenant_id), before);
    assert_eq!(person.sends("evolve", &[("tenant_id", "x"), ("steps", "1")]).await.status(), StatusCode::BAD_REQUEST);
    person.sends("throttle/on", &[]).await;
    person.sends("latency", &[("latency_ms", "7")]).await;
    assert!(control.throttle().is_some() && control.latency().as_millis() == 7);
    person.sends("throttle/off", &[]).await;
    assert!(control.throttle().is_none());
    assert_eq!(person.sends("latency", &[("latency_ms", "99999999")]).await.status(), StatusCode::BAD_REQUEST);
    person.sends("hold", &[("path", "nowhere")]).await;
    assert_eq!(control.held_back().as_deref(), Some("nowhere"));
    person.sends("release", &[]).await;
    assert_eq!(control.held_back(), None);
    person.sends("tokens/revoke", &[]).await;
    assert_eq!(person.graph().await, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn pages_of_others_in_the_same_browser_change_nothing() {
    let visitor = Visitor::new(100, |_| {}).await;
    let person = Person::at(&visitor);
    let url = format!("{}/_sim/page/tokens/revoke", person.origin);
    let control = format!("{}/_sim/tokens/revoke", person.origin);
    for request in [
        person.http.post(&url).header("origin", "https://evil.example"),
        person.http.post(&url).header("origin", "null"),
        person.http.post(&url).header("sec-fetch-site", "cross-site"),
        person.http.post(&control).header("origin", "https://evil.example").body("{}"),
        person.http.post(&url).header("host", "rebound.example"),
        person.http.get(&person.origin).header("host", "rebound.example"),
    ] {
        assert_eq!(request.send().await.expect("an answer").status(), StatusCode::FORBIDDEN);
    }
    assert_eq!(person.http.get(&url).send().await.expect("an answer").status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(person.graph().await, StatusCode::OK, "no token was revoked");
}
