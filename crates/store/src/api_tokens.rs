//! Tokens of the REST API (`docs/rules.md`, section Tokens). The store sees only hashes of them.

use serde::Serialize;
use sqlx::{AssertSqlSafe, FromRow};
use tenantatlas_domain::ids::{TenantId, UserId};
use tenantatlas_domain::role::Role;
use tenantatlas_domain::time::Timestamp;
use uuid::Uuid;

use crate::database::{Access, Run as _};
use crate::record::{Name, Nullable};
use crate::sessions::TokenHash;
use crate::sql::args;
use crate::tenants::{self, Tenant};
use crate::{StoreError, Tx, dialect, members};

/// A token without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, FromRow)]
pub struct ApiToken {
    /// Its id, by which people name it.
    pub id: Uuid,
    /// The name that it was given.
    #[sqlx(try_from = "Name")]
    pub name: String,
    /// The most that it allows, in any tenant.
    #[sqlx(try_from = "String")]
    pub role: Role,
    /// The person whose token it is; `None` for one of a tenant.
    #[sqlx(try_from = "Nullable<Uuid>")]
    pub user_id: Option<UserId>,
    /// The name of that person, as it is now.
    #[sqlx(try_from = "Nullable<Name>")]
    pub owner_name: Option<String>,
    /// The address of that person, as it is now.
    #[sqlx(try_from = "Nullable<Name>")]
    pub owner_email: Option<String>,
    /// Whether that person can no longer sign in. Their tokens are worth nothing then.
    pub owner_disabled: bool,
    /// The tenant whose token it is; `None` for one of a person.
    #[sqlx(try_from = "Nullable<Uuid>")]
    pub tenant_id: Option<TenantId>,
    /// Of a person's: whether it reaches all tenants of theirs, and not only those that are named.
    pub all_tenants: bool,
    /// The name of who made it, as it was then.
    #[sqlx(try_from = "Name")]
    pub created_by: String,
    /// When it was made.
    #[sqlx(try_from = "i64")]
    pub created_at: Timestamp,
    /// When it ends.
    #[sqlx(try_from = "i64")]
    pub expires_at: Timestamp,
    /// When it was last used; a minute or so behind.
    #[sqlx(try_from = "Nullable<i64>")]
    pub last_used_at: Option<Timestamp>,
    /// When it was taken back.
    #[sqlx(try_from = "Nullable<i64>")]
    pub revoked_at: Option<Timestamp>,
    /// Who took it back, by the name they had then.
    #[sqlx(try_from = "Nullable<Name>")]
    pub revoked_by: Option<String>,
}

impl ApiToken {
    /// Whether it is good for anything at that time.
    #[must_use]
    pub fn stands(&self, at: Timestamp) -> bool {
        self.revoked_at.is_none() && !self.owner_disabled && self.expires_at > at
    }
}

/// A new token.
#[derive(Clone, Debug)]
pub struct NewApiToken {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// The most that it allows.
    pub role: Role,
    /// Whose it is.
    pub owner: ApiTokenOwner,
    /// The name of who makes it.
    pub created_by: String,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// Whose token it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ApiTokenOwner {
    /// A person's, for these tenants of theirs, or for all where none is named.
    Person(UserId, Vec<TenantId>),
    /// A tenant's, for that tenant alone.
    Tenant(TenantId),
}

/// What is read of a token, with its owner.
const SELECT: &str =
    "SELECT t.id, t.name, t.role, t.user_id, t.tenant_id, t.all_tenants, t.created_by, t.created_at, t.expires_at,
        t.last_used_at, t.revoked_at, t.revoked_by, u.name AS owner_name, u.email AS owner_email,
        u.disabled_at IS NOT NULL AS owner_disabled
     FROM api_tokens t
     LEFT JOIN users u ON u.id = t.user_id";

