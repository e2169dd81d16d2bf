//! Runs.

use serde::{Deserialize, Serialize};
use tenantatlas_engine::run_words;
use tenantatlas_store::operation_runs::{OperationRun, RunAttempt};
use utoipa::ToSchema;

use super::time::time;

/// Counters of a run: processed = succeeded + failed + skipped, and never more than total.
#[derive(Debug, Serialize, ToSchema)]
pub struct Counters {
    /// All of its units.
    pub total: u32,
    /// Those that are done.
    pub processed: u32,
    /// Those that succeeded.
    pub succeeded: u32,
    /// Those that failed.
    pub failed: u32,
    /// Those that were left out.
    pub skipped: u32,
}

impl From<tenantatlas_domain::operation::Counters> for Counters {
    fn from(counters: tenantatlas_domain::operation::Counters) -> Self {
        let tenantatlas_domain::operation::Counters { total, processed, succeeded, failed, skipped } = counters;
        Self { total, processed, succeeded, failed, skipped }
    }
}

/// An operation run.
#[derive(Debug, Serialize, ToSchema)]
pub struct Run {
    /// Its id.
    #[schema(format = "uuid")]
    pub id: String,
    /// Its tenant.
    #[schema(format = "uuid")]
    pub tenant_id: String,
    /// What it does, such as inventory.sync.
    pub operation: String,
    /// The same in words.
    pub name: String,
    /// The stored state: pending, running, completed, completed_with_errors, failed or aborted.
    pub status: String,
    /// The state as people are shown it: queued, running, succeeded, partially_succeeded or failed.
    pub state: String,
    /// Whether it has ended. An ended run never changes.
    pub ended: bool,
    /// Its counters.
    pub counters: Counters,
    /// Why it ended as it did, when that is one reason.
    pub reason_code: Option<String>,
    /// Why something of it was not done, each reason once.
    pub reason_codes: Vec<String>,
    /// The name of who started it, as it was then.
    pub initiator: String,
    /// The token with which it was started.
    #[schema(format = "uuid")]
    pub token_id: Option<String>,
    /// The run that it tries again.
    #[schema(format = "uuid")]
    pub retry_of: Option<String>,
    /// The run after whose good end it was started.
    #[schema(format = "uuid")]
    pub follows: Option<String>,
    /// Milliseconds in which the cloud let nothing in, since it had said 429.
    pub throttled_ms: u64,
    /// When it was dispatched.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// When work began.
    #[schema(format = DateTime)]
    pub started_at: Option<String>,
    /// When it ended.
    #[schema(format = DateTime)]
    pub finished_at: Option<String>,
}

impl From<&OperationRun> for Run {
    fn from(run: &OperationRun) -> Self {
        Self {
            id: run.id.to_string(),
            tenant_id: run.tenant_id.to_string(),
            operation: format!("{}.{}", run.resource, run.action),
            name: run_words(run).name,
            status: run.status.as_str().to_owned(),
            state: run.status.bucket().as_str().to_owned(),
            ended: run.status.is_terminal(),
            counters: run.counters.into(),
            reason_code: run.reason_code.map(|code| code.as_str().to_owned()),
            reason_codes: run.reasons.iter().map(|code| code.as_str().to_owned()).collect(),
            initiator: run.initiator.clone(),
            token_id: run.token_id.map(|id| id.to_string()),
            retry_of: run.retry_of.map(|id| id.to_string()),
            follows: run.follows.map(|id| id.to_string()),
            throttled_ms: run.pauses.length(),
            created_at: time(run.created_at),
            started_at: run.started_at.map(time),
            finished_at: run.finished_at.map(time),
        }
    }
}

/// A page of runs.
#[derive(Debug, Serialize, ToSchema)]
pub struct Runs {
    /// Newest first.
    pub items: Vec<Run>,
    /// Where the next page begins; null on the last one.
    pub next: Option<String>,
}

