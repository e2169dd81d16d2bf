//! Connections, over real sockets.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, Request};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::{get, post};
use futures::stream;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use crate::web::body::receive_within;
use crate::web::connections::{Limits, serve};

const SOON: Duration = Duration::from_secs(60);
/// Longer than any test takes: where a test does not ask for a limit, none is met.
const NEVER: Duration = Duration::from_secs(3_600);
const ASKED: &[u8] = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
const HALF_SENT: &[u8] = b"POST /form HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nname=";

struct Server {
    address: SocketAddr,
    stopping: CancellationToken,
    ended: JoinHandle<()>,
}

impl Server {
    async fn start(router: Router, limits: Limits) -> Self {
        Self::stopped_by(CancellationToken::new(), router, limits).await
    }

    async fn stopped_by(stopping: CancellationToken, router: Router, limits: Limits) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("its address");
        let ended = tokio::spawn(serve(listener, router, limits, stopping.clone()));
        Self { address, stopping, ended }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.expect("a connection")
    }

    /// Stops it; what is waited for must end sooner than the process would be given up.
    async fn stop(self) {
        self.stopping.cancel();
        let begin = Instant::now();
        timeout(SOON, self.ended).await.expect("it stops").expect("without a panic");
        assert!(begin.elapsed() < SOON / 2, "it took {:?}", begin.elapsed());
    }
}

fn limits() -> Limits {
    Limits { stall: NEVER, ..Limits::new(None, &[]) }
}

/// Answers with the address it is asked from.
fn echo() -> Router {
    Router::new().route("/", get(|ConnectInfo(peer): ConnectInfo<SocketAddr>| async move { peer.ip().to_string() }))
}

/// Answers a form with its length. Says when the head of a request has come.
fn forms(limit: Duration, stopping: &CancellationToken, heads: mpsc::UnboundedSender<()>) -> Router {
    let stopping = stopping.clone();
    let receive = move |request: Request, next: Next| {
        let (stopping, heads) = (stopping.clone(), heads.clone());
        async move {
            let _ = heads.send(());
            receive_within(limit, &stopping, request, next).await
        }
    };
    Router::new().route("/form", post(|body: Bytes| async move { body.len().to_string() })).layer(from_fn(receive))
}

async fn ask(connection: &mut TcpStream, request: &[u8]) -> String {
    connection.write_all(request).await.expect("the request is sent");
    let mut answer = vec![0; 4_096];
    let read = timeout(SOON, connection.read(&mut answer)).await.expect("an answer in time").expect("an answer");
    String::from_utf8_lossy(&answer[..read]).into_owned()
}

/// Everything that comes until the other side closes.
async fn rest(connection: &mut TcpStream) -> String {
    let mut all = Vec::new();
    let ended = timeout(SOON, connection.read_to_end(&mut all)).await.expect("it ends in time");
    ended.expect("an orderly end");
    String::from_utf8_lossy(&all).into_owned()
}

#[tokio::test]
async fn a_resting_connection_ends_when_the_server_stops_and_serves_more_than_one_request_before() {
    let server = Server::start(echo(), limits()).await;
    let mut connection = server.connect().await;
    for _ in 0..2 {
        let answer = ask(&mut connection, ASKED).await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("127.0.0.1"), "{answer}");
    }
    server.stop().await;
    assert_eq!(connection.read(&mut [0; 16]).await.expect("an orderly end"), 0);
}

