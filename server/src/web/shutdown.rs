//! When to stop: SIGTERM from a service manager, or Ctrl-C.

use tokio_util::sync::CancellationToken;

/// Cancels this at the first signal to stop.
pub fn at_signal(stopping: &CancellationToken) {
    let stop = stopping.clone();
    tokio::spawn(async move {
        signal().await;
        stop.cancel();
    });
}

/// Returns at the first signal to stop.
pub async fn signal() {
    let interrupt = async {
        // Without a handler there is no way to hear the signal; the other one still counts.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    let terminate = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut stream) => {
                stream.recv().await;
            }
            Err(_) => std::future::pending::<()>().await,
        }
    };
    #[cfg(not(unix))]
    let terminate = std::future::pending::<()>();
    tokio::select! {
        () = interrupt => {}
        () = terminate => {}
    }
}
