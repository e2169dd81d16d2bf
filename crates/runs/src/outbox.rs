//! What the processes on one database tell each other, and what of it waits to be sent.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use tenantatlas_domain::ids::{OperationRunId, TenantId, UserId};
use tokio::sync::Notify;

/// Messages waiting to be sent at most; beyond that "look at everything" says the same.
const MAX_WAITING: usize = 1_000;

/// What processes tell each other: ids only, the receiver looks for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Message {
    /// There is work.
    Queue,
    /// Somebody wants a run cancelled.
    Cancel(OperationRunId),
    /// A run changed, of this person.
    Run(TenantId, OperationRunId, Option<UserId>),
    /// What a person has not read changed.
    Unread(UserId),
}

impl Message {
    pub(crate) fn text(self) -> String {
        match self {
            Self::Queue => "queue".to_owned(),
            Self::Cancel(run) => format!("cancel {run}"),
            Self::Run(tenant, run, None) => format!("run {tenant} {run}"),
            Self::Run(tenant, run, Some(user)) => format!("run {tenant} {run} {user}"),
            Self::Unread(user) => format!("unread {user}"),
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(' ');
        match (parts.next()?, parts.next(), parts.next(), parts.next()) {
            ("queue", None, None, None) => Some(Self::Queue),
            ("cancel", Some(run), None, None) => Some(Self::Cancel(run.parse().ok()?)),
            ("run", Some(tenant), Some(run), None) => Some(Self::Run(tenant.parse().ok()?, run.parse().ok()?, None)),
            ("run", Some(tenant), Some(run), Some(user)) => {
                Some(Self::Run(tenant.parse().ok()?, run.parse().ok()?, Some(user.parse().ok()?)))
            }
            ("unread", Some(user), None, None) => Some(Self::Unread(user.parse().ok()?)),
            _ => None,
        }
    }
}

/// Messages waiting to be sent, each once.
#[derive(Default)]
pub(crate) struct Outbox {
    waiting: Mutex<BTreeSet<Message>>,
    filled: Notify,
}

impl Outbox {
    pub(crate) fn put(&self, message: Message) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() < MAX_WAITING {
            waiting.insert(message);
        }
        drop(waiting);
        self.filled.notify_one();
    }

    pub(crate) fn take(&self) -> BTreeSet<Message> {
        std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Waits until something was put in.
    pub(crate) async fn filled(&self) {
        self.filled.notified().await;
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_message_reads_back_from_its_text() {
        let id = Uuid::from_u128(7);
        for message in [
            Message::Queue,
            Message::Cancel(OperationRunId::from_uuid(id)),
            Message::Run(TenantId::from_uuid(id), OperationRunId::from_uuid(id), None),
            Message::Run(TenantId::from_uuid(id), OperationRunId::from_uuid(id), Some(UserId::from_uuid(id))),
            Message::Unread(UserId::from_uuid(id)),
        ] {
            assert_eq!(Message::parse(&message.text()), Some(message));
        }
        assert_eq!(Message::parse("run x"), None);
    }
}
