//! Links that work once. The store sees only hashes of their tokens.

use sqlx::Error;
use tenantatlas_domain::ids::UserId;
use tenantatlas_domain::time::Timestamp;

use crate::database::{Access, Run as _};
use crate::record::{Columns, Record};
use crate::sessions::TokenHash;
use crate::sql::args;
use crate::{StoreError, Tx};

/// What a link is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Makes the first administrator.
    FirstAdministrator,
    /// Lets a person set a (new) password.
    SetPassword,
}

impl Purpose {
    const fn as_str(self) -> &'static str {
        match self {
            Self::FirstAdministrator => "first_administrator",
            Self::SetPassword => "set_password",
        }
    }
}

struct Target(Option<UserId>);

impl Record for Target {
    fn read(row: &impl Columns) -> Result<Self, Error> {
        row.id_or_null("user_id").map(Self)
    }
}

/// Makes a link. Earlier links of the same purpose and person stop working.
///
/// # Errors
/// When the database fails.
pub async fn create(
    tx: &mut Tx,
    token_hash: &TokenHash,
    purpose: Purpose,
    user: Option<UserId>,
    at: Timestamp,
    expires_at: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(
        "DELETE FROM one_time_links WHERE purpose = $1 AND (user_id = $2 OR (user_id IS NULL AND $3 = TRUE))",
        &args![purpose.as_str(), user, user.is_none()],
    )
    .await?;
    tx.execute(
        "INSERT INTO one_time_links (token_hash, purpose, user_id, created_at, expires_at) VALUES ($1, $2, $3, $4, $5)",
        &args![token_hash, purpose.as_str(), user, at, expires_at],
    )
    .await
    .map(|_| ())
}

/// Whether a link would work now, and for whom (`Some(None)`: for nobody in particular). It is not used up.
///
/// # Errors
/// When the database fails.
pub async fn peek(
    mut on: impl Access,
    token_hash: &TokenHash,
    purpose: Purpose,
    at: Timestamp,
) -> Result<Option<Option<UserId>>, StoreError> {
    let target: Option<Target> = on
        .row(
            "SELECT user_id FROM one_time_links \
             WHERE token_hash = $1 AND purpose = $2 AND used_at IS NULL AND expires_at > $3",
            &args![token_hash, purpose.as_str(), at],
        )
        .await?;
    Ok(target.map(|Target(user)| user))
}

/// Uses a link up. `None` when it does not work (any more); two that come at once do not both get it.
///
/// # Errors
/// When the database fails.
pub async fn take(
    tx: &mut Tx,
    token_hash: &TokenHash,
    purpose: Purpose,
    at: Timestamp,
) -> Result<Option<Option<UserId>>, StoreError> {
    let target: Option<Target> = tx
        .row(
            "UPDATE one_time_links SET used_at = $3 \
             WHERE token_hash = $1 AND purpose = $2 AND used_at IS NULL AND expires_at > $3 RETURNING user_id",
            &args![token_hash, purpose.as_str(), at],
        )
        .await?;
    Ok(target.map(|Target(user)| user))
}

/// Removes links that have ended. Answers how many.
///
/// # Errors
/// When the database fails.
pub async fn remove_ended(tx: &mut Tx, at: Timestamp) -> Result<u64, StoreError> {
    tx.execute("DELETE FROM one_time_links WHERE expires_at <= $1", &args![at]).await
}