#[tokio::test]
async fn a_head_that_is_too_large_is_refused() {
    let server = Server::start(echo(), limits()).await;
    let request = format!("GET / HTTP/1.1\r\nHost: localhost\r\nX-Large: {}", "a".repeat(70_000));
    let answer = ask(&mut server.connect().await, request.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
}

#[tokio::test]
async fn a_body_that_does_not_come_is_answered_with_408_and_its_connection_is_closed() {
    let (heads, _heads) = mpsc::unbounded_channel();
    let router = forms(Duration::from_millis(200), &CancellationToken::new(), heads);
    let server = Server::start(router, limits()).await;
    let mut connection = server.connect().await;
    connection.write_all(HALF_SENT).await.expect("sent");
    let answer = rest(&mut connection).await;
    assert!(answer.starts_with("HTTP/1.1 408 ") && answer.contains("took too long"), "{answer}");
}

#[tokio::test]
async fn a_body_is_bounded_whether_its_length_was_announced_or_not() {
    let (heads, _heads) = mpsc::unbounded_channel();
    let server = Server::start(forms(NEVER, &CancellationToken::new(), heads), limits()).await;
    let whole = b"POST /form HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\nfour";
    assert!(ask(&mut server.connect().await, whole).await.ends_with("\r\n\r\n4"));
    let announced = b"POST /form HTTP/1.1\r\nHost: localhost\r\nContent-Length: 65537\r\n\r\n";
    let piece = format!("10001\r\n{}\r\n", "a".repeat(0x10001));
    let chunked = format!("POST /form HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n{piece}");
    for request in [announced.as_slice(), chunked.as_bytes()] {
        let answer = ask(&mut server.connect().await, request).await;
        assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    }
}

#[tokio::test]
async fn what_was_half_sent_does_not_keep_the_server_from_stopping() {
    let (heads, mut seen) = mpsc::unbounded_channel();
    let stopping = CancellationToken::new();
    let router = forms(NEVER, &stopping, heads).merge(echo());
    let server = Server::stopped_by(stopping, router, limits()).await;
    let (mut body, mut head) = (server.connect().await, server.connect().await);
    body.write_all(HALF_SENT).await.expect("sent");
    timeout(SOON, seen.recv()).await.expect("in time").expect("its head has come");
    ask(&mut head, ASKED).await;
    head.write_all(b"GET / HTTP/1.1\r\nHost: loc").await.expect("sent");
    server.stop().await;
}

#[tokio::test]
async fn an_answer_that_was_begun_is_finished_when_the_server_stops() {
    let go_on = Arc::new(Notify::new());
    let waiting = Arc::clone(&go_on);
    let answer = move || {
        let waiting = Arc::clone(&waiting);
        let pieces = stream::unfold(0, move |piece| {
            let waiting = Arc::clone(&waiting);
            async move {
                match piece {
                    0 => Some((Ok::<_, Infallible>(Bytes::from_static(b"begun")), 1)),
                    1 => {
                        waiting.notified().await;
                        Some((Ok(Bytes::from_static(b"finished")), 2))
                    }
                    _ => None,
                }
            }
        });
        async move { Response::new(Body::from_stream(pieces)) }
    };
    let server = Server::start(Router::new().route("/", get(answer)), limits()).await;
    let mut connection = server.connect().await;
    let mut begun = ask(&mut connection, ASKED).await;
    while !begun.contains("begun") {
        begun += &ask(&mut connection, b"").await;
    }
    server.stopping.cancel();
    go_on.notify_one();
    let finished = rest(&mut connection).await;
    assert!(finished.contains("finished") && finished.ends_with("0\r\n\r\n"), "{finished}");
    server.stop().await;
}

#[tokio::test]
async fn who_reads_nothing_is_closed_and_whoever_waited_for_it_is_free() {
    /// Says when the answer is given up.
    struct Held(mpsc::UnboundedSender<()>);
    impl Drop for Held {
        fn drop(&mut self) {
            let _ = self.0.send(());
        }
    }
    let (given_up, mut freed) = mpsc::unbounded_channel();
    let endless = move || {
        let held = Held(given_up.clone());
        let pieces =
            stream::unfold(held, |held| async { Some((Ok::<_, Infallible>(Bytes::from(vec![0; 64 * 1024])), held)) });
        async move { Response::new(Body::from_stream(pieces)) }
    };
    let limits = Limits { stall: Duration::from_millis(200), ..limits() };
    let server = Server::start(Router::new().route("/", get(endless)), limits).await;
    let mut connection = server.connect().await;
    connection.write_all(ASKED).await.expect("sent");
    timeout(SOON, freed.recv()).await.expect("in time").expect("given up");
}

#[tokio::test]
async fn one_address_takes_so_many_connections_and_no_more() {
    let limits = Limits { per_address: 2, shared: Arc::default(), ..limits() };
    let server = Server::start(echo(), limits).await;
    let mut open = Vec::new();
    for _ in 0..2 {
        let mut connection = server.connect().await;
        assert!(ask(&mut connection, ASKED).await.starts_with("HTTP/1.1 200 "));
        open.push(connection);
    }
    let answered = async |server: &Server| {
        let mut connection = server.connect().await;
        // The other side may have closed it already.
        let _ = connection.write_all(ASKED).await;
        matches!(connection.read(&mut [0; 64]).await, Ok(read) if read > 0)
    };
    assert!(!timeout(SOON, answered(&server)).await.expect("closed in time"));
    open.pop();
    let again = async { while !answered(&server).await {} };
    timeout(SOON, again).await.expect("there is room again once one has gone");
}
