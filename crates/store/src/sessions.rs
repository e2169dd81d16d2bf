//! Sessions of the web application. The store sees only hashes of tokens.

use serde::Serialize;
use sqlx::FromRow;
use tenantatlas_domain::ids::UserId;
use tenantatlas_domain::time::Timestamp;
use uuid::Uuid;

use crate::database::{Access, Run as _};
use crate::sql::{args, without_nul};
use crate::user_preferences::{PreferenceColumns, UserPreferences};
use crate::users::User;
use crate::{StoreError, Tx};

/// The SHA-256 of a session token.
pub type TokenHash = [u8; 32];

/// A new session.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// The id, by which the person sees and ends it.
    pub id: Uuid,
    /// The person.
    pub user_id: UserId,
    /// When it ends when it is not used.
    pub idle_expires_at: Timestamp,
    /// When it ends whatever happens.
    pub expires_at: Timestamp,
    /// The browser, as it names itself; cut at 300 characters.
    pub user_agent: String,
    /// The address it came from.
    pub address: String,
}

/// A session, without its token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, FromRow)]
pub struct Session {
    /// The id.
    #[sqlx(rename = "session_id")]
    pub id: Uuid,
    /// The person.
    #[sqlx(try_from = "Uuid")]
    pub user_id: UserId,
    /// When it began.
    #[sqlx(rename = "session_created_at", try_from = "i64")]
    pub created_at: Timestamp,
    /// When it was last used; a minute or so behind.
    #[sqlx(try_from = "i64")]
    pub last_used_at: Timestamp,
    /// When it ends when it is not used.
    #[sqlx(try_from = "i64")]
    pub idle_expires_at: Timestamp,
    /// When it ends whatever happens.
    #[sqlx(try_from = "i64")]
    pub expires_at: Timestamp,
    /// When the person last proved who they are, at sign-in or by confirming it.
    #[sqlx(try_from = "i64")]
    pub verified_at: Timestamp,
    /// The browser, as it named itself.
    pub user_agent: String,
    /// The address it came from.
    pub address: String,
}

/// A session with the person it belongs to.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct SignedIn {
    /// The session.
    #[sqlx(flatten)]
    pub session: Session,
    /// The person.
    #[sqlx(flatten)]
    pub user: User,
    /// What they chose for themselves.
    #[sqlx(flatten, try_from = "PreferenceColumns")]
    pub preferences: UserPreferences,
}

/// A session that was ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromRow)]
pub struct Revoked {
    /// The session.
    pub id: Uuid,
    /// Its person.
    #[sqlx(try_from = "Uuid")]
    pub user_id: UserId,
}

/// Begins a session of a person who has just proved who they are.
///
/// # Errors
/// When the person does not exist.
pub async fn create(
    tx: &mut Tx,
    token_hash: &TokenHash,
    session: &NewSession,
    at: Timestamp,
) -> Result<(), StoreError> {
    let user_agent: String = without_nul(&session.user_agent).chars().take(300).collect();
    tx.execute(
        "INSERT INTO web_sessions (id, token_hash, user_id, created_at, last_used_at, idle_expires_at,
             expires_at, verified_at, user_agent, address)
         VALUES ($1, $2, $3, $4, $4, $5, $6, $4, $7, $8)",
        &args![
            session.id,
            token_hash,
            session.user_id,
            at,
            session.idle_expires_at,
            session.expires_at,
            user_agent,
            session.address.as_str()
        ],
    )
    .await
    .map(|_| ())
}

/// The session of a token and its person; `None` when it is unknown, has ended, or the person cannot sign in.
///
/// # Errors
/// When the database fails.
pub async fn find(mut on: impl Access, token_hash: &TokenHash, at: Timestamp) -> Result<Option<SignedIn>, StoreError> {
    on.row(
        "SELECT s.id AS session_id, s.created_at AS session_created_at, s.user_id, s.last_used_at,
             s.idle_expires_at, s.expires_at, s.verified_at, s.user_agent, s.address, u.id, u.email, u.name,
             u.platform_admin, u.disabled_at, u.last_sign_in_at, u.created_at, u.updated_at, p.item_columns, p.single_keys
         FROM web_sessions s
         JOIN users u ON u.id = s.user_id
         LEFT JOIN user_preferences p ON p.user_id = u.id
         WHERE s.token_hash = $1 AND s.idle_expires_at > $2 AND s.expires_at > $2 AND u.disabled_at IS NULL",
        &args![token_hash, at],
    )
    .await
}

