//! People who sign in.

use std::fmt;

use serde::Serialize;
use sqlx::{AssertSqlSafe, FromRow};
use tenantatlas_domain::ids::UserId;
use tenantatlas_domain::time::Timestamp;
use uuid::Uuid;

use crate::database::{Access, Run as _};
use crate::record::{Name, Nullable};
use crate::sql::args;
use crate::{StoreError, Tx, dialect};

/// A person, without the password hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, FromRow)]
pub struct User {
    /// Our id.
    #[sqlx(try_from = "Uuid")]
    pub id: UserId,
    /// The address as it was entered; signs in with it, whatever the case.
    pub email: String,
    /// The name as others see it.
    #[sqlx(try_from = "Name")]
    pub name: String,
    /// Whether this person manages tenants and users.
    pub platform_admin: bool,
    /// Since when this person can no longer sign in.
    #[sqlx(try_from = "Nullable<i64>")]
    pub disabled_at: Option<Timestamp>,
    /// The last sign-in.
    #[sqlx(try_from = "Nullable<i64>")]
    pub last_sign_in_at: Option<Timestamp>,
    /// When the account was made.
    #[sqlx(try_from = "i64")]
    pub created_at: Timestamp,
    /// When it was last changed.
    #[sqlx(try_from = "i64")]
    pub updated_at: Timestamp,
}

/// A person with the argon2 hash of the password, for the sign-in only.
#[derive(Clone, FromRow)]
pub struct UserWithPassword {
    /// The person.
    #[sqlx(flatten)]
    pub user: User,
    /// The hash in PHC string form; `None` while no password was set.
    pub password_hash: Option<String>,
}

impl fmt::Debug for UserWithPassword {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("UserWithPassword").field("user", &self.user).finish_non_exhaustive()
    }
}

/// A new person.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// The id.
    pub id: UserId,
    /// The address.
    pub email: String,
    /// The name.
    pub name: String,
    /// Whether this person manages tenants and users.
    pub platform_admin: bool,
}

/// An address as it is compared: nobody has two accounts by spelling.
pub(crate) fn key(email: &str) -> String {
    email.trim().to_lowercase()
}

/// Adds a person, without password.
///
/// # Errors
/// [`StoreError::Conflict`] when the address is taken.
pub async fn create(tx: &mut Tx, user: &NewUser, at: Timestamp) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO users (id, email, email_key, name, platform_admin, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $6)",
        &args![user.id, user.email.trim(), key(&user.email), user.name.trim(), user.platform_admin, at],
    )
    .await
    .map(|_| ())
}

/// Changes the name and nothing else. Answers whether the person exists.
///
/// # Errors
/// When the database fails.
pub async fn set_name(tx: &mut Tx, id: UserId, name: &str, at: Timestamp) -> Result<bool, StoreError> {
    let text = "UPDATE users SET name = $2, updated_at = $3 WHERE id = $1";
    Ok(tx.execute(text, &args![id, name.trim(), at]).await? == 1)
}

/// Gives the right to administer the platform, or takes it, and changes nothing else. Answers whether the person exists.
///
/// # Errors
/// When the database fails.
pub async fn set_platform_admin(
    tx: &mut Tx,
    id: UserId,
    platform_admin: bool,
    at: Timestamp,
) -> Result<bool, StoreError> {
    let text = "UPDATE users SET platform_admin = $2, updated_at = $3 WHERE id = $1";
    Ok(tx.execute(text, &args![id, platform_admin, at]).await? == 1)
}

/// Stores the argon2 hash of a password. Answers whether the person exists.
///
/// # Errors
/// When the database fails.
pub async fn set_password_hash(tx: &mut Tx, id: UserId, hash: &str, at: Timestamp) -> Result<bool, StoreError> {
    let changed =
        tx.execute("UPDATE users SET password_hash = $2, updated_at = $3 WHERE id = $1", &args![id, hash, at]).await?;
    Ok(changed == 1)
}

/// Stores another hash of the same password, unless the password was changed meanwhile. Answers whether it was stored.
///
/// # Errors
/// When the database fails.
pub async fn replace_password_hash(tx: &mut Tx, id: UserId, old: &str, new: &str) -> Result<bool, StoreError> {
    let text = "UPDATE users SET password_hash = $3 WHERE id = $1 AND password_hash = $2";
    Ok(tx.execute(text, &args![id, old, new]).await? == 1)
}

