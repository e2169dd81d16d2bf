//! Live events between processes on the same database: ids only, coalesced; the receiver looks for itself.
//!
//! On PostgreSQL by LISTEN/NOTIFY. A SQLite file may have a second process too (the command line beside the server):
//! there the runs that open pages look at are simply looked up again every second.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tenantatlas_domain::ids::{OperationRunId, TenantId, UserId};
use tenantatlas_store::{Listener, Signal, StoreError, notifications, operation_runs};
use tokio::sync::Notify;

use crate::engine::Core;
use crate::events::Topic;
use crate::run_state::RunState;

/// Least time between two rounds of signals, so that counters of busy runs become a few signals per second.
const PAUSE: Duration = Duration::from_millis(120);
/// How often open pages are brought up to date where nobody signals.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// Words waiting to be sent at most; beyond that "look at everything" says the same.
const MAX_WAITING: usize = 1_000;

/// What processes tell each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Word {
    /// There is work.
    Queue,
    /// Somebody wants a run cancelled.
    Cancel(OperationRunId),
    /// A run changed.
    Run(TenantId, OperationRunId),
    /// What a person has not read changed.
    Unread(UserId),
}

impl Word {
    fn text(self) -> String {
        match self {
            Self::Queue => "queue".to_owned(),
            Self::Cancel(run) => format!("cancel {run}"),
            Self::Run(tenant, run) => format!("run {tenant} {run}"),
            Self::Unread(user) => format!("unread {user}"),
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(' ');
        match (parts.next()?, parts.next(), parts.next()) {
            ("queue", None, None) => Some(Self::Queue),
            ("cancel", Some(run), None) => Some(Self::Cancel(run.parse().ok()?)),
            ("run", Some(tenant), Some(run)) => Some(Self::Run(tenant.parse().ok()?, run.parse().ok()?)),
            ("unread", Some(user), None) => Some(Self::Unread(user.parse().ok()?)),
            _ => None,
        }
    }
}

/// Words waiting to be sent, each once.
#[derive(Default)]
pub(crate) struct Outbox {
    waiting: Mutex<BTreeSet<Word>>,
    filled: Notify,
}

impl Outbox {
    pub(crate) fn put(&self, word: Word) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() < MAX_WAITING {
            waiting.insert(word);
        }
        drop(waiting);
        self.filled.notify_one();
    }

    fn take(&self) -> BTreeSet<Word> {
        std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Sends what waits, until the process stops.
pub(crate) async fn send(core: Arc<Core>) {
    let alone = core.db.backend() == tenantatlas_store::Backend::Sqlite;
    loop {
        let stopping = tokio::select! {
            () = core.stopping.cancelled() => true,
            () = core.outbox.filled.notified() => false,
        };
        for word in core.outbox.take() {
            if !alone && let Err(error) = core.db.notify(&format!("{} {}", core.owner, word.text())).await {
                tracing::debug!(%error, "other processes could not be told");
            }
        }
        if stopping {
            return;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Listens to the other processes, until this one stops.
pub(crate) async fn listen(core: Arc<Core>) {
    loop {
        let heard = tokio::select! {
            () = core.stopping.cancelled() => return,
            heard = listen_once(&core) => heard,
        };
        if let Err(error) = heard {
            tracing::warn!(%error, "the connection to the other processes was lost");
        }
        tokio::select! {
            () = core.stopping.cancelled() => return,
            () = tokio::time::sleep(LOOK_AGAIN) => {}
        }
    }
}

async fn listen_once(core: &Core) -> Result<(), StoreError> {
    let Some(mut listener) = Listener::connect(&core.db).await? else {
        // SQLite: called again after a pause.
        return look_again(core).await;
    };
    look_again(core).await?;
    loop {
        match listener.next().await? {
            Signal::Resync => look_again(core).await?,
            Signal::Payload(payload) => {
                let Some((owner, text)) = payload.split_once(' ') else { continue };
                if owner == core.owner {
                    continue;
                }
                match Word::parse(text) {
                    Some(Word::Queue) => core.wake.notify_one(),
                    Some(Word::Cancel(run)) => core.cancel_here(run),
                    Some(Word::Run(tenant, run)) => tell_run(core, tenant, run).await?,
                    Some(Word::Unread(user)) => tell_unread(core, user).await,
                    None => {}
                }
            }
        }
    }
}

/// Looks up a run that changed elsewhere, if anybody here watches its tenant.
async fn tell_run(core: &Core, tenant: TenantId, run: OperationRunId) -> Result<(), StoreError> {
    if core.events.topics().iter().any(|topic| topic.tenant() == tenant)
        && let Some(run) = operation_runs::get(&core.db, tenant, run).await?
    {
        core.events.publish_run(&RunState::of(&run));
    }
    Ok(())
}

/// Tells a person's readers here how much is unread.
pub(crate) async fn tell_unread(core: &Core, user: UserId) {
    if core.events.topics_of(user).is_empty() {
        return;
    }
    match notifications::unread_count(&core.db, user, None).await {
        Ok(count) => core.events.publish_unread(user, count),
        Err(error) => tracing::warn!(%error, "unread notifications could not be counted"),
    }
}

/// Brings every open page up to date: the active runs, and those that were active when last heard of.
async fn look_again(core: &Core) -> Result<(), StoreError> {
    let topics = core.events.topics();
    let tenants: BTreeSet<TenantId> = topics.iter().map(|topic| topic.tenant()).collect();
    let here: BTreeSet<OperationRunId> =
        core.working.lock().unwrap_or_else(PoisonError::into_inner).keys().copied().collect();
    for tenant in tenants {
        let active = operation_runs::active(&core.db, Some(tenant), None).await?;
        let told: BTreeSet<OperationRunId> = topics
            .iter()
            .filter(|topic| topic.tenant() == tenant)
            .flat_map(|topic| core.events.active_runs(*topic))
            .collect();
        for run in active.iter().filter(|run| !here.contains(&run.id)) {
            core.events.publish_run(&RunState::of(run));
        }
        for id in told.into_iter().filter(|id| !active.iter().any(|run| run.id == *id) && !here.contains(id)) {
            if let Some(run) = operation_runs::get(&core.db, tenant, id).await? {
                core.events.publish_run(&RunState::of(&run));
                core.publish_unread_of(&run).await;
            }
        }
    }
    let people: BTreeSet<UserId> = topics
        .iter()
        .filter_map(|topic| match topic {
            Topic::Person(_, user) => Some(*user),
            Topic::Tenant(_) => None,
        })
        .collect();
    if core.db.backend() == tenantatlas_store::Backend::Postgres {
        for user in people {
            tell_unread(core, user).await;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_word_reads_back_from_its_text() {
        let id = Uuid::from_u128(7);
        for word in [
            Word::Queue,
            Word::Cancel(OperationRunId::from_uuid(id)),
            Word::Run(TenantId::from_uuid(id), OperationRunId::from_uuid(id)),
            Word::Unread(UserId::from_uuid(id)),
        ] {
            assert_eq!(Word::parse(&word.text()), Some(word));
        }
        assert_eq!(Word::parse("run x"), None);
    }
}
