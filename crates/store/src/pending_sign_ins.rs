//! Sign-ins whose password was right and that wait for the second factor. They give no right. The store sees only hashes
//! of their tokens.

use tenantatlas_domain::ids::UserId;
use tenantatlas_domain::time::Timestamp;

use crate::database::{Access, Run as _};
use crate::sessions::TokenHash;
use crate::sql::args;
use crate::users::User;
use crate::{StoreError, Tx};

/// Sign-ins of one person that may wait at the same time; an earlier one ends when there are more.
const MOST: i64 = 10;

/// Begins one.
///
/// # Errors
/// When the person does not exist.
pub async fn create(
    tx: &mut Tx,
    token_hash: &TokenHash,
    user: UserId,
    at: Timestamp,
    expires_at: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(
        "DELETE FROM pending_sign_ins
         WHERE user_id = $1
             AND token_hash NOT IN (
                 SELECT token_hash FROM pending_sign_ins WHERE user_id = $1 ORDER BY created_at DESC LIMIT $2)",
        &args![user, MOST - 1],
    )
    .await?;
    tx.execute(
        "INSERT INTO pending_sign_ins (token_hash, user_id, created_at, expires_at) VALUES ($1, $2, $3, $4)",
        &args![token_hash, user, at, expires_at],
    )
    .await
    .map(|_| ())
}

/// The person of one; `None` when it is unknown, has ended, or the person cannot sign in.
///
/// # Errors
/// When the database fails.
pub async fn find(mut on: impl Access, token_hash: &TokenHash, at: Timestamp) -> Result<Option<User>, StoreError> {
    on.row(
        "SELECT u.*
         FROM pending_sign_ins p
         JOIN users u ON u.id = p.user_id
         WHERE p.token_hash = $1 AND p.expires_at > $2 AND u.disabled_at IS NULL",
        &args![token_hash, at],
    )
    .await
}

/// Uses one up. Answers whether it was still there: two that come at once do not both get it.
///
/// # Errors
/// When the database fails.
pub async fn take(tx: &mut Tx, token_hash: &TokenHash, at: Timestamp) -> Result<bool, StoreError> {
    let text = "DELETE FROM pending_sign_ins WHERE token_hash = $1 AND expires_at > $2";
    Ok(tx.execute(text, &args![token_hash, at]).await? == 1)
}

/// Ends those of a person, since what they stood on has changed. Answers how many.
///
/// # Errors
/// When the database fails.
pub async fn remove_all(tx: &mut Tx, user: UserId) -> Result<u64, StoreError> {
    tx.execute("DELETE FROM pending_sign_ins WHERE user_id = $1", &args![user]).await
}

/// Removes those that have ended. Answers how many.
///
/// # Errors
/// When the database fails.
pub async fn remove_ended(tx: &mut Tx, at: Timestamp) -> Result<u64, StoreError> {
    tx.execute("DELETE FROM pending_sign_ins WHERE expires_at <= $1", &args![at]).await
}
