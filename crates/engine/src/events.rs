//! Live events: the newest state of each run and the unread count, never a history.
//!
//! A reader first takes a snapshot and then the newest state per key. Each channel keeps one entry per key, so a slow
//! reader costs no memory and skips straight to the newest; an event is serialised once and shared by its readers
//! (architecture, "Live events carry state, not history").

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::Stream;
use serde::Serialize;
use tenantatlas_domain::ids::{OperationRunId, TenantId, UserId};
use tokio::sync::watch;

use crate::run_state::RunState;

/// How long the last state of an ended run stays readable for readers that were busy when it ended.
const ENDED_RUN_KEPT: Duration = Duration::from_secs(120);
/// Entries one channel keeps at most; the oldest ended run goes first.
const ENTRIES_PER_CHANNEL: usize = 256;

/// What a screen is told while it is open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum LiveEvent {
    /// The newest state of one operation run.
    Run(Box<RunState>),
    /// The number of unread notifications of a person, over all tenants.
    Unread {
        /// The person they are for.
        user_id: UserId,
        /// How many are unread.
        count: u64,
    },
}

impl LiveEvent {
    fn key(&self) -> Key {
        match self {
            Self::Run(state) => Key::Run(state.id),
            Self::Unread { user_id, .. } => Key::Unread(*user_id),
        }
    }

    /// The name of the event on the wire (`event:` line of the stream).
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Run(_) => "run",
            Self::Unread { .. } => "unread",
        }
    }
}

/// One event as it goes to every reader: serialised once, cloned by reference count.
#[derive(Debug, Clone)]
pub struct Published {
    /// The event's name on the wire.
    pub name: &'static str,
    /// The event as it goes over the wire of an event stream (HTML standard, section Server-sent events).
    pub frame: Bytes,
    /// The part of the frame that is the event as JSON text, without line breaks.
    pub body: Bytes,
    /// The event itself, for readers in the same process.
    pub event: LiveEvent,
}

impl Published {
    /// Serialises an event for its readers.
    #[must_use]
    pub fn new(event: LiveEvent) -> Arc<Self> {
        let name = event.name();
        let mut frame = format!("event: {name}\ndata: ").into_bytes();
        let start = frame.len();
        if serde_json::to_writer(&mut frame, &event).is_err() {
            // Nothing of an event can fail to serialise; an empty object changes nothing for a reader.
            frame.truncate(start);
            frame.extend_from_slice(b"{}");
        }
        let end = frame.len();
        frame.extend_from_slice(b"\n\n");
        let frame = Bytes::from(frame);
        Arc::new(Self { name, body: frame.slice(start..end), frame, event })
    }
}

/// Whose events a reader sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Topic {
    /// The runs a person started in a tenant, and that person's unread count there.
    Person(TenantId, UserId),
    /// Every run of a tenant, whoever started it.
    Tenant(TenantId),
}

