//! What a person last used and likes, per tenant.

use sqlx::FromRow;
use tenantatlas_domain::ids::{TenantId, UserId};
use tenantatlas_domain::selection::Selection;
use tenantatlas_domain::time::Timestamp;

use crate::database::{Access, Run as _};
use crate::record::Nullable;
use crate::sql::{args, json};
use crate::{StoreError, Tx};

/// The preferences of one person in one tenant.
#[derive(Clone, Debug, Default, PartialEq, Eq, FromRow)]
pub struct Preferences {
    /// Whether the tenant is shown first.
    pub favourite: bool,
    /// When the person last used the tenant.
    #[sqlx(try_from = "Nullable<i64>")]
    pub last_used_at: Option<Timestamp>,
    /// What the person last chose to sync.
    #[sqlx(json(nullable))]
    pub last_selection: Option<Selection>,
}

/// The preferences; the default when nothing was ever remembered.
///
/// # Errors
/// When the database fails.
pub async fn get(mut on: impl Access, user: UserId, tenant: TenantId) -> Result<Preferences, StoreError> {
    let preferences: Option<Preferences> = on
        .row(
            "SELECT favourite, last_used_at, last_selection
             FROM user_tenant_preferences
             WHERE user_id = $1 AND tenant_id = $2",
            &args![user, tenant],
        )
        .await?;
    Ok(preferences.unwrap_or_default())
}

/// Marks a tenant as favourite, or no longer.
///
/// # Errors
/// When the database fails.
pub async fn set_favourite(tx: &mut Tx, user: UserId, tenant: TenantId, favourite: bool) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO user_tenant_preferences (user_id, tenant_id, favourite)
         VALUES ($1, $2, $3)
         ON CONFLICT (user_id, tenant_id) DO UPDATE SET favourite = excluded.favourite",
        &args![user, tenant, favourite],
    )
    .await
    .map(|_| ())
}

/// Remembers that the person uses the tenant now.
///
/// # Errors
/// When the database fails.
pub async fn record_use(tx: &mut Tx, user: UserId, tenant: TenantId, at: Timestamp) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO user_tenant_preferences (user_id, tenant_id, last_used_at)
         VALUES ($1, $2, $3)
         ON CONFLICT (user_id, tenant_id) DO UPDATE SET last_used_at = excluded.last_used_at",
        &args![user, tenant, at],
    )
    .await
    .map(|_| ())
}

/// Remembers what the person chose to sync.
///
/// # Errors
/// When the database fails.
pub async fn record_selection(
    tx: &mut Tx,
    user: UserId,
    tenant: TenantId,
    selection: &Selection,
) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO user_tenant_preferences (user_id, tenant_id, last_selection)
         VALUES ($1, $2, $3)
         ON CONFLICT (user_id, tenant_id) DO UPDATE SET last_selection = excluded.last_selection",
        &args![user, tenant, json(selection)],
    )
    .await
    .map(|_| ())
}
