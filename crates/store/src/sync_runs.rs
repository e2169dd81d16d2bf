//! Executions of the inventory sync and how each policy type went (`docs/rules.md`, section Inventory sync).
//!
//! A run has a number, `seq`, that counts up within its tenant. The partial unique index on running runs of a scope is
//! the lock of (tenant, selection).

mod continuation;
mod news;
mod types;

pub use continuation::{Continuation, unread_since};
pub use news::news;
pub use types::{TypeEnd, TypeRun, begin_type, finish_type, list_types};

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use sqlx::{AssertSqlSafe, Error, FromRow};
use tenantatlas_domain::ids::{CorrelationId, OperationRunId, SyncRunId, TenantId, UserId};
use tenantatlas_domain::reason::ReasonCode;
use tenantatlas_domain::selection::{Selection, SelectionHash};
use tenantatlas_domain::since::Since;
use tenantatlas_domain::sync::SyncRunStatus;
use tenantatlas_domain::time::Timestamp;
use uuid::Uuid;

use crate::database::{Access, Run as _};
use crate::operation_runs::{ACTIVE, Fence, hold};
use crate::record::Nullable;
use crate::scopes::{self, ScopeId};
use crate::sql::{Statement, args, json};
use crate::{StoreError, Tx};

/// The longest page of a list.
const MAX_PAGE: u32 = 200;

/// A new sync run.
#[derive(Clone, Debug)]
pub struct NewSyncRun {
    /// The id (version 7); only used when a run is created.
    pub id: SyncRunId,
    /// The tenant.
    pub tenant_id: TenantId,
    /// The person who started it; `None` for scheduled or system runs.
    pub user_id: Option<UserId>,
    /// What is read.
    pub selection: Selection,
    /// Its hash.
    pub selection_hash: SelectionHash,
    /// Ties log lines and records together.
    pub correlation_id: CorrelationId,
    /// The run it continues, and what it reads of its selection; `None` when it reads all of it.
    pub continuation: Option<Continuation>,
}

/// A sync run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, FromRow)]
pub struct SyncRun {
    /// The id.
    #[sqlx(try_from = "Uuid")]
    pub id: SyncRunId,
    /// The tenant.
    #[sqlx(try_from = "Uuid")]
    pub tenant_id: TenantId,
    /// Its number within the tenant.
    pub seq: i64,
    /// The lowest number among the runs of the tenant that were under way when it began.
    pub floor_seq: i64,
    /// The scope.
    pub scope_id: ScopeId,
    /// The operation run it belongs to.
    #[sqlx(try_from = "Uuid")]
    pub operation_run_id: OperationRunId,
    /// The person who started it.
    #[sqlx(try_from = "Nullable<Uuid>")]
    pub user_id: Option<UserId>,
    /// The hash of what is read.
    #[sqlx(try_from = "String")]
    pub selection_hash: SelectionHash,
    /// What is read.
    #[sqlx(json)]
    pub selection_payload: Selection,
    /// How it goes.
    #[sqlx(try_from = "String")]
    pub status: SyncRunStatus,
    /// Whether it met errors.
    pub had_errors: bool,
    /// Which, each once.
    #[sqlx(json)]
    pub error_codes: Vec<ReasonCode>,
    /// Safe facts about the errors.
    #[sqlx(json)]
    pub error_context: Json,
    /// Ties log lines and records together.
    #[sqlx(try_from = "Uuid")]
    pub correlation_id: CorrelationId,
    /// When it began.
    #[sqlx(try_from = "i64")]
    pub started_at: Timestamp,
    /// When it ended.
    #[sqlx(try_from = "Nullable<i64>")]
    pub finished_at: Option<Timestamp>,
    /// Objects seen, each once; of a run that continues another one, those it saw itself.
    #[sqlx(try_from = "i64")]
    pub items_observed_count: u64,
    /// Objects that were new or had changed.
    #[sqlx(try_from = "i64")]
    pub items_upserted_count: u64,
    /// Policy types that failed.
    #[sqlx(try_from = "i64")]
    pub errors_count: u64,
    /// Why it was stopped before it came to its own end, such as `cancelled` or `worker_lost`; `None` for every other run.
    #[sqlx(try_from = "Nullable<String>")]
    pub stopped: Option<ReasonCode>,
    /// The run whose unread types it reads.
    #[sqlx(try_from = "Nullable<Uuid>")]
    pub continues: Option<SyncRunId>,
}

