//! Live events: the newest state of each run and the unread count, never a history.
//!
//! A reader first takes a snapshot and then the newest state per key. Each channel keeps one entry per key, so a slow
//! reader costs no memory and skips straight to the newest; an event is encoded once and shared by its readers.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tenantatlas_domain::ids::{OperationRunId, TenantId, UserId};
use tenantatlas_domain::live::{LiveEvent, RunState, Unread};
use tenantatlas_domain::time::Timestamp;
use tokio::sync::watch;

/// How long the last state of an ended run stays readable for readers that were busy when it ended.
const ENDED_RUN_KEPT: Duration = Duration::from_secs(120);
/// Entries one channel keeps at most; the oldest ended run goes first.
const ENTRIES_PER_CHANNEL: usize = 256;

/// One event as it goes to every reader of this process.
#[derive(Debug)]
pub struct Published {
    /// The event.
    pub event: LiveEvent,
    /// When what it tells of was committed, by the clock of the process that wrote it; `None` for what was committed by nobody, and
    /// for what was only looked at again.
    pub committed: Option<Timestamp>,
    encoded: OnceLock<Bytes>,
}

impl Published {
    fn new(event: LiveEvent, committed: Option<Timestamp>) -> Arc<Self> {
        Arc::new(Self { event, committed, encoded: OnceLock::new() })
    }

    /// The event in the form of a wire. It is made by whoever asks first, and shared by all readers: there is one wire.
    pub fn encoded(&self, encode: impl FnOnce(&LiveEvent) -> Bytes) -> Bytes {
        self.encoded.get_or_init(|| encode(&self.event)).clone()
    }

    fn key(&self) -> Key {
        match &self.event {
            LiveEvent::Run(state) => Key::Run(state.id),
            LiveEvent::Snapshot(_) | LiveEvent::Unread(_) | LiveEvent::Heartbeat => Key::Unread,
        }
    }
}

