//! What became of each attempt at a run.

use sqlx::FromRow;
use tenantatlas_domain::ids::{OperationRunId, TenantId};
use tenantatlas_domain::time::Timestamp;

use super::OperationRun;
use crate::database::{Access, Run as _};
use crate::record::Nullable;
use crate::sql::args;
use crate::{StoreError, Tx};

tenantatlas_domain::named! {
    /// How an attempt ended.
    pub enum AttemptEnd: UnknownAttemptEnd, "end of an attempt" {
        /// The run ended with it.
        End = "end",
        /// Its process was stopped and gave the run back.
        GivenBack = "given_back",
        /// Its worker was lost.
        WorkerLost = "worker_lost",
    }
}

/// An attempt at a run.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct RunAttempt {
    /// Its number, from 1.
    #[sqlx(try_from = "i64")]
    pub attempt: u32,
    /// When a worker took the run.
    #[sqlx(try_from = "i64")]
    pub began_at: Timestamp,
    /// When it ended; `None` while it is under way.
    #[sqlx(try_from = "Nullable<i64>")]
    pub ended_at: Option<Timestamp>,
    /// How.
    #[sqlx(try_from = "Nullable<String>")]
    pub ended_by: Option<AttemptEnd>,
}

/// Attempts that are listed: the newest.
const LISTED: i64 = 50;

/// The attempts at a run of a tenant, the newest fifty, oldest first. None for runs that ended before version 32.
///
/// # Errors
/// When the database fails.
pub async fn attempts(
    mut on: impl Access,
    tenant: TenantId,
    run: OperationRunId,
) -> Result<Vec<RunAttempt>, StoreError> {
    let newest: Vec<RunAttempt> = on
        .rows(
            "SELECT a.attempt, a.began_at, a.ended_at, a.ended_by
             FROM operation_run_attempts a
             JOIN bulk_operation_runs r ON r.id = a.run_id AND r.tenant_id = $2
             WHERE a.run_id = $1
             ORDER BY a.attempt DESC LIMIT $3",
            &args![run, tenant, LISTED],
        )
        .await?;
    Ok(newest.into_iter().rev().collect())
}

/// Notes that a worker took a run.
pub(super) async fn begin(tx: &mut Tx, run: &OperationRun, at: Timestamp) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO operation_run_attempts (run_id, attempt, began_at) VALUES ($1, $2, $3)",
        &args![run.id, run.attempt, at],
    )
    .await
    .map(|_| ())
}

/// Notes how the attempt that is under way ended, where one is.
pub(super) async fn end(
    tx: &mut Tx,
    run: OperationRunId,
    attempt: u32,
    by: AttemptEnd,
    at: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE operation_run_attempts
         SET ended_at = $3, ended_by = $4
         WHERE run_id = $1 AND attempt = $2 AND ended_at IS NULL",
        &args![run, attempt, at, by.as_str()],
    )
    .await
    .map(|_| ())
}