impl SyncRun {
    /// Whether it came to its own end, so that it can be the latest completed run of its scope (`docs/rules.md`, section
    /// Missing).
    #[must_use]
    pub fn is_completed(&self) -> bool {
        self.status.is_completed() && self.stopped.is_none()
    }
}

/// What became of the wish to start.
#[derive(Clone, Debug, PartialEq)]
pub enum Started {
    /// A new run was created.
    New(SyncRun),
    /// An earlier attempt of the same operation run had created it: go on where it stopped.
    Resumed(SyncRun),
    /// Another operation run reads the same selection: wait, or give up with `lock_held`.
    LockHeld(SyncRun),
}

/// Starts the sync run of an operation run, or finds the one an earlier attempt started. A run left behind by an
/// operation that has ended meanwhile is closed with `worker_lost` and does not hold the lock.
///
/// # Errors
/// [`StoreError::LeaseLost`].
pub async fn start(tx: &mut Tx, fence: &Fence, new: &NewSyncRun, at: Timestamp) -> Result<Started, StoreError> {
    hold(tx, fence).await?;
    let scope = scopes::get_or_create(tx, new.tenant_id, &new.selection_hash, &new.selection).await?;
    // The row of the tenant is locked by this until the transaction ends: starts in a tenant are one after the other.
    let seq = next_seq(tx, new.tenant_id).await?;
    if let Some(run) = running(&mut *tx, scope.id).await? {
        if run.operation_run_id == fence.run_id {
            return Ok(Started::Resumed(run));
        }
        let text = format!("SELECT COUNT(*) FROM bulk_operation_runs WHERE id = $1 AND {ACTIVE}");
        let active: Option<i64> = tx.value(AssertSqlSafe(text), &args![run.operation_run_id]).await?;
        if active.is_some_and(|active| active > 0) {
            return Ok(Started::LockHeld(run));
        }
        abandon(tx, run.operation_run_id, ReasonCode::WorkerLost, at).await?;
    }
    let floor: Option<i64> = tx
        .value(
            "SELECT COALESCE(MIN(seq), $2) FROM inventory_sync_runs WHERE tenant_id = $1 AND status = 'running'",
            &args![new.tenant_id, seq],
        )
        .await?;
    let run: Option<SyncRun> = tx
        .row(
            "INSERT INTO inventory_sync_runs (id, tenant_id, seq, floor_seq, scope_id, operation_run_id,
                 user_id, selection_hash, selection_payload, status, error_codes, error_context, correlation_id,
                 started_at, continues)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'running', $10, $11, $12, $13, $14)
             RETURNING *",
            &args![
                new.id,
                new.tenant_id,
                seq,
                floor.map_or(seq, |floor| floor.min(seq)),
                scope.id.0,
                fence.run_id,
                new.user_id,
                new.selection_hash.as_str(),
                json(&new.selection),
                json(&Vec::<ReasonCode>::new()),
                json(&serde_json::Map::new()),
                new.correlation_id,
                at,
                new.continuation.as_ref().map(|continuation| continuation.run)
            ],
        )
        .await?;
    let run = run.ok_or(Error::RowNotFound)?;
    if let Some(continuation) = &new.continuation {
        continuation::carry_over(tx, &run, continuation).await?;
    }
    Ok(Started::New(run))
}

