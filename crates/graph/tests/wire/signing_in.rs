use std::time::Duration;

use futures::future::join_all;
use secrecy::SecretString;
use serde_json::json;
use tenantatlas_domain::reason::ReasonCode;
use tenantatlas_graph::{Credential, GraphClient, GraphVersion, RequestCounter};
use tokio_util::sync::CancellationToken;

use crate::cloud::{Cloud, Reply, SECRET, error, jwt, ok, quick, text};

fn form(body: &str) -> std::collections::HashMap<String, String> {
    url::form_urlencoded::parse(body.as_bytes()).into_owned().collect()
}

#[tokio::test]
async fn many_readers_sign_in_once() {
    let cloud = Cloud::start(|seen| seen.target.starts_with("/graph/").then(|| ok(json!({})))).await;
    let session = cloud.session();
    let reads = (0..30).map(|number| {
        let session = session.clone();
        async move { session.get(GraphVersion::V1, &format!("things/{number}")).await }
    });
    assert!(join_all(reads).await.iter().all(Result::is_ok));
    assert_eq!(cloud.token_requests(), 1);
    let seen = cloud.seen();
    let asked = seen.iter().find(|seen| seen.is_token_request()).unwrap();
    assert_eq!(asked.target, "/login/0b7bd4ae-0000-4000-8000-000000000001/oauth2/v2.0/token");
    let form = form(&asked.body);
    assert_eq!(form["grant_type"], "client_credentials");
    assert_eq!(form["client_secret"], SECRET);
    assert_eq!(form["scope"], cloud.graph(".default"));
    let token = jwt(&["DeviceManagementConfiguration.Read.All"], 1);
    assert!(cloud.reads().iter().all(|seen| seen.headers["authorization"] == format!("Bearer {token}")));
}

#[tokio::test]
async fn sessions_of_one_client_share_the_token() {
    let cloud = Cloud::start(|seen| seen.target.starts_with("/graph/").then(|| ok(json!({})))).await;
    let client = GraphClient::new(quick());
    for _ in 0..3 {
        let session = client.session(cloud.connection(), RequestCounter::new(), CancellationToken::new());
        session.get(GraphVersion::V1, "x").await.unwrap();
    }
    assert_eq!(cloud.token_requests(), 1);
    let mut corrected = cloud.connection();
    corrected.credential = Credential::ClientSecret(SecretString::from("another"));
    let session = client.session(corrected, RequestCounter::new(), CancellationToken::new());
    session.get(GraphVersion::V1, "x").await.unwrap();
    assert_eq!(cloud.token_requests(), 2);
}

