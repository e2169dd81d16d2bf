//! Requests as no library would send them, over a real socket to the whole site.

use std::net::SocketAddr;
use std::time::Duration;

use tenantatlas_domain::role::Role;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::site::{Site, Who};
use crate::web::connections::{Limits, serve};

const SOON: Duration = Duration::from_secs(20);

async fn listen(site: &Site) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("its address");
    tokio::spawn(serve(listener, site.router.clone(), Limits::new(None, &[]), CancellationToken::new()));
    address
}

/// Sends a head whose last line is added, and reads until the other side closes.
async fn send(address: SocketAddr, head: &str) -> String {
    let mut connection = TcpStream::connect(address).await.expect("a connection");
    connection.write_all(format!("{head}\r\nConnection: close\r\n\r\n").as_bytes()).await.expect("sent");
    let mut answer = Vec::new();
    timeout(SOON, connection.read_to_end(&mut answer)).await.expect("in time").expect("an answer");
    String::from_utf8_lossy(&answer).into_owned()
}

fn status(answer: &str) -> u16 {
    answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_else(|| panic!("no answer: {answer}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn no_address_is_read_by_the_guard_in_one_way_and_by_the_pages_in_another() {
    let site = Site::start().await;
    let address = listen(&site).await;
    let cookie = site.cookie(Who::Member(Role::Owner));
    let (own, other) = (site.own, site.other);
    let get = |path: String| format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\nCookie: {cookie}");
    assert_eq!(status(&send(address, &get(format!("/t/{own}/inventory"))).await), 200);
    for path in [
        format!("/t/{other}/../{own}/inventory"),
        format!("/t/{own}/../{other}/inventory"),
        format!("/t/{other}/%2e%2e/{own}/inventory"),
        format!("/t/{other}/.%2E/{own}/inventory"),
        format!("/t/{other}/..%2f{own}/inventory"),
        format!("/t/{other}\\..\\{own}\\inventory"),
        format!("/t/{other}%5c..%5c{own}/inventory"),
        format!("/t/{own}/./inventory"),
        format!("/t/{own}//inventory"),
        format!("//t/{own}/inventory"),
        format!("/t/{own}/inventory//"),
        format!("/t/{own}/%69nventory"),
        "/welcome/..".to_owned(),
        "/welcome/../me".to_owned(),
        "/welcome/%2e%2e".to_owned(),
        "/sign-in/../me".to_owned(),
        "/me/..".to_owned(),
        "*".to_owned(),
    ] {
        let answer = send(address, &get(path.clone())).await;
        assert!(matches!(status(&answer), 400 | 404), "{path}: {answer}");
        assert!(!answer.contains("Contoso") && !answer.contains("Fabrikam"), "{path}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_names_no_host_or_several_is_refused_and_never_counts_as_this_machine() {
    let site = Site::start().await;
    let address = listen(&site).await;
    for (head, expected) in [
        ("GET /healthz HTTP/1.1\r\nHost: localhost", 200),
        ("GET /healthz HTTP/1.0", 200),
        ("GET /healthz HTTP/1.1", 400),
        ("GET /healthz HTTP/1.1\r\nHost:", 400),
        ("GET /healthz HTTP/1.1\r\nHost: localhost\r\nHost: localhost", 400),
        ("GET /healthz HTTP/1.1\r\nHost: localhost\r\nHost: atlas.example", 400),
        ("GET /healthz HTTP/1.1\r\nHost: somebody@localhost", 400),
        ("GET /healthz HTTP/1.1\r\nHost: local/host", 400),
        ("GET http://atlas.example/healthz HTTP/1.1\r\nHost: localhost", 400),
        ("GET /metrics HTTP/1.1\r\nHost: localhost", 404),
        ("GET /metrics HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer metrics-token", 200),
        ("GET /metrics HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer other-token", 404),
        ("GET /metrics HTTP/1.0\r\nAuthorization: Bearer metrics-token", 200),
        ("GET /metrics HTTP/1.1", 400),
    ] {
        let answer = send(address, head).await;
        assert_eq!(status(&answer), expected, "{head}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_of_a_request_is_always_our_own() {
    let site = Site::start().await;
    let address = listen(&site).await;
    let head = format!("GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: {}", "planted-".repeat(1_000));
    let answer = send(address, &head).await.to_lowercase();
    assert!(answer.contains("\r\nx-request-id: ") && !answer.contains("planted"), "{answer}");
}
