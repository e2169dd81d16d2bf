//! The live state of operation runs: what the runner fills, the server frames and the browser reads. One set of types, so
//! that no side can rename a field alone.
//!
//! An event carries state, not history: whoever missed one is right again with the next, and a connection begins with a
//! [`Snapshot`].

use serde::{Deserialize, Serialize};

use crate::ids::{OperationRunId, TenantId, UserId};
use crate::news::News;
use crate::operation::{Counters, OperationStatus};
use crate::reason::ReasonCode;
use crate::time::Timestamp;

/// The words in which people are told of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunWords {
    /// The operation: `Inventory sync`.
    pub operation: String,
    /// What this run is called: `Everything`, `Retry of 43 types`. The operation where its runs have no names of their own.
    pub name: String,
    /// What its counters count, in the singular and the plural: `type`, `types`.
    pub units: (String, String),
    /// What whoever started it does with it, as in "Olivia is reading Everything".
    pub doing: String,
    /// What was done with those that succeeded, as in "28 of 90 types read".
    pub done: String,
    /// What it comes across within them, in the singular and the plural: `item`, `items`.
    pub things: (String, String),
}

impl RunWords {
    /// The words for an operation; its runs are called by it until they are given a name.
    #[must_use]
    pub fn of(operation: &str, units: (&str, &str), (doing, done): (&str, &str), things: (&str, &str)) -> Self {
        let pair = |(one, many): (&str, &str)| (one.to_owned(), many.to_owned());
        Self {
            operation: operation.to_owned(),
            name: operation.to_owned(),
            units: pair(units),
            doing: doing.to_owned(),
            done: done.to_owned(),
            things: pair(things),
        }
    }

    /// The same for a run with this name.
    #[must_use]
    pub fn named(self, name: String) -> Self {
        Self { name, ..self }
    }
}

/// Who asked to cancel a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CancelledBy {
    /// Their name then.
    pub name: String,
    /// The person; `None` where it was nobody who signs in.
    pub user_id: Option<UserId>,
}

/// One unit of a run that is being worked on now (for an inventory sync: one policy type).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CurrentItem {
    /// The unit's stable id (the policy type key).
    pub key: String,
    /// Its name for people.
    pub label: String,
    /// Things seen in it so far.
    pub items: u64,
}

/// How far a run is within its units, as stored with it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Progress {
    /// Things seen so far.
    pub items: u64,
    /// What is being worked on now; at most a handful.
    pub current: Vec<CurrentItem>,
}

/// The newest state of one operation run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunState {
    /// The run.
    pub id: OperationRunId,
    /// The tenant it belongs to.
    pub tenant_id: TenantId,
    /// The name of the tenant when it was dispatched.
    pub tenant_name: String,
    /// Who started it; `None` for the system and the command line.
    pub user_id: Option<UserId>,
    /// What it works on, `inventory`.
    pub resource: String,
    /// What it does, `sync`.
    pub action: String,
    /// The words for it.
    pub words: RunWords,
    /// The stored status.
    pub status: OperationStatus,
    /// The counters over its units.
    pub counters: Counters,
    /// Things seen so far within its units.
    pub items: u64,
    /// What is being worked on now; empty once it has ended.
    pub current: Vec<CurrentItem>,
    /// Whether a worker holds it. A run that is running without one waits for another worker.
    pub held: bool,
    /// Who asked to cancel it, once somebody did.
    pub cancelled_by: Option<CancelledBy>,
    /// The attempt that works on it, from 1; 0 before the first.
    pub attempt: u32,
    /// Why it ended as it did, when that is one reason.
    pub reason_code: Option<ReasonCode>,
    /// What it found that was not known before, once it came to its own end and where its operation tells that.
    pub news: Option<News>,
    /// Whether it was started by the good end of another run rather than by somebody.
    pub follows: bool,
    /// When it was dispatched.
    pub created_at: Timestamp,
    /// When work began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
}

impl RunState {
    /// Whether it has ended.
    #[must_use]
    pub const fn ended(&self) -> bool {
        self.status.is_terminal()
    }

    /// Whether this is an older state of the same run than `known`: nothing ends and goes on again, and no counter of an
    /// attempt goes back.
    #[must_use]
    pub fn is_older_than(&self, known: &Self) -> bool {
        if known.ended() {
            return !self.ended();
        }
        (self.attempt, self.counters.processed) < (known.attempt, known.counters.processed)
    }
}

/// What a connection gets first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The active runs of the tenant, oldest first.
    pub runs: Vec<RunState>,
    /// The person's unread notifications, over all tenants.
    pub unread: u64,
    /// The clock of the server.
    pub now: Timestamp,
}

impl Snapshot {
    /// Changes when a run begins, ends or moves on: a page that was made with the same one is as new as this. FNV-1a of 64
    /// bits, in hexadecimal digits.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        let mut add = |bytes: &[u8]| {
            for byte in bytes {
                hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
            }
        };
        for run in &self.runs {
            add(run.id.as_uuid().as_bytes());
            add(run.status.as_str().as_bytes());
            add(&run.attempt.to_le_bytes());
            add(&run.counters.processed.to_le_bytes());
            add(&[u8::from(run.cancelled_by.is_some())]);
        }
        format!("{hash:016x}")
    }
}

/// The number of unread notifications of a person, over all tenants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unread {
    /// How many.
    pub count: u64,
}

/// What a screen is told while it is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LiveEvent {
    /// The state with which a connection begins.
    Snapshot(Snapshot),
    /// The newest state of one operation run.
    Run(Box<RunState>),
    /// The newest unread count of the person.
    Unread(Unread),
    /// Nothing happened; the connection lives.
    Heartbeat,
}

