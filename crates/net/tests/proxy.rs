//! Requests by way of a proxy that runs in the test: what is handed to it, and what never is.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tenantatlas_net::{
    AddressRefused, Authorities, ConnectError, Connector, ConnectorOptions, Destination, Networks, Proxies,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use url::Url;

/// A proxy that keeps the heads of what it is asked, and refuses to lead on.
struct Proxy {
    address: SocketAddr,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("it listens");
        let address = listener.local_addr().expect("an address");
        let heads = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&heads);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    match stream.read_u8().await {
                        Ok(byte) => head.push(byte),
                        Err(_) => break,
                    }
                }
                kept.lock().expect("not poisoned").push(String::from_utf8_lossy(&head).into_owned());
                let answer = "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n";
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        });
        Self { address, heads }
    }

    fn heads(&self) -> Vec<String> {
        self.heads.lock().expect("not poisoned").clone()
    }
}

fn connector(proxy: &Proxy, exempt: &str, allowed: &[&str]) -> Connector {
    let address = format!("http://atlas:hunter2@{}", proxy.address);
    let proxies = Proxies::from_variables(|name| match name {
        "https_proxy" => Some(address.clone()),
        "no_proxy" => Some(exempt.to_owned()),
        _ => None,
    });
    let allowed: Vec<_> = allowed.iter().map(|network| network.parse().expect("a network")).collect();
    Connector::new(ConnectorOptions {
        user_agent: "test".to_owned(),
        connect_timeout: Duration::from_secs(10),
        read_timeout: Duration::from_secs(10),
        networks: Networks::new(&allowed),
        proxies: proxies.expect("understood"),
        // A machine without root certificates must not fail before it asks.
        authorities: Authorities::from_pem(authority().as_bytes()).expect("an authority"),
    })
}

fn authority() -> String {
    let key = rcgen::KeyPair::generate().expect("a key");
    let params = rcgen::CertificateParams::new(vec!["authority.example".to_owned()]).expect("a name");
    params.self_signed(&key).expect("a certificate").pem()
}

/// Asks for an address; the fault, whatever it was.
async fn ask(connector: &Connector, url: &str, destination: Destination) -> Result<String, ConnectError> {
    let url = Url::parse(url).expect("a URL");
    let error = connector.client(&url, destination).await?.get(url.clone()).send().await.expect_err("nobody answers");
    let mut told = format!("{error:?} {error}");
    let mut next = std::error::Error::source(&error);
    while let Some(cause) = next {
        told.push_str(&format!(" {cause}"));
        next = cause.source();
    }
    Ok(told)
}

#[tokio::test]
async fn a_host_of_the_program_is_handed_to_the_proxy_with_its_password_which_no_error_repeats() {
    let proxy = Proxy::start().await;
    let connector = connector(&proxy, "", &[]);
    let told = ask(&connector, "https://graph.microsoft.com/beta", Destination::Fixed).await.expect("asked");
    let heads = proxy.heads();
    assert!(heads[0].starts_with("CONNECT graph.microsoft.com:443 HTTP/1.1\r\n"), "{heads:?}");
    // RFC 7617: base64 of `atlas:hunter2`.
    assert!(heads[0].to_lowercase().contains("proxy-authorization: basic yxrsyxm6ahvudgvymg=="), "{heads:?}");
    assert!(told.contains("proxy authorization required"), "{told}");
    assert!(!told.contains("hunter2") && !told.contains("YXRsYXM6aHVudGVyMg"), "{told}");
    let told = format!("{connector:?}");
    assert!(!told.contains("hunter2") && !told.contains("atlas"), "{told}");
}

#[tokio::test]
async fn an_address_within_that_a_person_entered_never_reaches_the_proxy() {
    let proxy = Proxy::start().await;
    let connector = connector(&proxy, "", &[]);
    for url in [
        "https://10.0.0.1/",
        "https://169.254.169.254/latest/meta-data/",
        "https://168.63.129.16/",
        "https://[fd00:ec2::254]/",
        "https://[::ffff:192.168.0.1]/",
        "https://127.0.0.1:8443/",
        "https://intranet/",
        "https://vault.corp/",
        "https://printer.local./",
    ] {
        let found = ask(&connector, url, Destination::Entered).await.err();
        assert_eq!(found, Some(ConnectError::Refused(AddressRefused::Network)), "{url}");
    }
    // This machine is asked directly, and there the resolver judges.
    let told = ask(&connector, "https://localhost:9/", Destination::Entered).await.expect("asked");
    assert!(told.contains("not public"), "{told}");
    assert_eq!(proxy.heads(), Vec::<String>::new());
}

#[tokio::test]
async fn a_name_that_nobody_resolves_here_is_the_proxys_to_resolve() {
    let proxy = Proxy::start().await;
    let connector = connector(&proxy, "", &[]);
    // The end of this name is assigned to nobody (ISO 3166: user-assigned).
    ask(&connector, "https://graph.example-cloud.zz/", Destination::Entered).await.expect("asked");
    assert!(proxy.heads()[0].starts_with("CONNECT graph.example-cloud.zz:443 "), "{:?}", proxy.heads());
}

#[tokio::test]
async fn an_allowed_network_goes_by_way_of_the_proxy_unless_it_is_exempt() {
    let proxy = Proxy::start().await;
    let all = connector(&proxy, "", &["192.0.2.0/24"]);
    ask(&all, "https://192.0.2.7/", Destination::Entered).await.expect("asked");
    assert!(proxy.heads()[0].starts_with("CONNECT 192.0.2.7:443 "), "{:?}", proxy.heads());
    // The port of a listener that is closed again: nobody answers there.
    let closed = TcpListener::bind("127.0.0.1:0").await.expect("it listens").local_addr().expect("an address");
    let exempt = connector(&proxy, "127.0.0.0/8", &["127.0.0.0/8"]);
    ask(&exempt, &format!("https://{closed}/"), Destination::Entered).await.expect("asked");
    assert_eq!(proxy.heads().len(), 1, "it was asked directly");
}
