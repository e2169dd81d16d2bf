//! Objects that come to an end, such as certificates and tokens, and of which of them people were told.

use sqlx::FromRow;
use tenantatlas_domain::expiry;
use tenantatlas_domain::ids::{ItemId, TenantId};
use tenantatlas_domain::time::Timestamp;
use uuid::Uuid;

use crate::database::{Access, Run as _};
use crate::sql::{Statement, args};
use crate::{StoreError, Tx};

/// An object with a date on which it ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    /// The tenant.
    pub tenant_id: TenantId,
    /// The object.
    pub item_id: ItemId,
    /// The key of its type.
    pub policy_type: String,
    /// Its name.
    pub display_name: String,
    /// When it ends.
    pub expires_at: Timestamp,
}

#[derive(FromRow)]
struct EndingRow {
    #[sqlx(try_from = "Uuid")]
    tenant_id: TenantId,
    #[sqlx(try_from = "Uuid")]
    id: ItemId,
    policy_type: String,
    display_name: String,
    #[sqlx(json)]
    meta: serde_json::Map<String, serde_json::Value>,
}

/// Objects of all tenants that end within a stretch of time, as far as the inventory knows their end; those of one tenant stand
/// together.
///
/// # Errors
/// When the database fails.
pub async fn ending_between(
    mut on: impl Access,
    after: Timestamp,
    until: Timestamp,
) -> Result<Vec<Ending>, StoreError> {
    let types: Vec<String> = expiry::types().map(str::to_owned).collect();
    let mut statement = Statement::new(
        "SELECT i.tenant_id, i.id, i.policy_type, i.display_name, i.meta
         FROM tenants t
         JOIN inventory_items i ON i.tenant_id = t.id
         WHERE t.removed_at IS NULL",
    );
    statement.push_in(" AND i.policy_type", &types).push(" ORDER BY i.tenant_id, i.id", []);
    let rows: Vec<EndingRow> = on.query(&statement).await?;
    let ending = rows.into_iter().filter_map(|row| {
        let expires_at = expiry::expires_at(&row.policy_type, &row.meta)?;
        (expires_at > after && expires_at <= until).then_some(Ending {
            tenant_id: row.tenant_id,
            item_id: row.id,
            policy_type: row.policy_type,
            display_name: row.display_name,
            expires_at,
        })
    });
    Ok(ending.collect())
}

/// Notes that people are told of an end so many days before it. Answers `false` where they were already.
///
/// # Errors
/// When the database fails.
pub async fn tell(tx: &mut Tx, ending: &Ending, days_before: u32, at: Timestamp) -> Result<bool, StoreError> {
    let told = tx
        .execute(
            "INSERT INTO expiry_notices (item_id, expires_at, days_before, tenant_id, told_at)
             VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT DO NOTHING",
            &args![ending.item_id, ending.expires_at, days_before, ending.tenant_id, at],
        )
        .await?;
    Ok(told == 1)
}

/// Whether people were told of an end so many days before it.
///
/// # Errors
/// When the database fails.
pub async fn is_told(mut on: impl Access, ending: &Ending, days_before: u32) -> Result<bool, StoreError> {
    let found: Option<i64> = on
        .value(
            "SELECT told_at AS value FROM expiry_notices WHERE item_id = $1 AND expires_at = $2 AND days_before = $3",
            &args![ending.item_id, ending.expires_at, days_before],
        )
        .await?;
    Ok(found.is_some())
}
