//! TLS, and the way of clients that believe to be at Microsoft.

use std::net::SocketAddr;

use reqwest::{Certificate, Client, Proxy, StatusCode};
use serde_json::{Value, json};
use tenantatlas_graph_sim::{SimTenant, Simulator, SimulatorConfig};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

async fn cloud() -> (Simulator, SimTenant) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let tenant = SimTenant::new("Contoso", 7, 600);
    let config = SimulatorConfig { tenants: vec![tenant.clone()], ..SimulatorConfig::default() };
    let address: SocketAddr = "127.0.0.1:0".parse().expect("an address");
    (Simulator::start_tls(config, address).await.expect("it listens"), tenant)
}

/// A client that trusts the authority of the cloud and nobody else.
fn client(cloud: &Simulator, proxy: bool) -> Client {
    let authority = cloud.certificate_authority().expect("an authority");
    let authority = Certificate::from_pem(authority.as_bytes()).expect("PEM");
    let builder = Client::builder().no_proxy().tls_certs_only([authority]);
    let address = format!("http://{}", cloud.address());
    let builder = if proxy { builder.proxy(Proxy::https(address).expect("a proxy")) } else { builder };
    builder.build().expect("a client")
}

async fn token(client: &Client, tenant: &SimTenant, login: &str, graph: &str) -> String {
    let scope = format!("{graph}/.default");
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", &tenant.client_id),
        ("client_secret", &tenant.client_secret),
        ("scope", &scope),
    ];
    let url = format!("{login}/{}/oauth2/v2.0/token", tenant.tenant_id);
    let answer: Value = client.post(url).form(&form).send().await.expect("an answer").json().await.expect("JSON");
    answer["access_token"].as_str().unwrap_or_else(|| panic!("no token: {answer}")).to_owned()
}

#[tokio::test]
async fn it_speaks_tls_with_an_authority_of_its_own_that_must_be_trusted() {
    let (cloud, tenant) = cloud().await;
    assert!(cloud.graph_url().starts_with("https://127.0.0.1:"));
    let http = client(&cloud, false);
    let token = token(&http, &tenant, &cloud.login_url(), &cloud.graph_url()).await;
    let url = format!("{}/v1.0/deviceManagement/deviceConfigurations?$top=1", cloud.graph_url());
    let answer = http.get(&url).bearer_auth(&token).send().await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::OK);
    let stranger = Client::builder().no_proxy().tls_certs_only([]).build().expect("a client");
    assert!(stranger.get(&url).send().await.is_err(), "nobody trusts it who was not told");
    let (other, _) = self::cloud().await;
    assert!(client(&other, false).get(&url).send().await.is_err(), "each cloud has its own");
}

#[tokio::test]
async fn by_way_of_its_proxy_it_is_microsoft_for_who_believes_it() {
    let (cloud, tenant) = cloud().await;
    let http = client(&cloud, true);
    for (login, graph) in [
        ("https://login.microsoftonline.com", "https://graph.microsoft.com"),
        ("https://login.microsoftonline.us", "https://dod-graph.microsoft.us"),
    ] {
        let about = format!("{login}/{}/v2.0/.well-known/openid-configuration", tenant.tenant_id);
        let about: Value = http.get(about).send().await.expect("an answer").json().await.expect("JSON");
        assert!(about["token_endpoint"].as_str().expect("an address").starts_with(login), "{about}");
        let token = token(&http, &tenant, login, graph).await;
        let url = format!("{graph}/v1.0/deviceManagement/deviceConfigurations?$top=1");
        let page: Value =
            http.get(url).bearer_auth(&token).send().await.expect("an answer").json().await.expect("JSON");
        for link in ["@odata.context", "@odata.nextLink"] {
            assert!(page[link].as_str().expect("a link").starts_with(&format!("{graph}/v1.0/")), "{}", page[link]);
        }
    }
    let unknown =
        "https://login.microsoftonline.com/00000000-0000-0000-0000-000000000001/v2.0/.well-known/openid-configuration";
    let answer = http.get(unknown).send().await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
    let body: Value = answer.json().await.expect("JSON");
    assert_eq!(body["error"], json!("invalid_tenant"));
    assert!(http.get("https://example.com/").send().await.is_err(), "it leads nowhere else");
}

#[tokio::test]
async fn who_speaks_plain_http_to_it_is_told_so() {
    let (cloud, _) = cloud().await;
    let mut stream = TcpStream::connect(cloud.address()).await.expect("connected");
    stream.write_all(b"GET /graph/beta/groups HTTP/1.1\r\nHost: x\r\n\r\n").await.expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("an answer");
    assert!(
        answer.starts_with("HTTP/1.1 400") && answer.ends_with("This simulated cloud speaks TLS (https)."),
        "{answer}"
    );
    let mut stream = TcpStream::connect(cloud.address()).await.expect("connected");
    let endless = vec![b'x'; 9_000];
    // It stops reading: what is sent after that may fail.
    let _ = stream.write_all(&endless).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    assert!(answer.is_empty(), "a head that never ends is not waited for");
}
