//! The second factor of a person: a sealed secret for time-based one-time codes (RFC 6238), and recovery codes as hashes.

use secrecy::SecretString;
use sqlx::{AssertSqlSafe, FromRow};
use tenantatlas_domain::ids::UserId;
use tenantatlas_domain::time::Timestamp;
use uuid::Uuid;

use crate::database::{Access, Run as _};
use crate::record::Nullable;
use crate::sql::args;
use crate::vault::sealed::{RECOVERY_CODES, SECOND_FACTOR};
use crate::{SealedSecret, StoreError, Tx, Vault, dialect};

/// The keyed hash of a recovery code.
pub type CodeHash = [u8; 32];

/// A second factor.
#[derive(Clone, Debug, FromRow)]
pub struct SecondFactor {
    /// Whose.
    #[sqlx(try_from = "Uuid")]
    pub user_id: UserId,
    secret: SealedSecret,
    new_recovery_codes: Option<SealedSecret>,
    /// The session in which secret or new recovery codes are shown, and in no other.
    pub shown_in: Option<Uuid>,
    /// When its set-up began.
    #[sqlx(try_from = "i64")]
    pub created_at: Timestamp,
    /// Since when it is asked for; `None` while it is being set up.
    #[sqlx(try_from = "Nullable<i64>")]
    pub confirmed_at: Option<Timestamp>,
    /// The time step of the last code that was used, see RFC 6238, section 5.2: each code works once.
    pub last_step: i64,
}

impl SecondFactor {
    /// The shared secret, as it was given to [`begin`].
    ///
    /// # Errors
    /// [`StoreError::Sealed`] when it was damaged, moved, or sealed with another key.
    pub fn secret(&self, vault: &Vault) -> Result<SecretString, StoreError> {
        vault.unseal(&SECOND_FACTOR, self.user_id, &self.secret)
    }

    /// Recovery codes that are shown and not yet in force, if there are any.
    ///
    /// # Errors
    /// [`StoreError::Sealed`] when they were damaged, moved, or sealed with another key.
    pub fn new_recovery_codes(&self, vault: &Vault) -> Result<Option<SecretString>, StoreError> {
        let sealed = self.new_recovery_codes.as_ref();
        sealed.map(|sealed| vault.unseal(&RECOVERY_CODES, self.user_id, sealed)).transpose()
    }
}

/// The second factor of a person, set up or being set up.
///
/// # Errors
/// When the database fails.
pub async fn get(mut on: impl Access, user: UserId) -> Result<Option<SecondFactor>, StoreError> {
    on.row("SELECT * FROM second_factors WHERE user_id = $1", &args![user]).await
}

/// The same, kept from every change until the transaction ends: two that come with one code do not both find it unused.
///
/// # Errors
/// When the database fails.
pub async fn lock(tx: &mut Tx, user: UserId) -> Result<Option<SecondFactor>, StoreError> {
    let text = format!("SELECT * FROM second_factors WHERE user_id = $1{}", dialect::for_update(tx.backend()));
    tx.row(AssertSqlSafe(text), &args![user]).await
}

/// Whether a person has a second factor that is asked for.
///
/// # Errors
/// When the database fails.
pub async fn is_active(mut on: impl Access, user: UserId) -> Result<bool, StoreError> {
    let text = "SELECT CAST(1 AS BIGINT) FROM second_factors WHERE user_id = $1 AND confirmed_at IS NOT NULL";
    let found: Option<i64> = on.value(text, &args![user]).await?;
    Ok(found.is_some())
}

/// Everybody who has one that is asked for.
///
/// # Errors
/// When the database fails.
pub async fn active(mut on: impl Access) -> Result<Vec<UserId>, StoreError> {
    let users: Vec<Uuid> = on.values("SELECT user_id FROM second_factors WHERE confirmed_at IS NOT NULL", &[]).await?;
    Ok(users.into_iter().map(UserId::from_uuid).collect())
}

/// Begins to set one up in a session, in the place of one that was begun and not confirmed. Answers whether it was begun: a
/// factor that is in force stays.
///
/// # Errors
/// When the person does not exist.
pub async fn begin(
    tx: &mut Tx,
    vault: &Vault,
    user: UserId,
    session: Uuid,
    secret: &SecretString,
    recovery_codes: &SecretString,
    at: Timestamp,
) -> Result<bool, StoreError> {
    let sealer = vault.sealer(tx).await?;
    let secret = sealer.seal(&SECOND_FACTOR, user, secret);
    let codes = sealer.seal(&RECOVERY_CODES, user, recovery_codes);
    let written = tx
        .execute(
            "INSERT INTO second_factors (user_id, secret, new_recovery_codes, created_at, shown_in)
             VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (user_id) DO UPDATE SET secret = excluded.secret, created_at = excluded.created_at,
                 new_recovery_codes = excluded.new_recovery_codes, shown_in = excluded.shown_in
             WHERE second_factors.confirmed_at IS NULL",
            &args![user, secret.0, codes.0, at, session],
        )
        .await?;
    Ok(written == 1)
}

