//! Accepts connections and speaks HTTP/1.1 on each, as browsers do on a connection without TLS and proxies do to what
//! is behind them.
//!
//! Not `axum::serve`: it looks for the preface of HTTP/2 first, which makes the read buffer of every connection twice as
//! large (8 kB more for each open stream), and it waits for the head of a request for ever.

use axum::{Router, body::Body, extract::ConnectInfo};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
};
use std::{io, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
};
use tokio_util::sync::CancellationToken;
use tower::Service as _;

/// How long a connection may take over the head of a request, or rest between two. Longer than proxies keep a resting
/// connection (nginx: 60 seconds), so that they, not this server, end it.
const HEAD_TIMEOUT: Duration = Duration::from_secs(75);
/// The largest head of a request, in bytes; more is refused with 431.
const HEAD_LIMIT: usize = 64 * 1024;
/// Connections open at the same time in one process, live streams among them; more wait in the system's queue.
const MAX_CONNECTIONS: usize = super::events::MAX_STREAMS + 4_096;
/// How long to wait when there is no room for another connection, such as too many open files.
const NO_ROOM: Duration = Duration::from_secs(1);

/// Serves until `stopping` is cancelled and every connection has ended what it was about. The caller bounds the wait.
pub async fn serve(listener: TcpListener, router: Router, stopping: CancellationToken) {
    let connections = GracefulShutdown::new();
    let room = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT).max_buf_size(HEAD_LIMIT);
    loop {
        let accepted = tokio::select! {
            biased;
            () = stopping.cancelled() => break,
            accepted = accept(&listener, &room) => accepted,
        };
        let Some((stream, peer, permit)) = accepted else { continue };
        let router = router.clone();
        let service = service_fn(move |request: hyper::Request<Incoming>| {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(ConnectInfo(peer));
            router.clone().call(request)
        });
        let connection = connections.watch(http.serve_connection(TokioIo::new(stream), service));
        tokio::spawn(async move {
            let _permit = permit;
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection broke off");
            }
        });
    }
    drop(listener);
    connections.shutdown().await;
}

/// The next connection, once there is room for it. None when it was gone before it could be taken.
async fn accept(
    listener: &TcpListener,
    room: &Arc<Semaphore>,
) -> Option<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    // The semaphore is never closed.
    let permit = Arc::clone(room).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, peer)) => {
            // Without TCP_NODELAY a page that streams waits for delayed acknowledgements.
            if let Err(error) = stream.set_nodelay(true) {
                tracing::debug!(%error, "TCP_NODELAY could not be set");
            }
            Some((stream, peer, permit))
        }
        Err(error) => {
            use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
            if !matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset) {
                tracing::error!(%error, "no connection can be accepted now");
                tokio::time::sleep(NO_ROOM).await;
            }
            None
        }
    }
}
