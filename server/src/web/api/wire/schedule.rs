//! Schedules.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_engine::{ScheduleOptions, Times};
use tenantatlas_store::schedules;
use utoipa::ToSchema;

use super::time::time;

/// What is started by the clock.
#[derive(Debug, Serialize, ToSchema)]
pub struct Schedule {
    /// Its id.
    #[schema(format = "uuid")]
    pub id: String,
    /// Its tenant.
    #[schema(format = "uuid")]
    pub tenant_id: String,
    /// Its name.
    pub name: String,
    /// What it starts, such as inventory.sync.
    pub operation: String,
    /// What of the operation is chosen.
    #[schema(value_type = Object)]
    pub options: Value,
    /// When: a pattern of cron.
    pub cron: String,
    /// The time zone of the pattern, as IANA names it.
    pub zone: String,
    /// The same in words, with what it is spread over.
    pub words: String,
    /// Over how many minutes those of many tenants are spread; 0 for one of its own.
    pub spread_minutes: u32,
    /// Which change of it this is, counted from 1.
    pub revision: u32,
    /// active, paused or stopped.
    pub state: String,
    /// Why it was stopped, when it was.
    pub stopped_because: Option<String>,
    /// Whether it has not succeeded for two of its periods.
    pub overdue: bool,
    /// The name of who answers for it.
    pub created_by: String,
    /// When it starts next; null unless it is active.
    #[schema(format = DateTime)]
    pub next_due_at: Option<String>,
    /// The run that it started last.
    #[schema(format = "uuid")]
    pub last_run_id: Option<String>,
    /// When it started it.
    #[schema(format = DateTime)]
    pub last_started_at: Option<String>,
    /// When a run of it last succeeded.
    #[schema(format = DateTime)]
    pub last_succeeded_at: Option<String>,
}

impl Schedule {
    /// A schedule as it is at this moment.
    pub fn of(schedule: &schedules::Schedule, now: Timestamp) -> Self {
        Self {
            id: schedule.id.to_string(),
            tenant_id: schedule.tenant_id.to_string(),
            name: schedule.name.clone(),
            operation: format!("{}.{}", schedule.resource, schedule.action),
            options: serde_json::to_value(&schedule.options).unwrap_or_default(),
            cron: schedule.cron.clone(),
            zone: schedule.zone.clone(),
            words: Times::read(&schedule.cron, &schedule.zone)
                .map(|times| times.words_spread(schedule.spread_minutes))
                .unwrap_or_default(),
            spread_minutes: schedule.spread_minutes,
            revision: schedule.revision,
            state: schedule.state.as_str().to_owned(),
            stopped_because: schedule.stopped_because.clone(),
            overdue: schedule.is_overdue(now),
            created_by: schedule.creator.clone(),
            next_due_at: schedule.due_at.map(time),
            last_run_id: schedule.last_run_id.map(|id| id.to_string()),
            last_started_at: schedule.last_started_at.map(time),
            last_succeeded_at: schedule.last_succeeded_at.map(time),
        }
    }
}

/// Schedules.
#[derive(Debug, Serialize, ToSchema)]
pub struct Schedules {
    /// All of the tenant, by name.
    pub items: Vec<Schedule>,
}

/// Schedules of several tenants.
#[derive(Debug, Serialize, ToSchema)]
pub struct AllSchedules {
    /// By tenant and name.
    pub items: Vec<Schedule>,
    /// Where the next page begins; null on the last one.
    pub next: Option<String>,
}

/// A schedule for several tenants.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AddSchedules {
    /// The ids of the tenants.
    #[schema(min_items = 1, max_items = 100)]
    pub tenants: Vec<String>,
    /// Over how many minutes they are spread; 60 where it is left out.
    #[schema(maximum = 720)]
    pub spread_minutes: Option<u32>,
    /// What is started in each, and when.
    pub schedule: AddSchedule,
}

/// A tenant that has not got a schedule.
#[derive(Debug, Serialize, ToSchema)]
pub struct RefusedSchedule {
    /// The tenant.
    #[schema(format = "uuid")]
    pub tenant_id: String,
    /// Why, as the code of a problem.
    pub code: String,
    /// The same in a sentence.
    pub detail: String,
}

