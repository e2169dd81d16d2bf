//! Schedules that are due, of all tenants: taken, started, put off or stopped; and what became of what they started.

use sqlx::FromRow;
use tenantatlas_domain::ids::{OperationRunId, ScheduleId};
use tenantatlas_domain::operation::OperationStatus;
use tenantatlas_domain::time::Timestamp;
use uuid::Uuid;

use super::Schedule;
use crate::database::{Access, Run as _};
use crate::sql::args;
use crate::{StoreError, Tx};

/// What is due by now, the longest due first, of all tenants.
///
/// # Errors
/// When the database fails.
pub async fn due(mut on: impl Access, now: Timestamp, limit: u32) -> Result<Vec<Schedule>, StoreError> {
    on.rows(
        "SELECT * FROM schedules WHERE state = 'active' AND due_at <= $1 ORDER BY due_at, id LIMIT $2",
        &args![now, limit],
    )
    .await
}

/// The right to start a schedule at one of its times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The schedule.
    pub schedule: ScheduleId,
    /// The time that is taken: somebody else took it when the schedule has another one.
    pub due_at: Timestamp,
    /// When it is due after that; `None` when the pattern names no time any more.
    pub next: Option<(Timestamp, String)>,
}

/// Takes the due time of a schedule. Answers whether it was still there.
///
/// # Errors
/// When the database fails.
pub async fn claim(tx: &mut Tx, claim: &Claim, at: Timestamp) -> Result<bool, StoreError> {
    let taken = match &claim.next {
        Some((due_at, local)) => {
            tx.execute(
                "UPDATE schedules SET due_at = $3, due_local = $4, updated_at = $5
                 WHERE id = $1 AND due_at = $2 AND state = 'active'",
                &args![claim.schedule, claim.due_at, *due_at, local, at],
            )
            .await?
        }
        None => {
            let words = "The pattern names no time any more: change it.";
            tx.execute(
                "UPDATE schedules SET state = 'stopped', due_at = NULL, stopped_because = $3, updated_at = $4
                 WHERE id = $1 AND due_at = $2 AND state = 'active'",
                &args![claim.schedule, claim.due_at, words, at],
            )
            .await?
        }
    };
    Ok(taken == 1)
}

/// Notes the run that a claimed schedule started, or that did the same already, which `trouble` then says.
///
/// # Errors
/// When the database fails.
pub async fn started(
    tx: &mut Tx,
    schedule: ScheduleId,
    run: OperationRunId,
    trouble: Option<&str>,
    at: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE schedules SET last_run_id = $2, last_started_at = $3, trouble = $4, settled = FALSE WHERE id = $1",
        &args![schedule, run, at, trouble],
    )
    .await
    .map(|_| ())
}

/// Tries a due time again later, and notes why. Answers whether it was still there.
///
/// # Errors
/// When the database fails.
pub async fn put_off(
    tx: &mut Tx,
    schedule: ScheduleId,
    due_at: Timestamp,
    until: Timestamp,
    trouble: &str,
) -> Result<bool, StoreError> {
    let put_off = tx
        .execute(
            "UPDATE schedules SET due_at = $3, trouble = $4 WHERE id = $1 AND due_at = $2 AND state = 'active'",
            &args![schedule, due_at, until, trouble],
        )
        .await?;
    Ok(put_off == 1)
}

/// Stops a schedule at a due time, and notes why. Answers whether it was still there.
///
/// # Errors
/// When the database fails.
pub async fn stop(
    tx: &mut Tx,
    schedule: ScheduleId,
    due_at: Timestamp,
    because: &str,
    at: Timestamp,
) -> Result<bool, StoreError> {
    let stopped = tx
        .execute(
            "UPDATE schedules SET state = 'stopped', due_at = NULL, stopped_because = $3, updated_at = $4
             WHERE id = $1 AND due_at = $2 AND state = 'active'",
            &args![schedule, due_at, because, at],
        )
        .await?;
    Ok(stopped == 1)
}

/// A last run that has ended, and is not noted yet.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct EndedRun {
    /// The schedule.
    #[sqlx(try_from = "Uuid")]
    pub schedule_id: ScheduleId,
    /// Its last run.
    #[sqlx(try_from = "Uuid")]
    pub run_id: OperationRunId,
    /// What it works on.
    pub resource: String,
    /// What it does.
    pub action: String,
    /// How it ended.
    #[sqlx(try_from = "String")]
    pub status: OperationStatus,
    /// When.
    #[sqlx(try_from = "i64")]
    pub finished_at: Timestamp,
}

/// Last runs that have ended and are not noted yet, of all tenants.
///
/// # Errors
/// When the database fails.
pub async fn unsettled(mut on: impl Access, limit: u32) -> Result<Vec<EndedRun>, StoreError> {
    on.rows(
        "SELECT s.id AS schedule_id, r.id AS run_id, r.resource, r.action, r.status, r.finished_at
         FROM schedules s
         JOIN bulk_operation_runs r ON r.id = s.last_run_id
         WHERE s.settled = FALSE AND r.finished_at IS NOT NULL
         LIMIT $1",
        &args![limit],
    )
    .await
}

/// Notes what became of the last run of a schedule: when it succeeded, if it did.
///
/// # Errors
/// When the database fails.
pub async fn settle(
    tx: &mut Tx,
    schedule: ScheduleId,
    run: OperationRunId,
    succeeded_at: Option<Timestamp>,
) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE schedules
         SET settled = TRUE, last_succeeded_at = COALESCE($3, last_succeeded_at),
             overdue_told_at = CASE WHEN $4 = TRUE THEN NULL ELSE overdue_told_at END
         WHERE id = $1 AND last_run_id = $2",
        &args![schedule, run, succeeded_at, succeeded_at.is_some()],
    )
    .await
    .map(|_| ())
}

/// Schedules that have not succeeded for twice their period and of which nobody was told, of all tenants.
///
/// # Errors
/// When the database fails.
pub async fn overdue_untold(mut on: impl Access, now: Timestamp, limit: u32) -> Result<Vec<Schedule>, StoreError> {
    on.rows(
        "SELECT *
         FROM schedules
         WHERE state = 'active' AND overdue_told_at IS NULL AND counted_from + 2 * period_ms < $1
             AND (last_succeeded_at IS NULL OR last_succeeded_at + 2 * period_ms < $1)
         LIMIT $2",
        &args![now, limit],
    )
    .await
}

/// Notes that people are told that a schedule is overdue. Answers whether they were not told before.
///
/// # Errors
/// When the database fails.
pub async fn tell_overdue(tx: &mut Tx, schedule: ScheduleId, at: Timestamp) -> Result<bool, StoreError> {
    let told = tx
        .execute(
            "UPDATE schedules SET overdue_told_at = $2 WHERE id = $1 AND overdue_told_at IS NULL AND state = 'active'",
            &args![schedule, at],
        )
        .await?;
    Ok(told == 1)
}
