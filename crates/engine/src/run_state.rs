//! The state of an operation run as a screen needs it.

use serde::{Deserialize, Serialize};
use tenantatlas_domain::ids::{OperationRunId, TenantId, UserId};
use tenantatlas_domain::operation::{Counters, OperationBucket, OperationStatus};
use tenantatlas_domain::reason::ReasonCode;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_store::operation_runs::OperationRun;

use crate::run_context::Progress;

/// One item of a run that is being worked on now (for an inventory sync: one policy type).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CurrentItem {
    /// The item's stable id (the policy type key).
    pub key: String,
    /// Its name for people.
    #[serde(default)]
    pub label: String,
    /// Objects seen in it so far.
    pub items: u64,
}

/// An operation run as it is shown live.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunState {
    /// The run.
    pub id: OperationRunId,
    /// The tenant it belongs to.
    pub tenant_id: TenantId,
    /// Who started it; `None` for the system and the command line.
    pub user_id: Option<UserId>,
    /// What it works on, `inventory`.
    pub resource: String,
    /// What it does, `sync`.
    pub action: String,
    /// The stored status.
    pub status: OperationStatus,
    /// The status in the words people see.
    pub bucket: OperationBucket,
    /// The counters over its items.
    pub counters: Counters,
    /// Objects seen so far within its items.
    pub items: u64,
    /// What is being worked on now; at most a handful.
    pub current: Vec<CurrentItem>,
    /// Whether somebody asked to cancel it.
    pub cancel_requested: bool,
    /// The attempt that works on it, from 1; 0 before the first.
    pub attempt: u32,
    /// Why it ended as it did, when that is one reason.
    pub reason_code: Option<ReasonCode>,
    /// When it was dispatched.
    pub created_at: Timestamp,
    /// When work began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
}

impl RunState {
    /// The state of a stored run.
    #[must_use]
    pub fn of(run: &OperationRun) -> Self {
        let progress = Progress::deserialize(&run.progress).unwrap_or_default();
        Self {
            id: run.id,
            tenant_id: run.tenant_id,
            user_id: run.user_id,
            resource: run.resource.clone(),
            action: run.action.clone(),
            status: run.status,
            bucket: run.status.bucket(),
            counters: run.counters,
            items: progress.items,
            current: if run.status.is_terminal() { Vec::new() } else { progress.current },
            cancel_requested: run.cancel_requested_at.is_some(),
            attempt: run.attempt,
            reason_code: run.reason_code,
            created_at: run.created_at,
            started_at: run.started_at,
            finished_at: run.finished_at,
        }
    }
}
