//! Sends what waits to be sent, until the process stops.

use std::sync::Arc;
use std::time::Duration;

use tenantatlas_domain::endpoint::{EndpointKind, EventKind};
use tenantatlas_domain::traces::TARGET;
use tenantatlas_store::deliveries::{self, Delivery};
use tenantatlas_store::{StoreError, endpoints, tenants};
use tokio::sync::Mutex;
use tracing::field::Empty;
use tracing::{Instrument as _, Span, info_span};
use uuid::Uuid;

use super::sending::{self, Ended};
use super::{mail, settling};
use crate::engine::Core;

/// Messages that one process sends at the same time.
pub(crate) const SENDERS: usize = 4;
/// How long a message is held by whoever sends it. An attempt takes half of that at most.
const LEASE: Duration = Duration::from_secs(60);

/// What the senders of one process share.
pub(crate) struct Senders {
    owner: String,
    /// Held by the one that looks for messages, so that an idle process asks the database once.
    looking: Mutex<()>,
}

impl Senders {
    pub(crate) fn new() -> Arc<Self> {
        let owner = format!("{}-{}", std::process::id(), Uuid::new_v4().simple());
        Arc::new(Self { owner, looking: Mutex::default() })
    }
}

/// One sender: one message after the other.
pub(crate) async fn send(core: Arc<Core>, senders: Arc<Senders>) {
    while let Some(delivery) = next(&core, &senders).await {
        if let Err(error) = deliver(&core, &senders.owner, delivery).await {
            tracing::warn!(%error, "what became of a message could not be written down: it may be sent again");
        }
    }
}

async fn next(core: &Core, senders: &Senders) -> Option<Delivery> {
    let stopping = &core.commands.stopping;
    let _looking = tokio::select! {
        () = stopping.cancelled() => return None,
        looking = senders.looking.lock() => looking,
    };
    loop {
        if stopping.is_cancelled() {
            return None;
        }
        match claim(core, &senders.owner).await {
            Ok(Some(delivery)) => return Some(delivery),
            Ok(None) => {}
            Err(error) => tracing::warn!(%error, "looking for messages to be sent failed"),
        }
        tokio::select! {
            () = stopping.cancelled() => return None,
            () = tokio::time::sleep(core.config.runs.poll_interval) => {}
        }
    }
}

async fn claim(core: &Core, owner: &str) -> Result<Option<Delivery>, StoreError> {
    let at = core.commands.clock.now();
    if !deliveries::is_due(&core.commands.db, at).await? {
        return Ok(None);
    }
    let mut tx = core.commands.db.write().await?;
    let claimed = deliveries::claim(&mut tx, owner, LEASE, at).await?;
    tx.commit().await?;
    Ok(claimed)
}

async fn deliver(core: &Core, owner: &str, delivery: Delivery) -> Result<(), StoreError> {
    let commands = &core.commands;
    let (db, now) = (&commands.db, commands.clock.now());
    let (tenant, endpoint) = (delivery.tenant_id, delivery.endpoint_id);
    let open = endpoints::open(db, &commands.vault, tenant, endpoint, now).await;
    let Some(tenant) = tenants::get(db, tenant).await? else { return Ok(()) };
    let outgoing = &core.config.outgoing;
    let public_url = outgoing.public_url.as_ref();
    let mut these = vec![delivery];
    let ended = match open {
        Ok(None) => return Ok(()),
        Ok(Some(open)) if open.endpoint.kind == EndpointKind::Mail => match &outgoing.mail {
            Some(config) => {
                if open.endpoint.digest && these[0].event != EventKind::Test {
                    these.extend(rest_of_digest(core, owner, &these[0]).await?);
                }
                let span = traced(open.endpoint.kind);
                let sending = mail::send(config, &outgoing.authorities, &open, &these, &tenant, public_url);
                note(&span, sending.instrument(span.clone()).await, these.len())
            }
            None => Ended::failed(None, "The settings of the server name no mail server any more (smtp_host)."),
        },
        Ok(Some(open)) => {
            let span = traced(open.endpoint.kind);
            let sending = sending::send(&core.connector, &open, &these[0], &tenant, public_url, now);
            note(&span, sending.instrument(span.clone()).await, 1)
        }
        Err(StoreError::Sealed) => {
            Ended::failed(None, "The address was sealed with another key: remove the endpoint and add it again.")
        }
        Err(error) => return Err(error),
    };
    settling::settle(core, owner, &these, &ended).await
}

/// The span of an attempt at an endpoint: of its kind alone, since its address may hold a right.
fn traced(kind: EndpointKind) -> Span {
    info_span!(
        target: TARGET,
        parent: None,
        "delivery",
        otel.name = %format_args!("deliver {kind}"),
        otel.kind = "client",
        otel.status_code = Empty,
        http.response.status_code = Empty,
        tenantatlas.delivery.kind = kind.as_str(),
        tenantatlas.delivery.messages = Empty,
        tenantatlas.delivery.outcome = Empty,
    )
}

/// Notes on it how the attempt ended.
fn note(span: &Span, ended: Ended, messages: usize) -> Ended {
    span.record("tenantatlas.delivery.messages", i64::try_from(messages).unwrap_or(i64::MAX));
    span.record("tenantatlas.delivery.outcome", ended.outcome());
    if let Some(status) = ended.status() {
        span.record("http.response.status_code", i64::from(status));
    }
    if !matches!(ended, Ended::Delivered(_)) {
        span.record("otel.status_code", "error");
    }
    ended
}

/// What goes into the same digest as this message.
async fn rest_of_digest(core: &Core, owner: &str, first: &Delivery) -> Result<Vec<Delivery>, StoreError> {
    let mut tx = core.commands.db.write().await?;
    let rest = deliveries::claim_digest(&mut tx, owner, LEASE, first, core.commands.clock.now()).await?;
    tx.commit().await?;
    Ok(rest)
}