/// What became of a schedule for several tenants.
#[derive(Debug, Serialize, ToSchema)]
pub struct AddedSchedules {
    /// The schedules.
    pub added: Vec<Schedule>,
    /// The tenants that have none.
    pub refused: Vec<RefusedSchedule>,
}

/// What is to be started, and when. What an operation does not know is refused.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AddSchedule {
    /// A name that no other schedule of the tenant has.
    #[schema(min_length = 1, max_length = 80)]
    pub name: String,
    /// What is started, such as inventory.sync.
    pub operation: String,
    /// When: a pattern of cron with five fields.
    pub cron: String,
    /// The time zone of the pattern, as IANA names it, such as Europe/Berlin.
    pub zone: String,
    /// Keys of policy types: of inventory.sync and policies.capture. Without types and categories all are meant.
    #[serde(default)]
    #[schema(max_items = 500)]
    pub policy_types: Vec<String>,
    /// Slugs of categories: of inventory.sync.
    #[serde(default)]
    #[schema(max_items = 100)]
    pub categories: Vec<String>,
    /// Only what has changed since it was read last: of policies.capture.
    #[serde(default)]
    pub changed: bool,
    /// Whether the first page of each type is read as well: of tenants.check.
    #[serde(default)]
    pub types: bool,
    /// Whether a capture of what changed follows: of inventory.sync.
    #[serde(default)]
    pub then_capture: bool,
    /// Whether a comparison with the run before follows: of inventory.sync.
    #[serde(default)]
    pub then_drift: bool,
}

/// What of a schedule is to be changed. What is left out stays as it is; of another operation nothing stays that was chosen of
/// the one before.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeSchedule {
    /// The revision that was seen: the change is refused when there is a newer one. Without it that which is there.
    pub revision: Option<u32>,
    /// A name that no other schedule of the tenant has.
    #[schema(min_length = 1, max_length = 80)]
    pub name: Option<String>,
    /// What is started, such as inventory.sync.
    pub operation: Option<String>,
    /// When: a pattern of cron with five fields.
    pub cron: Option<String>,
    /// The time zone of the pattern, as IANA names it, such as Europe/Berlin.
    pub zone: Option<String>,
    /// Keys of policy types: of inventory.sync and policies.capture. Without types and categories all are meant.
    #[schema(max_items = 500)]
    pub policy_types: Option<Vec<String>>,
    /// Slugs of categories: of inventory.sync.
    #[schema(max_items = 100)]
    pub categories: Option<Vec<String>>,
    /// Only what has changed since it was read last: of policies.capture.
    pub changed: Option<bool>,
    /// Whether the first page of each type is read as well: of tenants.check.
    pub types: Option<bool>,
    /// Whether a capture of what changed follows: of inventory.sync.
    pub then_capture: Option<bool>,
    /// Whether a comparison with the run before follows: of inventory.sync.
    pub then_drift: Option<bool>,
}

impl ChangeSchedule {
    /// All of the schedule as it is to be: what is said, and what stays of the schedule that is there.
    pub fn of(self, known: &schedules::Schedule) -> AddSchedule {
        let before = format!("{}.{}", known.resource, known.action);
        let operation = self.operation.unwrap_or_else(|| before.clone());
        let chosen = ScheduleOptions::deserialize(&known.options).ok().filter(|_| operation == before);
        let chosen = chosen.unwrap_or_default();
        let (of_sync, categories) = chosen.selection.map(|all| (all.policy_types, all.categories)).unwrap_or_default();
        AddSchedule {
            name: self.name.unwrap_or_else(|| known.name.clone()),
            operation,
            cron: self.cron.unwrap_or_else(|| known.cron.clone()),
            zone: self.zone.unwrap_or_else(|| known.zone.clone()),
            policy_types: self.policy_types.unwrap_or_else(|| [of_sync, chosen.types].concat()),
            categories: self.categories.unwrap_or(categories),
            changed: self.changed.unwrap_or(chosen.changed),
            types: self.types.unwrap_or(chosen.probe),
            then_capture: self.then_capture.unwrap_or(chosen.capture),
            then_drift: self.then_drift.unwrap_or(chosen.drift),
        }
    }
}
