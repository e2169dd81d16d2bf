//! Filters of the inventory that a person keeps under a name.

use sqlx::FromRow;
use tenantatlas_domain::ids::{TenantId, UserId};
use tenantatlas_domain::time::Timestamp;
use uuid::Uuid;

use crate::database::{Access, Run as _};
use crate::record::Name;
use crate::sql::args;
use crate::{StoreError, Tx};

/// A saved view of one person in one tenant.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct SavedView {
    /// Its id.
    pub id: Uuid,
    /// The name that the person gave it, unique among theirs in the tenant whatever the case.
    #[sqlx(try_from = "Name")]
    pub name: String,
    /// The parameters of the address that it stands for.
    pub query: String,
}

/// The saved views of a person in a tenant, by name. How many there may be is for whoever adds one to keep.
///
/// # Errors
/// When the database fails.
pub async fn list(mut on: impl Access, user: UserId, tenant: TenantId) -> Result<Vec<SavedView>, StoreError> {
    on.rows(
        "SELECT id, name, query FROM saved_views WHERE user_id = $1 AND tenant_id = $2 ORDER BY name_key",
        &args![user, tenant],
    )
    .await
}

/// Adds a view. A name that is taken is a conflict ([`StoreError::is_conflict`]).
///
/// # Errors
/// When the name is taken, or the database fails.
pub async fn add(
    tx: &mut Tx,
    user: UserId,
    tenant: TenantId,
    view: &SavedView,
    at: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO saved_views (id, user_id, tenant_id, name, name_key, query, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        &args![view.id, user, tenant, &view.name, view.name.to_lowercase(), &view.query, at],
    )
    .await
    .map(|_| ())
}

/// Gives a view another name. Answers whether there is such a view.
///
/// # Errors
/// When the name is taken, or the database fails.
pub async fn rename(tx: &mut Tx, user: UserId, tenant: TenantId, view: Uuid, name: &str) -> Result<bool, StoreError> {
    let renamed = tx
        .execute(
            "UPDATE saved_views SET name = $4, name_key = $5 WHERE id = $3 AND user_id = $1 AND tenant_id = $2",
            &args![user, tenant, view, name, name.to_lowercase()],
        )
        .await?;
    Ok(renamed == 1)
}

/// Removes a view. Answers whether there was such a view.
///
/// # Errors
/// When the database fails.
pub async fn remove(tx: &mut Tx, user: UserId, tenant: TenantId, view: Uuid) -> Result<bool, StoreError> {
    let removed = tx
        .execute(
            "DELETE FROM saved_views WHERE id = $3 AND user_id = $1 AND tenant_id = $2",
            &args![user, tenant, view],
        )
        .await?;
    Ok(removed == 1)
}
