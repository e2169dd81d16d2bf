//! Browsers in which a person has signed in before, known by a random cookie. The store sees only hashes of it.

use tenantatlas_domain::ids::UserId;
use tenantatlas_domain::time::Timestamp;

use crate::database::{Access, Run as _};
use crate::sessions::TokenHash;
use crate::sql::args;
use crate::{StoreError, Tx};

/// Browsers that are remembered per person; the one not used for the longest time is forgotten.
pub const MOST: i64 = 10;

/// Whether a person signed in with this browser before.
///
/// # Errors
/// When the database fails.
pub async fn is_known(mut on: impl Access, user: UserId, token_hash: &TokenHash) -> Result<bool, StoreError> {
    let text = "SELECT CAST(1 AS BIGINT) FROM known_browsers WHERE user_id = $1 AND token_hash = $2";
    let found: Option<i64> = on.value(text, &args![user, token_hash]).await?;
    Ok(found.is_some())
}

/// Whether anybody signed in with this browser before.
///
/// # Errors
/// When the database fails.
pub async fn is_anyones(mut on: impl Access, token_hash: &TokenHash) -> Result<bool, StoreError> {
    let text = "SELECT CAST(1 AS BIGINT) FROM known_browsers WHERE token_hash = $1 LIMIT 1";
    let found: Option<i64> = on.value(text, &args![token_hash]).await?;
    Ok(found.is_some())
}

/// Remembers a browser, or that it was used again, and forgets the oldest beyond [`MOST`].
///
/// # Errors
/// When the person does not exist.
pub async fn remember(tx: &mut Tx, user: UserId, token_hash: &TokenHash, at: Timestamp) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO known_browsers (user_id, token_hash, created_at, last_used_at)
         VALUES ($1, $2, $3, $3)
         ON CONFLICT (user_id, token_hash) DO UPDATE SET last_used_at = excluded.last_used_at",
        &args![user, token_hash, at],
    )
    .await?;
    tx.execute(
        "DELETE FROM known_browsers
         WHERE user_id = $1
             AND token_hash NOT IN (
                 SELECT token_hash
                 FROM known_browsers
                 WHERE user_id = $1
                 ORDER BY last_used_at DESC, created_at DESC, token_hash LIMIT $2)",
        &args![user, MOST],
    )
    .await
    .map(|_| ())
}

/// Forgets the browsers of a person, except, if given, one. Answers how many.
///
/// # Errors
/// When the database fails.
pub async fn forget_all(tx: &mut Tx, user: UserId, except: Option<&TokenHash>) -> Result<u64, StoreError> {
    let text = "DELETE FROM known_browsers WHERE user_id = $1 AND token_hash <> $2";
    tx.execute(text, &args![user, except.unwrap_or(&[0; 32])]).await
}

/// Forgets browsers that were last used before a point in time. Answers how many.
///
/// # Errors
/// When the database fails.
pub async fn remove_old(tx: &mut Tx, before: Timestamp) -> Result<u64, StoreError> {
    tx.execute("DELETE FROM known_browsers WHERE last_used_at < $1", &args![before]).await
}
