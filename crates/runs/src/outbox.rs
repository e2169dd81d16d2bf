//! What the processes on one database tell each other, and what of it waits to be sent.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use tenantatlas_domain::ids::{OperationRunId, TenantId, UserId};
use tokio::sync::Notify;

/// Messages waiting to be sent at most; beyond that [`Message::Everything`] takes the place of all of them.
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
    /// All of the above may have happened: more changed than could be told.
    Everything,
}

impl Message {
    pub(crate) fn text(self) -> String {
        match self {
            Self::Queue => "queue".to_owned(),
            Self::Cancel(run) => format!("cancel {run}"),
            Self::Run(tenant, run, None) => format!("run {tenant} {run}"),
            Self::Run(tenant, run, Some(user)) => format!("run {tenant} {run} {user}"),
            Self::Unread(user) => format!("unread {user}"),
            Self::Everything => "everything".to_owned(),
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(' ');
        match (parts.next()?, parts.next(), parts.next(), parts.next()) {
            ("queue", None, None, None) => Some(Self::Queue),
            ("everything", None, None, None) => Some(Self::Everything),
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
    /// Adds a message. None is lost: where too many wait, one that says that everything may have changed replaces them.
    pub(crate) fn put(&self, message: Message) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if !waiting.contains(&Message::Everything) {
            waiting.insert(message);
            if message == Message::Everything || waiting.len() > MAX_WAITING {
                *waiting = BTreeSet::from([Message::Everything]);
            }
        }
        drop(waiting);
        self.filled.notify_one();
    }

    /// Hands everything that waits to `send`, one message after the other. When it fails, the message and those after it
    /// wait again, for the next call.
    ///
    /// # Errors
    /// That of `send`.
    pub(crate) async fn send<E, F: Future<Output = Result<(), E>>>(
        &self,
        send: impl Fn(Message) -> F,
    ) -> Result<(), E> {
        let waiting = std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner));
        let mut unsent = waiting.into_iter();
        while let Some(message) = unsent.next() {
            if let Err(error) = send(message).await {
                self.put(message);
                unsent.for_each(|message| self.put(message));
                return Err(error);
            }
        }
        Ok(())
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
            Message::Everything,
        ] {
            assert_eq!(Message::parse(&message.text()), Some(message));
        }
        assert_eq!(Message::parse("run x"), None);
    }

    /// What an outbox sends before `send` fails for the message number `fails_at`.
    async fn sent(outbox: &Outbox, fails_at: usize) -> Vec<Message> {
        let sent = Mutex::new(Vec::new());
        let send = async |message| {
            let mut sent = sent.lock().unwrap();
            if sent.len() == fails_at {
                return Err(());
            }
            sent.push(message);
            Ok(())
        };
        let _ = outbox.send(send).await;
        sent.into_inner().unwrap()
    }

    fn unread(number: usize) -> Message {
        Message::Unread(UserId::from_uuid(Uuid::from_u128(number as u128)))
    }

    #[tokio::test]
    async fn an_outbox_that_is_full_says_that_everything_may_have_changed() {
        let outbox = Outbox::default();
        (0..MAX_WAITING).for_each(|number| outbox.put(unread(number)));
        outbox.put(unread(0));
        assert_eq!(sent(&outbox, usize::MAX).await.len(), MAX_WAITING);
        (0..=MAX_WAITING).for_each(|number| outbox.put(unread(number)));
        outbox.put(Message::Queue);
        assert_eq!(sent(&outbox, usize::MAX).await, [Message::Everything]);
        outbox.put(Message::Queue);
        assert_eq!(sent(&outbox, usize::MAX).await, [Message::Queue]);
    }

    #[tokio::test]
    async fn what_could_not_be_sent_is_sent_the_next_time() {
        let outbox = Outbox::default();
        (0..5).for_each(|number| outbox.put(unread(number)));
        assert_eq!(sent(&outbox, 2).await, [unread(0), unread(1)]);
        outbox.filled().await;
        assert_eq!(sent(&outbox, usize::MAX).await, [unread(2), unread(3), unread(4)]);
    }
}
