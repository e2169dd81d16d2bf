//! Telling what changed: to the readers of this process, and to the other processes on the same database.

use tenantatlas_domain::ids::UserId;
use tenantatlas_domain::live::RunState;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_store::{Db, notifications};

use crate::bus::{Events, Topic};
use crate::outbox::{Message, Outbox};

/// The live events of this process, and what others are to be told.
#[derive(Default)]
pub(crate) struct Live {
    pub events: Events,
    pub outbox: Outbox,
}

impl Live {
    /// Tells readers here and in other processes the newest state of a run, and when it was committed.
    pub(crate) fn publish_run(&self, state: &RunState, committed: Option<Timestamp>) {
        self.events.publish_run_of(state, committed);
        self.outbox.put(Message::Run(state.tenant_id, state.id, state.user_id));
    }

    /// Tells a person's readers here and in other processes how much is unread.
    pub(crate) async fn publish_unread(&self, db: &Db, user: UserId) {
        self.publish_unread_here(db, user).await;
        self.outbox.put(Message::Unread(user));
    }

    /// The same for the readers of this process alone.
    pub(crate) async fn publish_unread_here(&self, db: &Db, user: UserId) {
        if !self.events.is_watched(Topic::User(user)) {
            return;
        }
        match notifications::unread_count(db, user, None).await {
            Ok(count) => self.events.publish_unread(user, count),
            Err(error) => tracing::warn!(%error, "unread notifications could not be counted"),
        }
    }
}
