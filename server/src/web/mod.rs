//! The web server: router, assets, security headers, health, and the demo.

mod assets;
mod router;
mod security;
mod session;
pub mod shutdown;

use crate::{
    cli::{ServeArguments, graph_sim::cannot_listen},
    demo,
    exit::{Exit, ExitCode},
    open,
    settings::Settings,
};
use axum::serve::ListenerExt as _;
use std::io::Write as _;
use tenantatlas_engine::EngineConfig;
use tokio::net::TcpListener;

/// Serves until it is told to stop; then streams end, leases go back, and running work is taken up by whoever is next.
///
/// # Errors
/// When database, key or address cannot be used.
pub async fn serve(settings: &Settings, arguments: &ServeArguments) -> Result<(), Exit> {
    let listener = TcpListener::bind(settings.listen).await.map_err(|error| cannot_listen(&settings.listen, &error))?;
    let address = listener.local_addr().unwrap_or(settings.listen);
    let engine = open::engine(settings, EngineConfig::default()).await?;
    let demo = if arguments.demo { Some(demo::Demo::prepare(&engine, arguments.demo_objects).await?) } else { None };

    let stopping = tokio_util::sync::CancellationToken::new();
    let router = router::router(engine.clone(), stopping.clone());
    let stop = stopping.clone();
    tokio::spawn(async move {
        shutdown::signal().await;
        stop.cancel();
    });
    // Without TCP_NODELAY a page that streams waits for delayed acknowledgements.
    let listener = listener.tap_io(|stream| {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY could not be set");
        }
    });
    let serving = axum::serve(listener, router.into_make_service_with_connect_info::<std::net::SocketAddr>())
        .with_graceful_shutdown(stopping.clone().cancelled_owned());
    let server = tokio::spawn(async move { serving.await });
    tracing::info!(%address, "listening");
    match &demo {
        Some(demo) => demo.show(&engine, settings, address, &stopping).await?,
        None => say(&format!("TenantAtlas answers on http://{address} until Ctrl-C.")),
    }
    stopping.cancelled().await;
    engine.shutdown().await;
    // Connections that are still busy get a bounded time.
    match tokio::time::timeout(std::time::Duration::from_secs(10), server).await {
        Ok(Ok(Err(error))) => Err(Exit::new(ExitCode::Failed, format!("the web server ended: {error}"))),
        _ => Ok(()),
    }
}

/// A line for the person who started the server.
pub fn say(text: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}