/// Records a sync run that never read anything: the lock was held or a limit was reached (`docs/rules.md`, section
/// Inventory sync, Locks and limits). The caller holds the operation run, or ends it in the same transaction.
///
/// # Errors
/// When the database fails.
pub async fn record_skipped(
    tx: &mut Tx,
    operation_run: OperationRunId,
    new: &NewSyncRun,
    reason: ReasonCode,
    at: Timestamp,
) -> Result<SyncRun, StoreError> {
    let scope = scopes::get_or_create(tx, new.tenant_id, &new.selection_hash, &new.selection).await?;
    let seq = next_seq(tx, new.tenant_id).await?;
    let run: Option<SyncRun> = tx
        .row(
            "INSERT INTO inventory_sync_runs (id, tenant_id, seq, floor_seq, scope_id, operation_run_id,
                 user_id, selection_hash, selection_payload, status, error_codes, error_context, correlation_id,
                 started_at, finished_at)
             VALUES ($1, $2, $3, $3, $4, $5, $6, $7, $8, 'skipped', $9, $10, $11, $12, $12)
             RETURNING *",
            &args![
                new.id,
                new.tenant_id,
                seq,
                scope.id.0,
                operation_run,
                new.user_id,
                new.selection_hash.as_str(),
                json(&new.selection),
                json(&[reason]),
                json(&serde_json::Map::new()),
                new.correlation_id,
                at
            ],
        )
        .await?;
    run.ok_or_else(|| Error::RowNotFound.into())
}

async fn next_seq(tx: &mut Tx, tenant: TenantId) -> Result<i64, StoreError> {
    let seq: Option<i64> = tx
        .value(
            "UPDATE tenants SET last_run_seq = last_run_seq + 1 WHERE id = $1 RETURNING last_run_seq",
            &args![tenant],
        )
        .await?;
    seq.ok_or_else(|| Error::RowNotFound.into())
}

async fn running(mut on: impl Access, scope: ScopeId) -> Result<Option<SyncRun>, StoreError> {
    on.row("SELECT * FROM inventory_sync_runs WHERE scope_id = $1 AND status = 'running'", &args![scope.0]).await
}

/// How a sync run ends.
#[derive(Clone, Debug)]
pub struct SyncEnd {
    /// The terminal state, see `conclude_sync`; a run that is stopped is failed.
    pub status: SyncRunStatus,
    /// Errors that belong to no type, such as `cancelled`; those of the types are added.
    pub error_codes: Vec<ReasonCode>,
    /// Safe facts about the errors.
    pub error_context: Json,
    /// Why it is stopped before its own end; such a run never becomes the latest of its scope.
    pub stopped: Option<ReasonCode>,
}

/// Ends a run: types still being read are closed as failed with the first error code (or `internal`), the totals are
/// taken from the types, and when the run came to its own end it becomes the latest of its scope. Answers the run as it is then;
/// a run that has ended already is answered unchanged.
///
/// # Errors
/// [`StoreError::LeaseLost`].
pub async fn finish(
    tx: &mut Tx,
    fence: &Fence,
    run: &SyncRun,
    end: &SyncEnd,
    at: Timestamp,
) -> Result<SyncRun, StoreError> {
    hold(tx, fence).await?;
    close(tx, run.tenant_id, run.id, end, at).await
}

/// Ends the running sync run of an operation run that ended without its worker. Answers it, if there was one. Part of
/// the transaction that ends the operation run.
///
/// # Errors
/// When the database fails.
pub async fn abandon(
    tx: &mut Tx,
    operation_run: OperationRunId,
    reason: ReasonCode,
    at: Timestamp,
) -> Result<Option<SyncRun>, StoreError> {
    let run: Option<SyncRun> = tx
        .row(
            "SELECT * FROM inventory_sync_runs WHERE operation_run_id = $1 AND status = 'running'",
            &args![operation_run],
        )
        .await?;
    let Some(run) = run else { return Ok(None) };
    let end = SyncEnd {
        status: SyncRunStatus::Failed,
        error_codes: vec![reason],
        error_context: Json::Object(serde_json::Map::new()),
        stopped: Some(reason),
    };
    close(tx, run.tenant_id, run.id, &end, at).await.map(Some)
}

