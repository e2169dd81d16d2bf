//! Claiming, holding and losing runs.

use std::fmt::Write as _;
use std::time::Duration;

use sqlx::{AssertSqlSafe, FromRow};
use tenantatlas_domain::ids::{OperationRunId, TenantId};
use tenantatlas_domain::operation::OperationStatus;
use tenantatlas_domain::reason::ReasonCode;
use tenantatlas_domain::time::Timestamp;
use uuid::Uuid;

use super::attempts::{self, AttemptEnd};
use super::progress::{End, Rest, end_row};
use super::{ACTIVE, Fence, OperationRun};
use crate::database::Run as _;
use crate::sql::{Value, args};
use crate::{Db, StoreError, Tx, dialect};

/// How many runs of the same operation may be worked on at the same time, over all processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// In all.
    pub global: u32,
    /// In one tenant.
    pub per_tenant: u32,
}

/// The limits of one operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KindLimits {
    /// What it works on, `inventory`.
    pub resource: &'static str,
    /// What it does, `sync`.
    pub action: &'static str,
    /// How many of its runs may be worked on.
    pub limits: Limits,
}

/// Two terms for the limits of the run `c`, in all and in its tenant, whose values [`limit_values`] binds from the
/// placeholder number `first` on. A run of an operation that is not named has one place.
pub(super) fn limit_terms(kinds: &[KindLimits], first: usize) -> (String, String) {
    let term = |which: usize| {
        let mut text = "CASE".to_owned();
        for kind in 0..kinds.len() {
            let at = first + kind * 4;
            let _ = write!(
                text,
                " WHEN c.resource = ${at} AND c.action = ${} THEN CAST(${} AS BIGINT)",
                at + 1,
                at + 2 + which
            );
        }
        if kinds.is_empty() { "1".to_owned() } else { text + " ELSE 1 END" }
    };
    (term(0), term(1))
}

/// The values of [`limit_terms`].
pub(super) fn limit_values<'a>(kinds: &[KindLimits]) -> impl Iterator<Item = Value<'a>> {
    kinds.iter().flat_map(|kind| args![kind.resource, kind.action, kind.limits.global, kind.limits.per_tenant])
}

/// Who wants a run, for how long at first, and within which limits.
#[derive(Clone, Debug)]
pub struct Claim<'a> {
    /// The worker: unique over all processes.
    pub owner: &'a str,
    /// How long the claim holds without renewal.
    pub lease: Duration,
    /// How many runs of each operation may be worked on at the same time.
    pub limits: &'a [KindLimits],
}

/// What a renewal tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Renewal {
    /// Whether somebody asked to cancel the run.
    pub cancel_requested: bool,
}

/// Claims a run that waits, or that lost its worker, if the limits leave a place. What had begun comes first; then tenants take
/// turns: the one with the fewest runs under way, of these the one whose turn is longest ago, and of a tenant the oldest run.
/// So one with hundreds of runs holds nobody up. The claimed run is `running`, with a new attempt number.
///
/// # Errors
/// When the database fails.
pub async fn claim(tx: &mut Tx, claim: &Claim<'_>, at: Timestamp) -> Result<Option<OperationRun>, StoreError> {
    dialect::lock_claims(tx).await?;
    let lease_until = dialect::lease_end(tx, claim.lease).await?;
    let lock = dialect::for_update_skip_locked(tx.backend());
    let (global, per_tenant) = limit_terms(claim.limits, 4);
    let held = |which: &str| format!("COALESCE((SELECT SUM(h.runs) FROM held h WHERE {which}), 0)");
    let (of_kind, of_tenant) = ("h.resource = c.resource AND h.action = c.action", "h.tenant_id = c.tenant_id");
    let (in_all, in_tenant, of_any_kind) =
        (held(of_kind), held(&format!("{of_kind} AND {of_tenant}")), held(of_tenant));
    let text = format!(
        "WITH held AS MATERIALIZED (
             SELECT r.tenant_id, r.resource, r.action, COUNT(*) AS runs
             FROM bulk_operation_runs r
             WHERE r.{ACTIVE} AND r.status = 'running' AND r.lease_owner IS NOT NULL
             GROUP BY r.tenant_id, r.resource, r.action)
         UPDATE bulk_operation_runs
         SET status = 'running', lease_owner = $1, lease_until = $2, attempt = attempt + 1,
             started_at = COALESCE(started_at, $3), updated_at = $3
         WHERE id = (
             SELECT c.id
             FROM bulk_operation_runs c
             WHERE c.{ACTIVE} AND c.lease_owner IS NULL AND {in_all} < {global} AND {in_tenant} < {per_tenant}
             ORDER BY CASE c.status WHEN 'running' THEN 0 ELSE 1 END, {of_any_kind},
                 COALESCE((SELECT MAX(b.started_at)
                     FROM bulk_operation_runs b
                     WHERE b.tenant_id = c.tenant_id AND b.started_at IS NOT NULL), 0),
                 c.created_at, c.id
             LIMIT 1{lock})
         RETURNING *"
    );
    let values: Vec<Value<'_>> =
        args![claim.owner, lease_until, at].into_iter().chain(limit_values(claim.limits)).collect();
    let claimed: Option<OperationRun> = tx.row(AssertSqlSafe(text), &values).await?;
    if let Some(run) = &claimed {
        attempts::begin(tx, run, at).await?;
    }
    Ok(claimed)
}

