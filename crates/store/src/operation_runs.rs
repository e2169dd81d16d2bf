//! Operation runs: what a person watches and what a worker works on (`docs/rules.md`, section Operation runs).
//!
//! A worker holds a run by a *lease* in the time of the database. Each claim raises the attempt number; a [`Fence`] of
//! owner and attempt goes with every write, so that a worker which lost its lease can write nothing more. Between two
//! workers a run stays `running` without an owner: its state never goes backwards.

mod attempts;
mod counts;
mod filter;
#[cfg(test)]
mod filter_plans;
mod lease;
mod list;
mod progress;
mod units;

pub use attempts::{AttemptEnd, RunAttempt, attempts};
pub use counts::{Counted, MOST_COUNTED, count};
pub use filter::{Filter, Initiator, StartedBy, initiators, list};
pub use lease::{
    Claim, KindLimits, Limits, Liveness, Renewal, Swept, abandon, cancelled_of, claim, hold, liveness, release, renew,
    sweep_expired,
};
pub use list::{
    Overdue, QueueDepth, Waiting, active, active_in, active_of_person, active_seen, is_active_anywhere, of_person,
    oldest_pending, overdue, queue_depth, waiting,
};
pub use progress::{
    CancelOutcome, End, Rest, Settled, end_unclaimed, finish, request_cancel, set_news, set_pauses, set_progress,
    settle,
};
pub use units::{UnitTime, keep_times, unit_times};

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use sqlx::{AssertSqlSafe, FromRow};
use tenantatlas_domain::ids::{CorrelationId, OperationRunId, ScheduleId, TenantId, UserId};
use tenantatlas_domain::live::Progress;
use tenantatlas_domain::news::News;
use tenantatlas_domain::operation::{Counters, Failure, OperationStatus};
use tenantatlas_domain::pauses::Pauses;
use tenantatlas_domain::reason::ReasonCode;
use tenantatlas_domain::time::Timestamp;
use uuid::Uuid;

use crate::database::{Access, Run as _};
use crate::record::{Name, Nullable};
use crate::sql::{args, json};
use crate::{StoreError, Tx};

/// The runs that have not ended, as a condition on a row of `bulk_operation_runs`: word for word that of its partial indexes
/// `…_active` and `…_one_active`. A database uses those only for a query that says the same and concludes it from no other
/// condition, so a query for what is running says both: `status IN ('pending', 'running') AND status = 'running'`.
pub(crate) const ACTIVE: &str = "status IN ('pending', 'running')";

/// The right to write as the worker of a run.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Fence {
    /// The run.
    pub run_id: OperationRunId,
    /// Who holds the lease: unique to a worker of a process.
    pub owner: String,
    /// Which attempt, from 1.
    pub attempt: u32,
}

/// A run that is to be started when another ends well.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FollowUp {
    /// What it works on, `inventory`.
    pub resource: String,
    /// What it does, `sync`.
    pub action: String,
    /// What the operation needs to know; no secrets.
    pub payload: Json,
}

/// A new operation run.
#[derive(Clone, Debug)]
pub struct NewOperationRun {
    /// The id (version 7).
    pub id: OperationRunId,
    /// The tenant.
    pub tenant_id: TenantId,
    /// The person who started it; `None` for the system and the command line.
    pub user_id: Option<UserId>,
    /// The token of the API with which it was started; there is no person then.
    pub token_id: Option<Uuid>,
    /// The name of who started it, as it is now.
    pub initiator: String,
    /// What it works on, `inventory`.
    pub resource: String,
    /// What it does, `sync`.
    pub action: String,
    /// The same key, the same work: only one active run may have it in a tenant.
    pub idempotency_key: String,
    /// Ties log lines and records together.
    pub correlation_id: CorrelationId,
    /// What the operation needs to know; no secrets.
    pub payload: Json,
    /// The stable ids of what it works through, for an inventory sync the policy type keys. Their number is the total.
    pub item_ids: Vec<String>,
    /// The audit entry of the dispatch, which is written in the same transaction.
    pub audit_log_id: Uuid,
    /// The run this one tries again.
    pub retry_of: Option<OperationRunId>,
    /// The run after whose good end this one was started.
    pub follows: Option<OperationRunId>,
    /// What is to be started when this one ends well, in this order.
    pub follow_ups: Vec<FollowUp>,
    /// The schedule that started it, or the run that it follows.
    pub schedule_id: Option<ScheduleId>,
}

