//! Who may do what in which tenant (`docs/rules.md`, section Access).

use serde::Serialize;
use sqlx::{AssertSqlSafe, FromRow};
use tenantatlas_domain::ids::{TenantId, UserId};
use tenantatlas_domain::role::Role;
use tenantatlas_domain::time::Timestamp;
use uuid::Uuid;

use crate::database::{Access, Run as _};
use crate::record::{Name, Nullable};
use crate::sql::args;
use crate::{StoreError, Tx, dialect};

/// A member of a tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, FromRow)]
pub struct Member {
    /// The person.
    #[sqlx(try_from = "Uuid")]
    pub user_id: UserId,
    /// The person's name.
    #[sqlx(try_from = "Name")]
    pub name: String,
    /// The person's address.
    #[sqlx(try_from = "Name")]
    pub email: String,
    /// What they may do.
    #[sqlx(try_from = "String")]
    pub role: Role,
    /// Since when the person cannot sign in.
    #[sqlx(try_from = "Nullable<i64>")]
    pub disabled_at: Option<Timestamp>,
    /// When they became a member.
    #[sqlx(try_from = "i64")]
    pub created_at: Timestamp,
}

/// Makes a person a member, or changes their role.
///
/// # Errors
/// When the tenant or the person does not exist.
pub async fn set(tx: &mut Tx, tenant: TenantId, user: UserId, role: Role, at: Timestamp) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO tenant_members (tenant_id, user_id, role, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $4)
         ON CONFLICT (tenant_id, user_id) DO UPDATE SET role = excluded.role, updated_at = excluded.updated_at",
        &args![tenant, user, role.as_str(), at],
    )
    .await
    .map(|_| ())
}

/// Ends a membership. Answers whether there was one.
///
/// # Errors
/// When the database fails.
pub async fn remove(tx: &mut Tx, tenant: TenantId, user: UserId) -> Result<bool, StoreError> {
    let removed =
        tx.execute("DELETE FROM tenant_members WHERE tenant_id = $1 AND user_id = $2", &args![tenant, user]).await?;
    Ok(removed == 1)
}

/// What a person may do in a tenant: their role as a member; owner for a platform administrator. `None` when the tenant
/// does not exist, is not theirs, or the person cannot sign in: the three look alike.
///
/// # Errors
/// When the database fails.
pub async fn effective_role(mut on: impl Access, tenant: TenantId, user: UserId) -> Result<Option<Role>, StoreError> {
    let role: Option<String> = on
        .value(
            "SELECT CASE WHEN u.platform_admin = TRUE THEN 'owner' ELSE m.role END
             FROM users u
             JOIN tenants t ON t.id = $1 AND t.removed_at IS NULL
             LEFT JOIN tenant_members m ON m.tenant_id = t.id AND m.user_id = u.id
             WHERE u.id = $2 AND u.disabled_at IS NULL AND (m.role IS NOT NULL OR u.platform_admin = TRUE)",
            &args![tenant, user],
        )
        .await?;
    role.map(|role| role.parse().map_err(|_| StoreError::corrupt("tenant_members.role"))).transpose()
}

/// The tenants that exist for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sight {
    /// All of them: the person administers the platform.
    All,
    /// Those of which the person is a member, in the order of their ids.
    Of(Box<[TenantId]>),
}

impl Sight {
    /// Whether a tenant, if there is one of that id, exists for the person.
    #[must_use]
    pub fn holds(&self, tenant: TenantId) -> bool {
        match self {
            Self::All => true,
            Self::Of(tenants) => tenants.binary_search(&tenant).is_ok(),
        }
    }
}

/// The tenants that exist for a person; `None` when the person cannot sign in.
///
/// # Errors
/// When the database fails.
pub async fn sight(mut on: impl Access, user: UserId) -> Result<Option<Sight>, StoreError> {
    let rows: Vec<SightRow> = on
        .rows(
            "SELECT u.platform_admin, m.tenant_id
             FROM users u
             LEFT JOIN tenant_members m ON m.user_id = u.id AND u.platform_admin = FALSE
             WHERE u.id = $1 AND u.disabled_at IS NULL",
            &args![user],
        )
        .await?;
    let Some(first) = rows.first() else { return Ok(None) };
    if first.platform_admin {
        return Ok(Some(Sight::All));
    }
    let mut tenants: Vec<TenantId> = rows.iter().filter_map(|row| row.tenant_id).collect();
    tenants.sort_unstable();
    Ok(Some(Sight::Of(tenants.into_boxed_slice())))
}

#[derive(FromRow)]
struct SightRow {
    platform_admin: bool,
    #[sqlx(try_from = "Nullable<Uuid>")]
    tenant_id: Option<TenantId>,
}

/// The role of a member, kept from every change until the transaction ends. `None` when the person is no member.
///
/// # Errors
/// When the database fails.
pub async fn lock_role(tx: &mut Tx, tenant: TenantId, user: UserId) -> Result<Option<Role>, StoreError> {
    let lock = dialect::for_no_key_update(tx.backend());
    let text = format!("SELECT role FROM tenant_members WHERE tenant_id = $1 AND user_id = $2{lock}");
    let role: Option<String> = tx.value(AssertSqlSafe(text), &args![tenant, user]).await?;
    role.map(|role| role.parse().map_err(|_| StoreError::corrupt("tenant_members.role"))).transpose()
}

/// The members of a tenant by name.
///
/// # Errors
/// When the database fails.
pub async fn list(mut on: impl Access, tenant: TenantId) -> Result<Vec<Member>, StoreError> {
    on.rows(
        "SELECT m.user_id, m.role, m.created_at, u.name, u.email, u.disabled_at
         FROM tenant_members m
         JOIN users u ON u.id = m.user_id
         WHERE m.tenant_id = $1
         ORDER BY u.name, u.id",
        &args![tenant],
    )
    .await
}

/// The members of a tenant with at least this role that can sign in.
///
/// # Errors
/// When the database fails.
pub async fn who_work(on: impl Access, tenant: TenantId, least: Role) -> Result<Vec<UserId>, StoreError> {
    let members = list(on, tenant).await?.into_iter();
    Ok(members.filter(|one| one.role >= least && one.disabled_at.is_none()).map(|one| one.user_id).collect())
}

/// Locks the members with this role in the order of their ids, until the transaction ends. Do it before a membership
/// changes and count after it: of two who take the role from each other, the second sees what the first did.
///
/// # Errors
/// When the database fails.
pub async fn lock(tx: &mut Tx, tenant: TenantId, role: Role) -> Result<(), StoreError> {
    let lock = dialect::for_no_key_update(tx.backend());
    let text = format!("SELECT user_id FROM tenant_members WHERE tenant_id = $1 AND role = $2 ORDER BY user_id{lock}");
    tx.execute(AssertSqlSafe(text), &args![tenant, role.as_str()]).await.map(|_| ())
}

/// How many members with this role a tenant has that can sign in; so that the last owner is not removed unawares.
///
/// # Errors
/// When the database fails.
pub async fn count(mut on: impl Access, tenant: TenantId, role: Role) -> Result<u64, StoreError> {
    let count: Option<i64> = on
        .value(
            "SELECT COUNT(*)
             FROM tenant_members m
             JOIN users u ON u.id = m.user_id
             WHERE m.tenant_id = $1 AND m.role = $2 AND u.disabled_at IS NULL",
            &args![tenant, role.as_str()],
        )
        .await?;
    Ok(count.map_or(0, i64::unsigned_abs))
}
