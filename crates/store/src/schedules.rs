//! What is started by the clock (`docs/rules.md`, section Schedules): which work, when next, and what became of it.
//!
//! Patterns and zones are read elsewhere; a row says when it is due. Whoever starts it takes the due time by comparing it, in the
//! transaction that dispatches the run ([`claim`]), so that of several processes one starts it.

mod due;

pub use due::{Claim, EndedRun, claim, due, overdue_untold, put_off, settle, started, stop, tell_overdue, unsettled};

use serde_json::Value as Json;
use sqlx::FromRow;
use tenantatlas_domain::ids::{OperationRunId, ScheduleId, TenantId, UserId};
use tenantatlas_domain::operation::OperationStatus;
use tenantatlas_domain::time::Timestamp;
use uuid::Uuid;

use crate::database::{Access, Run as _};
use crate::record::{Name, Nullable};
use crate::sql::{args, json};
use crate::{StoreError, Tx};

/// Rows of a list, at most.
pub const MOST_LISTED: u32 = 2_000;

tenantatlas_domain::named! {
    /// Whether a schedule starts anything.
    pub enum ScheduleState: UnknownScheduleState, "state of a schedule" {
        /// It does.
        Active = "active",
        /// A person paused it.
        Paused = "paused",
        /// It could not go on; it tells why.
        Stopped = "stopped",
    }
}

/// A schedule of a tenant.
#[derive(Clone, Debug, PartialEq, FromRow)]
pub struct Schedule {
    /// The id.
    #[sqlx(try_from = "Uuid")]
    pub id: ScheduleId,
    /// The tenant.
    #[sqlx(try_from = "Uuid")]
    pub tenant_id: TenantId,
    /// The same for schedules that were made together for many tenants.
    pub group_id: Option<Uuid>,
    /// Its name, unique in the tenant whatever the case.
    #[sqlx(try_from = "Name")]
    pub name: String,
    /// What its runs work on.
    pub resource: String,
    /// What its runs do.
    pub action: String,
    /// What was chosen of the work; no secrets.
    #[sqlx(json)]
    pub options: Json,
    /// When, as a pattern of cron.
    pub cron: String,
    /// The time zone of the pattern.
    pub zone: String,
    /// Over how many minutes the schedules that were made together are spread; 0 for one of a single tenant.
    #[sqlx(try_from = "i64")]
    pub spread_minutes: u32,
    /// How long after the times of the pattern it starts, in milliseconds.
    pub offset_ms: i64,
    /// Whether it starts anything.
    #[sqlx(try_from = "String")]
    pub state: ScheduleState,
    /// Why it stopped, as a sentence.
    pub stopped_because: Option<String>,
    /// Whether a person answers for it; else it was made at the command line.
    pub by_person: bool,
    /// That person; `None` once they are removed.
    #[sqlx(try_from = "Nullable<Uuid>")]
    pub created_by: Option<UserId>,
    /// The name of who made it or changed it last.
    #[sqlx(try_from = "Name")]
    pub creator: String,
    /// The longest time between two of its times, in milliseconds.
    pub period_ms: i64,
    /// When it is due next; `None` unless it is active.
    #[sqlx(try_from = "Nullable<i64>")]
    pub due_at: Option<Timestamp>,
    /// The local minute which that stands for: `2026-10-25T02:30`.
    pub due_local: Option<String>,
    /// The last run that it started.
    #[sqlx(try_from = "Nullable<Uuid>")]
    pub last_run_id: Option<OperationRunId>,
    /// When that was.
    #[sqlx(try_from = "Nullable<i64>")]
    pub last_started_at: Option<Timestamp>,
    /// Whether what became of the last run is known.
    pub settled: bool,
    /// When a run of it last ended well.
    #[sqlx(try_from = "Nullable<i64>")]
    pub last_succeeded_at: Option<Timestamp>,
    /// Since when it is expected to succeed: when it was made, changed or resumed.
    #[sqlx(try_from = "i64")]
    pub counted_from: Timestamp,
    /// When people were told that it is overdue; `None` when they were not, or it has succeeded since.
    #[sqlx(try_from = "Nullable<i64>")]
    pub overdue_told_at: Option<Timestamp>,
    /// Why its last time started nothing, as a sentence.
    pub trouble: Option<String>,
    /// Which change of what it is and when this is, counted from 1.
    #[sqlx(try_from = "i64")]
    pub revision: u32,
    /// When it was made.
    #[sqlx(try_from = "i64")]
    pub created_at: Timestamp,
    /// When it last changed.
    #[sqlx(try_from = "i64")]
    pub updated_at: Timestamp,
}

impl Schedule {
    /// Whether it has not succeeded for twice its period.
    #[must_use]
    pub fn is_overdue(&self, now: Timestamp) -> bool {
        let since = self.last_succeeded_at.max(Some(self.counted_from)).unwrap_or(self.counted_from);
        self.state == ScheduleState::Active
            && now.as_millis().saturating_sub(since.as_millis()) > self.period_ms.saturating_mul(2)
    }
}