/// Makes sure that the worker still holds its run, and keeps it so until the transaction ends: nobody else can claim
/// the run meanwhile. Comes before everything that a transaction writes for a run.
///
/// # Errors
/// [`StoreError::LeaseLost`].
pub async fn hold(tx: &mut Tx, fence: &Fence) -> Result<(), StoreError> {
    let text = format!(
        "SELECT cancel_requested_at
         FROM bulk_operation_runs
         WHERE id = $1 AND lease_owner = $2 AND attempt = $3 AND status = 'running'{}",
        dialect::for_share(tx.backend())
    );
    let held: Option<Option<i64>> =
        tx.value(AssertSqlSafe(text), &args![fence.run_id, fence.owner.as_str(), fence.attempt]).await?;
    held.map(|_| ()).ok_or(StoreError::LeaseLost)
}

/// Holds the lease for longer.
///
/// # Errors
/// [`StoreError::LeaseLost`] when another worker has the run, or it has ended.
pub async fn renew(tx: &mut Tx, fence: &Fence, lease: Duration) -> Result<Renewal, StoreError> {
    let lease_until = dialect::lease_end(tx, lease).await?;
    let cancel_requested_at: Option<Option<i64>> = tx
        .value(
            "UPDATE bulk_operation_runs
             SET lease_until = $4
             WHERE id = $1 AND lease_owner = $2 AND attempt = $3 AND status = 'running'
             RETURNING cancel_requested_at",
            &args![fence.run_id, fence.owner.as_str(), fence.attempt, lease_until],
        )
        .await?;
    let cancel_requested_at = cancel_requested_at.ok_or(StoreError::LeaseLost)?;
    Ok(Renewal { cancel_requested: cancel_requested_at.is_some() })
}

/// The runs that a process holds although somebody asked to cancel them. Of every tenant: a process works for all.
///
/// # Errors
/// When the database fails.
pub async fn cancelled_of(db: &Db, owner: &str) -> Result<Vec<OperationRunId>, StoreError> {
    let text = format!(
        "SELECT id AS value
         FROM bulk_operation_runs
         WHERE {ACTIVE} AND status = 'running' AND lease_owner = $1 AND cancel_requested_at IS NOT NULL"
    );
    let mut on = db;
    let ids: Vec<Uuid> = on.values(AssertSqlSafe(text), &args![owner]).await?;
    Ok(ids.into_iter().map(OperationRunId::from_uuid).collect())
}

/// Gives a run back without ending it, so that another worker goes on at once. It does not count as a lost worker.
///
/// # Errors
/// [`StoreError::LeaseLost`] when it was not held any more.
pub async fn release(tx: &mut Tx, fence: &Fence, at: Timestamp) -> Result<(), StoreError> {
    let released = tx
        .execute(
            "UPDATE bulk_operation_runs
             SET lease_owner = NULL, lease_until = 0, updated_at = $4
             WHERE id = $1 AND lease_owner = $2 AND attempt = $3 AND status = 'running'",
            &args![fence.run_id, fence.owner.as_str(), fence.attempt, at],
        )
        .await?;
    if released != 1 {
        return Err(StoreError::LeaseLost);
    }
    attempts::end(tx, fence.run_id, fence.attempt, AttemptEnd::GivenBack, at).await
}

/// Lets a lease end now, as that of a worker that was lost: the next sweep finds it.
///
/// # Errors
/// [`StoreError::LeaseLost`] when it was not held any more.
pub async fn abandon(tx: &mut Tx, fence: &Fence) -> Result<(), StoreError> {
    let abandoned = tx
        .execute(
            "UPDATE bulk_operation_runs
             SET lease_until = 1
             WHERE id = $1 AND lease_owner = $2 AND attempt = $3 AND status = 'running'",
            &args![fence.run_id, fence.owner.as_str(), fence.attempt],
        )
        .await?;
    if abandoned == 1 { Ok(()) } else { Err(StoreError::LeaseLost) }
}

/// Whether a lease is over, as a term of a query on the row `row`: its end has passed, or lies further ahead than any
/// lease that is given now. The latter is what a clock that was set back leaves behind, and would hold the run for as
/// long as it was set back.
/// `now` and `furthest` are terms too.
fn is_over(row: &str, now: &str, furthest: &str) -> String {
    format!("({row}lease_until < {now} OR {row}lease_until > {furthest})")
}

