//! Tenants as one person sees them.

use serde::Serialize;
use sqlx::FromRow;
use tenantatlas_domain::ids::{TenantId, UserId};
use tenantatlas_domain::role::Role;
use tenantatlas_domain::time::Timestamp;
use uuid::Uuid;

use super::{Environment, Tenant};
use crate::StoreError;
use crate::database::{Access, Run as _};
use crate::record::{Name, Nullable};
use crate::sql::{Statement, args};

/// A tenant as one person sees it in the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, FromRow)]
pub struct VisibleTenant {
    /// The tenant.
    #[sqlx(flatten)]
    pub tenant: Tenant,
    /// What the person may do there; a platform administrator may do everything, whatever their role as a member.
    #[sqlx(try_from = "String")]
    pub role: Role,
    /// Whether the person marked it.
    pub favourite: bool,
    /// When the person last used it.
    #[sqlx(try_from = "Nullable<i64>")]
    pub last_used_at: Option<Timestamp>,
}

/// A tenant that somebody asks for.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct AskedTenant {
    /// The tenant.
    #[sqlx(flatten)]
    pub tenant: Tenant,
    /// What they may do in it, as [`crate::members::effective_role`] says; `None` when it is not theirs.
    #[sqlx(try_from = "Nullable<String>")]
    pub role: Option<Role>,
}

/// A tenant at hand in the switcher.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct NearTenant {
    /// The tenant.
    #[sqlx(try_from = "Uuid")]
    pub id: TenantId,
    /// Its name.
    #[sqlx(try_from = "Name")]
    pub name: String,
    /// The badge.
    #[sqlx(try_from = "String")]
    pub environment: Environment,
    /// Whether the person marked it.
    pub favourite: bool,
    /// When the person last used it.
    #[sqlx(try_from = "Nullable<i64>")]
    pub last_used_at: Option<Timestamp>,
    /// When the person last used any tenant.
    #[sqlx(try_from = "Nullable<i64>")]
    pub any_used_at: Option<Timestamp>,
}

/// A tenant, and what a person may do in it, in one question: every request of a tenant begins with it.
///
/// # Errors
/// When the database fails.
pub async fn get_for(mut on: impl Access, id: TenantId, user: UserId) -> Result<Option<AskedTenant>, StoreError> {
    on.row(
        "SELECT t.*, CASE WHEN u.platform_admin = TRUE THEN 'owner' WHEN u.id IS NOT NULL THEN m.role END AS role
         FROM tenants t
         LEFT JOIN users u ON u.id = $2 AND u.disabled_at IS NULL
         LEFT JOIN tenant_members m ON m.tenant_id = t.id AND m.user_id = u.id
         WHERE t.id = $1 AND t.removed_at IS NULL",
        &args![id, user],
    )
    .await
}

/// The tenants a person sees, favourites first, then by name: those they are a member of, and for a platform
/// administrator all.
///
/// # Errors
/// When the database fails.
pub async fn list_visible(mut on: impl Access, user: UserId) -> Result<Vec<VisibleTenant>, StoreError> {
    on.rows(
        "SELECT t.*, CASE WHEN u.platform_admin = TRUE THEN 'owner' ELSE m.role END AS role,
             COALESCE(p.favourite, FALSE) AS favourite, p.last_used_at
         FROM users u
         CROSS JOIN tenants t
         LEFT JOIN tenant_members m ON m.tenant_id = t.id AND m.user_id = u.id
         LEFT JOIN user_tenant_preferences p ON p.tenant_id = t.id AND p.user_id = u.id
         WHERE u.id = $1 AND u.disabled_at IS NULL AND t.removed_at IS NULL
             AND (m.role IS NOT NULL OR u.platform_admin = TRUE)
         ORDER BY COALESCE(p.favourite, FALSE) DESC, t.name_key",
        &args![user],
    )
    .await
}

/// The tenant that a person looks at, and so many others of theirs, first the favourites and those that they used last.
///
/// # Errors
/// When the database fails.
pub async fn list_near(
    mut on: impl Access,
    user: UserId,
    looked_at: TenantId,
    others: u32,
) -> Result<Vec<NearTenant>, StoreError> {
    let mut statement = Statement::default();
    statement
        .push(
            "SELECT t.id, t.name, t.environment, COALESCE(p.favourite, FALSE) AS favourite, p.last_used_at,
                 MAX(p.last_used_at) OVER () AS any_used_at
             FROM users u
             CROSS JOIN tenants t
             LEFT JOIN tenant_members m ON m.tenant_id = t.id AND m.user_id = u.id
             LEFT JOIN user_tenant_preferences p ON p.tenant_id = t.id AND p.user_id = u.id
             WHERE u.id = $1 AND u.disabled_at IS NULL AND t.removed_at IS NULL
                 AND (m.role IS NOT NULL OR u.platform_admin = TRUE)
             ORDER BY CASE WHEN t.id = $2 THEN 0 ELSE 1 END, COALESCE(p.favourite, FALSE) DESC,
                 COALESCE(p.last_used_at, 0) DESC, t.name_key",
            args![user, looked_at],
        )
        .push_limit(u64::from(others) + 1);
    on.query(&statement).await
}
