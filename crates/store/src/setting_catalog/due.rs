//! When the names of settings are to be read by themselves: definitions that nobody knew, how old what is known is, and when the
//! next reading may begin. One row for all tenants, whose due time is taken by comparing it.

use std::borrow::Cow;

use sqlx::FromRow;
use tenantatlas_domain::ids::TenantId;
use tenantatlas_domain::time::Timestamp;
use uuid::Uuid;

use crate::bulk::InsertRows;
use crate::database::{Access, Run as _};
use crate::record::Nullable;
use crate::sql::{Value, args};
use crate::{StoreError, Tx};

/// When the next reading may begin, and how the ones before went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromRow)]
pub struct ReadingDue {
    /// Not before this.
    #[sqlx(try_from = "i64")]
    pub due_at: Timestamp,
    /// How many were begun since all was last read.
    #[sqlx(try_from = "i64")]
    pub attempts: u32,
    /// When all was last read.
    #[sqlx(try_from = "Nullable<i64>")]
    pub completed_at: Option<Timestamp>,
}

const RECORD_UNKNOWN: InsertRows = InsertRows {
    table: "setting_unknown",
    columns: Cow::Borrowed(&["id", "seen_at"]),
    on_conflict: Cow::Borrowed("(id) DO NOTHING"),
};

/// When the next reading may begin.
///
/// # Errors
/// When the database fails.
pub async fn reading_due(mut on: impl Access) -> Result<ReadingDue, StoreError> {
    let known = on.row("SELECT due_at, attempts, completed_at FROM setting_catalog_due WHERE id = 1", &[]).await?;
    known.ok_or_else(|| StoreError::Corrupt { column: "setting_catalog_due".to_owned() })
}

/// Takes the due time, and says when the next reading may begin if this one comes to nothing. Answers `false` when another process
/// took it.
///
/// # Errors
/// When the database fails.
pub async fn claim_reading(tx: &mut Tx, due_at: Timestamp, next: Timestamp) -> Result<bool, StoreError> {
    let taken = tx
        .execute(
            "UPDATE setting_catalog_due SET due_at = $2, attempts = attempts + 1 WHERE id = 1 AND due_at = $1",
            &args![due_at, next],
        )
        .await?;
    Ok(taken == 1)
}

/// Records that a reading that began at a moment has read all names by another: what a policy had before it began and was not among
/// them is no reason for the next one.
///
/// # Errors
/// When the database fails.
pub async fn complete_reading(tx: &mut Tx, began: Timestamp, at: Timestamp, next: Timestamp) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE setting_catalog_due SET due_at = $2, attempts = 0, completed_at = $1 WHERE id = 1",
        &args![at, next],
    )
    .await?;
    tx.execute("DELETE FROM setting_unknown WHERE id IN (SELECT d.id FROM setting_definitions d)", &[]).await?;
    tx.execute("UPDATE setting_unknown SET asked_at = $2 WHERE asked_at IS NULL AND seen_at <= $1", &args![began, at])
        .await
        .map(|_| ())
}

/// Records definitions that a policy has and the catalogue does not.
///
/// # Errors
/// When the database fails.
pub async fn record_unknown(tx: &mut Tx, ids: &[String], at: Timestamp) -> Result<(), StoreError> {
    // In one order, so that two transactions meet them in the same.
    let ids: std::collections::BTreeSet<&String> = ids.iter().collect();
    let rows: Vec<Value<'_>> = ids.into_iter().flat_map(|id| args![id.as_str(), at]).collect();
    RECORD_UNKNOWN.run(tx, &rows).await.map(|_| ())
}

/// Whether a policy has a definition that is not known and that no reading has looked for.
///
/// # Errors
/// When the database fails.
pub async fn has_unknown(mut on: impl Access) -> Result<bool, StoreError> {
    let found: Option<String> = on
        .value(
            "SELECT u.id AS value FROM setting_unknown u
             WHERE u.asked_at IS NULL AND NOT EXISTS (SELECT 1 FROM setting_definitions d WHERE d.id = u.id) LIMIT 1",
            &[],
        )
        .await?;
    Ok(found.is_some())
}

/// Tenants through which the names can be read: with a credential that no check found useless, of which something was captured after
/// a moment. The one that was captured last first, since its connection worked then.
///
/// # Errors
/// When the database fails.
pub async fn tenants_to_ask(
    mut on: impl Access,
    captured_after: Timestamp,
    limit: u32,
) -> Result<Vec<TenantId>, StoreError> {
    let found: Vec<Uuid> = on
        .values(
            "SELECT t.id AS value
             FROM tenants t
             JOIN (SELECT c.tenant_id, MAX(c.started_at) AS started_at
                   FROM policy_captures c
                   WHERE c.status IN ('success', 'partial') AND c.finished_at > $1
                   GROUP BY c.tenant_id) latest ON latest.tenant_id = t.id
             WHERE t.removed_at IS NULL AND t.credential_kind IS NOT NULL AND t.connection_status <> 'failed'
             ORDER BY latest.started_at DESC, t.id LIMIT $2",
            &args![captured_after, limit],
        )
        .await?;
    Ok(found.into_iter().map(TenantId::from_uuid).collect())
}