#[tokio::test]
async fn a_certificate_signs_in_with_an_assertion() {
    let cloud = Cloud::start(|seen| seen.target.starts_with("/graph/").then(|| ok(json!({})))).await;
    let mut connection = cloud.connection();
    connection.credential = Credential::Certificate {
        private_key_pem: SecretString::from(include_str!("../fixtures/key-pkcs8.pem")),
        certificate_pem: include_str!("../fixtures/certificate.pem").into(),
    };
    let session = GraphClient::new(quick()).session(connection, RequestCounter::new(), CancellationToken::new());
    session.get(GraphVersion::V1, "x").await.unwrap();
    let seen = cloud.seen();
    let form = form(&seen[0].body);
    assert_eq!(form["client_assertion_type"], "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
    assert_eq!(form["client_assertion"].split('.').count(), 3);
    assert!(!form.contains_key("client_secret"));
}

#[tokio::test]
async fn a_key_that_does_not_fit_is_told_before_anything_is_sent() {
    let cloud = Cloud::start(|_| None).await;
    let mut connection = cloud.connection();
    connection.credential = Credential::Certificate {
        private_key_pem: SecretString::from(include_str!("../fixtures/other-key.pem")),
        certificate_pem: include_str!("../fixtures/certificate.pem").into(),
    };
    let session = GraphClient::new(quick()).session(connection, RequestCounter::new(), CancellationToken::new());
    let failed = session.probe().await.unwrap_err();
    assert_eq!(failed.reason, ReasonCode::AuthFailed);
    assert!(failed.message.contains("does not belong"), "{}", failed.message);
    assert!(cloud.seen().is_empty());
}

#[tokio::test]
async fn a_wrong_secret_is_refused_with_a_hint_and_not_tried_again() {
    let cloud = Cloud::start(|seen| {
        let body = json!({
            "error": "invalid_client",
            "error_description": format!("AADSTS7000215: Invalid client secret provided: {SECRET}. Trace ID: 1"),
            "error_codes": [7_000_215],
        });
        seen.is_token_request().then(|| text(401, body.to_string()))
    })
    .await;
    let failed = cloud.session().probe().await.unwrap_err();
    assert_eq!((failed.reason, failed.status), (ReasonCode::AuthFailed, Some(401)));
    assert_eq!(failed.graph_code.as_deref(), Some("invalid_client"));
    assert!(failed.message.contains("AADSTS7000215"), "{}", failed.message);
    assert!(!format!("{failed:?}").contains(SECRET));
    assert_eq!(cloud.seen().len(), 1);
}

#[tokio::test]
async fn a_busy_sign_in_is_outlasted() {
    let faults: [fn() -> Reply; 4] =
        [|| text(503, ""), || text(429, "").with("Retry-After", "0.1"), || Reply::Reset, || text(500, "<html>")];
    for fault in faults {
        let cloud = Cloud::start(move |seen| match (seen.is_token_request(), seen.earlier) {
            (true, 0 | 1) => Some(fault()),
            (true, _) => None,
            (false, _) => Some(ok(json!({}))),
        })
        .await;
        cloud.session().get(GraphVersion::V1, "x").await.unwrap();
        assert_eq!(cloud.token_requests(), 3);
    }
}

#[tokio::test]
async fn a_token_without_roles_that_graph_refuses_is_missing_consent() {
    let cloud = Cloud::start(|seen| {
        Some(if seen.is_token_request() {
            ok(json!({"token_type": "Bearer", "expires_in": 3599, "access_token": jwt(&[], 1)}))
        } else {
            error(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
        })
    })
    .await;
    let session = cloud.session();
    assert_eq!(session.granted_roles().await.unwrap(), Some(Vec::<String>::new()));
    assert_eq!(session.probe().await.unwrap_err().reason, ReasonCode::ConsentMissing);
}

#[tokio::test]
async fn a_token_refused_in_mid_run_is_replaced_once_for_everyone() {
    let first = format!("Bearer {}", jwt(&["DeviceManagementConfiguration.Read.All"], 1));
    let cloud = Cloud::start(move |seen| {
        seen.target.starts_with("/graph/").then(|| {
            let expired = seen.headers["authorization"] == first && seen.target != "/graph/v1.0/early";
            if expired { error(401, "InvalidAuthenticationToken", "expired") } else { ok(json!({})) }
                .late(Duration::from_millis(20))
        })
    })
    .await;
    let session = cloud.session();
    session.get(GraphVersion::V1, "early").await.unwrap();
    let reads = (0..8).map(|number| {
        let session = session.clone();
        async move { session.get(GraphVersion::V1, &format!("late/{number}")).await }
    });
    assert!(join_all(reads).await.iter().all(Result::is_ok));
    assert_eq!(cloud.token_requests(), 2);
}

#[tokio::test]
async fn a_token_that_is_never_accepted_fails_after_one_replacement() {
    let cloud =
        Cloud::start(|seen| seen.target.starts_with("/graph/").then(|| error(401, "InvalidAuthenticationToken", "no")))
            .await;
    let failed = cloud.session().get(GraphVersion::V1, "x").await.unwrap_err();
    assert_eq!((failed.reason, failed.status), (ReasonCode::AuthFailed, Some(401)));
    assert_eq!((cloud.token_requests(), cloud.reads().len()), (2, 2));
}

#[tokio::test]
async fn a_sign_in_address_that_is_none_is_told() {
    for (reply, expected) in [
        (text(404, "<html>"), ReasonCode::AuthFailed),
        (text(302, "").with("Location", "https://evil.example/"), ReasonCode::AuthFailed),
        (text(200, "<html>"), ReasonCode::ContractInvalid),
        (ok(json!({"token_type": "Bearer"})), ReasonCode::ContractInvalid),
    ] {
        let cloud = Cloud::start(move |_| Some(reply.clone())).await;
        assert_eq!(cloud.session().probe().await.unwrap_err().reason, expected);
        assert_eq!(cloud.seen().len(), 1);
    }
}

#[tokio::test]
async fn a_tenant_that_is_no_name_is_not_sent_anywhere() {
    let cloud = Cloud::start(|_| None).await;
    let mut connection = cloud.connection();
    connection.tenant = "../../graph/x?".into();
    let session = GraphClient::new(quick()).session(connection, RequestCounter::new(), CancellationToken::new());
    assert_eq!(session.probe().await.unwrap_err().reason, ReasonCode::AuthFailed);
    assert!(cloud.seen().is_empty());
}