/// Keeps a new token under the hash of its secret.
///
/// # Errors
/// When the person or a tenant does not exist, or the database fails.
pub async fn create(tx: &mut Tx, hash: &TokenHash, new: &NewApiToken, at: Timestamp) -> Result<(), StoreError> {
    let (user, tenant, limits) = match &new.owner {
        ApiTokenOwner::Person(user, limits) => (Some(*user), None, limits.as_slice()),
        ApiTokenOwner::Tenant(tenant) => (None, Some(*tenant), &[][..]),
    };
    tx.execute(
        "INSERT INTO api_tokens (id, token_hash, name, role, user_id, tenant_id, all_tenants, created_by, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        &args![
            new.id,
            hash,
            new.name.as_str(),
            new.role.as_str(),
            user,
            tenant,
            user.is_some() && limits.is_empty(),
            new.created_by.as_str(),
            at,
            new.expires_at
        ],
    )
    .await?;
    for limit in limits {
        tx.execute(
            "INSERT INTO api_token_tenants (token_id, tenant_id) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            &args![new.id, *limit],
        )
        .await?;
    }
    Ok(())
}

/// The token with that hash, whether it is still good for anything or not.
///
/// # Errors
/// When the database fails.
pub async fn find(mut on: impl Access, hash: &TokenHash) -> Result<Option<ApiToken>, StoreError> {
    on.row(AssertSqlSafe(format!("{SELECT} WHERE t.token_hash = $1")), &args![hash]).await
}

/// The token with that id.
///
/// # Errors
/// When the database fails.
pub async fn get(mut on: impl Access, id: Uuid) -> Result<Option<ApiToken>, StoreError> {
    on.row(AssertSqlSafe(format!("{SELECT} WHERE t.id = $1")), &args![id]).await
}

/// The token with that id unless it was taken back, kept from that until the transaction ends.
///
/// # Errors
/// When the database fails.
pub async fn hold(tx: &mut Tx, id: Uuid) -> Result<Option<ApiToken>, StoreError> {
    let lock = dialect::for_share(tx.backend());
    let text = format!("SELECT id FROM api_tokens WHERE id = $1 AND revoked_at IS NULL{lock}");
    let held: Option<Uuid> = tx.value(AssertSqlSafe(text), &args![id]).await?;
    if held.is_none() { Ok(None) } else { get(tx, id).await }
}

/// The tokens of a person, newest first.
///
/// # Errors
/// When the database fails.
pub async fn of_person(mut on: impl Access, user: UserId) -> Result<Vec<ApiToken>, StoreError> {
    let text = format!("{SELECT} WHERE t.user_id = $1 ORDER BY t.created_at DESC, t.id DESC");
    on.rows(AssertSqlSafe(text), &args![user]).await
}

/// The tokens of a tenant, newest first; those of people are theirs, and not among them.
///
/// # Errors
/// When the database fails.
pub async fn of_tenant(mut on: impl Access, tenant: TenantId) -> Result<Vec<ApiToken>, StoreError> {
    let text = format!("{SELECT} WHERE t.tenant_id = $1 ORDER BY t.created_at DESC, t.id DESC");
    on.rows(AssertSqlSafe(text), &args![tenant]).await
}

/// All tokens, newest first, for the command line.
///
/// # Errors
/// When the database fails.
pub async fn list(mut on: impl Access) -> Result<Vec<ApiToken>, StoreError> {
    on.rows(AssertSqlSafe(format!("{SELECT} ORDER BY t.created_at DESC, t.id DESC")), &[]).await
}

/// The tenants that a person's token names.
///
/// # Errors
/// When the database fails.
pub async fn limits(mut on: impl Access, id: Uuid) -> Result<Vec<TenantId>, StoreError> {
    let ids: Vec<Uuid> =
        on.values("SELECT tenant_id FROM api_token_tenants WHERE token_id = $1 ORDER BY tenant_id", &args![id]).await?;
    Ok(ids.into_iter().map(TenantId::from_uuid).collect())
}