impl Topic {
    /// The tenant the topic belongs to.
    #[must_use]
    pub fn tenant(self) -> TenantId {
        match self {
            Self::Person(tenant, _) | Self::Tenant(tenant) => tenant,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Key {
    Run(OperationRunId),
    Unread(UserId),
}

struct Entry {
    key: Key,
    version: u64,
    published: Arc<Published>,
    ended: Option<Instant>,
}

#[derive(Default)]
struct Latest {
    version: u64,
    entries: Vec<Entry>,
}

struct Channel {
    latest: Mutex<Latest>,
    changed: watch::Sender<u64>,
}

/// The event bus of one process. Cheap to clone.
#[derive(Clone, Default)]
pub struct Events {
    channels: Arc<Mutex<HashMap<Topic, Arc<Channel>>>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Events {
    /// An empty bus.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Opens a reader of one topic. What was published before is not repeated: take the snapshot after subscribing.
    #[must_use]
    pub fn subscribe(&self, topic: Topic) -> Subscription {
        let mut channels = lock(&self.channels);
        let channel = Arc::clone(channels.entry(topic).or_insert_with(|| {
            Arc::new(Channel { latest: Mutex::new(Latest::default()), changed: watch::channel(0).0 })
        }));
        let receiver = channel.changed.subscribe();
        let seen = lock(&channel.latest).version;
        Subscription { topic, seen, receiver, channel, channels: Arc::clone(&self.channels) }
    }

    /// Publishes the newest state of a run to the person who started it and to the tenant's own topic.
    pub fn publish_run(&self, state: &RunState) {
        let topics =
            [state.user_id.map(|user| Topic::Person(state.tenant_id, user)), Some(Topic::Tenant(state.tenant_id))];
        if !topics.iter().flatten().any(|topic| self.is_watched(*topic)) {
            return;
        }
        let published = Published::new(LiveEvent::Run(Box::new(state.clone())));
        for topic in topics.into_iter().flatten() {
            self.publish(topic, &published);
        }
    }

    /// Publishes the unread count of a person, to every tenant in which they have a page open.
    pub fn publish_unread(&self, user_id: UserId, count: u64) {
        let topics = self.topics_of(user_id);
        if topics.is_empty() {
            return;
        }
        let published = Published::new(LiveEvent::Unread { user_id, count });
        for topic in topics {
            self.publish(topic, &published);
        }
    }

    /// The topics of a person that have readers now.
    #[must_use]
    pub fn topics_of(&self, user_id: UserId) -> Vec<Topic> {
        let is_theirs = |topic: &Topic| matches!(topic, Topic::Person(_, user) if *user == user_id);
        lock(&self.channels).keys().copied().filter(is_theirs).collect()
    }

    /// The topics that have readers now.
    #[must_use]
    pub fn topics(&self) -> Vec<Topic> {
        lock(&self.channels).keys().copied().collect()
    }

    /// The runs that readers of a topic were last told to be active.
    #[must_use]
    pub fn active_runs(&self, topic: Topic) -> Vec<OperationRunId> {
        let Some(channel) = lock(&self.channels).get(&topic).cloned() else { return Vec::new() };
        let latest = lock(&channel.latest);
        latest
            .entries
            .iter()
            .filter(|entry| entry.ended.is_none())
            .filter_map(|entry| match entry.key {
                Key::Run(id) => Some(id),
                Key::Unread(_) => None,
            })
            .collect()
    }

    /// Readers open now, over all topics.
    #[must_use]
    pub fn readers(&self) -> usize {
        lock(&self.channels).values().map(|channel| channel.changed.receiver_count()).sum()
    }

    /// Whether anybody reads a topic.
    #[must_use]
    pub fn is_watched(&self, topic: Topic) -> bool {
        lock(&self.channels).contains_key(&topic)
    }

    fn publish(&self, topic: Topic, published: &Arc<Published>) {
        let Some(channel) = lock(&self.channels).get(&topic).cloned() else { return };
        let version = {
            let mut latest = lock(&channel.latest);
            if !latest.accept(published) {
                return;
            }
            latest.version
        };
        channel.changed.send_replace(version);
    }
}

impl Latest {
    /// Puts an event in the place of the older one of its key; false when a newer state is there already.
    fn accept(&mut self, published: &Arc<Published>) -> bool {
        let now = Instant::now();
        self.entries.retain(|entry| entry.ended.is_none_or(|at| now.duration_since(at) < ENDED_RUN_KEPT));
        let key = published.event.key();
        let ended = match &published.event {
            LiveEvent::Run(state) if state.status.is_terminal() => Some(now),
            _ => None,
        };
        let version = self.version + 1;
        let fresh = Entry { key, version, published: Arc::clone(published), ended };
        if let Some(entry) = self.entries.iter_mut().find(|entry| entry.key == key) {
            if is_older(&published.event, &entry.published.event) {
                return false;
            }
            *entry = fresh;
        } else {
            if self.entries.len() >= ENTRIES_PER_CHANNEL {
                let oldest =
                    self.entries.iter().enumerate().min_by_key(|(_, entry)| (entry.ended.is_none(), entry.version));
                if let Some((index, _)) = oldest {
                    self.entries.swap_remove(index);
                }
            }
            self.entries.push(fresh);
        }
        self.version = version;
        true
    }
}

/// Whether `next` is an older state of the same run than `known`.
fn is_older(next: &LiveEvent, known: &LiveEvent) -> bool {
    match (next, known) {
        (LiveEvent::Run(next), LiveEvent::Run(known)) => {
            if known.status.is_terminal() {
                return !next.status.is_terminal();
            }
            (next.attempt, next.counters.processed) < (known.attempt, known.counters.processed)
        }
        _ => false,
    }
}

/// A reader of one topic.
pub struct Subscription {
    topic: Topic,
    seen: u64,
    receiver: watch::Receiver<u64>,
    channel: Arc<Channel>,
    channels: Arc<Mutex<HashMap<Topic, Arc<Channel>>>>,
}

impl Subscription {
    /// Waits for news and returns the newest state of every key that changed since the last call, oldest change first.
    /// Cancel-safe.
    pub async fn next(&mut self) -> Vec<Arc<Published>> {
        loop {
            let news = self.take();
            if !news.is_empty() {
                return news;
            }
            if self.receiver.changed().await.is_err() {
                // The channel outlives its readers, so this is never reached; waiting is the safe answer.
                std::future::pending::<()>().await;
            }
        }
    }

    /// The events as a stream, one at a time.
    pub fn into_stream(self) -> impl Stream<Item = Arc<Published>> + Send {
        futures::stream::unfold((self, Vec::<Arc<Published>>::new()), |(mut subscription, mut ready)| async move {
            if ready.is_empty() {
                ready = subscription.next().await;
                ready.reverse();
            }
            let event = ready.pop()?;
            Some((event, (subscription, ready)))
        })
    }

    fn take(&mut self) -> Vec<Arc<Published>> {
        let latest = lock(&self.channel.latest);
        let mut news: Vec<(u64, Arc<Published>)> = latest
            .entries
            .iter()
            .filter(|entry| entry.version > self.seen)
            .map(|entry| (entry.version, Arc::clone(&entry.published)))
            .collect();
        self.seen = latest.version;
        drop(latest);
        news.sort_by_key(|(version, _)| *version);
        news.into_iter().map(|(_, published)| published).collect()
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let mut channels = lock(&self.channels);
        // This reader is still counted.
        if self.channel.changed.receiver_count() <= 1 {
            channels.remove(&self.topic);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;
    use tenantatlas_domain::operation::{Counters, OperationStatus};
    use tenantatlas_domain::time::Timestamp;
    use uuid::Uuid;

    use super::*;

    fn state(run: u128, status: OperationStatus, processed: u32) -> RunState {
        RunState {
            id: OperationRunId::from_uuid(Uuid::from_u128(run)),
            tenant_id: TenantId::from_uuid(Uuid::from_u128(1)),
            user_id: Some(UserId::from_uuid(Uuid::from_u128(2))),
            resource: "inventory".to_owned(),
            action: "sync".to_owned(),
            status,
            bucket: status.bucket(),
            counters: Counters { total: 9, processed, succeeded: processed, failed: 0, skipped: 0 },
            items: 0,
            current: Vec::new(),
            cancel_requested: false,
            attempt: 1,
            reason_code: None,
            created_at: Timestamp::from_millis(0),
            started_at: None,
            finished_at: None,
        }
    }

    fn mine() -> Topic {
        Topic::Person(TenantId::from_uuid(Uuid::from_u128(1)), UserId::from_uuid(Uuid::from_u128(2)))
    }

    fn processed(news: &[Arc<Published>]) -> Vec<u32> {
        news.iter()
            .filter_map(|published| match &published.event {
                LiveEvent::Run(state) => Some(state.counters.processed),
                LiveEvent::Unread { .. } => None,
            })
            .collect()
    }

    #[tokio::test]
    async fn a_slow_reader_gets_the_newest_state_and_no_backlog() {
        let events = Events::new();
        let mut reader = events.subscribe(mine());
        for count in 0..=9 {
            events.publish_run(&state(7, OperationStatus::Running, count));
        }
        events.publish_run(&state(8, OperationStatus::Running, 1));
        assert_eq!(processed(&reader.next().await), [9, 1]);
    }

    #[tokio::test]
    async fn an_older_state_does_not_replace_a_newer_one() {
        let events = Events::new();
        let mut reader = events.subscribe(mine());
        events.publish_run(&state(7, OperationStatus::Running, 5));
        events.publish_run(&state(7, OperationStatus::Running, 3));
        assert_eq!(processed(&reader.next().await), [5]);
        events.publish_run(&state(7, OperationStatus::Completed, 9));
        events.publish_run(&state(7, OperationStatus::Running, 8));
        assert_eq!(processed(&reader.next().await), [9]);
        assert!(events.active_runs(mine()).is_empty());
    }

    #[tokio::test]
    async fn the_run_of_somebody_else_is_not_told() {
        let events = Events::new();
        let other = Topic::Person(mine().tenant(), UserId::from_uuid(Uuid::from_u128(3)));
        let mut stranger = events.subscribe(other);
        let mut hub = events.subscribe(Topic::Tenant(mine().tenant()));
        events.publish_run(&state(7, OperationStatus::Running, 1));
        assert_eq!(hub.next().await.len(), 1);
        assert!(stranger.next().now_or_never().is_none(), "nothing is told to a stranger");
    }

    #[test]
    fn a_topic_without_readers_costs_nothing() {
        let events = Events::new();
        let (first, second) = (events.subscribe(mine()), events.subscribe(mine()));
        assert_eq!(events.readers(), 2);
        drop(first);
        assert!(events.is_watched(mine()));
        drop(second);
        assert!(events.topics().is_empty());
    }

    #[test]
    fn the_wire_format_names_its_type() {
        let unread = Published::new(LiveEvent::Unread { user_id: UserId::from_uuid(Uuid::from_u128(2)), count: 3 });
        assert_eq!(
            unread.body.as_ref(),
            br#"{"type":"unread","user_id":"00000000-0000-0000-0000-000000000002","count":3}"#
        );
        let run = Published::new(LiveEvent::Run(Box::new(state(7, OperationStatus::Running, 1))));
        let body: serde_json::Value = serde_json::from_slice(&run.body).unwrap();
        assert_eq!((body["type"].as_str(), body["status"].as_str()), (Some("run"), Some("running")));
        assert_eq!(body["counters"]["processed"], 1);
    }
}
