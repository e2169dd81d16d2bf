//! Live events between processes on the same database: ids only, coalesced; the receiver looks for itself.
//!
//! On PostgreSQL by LISTEN/NOTIFY. A SQLite file may have a second process too (the command line beside the server):
//! there the runs that open pages look at are simply looked up again every second.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tenantatlas_domain::ids::{OperationRunId, TenantId, UserId};
use tenantatlas_store::{Listener, Signal, StoreError, operation_runs};

use crate::bus::Topic;
use crate::core::Core;
use crate::outbox::Message;

/// Least time between two rounds of signals, so that counters of busy runs become a few signals per second.
const PAUSE: Duration = Duration::from_millis(120);
/// How often open pages are brought up to date where nobody signals.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// How long is waited after signals could not be sent.
const SEND_AGAIN: Duration = Duration::from_secs(1);

/// Sends what waits, until the process stops.
pub(crate) async fn send(core: Arc<Core>) {
    let alone = core.commands.db.backend() == tenantatlas_store::Backend::Sqlite;
    loop {
        let stopping = tokio::select! {
            () = core.commands.stopping.cancelled() => true,
            () = core.live.outbox.filled() => false,
        };
        let core = &core;
        let sent = core.live.outbox.send(|message| async move {
            match alone {
                true => Ok(()),
                false => core.commands.db.notify(&format!("{} {}", core.owner, message.text())).await,
            }
        });
        let pause = match sent.await {
            Ok(()) => PAUSE,
            Err(error) => {
                tracing::warn!(%error, "other processes could not be told what changed; it is tried again");
                SEND_AGAIN
            }
        };
        if stopping {
            return;
        }
        tokio::time::sleep(pause).await;
    }
}

/// Listens to the other processes, until this one stops.
pub(crate) async fn listen(core: Arc<Core>) {
    loop {
        let heard = tokio::select! {
            () = core.commands.stopping.cancelled() => return,
            heard = listen_once(&core) => heard,
        };
        if let Err(error) = heard {
            tracing::warn!(%error, "the connection to the other processes was lost");
        }
        tokio::select! {
            () = core.commands.stopping.cancelled() => return,
            () = tokio::time::sleep(LOOK_AGAIN) => {}
        }
    }
}

async fn listen_once(core: &Core) -> Result<(), StoreError> {
    let Some(mut listener) = Listener::connect(&core.commands.db).await? else {
        // SQLite: called again after a pause.
        return look_again(core).await;
    };
    look_at_everything(core).await?;
    loop {
        match listener.next().await? {
            Signal::Resync => look_at_everything(core).await?,
            Signal::Payload(payload) => {
                let Some((owner, text)) = payload.split_once(' ') else { continue };
                if owner == core.owner {
                    continue;
                }
                match Message::parse(text) {
                    Some(Message::Queue) => core.wake.notify_one(),
                    Some(Message::Cancel(run)) => core.working.cancel(run),
                    Some(Message::Run(tenant, run, user)) => tell_run(core, tenant, run, user).await?,
                    Some(Message::Everything) => look_at_everything(core).await?,
                    Some(Message::Unread(user)) => core.live.publish_unread_here(&core.commands.db, user).await,
                    None => {}
                }
            }
        }
    }
}

/// Looks up a run that changed elsewhere, if anybody here is to be told of it.
async fn tell_run(core: &Core, tenant: TenantId, run: OperationRunId, user: Option<UserId>) -> Result<(), StoreError> {
    if core.live.events.is_run_watched(tenant, user)
        && let Some(run) = operation_runs::get(&core.commands.db, tenant, run).await?
    {
        core.live.events.publish_run_of(&core.state_of(&run), Some(run.updated_at));
    }
    Ok(())
}

/// Does what any message could ask for: looks for work, stops what was cancelled, and brings every open page up to date.
async fn look_at_everything(core: &Core) -> Result<(), StoreError> {
    core.wake.notify_one();
    for run in operation_runs::cancelled_of(&core.commands.db, &core.owner).await? {
        core.working.cancel(run);
    }
    look_again(core).await
}

/// Brings every open page up to date: the active runs, and those that were active when last heard of.
async fn look_again(core: &Core) -> Result<(), StoreError> {
    let topics = core.live.events.topics();
    // One question for all who look beyond one tenant: pages of that kind are many, active runs are few.
    if topics.iter().any(|topic| !matches!(topic, Topic::Tenant(_))) {
        look_again_at_runs(core, None, &topics).await?;
    }
    for topic in topics {
        match topic {
            Topic::Tenant(tenant) => look_again_at_runs(core, Some(tenant), &[topic]).await?,
            // On SQLite the count is told with the end of a run; counting for every open page once a second costs too much.
            Topic::User(user) if core.commands.db.backend() == tenantatlas_store::Backend::Postgres => {
                core.live.publish_unread_here(&core.commands.db, user).await;
            }
            Topic::User(_) | Topic::AllRuns => {}
        }
    }
    Ok(())
}

/// Tells the readers of these topics of the runs that others work on, in one tenant or in all: those that are active, and
/// those that were when last heard of.
async fn look_again_at_runs(core: &Core, tenant: Option<TenantId>, topics: &[Topic]) -> Result<(), StoreError> {
    let db = &core.commands.db;
    let active = operation_runs::active(db, tenant, None).await?;
    let elsewhere = |id: &OperationRunId| !core.working.contains(*id);
    for run in active.iter().filter(|run| elsewhere(&run.id)) {
        core.live.events.publish_run(&core.state_of(run));
    }
    let active: BTreeSet<OperationRunId> = active.iter().map(|run| run.id).collect();
    let told: BTreeSet<(TenantId, OperationRunId)> =
        topics.iter().flat_map(|topic| core.live.events.active_runs(*topic)).collect();
    for (tenant, id) in told.into_iter().filter(|(_, id)| !active.contains(id) && elsewhere(id)) {
        if let Some(run) = operation_runs::get(db, tenant, id).await? {
            core.live.events.publish_run_of(&core.state_of(&run), Some(run.updated_at));
            core.publish_unread_of([&run]).await;
        }
    }
    Ok(())
}
