//! Sign-ins whose password was right and that wait for the second factor. They give no right. The store sees only hashes
//! of their tokens. A second factor that is set up at sign-in lies here until its first code: it is of this sign-in, and no
//! other of the same person sees it.

use secrecy::SecretString;
use sqlx::FromRow;
use tenantatlas_domain::ids::UserId;
use tenantatlas_domain::time::Timestamp;
use uuid::Uuid;

use crate::database::{Access, Run as _};
use crate::sessions::TokenHash;
use crate::sql::{args, without_nul};
use crate::users::User;
use crate::vault::sealed::{SET_UP_CODES, SET_UP_SECRET};
use crate::{SealedSecret, StoreError, Tx, Vault};

/// Sign-ins of one person that may wait at the same time; an earlier one ends when there are more.
const MOST: i64 = 10;
/// Sign-ins that have ended and are removed in one transaction, at most.
const BATCH: i64 = 200;

/// A new sign-in that waits.
#[derive(Clone, Debug)]
pub struct NewPendingSignIn {
    /// The hash of its token.
    pub token_hash: TokenHash,
    /// The person.
    pub user_id: UserId,
    /// When it ends.
    pub expires_at: Timestamp,
    /// The address it came from.
    pub address: String,
    /// The browser, as it names itself; cut at 300 characters.
    pub user_agent: String,
    /// Secret and recovery codes of the second factor that is to be set up: see [`SetUpOfSignIn::seal`].
    pub set_up: Option<SetUpOfSignIn>,
}

/// A second factor that a sign-in sets up, sealed for its person.
#[derive(Clone, Debug)]
pub struct SetUpOfSignIn {
    user_id: UserId,
    secret: SealedSecret,
    recovery_codes: SealedSecret,
}

impl SetUpOfSignIn {
    /// Seals secret and recovery codes, in the transaction that writes them.
    ///
    /// # Errors
    /// [`StoreError::KeyReplaced`], or the database fails.
    pub async fn seal(
        tx: &mut Tx,
        vault: &Vault,
        user: UserId,
        secret: &SecretString,
        recovery_codes: &SecretString,
    ) -> Result<Self, StoreError> {
        let sealer = vault.sealer(tx).await?;
        Ok(Self {
            user_id: user,
            secret: sealer.seal(&SET_UP_SECRET, user, secret),
            recovery_codes: sealer.seal(&SET_UP_CODES, user, recovery_codes),
        })
    }

    /// The shared secret.
    ///
    /// # Errors
    /// [`StoreError::Sealed`] when it was damaged, moved, or sealed with another key.
    pub fn secret(&self, vault: &Vault) -> Result<SecretString, StoreError> {
        vault.unseal(&SET_UP_SECRET, self.user_id, &self.secret)
    }

    /// The recovery codes.
    ///
    /// # Errors
    /// [`StoreError::Sealed`] when they were damaged, moved, or sealed with another key.
    pub fn recovery_codes(&self, vault: &Vault) -> Result<SecretString, StoreError> {
        vault.unseal(&SET_UP_CODES, self.user_id, &self.recovery_codes)
    }
}

/// User, secret and recovery codes as they are stored.
type SetUpRow = (Uuid, Option<Vec<u8>>, Option<Vec<u8>>);

/// A sign-in that ended without its second step.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Unfinished {
    /// The person whose password it had.
    #[sqlx(try_from = "Uuid")]
    pub user_id: UserId,
    /// The address it came from.
    pub address: String,
    /// The browser, as it named itself.
    pub user_agent: String,
    told: bool,
}

/// Those that their person was not told of yet.
fn untold(ended: Vec<Unfinished>) -> Vec<Unfinished> {
    ended.into_iter().filter(|one| !one.told).collect()
}