/// An operation run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, FromRow)]
pub struct OperationRun {
    /// The id.
    #[sqlx(try_from = "Uuid")]
    pub id: OperationRunId,
    /// The tenant.
    #[sqlx(try_from = "Uuid")]
    pub tenant_id: TenantId,
    /// The name of the tenant, as it was when the run was dispatched.
    #[sqlx(try_from = "Name")]
    pub tenant_name: String,
    /// The person who started it; `None` for the system and the command line.
    #[sqlx(try_from = "Nullable<Uuid>")]
    pub user_id: Option<UserId>,
    /// The token of the API with which it was started; there is no person then.
    pub token_id: Option<Uuid>,
    /// The name of who started it, as it was then.
    #[sqlx(try_from = "Name")]
    pub initiator: String,
    /// What it works on.
    pub resource: String,
    /// What it does.
    pub action: String,
    /// The key of which only one active run may exist in a tenant.
    pub idempotency_key: String,
    /// Ties log lines and records together.
    #[sqlx(try_from = "Uuid")]
    pub correlation_id: CorrelationId,
    /// What the operation needs to know.
    #[sqlx(json)]
    pub payload: Json,
    /// The state.
    #[sqlx(try_from = "String")]
    pub status: OperationStatus,
    /// The counters, in items.
    #[sqlx(flatten, try_from = "CounterColumns")]
    pub counters: Counters,
    /// The stable ids of its items.
    #[sqlx(json)]
    pub item_ids: Vec<String>,
    /// What did not succeed, the first of it.
    #[sqlx(json)]
    pub failures: Vec<Failure>,
    /// How many more did not succeed.
    #[sqlx(try_from = "i64")]
    pub failures_omitted: u32,
    /// Why it ended as it did, when that is one reason.
    #[sqlx(try_from = "Nullable<String>")]
    pub reason_code: Option<ReasonCode>,
    /// Why something of it was not done, each reason once, and why it ended where that is one reason.
    #[sqlx(try_from = "StoredReasons")]
    pub reasons: Vec<ReasonCode>,
    /// How far it is within its units.
    #[sqlx(try_from = "StoredProgress")]
    pub progress: Progress,
    /// What it found that was not known before, once it came to its own end and where its operation tells that.
    #[sqlx(json(nullable))]
    pub news: Option<News>,
    /// The audit entry of the dispatch.
    pub audit_log_id: Option<Uuid>,
    /// The run this one tries again.
    #[sqlx(try_from = "Nullable<Uuid>")]
    pub retry_of: Option<OperationRunId>,
    /// The run after whose good end this one was started.
    #[sqlx(try_from = "Nullable<Uuid>")]
    pub follows: Option<OperationRunId>,
    /// What is to be started when this one ends well, in this order.
    #[sqlx(json)]
    pub follow_ups: Vec<FollowUp>,
    /// The schedule that started it, or the run that it follows.
    #[sqlx(try_from = "Nullable<Uuid>")]
    pub schedule_id: Option<ScheduleId>,
    /// When somebody asked to cancel it.
    #[sqlx(try_from = "Nullable<i64>")]
    pub cancel_requested_at: Option<Timestamp>,
    /// Who asked to cancel it.
    #[sqlx(try_from = "Nullable<Name>")]
    pub cancel_requested_by: Option<String>,
    /// That person; `None` where it was nobody who signs in, and for what was cancelled before version 19.
    #[sqlx(try_from = "Nullable<Uuid>")]
    pub cancel_requested_by_id: Option<UserId>,
    /// The worker that holds it.
    pub lease_owner: Option<String>,
    /// How often it was claimed.
    #[sqlx(try_from = "i64")]
    pub attempt: u32,
    /// How often a worker was lost.
    #[sqlx(try_from = "i64")]
    pub lost_leases: u32,
    /// When the cloud let nothing in, since it had said 429. Known once an attempt has ended.
    #[sqlx(json)]
    pub pauses: Pauses,
    /// When it was dispatched.
    #[sqlx(try_from = "i64")]
    pub created_at: Timestamp,
    /// When it last changed.
    #[sqlx(try_from = "i64")]
    pub updated_at: Timestamp,
    /// When work began.
    #[sqlx(try_from = "Nullable<i64>")]
    pub started_at: Option<Timestamp>,
    /// When it ended.
    #[sqlx(try_from = "Nullable<i64>")]
    pub finished_at: Option<Timestamp>,
}

/// The columns of [`Counters`].
#[derive(FromRow)]
pub struct CounterColumns {
    #[sqlx(try_from = "i64")]
    total_items: u32,
    #[sqlx(try_from = "i64")]
    processed_items: u32,
    #[sqlx(try_from = "i64")]
    succeeded: u32,
    #[sqlx(try_from = "i64")]
    failed: u32,
    #[sqlx(try_from = "i64")]
    skipped: u32,
}

impl From<CounterColumns> for Counters {
    fn from(columns: CounterColumns) -> Self {
        let CounterColumns { total_items: total, processed_items: processed, succeeded, failed, skipped } = columns;
        Self { total, processed, succeeded, failed, skipped }
    }
}

