//! `worker`: the work of `serve` without its pages.

use tenantatlas_store::Backend;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::{LAST_ANSWERS, State, connections, metrics, router, shutdown};
use crate::cli::WorkerArguments;
use crate::cli::graph_sim::cannot_listen;
use crate::exit::Exit;
use crate::say::say;
use crate::settings::Settings;
use crate::{open, process_limits};

/// Works until it is told to stop; then the runs that it holds are handed back at once.
///
/// # Errors
/// When database, key or address cannot be used.
pub async fn work(settings: &Settings, arguments: &WorkerArguments) -> Result<(), Exit> {
    let listener = match settings.listen_is_set {
        true => {
            Some(TcpListener::bind(settings.listen).await.map_err(|error| cannot_listen(&settings.listen, &error))?)
        }
        false => None,
    };
    metrics::recorder();
    let engine = open::engine(settings, arguments.work.config()).await?;
    let stopping = CancellationToken::new();
    shutdown::at_signal(&stopping);
    let mut told =
        format!("TenantAtlas works on up to {} runs at a time until Ctrl-C.", engine.runs().config().workers);
    let watched = listener.map(|listener| {
        let address = listener.local_addr().unwrap_or(settings.listen);
        told = format!("{told} It answers /healthz, /readyz and /metrics on http://{address}.");
        let limits = connections::Limits::new(process_limits::open_files(), &settings.trusted_proxies);
        let router = router::watched(State::new(settings, &engine, &stopping));
        tokio::spawn(connections::serve(listener, router, limits, stopping.clone()))
    });
    if engine.reader().backend() == Backend::Sqlite {
        tracing::info!("the database is one file: all processes must run on this machine");
    }
    say(&told);
    stopping.cancelled().await;
    engine.shutdown().await;
    if let Some(watched) = watched
        && tokio::time::timeout(LAST_ANSWERS, watched).await.is_err()
    {
        tracing::warn!("connections that did not end in time were closed");
    }
    Ok(())
}
