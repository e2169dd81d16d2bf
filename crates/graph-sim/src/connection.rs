//! Connections over plain HTTP.

use crate::server::{Door, serve};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::sync::Arc;
use tokio::net::{TcpListener, TcpStream};

/// Takes connections until the cloud is stopped.
pub(crate) async fn accept(listener: TcpListener, door: Arc<Door>) {
    loop {
        let accepted = tokio::select! {
            () = door.stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, _)) = accepted else { continue };
        let _ = stream.set_nodelay(true);
        let door = Arc::clone(&door);
        tokio::spawn(async move {
            tokio::select! {
                () = door.stop.cancelled() => {}
                () = speak(&door, stream) => {}
            }
        });
    }
}

async fn speak(door: &Arc<Door>, stream: TcpStream) {
    let service = service_fn(move |request| serve(Arc::clone(door), request));
    // A reset is wished for, and a client that goes away is no fault of ours.
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}