async fn close(
    tx: &mut Tx,
    tenant: TenantId,
    id: SyncRunId,
    end: &SyncEnd,
    at: Timestamp,
) -> Result<SyncRun, StoreError> {
    let open_reason = end.error_codes.first().copied().unwrap_or(ReasonCode::Internal);
    tx.execute(
        "UPDATE inventory_sync_run_types
         SET outcome = 'failed', reason_code = $2, finished_at = $3
         WHERE run_id = $1 AND outcome IS NULL",
        &args![id, open_reason.as_str(), at],
    )
    .await?;
    let types = list_types(&mut *tx, tenant, id).await?;
    let failed = types.iter().filter(|row| row.outcome == Some(tenantatlas_domain::sync::TypeOutcome::Failed));
    let errors = failed.clone().count() as u64;
    let own = || types.iter().filter(|row| row.carried_from.is_none());
    let mut codes: Vec<ReasonCode> =
        end.error_codes.iter().copied().chain(failed.filter_map(|row| row.reason_code)).collect();
    codes.sort_unstable();
    codes.dedup();
    let run: Option<SyncRun> = tx
        .row(
            "UPDATE inventory_sync_runs
             SET status = $2, had_errors = $3, error_codes = $4, error_context = $5, finished_at = $6,
                 items_observed_count = $7, items_upserted_count = $8, errors_count = $9, stopped = $10
             WHERE id = $1 AND status = 'running'
             RETURNING *",
            &args![
                id,
                end.status.as_str(),
                !codes.is_empty(),
                json(&codes),
                json(&end.error_context),
                at,
                own().map(|row| row.items).sum::<u64>(),
                own().map(|row| row.inserted + row.changed).sum::<u64>(),
                errors,
                end.stopped.map(ReasonCode::as_str)
            ],
        )
        .await?;
    let Some(run) = run else {
        return get(tx, tenant, id).await?.ok_or_else(|| Error::RowNotFound.into());
    };
    if run.is_completed() {
        tx.execute(
            "UPDATE inventory_scopes
             SET latest_run_id = $2, latest_run_seq = $3, latest_finished_at = $4, latest_types = $5
             WHERE id = $1 AND (latest_run_seq IS NULL OR latest_run_seq < $3)",
            &args![run.scope_id.0, run.id, run.seq, at, types.len() as u64],
        )
        .await?;
    }
    Ok(run)
}

/// A sync run of a tenant.
///
/// # Errors
/// When the database fails.
pub async fn get(mut on: impl Access, tenant: TenantId, id: SyncRunId) -> Result<Option<SyncRun>, StoreError> {
    on.row("SELECT * FROM inventory_sync_runs WHERE id = $1 AND tenant_id = $2", &args![id, tenant]).await
}

/// The sync run of an operation run, the last one if there were several.
///
/// # Errors
/// When the database fails.
pub async fn find_by_operation(
    mut on: impl Access,
    tenant: TenantId,
    operation_run: OperationRunId,
) -> Result<Option<SyncRun>, StoreError> {
    on.row(
        "SELECT *
         FROM inventory_sync_runs
         WHERE operation_run_id = $1 AND tenant_id = $2
         ORDER BY seq DESC LIMIT 1",
        &args![operation_run, tenant],
    )
    .await
}

/// The moment that a time names, at this time of the clock; of a run it is its end. `None` when the tenant has no such run,
/// or it has not ended.
///
/// # Errors
/// When the database fails.
pub async fn moment_of(
    on: impl Access,
    tenant: TenantId,
    since: Since,
    now: Timestamp,
) -> Result<Option<Timestamp>, StoreError> {
    match since {
        Since::Run(run) => Ok(get(on, tenant, run).await?.and_then(|run| run.finished_at)),
        since => Ok(since.moment(now)),
    }
}

/// Which sync runs.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Only of this scope.
    pub scope: Option<ScopeId>,
    /// Only those that came to their own end.
    pub completed: bool,
    /// Only those with a lower number.
    pub before_seq: Option<i64>,
    /// At most so many; 1 to 200.
    pub limit: u32,
}

/// The sync runs of a tenant, newest first.
///
/// # Errors
/// When the database fails.
pub async fn list(mut on: impl Access, tenant: TenantId, filter: &Filter) -> Result<Vec<SyncRun>, StoreError> {
    let mut statement = Statement::default();
    statement.push("SELECT * FROM inventory_sync_runs WHERE tenant_id = $1", args![tenant]);
    if let Some(scope) = filter.scope {
        statement.push(" AND scope_id = $1", args![scope.0]);
    }
    if filter.completed {
        statement.push(" AND status IN ('success', 'partial', 'failed') AND stopped IS NULL", []);
    }
    if let Some(seq) = filter.before_seq {
        statement.push(" AND seq < $1", args![seq]);
    }
    statement.push(" ORDER BY seq DESC LIMIT $1", args![filter.limit.clamp(1, MAX_PAGE)]);
    on.query(&statement).await
}
