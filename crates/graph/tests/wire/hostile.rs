//! A cloud that answers to hurt. Whatever it does: bounded time and memory, a truthful outcome, no token to another host,
//! no secret in a message.

use std::time::Duration;

use futures::StreamExt;
use secrecy::SecretString;
use tenantatlas_domain::reason::ReasonCode;
use tenantatlas_graph::{
    CloudEndpoints, Connection, Credential, GraphClient, GraphClientOptions, GraphError, GraphSession, GraphVersion,
    MemoryLimits, PageRequest, RequestCounter,
};
use tenantatlas_graph_sim::{Fault, FaultKind, HostileBody, SimTenant, Simulator, SimulatorConfig};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::cloud::{Cloud, ok, quick};
use crate::reading::drain;

const PATH: &str = "deviceManagement/deviceConfigurations";
/// Nothing hostile takes longer; generous, since machines are busy.
const PATIENCE: Duration = Duration::from_secs(60);

struct Hostile {
    cloud: Simulator,
    session: GraphSession,
    secret: String,
}

impl Hostile {
    async fn new(faults: Vec<Fault>) -> Self {
        let tenant = SimTenant::new("Contoso", 7, 300);
        let config = SimulatorConfig { tenants: vec![tenant.clone()], ..SimulatorConfig::default() };
        let cloud = Simulator::start(config, ([127, 0, 0, 1], 0).into()).await.unwrap();
        cloud.control().set_faults(faults);
        let url = |text: String| Url::parse(&text).unwrap();
        let connection = Connection {
            endpoints: CloudEndpoints::custom(url(cloud.login_url()), url(cloud.graph_url())).unwrap(),
            tenant: tenant.tenant_id.clone(),
            client_id: tenant.client_id.clone(),
            credential: Credential::ClientSecret(SecretString::from(tenant.client_secret.clone())),
        };
        let memory = MemoryLimits { body: 4_000_000, ..MemoryLimits::default() };
        let timeouts = GraphClientOptions::default().timeouts;
        let options = GraphClientOptions { memory, timeouts, ..quick() };
        let session = GraphClient::new(options).session(connection, RequestCounter::new(), CancellationToken::new());
        Self { cloud, session, secret: tenant.client_secret }
    }

    async fn answering(kind: FaultKind) -> Self {
        Self::new(vec![Fault::always(PATH, kind)]).await
    }

    /// How many pages and items came, and what ended the reading. Nothing secret may stand in it.
    async fn read(&self) -> (usize, usize, Option<GraphError>) {
        let pages = self.session.pages(PageRequest::new(GraphVersion::Beta, PATH).max_pages(50));
        let (pages, error) = timeout(PATIENCE, drain(pages)).await.expect("it ends");
        if let Some(error) = &error {
            self.has_no_secret(error);
        }
        (pages.len(), pages.iter().map(tenantatlas_graph::Page::len).sum(), error)
    }

    fn has_no_secret(&self, error: &GraphError) {
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains(&self.secret) && !shown.contains("eyJ"), "{shown}");
        assert!(!error.message.chars().any(char::is_control), "{shown:?}");
        assert!(error.message.chars().count() <= 300, "{shown}");
    }

    async fn reason(&self) -> ReasonCode {
        self.read().await.2.expect("an error").reason
    }
}

fn raw(body: &str) -> FaultKind {
    FaultKind::Raw { status: 200, content_type: "application/json".into(), body: body.into() }
}

#[tokio::test]
async fn a_body_without_measure_is_cut_off_and_told() {
    for (body, expected) in [
        (HostileBody::GzipBomb { megabytes: 1_000 }, ReasonCode::ParseFailed),
        (HostileBody::Endless, ReasonCode::ParseFailed),
        (HostileBody::FatPage { megabytes: 60 }, ReasonCode::ParseFailed),
        (HostileBody::LongText { megabytes: 100 }, ReasonCode::ParseFailed),
        (HostileBody::Brackets { count: 50_000_000 }, ReasonCode::ParseFailed),
        (HostileBody::Brackets { count: 1_000_000 }, ReasonCode::ParseFailed),
        (HostileBody::ManyItems { items: 1_000_000 }, ReasonCode::ContractInvalid),
    ] {
        let hostile = Hostile::answering(FaultKind::Hostile(body)).await;
        let (pages, _, error) = hostile.read().await;
        assert_eq!((pages, error.map(|error| error.reason)), (0, Some(expected)));
        // No more than the largest answer is read, in each attempt.
        assert!(hostile.session.counter().read().bytes <= 3 * 4_000_000);
    }
}

