//! Links that work once. The store sees only hashes of their tokens.

use std::time::Duration;

use tenantatlas_domain::ids::UserId;
use tenantatlas_domain::named;
use tenantatlas_domain::time::Timestamp;
use uuid::Uuid;

use crate::database::{Access, Run as _};
use crate::sessions::TokenHash;
use crate::sql::args;
use crate::{StoreError, Tx, dialect};

named! {
    /// What a link is for.
    pub enum Purpose: UnknownPurpose, "purpose of a link" {
        /// Makes the first administrator.
        FirstAdministrator = "first_administrator",
        /// Lets a person set a (new) password.
        SetPassword = "set_password",
        /// Makes the account of somebody who was invited into a tenant ([`crate::invitations`]).
        Invitation = "invitation",
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
    insert(tx, token_hash, purpose, user, at, expires_at).await
}

/// Makes a link and leaves all others as they are.
pub(crate) async fn insert(
    tx: &mut Tx,
    token_hash: &TokenHash,
    purpose: Purpose,
    user: Option<UserId>,
    at: Timestamp,
    expires_at: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO one_time_links (token_hash, purpose, user_id, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5)",
        &args![token_hash, purpose.as_str(), user, at, expires_at],
    )
    .await
    .map(|_| ())
}

/// What came of wanting a link for the first administrator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FirstAdministrator {
    /// The link was made, and earlier ones no longer work.
    Made,
    /// Another process has just made one, at this time; it works, and this one was not made.
    MadeElsewhere(Timestamp),
    /// There are people who can sign in: none is needed.
    NotNeeded,
}

/// Makes the link for the first administrator while there is nobody who can sign in. Of processes that start together
/// one makes it: another makes a new one only when the last is as old as `settled`. At most one link works at a time.
///
/// # Errors
/// When the database fails.
pub async fn create_for_first_administrator(
    tx: &mut Tx,
    token_hash: &TokenHash,
    settled: Duration,
    at: Timestamp,
    expires_at: Timestamp,
) -> Result<FirstAdministrator, StoreError> {
    dialect::lock_first_administrator(tx).await?;
    let people: Option<i64> = tx.value("SELECT COUNT(*) FROM users", &[]).await?;
    if people.is_some_and(|count| count > 0) {
        return Ok(FirstAdministrator::NotNeeded);
    }
    let purpose = Purpose::FirstAdministrator;
    let settled = i64::try_from(settled.as_millis()).unwrap_or(i64::MAX);
    let around = [at.as_millis().saturating_sub(settled), at.as_millis().saturating_add(settled)];
    // It may be a little younger than `at`, which was taken before this transaction had its turn. One that is much
    // younger was made before a clock was set back.
    let recent: Option<i64> = tx
        .value(
            "SELECT created_at
             FROM one_time_links
             WHERE purpose = $1 AND used_at IS NULL AND expires_at > $2 AND created_at > $3 AND created_at < $4
             ORDER BY created_at DESC LIMIT 1",
            &args![purpose.as_str(), at, around[0], around[1]],
        )
        .await?;
    if let Some(at) = recent {
        return Ok(FirstAdministrator::MadeElsewhere(Timestamp::from_millis(at)));
    }
    create(tx, token_hash, purpose, None, at, expires_at).await?;
    Ok(FirstAdministrator::Made)
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
    let target: Option<Option<Uuid>> = on
        .value(
            "SELECT user_id
             FROM one_time_links
             WHERE token_hash = $1 AND purpose = $2 AND used_at IS NULL AND expires_at > $3",
            &args![token_hash, purpose.as_str(), at],
        )
        .await?;
    Ok(target.map(|user| user.map(UserId::from_uuid)))
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
    let target: Option<Option<Uuid>> = tx
        .value(
            "UPDATE one_time_links
             SET used_at = $3
             WHERE token_hash = $1 AND purpose = $2 AND used_at IS NULL AND expires_at > $3
             RETURNING user_id",
            &args![token_hash, purpose.as_str(), at],
        )
        .await?;
    Ok(target.map(|user| user.map(UserId::from_uuid)))
}

/// Lets only one transaction at a time make the first administrator, so that two links cannot make two.
///
/// # Errors
/// When the database fails.
pub async fn lock_first_administrator(tx: &mut Tx) -> Result<(), StoreError> {
    dialect::lock_first_administrator(tx).await
}

/// Removes links that have ended, with the invitations that they carried. Answers how many.
///
/// # Errors
/// When the database fails.
pub async fn remove_ended(tx: &mut Tx, at: Timestamp) -> Result<u64, StoreError> {
    tx.execute("DELETE FROM one_time_links WHERE expires_at <= $1", &args![at]).await
}