/// Disables a person, or lets them in again with `None`. End their sessions too: [`crate::sessions::revoke_all`].
///
/// # Errors
/// When the database fails.
pub async fn set_disabled(
    tx: &mut Tx,
    id: UserId,
    disabled_at: Option<Timestamp>,
    at: Timestamp,
) -> Result<bool, StoreError> {
    let changed = tx
        .execute("UPDATE users SET disabled_at = $2, updated_at = $3 WHERE id = $1", &args![id, disabled_at, at])
        .await?;
    Ok(changed == 1)
}

/// Records a sign-in.
///
/// # Errors
/// When the database fails.
pub async fn record_sign_in(tx: &mut Tx, id: UserId, at: Timestamp) -> Result<(), StoreError> {
    tx.execute("UPDATE users SET last_sign_in_at = $2 WHERE id = $1", &args![id, at]).await.map(|_| ())
}

/// Removes a person with memberships, preferences, notifications and sessions. What the audit says about them stays.
/// Answers whether they existed.
///
/// # Errors
/// When the database fails.
pub async fn remove(tx: &mut Tx, id: UserId) -> Result<bool, StoreError> {
    Ok(tx.execute("DELETE FROM users WHERE id = $1", &args![id]).await? == 1)
}

/// A person by id.
///
/// # Errors
/// When the database fails.
pub async fn get(mut on: impl Access, id: UserId) -> Result<Option<User>, StoreError> {
    on.row("SELECT * FROM users WHERE id = $1", &args![id]).await
}

/// A person by e-mail, whatever the case, with the password hash.
///
/// # Errors
/// When the database fails.
pub async fn find_by_email(mut on: impl Access, email: &str) -> Result<Option<UserWithPassword>, StoreError> {
    on.row("SELECT * FROM users WHERE email_key = $1", &args![key(email)]).await
}

/// A person by id, with the password hash.
///
/// # Errors
/// When the database fails.
pub async fn get_with_password(mut on: impl Access, id: UserId) -> Result<Option<UserWithPassword>, StoreError> {
    on.row("SELECT * FROM users WHERE id = $1", &args![id]).await
}

/// Whether there is nobody yet.
///
/// # Errors
/// When the database fails.
pub async fn is_empty(mut on: impl Access) -> Result<bool, StoreError> {
    let found: Option<i64> = on.value("SELECT CAST(1 AS BIGINT) FROM users LIMIT 1", &[]).await?;
    Ok(found.is_none())
}

/// Everybody, by name.
///
/// # Errors
/// When the database fails.
pub async fn list(mut on: impl Access) -> Result<Vec<User>, StoreError> {
    on.rows("SELECT * FROM users ORDER BY name, id", &[]).await
}

/// A person who can sign in, kept from every change until the transaction ends: what they may do stays true meanwhile.
///
/// # Errors
/// When the database fails.
pub async fn lock(tx: &mut Tx, id: UserId) -> Result<Option<User>, StoreError> {
    let lock = dialect::for_no_key_update(tx.backend());
    let text = format!("SELECT * FROM users WHERE id = $1 AND disabled_at IS NULL{lock}");
    tx.row(AssertSqlSafe(text), &args![id]).await
}

/// Locks those who can administer the platform, in the order of their ids, until the transaction ends. Do it before the
/// change of a person and count after it: of two who take the right from each other, the second sees what the first did.
///
/// # Errors
/// When the database fails.
pub async fn lock_platform_admins(tx: &mut Tx) -> Result<(), StoreError> {
    let lock = dialect::for_no_key_update(tx.backend());
    let text = format!("SELECT id FROM users WHERE platform_admin = TRUE AND disabled_at IS NULL ORDER BY id{lock}");
    tx.execute(AssertSqlSafe(text), &[]).await.map(|_| ())
}

/// How many people there are who can administer the platform. Zero means the first one is still to be made.
///
/// # Errors
/// When the database fails.
pub async fn count_platform_admins(mut on: impl Access) -> Result<u64, StoreError> {
    let count: Option<i64> =
        on.value("SELECT COUNT(*) FROM users WHERE platform_admin = TRUE AND disabled_at IS NULL", &[]).await?;
    Ok(count.map_or(0, i64::unsigned_abs))
}
