//! What was answered to requests of the REST API that named an `Idempotency-Key`.

use sqlx::FromRow;
use tenantatlas_domain::time::Timestamp;
use uuid::Uuid;

use crate::sql::args;
use crate::{StoreError, Tx};

/// Which request it is: the token, the key that it named and what it asks for, each as a SHA-256.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AskedOnce {
    /// The token that asks.
    pub token: Uuid,
    /// The hash of the key.
    pub key: [u8; 32],
    /// The hash of method, address and body.
    pub request: [u8; 32],
}

/// What is known of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Known {
    /// Nothing: whoever asks does it, and says how it ended.
    New,
    /// It is being worked on.
    UnderWay,
    /// It was answered like this: status and body.
    Answered(u16, String),
    /// Another request had that key.
    Another,
}

#[derive(FromRow)]
struct Row {
    request_hash: Vec<u8>,
    status: Option<i64>,
    body: Option<String>,
    created_at: i64,
}

/// Keeps a request as being worked on, unless one with its key is known. One that was begun before `abandoned` and never
/// answered is begun anew.
///
/// # Errors
/// When the database fails.
pub async fn begin(tx: &mut Tx, asked: &AskedOnce, at: Timestamp, abandoned: Timestamp) -> Result<Known, StoreError> {
    let made = tx
        .execute(
            "INSERT INTO api_answers (token_id, key_hash, request_hash, created_at) VALUES ($1, $2, $3, $4)
             ON CONFLICT (token_id, key_hash) DO NOTHING",
            &args![asked.token, &asked.key, &asked.request, at],
        )
        .await?;
    if made == 1 {
        return Ok(Known::New);
    }
    let row: Option<Row> = tx
        .row(
            "SELECT request_hash, status, body, created_at FROM api_answers WHERE token_id = $1 AND key_hash = $2",
            &args![asked.token, &asked.key],
        )
        .await?;
    let Some(row) = row else { return Err(StoreError::Busy) };
    if row.request_hash != asked.request {
        return Ok(Known::Another);
    }
    if let (Some(status), Some(body)) = (row.status, row.body) {
        let status = u16::try_from(status).map_err(|_| StoreError::corrupt("api_answers.status"))?;
        return Ok(Known::Answered(status, body));
    }
    let taken = tx
        .execute(
            "UPDATE api_answers SET created_at = $3
             WHERE token_id = $1 AND key_hash = $2 AND status IS NULL AND created_at = $4 AND created_at < $5",
            &args![asked.token, &asked.key, at, row.created_at, abandoned],
        )
        .await?;
    Ok(if taken == 1 { Known::New } else { Known::UnderWay })
}

/// Keeps what was answered.
///
/// # Errors
/// When the database fails.
pub async fn finish(tx: &mut Tx, asked: &AskedOnce, status: u16, body: &str) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE api_answers SET status = $3, body = $4 WHERE token_id = $1 AND key_hash = $2 AND status IS NULL",
        &args![asked.token, &asked.key, u32::from(status), body],
    )
    .await
    .map(|_| ())
}

/// Forgets a request that was not done, so that it may be sent again.
///
/// # Errors
/// When the database fails.
pub async fn forget(tx: &mut Tx, asked: &AskedOnce) -> Result<(), StoreError> {
    tx.execute(
        "DELETE FROM api_answers WHERE token_id = $1 AND key_hash = $2 AND status IS NULL",
        &args![asked.token, &asked.key],
    )
    .await
    .map(|_| ())
}

/// Forgets what was asked before a time.
///
/// # Errors
/// When the database fails.
pub async fn remove_old(tx: &mut Tx, before: Timestamp) -> Result<u64, StoreError> {
    tx.execute("DELETE FROM api_answers WHERE created_at < $1", &args![before]).await
}
