//! The web server: router, assets, security headers, health, and the demo.

mod address;
mod answer;
mod api;
mod assets;
mod body;
mod client;
mod connections;
mod context;
mod counts;
mod declared;
mod events;
mod export;
mod findings;
mod first_admin;
mod functions;
mod inside;
mod metrics;
mod payload;
mod peers;
mod refusals;
mod request_id;
mod router;
mod security;
mod session;
mod setting_values;
mod settings;
pub mod shutdown;
mod spreadsheet;
mod sse;
mod stall;
#[cfg(test)]
mod tests;
mod typed;
mod under_way;
mod versions;
mod worker;

use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use secrecy::SecretString;
use tenantatlas_app::audit::verification::LastVerification;
use tenantatlas_engine::Engine;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use under_way::UnderWay;

use crate::cli::ServeArguments;
use crate::cli::graph_sim::cannot_listen;
use crate::exit::{Exit, ExitCode};
use crate::say::say;
use crate::settings::Settings;
use crate::{demo, open, process_limits};

pub use worker::work;

/// How long connections that are still busy may go on when the server stops.
const LAST_ANSWERS: Duration = Duration::from_secs(10);

/// How long what goes on beside answers may take when the server stops.
const LAST_ENTRIES: Duration = Duration::from_secs(2);

/// What every handler works with.
#[derive(Clone)]
pub struct State {
    /// The engine.
    pub engine: Engine,
    /// Cancelled when the server is to stop: streams end, and it is no longer ready.
    pub stopping: CancellationToken,
    /// One permit per open live stream.
    pub streams: Arc<Semaphore>,
    /// Lets whoever sends it read the metrics.
    pub metrics_token: Option<SecretString>,
    /// Proxies that are believed about where a request comes from, beside those on this machine.
    pub trusted_proxies: Arc<[IpNet]>,
    /// How many addresses that proxies wrote are read, from the nearest on.
    pub proxy_hops: usize,
    /// Requests under way, by client and person.
    pub under_way: UnderWay,
    /// What the last look at the chain of the audit log found.
    pub verification: LastVerification,
    /// What goes on beside an answer; waited for before the process ends.
    pub background: TaskTracker,
}

impl State {
    fn new(settings: &Settings, engine: &Engine, stopping: &CancellationToken) -> Self {
        Self {
            engine: engine.clone(),
            stopping: stopping.clone(),
            streams: Arc::new(Semaphore::new(events::MAX_STREAMS)),
            metrics_token: settings.metrics_token.clone(),
            trusted_proxies: settings.trusted_proxies.clone().into(),
            proxy_hops: settings.proxy_hops,
            under_way: UnderWay::new(&settings.trusted_proxies),
            verification: LastVerification::default(),
            background: TaskTracker::new(),
        }
    }
}

/// Serves until it is told to stop; then streams end, leases go back, and running work is taken up by whoever is next.
///
/// # Errors
/// When database, key or address cannot be used.
pub async fn serve(settings: &Settings, arguments: &ServeArguments) -> Result<(), Exit> {
    let listener = TcpListener::bind(settings.listen).await.map_err(|error| cannot_listen(&settings.listen, &error))?;
    let address = listener.local_addr().unwrap_or(settings.listen);
    let engine = open::engine(settings, arguments.config()).await?;
    engine.reader().ready().await?;
    let demo = match arguments.demo {
        true => Some(demo::Demo::prepare(&engine, settings, arguments).await?),
        false => None,
    };

    let stopping = CancellationToken::new();
    let state = State::new(settings, &engine, &stopping);
    let background = state.background.clone();
    let limits = connections::Limits::new(process_limits::open_files(), &settings.trusted_proxies);
    metrics::recorder();
    let router = router::router(state);
    shutdown::at_signal(&stopping);
    let mut server = tokio::spawn(connections::serve(listener, router, limits, stopping.clone()));
    tracing::info!(%address, "listening");
    match &demo {
        Some(demo) => demo.show(&engine, settings, address, &stopping).await?,
        None => {
            say(&format!("TenantAtlas answers on http://{address} until Ctrl-C."));
            if let Some(invitation) = first_admin::invitation(&engine, address).await? {
                say(&format!("\n{invitation}\n"));
            }
        }
    }
    tokio::select! {
        biased;
        () = stopping.cancelled() => {}
        ended = &mut server => {
            // It ends by itself only when it is told to stop. A process that answers nobody must not look alive.
            tracing::error!(error = ?ended.err(), "no more connections are accepted");
            stopping.cancel();
            engine.shutdown().await;
            return Err(Exit::new(
                ExitCode::Failed,
                "the web server broke off, see the log. Running syncs were handed back; start it again to go on",
            ));
        }
    }
    engine.shutdown().await;
    match tokio::time::timeout(LAST_ANSWERS, server).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::error!(%error, "the web server broke off while it stopped"),
        Err(_) => tracing::warn!("connections that did not end in time were closed"),
    }
    background.close();
    if tokio::time::timeout(LAST_ENTRIES, background.wait()).await.is_err() {
        tracing::warn!("refusals of the last moment could not be written into the audit log");
    }
    Ok(())
}
