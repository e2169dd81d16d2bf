//! What follows a sync, what was compared, and what a person was told.

use serde::{Deserialize, Serialize};
use tenantatlas_domain::drift::Gap;
use tenantatlas_store::findings::ComparisonRecord;
use tenantatlas_store::tenants;
use utoipa::ToSchema;

use super::time::time;

/// What follows each sync of a tenant.
#[derive(Debug, Serialize, ToSchema)]
pub struct AfterSync {
    /// A comparison with the run before.
    pub drift: bool,
    /// A capture of what is new or changed.
    pub capture: bool,
    /// A reading of the audit logs of Microsoft.
    pub audit_events: bool,
}

impl From<tenants::AfterSync> for AfterSync {
    fn from(tenants::AfterSync { drift, capture, audit_events }: tenants::AfterSync) -> Self {
        Self { drift, capture, audit_events }
    }
}

/// What of that is to be changed. What is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeAfterSync {
    /// A comparison with the run before.
    pub drift: Option<bool>,
    /// A capture of what is new or changed.
    pub capture: Option<bool>,
    /// A reading of the audit logs of Microsoft.
    pub audit_events: Option<bool>,
}

impl ChangeAfterSync {
    /// All of it as it is to be.
    pub fn of(&self, known: tenants::AfterSync) -> tenants::AfterSync {
        tenants::AfterSync {
            drift: self.drift.unwrap_or(known.drift),
            capture: self.capture.unwrap_or(known.capture),
            audit_events: self.audit_events.unwrap_or(known.audit_events),
        }
    }
}

/// A type of which something could not be compared: neither drift nor fine.
#[derive(Debug, Serialize, ToSchema)]
pub struct NotComparable {
    /// The key of the type.
    pub policy_type: String,
    /// Why, as a stable code.
    pub code: String,
    /// How many objects this concerns; null for all of the type.
    pub items: Option<u64>,
    /// The same in a sentence, which goes on after "Not comparable, because".
    pub because: String,
}

impl From<&Gap> for NotComparable {
    fn from(gap: &Gap) -> Self {
        Self {
            policy_type: gap.policy_type.clone(),
            code: gap.reason_code().to_owned(),
            items: gap.items,
            because: gap.because(),
        }
    }
}

/// A comparison of two sync runs.
#[derive(Debug, Serialize, ToSchema)]
pub struct Comparison {
    /// The run that compared.
    #[schema(format = "uuid")]
    pub run_id: String,
    /// The sync run that was compared.
    #[schema(format = "uuid")]
    pub current_sync_id: String,
    /// The one that it was compared with; null when there was none yet.
    #[schema(format = "uuid")]
    pub baseline_sync_id: Option<String>,
    /// Whether a person chose that.
    pub pinned: bool,
    /// Findings that were not known.
    pub found: u64,
    /// Findings that are new again.
    pub reopened: u64,
    /// Findings that are gone.
    pub resolved: u64,
    /// Findings that go on.
    pub unchanged: u64,
    /// What could not be compared.
    pub not_comparable: Vec<NotComparable>,
    /// When it ended.
    #[schema(format = DateTime)]
    pub finished_at: String,
}

impl From<&ComparisonRecord> for Comparison {
    fn from(one: &ComparisonRecord) -> Self {
        Self {
            run_id: one.operation_run_id.to_string(),
            current_sync_id: one.current_run_id.to_string(),
            baseline_sync_id: one.baseline_run_id.map(|run| run.to_string()),
            pinned: one.pinned,
            found: one.counts.found,
            reopened: one.counts.reopened,
            resolved: one.counts.resolved,
            unchanged: one.counts.unchanged,
            not_comparable: one.not_comparable.iter().map(NotComparable::from).collect(),
            finished_at: time(one.finished_at),
        }
    }
}

/// The last comparison of the main scope.
#[derive(Debug, Serialize, ToSchema)]
pub struct LatestComparison {
    /// Null when nothing was compared yet.
    pub comparison: Option<Comparison>,
}

/// Something that the person of the token was told of a tenant.
#[derive(Debug, Serialize, ToSchema)]
pub struct Notification {
    /// Its id.
    #[schema(format = "uuid")]
    pub id: String,
    /// What kind, such as operation.ended.
    pub kind: String,
    /// The run that it is about.
    #[schema(format = "uuid")]
    pub run_id: Option<String>,
    /// What happened, in words.
    pub title: String,
    /// The facts, in words.
    pub detail: String,
    /// When it was written.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// When it was read; null while it is not.
    #[schema(format = DateTime)]
    pub read_at: Option<String>,
}

/// A page of notifications.
#[derive(Debug, Serialize, ToSchema)]
pub struct Notifications {
    /// Newest first.
    pub items: Vec<Notification>,
    /// Where the next page begins; null on the last one.
    pub next: Option<String>,
}

/// What was marked as read.
#[derive(Debug, Serialize, ToSchema)]
pub struct MarkedRead {
    /// How many notifications were unread.
    pub marked: u64,
}