/// Begins one. Answers those of the same person that had to end for it, and that the person was not told of.
///
/// # Errors
/// When the person does not exist.
pub async fn create(tx: &mut Tx, new: &NewPendingSignIn, at: Timestamp) -> Result<Vec<Unfinished>, StoreError> {
    let ended = tx
        .rows(
            "DELETE FROM pending_sign_ins WHERE user_id = $1 AND token_hash NOT IN \
             (SELECT token_hash FROM pending_sign_ins WHERE user_id = $1 ORDER BY created_at DESC LIMIT $2) \
             RETURNING user_id, address, user_agent, told",
            &args![new.user_id, MOST - 1],
        )
        .await?;
    let user_agent: String = without_nul(&new.user_agent).chars().take(300).collect();
    let (secret, codes) = match &new.set_up {
        Some(set_up) => (Some(set_up.secret.0.clone()), Some(set_up.recovery_codes.0.clone())),
        None => (None, None),
    };
    tx.execute(
        "INSERT INTO pending_sign_ins (token_hash, user_id, created_at, expires_at, address, user_agent, set_up_secret, \
         set_up_codes) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        &args![
            &new.token_hash,
            new.user_id,
            at,
            new.expires_at,
            new.address.as_str(),
            user_agent,
            secret,
            codes
        ],
    )
    .await?;
    Ok(untold(ended))
}

/// The second factor that one sets up; `None` when it sets none up, is unknown, or has ended.
///
/// # Errors
/// When the database fails.
pub async fn set_up(
    mut on: impl Access,
    token_hash: &TokenHash,
    at: Timestamp,
) -> Result<Option<SetUpOfSignIn>, StoreError> {
    let found: Option<SetUpRow> = on
        .row(
            "SELECT user_id, set_up_secret, set_up_codes FROM pending_sign_ins WHERE token_hash = $1 AND expires_at > $2",
            &args![token_hash, at],
        )
        .await?;
    Ok(found.and_then(|(user, secret, codes)| {
        let (secret, recovery_codes) = (SealedSecret(secret?), SealedSecret(codes?));
        Some(SetUpOfSignIn { user_id: UserId::from_uuid(user), secret, recovery_codes })
    }))
}

/// Notes that the person is told of one. Answers whether it is for the first time.
///
/// # Errors
/// When the database fails.
pub async fn tell(tx: &mut Tx, token_hash: &TokenHash) -> Result<bool, StoreError> {
    let text = "UPDATE pending_sign_ins SET told = TRUE WHERE token_hash = $1 AND told = FALSE";
    Ok(tx.execute(text, &args![token_hash]).await? == 1)
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

/// The same but for one of them. Answers those that the person was not told of.
///
/// # Errors
/// When the database fails.
pub async fn remove_others(tx: &mut Tx, user: UserId, token_hash: &TokenHash) -> Result<Vec<Unfinished>, StoreError> {
    let ended = tx
        .rows(
            "DELETE FROM pending_sign_ins WHERE user_id = $1 AND token_hash <> $2 \
             RETURNING user_id, address, user_agent, told",
            &args![user, token_hash],
        )
        .await?;
    Ok(untold(ended))
}

/// Whether one has ended and is not removed yet.
///
/// # Errors
/// When the database fails.
pub async fn has_ended(mut on: impl Access, at: Timestamp) -> Result<bool, StoreError> {
    let text = "SELECT CAST(1 AS BIGINT) AS value FROM pending_sign_ins WHERE expires_at <= $1 LIMIT 1";
    let found: Option<i64> = on.value(text, &args![at]).await?;
    Ok(found.is_some())
}

/// Removes those that have ended, the oldest two hundred. Answers those that their person was not told of.
///
/// # Errors
/// When the database fails.
pub async fn remove_ended(tx: &mut Tx, at: Timestamp) -> Result<Vec<Unfinished>, StoreError> {
    let ended = tx
        .rows(
            "DELETE FROM pending_sign_ins WHERE expires_at <= $1 AND token_hash IN \
             (SELECT token_hash FROM pending_sign_ins WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2) \
             RETURNING user_id, address, user_agent, told",
            &args![at, BATCH],
        )
        .await?;
    Ok(untold(ended))
}
