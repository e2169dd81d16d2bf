//! Secrets at rest.
//!
//! One root key in a file that only its owner can read. From it come, by HMAC-SHA-256 with a purpose of its own each,
//! the key that seals, the value by which the database recognises the key, and for each tenant the key with which the
//! normaliser fingerprints secrets. A sealed secret is bound to its tenant or person and column: moved elsewhere it does not open.

use std::fmt;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac as _};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::Sha256;
use tenantatlas_domain::ids::{TenantId, UserId};
use zeroize::{Zeroize as _, Zeroizing};

use crate::audit::{self, AuditKey};
use crate::{Db, StoreError, facts, files};

const FILE_PREFIX: &str = "tenantatlas-key-1:";
const CHECK_FACT: &str = "vault_key_check";
const VERSION: u8 = 1;
const KEY_ID_LENGTH: usize = 4;
const NONCE_LENGTH: usize = 24;
const HEADER_LENGTH: usize = 1 + KEY_ID_LENGTH + NONCE_LENGTH;
/// A key file is one short line.
const FILE_LIMIT: u64 = 1_024;

/// A secret as the database holds it: version, key id, nonce, ciphertext. Safe to store, useless without the key file.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::Type)]
#[sqlx(transparent, no_pg_array)]
pub struct SealedSecret(pub(crate) Vec<u8>);

/// The key with which secrets of one tenant are fingerprinted, for `Normaliser::new`.
#[derive(Clone)]
pub struct FingerprintKey(Zeroizing<[u8; 32]>);

impl FingerprintKey {
    /// The bytes, for the normaliser.
    #[must_use]
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for FingerprintKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("FingerprintKey")
    }
}

/// Seals and opens secrets.
#[derive(Clone)]
pub struct Vault {
    root: Zeroizing<[u8; 32]>,
    key_id: [u8; KEY_ID_LENGTH],
    path: PathBuf,
}