/// Whose events a reader sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Topic {
    /// The runs of a tenant, whoever started them.
    Tenant(TenantId),
    /// What concerns a person in whatever tenant: their runs, and the unread count.
    User(UserId),
    /// The runs of all tenants. Whoever reads it leaves out those of tenants that their person may not see.
    AllRuns,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Key {
    Run(OperationRunId),
    Unread,
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
        let receiver = Some(channel.changed.subscribe());
        let seen = lock(&channel.latest).version;
        Subscription { topic, seen, receiver, channel, channels: Arc::clone(&self.channels) }
    }

    /// Publishes the newest state of a run to the readers of its tenant, of the person who started it, and of all runs.
    pub fn publish_run(&self, state: &RunState) {
        self.publish_run_of(state, None);
    }

    /// The same of a state that was committed then.
    pub fn publish_run_of(&self, state: &RunState, committed: Option<Timestamp>) {
        let topics: Vec<Topic> =
            topics_of(state.tenant_id, state.user_id).filter(|topic| self.is_watched(*topic)).collect();
        if topics.is_empty() {
            return;
        }
        let published = Published::new(LiveEvent::Run(Box::new(state.clone())), committed);
        for topic in topics {
            self.publish(topic, &published);
        }
    }

    /// Whether anybody reads of the runs that this person started in this tenant.
    #[must_use]
    pub fn is_run_watched(&self, tenant: TenantId, user: Option<UserId>) -> bool {
        topics_of(tenant, user).any(|topic| self.is_watched(topic))
    }

    /// Publishes the unread count of a person to their readers.
    pub fn publish_unread(&self, user_id: UserId, count: u64) {
        let topic = Topic::User(user_id);
        if self.is_watched(topic) {
            self.publish(topic, &Published::new(LiveEvent::Unread(Unread { count }), None));
        }
    }

    /// The topics that have readers now.
    #[must_use]
    pub fn topics(&self) -> Vec<Topic> {
        lock(&self.channels).keys().copied().collect()
    }

    /// The runs that readers of a topic were last told to be active, with their tenants.
    #[must_use]
    pub fn active_runs(&self, topic: Topic) -> Vec<(TenantId, OperationRunId)> {
        let Some(channel) = lock(&self.channels).get(&topic).cloned() else { return Vec::new() };
        let latest = lock(&channel.latest);
        let active = latest.entries.iter().filter(|entry| entry.ended.is_none());
        active
            .filter_map(|entry| match &entry.published.event {
                LiveEvent::Run(state) => Some((state.tenant_id, state.id)),
                LiveEvent::Snapshot(_) | LiveEvent::Unread(_) | LiveEvent::Heartbeat => None,
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

/// Those to whom a run of this person in this tenant is told.
fn topics_of(tenant: TenantId, user: Option<UserId>) -> impl Iterator<Item = Topic> {
    [Some(Topic::Tenant(tenant)), user.map(Topic::User), Some(Topic::AllRuns)].into_iter().flatten()
}

impl Latest {
    /// Puts an event in the place of the older one of its key; false when a newer state is there already.
    fn accept(&mut self, published: &Arc<Published>) -> bool {
        let now = Instant::now();
        self.entries.retain(|entry| entry.ended.is_none_or(|at| now.duration_since(at) < ENDED_RUN_KEPT));
        let key = published.key();
        let ended = match &published.event {
            LiveEvent::Run(state) if state.ended() => Some(now),
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
    matches!((next, known), (LiveEvent::Run(next), LiveEvent::Run(known)) if next.is_older_than(known))
}

/// A reader of one topic.
pub struct Subscription {
    topic: Topic,
    seen: u64,
    /// There until it is dropped.
    receiver: Option<watch::Receiver<u64>>,
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
            let changed = match &mut self.receiver {
                Some(receiver) => receiver.changed().await.is_ok(),
                None => false,
            };
            if !changed {
                // The channel outlives its readers, so this is never reached; waiting is the safe answer.
                std::future::pending::<()>().await;
            }
        }
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
        // Under the lock, so that of readers that leave together the last one sees that nobody is left.
        self.receiver = None;
        if self.channel.changed.receiver_count() == 0 {
            channels.remove(&self.topic);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;
    use tenantatlas_domain::live::RunWords;
    use tenantatlas_domain::operation::{Counters, OperationStatus};
    use uuid::Uuid;

    use super::*;

    fn state(run: u128, status: OperationStatus, processed: u32) -> RunState {
        RunState {
            id: OperationRunId::from_uuid(Uuid::from_u128(run)),
            tenant_id: TenantId::from_uuid(Uuid::from_u128(1)),
            tenant_name: String::new(),
            user_id: Some(UserId::from_uuid(Uuid::from_u128(2))),
            resource: "inventory".to_owned(),
            action: "sync".to_owned(),
            status,
            words: RunWords::of("", ("", ""), ("", ""), ("", "")),
            counters: Counters { total: 9, processed, succeeded: processed, failed: 0, skipped: 0 },
            items: 0,
            current: Vec::new(),
            held: true,
            cancelled_by: None,
            attempt: 1,
            reason_code: None,
            news: None,
            follows: false,
            created_at: Timestamp::from_millis(0),
            started_at: None,
            finished_at: None,
        }
    }

    fn tenant() -> TenantId {
        TenantId::from_uuid(Uuid::from_u128(1))
    }

    fn mine() -> Topic {
        Topic::Tenant(tenant())
    }

    fn processed(news: &[Arc<Published>]) -> Vec<u32> {
        news.iter()
            .filter_map(|published| match &published.event {
                LiveEvent::Run(state) => Some(state.counters.processed),
                _ => None,
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
    async fn a_run_of_another_tenant_and_the_unread_count_of_another_person_are_not_told() {
        let events = Events::new();
        let person = |number| UserId::from_uuid(Uuid::from_u128(number));
        let mut elsewhere = events.subscribe(Topic::Tenant(TenantId::from_uuid(Uuid::from_u128(9))));
        let mut somebody_else = events.subscribe(Topic::User(person(3)));
        let mut here = events.subscribe(mine());
        events.publish_run(&state(7, OperationStatus::Running, 1));
        events.publish_unread(person(2), 4);
        assert_eq!(here.next().await.len(), 1);
        assert!(elsewhere.next().now_or_never().is_none(), "nothing is told in another tenant");
        assert!(somebody_else.next().now_or_never().is_none(), "nothing is told to another person");
    }

    #[tokio::test]
    async fn a_run_is_told_to_its_tenant_to_who_started_it_and_to_who_looks_at_all() {
        let events = Events::new();
        let starter = Topic::User(UserId::from_uuid(Uuid::from_u128(2)));
        let mut readers = [mine(), starter, Topic::AllRuns].map(|topic| events.subscribe(topic));
        events.publish_run(&state(7, OperationStatus::Running, 1));
        for reader in &mut readers {
            assert_eq!(processed(&reader.next().await), [1]);
        }
        assert_eq!(events.active_runs(Topic::AllRuns), events.active_runs(starter));
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

    #[tokio::test]
    async fn an_event_is_encoded_once_for_all_its_readers() {
        let events = Events::new();
        let (mut first, mut second) = (events.subscribe(mine()), events.subscribe(mine()));
        events.publish_run(&state(7, OperationStatus::Running, 1));
        let made = first.next().await.remove(0).encoded(|_| Bytes::from_static(b"made"));
        let shared = second.next().await.remove(0).encoded(|_| unreachable!("it was made for the first reader"));
        assert_eq!(made, shared);
    }
}
