//! Accepts connections and speaks HTTP/1.1 on each, as browsers do on a connection without TLS and proxies do to what
//! is behind them.
//!
//! Not `axum::serve`: it looks for the preface of HTTP/2 first, which makes the read buffer of every connection twice as
//! large (8 kB more for each open stream), and it waits for the head of a request for ever.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::ConnectInfo;
use hyper::body::{Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use ipnet::IpNet;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::Service as _;

use super::counts::Counted;
use super::peers::Peers;
use super::stall::Stalling;

/// How long a connection may take over the head of a request, or rest between two. Longer than proxies keep a resting
/// connection (nginx: 60 seconds), so that they, not this server, end it.
const HEAD_TIMEOUT: Duration = Duration::from_secs(75);
/// The largest head of a request, in bytes; more is refused with 431.
const HEAD_LIMIT: usize = 64 * 1024;
/// Connections open at the same time in one process, live streams among them; more wait in the system's queue.
const MAX_CONNECTIONS: usize = super::events::MAX_STREAMS + 4_096;
/// Connections of one address, unless it is this machine or a trusted proxy, which speak for many: some hundred people
/// behind one address of an office, each with a few pages open.
pub const MAX_PER_ADDRESS: usize = 512;
/// Files that are left for the database, for Microsoft Graph and for the binary itself.
const OTHER_FILES: u64 = 512;
/// The fewest connections, whatever the limit of files says.
const FEWEST_CONNECTIONS: usize = 64;
/// How long a reader may take nothing of what waits for it. Proxies give up after the same time (nginx: `send_timeout`).
const STALL_LIMIT: Duration = Duration::from_secs(60);
/// How long to wait when no other connection can be accepted, such as too many open files.
const ACCEPT_AGAIN: Duration = Duration::from_secs(1);
/// How long a connection without a request may take to end when the server stops.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// What connections may take.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Open at the same time.
    pub connections: usize,
    /// Of one peer.
    pub per_address: usize,
    /// Peers that speak for many and are not counted.
    pub shared: Arc<[IpNet]>,
    /// How long a reader may stand still.
    pub stall: Duration,
}

impl Limits {
    /// With so many open files (none: as many as one likes) and these trusted proxies, beside those on this machine. Says
    /// in the log when there are too few files for every connection that the server would take.
    pub fn new(files: Option<u64>, trusted_proxies: &[IpNet]) -> Self {
        let wanted = MAX_CONNECTIONS as u64 + OTHER_FILES;
        let files = files.unwrap_or(wanted);
        if files < wanted {
            tracing::warn!(
                files,
                wanted,
                "the limit of open files is low: connections beyond it wait (ulimit -Hn, LimitNOFILE)"
            );
        }
        let left = usize::try_from(files.saturating_sub(OTHER_FILES)).unwrap_or(usize::MAX);
        Self {
            connections: left.clamp(FEWEST_CONNECTIONS, MAX_CONNECTIONS),
            per_address: MAX_PER_ADDRESS,
            shared: shared(trusted_proxies),
            stall: STALL_LIMIT,
        }
    }
}

/// The networks that speak for many: this machine and trusted proxies.
pub fn shared(trusted_proxies: &[IpNet]) -> Arc<[IpNet]> {
    let this_machine = [
        IpNet::new_assert(IpAddr::V4(Ipv4Addr::LOCALHOST), 8).trunc(),
        IpNet::new_assert(IpAddr::V6(Ipv6Addr::LOCALHOST), 128),
    ];
    this_machine.into_iter().chain(trusted_proxies.iter().copied()).collect()
}

