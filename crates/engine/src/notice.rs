//! What a notification says: structured and safe. Text is made from it when it is shown (screens, "Notifications panel").

use serde::{Deserialize, Serialize};
use tenantatlas_domain::ids::{OperationRunId, TenantId};
use tenantatlas_domain::operation::{Counters, Failure, OperationBucket, OperationStatus};
use tenantatlas_domain::reason::ReasonCode;

/// The kind of the notification written when a run is dispatched.
pub const RUN_QUEUED: &str = "operation.queued";
/// The kind of the notification written when a run ends.
pub const RUN_ENDED: &str = "operation.ended";

/// Reasons named in one notification at most.
const MAX_REASONS: usize = 10;

/// How often one reason occurred.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReasonCount {
    /// The stable code.
    pub reason_code: ReasonCode,
    /// How many items of the run it stopped.
    pub count: u32,
}

/// The payload of a notification about an operation run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunNotice {
    /// The tenant.
    pub tenant_id: TenantId,
    /// Its name at that time.
    pub tenant_name: String,
    /// The run.
    pub run_id: OperationRunId,
    /// What it works on.
    pub resource: String,
    /// What it does.
    pub action: String,
    /// Its status.
    pub status: OperationStatus,
    /// The status in the words people see.
    pub bucket: OperationBucket,
    /// Its counters.
    pub counters: Counters,
    /// Why it ended as it did, when that is one reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason_code: Option<ReasonCode>,
    /// The reasons of its failures, the most frequent first, at most ten.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<ReasonCount>,
    /// What the operation adds: for an inventory sync the objects observed and upserted.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub facts: serde_json::Map<String, serde_json::Value>,
}

/// Counts the reasons of failures, the most frequent first, at most ten.
#[must_use]
pub fn count_reasons(failures: &[Failure]) -> Vec<ReasonCount> {
    let mut counts: Vec<ReasonCount> = Vec::new();
    for failure in failures {
        match counts.iter_mut().find(|one| one.reason_code == failure.reason_code) {
            Some(one) => one.count += 1,
            None => counts.push(ReasonCount { reason_code: failure.reason_code, count: 1 }),
        }
    }
    counts.sort_by_key(|one| (std::cmp::Reverse(one.count), one.reason_code));
    counts.truncate(MAX_REASONS);
    counts
}