/// A schedule as lists show it.
#[derive(Clone, Debug, PartialEq, FromRow)]
pub struct ListedSchedule {
    /// The schedule.
    #[sqlx(flatten)]
    pub schedule: Schedule,
    /// The name of its tenant.
    #[sqlx(try_from = "Name")]
    pub tenant_name: String,
    /// The state of its last run, while that is kept.
    #[sqlx(try_from = "Nullable<String>")]
    pub last_status: Option<OperationStatus>,
}

/// A new schedule.
#[derive(Clone, Debug)]
pub struct NewSchedule {
    /// The id (version 7).
    pub id: ScheduleId,
    /// The tenant.
    pub tenant_id: TenantId,
    /// The same for schedules that are made together.
    pub group_id: Option<Uuid>,
    /// What it is and when.
    pub what: ScheduleChange,
}

/// What of a schedule is chosen.
#[derive(Clone, Debug)]
pub struct ScheduleChange {
    /// Its name.
    pub name: String,
    /// What its runs work on.
    pub resource: String,
    /// What its runs do.
    pub action: String,
    /// What was chosen of the work.
    pub options: Json,
    /// When, as a pattern of cron.
    pub cron: String,
    /// The time zone of the pattern.
    pub zone: String,
    /// Over how many minutes those that are made together are spread.
    pub spread_minutes: u32,
    /// How long after the times of the pattern it starts, in milliseconds.
    pub offset_ms: i64,
    /// The person who answers for it; `None` for the command line.
    pub created_by: Option<UserId>,
    /// The name of who makes or changes it.
    pub creator: String,
    /// The longest time between two of its times, in milliseconds.
    pub period_ms: i64,
    /// When it is due first.
    pub due_at: Timestamp,
    /// The local minute which that stands for.
    pub due_local: String,
}

/// Adds a schedule. A name that is taken is a conflict ([`StoreError::is_conflict`]).
///
/// # Errors
/// When the name is taken, or the database fails.
pub async fn add(tx: &mut Tx, new: &NewSchedule, at: Timestamp) -> Result<(), StoreError> {
    let what = &new.what;
    tx.execute(
        "INSERT INTO schedules (id, tenant_id, group_id, name, name_key, resource, action, options, cron, zone,
             spread_minutes, offset_ms, state, by_person, created_by, creator, period_ms, due_at, due_local, settled,
             counted_from, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 'active', $13, $14, $15, $16, $17, $18, TRUE, $19, $19, $19)",
        &args![
            new.id,
            new.tenant_id,
            new.group_id,
            &what.name,
            what.name.to_lowercase(),
            &what.resource,
            &what.action,
            json(&what.options),
            &what.cron,
            &what.zone,
            what.spread_minutes,
            what.offset_ms,
            what.created_by.is_some(),
            what.created_by,
            &what.creator,
            what.period_ms,
            what.due_at,
            &what.due_local,
            at
        ],
    )
    .await
    .map(|_| ())
}

/// The schedules of a tenant, by name.
///
/// # Errors
/// When the database fails.
pub async fn list(mut on: impl Access, tenant: TenantId) -> Result<Vec<ListedSchedule>, StoreError> {
    on.rows(
        "SELECT s.*, t.name AS tenant_name, r.status AS last_status
         FROM schedules s
         JOIN tenants t ON t.id = s.tenant_id AND t.removed_at IS NULL
         LEFT JOIN bulk_operation_runs r ON r.id = s.last_run_id AND r.tenant_id = s.tenant_id
         WHERE s.tenant_id = $1
         ORDER BY s.name_key",
        &args![tenant],
    )
    .await
}

/// The schedules of all tenants that exist for a person, by name and tenant, at most [`MOST_LISTED`]; all there are without a
/// person, for the command line.
///
/// # Errors
/// When the database fails.
pub async fn list_seen(mut on: impl Access, seen_by: Option<UserId>) -> Result<Vec<ListedSchedule>, StoreError> {
    on.rows(
        "SELECT s.*, t.name AS tenant_name, r.status AS last_status
         FROM schedules s
         JOIN tenants t ON t.id = s.tenant_id AND t.removed_at IS NULL
         LEFT JOIN bulk_operation_runs r ON r.id = s.last_run_id AND r.tenant_id = s.tenant_id
         WHERE $1 = FALSE
             OR EXISTS (SELECT 1 FROM users u WHERE u.id = $2 AND u.platform_admin = TRUE AND u.disabled_at IS NULL)
             OR s.tenant_id IN (
                 SELECT m.tenant_id
                 FROM tenant_members m
                 JOIN users u ON u.id = m.user_id AND u.disabled_at IS NULL
                 WHERE m.user_id = $2)
         ORDER BY s.name_key, s.group_id, t.name_key, s.id
         LIMIT $3",
        &args![seen_by.is_some(), seen_by, MOST_LISTED],
    )
    .await
}

