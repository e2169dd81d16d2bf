//! To what one-time links invite: a membership in a tenant, for whoever makes the account of an address.

use sqlx::FromRow;
use tenantatlas_domain::ids::{TenantId, UserId};
use tenantatlas_domain::role::Role;
use tenantatlas_domain::time::Timestamp;
use uuid::Uuid;

use crate::database::{Access, Run as _};
use crate::one_time_links::{self, Purpose};
use crate::record::{Name, Nullable};
use crate::sessions::TokenHash;
use crate::sql::{Statement, args};
use crate::users::key;
use crate::{StoreError, Tx};

/// An invitation that nobody has used yet, and whose link still works in time.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Invitation {
    /// Its id.
    pub id: Uuid,
    /// The tenant to which it invites.
    #[sqlx(try_from = "Uuid")]
    pub tenant_id: TenantId,
    /// What the tenant is called.
    #[sqlx(try_from = "Name")]
    pub tenant_name: String,
    /// The address with which the person will sign in, as it was entered.
    pub email: String,
    /// The role that the person will have.
    #[sqlx(try_from = "String")]
    pub role: Role,
    /// Who invited; `None` for the command line.
    #[sqlx(try_from = "Nullable<Uuid>")]
    pub invited_by: Option<UserId>,
    /// What that person is called.
    #[sqlx(try_from = "Nullable<Name>")]
    pub inviter: Option<String>,
    /// When it was made.
    #[sqlx(try_from = "i64")]
    pub created_at: Timestamp,
    /// When its link stops working.
    #[sqlx(try_from = "i64")]
    pub expires_at: Timestamp,
}

/// A new invitation.
#[derive(Clone, Debug)]
pub struct NewInvitation<'a> {
    /// Its id.
    pub id: Uuid,
    /// The tenant.
    pub tenant: TenantId,
    /// The address of who is invited.
    pub email: &'a str,
    /// The role that they will have.
    pub role: Role,
    /// Who invites; `None` for the command line.
    pub invited_by: Option<UserId>,
    /// The hash of the token of its link.
    pub token_hash: TokenHash,
    /// When the link stops working.
    pub expires_at: Timestamp,
}

/// Makes an invitation with its link. An earlier one of the same address into the same tenant stops working.
///
/// # Errors
/// When the database fails.
pub async fn create(tx: &mut Tx, new: &NewInvitation<'_>, at: Timestamp) -> Result<(), StoreError> {
    remove_of(tx, new.tenant, new.email).await?;
    one_time_links::insert(tx, &new.token_hash, Purpose::Invitation, None, at, new.expires_at).await?;
    tx.execute(
        "INSERT INTO invitations (id, tenant_id, token_hash, email, email_key, role, invited_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        &args![
            new.id,
            new.tenant,
            &new.token_hash,
            new.email.trim(),
            key(new.email),
            new.role.as_str(),
            new.invited_by
        ],
    )
    .await
    .map(|_| ())
}

/// The invitations that are open at a time, up to what else is asked of them.
fn open_at(at: Timestamp) -> Statement {
    let mut statement = Statement::new(
        "SELECT i.id, i.tenant_id, t.name AS tenant_name, i.email, i.role, i.invited_by, u.name AS inviter,
                l.created_at, l.expires_at
         FROM invitations i
         JOIN one_time_links l ON l.token_hash = i.token_hash
         JOIN tenants t ON t.id = i.tenant_id
         LEFT JOIN users u ON u.id = i.invited_by",
    );
    statement.push(" WHERE l.used_at IS NULL AND l.expires_at > $1", args![at]);
    statement
}

/// The open invitations into a tenant, the newest first.
///
/// # Errors
/// When the database fails.
pub async fn list(mut on: impl Access, tenant: TenantId, at: Timestamp) -> Result<Vec<Invitation>, StoreError> {
    let mut statement = open_at(at);
    statement.push(" AND i.tenant_id = $1 ORDER BY l.created_at DESC, i.id DESC", args![tenant]);
    on.query(&statement).await
}

/// The open invitation of a link. It is not used up.
///
/// # Errors
/// When the database fails.
pub async fn find(
    mut on: impl Access,
    token_hash: &TokenHash,
    at: Timestamp,
) -> Result<Option<Invitation>, StoreError> {
    let mut statement = open_at(at);
    statement.push(" AND i.token_hash = $1", args![token_hash.to_vec()]);
    Ok(on.query(&statement).await?.pop())
}

/// Takes an invitation back that nobody has used: its link no longer works. Answers the address, or `None` when there is
/// no such invitation.
///
/// # Errors
/// When the database fails.
pub async fn revoke(tx: &mut Tx, tenant: TenantId, id: Uuid) -> Result<Option<String>, StoreError> {
    let email: Option<String> = tx
        .value(
            "SELECT i.email
             FROM invitations i
             JOIN one_time_links l ON l.token_hash = i.token_hash
             WHERE i.tenant_id = $1 AND i.id = $2 AND l.used_at IS NULL",
            &args![tenant, id],
        )
        .await?;
    tx.execute(
        "DELETE FROM one_time_links
         WHERE token_hash IN (SELECT token_hash FROM invitations WHERE tenant_id = $1 AND id = $2)",
        &args![tenant, id],
    )
    .await?;
    Ok(email)
}

/// Removes the invitation of an address into a tenant, when there is one: somebody of that address is a member, or is
/// invited anew.
///
/// # Errors
/// When the database fails.
pub async fn remove_of(tx: &mut Tx, tenant: TenantId, email: &str) -> Result<(), StoreError> {
    tx.execute(
        "DELETE FROM one_time_links
         WHERE token_hash IN (SELECT token_hash FROM invitations WHERE tenant_id = $1 AND email_key = $2)",
        &args![tenant, key(email)],
    )
    .await
    .map(|_| ())
}