/// Serves until `stopping` is cancelled and every connection has ended what it was about. The caller bounds the wait.
pub async fn serve(listener: TcpListener, router: Router, limits: Limits, stopping: CancellationToken) {
    let connections = TaskTracker::new();
    let places = Arc::new(Semaphore::new(limits.connections));
    let peers = Peers::new(limits.per_address, Arc::clone(&limits.shared));
    loop {
        let accepted = tokio::select! {
            biased;
            () = stopping.cancelled() => break,
            accepted = accept(&listener, &places) => accepted,
        };
        let Some((stream, peer, permit)) = accepted else { continue };
        let Some(counted) = peers.count(peer.ip()) else {
            metrics::counter!("http_connections_refused_total").increment(1);
            tracing::debug!(peer = %peer.ip(), "a peer has too many connections");
            continue;
        };
        let stream = Stalling::new(stream, limits.stall);
        connections.spawn(converse(stream, peer, router.clone(), stopping.clone(), (permit, counted)));
    }
    drop(listener);
    connections.close();
    connections.wait().await;
}

/// Answers the requests of one connection.
async fn converse(
    stream: Stalling<TcpStream>,
    peer: SocketAddr,
    router: Router,
    stopping: CancellationToken,
    _held: (OwnedSemaphorePermit, Counted),
) {
    let busy = Arc::new(AtomicUsize::new(0));
    let answering = Arc::clone(&busy);
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let working = Working::begin(&answering);
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        let answer = router.clone().call(request);
        async move { answer.await.map(|response| response.map(|body| Answering::new(body, working))) }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT).max_buf_size(HEAD_LIMIT);
    let mut connection = pin!(http.serve_connection(TokioIo::new(stream), service));
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stopping.cancelled() => {
            connection.as_mut().graceful_shutdown();
            // A head that has not come whole by then is not waited for; a request that has is answered.
            match tokio::time::timeout(LAST_WORDS, connection.as_mut()).await {
                Ok(ended) => ended,
                Err(_) if busy.load(Ordering::Relaxed) == 0 => return,
                Err(_) => connection.await,
            }
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection broke off");
    }
}

/// A request that is being answered.
struct Working(Arc<AtomicUsize>);

impl Working {
    fn begin(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(count))
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The body of an answer, with what is held for as long as it goes on.
pub struct Answering<T> {
    body: Body,
    _held: T,
}

impl<T> Answering<T> {
    /// Holds something until the body has ended or is given up.
    pub fn new(body: Body, held: T) -> Self {
        Self { body, _held: held }
    }
}

impl<T: Unpin> HttpBody for Answering<T> {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The next connection, once there is a place for it. None when it was gone before it could be taken.
async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> Option<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    // The semaphore is never closed.
    let permit = Arc::clone(places).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, peer)) => {
            // Without TCP_NODELAY a page that streams waits for delayed acknowledgements.
            if let Err(error) = stream.set_nodelay(true) {
                tracing::debug!(%error, "TCP_NODELAY could not be set");
            }
            limit_unsent(&stream);
            Some((stream, peer, permit))
        }
        Err(error) => {
            use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
            if !matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset) {
                tracing::error!(%error, "no connection can be accepted now");
                tokio::time::sleep(ACCEPT_AGAIN).await;
            }
            None
        }
    }
}

/// Lets writes wait on the reader and not on a buffer of megabytes (tcp(7): `TCP_NOTSENT_LOWAT`), so that a reader that
/// moves is seen to move.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn limit_unsent(stream: &TcpStream) {
    /// Bytes that wait in the system unsent before a write waits: a reader that takes half of them in time moves.
    const UNSENT: u32 = 128 * 1024;
    if let Err(error) = socket2::SockRef::from(stream).set_tcp_notsent_lowat(UNSENT) {
        tracing::debug!(%error, "TCP_NOTSENT_LOWAT could not be set");
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn limit_unsent(_stream: &TcpStream) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_left_for_the_database_however_many_connections_there_are() {
        assert_eq!(Limits::new(None, &[]).connections, MAX_CONNECTIONS);
        assert_eq!(Limits::new(Some(1_024), &[]).connections, 512);
        assert_eq!(Limits::new(Some(100), &[]).connections, FEWEST_CONNECTIONS);
        let shared = Limits::new(None, &["192.0.2.0/24".parse().expect("a network")]).shared;
        for address in ["127.0.0.1", "127.8.0.1", "::1", "192.0.2.7"] {
            let address: IpAddr = address.parse().expect("an address");
            assert!(shared.iter().any(|net| net.contains(&address)), "{address}");
        }
    }
}
