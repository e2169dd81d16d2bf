//! What is told of an address that a person entered.

use serde_json::json;
use tenantatlas_domain::reason::ReasonCode;
use tenantatlas_graph::{
    CloudEndpoints, ErrorDetail, GraphClient, GraphClientOptions, GraphError, GraphVersion, RequestCounter, RetryBudget,
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::cloud::{Cloud, Reply, SECRET, error, impatient, ok, text};

/// Options as the product has them, with time limits that a test can wait for: some of what is asked stays silent.
fn product() -> GraphClientOptions {
    let impatient = impatient();
    let retry = RetryBudget { attempts_when_busy: 2, attempts_when_broken: 2, ..impatient.retry };
    GraphClientOptions { detail: ErrorDetail::ByCloud, retry, ..impatient }
}

async fn probe(options: GraphClientOptions, cloud: &Cloud, endpoints: CloudEndpoints) -> GraphError {
    let mut connection = cloud.connection();
    connection.endpoints = endpoints;
    let session = GraphClient::new(options).session(connection, RequestCounter::new(), CancellationToken::new());
    session.probe().await.unwrap_err()
}

fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

/// A port that nobody listens on.
async fn closed_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port()
}

fn as_told(error: &GraphError) -> (ReasonCode, Option<u16>, Option<&str>, &str, Option<&str>) {
    (error.reason, error.status, error.graph_code.as_deref(), &error.message, error.request_id.as_deref())
}

/// Everything that may be behind an address and is neither a sign-in nor a Graph.
fn others() -> Vec<Reply> {
    vec![
        Reply::Reset,
        Reply::Raw(b"SSH-2.0-OpenSSH_9.2\r\n".into()),
        Reply::Raw(b"-ERR unknown command\r\n".into()),
        Reply::Stall(Vec::new()),
        text(200, "<html>PLANTED admin console</html>").with("Content-Type", "text/html"),
        text(200, ""),
        text(200, "7"),
        ok(json!({"id": "PLANTED", "status": "healthy"})),
        text(401, "PLANTED realm"),
        text(403, json!({"kind": "Status", "message": "PLANTED", "code": 403}).to_string()),
        text(404, "PLANTED").with("request-id", "PLANTED"),
        text(500, json!({"message": "PLANTED stack"}).to_string()),
        text(503, "PLANTED").with("Retry-After", "0"),
        text(429, json!({"error": {"message": "PLANTED"}}).to_string()).with("Retry-After", "0"),
        text(302, "").with("Location", "http://169.254.169.254/"),
        text(200, vec![0x1f, 0x8b, 0xff, 0x00]),
    ]
}

#[tokio::test]
async fn whatever_is_behind_an_entered_graph_address_one_and_the_same_is_told() {
    let working = Cloud::start(|_| None).await;
    let login = url(&format!("http://{}/login", working.address));
    let gone = format!("http://127.0.0.1:{}/graph", closed_port().await);
    let refused = probe(product(), &working, CloudEndpoints::custom(login.clone(), url(&gone)).unwrap()).await;
    assert_eq!(refused.reason, ReasonCode::GraphUnavailable);
    assert!(refused.message.starts_with("The address could not be used as a Graph service"), "{refused}");

    let mut told = vec![refused.clone()];
    for reply in others() {
        let other = Cloud::start(move |_| Some(reply.clone())).await;
        let graph = url(&format!("http://{}/graph", other.address));
        told.push(probe(product(), &working, CloudEndpoints::custom(login.clone(), graph).unwrap()).await);
    }
    for graph in [
        // Not TLS, no such name, a network that may not be asked: by its spelling, and by what a name resolves to.
        format!("https://{}/graph", working.address),
        "https://no-such-host.invalid/graph".to_owned(),
        "https://169.254.169.254/graph".to_owned(),
        "https://[fd00:ec2::254]/graph".to_owned(),
    ] {
        let failed = probe(product(), &working, CloudEndpoints::custom(login.clone(), url(&graph)).unwrap()).await;
        // A machine without root certificates cannot even try.
        if failed.reason != ReasonCode::Internal {
            told.push(failed);
        }
    }
    for failed in told {
        assert_eq!(as_told(&failed), as_told(&refused));
        assert!(!format!("{failed} {failed:?}").contains("PLANTED"), "{failed:?}");
    }
}