/// Puts one in force, and notes the step of the code that showed that it works. Answers whether there was one to confirm.
///
/// # Errors
/// When the database fails.
pub async fn confirm(tx: &mut Tx, user: UserId, step: i64, at: Timestamp) -> Result<bool, StoreError> {
    let changed = tx
        .execute(
            "UPDATE second_factors
             SET confirmed_at = $3, last_step = $2
             WHERE user_id = $1 AND confirmed_at IS NULL",
            &args![user, step, at],
        )
        .await?;
    Ok(changed == 1)
}

/// Puts one in force that was set up elsewhere, in the place of one that was begun and not confirmed. Answers whether it is
/// in force: one that is already stays.
///
/// # Errors
/// When the person does not exist.
pub async fn enrol(
    tx: &mut Tx,
    vault: &Vault,
    user: UserId,
    secret: &SecretString,
    step: i64,
    at: Timestamp,
) -> Result<bool, StoreError> {
    let secret = vault.sealer(tx).await?.seal(&SECOND_FACTOR, user, secret);
    let written = tx
        .execute(
            "INSERT INTO second_factors (user_id, secret, created_at, confirmed_at, last_step) VALUES ($1, $2, $3, $3, $4) \
             ON CONFLICT (user_id) DO UPDATE SET secret = excluded.secret, new_recovery_codes = NULL, shown_in = NULL, \
             created_at = excluded.created_at, confirmed_at = excluded.confirmed_at, last_step = excluded.last_step \
             WHERE second_factors.confirmed_at IS NULL",
            &args![user, secret.0, at, step],
        )
        .await?;
    Ok(written == 1)
}

/// Uses up the code of a step and all before it. Answers whether it was still unused. A last step after `furthest`, the
/// last one whose code is taken now, is what a clock leaves behind that was ahead, and counts as none.
///
/// # Errors
/// When the database fails.
pub async fn use_step(tx: &mut Tx, user: UserId, step: i64, furthest: i64) -> Result<bool, StoreError> {
    let text = "UPDATE second_factors SET last_step = $2 WHERE user_id = $1 AND (last_step < $2 OR last_step > $3)";
    Ok(tx.execute(text, &args![user, step, furthest]).await? == 1)
}

/// Keeps new recovery codes beside those in force while they are shown in a session. Answers whether the person has a second factor.
///
/// # Errors
/// When the database fails.
pub async fn show_recovery_codes(
    tx: &mut Tx,
    vault: &Vault,
    user: UserId,
    session: Uuid,
    codes: &SecretString,
) -> Result<bool, StoreError> {
    let sealed = vault.sealer(tx).await?.seal(&RECOVERY_CODES, user, codes);
    let text = "UPDATE second_factors SET new_recovery_codes = $2, shown_in = $3 \
                WHERE user_id = $1 AND confirmed_at IS NOT NULL";
    Ok(tx.execute(text, &args![user, sealed.0, session]).await? == 1)
}

/// Puts recovery codes in force in the place of all others; from now on nobody can show them.
///
/// # Errors
/// When the database fails.
pub async fn set_recovery_codes(
    tx: &mut Tx,
    user: UserId,
    hashes: &[CodeHash],
    at: Timestamp,
) -> Result<(), StoreError> {
    tx.execute("DELETE FROM recovery_codes WHERE user_id = $1", &args![user]).await?;
    for hash in hashes {
        tx.execute(
            "INSERT INTO recovery_codes (user_id, code_hash, created_at) VALUES ($1, $2, $3)",
            &args![user, hash, at],
        )
        .await?;
    }
    let text = "UPDATE second_factors SET new_recovery_codes = NULL, shown_in = NULL WHERE user_id = $1";
    tx.execute(text, &args![user]).await.map(|_| ())
}

/// Uses a recovery code up. Answers whether it was one.
///
/// # Errors
/// When the database fails.
pub async fn use_recovery_code(tx: &mut Tx, user: UserId, hash: &CodeHash) -> Result<bool, StoreError> {
    let text = "DELETE FROM recovery_codes WHERE user_id = $1 AND code_hash = $2";
    Ok(tx.execute(text, &args![user, hash]).await? == 1)
}

/// How many recovery codes a person has left.
///
/// # Errors
/// When the database fails.
pub async fn recovery_codes_left(mut on: impl Access, user: UserId) -> Result<u64, StoreError> {
    let text = "SELECT COUNT(*) FROM recovery_codes WHERE user_id = $1";
    let count: Option<i64> = on.value(text, &args![user]).await?;
    Ok(count.map_or(0, i64::unsigned_abs))
}

/// Takes the second factor and its recovery codes away. Answers whether there was one in force.
///
/// # Errors
/// When the database fails.
pub async fn remove(tx: &mut Tx, user: UserId) -> Result<bool, StoreError> {
    let active = is_active(&mut *tx, user).await?;
    tx.execute("DELETE FROM recovery_codes WHERE user_id = $1", &args![user]).await?;
    tx.execute("DELETE FROM second_factors WHERE user_id = $1", &args![user]).await?;
    Ok(active)
}

/// Forgets set-ups that were begun before a point in time and never confirmed. Answers how many.
///
/// # Errors
/// When the database fails.
pub async fn remove_unconfirmed(tx: &mut Tx, before: Timestamp) -> Result<u64, StoreError> {
    tx.execute("DELETE FROM second_factors WHERE confirmed_at IS NULL AND created_at < $1", &args![before]).await
}
