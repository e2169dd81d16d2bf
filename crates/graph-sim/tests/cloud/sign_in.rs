//! Tokens, consent, permissions and licences.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::StatusCode;
use ring::rand::SystemRandom;
use ring::signature;
use serde_json::{Value, json};
use tenantatlas_graph_sim::demo;

use crate::visitor::Visitor;

const CERTIFICATE: &[u8] = include_bytes!("fixtures/certificate.der");
const KEY: &[u8] = include_bytes!("fixtures/key.der");

/// A client assertion for an audience, signed with the key of the fixtures.
fn assertion(client_id: &str, audience: &str) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
    let claims = json!({"aud": audience, "iss": client_id, "sub": client_id, "jti": "1", "nbf": now, "exp": now + 300});
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", encode(&json!({"alg": "PS256", "typ": "JWT"})), encode(&claims));
    let key = ring::rsa::KeyPair::from_pkcs8(KEY).expect("a key");
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(&signature::RSA_PSS_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature).expect("a signature");
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

async fn sign_in(visitor: &Visitor, assertion: &str) -> (StatusCode, Value) {
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", &visitor.tenant.client_id),
        ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
        ("client_assertion", assertion),
        ("scope", &format!("{}/.default", visitor.cloud.graph_url())),
    ];
    let answer = visitor.http.post(token_url(visitor)).form(&form).send().await.expect("an answer");
    (answer.status(), answer.json().await.expect("JSON"))
}

fn token_url(visitor: &Visitor) -> String {
    format!("{}/{}/oauth2/v2.0/token", visitor.cloud.login_url(), visitor.tenant.tenant_id)
}

#[tokio::test]
async fn an_assertion_is_accepted_when_the_certificate_signed_it_for_this_endpoint() {
    let visitor = Visitor::new(300, |config| config.tenants[0].certificate_der = Some(CERTIFICATE.to_vec())).await;
    let good = assertion(&visitor.tenant.client_id, &token_url(&visitor));
    let (status, body) = sign_in(&visitor, &good).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    let claims = body["access_token"].as_str().expect("a token").split('.').nth(1).expect("claims").to_owned();
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).expect("base64")).expect("JSON");
    assert_eq!(claims["tid"], json!(visitor.tenant.tenant_id));
    assert!(claims["roles"].as_array().expect("roles").len() > 8 && claims["exp"].is_u64());
    for bad in [
        assertion(&visitor.tenant.client_id, "https://elsewhere.example.com"),
        assertion("somebody else", &token_url(&visitor)),
        format!("{}AAAA", &good[..good.len() - 4]),
    ] {
        let (status, body) = sign_in(&visitor, &bad).await;
        assert_eq!((status, &body["error"]), (StatusCode::UNAUTHORIZED, &json!("invalid_client")));
    }
}

#[tokio::test]
async fn without_consent_a_token_comes_but_opens_nothing() {
    let visitor = Visitor::new(300, |config| config.tenants[0].consent = false).await;
    assert_eq!(visitor.get("beta/deviceManagement/intents").await.0, StatusCode::FORBIDDEN);
    assert_eq!(visitor.get("v1.0/organization").await.0, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_token_ends() {
    let visitor = Visitor::new(300, |config| config.token_lifetime = Some(Duration::from_secs(1))).await;
    let refused = async {
        loop {
            let answer = visitor.raw("beta/deviceManagement/intents").await.expect("an answer");
            if answer.status() != StatusCode::OK {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let answer = tokio::time::timeout(Duration::from_secs(60), refused).await.expect("it ends");
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
    assert!(answer.headers().contains_key("www-authenticate"));
}

#[tokio::test]
async fn what_is_not_bought_or_not_set_up_is_told_apart() {
    let visitor = Visitor::new(300, |config| {
        config.tenants[0].cloud_pki = false;
        config.tenants[0].push_certificate = false;
    })
    .await;
    let (status, body) = visitor.get("beta/deviceManagement/cloudCertificationAuthority").await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert!(body["error"]["message"].as_str().expect("text").contains("license"));
    let (status, _) = visitor.get("v1.0/deviceManagement/applePushNotificationCertificate").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    let expected = visitor.cloud.control().expected(&visitor.tenant.tenant_id);
    assert!(expected["applePushCertificate"].is_empty());

    let visitor = Visitor::new(300, |config| config.tenants[0].intune = false).await;
    let (status, body) = visitor.get("beta/deviceManagement/intents").await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(body["error"]["message"].as_str().expect("text").contains("not applicable to target tenant"));
    assert_eq!(visitor.get("v1.0/identity/conditionalAccess/policies").await.0, StatusCode::OK);
}

#[test]
fn the_demo_has_three_tenants_with_different_troubles() {
    let tenants = demo::config(demo::OBJECTS).tenants;
    let names: Vec<&str> = tenants.iter().map(|tenant| tenant.name.as_str()).collect();
    assert_eq!(names, ["Contoso", "Fabrikam", "Northwind"]);
    assert_eq!(tenants.iter().map(|tenant| tenant.objects).collect::<Vec<_>>(), [400, 1_200, 150]);
    assert!(tenants[0].windows365 && !tenants[1].windows365 && tenants[2].roles.is_some());
}
