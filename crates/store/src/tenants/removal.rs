//! Removing a tenant: gone for everybody at once, and deleted in pieces afterwards. A million objects take seconds to
//! delete, and on SQLite everybody who writes would wait for them.

use sqlx::AssertSqlSafe;
use tenantatlas_domain::ids::TenantId;
use tenantatlas_domain::time::Timestamp;
use uuid::Uuid;

use super::Tenant;
use crate::database::{Access, Run as _};
use crate::sql::{Statement, args};
use crate::{StoreError, Tx, audit_events, policies};

/// Rows of one table that are deleted in one transaction, at most.
const PIECE: i64 = 500;

/// Takes a tenant away from everybody: it is in no list, nobody has a role in it, its credential and the key of its bodies
/// are gone and its name is free again. What was read from it stays until [`purge_piece`] has deleted it. Answers whether there was such a tenant.
///
/// Runs that are active may go on for a moment; what they write is of a tenant that nobody sees, and goes with it. None can
/// begin any more: whoever dispatches one holds the row of the tenant ([`super::hold`]).
///
/// # Errors
/// When the database fails.
pub async fn retire(tx: &mut Tx, id: TenantId, at: Timestamp) -> Result<bool, StoreError> {
    let retired = tx
        .execute(
            "UPDATE tenants
             SET removed_at = $2, name_key = $3, credential_kind = NULL, credential_sealed = NULL,
                 updated_at = $2
             WHERE id = $1 AND removed_at IS NULL",
            &args![id, at, format!("removed {id}")],
        )
        .await?;
    policies::destroy(tx, id).await?;
    // What people see of it beside its own pages.
    for statement in [
        "DELETE FROM notifications WHERE tenant_id = $1",
        "DELETE FROM tenant_members WHERE tenant_id = $1",
        "DELETE FROM user_tenant_preferences WHERE tenant_id = $1",
        "DELETE FROM saved_views WHERE tenant_id = $1",
        "DELETE FROM schedules WHERE tenant_id = $1",
        "DELETE FROM webhook_endpoints WHERE tenant_id = $1",
        "DELETE FROM api_tokens WHERE tenant_id = $1",
        "DELETE FROM api_token_tenants WHERE tenant_id = $1",
        "DELETE FROM one_time_links WHERE token_hash IN (SELECT token_hash FROM invitations WHERE tenant_id = $1)",
    ] {
        tx.execute(statement, &args![id]).await?;
    }
    Ok(retired == 1)
}

/// A tenant that was taken away and is not deleted yet.
///
/// # Errors
/// When the database fails.
pub async fn retired(mut on: impl Access) -> Result<Option<TenantId>, StoreError> {
    let tenant: Option<Tenant> =
        on.row("SELECT * FROM tenants WHERE removed_at IS NOT NULL ORDER BY removed_at LIMIT 1", &[]).await?;
    Ok(tenant.map(|tenant| tenant.id))
}

/// Deletes the next piece of a tenant that was taken away, with the tenant itself at last. Answers whether there is more.
///
/// # Errors
/// When the database fails.
pub async fn purge_piece(tx: &mut Tx, id: TenantId) -> Result<bool, StoreError> {
    // Runs first, so that no worker can write for the tenant any more. They carry what hangs on them along. Then what people
    // were told of their end meanwhile.
    for table in ["bulk_operation_runs", "inventory_sync_runs", "notifications", "findings"] {
        let text = format!("DELETE FROM {table} WHERE id IN (SELECT id FROM {table} WHERE tenant_id = $1 LIMIT $2)");
        if tx.execute(AssertSqlSafe(text), &args![id, PIECE]).await? > 0 {
            return Ok(true);
        }
    }
    let items: Vec<Uuid> =
        tx.values("SELECT id FROM inventory_items WHERE tenant_id = $1 LIMIT $2", &args![id, PIECE]).await?;
    if !items.is_empty() {
        for (table, column) in [
            ("inventory_links", "source_item_id"),
            ("inventory_item_versions", "item_id"),
            ("inventory_sightings", "item_id"),
            ("inventory_absences", "item_id"),
            ("inventory_items", "id"),
        ] {
            let mut statement = Statement::new(&format!("DELETE FROM {table} WHERE "));
            statement.push_in(column, &items);
            tx.execute(statement.text(), statement.values()).await?;
        }
        return Ok(true);
    }
    if policies::purge_piece(tx, id).await? || audit_events::purge_piece(tx, id).await? {
        return Ok(true);
    }
    tx.execute("DELETE FROM tenants WHERE id = $1 AND removed_at IS NOT NULL", &args![id]).await?;
    Ok(false)
}
