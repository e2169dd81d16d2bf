//! When the units of a run were worked on, of operations that keep nothing else of them.

use sqlx::FromRow;
use tenantatlas_domain::ids::{OperationRunId, TenantId};
use tenantatlas_domain::time::Timestamp;

use super::{Fence, hold};
use crate::database::{Access, Run as _};
use crate::sql::args;
use crate::{StoreError, Tx};

/// When a unit of a run was worked on.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct UnitTime {
    /// The unit, as the operation names it.
    pub unit: String,
    /// When it was begun.
    #[sqlx(try_from = "i64")]
    pub started_at: Timestamp,
    /// When it had ended.
    #[sqlx(try_from = "i64")]
    pub finished_at: Timestamp,
}

/// Units that are listed, at most.
const LISTED: i64 = 500;

/// Keeps when units were worked on, in the transaction that counts them. Of one that was begun again the last time counts. A
/// clock that was set back meanwhile makes a unit take no time.
///
/// # Errors
/// [`StoreError::LeaseLost`], or when the database fails.
pub async fn keep_times(tx: &mut Tx, fence: &Fence, units: &[UnitTime]) -> Result<(), StoreError> {
    hold(tx, fence).await?;
    for one in units {
        tx.execute(
            "INSERT INTO operation_run_units (run_id, unit, started_at, finished_at)
             VALUES ($1, $2, $3, $4)
             ON CONFLICT (run_id, unit) DO UPDATE
             SET started_at = excluded.started_at, finished_at = excluded.finished_at",
            &args![fence.run_id, one.unit.as_str(), one.started_at, one.finished_at.max(one.started_at)],
        )
        .await?;
    }
    Ok(())
}

/// When the units of a run of a tenant were worked on, in the order in which they were begun, five hundred at most. None of runs
/// that ended before version 44 of the schema.
///
/// # Errors
/// When the database fails.
pub async fn unit_times(
    mut on: impl Access,
    tenant: TenantId,
    run: OperationRunId,
) -> Result<Vec<UnitTime>, StoreError> {
    on.rows(
        "SELECT u.unit, u.started_at, u.finished_at
         FROM operation_run_units u
         JOIN bulk_operation_runs r ON r.id = u.run_id AND r.tenant_id = $2
         WHERE u.run_id = $1
         ORDER BY u.started_at, u.unit LIMIT $3",
        &args![run, tenant, LISTED],
    )
    .await
}
