//! Removing versions: by retention, and with their tenant.

use tenantatlas_domain::ids::TenantId;
use tenantatlas_domain::time::Timestamp;
use uuid::Uuid;

use crate::sql::{Statement, args};
use crate::{StoreError, Tx, setting_search};

/// Rows of one table that are deleted in one transaction, at most.
const PIECE: i64 = 500;
/// Blobs that no version needs are left alone for a day, in milliseconds: a capture may be about to need them.
const GRACE: i64 = 24 * 3_600 * 1_000;

/// Removes versions of a tenant that were read before a moment and are not the latest of their object, so many at most.
/// Answers how many went. What they alone needed stays until [`sweep_blobs`].
///
/// # Errors
/// When the database fails.
pub async fn remove_versions(
    tx: &mut Tx,
    tenant: TenantId,
    before: Timestamp,
    most: u32,
    at: Timestamp,
) -> Result<u64, StoreError> {
    let old: Vec<Uuid> = tx
        .values(
            "SELECT v.id FROM policy_versions v
             WHERE v.tenant_id = $1 AND v.read_at < $2
                 AND NOT EXISTS (SELECT 1 FROM policy_heads h WHERE h.version_id = v.id)
             ORDER BY v.read_at LIMIT $3",
            &args![tenant, before, i64::from(most).min(PIECE)],
        )
        .await?;
    for version in &old {
        tx.execute(
            "INSERT INTO policy_retirements (version_id, tenant_id, at) VALUES ($1, $2, $3)",
            &args![*version, tenant, at],
        )
        .await?;
    }
    delete_versions(tx, tenant, &old).await?;
    let mut statement = Statement::default();
    statement
        .push("DELETE FROM policy_retirements WHERE tenant_id = $1", args![tenant])
        .push_in(" AND version_id", &old);
    tx.run(&statement).await?;
    Ok(old.len() as u64)
}

async fn delete_versions(tx: &mut Tx, tenant: TenantId, versions: &[Uuid]) -> Result<(), StoreError> {
    let tables =
        [("policy_version_slots", "version_id"), ("policy_version_items", "version_id"), ("policy_versions", "id")];
    for (table, column) in tables {
        let mut statement = Statement::new(&format!("DELETE FROM {table}"));
        statement.push(" WHERE tenant_id = $1", args![tenant]).push_in(&format!(" AND {column}"), versions);
        tx.run(&statement).await?;
    }
    Ok(())
}

/// Removes blobs of a tenant that no version needs any more, since a day at least. Answers how many went; ask again until
/// none does.
///
/// # Errors
/// When the database fails.
pub async fn sweep_blobs(tx: &mut Tx, tenant: TenantId, at: Timestamp) -> Result<u64, StoreError> {
    let before = Timestamp::from_millis(at.as_millis().saturating_sub(GRACE));
    tx.execute(
        "DELETE FROM policy_blobs
         WHERE tenant_id = $1 AND address IN (
             SELECT b.address FROM policy_blobs b
             WHERE b.tenant_id = $1 AND b.created_at < $2 AND NOT EXISTS (
                 SELECT 1 FROM policy_version_slots s WHERE s.tenant_id = b.tenant_id AND s.address = b.address)
             LIMIT $3)",
        &args![tenant, before, PIECE],
    )
    .await
}

/// Deletes the next piece of what was kept of the policies of a tenant that was removed. Answers whether there was any.
///
/// # Errors
/// When the database fails.
pub(crate) async fn purge_piece(tx: &mut Tx, tenant: TenantId) -> Result<bool, StoreError> {
    let heads = "DELETE FROM policy_heads WHERE tenant_id = $1 AND external_id IN (
                     SELECT external_id FROM policy_heads WHERE tenant_id = $1 LIMIT $2)";
    if setting_search::purge_piece(tx, tenant).await? || tx.execute(heads, &args![tenant, PIECE]).await? > 0 {
        return Ok(true);
    }
    let versions: Vec<Uuid> =
        tx.values("SELECT id FROM policy_versions WHERE tenant_id = $1 LIMIT $2", &args![tenant, PIECE]).await?;
    if !versions.is_empty() {
        delete_versions(tx, tenant, &versions).await?;
        return Ok(true);
    }
    let blobs = "DELETE FROM policy_blobs WHERE tenant_id = $1 AND address IN (
                     SELECT address FROM policy_blobs WHERE tenant_id = $1 LIMIT $2)";
    if tx.execute(blobs, &args![tenant, PIECE]).await? > 0 {
        return Ok(true);
    }
    tx.execute("DELETE FROM policy_retirements WHERE tenant_id = $1", &args![tenant]).await?;
    let captures = "DELETE FROM policy_captures WHERE id IN (
                        SELECT id FROM policy_captures WHERE tenant_id = $1 LIMIT $2)";
    Ok(tx.execute(captures, &args![tenant, PIECE]).await? > 0)
}