#[tokio::test]
async fn whatever_is_behind_an_entered_sign_in_address_one_and_the_same_is_told() {
    let gone = format!("http://127.0.0.1:{}/login", closed_port().await);
    let cloud = Cloud::start(|_| None).await;
    let graph = url(&format!("http://{}/graph", cloud.address));
    let refused = probe(product(), &cloud, CloudEndpoints::custom(url(&gone), graph.clone()).unwrap()).await;
    assert!(refused.message.starts_with("The address could not be used as a sign-in service"), "{refused}");
    let tokens = [
        ok(json!({"token_type": "Bearer"})),
        ok(json!({"access_token": 7})),
        ok(json!({"access_token": "t", "token_type": "pop"})),
        text(400, json!({"error": {"code": "PLANTED"}}).to_string()),
        text(400, json!({"error_description": "PLANTED"}).to_string()),
    ];
    for reply in others().into_iter().chain(tokens) {
        let other = Cloud::start(move |_| Some(reply.clone())).await;
        let login = url(&format!("http://{}/login", other.address));
        let failed = probe(product(), &other, CloudEndpoints::custom(login, graph.clone()).unwrap()).await;
        assert_eq!(as_told(&failed), as_told(&refused));
        assert!(!format!("{failed} {failed:?}").contains("PLANTED"), "{failed:?}");
    }
    assert!(cloud.seen().is_empty());
}

#[tokio::test]
async fn what_a_sign_in_or_a_graph_says_in_its_own_form_is_told() {
    let cloud = Cloud::start(|seen| {
        let body = json!({"error": "invalid_client", "error_description": "AADSTS7000215: Invalid client secret."});
        seen.is_token_request().then(|| text(401, body.to_string()))
    })
    .await;
    let failed = cloud.session_with(product()).probe().await.unwrap_err();
    assert_eq!((failed.reason, failed.status), (ReasonCode::AuthFailed, Some(401)));
    assert!(failed.message.contains("AADSTS7000215"), "{failed}");

    let cloud = Cloud::start(|seen| {
        seen.target.starts_with("/graph/").then(|| error(403, "Forbidden", "see http://db.corp.internal:8443/x"))
    })
    .await;
    let failed = cloud.session_with(product()).probe().await.unwrap_err();
    assert_eq!((failed.reason, failed.status), (ReasonCode::PermissionMissing, Some(403)));
    assert_eq!((failed.graph_code.as_deref(), &*failed.message), (Some("Forbidden"), "see [address]"));
}

#[tokio::test]
async fn a_graph_that_has_answered_once_is_no_stranger() {
    for (fault, expected) in [
        (text(200, "{\"value\":["), ReasonCode::ParseFailed),
        (Reply::Stall(Vec::new()), ReasonCode::GraphTimeout),
        (text(200, "{}"), ReasonCode::ContractInvalid),
    ] {
        let cloud = Cloud::start(move |seen| match &*seen.target {
            "/graph/v1.0/first" => Some(ok(json!({"@odata.context": "x"}))),
            target => target.starts_with("/graph/").then(|| fault.clone()),
        })
        .await;
        let session = cloud.session_with(product());
        session.get(GraphVersion::V1, "first").await.unwrap();
        let (_, failed) = crate::reading::drain(session.pages(crate::reading::things())).await;
        assert_eq!(failed.unwrap().reason, expected);
    }
}

#[tokio::test]
async fn nothing_is_sent_to_this_machine_unless_its_network_is_allowed() {
    let cloud = Cloud::start(|_| None).await;
    for host in ["127.0.0.1", "localhost"] {
        let options = GraphClientOptions { allowed_networks: Vec::new(), ..product() };
        let at = |path: &str| url(&format!("http://{host}:{}/{path}", cloud.address.port()));
        let failed = probe(options, &cloud, CloudEndpoints::custom(at("login"), at("graph")).unwrap()).await;
        assert!(failed.message.contains("allowed_networks"), "{failed}");
    }
    // What is asked last comes last.
    reqwest::get(format!("http://{}/last", cloud.address)).await.unwrap();
    let seen: Vec<_> = cloud.seen().into_iter().map(|seen| seen.target).collect();
    assert_eq!(seen, ["/last"], "{SECRET} was sent");
}

#[tokio::test]
async fn hosts_and_addresses_in_codes_and_request_ids_are_left_out() {
    let body = json!({"error": {"code": "db.corp.internal", "message": "x", "innerError": {"request-id": "10.0.0.1"}}});
    let cloud = Cloud::start(move |seen| {
        let reply = text(403, body.to_string()).with("request-id", "http://db.corp.internal/");
        seen.target.starts_with("/graph/").then_some(reply)
    })
    .await;
    let failed = cloud.session().probe().await.unwrap_err();
    assert_eq!((failed.graph_code, failed.request_id), (None, None));
}
