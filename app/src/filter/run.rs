//! The runs of a tenant, or of all tenants of a person.

use tenantatlas_domain::ids::{OperationRunId, ScheduleId, UserId};
use tenantatlas_domain::operation::OperationBucket;
use tenantatlas_domain::reason::ReasonCode;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_store::operation_runs::StartedBy;
use uuid::Uuid;

use super::{ListFilter, day_end, day_start, first_day, last_day, set};

/// What stands before the id of a schedule, and of a token.
const SCHEDULE: &str = "schedule-";
const TOKEN: &str = "token-";

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
    /// Only by a person (`true`) or by nobody who signs in (`false`).
    pub by_person: Option<bool>,
    /// Only by schedules, with what followed.
    pub by_schedule: bool,
    /// Only started with a token of the API.
    pub by_token: bool,
    /// Only of the person who looks.
    pub mine: bool,
    /// Only of this person, this schedule or this token.
    pub starter: Option<StartedBy>,
    /// Only of this operation: resource and action.
    pub operation: Option<(String, String)>,
    /// Only of this tenant, by its name or id, in the list of all tenants.
    pub tenant: String,
    /// Only those of which something was not done for this reason, or that ended for it.
    pub reason: Option<ReasonCode>,
    /// Only dispatched within so many days.
    pub days: Option<u32>,
    /// Only dispatched from this day on. Days are whole UTC days.
    pub from: Option<Timestamp>,
    /// Only dispatched before this moment, the end of the last day.
    pub until: Option<Timestamp>,
    /// The run after which the page begins: when it was dispatched and its id.
    pub before: Option<(Timestamp, OperationRunId)>,
}

impl ListFilter for RunFilter {
    const WORDS: &'static [&'static str] = &["state", "by", "operation", "reason", "days"];
    const TYPED: &'static [&'static str] = &["tenant", "from", "until"];

    fn read(query: impl Fn(&str) -> Option<String>) -> Self {
        let mut filter = Self {
            bucket: query("state").and_then(|name| BUCKETS.into_iter().find(|one| one.as_str() == name)),
            operation: query("operation").and_then(|name| {
                let (resource, action) = name.split_once('.')?;
                let is_word = |text: &str| {
                    (1..=40).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
                };
                (is_word(resource) && is_word(action)).then(|| (resource.to_owned(), action.to_owned()))
            }),
            tenant: query("tenant").map(|name| name.trim().chars().take(200).collect()).unwrap_or_default(),
            reason: query("reason").and_then(|text| reason(&text)),
            from: day_start(query("from")),
            until: day_end(query("until")),
            days: query("days").and_then(|days| days.parse().ok()).filter(|days| (1..=3650).contains(days)),
            before: query("before").and_then(|text| {
                let (at, id) = text.split_once('.')?;
                Some((Timestamp::from_millis(at.parse().ok()?), id.parse::<OperationRunId>().ok()?))
            }),
            ..Self::default()
        };
        filter.start_by(query("by").as_deref());
        filter
    }

    fn pairs(&self) -> Vec<(&'static str, String)> {
        set([
            ("state", self.bucket.map(|bucket| bucket.as_str().to_owned())),
            ("by", Some(self.initiator())),
            ("operation", Some(self.operation_name())),
            ("reason", self.reason.map(|reason| reason.as_str().to_owned())),
            ("days", self.days.map(|days| days.to_string())),
            ("tenant", Some(self.tenant.clone())),
            ("from", Some(self.first_day())),
            ("until", Some(self.last_day())),
            ("before", self.before.map(|(at, id)| format!("{}.{id}", at.as_millis()))),
        ])
    }

    fn first_page(&self) -> Self {
        Self { before: None, ..self.clone() }
    }
}

impl RunFilter {
    /// The operation, as the address says it; empty for any.
    #[must_use]
    pub fn operation_name(&self) -> String {
        self.operation.as_ref().map(|(resource, action)| format!("{resource}.{action}")).unwrap_or_default()
    }

    /// The first day, as a form shows it; empty without one.
    #[must_use]
    pub fn first_day(&self) -> String {
        first_day(self.from)
    }

    /// The last day, as a form shows it; empty without one.
    #[must_use]
    pub fn last_day(&self) -> String {
        last_day(self.until)
    }

    /// Puts in by whom they were started, as the address says it; anybody where that is not understood.
    pub fn start_by(&mut self, by: Option<&str>) {
        self.by_anybody();
        match by {
            Some("person") => self.by_person = Some(true),
            Some("nobody") => self.by_person = Some(false),
            Some("schedule") => self.by_schedule = true,
            Some("token") => self.by_token = true,
            Some("me") => self.mine = true,
            Some(text) => self.starter = starter(text),
            None => {}
        }
    }

    /// Takes out by whom they were started.
    pub fn by_anybody(&mut self) {
        (self.starter, self.mine, self.by_person) = (None, false, None);
        (self.by_schedule, self.by_token) = (false, false);
    }

    /// The person, the schedule and the token that started them, of which one is named at most.
    #[must_use]
    pub fn by_whom(&self) -> (Option<UserId>, Option<ScheduleId>, Option<Uuid>) {
        match self.starter {
            Some(StartedBy::Person(person)) => (Some(person), None, None),
            Some(StartedBy::Schedule(schedule)) => (None, Some(schedule), None),
            Some(StartedBy::Token(token)) => (None, None, Some(token)),
            None => (None, None, None),
        }
    }

    /// By whom they were started, as the address says it; empty for anybody.
    #[must_use]
    pub fn initiator(&self) -> String {
        let word = match (self.starter, self.mine, self.by_person) {
            (Some(starter), ..) => return starter_text(starter),
            (None, true, _) => "me",
            _ if self.by_schedule => "schedule",
            _ if self.by_token => "token",
            (None, false, Some(true)) => "person",
            (None, false, Some(false)) => "nobody",
            (None, false, None) => "",
        };
        word.to_owned()
    }
}

/// A reason by its code, or by its words as the list shows them.
fn reason(text: &str) -> Option<ReasonCode> {
    let words = |one: &&ReasonCode| one.words().eq_ignore_ascii_case(text.trim());
    text.trim().parse().ok().or_else(|| ReasonCode::ALL.iter().find(words).copied())
}

/// Who started runs, as the address says it: the id of a person, `schedule-` or `token-` and an id.
#[must_use]
pub fn starter_text(by: StartedBy) -> String {
    match by {
        StartedBy::Person(person) => person.to_string(),
        StartedBy::Schedule(schedule) => format!("{SCHEDULE}{schedule}"),
        StartedBy::Token(token) => format!("{TOKEN}{token}"),
    }
}

/// The same, read.
#[must_use]
pub fn starter(text: &str) -> Option<StartedBy> {
    if let Some(id) = text.strip_prefix(SCHEDULE) {
        return id.parse().ok().map(StartedBy::Schedule);
    }
    match text.strip_prefix(TOKEN) {
        Some(id) => id.parse().ok().map(StartedBy::Token),
        None => text.parse().ok().map(StartedBy::Person),
    }
}