/// Records that a session is used, and moves its idle end. Call it now and then, not on every request. Answers whether
/// the session still is.
///
/// # Errors
/// When the database fails.
pub async fn touch(tx: &mut Tx, id: Uuid, at: Timestamp, idle_expires_at: Timestamp) -> Result<bool, StoreError> {
    let changed = tx
        .execute(
            "UPDATE web_sessions
             SET last_used_at = $2, idle_expires_at = $3
             WHERE id = $1 AND idle_expires_at > $2 AND expires_at > $2",
            &args![id, at, idle_expires_at],
        )
        .await?;
    Ok(changed == 1)
}

/// When the person of a session last proved who they are; `None` when the session has ended or is not theirs.
///
/// # Errors
/// When the database fails.
pub async fn verified_at(
    mut on: impl Access,
    user: UserId,
    id: Uuid,
    at: Timestamp,
) -> Result<Option<Timestamp>, StoreError> {
    let found: Option<i64> = on
        .value(
            "SELECT verified_at
             FROM web_sessions
             WHERE id = $1 AND user_id = $2 AND idle_expires_at > $3 AND expires_at > $3",
            &args![id, user, at],
        )
        .await?;
    Ok(found.map(Timestamp::from_millis))
}

/// Gives a session of a person a new token, and notes when they last proved who they are; the old token is worth nothing
/// from now on. Answers whether the session still is.
///
/// # Errors
/// When the database fails.
pub async fn renew(
    tx: &mut Tx,
    user: UserId,
    id: Uuid,
    token_hash: &TokenHash,
    verified_at: Timestamp,
    at: Timestamp,
) -> Result<bool, StoreError> {
    let changed = tx
        .execute(
            "UPDATE web_sessions
             SET token_hash = $3, verified_at = $4
             WHERE id = $1 AND user_id = $2 AND idle_expires_at > $5 AND expires_at > $5",
            &args![id, user, token_hash, verified_at, at],
        )
        .await?;
    Ok(changed == 1)
}

/// Ends the session of a token. Answers which one it was, and whose.
///
/// # Errors
/// When the database fails.
pub async fn revoke(tx: &mut Tx, token_hash: &TokenHash) -> Result<Option<Revoked>, StoreError> {
    tx.row("DELETE FROM web_sessions WHERE token_hash = $1 RETURNING id, user_id", &args![token_hash]).await
}

/// Ends one session of a person by its id. Answers whether there was one.
///
/// # Errors
/// When the database fails.
pub async fn revoke_one(tx: &mut Tx, user: UserId, id: Uuid) -> Result<bool, StoreError> {
    Ok(tx.execute("DELETE FROM web_sessions WHERE id = $1 AND user_id = $2", &args![id, user]).await? == 1)
}

/// Ends all sessions of a person except, if given, the one in use. Answers how many.
///
/// # Errors
/// When the database fails.
pub async fn revoke_all(tx: &mut Tx, user: UserId, except: Option<Uuid>) -> Result<u64, StoreError> {
    tx.execute("DELETE FROM web_sessions WHERE user_id = $1 AND id <> $2", &args![user, except.unwrap_or_default()])
        .await
}

/// The sessions of a person that have not ended, the last used first.
///
/// # Errors
/// When the database fails.
pub async fn list(mut on: impl Access, user: UserId, at: Timestamp) -> Result<Vec<Session>, StoreError> {
    on.rows(
        "SELECT id AS session_id, created_at AS session_created_at, user_id, last_used_at, idle_expires_at,
             expires_at, verified_at, user_agent, address
         FROM web_sessions
         WHERE user_id = $1 AND idle_expires_at > $2 AND expires_at > $2
         ORDER BY last_used_at DESC LIMIT 200",
        &args![user, at],
    )
    .await
}

/// Removes sessions that have ended. Answers how many.
///
/// # Errors
/// When the database fails.
pub async fn remove_ended(tx: &mut Tx, at: Timestamp) -> Result<u64, StoreError> {
    tx.execute("DELETE FROM web_sessions WHERE expires_at <= $1 OR idle_expires_at <= $1", &args![at]).await
}