#[tokio::test]
async fn a_large_page_within_the_limit_is_read_whole() {
    let hostile = Hostile::answering(FaultKind::Hostile(HostileBody::FatPage { megabytes: 3 })).await;
    let (pages, items, error) = hostile.read().await;
    assert_eq!((pages, items, error), (1, 93, None));
    let hostile = Hostile::answering(FaultKind::Hostile(HostileBody::ManyItems { items: 100_000 })).await;
    assert_eq!(hostile.read().await, (1, 100_000, None));
}

#[tokio::test]
async fn nesting_without_measure_overflows_no_stack() {
    let hostile = Hostile::answering(FaultKind::Hostile(HostileBody::Deep { levels: 10_000 })).await;
    // The page is proper JSON; what is in it is for whoever parses the item.
    assert_eq!(hostile.read().await, (1, 1, None));
    let answer = hostile.session.get(GraphVersion::Beta, PATH).await.unwrap();
    assert_eq!(answer.json().unwrap_err().reason, ReasonCode::ParseFailed);
    let deep = format!("{}{}", r#"{"error":"#.repeat(10_000), "}".repeat(10_000));
    let kind = FaultKind::Raw { status: 403, content_type: "application/json".into(), body: deep };
    assert_eq!(Hostile::answering(kind).await.reason().await, ReasonCode::PermissionMissing);
}

#[tokio::test]
async fn what_is_packed_twice_is_no_text() {
    assert_eq!(Hostile::answering(FaultKind::PackedTwice).await.reason().await, ReasonCode::ParseFailed);
}

#[tokio::test]
async fn a_body_that_drips_ends_when_the_run_is_cancelled() {
    let drip = FaultKind::Hostile(HostileBody::Drip { pause_ms: 20 });
    let hostile = Hostile::answering(drip).await;
    let cancellation = CancellationToken::new();
    let session = hostile.session.with_cancellation(cancellation.clone());
    let pages = session.pages(PageRequest::new(GraphVersion::Beta, PATH));
    let reading = tokio::spawn(drain(pages));
    while hostile.cloud.control().counts().requests == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(!reading.is_finished());
    cancellation.cancel();
    let (_, error) = timeout(Duration::from_secs(2), reading).await.expect("at once").unwrap();
    assert_eq!(error.unwrap().reason, ReasonCode::Cancelled);
}

#[tokio::test]
async fn pages_without_end_come_to_one_when_nothing_new_comes_and_when_the_run_is_cancelled() {
    let hostile = Hostile::answering(FaultKind::EndlessPages).await;
    let (pages, _, error) = hostile.read().await;
    assert_eq!((pages, error.unwrap().reason), (4, ReasonCode::NextlinkLoop));
    let cancellation = CancellationToken::new();
    let session = hostile.session.with_cancellation(cancellation.clone());
    let mut pages = session.pages(PageRequest::new(GraphVersion::Beta, PATH));
    assert!(pages.next().await.unwrap().is_ok());
    cancellation.cancel();
    let (_, error) = timeout(Duration::from_secs(2), drain(pages)).await.expect("at once");
    assert_eq!(error.unwrap().reason, ReasonCode::Cancelled);
}

#[tokio::test]
async fn no_form_of_a_next_link_leads_a_token_elsewhere() {
    let elsewhere = Cloud::start(|_| Some(ok(serde_json::json!({"value": []})))).await;
    let other = elsewhere.address;
    let long = format!("http://{other}/graph/beta/{PATH}?$skiptoken={}", "a".repeat(200_000));
    let links = [
        format!("http://{other}/graph/beta/{PATH}"),
        format!("https://{{host}}/graph/beta/{PATH}?x"),
        format!("http://{{host}}@{other}/graph/beta/{PATH}"),
        format!("http://{{host}}:x@{other}/graph/beta/{PATH}"),
        format!("http://user@{{host}}/graph/beta/{PATH}"),
        format!("http://{{host}}%2F@{other}/graph/beta/{PATH}"),
        format!("http://{other}%23.{{host}}/graph/beta/{PATH}"),
        format!("http://{other}#@{{host}}/graph/beta/{PATH}"),
        format!("http:\\\\{other}\\graph\\beta\\{PATH}"),
        format!("\\\\{other}\\graph\\beta"),
        format!("//{other}/graph/beta/{PATH}"),
        format!("/\\{other}/graph/beta/{PATH}"),
        format!("\t//{other}/graph/beta/{PATH}"),
        format!("http:/\n/{other}/graph/beta/{PATH}"),
        format!("http://127.1:{}/graph/beta/{PATH}", other.port()),
        format!("http://2130706433:{}/graph/beta/{PATH}", other.port()),
        format!("http://localhost:{}/graph/beta/{PATH}", other.port()),
        format!("http://１２７.0.0.1:{}/graph/beta/{PATH}", other.port()),
        "http://{host}/login/x".to_owned(),
        "{base}/../../login/x".to_owned(),
        "{base}/..%2f..%2flogin/%2e%2e/%2e%2e/%2e%2e/x".to_owned(),
        "http://{host}/graphics/beta/x".to_owned(),
        "javascript:alert(1)".to_owned(),
        "file:///etc/passwd".to_owned(),
        "http://".to_owned(),
        "http://[::1".to_owned(),
        long,
    ];
    for link in links {
        let hostile = Hostile::answering(FaultKind::NextLink { link: link.clone() }).await;
        let (pages, _, error) = hostile.read().await;
        let error = error.unwrap();
        assert_eq!((pages, error.reason), (1, ReasonCode::NextlinkForeignHost), "{}", &link[..link.len().min(90)]);
        assert!(!format!("{error:?}").contains(&other.to_string()), "{error:?}");
    }
    assert!(elsewhere.seen().is_empty(), "something was sent to another host");
}

#[tokio::test]
async fn a_next_link_of_any_length_within_this_graph_ends_in_a_bounded_refusal() {
    let link = format!("{{base}}/{{path}}?$skiptoken={}", "a".repeat(200_000));
    let hostile = Hostile::answering(FaultKind::NextLink { link }).await;
    let (pages, _, error) = hostile.read().await;
    let error = error.unwrap();
    assert_eq!(pages, 1);
    assert!(error.url_path.len() <= 300 && error.message.len() <= 1_200, "{}", error.message.len());
}

#[tokio::test]
async fn a_token_answer_that_is_none_is_told_once() {
    for (body, expected) in [
        ("", ReasonCode::ContractInvalid),
        ("null", ReasonCode::ContractInvalid),
        ("[]", ReasonCode::ContractInvalid),
        ("{}", ReasonCode::ContractInvalid),
        ("<html>{secret}</html>", ReasonCode::ContractInvalid),
        (r#"{"access_token":""}"#, ReasonCode::ContractInvalid),
        (r#"{"access_token":" "}"#, ReasonCode::ContractInvalid),
        (r#"{"access_token":7}"#, ReasonCode::ContractInvalid),
        (r#"{"access_token":["{secret}"]}"#, ReasonCode::ContractInvalid),
        (r#"{"access_token":"a","token_type":7}"#, ReasonCode::ContractInvalid),
        (r#"{"access_token":"a","token_type":"{secret}"}"#, ReasonCode::ContractInvalid),
        (r#"{"access_token":"a\r\nX-Injected: 1"}"#, ReasonCode::ContractInvalid),
        (r#"{"access_token":"a\u0000b"}"#, ReasonCode::ContractInvalid),
        (r#"{"access_token":"\ud83d"}"#, ReasonCode::ContractInvalid),
        (r#"{"access_token":"a","access_token":"b"}"#, ReasonCode::ContractInvalid),
    ] {
        let hostile = Hostile::new(vec![Fault::always("login/", raw(body))]).await;
        let error = timeout(PATIENCE, hostile.session.probe()).await.expect("it ends").unwrap_err();
        hostile.has_no_secret(&error);
        assert_eq!(error.reason, expected);
        let counts = hostile.cloud.control().counts();
        assert_eq!((counts.tokens, counts.requests), (1, 0));
    }
}

#[tokio::test]
async fn a_token_answer_without_measure_is_cut_off() {
    for body in [
        HostileBody::GzipBomb { megabytes: 1_000 },
        HostileBody::Endless,
        HostileBody::LongText { megabytes: 100 },
        HostileBody::Brackets { count: 100_000 },
    ] {
        let hostile = Hostile::new(vec![Fault::always("login/", FaultKind::Hostile(body))]).await;
        let error = timeout(PATIENCE, hostile.session.probe()).await.expect("it ends").unwrap_err();
        assert_eq!(error.reason, ReasonCode::ContractInvalid);
        assert_eq!(hostile.cloud.control().counts().tokens, 1);
    }
}

#[tokio::test]
async fn any_lifetime_of_a_token_is_lived_with() {
    for expires_in in [
        "-5",
        "0",
        "1e300",
        "18446744073709551615",
        "99999999999999999999999999",
        "\"soon\"",
        "\" 60 \"",
        "null",
        "{}",
        "[3599]",
    ] {
        let body = format!(r#"{{"access_token":"opaque","token_type":"Bearer","expires_in":{expires_in}}}"#);
        let hostile = Hostile::new(vec![Fault::always("login/", raw(&body)), Fault::always("beta/", raw("{}"))]).await;
        // The simulator does not know the token: 401, one replacement, and the end.
        let error = timeout(PATIENCE, hostile.session.get(GraphVersion::V1, "organization")).await.expect("it ends");
        assert_eq!(error.unwrap_err().reason, ReasonCode::AuthFailed);
        assert!(hostile.cloud.control().counts().tokens <= 2);
    }
}

#[tokio::test]
async fn a_secret_or_token_that_is_echoed_is_taken_out() {
    let refused = r#"{"error":"invalid_client","error_description":"AADSTS1: {secret}\u001b[31m {secret} at https://login.corp.internal/"}"#;
    let kind = FaultKind::Raw { status: 401, content_type: "application/json".into(), body: refused.into() };
    let hostile = Hostile::new(vec![Fault::always("login/", kind)]).await;
    let error = hostile.session.probe().await.unwrap_err();
    hostile.has_no_secret(&error);
    assert!(error.message.contains("AADSTS1") && error.message.contains("[address]"), "{error}");

    let refused = r#"{"error":{"code":"{token}","message":"{token} <script>x</script>\u202e\u0007"}}"#;
    let kind = FaultKind::Raw { status: 403, content_type: "text/html".into(), body: refused.into() };
    let hostile = Hostile::answering(kind).await;
    let error = hostile.read().await.2.unwrap();
    assert_eq!(error.reason, ReasonCode::PermissionMissing);
    assert!(!error.message.contains(['\u{202e}', '\u{7}']), "{error:?}");
}

#[tokio::test]
async fn any_form_of_retry_after_ends_within_the_budget() {
    for retry_after in
        ["1000000000", "-1", "0.01", "Wed, 21 Oct 2015 07:28:00 GMT", "soon", "1e9", "", "0\n1000000000", "soon\n0"]
    {
        let kind = FaultKind::Throttled { retry_after: Some(retry_after.to_owned()) };
        let hostile = Hostile::answering(kind).await;
        let begun = Instant::now();
        assert_eq!(hostile.reason().await, ReasonCode::GraphThrottled);
        // The budget of these tests: ten seconds, no wait beyond five.
        assert!(begun.elapsed() < Duration::from_secs(25), "{:?}", begun.elapsed());
    }
}

#[tokio::test]
async fn a_page_that_is_none_is_told_and_never_taken_for_an_empty_one() {
    for (body, expected) in [
        (r#"{"value":{}}"#, ReasonCode::ContractInvalid),
        (r#"{"value":"x"}"#, ReasonCode::ContractInvalid),
        (r#"{"value":7}"#, ReasonCode::ContractInvalid),
        (r#"{"value":null}"#, ReasonCode::ContractInvalid),
        (r#"{"value":[],"value":[1]}"#, ReasonCode::ContractInvalid),
        (r#"{"value":[],"@odata.nextLink":{}}"#, ReasonCode::ContractInvalid),
        (r#"{"value":[],"@odata.nextLink":"a","@odata.nextLink":"b"}"#, ReasonCode::ContractInvalid),
        ("{\"value\":[\u{0}]}", ReasonCode::ParseFailed),
        ("<html>{token}</html>", ReasonCode::ParseFailed),
        ("{\"value\":[]} {token}", ReasonCode::ParseFailed),
    ] {
        assert_eq!(Hostile::answering(raw(body)).await.reason().await, expected, "{body}");
    }
}

#[tokio::test]
async fn a_page_counts_by_what_it_is_and_not_by_its_type() {
    for content_type in ["text/html", "application/octet-stream", "image/png", "text/plain; charset=utf-16"] {
        let kind =
            FaultKind::Raw { status: 200, content_type: content_type.into(), body: r#"{"value":[{"id":"1"}]}"#.into() };
        assert_eq!(Hostile::answering(kind).await.read().await, (1, 1, None), "{content_type}");
    }
}