/// The name of an event on the wire, the `event:` line of Server-Sent Events. One for each variant of [`LiveEvent`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventName {
    /// [`LiveEvent::Snapshot`]
    Snapshot,
    /// [`LiveEvent::Run`]
    Run,
    /// [`LiveEvent::Unread`]
    Unread,
    /// [`LiveEvent::Heartbeat`]
    Heartbeat,
}

impl EventName {
    /// Every name.
    pub const ALL: [Self; 4] = [Self::Snapshot, Self::Run, Self::Unread, Self::Heartbeat];

    /// As it goes over the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Snapshot => "snapshot",
            Self::Run => "run",
            Self::Unread => "unread",
            Self::Heartbeat => "heartbeat",
        }
    }

    /// Reads the data that came under this name.
    ///
    /// # Errors
    /// When it is not what the name says.
    pub fn read(self, data: &str) -> Result<LiveEvent, serde_json::Error> {
        // From a slice: the browser then has one reader of JSON, that which server functions use.
        let data = data.as_bytes();
        Ok(match self {
            Self::Snapshot => LiveEvent::Snapshot(serde_json::from_slice(data)?),
            Self::Run => LiveEvent::Run(serde_json::from_slice(data)?),
            Self::Unread => LiveEvent::Unread(serde_json::from_slice(data)?),
            Self::Heartbeat => LiveEvent::Heartbeat,
        })
    }
}

impl LiveEvent {
    /// Its name on the wire.
    #[must_use]
    pub const fn name(&self) -> EventName {
        match self {
            Self::Snapshot(_) => EventName::Snapshot,
            Self::Run(_) => EventName::Run,
            Self::Unread(_) => EventName::Unread,
            Self::Heartbeat => EventName::Heartbeat,
        }
    }

    /// Its data on the wire: JSON without line breaks.
    ///
    /// # Errors
    /// Never for what these types can hold.
    pub fn data(&self) -> Result<String, serde_json::Error> {
        match self {
            Self::Snapshot(snapshot) => serde_json::to_string(snapshot),
            Self::Run(state) => serde_json::to_string(state),
            Self::Unread(unread) => serde_json::to_string(unread),
            Self::Heartbeat => Ok("{}".to_owned()),
        }
    }
}

/// Words from a key, which is ASCII: `deviceHealthScript` and `device_health_script` become `Device health script`.
#[must_use]
pub fn humanise(key: &str) -> String {
    let mut text = String::with_capacity(key.len() + 4);
    for character in key.chars() {
        if text.is_empty() {
            text.push(character.to_ascii_uppercase());
        } else if character == '_' || character == '.' {
            text.push(' ');
        } else if character.is_ascii_uppercase() {
            text.push(' ');
            text.push(character.to_ascii_lowercase());
        } else {
            text.push(character);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn state(status: OperationStatus, attempt: u32, processed: u32) -> RunState {
        RunState {
            id: OperationRunId::from_uuid(Uuid::from_u128(7)),
            tenant_id: TenantId::from_uuid(Uuid::from_u128(1)),
            tenant_name: "Contoso".to_owned(),
            user_id: Some(UserId::from_uuid(Uuid::from_u128(2))),
            resource: "inventory".to_owned(),
            action: "sync".to_owned(),
            words: RunWords::of("Inventory sync", ("type", "types"), ("reading", "read"), ("item", "items")),
            status,
            counters: Counters { total: 9, processed, succeeded: processed, failed: 0, skipped: 0 },
            items: 12,
            current: vec![CurrentItem { key: "scopeTag".to_owned(), label: "Scope\ntags".to_owned(), items: 3 }],
            held: true,
            cancelled_by: None,
            attempt,
            reason_code: None,
            news: Some(News { missing: 2, newly_missing: 1, ..News::default() }),
            follows: false,
            created_at: Timestamp::from_millis(1),
            started_at: Some(Timestamp::from_millis(2)),
            finished_at: None,
        }
    }

    #[test]
    fn every_event_reads_back_from_its_name_and_data() {
        let run = state(OperationStatus::Running, 1, 2);
        let events = [
            LiveEvent::Snapshot(Snapshot { runs: vec![run.clone()], unread: 3, now: Timestamp::from_millis(4) }),
            LiveEvent::Run(Box::new(run)),
            LiveEvent::Unread(Unread { count: 5 }),
            LiveEvent::Heartbeat,
        ];
        assert_eq!(events.len(), EventName::ALL.len());
        for event in events {
            let data = event.data().unwrap();
            assert!(!data.contains(['\n', '\r']), "a line break would end the event: {data}");
            assert_eq!(event.name().read(&data).unwrap(), event);
        }
    }

    #[test]
    fn a_run_does_not_go_back() {
        let now = state(OperationStatus::Running, 2, 3);
        assert!(state(OperationStatus::Running, 2, 2).is_older_than(&now));
        assert!(state(OperationStatus::Running, 1, 9).is_older_than(&now));
        assert!(!state(OperationStatus::Running, 3, 0).is_older_than(&now));
        let ended = state(OperationStatus::Completed, 2, 9);
        assert!(!ended.is_older_than(&now));
        assert!(now.is_older_than(&ended));
    }

    #[test]
    fn progress_of_before_the_first_word_reads_as_none() {
        assert_eq!(serde_json::from_str::<Progress>("{}").unwrap(), Progress::default());
    }

    #[test]
    fn keys_become_words() {
        assert_eq!(humanise("deviceHealthScript"), "Device health script");
        assert_eq!(humanise("inventory_sync"), "Inventory sync");
        assert_eq!(humanise(""), "");
    }
}
