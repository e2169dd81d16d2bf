//! Connections, over real sockets.

use crate::web::connections::serve;
use axum::{Router, extract::ConnectInfo, routing::get};
use std::{net::SocketAddr, time::Duration};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
    time::timeout,
};
use tokio_util::sync::CancellationToken;

const SOON: Duration = Duration::from_secs(60);

/// A server that answers with the address it is asked from, and a connection to it.
async fn connected() -> (TcpStream, CancellationToken, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("its address");
    let who = |ConnectInfo(peer): ConnectInfo<SocketAddr>| async move { peer.ip().to_string() };
    let stopping = CancellationToken::new();
    let server = tokio::spawn(serve(listener, Router::new().route("/", get(who)), stopping.clone()));
    (TcpStream::connect(address).await.expect("a connection"), stopping, server)
}

async fn ask(connection: &mut TcpStream, request: &[u8]) -> String {
    connection.write_all(request).await.expect("the request is sent");
    let mut answer = vec![0; 4_096];
    let read = timeout(SOON, connection.read(&mut answer)).await.expect("an answer in time").expect("an answer");
    String::from_utf8_lossy(&answer[..read]).into_owned()
}

#[tokio::test]
async fn a_resting_connection_ends_when_the_server_stops_and_serves_more_than_one_request_before() {
    let (mut connection, stopping, server) = connected().await;
    for _ in 0..2 {
        let answer = ask(&mut connection, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("127.0.0.1"), "{answer}");
    }
    stopping.cancel();
    timeout(SOON, server).await.expect("it stops").expect("without a panic");
    assert_eq!(connection.read(&mut [0; 16]).await.expect("an orderly end"), 0);
}

#[tokio::test]
async fn a_head_that_is_too_large_is_refused() {
    let (mut connection, _stopping, _server) = connected().await;
    let request = format!("GET / HTTP/1.1\r\nHost: localhost\r\nX-Large: {}", "a".repeat(70_000));
    let answer = ask(&mut connection, request.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
}