/// Takes a token back for good. Answers whether it was there and not taken back yet.
///
/// # Errors
/// When the database fails.
pub async fn revoke(tx: &mut Tx, id: Uuid, by: &str, at: Timestamp) -> Result<bool, StoreError> {
    let revoked = tx
        .execute(
            "UPDATE api_tokens SET revoked_at = $2, revoked_by = $3 WHERE id = $1 AND revoked_at IS NULL",
            &args![id, at, by],
        )
        .await?;
    Ok(revoked == 1)
}

/// Notes that a token is used. Call it now and then, not on every request.
///
/// # Errors
/// When the database fails.
pub async fn touch(tx: &mut Tx, id: Uuid, at: Timestamp) -> Result<(), StoreError> {
    tx.execute("UPDATE api_tokens SET last_used_at = $2 WHERE id = $1", &args![id, at]).await.map(|_| ())
}

/// How many tokens a person, or a tenant, has that were not taken back and have not ended.
///
/// # Errors
/// When the database fails.
pub async fn count_standing(mut on: impl Access, owner: &ApiTokenOwner, at: Timestamp) -> Result<u64, StoreError> {
    let (column, id) = match owner {
        ApiTokenOwner::Person(user, _) => ("user_id", user.as_uuid()),
        ApiTokenOwner::Tenant(tenant) => ("tenant_id", tenant.as_uuid()),
    };
    let text =
        format!("SELECT COUNT(*) FROM api_tokens WHERE {column} = $1 AND revoked_at IS NULL AND expires_at > $2");
    let count: Option<i64> = on.value(AssertSqlSafe(text), &args![id, at]).await?;
    Ok(count.map_or(0, i64::unsigned_abs))
}

/// What a token allows in a tenant: the lesser of its role and, for a person's, of what that person may do there now. `None` where
/// the tenant does not exist for it. Whether the token still stands is not asked here.
///
/// # Errors
/// When the database fails.
pub async fn role_in(on: impl Access + Copy, token: &ApiToken, tenant: TenantId) -> Result<Option<Role>, StoreError> {
    let Some(user) = token.user_id else {
        let own = token.tenant_id == Some(tenant) && tenants::get(on, tenant).await?.is_some();
        return Ok(own.then_some(token.role));
    };
    if !reaches(on, token, tenant).await? {
        return Ok(None);
    }
    Ok(members::effective_role(on, tenant, user).await?.map(|role| role.min(token.role)))
}

/// Whether a token names a tenant, or all of its person's.
///
/// # Errors
/// When the database fails.
pub async fn reaches(mut on: impl Access, token: &ApiToken, tenant: TenantId) -> Result<bool, StoreError> {
    if token.all_tenants || token.tenant_id == Some(tenant) {
        return Ok(true);
    }
    let named: Option<i64> = on
        .value(
            "SELECT CAST(1 AS BIGINT) FROM api_token_tenants WHERE token_id = $1 AND tenant_id = $2",
            &args![token.id, tenant],
        )
        .await?;
    Ok(named.is_some())
}

/// The tenants that exist for a token, each with what it allows there.
///
/// # Errors
/// When the database fails.
pub async fn visible(on: impl Access + Copy, token: &ApiToken) -> Result<Vec<(Tenant, Role)>, StoreError> {
    let Some(user) = token.user_id else {
        let own = match token.tenant_id {
            Some(tenant) => tenants::get(on, tenant).await?,
            None => None,
        };
        return Ok(own.into_iter().map(|tenant| (tenant, token.role)).collect());
    };
    let named = if token.all_tenants { None } else { Some(limits(on, token.id).await?) };
    let visible = tenants::list_visible(on, user).await?.into_iter();
    let reached = visible.filter(|one| named.as_ref().is_none_or(|named| named.contains(&one.tenant.id)));
    Ok(reached.map(|one| (one.tenant, one.role.min(token.role))).collect())
}