/// Something of a run that did not succeed.
#[derive(Debug, Serialize, ToSchema)]
pub struct Failure {
    /// The unit, such as a policy type.
    pub item_id: Option<String>,
    /// Why, as a code.
    pub reason_code: String,
    /// Why, in a sentence.
    pub reason: String,
    /// Whether it was left out and is no failure.
    pub skipped: bool,
}

/// An attempt at a run.
#[derive(Debug, Serialize, ToSchema)]
pub struct Attempt {
    /// Which one, from 1.
    pub attempt: u32,
    /// When it began.
    #[schema(format = DateTime)]
    pub began_at: String,
    /// When it ended.
    #[schema(format = DateTime)]
    pub ended_at: Option<String>,
    /// What ended it: end, given_back or worker_lost.
    pub ended_by: Option<String>,
}

impl From<&RunAttempt> for Attempt {
    fn from(one: &RunAttempt) -> Self {
        Self {
            attempt: one.attempt,
            began_at: time(one.began_at),
            ended_at: one.ended_at.map(time),
            ended_by: one.ended_by.map(|by| by.as_str().to_owned()),
        }
    }
}

/// A run with its course.
#[derive(Debug, Serialize, ToSchema)]
pub struct RunDetail {
    /// The run.
    pub run: Run,
    /// Its attempts, oldest first.
    pub attempts: Vec<Attempt>,
    /// What did not succeed, the first of it.
    pub failures: Vec<Failure>,
    /// How many more did not.
    pub failures_omitted: u32,
    /// The runs that were started after its good end.
    pub follow_ups: Vec<Run>,
}

/// What is to be started. What an operation does not know is refused.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StartRun {
    /// inventory.sync, policies.capture, drift.generate, audit_events.read, setting_catalog.refresh or tenants.check.
    pub operation: Operation,
    /// Keys of policy types: of inventory.sync and policies.capture. Without types and categories all are meant.
    #[serde(default)]
    #[schema(max_items = 500)]
    pub policy_types: Vec<String>,
    /// Slugs of categories: of inventory.sync.
    #[serde(default)]
    #[schema(max_items = 100)]
    pub categories: Vec<String>,
    /// Whether every foundation is read as well: of inventory.sync, and yes where it is left out.
    pub include_foundations: Option<bool>,
    /// Ids of items: of policies.capture, in place of types.
    #[serde(default)]
    #[schema(max_items = 500)]
    pub items: Vec<String>,
    /// Only what has changed since it was read last: of policies.capture.
    #[serde(default)]
    pub changed: bool,
    /// Whether the first page of each type is read as well: of tenants.check.
    #[serde(default)]
    pub types: bool,
}

/// The operations that can be started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
pub enum Operation {
    /// Reads the inventory.
    #[serde(rename = "inventory.sync")]
    Sync,
    /// Reads bodies of policies, and keeps a version of what has changed.
    #[serde(rename = "policies.capture")]
    Capture,
    /// Compares the latest run with the one before it.
    #[serde(rename = "drift.generate")]
    Drift,
    /// Reads the audit logs of Microsoft.
    #[serde(rename = "audit_events.read")]
    AuditEvents,
    /// Reads the names of settings.
    #[serde(rename = "setting_catalog.refresh")]
    SettingNames,
    /// Checks the connection.
    #[serde(rename = "tenants.check")]
    Check,
}

/// Why something is to be done, for the audit log.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Why {
    /// In words.
    #[serde(default)]
    #[schema(max_length = 200)]
    pub why: String,
}

/// A run that was started.
#[derive(Debug, Serialize, ToSchema)]
pub struct Started {
    /// The run: the new one, or the one that does the same already.
    pub run: Run,
    /// Whether the same work was under way already, so that nothing was started.
    pub already_running: bool,
}

/// What became of the wish to cancel.
#[derive(Debug, Serialize, ToSchema)]
pub struct CancelAnswer {
    /// The run as it is now.
    pub run: Run,
    /// Whether it has ended; else its worker was told and ends it within moments.
    pub ended: bool,
}
