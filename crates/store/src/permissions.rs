//! The application permissions of a tenant as last checked.

use serde::{Deserialize, Serialize};
use sqlx::FromRow;
use tenantatlas_domain::ids::TenantId;
use tenantatlas_domain::time::Timestamp;

use crate::database::{Access, Run as _};
use crate::sql::{args, json};
use crate::{StoreError, Tx};

/// One permission.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, FromRow)]
pub struct Permission {
    /// Its name, such as `DeviceManagementConfiguration.Read.All`.
    pub permission: String,
    /// The keys of the policy types that need it.
    #[sqlx(json)]
    pub required_by: Vec<String>,
    /// Whether the app has it.
    pub granted: bool,
}

/// Replaces what is known about the permissions of a tenant.
///
/// # Errors
/// When the database fails.
pub async fn replace(
    tx: &mut Tx,
    tenant: TenantId,
    permissions: &[Permission],
    checked_at: Timestamp,
) -> Result<(), StoreError> {
    tx.execute("DELETE FROM tenant_permissions WHERE tenant_id = $1", &args![tenant]).await?;
    for permission in permissions {
        tx.execute(
            "INSERT INTO tenant_permissions (tenant_id, permission, required_by, granted, checked_at)
             VALUES ($1, $2, $3, $4, $5)",
            &args![
                tenant,
                permission.permission.as_str(),
                json(&permission.required_by),
                permission.granted,
                checked_at
            ],
        )
        .await?;
    }
    Ok(())
}

/// The permissions of a tenant as last checked, missing ones first. Empty when never checked.
///
/// # Errors
/// When the database fails.
pub async fn list(mut on: impl Access, tenant: TenantId) -> Result<Vec<Permission>, StoreError> {
    on.rows(
        "SELECT permission, required_by, granted
         FROM tenant_permissions
         WHERE tenant_id = $1
         ORDER BY granted, permission",
        &args![tenant],
    )
    .await
}