impl fmt::Debug for Vault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Vault").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Vault {
    /// Opens the key file for this database. At the very first start, when neither the file nor a trace of it in the
    /// database exists, the file is made, readable by its owner only. The database must be migrated.
    ///
    /// # Errors
    /// [`StoreError::KeyMismatch`] when the secrets in the database were sealed with another key;
    /// [`StoreError::KeyFile`] when the file is missing though the database has secrets of it, can be read by others,
    /// or holds no key. Nothing is written in these cases.
    pub async fn open(db: &Db, path: &Path) -> Result<Self, StoreError> {
        let expected = facts::get(db, CHECK_FACT).await?;
        let vault = match Self::read(path)? {
            Some(vault) => vault,
            None if expected.is_some() => {
                return Err(problem(
                    path,
                    "is missing, but the database holds secrets that were sealed with it: restore it, or name the right file",
                ));
            }
            None => Self::create(path)?,
        };
        let check = hex::encode(&vault.derive(b"key check", &[])[..16]);
        let stored = match expected {
            Some(stored) => stored,
            None => {
                let mut tx = db.write().await?;
                let stored = facts::get_or_set(&mut tx, CHECK_FACT, &check).await?;
                tx.commit().await?;
                stored
            }
        };
        if stored != check {
            return Err(StoreError::KeyMismatch { path: path.to_owned() });
        }
        audit::begin(db, &vault.audit_key()).await?;
        Ok(vault)
    }

    /// The key file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The key with which the audit log is chained and sealed. The same at every start.
    #[must_use]
    pub fn audit_key(&self) -> AuditKey {
        AuditKey::new(self.derive(b"audit", &[]))
    }

    /// The same of a key file that was replaced, to verify a log with which that key sealed.
    ///
    /// # Errors
    /// [`StoreError::KeyFile`] when the file is missing, can be read by others, or holds no key.
    pub fn former_audit_key(path: &Path) -> Result<AuditKey, StoreError> {
        let former = Self::read(path)?;
        former
            .map(|vault| vault.audit_key())
            .ok_or_else(|| problem(path, "is missing: name the key file that was replaced"))
    }

    fn from_root(root: Zeroizing<[u8; 32]>, path: &Path) -> Self {
        let mut vault = Self { root, key_id: [0; KEY_ID_LENGTH], path: path.to_owned() };
        let id = vault.derive(b"key id", &[]);
        vault.key_id.copy_from_slice(&id[..KEY_ID_LENGTH]);
        vault
    }

    fn read(path: &Path) -> Result<Option<Self>, StoreError> {
        let Some(file) = files::open_regular(path).map_err(|reason| problem(path, &reason))? else { return Ok(None) };
        check_permissions(&file, path)?;
        let mut text = Zeroizing::new(String::new());
        file.take(FILE_LIMIT + 1)
            .read_to_string(&mut text)
            .map_err(|_| problem(path, "holds no key: expected one line that begins with tenantatlas-key-1"))?;
        if text.trim().is_empty() {
            return Err(problem(path, "is empty: restore it, or remove it if no database was made with it"));
        }
        if text.len() as u64 > FILE_LIMIT {
            return Err(problem(path, "is too large for a key: expected one line that begins with tenantatlas-key-1"));
        }
        let root = text
            .trim()
            .strip_prefix(FILE_PREFIX)
            .and_then(|encoded| BASE64.decode(encoded).ok().map(Zeroizing::new))
            .and_then(|bytes| <[u8; 32]>::try_from(bytes.as_slice()).ok().map(Zeroizing::new))
            .ok_or_else(|| problem(path, "holds no key: expected one line that begins with tenantatlas-key-1"))?;
        Ok(Some(Self::from_root(root, path)))
    }

    /// Writes a new key beside the wanted name and links it there: whoever reads the name sees the whole key or none,
    /// and of two processes that start at once both use the key of the one that came first.
    fn create(path: &Path) -> Result<Self, StoreError> {
        let mut root = Zeroizing::new([0_u8; 32]);
        rand::fill(&mut root[..]);
        let line = Zeroizing::new(format!("{FILE_PREFIX}{}\n", BASE64.encode(root.as_slice())));
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{}", uuid::Uuid::new_v4().simple()));
        let beside = PathBuf::from(name);
        let written = (|| {
            let mut options = std::fs::OpenOptions::new();
            options.write(true).create_new(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            let mut file = options.open(&beside)?;
            file.write_all(line.as_bytes())?;
            file.sync_all()?;
            std::fs::hard_link(&beside, path)
        })();
        let _ = std::fs::remove_file(&beside);
        match written {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(files::unwritable(path, &error)),
        }
        Self::read(path)?.ok_or_else(|| problem(path, "vanished while it was being made"))
    }

    fn derive(&self, purpose: &[u8], subject: &[u8]) -> Zeroizing<[u8; 32]> {
        let mut mac =
            <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(self.root.as_slice()).expect("HMAC takes any key");
        mac.update(b"tenantatlas/1/");
        mac.update(purpose);
        mac.update(&[0]);
        mac.update(subject);
        Zeroizing::new(mac.finalize().into_bytes().into())
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        let key = self.derive(b"seal", &[]);
        XChaCha20Poly1305::new_from_slice(key.as_slice()).expect("the key has the right length")
    }

    /// Seals a secret for one column of one tenant, such as `tenants.credential`.
    #[must_use]
    pub fn seal(&self, tenant: TenantId, column: &str, secret: &SecretString) -> SealedSecret {
        self.seal_in(&context(tenant, column), secret)
    }

    /// Seals a secret for one column of one person, such as `second_factors.secret`.
    #[must_use]
    pub fn seal_for_person(&self, person: UserId, column: &str, secret: &SecretString) -> SealedSecret {
        self.seal_in(&context_of_person(person, column), secret)
    }

    fn seal_in(&self, context: &[u8], secret: &SecretString) -> SealedSecret {
        let mut nonce = [0_u8; NONCE_LENGTH];
        rand::fill(&mut nonce);
        let payload = Payload { msg: secret.expose_secret().as_bytes(), aad: context };
        let ciphertext = self.cipher().encrypt(&XNonce::from(nonce), payload).expect("a secret is far below the limit");
        let mut sealed = Vec::with_capacity(HEADER_LENGTH + ciphertext.len());
        sealed.push(VERSION);
        sealed.extend_from_slice(&self.key_id);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(&ciphertext);
        SealedSecret(sealed)
    }

    /// Opens a secret that was sealed for this column of this tenant.
    ///
    /// # Errors
    /// [`StoreError::Sealed`] when it was damaged, or sealed for another place or with another key.
    pub fn unseal(&self, tenant: TenantId, column: &str, sealed: &SealedSecret) -> Result<SecretString, StoreError> {
        self.unseal_in(&context(tenant, column), sealed)
    }

    /// Opens a secret that was sealed for this column of this person.
    ///
    /// # Errors
    /// [`StoreError::Sealed`] when it was damaged, or sealed for another place or with another key.
    pub fn unseal_for_person(
        &self,
        person: UserId,
        column: &str,
        sealed: &SealedSecret,
    ) -> Result<SecretString, StoreError> {
        self.unseal_in(&context_of_person(person, column), sealed)
    }

    fn unseal_in(&self, context: &[u8], sealed: &SealedSecret) -> Result<SecretString, StoreError> {
        let bytes = sealed.0.as_slice();
        if bytes.len() < HEADER_LENGTH || bytes[0] != VERSION || bytes[1..=KEY_ID_LENGTH] != self.key_id {
            return Err(StoreError::Sealed);
        }
        let (header, ciphertext) = bytes.split_at(HEADER_LENGTH);
        let nonce: [u8; NONCE_LENGTH] = header[1 + KEY_ID_LENGTH..].try_into().map_err(|_| StoreError::Sealed)?;
        let payload = Payload { msg: ciphertext, aad: context };
        let plain = self.cipher().decrypt(&XNonce::from(nonce), payload).map_err(|_| StoreError::Sealed)?;
        String::from_utf8(plain).map(SecretString::from).map_err(|error| {
            error.into_bytes().zeroize();
            StoreError::Sealed
        })
    }

    /// The key with which secrets found in objects of this tenant are fingerprinted. The same at every start.
    #[must_use]
    pub fn fingerprint_key(&self, tenant: TenantId) -> FingerprintKey {
        FingerprintKey(self.derive(b"fingerprint", tenant.as_uuid().as_bytes()))
    }

    /// A keyed hash of something that is looked up but not to be read back, such as the e-mail of a failed sign-in.
    #[must_use]
    pub fn keyed_hash(&self, purpose: &str, subject: &str) -> [u8; 32] {
        let purpose = [b"hash ", purpose.as_bytes()].concat();
        *self.derive(&purpose, subject.as_bytes())
    }
}

fn context(tenant: TenantId, column: &str) -> Vec<u8> {
    [b"tenantatlas/1\0", tenant.as_uuid().as_bytes().as_slice(), column.as_bytes()].concat()
}

fn context_of_person(person: UserId, column: &str) -> Vec<u8> {
    [b"tenantatlas/1/person\0", person.as_uuid().as_bytes().as_slice(), column.as_bytes()].concat()
}

fn problem(path: &Path, problem: &str) -> StoreError {
    StoreError::KeyFile { path: path.to_owned(), problem: problem.to_owned() }
}

fn check_permissions(file: &std::fs::File, path: &Path) -> Result<(), StoreError> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let metadata = file.metadata().map_err(|error| problem(path, &format!("cannot be read ({error})")))?;
        let mode = metadata.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(problem(path, &format!("can be read by others (mode {mode:03o}): run chmod 600 on it")));
        }
    }
    Ok(())
}
