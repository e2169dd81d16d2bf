//! Certificates that were made here for a tenant that is to be added. Each is of the person for whom it was made, works once, and
//! ends. Nothing but [`take`] opens its private key.

use secrecy::SecretString;
use sqlx::FromRow;
use tenantatlas_domain::ids::UserId;
use tenantatlas_domain::time::Timestamp;
use uuid::Uuid;

use crate::database::{Access, Run as _};
use crate::sql::args;
use crate::tenants::TenantCredential;
use crate::vault::sealed::{At, PENDING_CERTIFICATE, SealedSecret};
use crate::{StoreError, Tx, Vault};

/// Certificates of one person that may wait at the same time; the oldest goes when there are more.
pub const MOST: i64 = 5;

/// A certificate that waits for its tenant, without its private key.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct PendingCertificate {
    /// Its id.
    pub id: Uuid,
    /// The public certificate, PEM.
    pub certificate: String,
    /// When it was made.
    #[sqlx(try_from = "i64")]
    pub created_at: Timestamp,
    /// When it can no longer be used for a new tenant.
    #[sqlx(try_from = "i64")]
    pub expires_at: Timestamp,
}

/// Keeps a certificate for a person, with its private key sealed.
///
/// # Errors
/// When the person does not exist; [`StoreError::KeyReplaced`].
pub async fn create(
    tx: &mut Tx,
    vault: &Vault,
    user: UserId,
    new: &PendingCertificate,
    private_key_pem: &SecretString,
) -> Result<(), StoreError> {
    tx.execute(
        "DELETE FROM pending_certificates WHERE user_id = $1 AND id NOT IN \
         (SELECT id FROM pending_certificates WHERE user_id = $1 ORDER BY created_at DESC, id DESC LIMIT $2)",
        &args![user, MOST - 1],
    )
    .await?;
    let at = At::row(user.as_uuid(), new.id);
    let sealed = vault.sealer(tx).await?.seal(&PENDING_CERTIFICATE, at, private_key_pem);
    tx.execute(
        "INSERT INTO pending_certificates (id, user_id, certificate, private_key_sealed, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6)",
        &args![new.id, user, new.certificate.as_str(), sealed.0, new.created_at, new.expires_at],
    )
    .await
    .map(|_| ())
}

/// Those of a person that can still be used, the newest first.
///
/// # Errors
/// When the database fails.
pub async fn list(mut on: impl Access, user: UserId, at: Timestamp) -> Result<Vec<PendingCertificate>, StoreError> {
    on.rows(
        "SELECT id, certificate, created_at, expires_at FROM pending_certificates
         WHERE user_id = $1 AND expires_at > $2 ORDER BY created_at DESC, id DESC",
        &args![user, at],
    )
    .await
}

/// Uses one up, and opens its private key. `None` when it was used, has ended, or is another person's.
///
/// # Errors
/// [`StoreError::Sealed`] when it was damaged, moved, or sealed with another key.
pub async fn take(
    tx: &mut Tx,
    vault: &Vault,
    user: UserId,
    id: Uuid,
    at: Timestamp,
) -> Result<Option<TenantCredential>, StoreError> {
    let taken: Option<(String, Vec<u8>)> = tx
        .row(
            "DELETE FROM pending_certificates WHERE id = $1 AND user_id = $2 AND expires_at > $3
             RETURNING certificate, private_key_sealed",
            &args![id, user, at],
        )
        .await?;
    let Some((certificate_pem, sealed)) = taken else { return Ok(None) };
    let private_key_pem = vault.unseal(&PENDING_CERTIFICATE, At::row(user.as_uuid(), id), &SealedSecret(sealed))?;
    Ok(Some(TenantCredential::Certificate { certificate_pem, private_key_pem }))
}

/// Removes those that have ended.
///
/// # Errors
/// When the database fails.
pub async fn remove_ended(tx: &mut Tx, at: Timestamp) -> Result<u64, StoreError> {
    tx.execute("DELETE FROM pending_certificates WHERE expires_at <= $1", &args![at]).await
}
