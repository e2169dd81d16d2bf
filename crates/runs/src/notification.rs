//! What a notification about a run says: structured and safe. Text is made from it when it is shown.

use serde::{Deserialize, Deserializer, Serialize};
use tenantatlas_domain::ids::{OperationRunId, TenantId};
use tenantatlas_domain::invisible::NameOfRecord;
use tenantatlas_domain::live::CancelledBy;
use tenantatlas_domain::news::News;
use tenantatlas_domain::operation::{Counters, Failure, MissingPermission, OperationBucket, OperationStatus};
use tenantatlas_domain::reason::ReasonCode;

pub use tenantatlas_store::notifications::{RUN_ENDED, RUN_QUEUED};

/// The fact in which an operation tells how many things it came across.
pub const ITEMS_OBSERVED: &str = "items_observed";

/// The fact by which a run that follows another one says that it has no news, see
/// [`crate::Operation::QUIET_AFTER_ANOTHER`]. It stands in no record.
pub const QUIET: &str = "quiet";

/// Reasons named in one notification at most.
pub(crate) const MAX_REASONS: usize = 10;

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
    #[serde(deserialize_with = "name_of_record")]
    pub tenant_name: String,
    /// The run.
    pub run_id: OperationRunId,
    /// What it works on.
    pub resource: String,
    /// What it does.
    pub action: String,
    /// What it is called; empty in notices of before runs had names.
    #[serde(default, deserialize_with = "name_of_record")]
    pub name: String,
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
    /// The permissions without which units of it could not be done, at most ten.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lacking: Vec<MissingPermission>,
    /// What it found that was not known before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub news: Option<News>,
    /// Who asked to cancel it.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "canceller")]
    pub cancelled_by: Option<CancelledBy>,
    /// What the operation adds.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub facts: serde_json::Map<String, serde_json::Value>,
}

impl RunNotice {
    /// How many things the run came across, where it tells that.
    #[must_use]
    pub fn items(&self) -> u64 {
        self.facts.get(ITEMS_OBSERVED).and_then(serde_json::Value::as_u64).unwrap_or_default()
    }
}

/// Reads a name in the form in which it is shown.
fn name_of_record<'de, D: Deserializer<'de>>(stored: D) -> Result<String, D::Error> {
    Ok(NameOfRecord::from(String::deserialize(stored)?).into())
}

fn canceller<'de, D: Deserializer<'de>>(stored: D) -> Result<Option<CancelledBy>, D::Error> {
    let by = Option::<CancelledBy>::deserialize(stored)?;
    Ok(by.map(|by| CancelledBy { name: NameOfRecord::from(by.name).into(), ..by }))
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
