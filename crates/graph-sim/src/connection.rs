//! Connections: plain HTTP, or TLS and what leads to it.
//!
//! With TLS the same port is a proxy for the hosts of Microsoft: a client that is told of it (`HTTPS_PROXY`) reaches this
//! cloud while it believes to talk to `graph.microsoft.com`, and needs to be told of nothing but the certificate authority.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::host;
use crate::server::{Door, serve};

/// The first byte of a TLS connection: a handshake record (RFC 8446, section 5.1).
const HANDSHAKE: u8 = 0x16;
/// The largest head of a `CONNECT`, in bytes.
const HEAD_LIMIT: usize = 8 * 1024;

/// Takes connections until the cloud is stopped.
pub(crate) async fn accept(listener: TcpListener, door: Arc<Door>) {
    loop {
        let accepted = tokio::select! {
            () = door.stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, peer)) = accepted else { continue };
        let _ = stream.set_nodelay(true);
        let door = Arc::clone(&door);
        tokio::spawn(async move {
            tokio::select! {
                () = door.stop.cancelled() => {}
                // A client that goes away or speaks something else is no fault of ours.
                _ = attend(&door, stream, peer.ip()) => {}
            }
        });
    }
}

async fn attend(door: &Arc<Door>, mut stream: TcpStream, peer: IpAddr) -> io::Result<()> {
    let Some(acceptor) = &door.tls else {
        speak(door, stream, peer).await;
        return Ok(());
    };
    let mut first = [0];
    if stream.peek(&mut first).await? == 0 {
        return Ok(());
    }
    if first[0] != HANDSHAKE && !connect(&mut stream).await? {
        return Ok(());
    }
    secure(door, acceptor, stream, peer).await
}

async fn secure(door: &Arc<Door>, acceptor: &TlsAcceptor, stream: TcpStream, peer: IpAddr) -> io::Result<()> {
    let stream = acceptor.accept(stream).await?;
    speak(door, stream, peer).await;
    Ok(())
}

/// Answers a `CONNECT` (RFC 9110, section 9.3.6); false when it was refused or was something else.
async fn connect(stream: &mut TcpStream) -> io::Result<bool> {
    let mut head = Vec::with_capacity(512);
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() >= HEAD_LIMIT {
            return Ok(false);
        }
        head.push(stream.read_u8().await?);
    }
    let head = String::from_utf8_lossy(&head);
    let mut words = head.split_whitespace();
    let (method, authority) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let answer = if method != "CONNECT" {
        "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: 40\r\nConnection: close\r\n\r\nThis simulated cloud speaks TLS (https)."
    } else if host::service_of(host::without_port(authority)).is_none() {
        "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    } else {
        "HTTP/1.1 200 Connection Established\r\n\r\n"
    };
    stream.write_all(answer.as_bytes()).await?;
    Ok(answer.starts_with("HTTP/1.1 200"))
}

async fn speak<S>(door: &Arc<Door>, stream: S, peer: IpAddr)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request| serve(Arc::clone(door), peer, request));
    // A reset is wished for.
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}