/// A schedule of a tenant.
///
/// # Errors
/// When the database fails.
pub async fn get(mut on: impl Access, tenant: TenantId, id: ScheduleId) -> Result<Option<Schedule>, StoreError> {
    on.row("SELECT * FROM schedules WHERE id = $1 AND tenant_id = $2", &args![id, tenant]).await
}

/// The tenant of a schedule, for the command line.
///
/// # Errors
/// When the database fails.
pub async fn tenant_of(mut on: impl Access, id: ScheduleId) -> Result<Option<TenantId>, StoreError> {
    let tenant: Option<Uuid> = on.value("SELECT tenant_id FROM schedules WHERE id = $1", &args![id]).await?;
    Ok(tenant.map(TenantId::from_uuid))
}

/// How many schedules a tenant has.
///
/// # Errors
/// When the database fails.
pub async fn count(mut on: impl Access, tenant: TenantId) -> Result<u64, StoreError> {
    let count: Option<i64> = on.value("SELECT COUNT(*) FROM schedules WHERE tenant_id = $1", &args![tenant]).await?;
    Ok(count.map_or(0, i64::unsigned_abs))
}

/// Changes what a schedule is and when. It is active afterwards unless it is paused, and what it stopped for is forgotten.
/// Answers whether there is such a schedule in this revision.
///
/// # Errors
/// When the name is taken, or the database fails.
pub async fn change(
    tx: &mut Tx,
    (tenant, id, revision): (TenantId, ScheduleId, u32),
    what: &ScheduleChange,
    at: Timestamp,
) -> Result<bool, StoreError> {
    let changed = tx
        .execute(
            "UPDATE schedules
             SET name = $3, name_key = $4, resource = $5, action = $6, options = $7, cron = $8, zone = $9,
                 spread_minutes = $10, offset_ms = $11, by_person = $12, created_by = $13, creator = $14, period_ms = $15,
                 state = CASE WHEN state = 'paused' THEN 'paused' ELSE 'active' END,
                 due_at = CASE WHEN state = 'paused' THEN NULL ELSE $16 END,
                 due_local = $17, stopped_because = NULL, overdue_told_at = NULL, trouble = NULL, counted_from = $18,
                 updated_at = $18, revision = revision + 1
             WHERE id = $1 AND tenant_id = $2 AND revision = $19",
            &args![
                id,
                tenant,
                &what.name,
                what.name.to_lowercase(),
                &what.resource,
                &what.action,
                json(&what.options),
                &what.cron,
                &what.zone,
                what.spread_minutes,
                what.offset_ms,
                what.created_by.is_some(),
                what.created_by,
                &what.creator,
                what.period_ms,
                what.due_at,
                &what.due_local,
                at,
                revision
            ],
        )
        .await?;
    Ok(changed == 1)
}

/// Pauses a schedule. Answers whether it was not paused before.
///
/// # Errors
/// When the database fails.
pub async fn pause(tx: &mut Tx, tenant: TenantId, id: ScheduleId, at: Timestamp) -> Result<bool, StoreError> {
    let paused = tx
        .execute(
            "UPDATE schedules
             SET state = 'paused', due_at = NULL, stopped_because = NULL, overdue_told_at = NULL, updated_at = $3
             WHERE id = $1 AND tenant_id = $2 AND state <> 'paused'",
            &args![id, tenant, at],
        )
        .await?;
    Ok(paused == 1)
}

/// Lets a schedule that is paused or has stopped go on, at this time next, with the rights of whoever says so. Answers whether
/// it was not active before.
///
/// # Errors
/// When the database fails.
pub async fn resume(
    tx: &mut Tx,
    (tenant, id): (TenantId, ScheduleId),
    (due_at, due_local): (Timestamp, &str),
    (created_by, creator): (Option<UserId>, &str),
    at: Timestamp,
) -> Result<bool, StoreError> {
    let resumed = tx
        .execute(
            "UPDATE schedules
             SET state = 'active', due_at = $3, due_local = $4, by_person = $5, created_by = $6, creator = $7,
                 stopped_because = NULL, trouble = NULL, overdue_told_at = NULL, counted_from = $8, updated_at = $8
             WHERE id = $1 AND tenant_id = $2 AND state <> 'active'",
            &args![id, tenant, due_at, due_local, created_by.is_some(), created_by, creator, at],
        )
        .await?;
    Ok(resumed == 1)
}

/// Removes a schedule. Answers whether there was one.
///
/// # Errors
/// When the database fails.
pub async fn remove(tx: &mut Tx, tenant: TenantId, id: ScheduleId) -> Result<bool, StoreError> {
    Ok(tx.execute("DELETE FROM schedules WHERE id = $1 AND tenant_id = $2", &args![id, tenant]).await? == 1)
}
