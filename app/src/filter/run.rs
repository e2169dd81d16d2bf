//! The runs of a tenant.

use tenantatlas_domain::ids::{OperationRunId, UserId};
use tenantatlas_domain::operation::OperationBucket;
use tenantatlas_domain::time::Timestamp;

use super::{ListFilter, set};

/// The states that can be asked for.
pub const BUCKETS: [OperationBucket; 5] = [
    OperationBucket::Queued,
    OperationBucket::Running,
    OperationBucket::Succeeded,
    OperationBucket::PartiallySucceeded,
    OperationBucket::Failed,
];

/// Which runs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunFilter {
    /// Only in this state.
    pub bucket: Option<OperationBucket>,
    /// Only by a person (`true`) or by schedules and the command line (`false`).
    pub by_person: Option<bool>,
    /// Only of the person who looks.
    pub mine: bool,
    /// Only of this person.
    pub person: Option<UserId>,
    /// Only dispatched within so many days.
    pub days: Option<u32>,
    /// The run after which the page begins: when it was dispatched and its id.
    pub before: Option<(Timestamp, OperationRunId)>,
}

impl ListFilter for RunFilter {
    const WORDS: &'static [&'static str] = &["state", "by", "days"];
    const TYPED: &'static [&'static str] = &[];

    fn read(query: impl Fn(&str) -> Option<String>) -> Self {
        Self {
            bucket: query("state").and_then(|name| BUCKETS.into_iter().find(|one| one.as_str() == name)),
            by_person: match query("by").as_deref() {
                Some("person") => Some(true),
                Some("schedule") => Some(false),
                _ => None,
            },
            mine: query("by").as_deref() == Some("me"),
            person: query("by").and_then(|by| by.parse().ok()),
            days: query("days").and_then(|days| days.parse().ok()).filter(|days| (1..=3650).contains(days)),
            before: query("before").and_then(|text| {
                let (at, id) = text.split_once('.')?;
                Some((Timestamp::from_millis(at.parse().ok()?), id.parse::<OperationRunId>().ok()?))
            }),
        }
    }

    fn pairs(&self) -> Vec<(&'static str, String)> {
        set([
            ("state", self.bucket.map(|bucket| bucket.as_str().to_owned())),
            ("by", Some(self.initiator())),
            ("days", self.days.map(|days| days.to_string())),
            ("before", self.before.map(|(at, id)| format!("{}.{id}", at.as_millis()))),
        ])
    }

    fn first_page(&self) -> Self {
        Self { before: None, ..self.clone() }
    }
}

impl RunFilter {
    /// By whom they were started, as the address says it; empty for anybody.
    #[must_use]
    pub fn initiator(&self) -> String {
        let word = match (self.person, self.mine, self.by_person) {
            (Some(person), ..) => return person.to_string(),
            (None, true, _) => "me",
            (None, false, Some(true)) => "person",
            (None, false, Some(false)) => "schedule",
            (None, false, None) => "",
        };
        word.to_owned()
    }
}