fn furthest(now: i64, longest: Duration) -> i64 {
    now.saturating_add(i64::try_from(longest.as_millis()).unwrap_or(i64::MAX))
}

/// A run and who could work on it, by the clock of the database.
#[derive(Clone, Debug, PartialEq)]
pub struct Liveness {
    /// The run.
    pub run: OperationRun,
    /// Until when its worker holds it; `None` when nobody does or the lease has expired.
    pub held_until: Option<i64>,
    /// Whether the limits leave a place for it: runs whose lease has expired take none.
    pub has_place: bool,
}

#[derive(FromRow)]
struct Standing {
    #[sqlx(flatten)]
    run: OperationRun,
    held: bool,
    lease_until: i64,
    #[sqlx(try_from = "i64")]
    in_all: u32,
    #[sqlx(try_from = "i64")]
    in_tenant: u32,
}

/// A run of a tenant and who could work on it now. `None` when there is no such run. `longest_lease` bounds how far
/// ahead the end of a lease can be.
///
/// # Errors
/// When the database fails.
pub async fn liveness(
    db: &Db,
    tenant: TenantId,
    id: OperationRunId,
    limits: Limits,
    longest_lease: Duration,
) -> Result<Option<Liveness>, StoreError> {
    let mut on = db;
    let now = dialect::now_millis(db).await?;
    let (over, theirs_over) = (is_over("c.", "$3", "$4"), is_over("r.", "$3", "$4"));
    let held = format!(
        "SELECT COUNT(*)
         FROM bulk_operation_runs r
         WHERE r.{ACTIVE} AND r.status = 'running' AND r.lease_owner IS NOT NULL
             AND r.resource = c.resource AND r.action = c.action AND NOT {theirs_over}"
    );
    let text = format!(
        "SELECT c.*, (c.lease_owner IS NOT NULL AND NOT {over}) AS held,
             ({held}) AS in_all,
             ({held} AND r.tenant_id = c.tenant_id) AS in_tenant
         FROM bulk_operation_runs c
         WHERE c.id = $1 AND c.tenant_id = $2"
    );
    let standing: Option<Standing> =
        on.row(AssertSqlSafe(text), &args![id, tenant, now, furthest(now, longest_lease)]).await?;
    Ok(standing.map(|standing| Liveness {
        held_until: standing.held.then_some(standing.lease_until),
        has_place: standing.in_all < limits.global && standing.in_tenant < limits.per_tenant,
        run: standing.run,
    }))
}

/// What a sweep found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Swept {
    /// Runs that wait for another worker now.
    pub requeued: Vec<OperationRun>,
    /// Runs that lost their worker too often and ended `failed` with `worker_lost`. What goes with an end (sync run,
    /// audit, notification) belongs into the same transaction.
    pub failed: Vec<OperationRun>,
}

/// Takes runs away from workers whose lease ended, or ends further ahead than `longest_lease`: the oldest `limit` of them.
/// `max_lost` is how many workers a run may lose in all before it fails.
///
/// # Errors
/// When the database fails.
pub async fn sweep_expired(
    tx: &mut Tx,
    max_lost: u32,
    longest_lease: Duration,
    limit: u32,
    at: Timestamp,
) -> Result<Swept, StoreError> {
    let now = dialect::now_millis(&mut *tx).await?;
    let (over, lock) = (is_over("", "$1", "$2"), dialect::for_update_skip_locked(tx.backend()));
    let text = format!(
        "SELECT *
         FROM bulk_operation_runs
         WHERE {ACTIVE} AND status = 'running' AND lease_owner IS NOT NULL AND {over}
         ORDER BY created_at, id
         LIMIT $3{lock}"
    );
    let expired: Vec<OperationRun> =
        tx.rows(AssertSqlSafe(text), &args![now, furthest(now, longest_lease), limit]).await?;
    let mut swept = Swept::default();
    for mut run in expired {
        run.lost_leases += 1;
        run.lease_owner = None;
        run.updated_at = at;
        tx.execute(
            "UPDATE bulk_operation_runs
             SET lost_leases = $2, lease_owner = NULL, lease_until = 0, updated_at = $3
             WHERE id = $1",
            &args![run.id, run.lost_leases, at],
        )
        .await?;
        attempts::end(tx, run.id, run.attempt, AttemptEnd::WorkerLost, at).await?;
        if run.lost_leases >= max_lost {
            let end = End {
                status: OperationStatus::Failed,
                reason_code: Some(ReasonCode::WorkerLost),
                reason: ReasonCode::WorkerLost.sentence().to_owned(),
                rest: Rest::Failed,
            };
            swept.failed.push(end_row(tx, run, &end, at).await?);
        } else {
            swept.requeued.push(run);
        }
    }
    Ok(swept)
}