impl OperationRun {
    /// The fence of the worker that holds it now.
    #[must_use]
    pub fn fence(&self) -> Option<Fence> {
        let owner = self.lease_owner.clone()?;
        Some(Fence { run_id: self.id, owner, attempt: self.attempt })
    }
}

/// Reasons as they are stored: `,license_missing,throttled,`, so that each is found between commas. Codes of another version
/// say nothing.
#[derive(sqlx::Type)]
#[sqlx(transparent)]
struct StoredReasons(String);

impl From<StoredReasons> for Vec<ReasonCode> {
    fn from(stored: StoredReasons) -> Self {
        stored.0.split(',').filter_map(|code| code.parse().ok()).collect()
    }
}

/// The reasons as they are stored.
fn stored_reasons(reasons: &[ReasonCode]) -> String {
    if reasons.is_empty() {
        return String::new();
    }
    let codes: Vec<&str> = reasons.iter().map(|reason| reason.as_str()).collect();
    format!(",{},", codes.join(","))
}

/// Progress as it is stored. A form of another version says nothing; the next word of the worker replaces it.
#[derive(sqlx::Type)]
#[sqlx(transparent)]
struct StoredProgress(sqlx::types::Json<Json>);

impl From<StoredProgress> for Progress {
    fn from(stored: StoredProgress) -> Self {
        Self::deserialize(stored.0.0).unwrap_or_default()
    }
}

/// What became of a dispatch.
#[derive(Clone, Debug, PartialEq)]
pub enum Created {
    /// The run was created and waits.
    New(OperationRun),
    /// The same work is active already; nothing was written.
    AlreadyActive(OperationRun),
}

/// Creates a run, unless an active one has the same key: then that one is answered. The partial unique index decides,
/// so two dispatches at the same moment make one run.
///
/// # Errors
/// When the tenant does not exist, or the database fails.
pub async fn create(tx: &mut Tx, new: &NewOperationRun, at: Timestamp) -> Result<Created, StoreError> {
    // The active run may end between the insert and the look-up; then the insert is tried again.
    for _ in 0..3 {
        let total = u32::try_from(new.item_ids.len()).unwrap_or(u32::MAX);
        let text = format!(
            "INSERT INTO bulk_operation_runs (id, tenant_id, user_id, initiator, resource, action, idempotency_key,
                 correlation_id, payload, status, total_items, item_ids, failures, progress, audit_log_id, retry_of,
                 follows, follow_ups, created_at, updated_at, schedule_id, token_id, tenant_name)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'pending', $10, $11, $12, $13, $14, $15, $16, $17, $18, $18, $19, $20,
                 (SELECT name FROM tenants WHERE id = $2))
             ON CONFLICT (tenant_id, idempotency_key) WHERE {ACTIVE} DO NOTHING
             RETURNING *"
        );
        let values = args![
            new.id,
            new.tenant_id,
            new.user_id,
            new.initiator.as_str(),
            new.resource.as_str(),
            new.action.as_str(),
            new.idempotency_key.as_str(),
            new.correlation_id,
            json(&new.payload),
            total,
            json(&new.item_ids),
            json(&Vec::<Failure>::new()),
            json(&Progress::default()),
            new.audit_log_id,
            new.retry_of,
            new.follows,
            json(&new.follow_ups),
            at,
            new.schedule_id,
            new.token_id
        ];
        let run: Option<OperationRun> = tx.row(AssertSqlSafe(text), &values).await?;
        if let Some(run) = run {
            return Ok(Created::New(run));
        }
        if let Some(run) = find_active(&mut *tx, new.tenant_id, &new.idempotency_key).await? {
            return Ok(Created::AlreadyActive(run));
        }
    }
    Err(StoreError::Busy)
}

/// The active run with this key.
///
/// # Errors
/// When the database fails.
pub async fn find_active(
    mut on: impl Access,
    tenant: TenantId,
    idempotency_key: &str,
) -> Result<Option<OperationRun>, StoreError> {
    let text = format!("SELECT * FROM bulk_operation_runs WHERE tenant_id = $1 AND idempotency_key = $2 AND {ACTIVE}");
    on.row(AssertSqlSafe(text), &args![tenant, idempotency_key]).await
}

/// A run of a tenant.
///
/// # Errors
/// When the database fails.
pub async fn get(
    mut on: impl Access,
    tenant: TenantId,
    id: OperationRunId,
) -> Result<Option<OperationRun>, StoreError> {
    on.row("SELECT * FROM bulk_operation_runs WHERE id = $1 AND tenant_id = $2", &args![id, tenant]).await
}
