//! What the audit logs of Intune and of Entra tell: who did what to which object. Events are kept as they happen, since a
//! log, unlike an object, cannot be made when it is asked for.

use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;

use crate::catalogue::{Kind, RESOURCES};
use crate::identity::{guid_of, mix};
use crate::tenant::{Evolution, TenantState, number_of};

/// A day in milliseconds.
const DAY: u64 = 86_400_000;
/// How far the history reaches back that a tenant begins with, in days.
const HISTORY: u64 = 20;
/// Kinds that Entra's own log tells nothing of: they lie below Intune's address.
const INTUNE_PREFIXES: [&str; 2] = ["deviceManagement/", "deviceAppManagement/"];

/// A log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Log {
    /// `deviceManagement/auditEvents`
    Intune,
    /// `auditLogs/directoryAudits`
    Entra,
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verb {
    /// An object was made.
    Create,
    /// Its properties were changed.
    Update,
    /// Its assignments were replaced.
    Assign,
    /// It was deleted.
    Delete,
    /// It was looked at.
    Get,
}

/// Who did it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Who {
    /// One of the administrators.
    Person(usize),
    /// An application that runs by itself.
    Application,
}

/// To what it was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// An object of a kind, by its id and the name that it has.
    Object {
        /// The key of the kind.
        key: &'static str,
        /// Its id.
        id: String,
    },
    /// Something that is no policy: a device in Intune, a person in Entra.
    Other(String),
}

/// One event of a log.
#[derive(Debug, Clone, Serialize)]
pub struct Record {
    /// The log that tells it.
    pub log: Log,
    /// Its id.
    pub id: String,
    /// When it happened, in milliseconds since 1970.
    pub at_ms: u64,
    /// What was done.
    pub verb: Verb,
    /// Who did it.
    pub who: Who,
    /// To what.
    pub what: What,
    /// Whether it was refused, and changed nothing.
    pub failed: bool,
    /// Whether the log does not tell it yet.
    pub withheld: bool,
}

/// The events of a tenant in the order in which they happened.
#[derive(Debug, Default)]
pub struct Records {
    events: Vec<Record>,
    withholding: bool,
    next: u64,
}

/// The administrators of every tenant: the first part of the address and the name.
pub const PEOPLE: [(&str, &str); 3] = [("alex", "Alex Admin"), ("kim", "Kim Keeper"), ("sam", "Sam Support")];
/// The name of the application that changes something by itself.
pub const AUTOMATION: &str = "Endpoint automation";

/// Milliseconds since 1970.
#[must_use]
pub fn now_ms() -> u64 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(elapsed.as_millis()).unwrap_or(0)
}

/// The log that tells of objects of a kind.
fn log_of(key: &str) -> Log {
    let holds = |kinds: &[Kind]| kinds.iter().any(|kind| kind.key == key);
    let path = RESOURCES.iter().find(|resource| holds(&resource.kinds)).map_or("", |resource| resource.path);
    if INTUNE_PREFIXES.iter().any(|prefix| path.starts_with(prefix)) { Log::Intune } else { Log::Entra }
}

/// Which of the tenant's people, or its application, does something with a number: one in four is the application.
fn who(number: u64) -> Who {
    match number % 4 {
        3 => Who::Application,
        person => Who::Person(person as usize),
    }
}

impl Records {
    /// Those that the log tells, of these, the oldest first.
    pub fn told(&self, log: Log) -> impl DoubleEndedIterator<Item = &Record> {
        self.events.iter().filter(move |event| event.log == log && !event.withheld)
    }

    /// Everything, told or not, in the order in which it happened.
    #[must_use]
    pub fn all(&self) -> &[Record] {
        &self.events
    }

    /// From now on events come late: they are not told before this is called with `false`.
    pub fn withhold(&mut self, on: bool) {
        self.withholding = on;
        if !on {
            for event in &mut self.events {
                event.withheld = false;
            }
        }
    }

    fn push(&mut self, seed: u64, log: Log, at_ms: u64, did: (Verb, Who), what: What, failed: bool) {
        self.next += 1;
        let number = self.next.to_string();
        let id = match log {
            Log::Intune => guid_of(&["event", &seed.to_string(), &number]),
            Log::Entra => format!("Directory_{}_{number}", guid_of(&["event", &seed.to_string(), &number])),
        };
        let (verb, who) = did;
        let withheld = self.withholding;
        self.events.push(Record { log, id, at_ms, verb, who, what, failed, withheld });
    }
}

impl TenantState {
    /// The history with which a tenant begins: some objects were touched, devices were synchronised and people changed.
    pub fn begin_history(&mut self, now_ms: u64) {
        let seed = self.config.seed;
        let events = (self.config.objects / 4).clamp(12, 400);
        let step = HISTORY * DAY / events;
        let mut records = Records::default();
        for nth in 0..events {
            let at_ms = now_ms.saturating_sub(HISTORY * DAY).saturating_add(nth * step);
            let number = mix(seed, 77, nth);
            let person = (Verb::Update, who(number >> 8));
            match number % 4 {
                0 => {
                    let id = guid_of(&["device", &nth.to_string()]);
                    records.push(seed, Log::Intune, at_ms, person, What::Other(id), false);
                }
                1 => {
                    let id = guid_of(&["user", &nth.to_string()]);
                    records.push(seed, Log::Entra, at_ms, person, What::Other(id), false);
                }
                _ => {
                    let key = if number % 4 == 2 { "settingsCatalogPolicy" } else { "conditionalAccessPolicy" };
                    let Some(kind) = number_of(key) else { continue };
                    let index = (number >> 16) % self.extent(kind).max(1);
                    let id = self.id(kind, crate::tenant::form_of(kind), index);
                    records.push(seed, log_of(key), at_ms, person, What::Object { key, id }, false);
                }
            }
        }
        self.records = records;
    }

    /// Writes down what a step of time did. Each object was touched by one of the tenant's people or by its application, some
    /// by two of them. What only makes noise was looked at, and what was edited was tried in vain before.
    pub fn write_down(&mut self, told: &Evolution, at_ms: u64) {
        let (seed, step) = (self.config.seed, self.step());
        let groups = [
            (&told.added, Verb::Create),
            (&told.edited, Verb::Update),
            (&told.renamed, Verb::Update),
            (&told.reassigned, Verb::Assign),
            (&told.deleted, Verb::Delete),
            (&told.noisy, Verb::Get),
        ];
        for (salt, (objects, verb)) in (0..).zip(groups) {
            for (key, ids) in objects {
                let Some(key) = number_of(key).and_then(crate::tenant::kind_of).map(|kind| kind.key) else { continue };
                for id in ids {
                    let number = mix(seed ^ step, salt, self.records.next);
                    let what = || What::Object { key, id: id.clone() };
                    let first = who(number);
                    let mut push = |who: Who, failed| {
                        self.records.push(seed, log_of(key), at_ms, (verb, who), what(), failed);
                    };
                    if verb == Verb::Update {
                        push(Who::Person(2), true);
                    }
                    push(first, false);
                    if verb == Verb::Update && number.is_multiple_of(4) {
                        push(who(number + 1), false);
                    }
                }
            }
        }
    }
}
