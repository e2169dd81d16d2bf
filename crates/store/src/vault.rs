//! Secrets at rest.
//!
//! One root key in a file that only its owner can read. From it come, by HMAC-SHA-256 with a purpose of its own each,
//! the key that seals, the value by which the database recognises the key, and for each tenant the key with which the
//! normaliser fingerprints secrets. A sealed secret is bound to its tenant or person and column: moved elsewhere it does not open.
//!
//! The root key can be replaced while processes run ([`crate::key_rotation`]). So a vault has a ring of keys: those of the
//! file, of which the database says which one seals, and former ones, which the database keeps sealed with that one for what
//! cannot be made anew: hashes of passwords and recovery codes, and fingerprints. Every sealed value names its key. Whoever
//! seals asks the database for the key first, in the transaction that writes the value, so that nothing is sealed with a key
//! that has been replaced. The file is read again whenever a key is met that is not in the ring.

mod file;
mod ring;
mod root;
pub(crate) mod sealed;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use secrecy::SecretString;
use sqlx::AssertSqlSafe;
use tenantatlas_domain::ids::TenantId;
use zeroize::Zeroizing;

use crate::audit::{self, AuditKeys};
use crate::database::{Access, Run as _};
use crate::sql::args;
use crate::{Db, StoreError, Tx, dialect, facts};
use file::problem;
pub(crate) use ring::FORMER_FACT;
use ring::Ring;
pub(crate) use root::{KeyId, RootKey};
pub use sealed::SealedSecret;
use sealed::{At, Place};

pub(crate) const CHECK_FACT: &str = "vault_key_check";

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

/// A hash under a key that has a name, see [`Vault::named_hash`].
pub struct NamedHash {
    /// The name of the key; `None` for the first one that this database had.
    pub key: Option<String>,
    /// The hash.
    pub hash: [u8; 32],
}

/// Seals and opens secrets. Cheap to clone; all clones share their keys.
#[derive(Clone)]
pub struct Vault {
    ring: Arc<RwLock<Ring>>,
    path: PathBuf,
}

impl fmt::Debug for Vault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Vault").field("path", &self.path).finish_non_exhaustive()
    }
}

/// Seals, in one transaction. See [`Vault::sealer`].
pub(crate) struct Sealer(Arc<RootKey>);

impl Sealer {
    /// The id of the key that seals.
    pub(crate) fn key_id(&self) -> KeyId {
        self.0.id()
    }

    pub(crate) fn seal(&self, place: &Place, at: impl Into<At>, secret: &SecretString) -> SealedSecret {
        let at = at.into();
        self.0.seal(&place.context(at.owner, at.row), secret)
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
        let keys = match file::read(path)? {
            Some(keys) => keys,
            None if expected.is_some() => {
                return Err(problem(
                    path,
                    "is missing, but the database holds secrets that were sealed with it: restore it, or name the right file",
                ));
            }
            None => file::create(path)?,
        };
        let ring = Ring::new(keys).ok_or_else(|| problem(path, "holds no key"))?;
        if expected.is_none() {
            let mut tx = db.write().await?;
            facts::get_or_set(&mut tx, CHECK_FACT, ring.current.check()).await?;
            tx.commit().await?;
        }
        let vault = Self::fitting(db, path, ring).await?;
        audit::begin(db, &vault.audit_keys()).await?;
        Ok(vault)
    }

    /// The same for whoever only reads: neither file nor database is written.
    ///
    /// # Errors
    /// As [`Vault::open`]; [`StoreError::KeyFile`] also when the file is missing.
    pub async fn open_to_read(db: &Db, path: &Path) -> Result<Self, StoreError> {
        let keys = file::read(path)?.and_then(Ring::new);
        let ring = keys.ok_or_else(|| problem(path, "is missing: name the file that belongs to this database"))?;
        Self::fitting(db, path, ring).await
    }

    async fn fitting(db: &Db, path: &Path, mut ring: Ring) -> Result<Self, StoreError> {
        if let Some(stored) = facts::get(db, CHECK_FACT).await?
            && !ring.turn_to(&stored)
        {
            return Err(StoreError::KeyMismatch { path: path.to_owned() });
        }
        ring.open_former(facts::get(db, FORMER_FACT).await?.as_deref());
        Ok(Self { ring: Arc::new(RwLock::new(ring)), path: path.to_owned() })
    }

    /// The key file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The name of the key that seals, eight hexadecimal digits.
    #[must_use]
    pub fn key_name(&self) -> String {
        self.ring().current.name()
    }

    /// The keys with which the audit log is chained and sealed.
    #[must_use]
    pub fn audit_keys(&self) -> AuditKeys {
        self.ring().audit_keys()
    }

    /// The same of a key file that was replaced, to verify a log with which that key sealed.
    ///
    /// # Errors
    /// [`StoreError::KeyFile`] when the file is missing, can be read by others, or holds no key.
    pub fn former_audit_keys(path: &Path) -> Result<AuditKeys, StoreError> {
        let former = file::read(path)?.and_then(Ring::new);
        former
            .map(|ring| ring.audit_keys())
            .ok_or_else(|| problem(path, "is missing: name the key file that was replaced"))
    }

    pub(crate) fn ring(&self) -> Ring {
        self.ring.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads the key file again.
    ///
    /// # Errors
    /// [`StoreError::KeyFile`]: the keys that are known stay.
    pub(crate) fn reload(&self) -> Result<(), StoreError> {
        let keys = file::read(&self.path)?.ok_or_else(|| problem(&self.path, "is missing: restore it"))?;
        self.ring.write().unwrap_or_else(PoisonError::into_inner).take(keys);
        Ok(())
    }

    /// The same where the keys that are known may do.
    fn try_reload(&self) {
        if let Err(error) = self.reload() {
            tracing::warn!(%error, "the key file was not read again");
        }
    }

    /// Replaces the key file by one with these keys, the newest first.
    pub(crate) fn write_file(&self, keys: &[Arc<RootKey>]) -> Result<(), StoreError> {
        file::replace(&self.path, keys.iter().map(Arc::as_ref))?;
        self.reload()
    }

    /// Keeps the key that seals in a file of its own beside the key file, which it names.
    pub(crate) fn keep_current(&self) -> Result<PathBuf, StoreError> {
        file::keep(&self.path, &self.ring().current)
    }

    /// Where the key of this name is kept after it was replaced.
    #[must_use]
    pub fn kept_path(&self, name: &str) -> PathBuf {
        file::kept_path(&self.path, name)
    }

    /// Brings the keys up to date with file and database, where another process replaced the key.
    ///
    /// # Errors
    /// [`StoreError::KeyReplaced`] when the file does not have the key that seals; when the database fails.
    pub async fn refresh(&self, mut on: impl Access) -> Result<(), StoreError> {
        let text = "SELECT value FROM schema_facts WHERE name = $1";
        let stored: Option<String> = on.value(text, &args![CHECK_FACT]).await?;
        if stored.as_deref().is_none_or(|stored| stored == self.ring().current.check()) {
            return Ok(());
        }
        let former: Option<String> = on.value(text, &args![FORMER_FACT]).await?;
        self.turn_to(stored.as_deref().unwrap_or_default(), former.as_deref())
    }

    /// Seals with the key of this name from now on, which is looked for in the file where it is not known.
    fn turn_to(&self, check: &str, former: Option<&str>) -> Result<(), StoreError> {
        let turn = || self.ring.write().unwrap_or_else(PoisonError::into_inner).turn_to(check);
        if !turn() {
            self.try_reload();
            if !turn() {
                return Err(StoreError::KeyReplaced { path: self.path.clone() });
            }
        }
        self.ring.write().unwrap_or_else(PoisonError::into_inner).open_former(former);
        Ok(())
    }

    /// Whoever seals in this transaction. The key stays the one that seals until the transaction ends: a rotation waits
    /// for it, and finds what it wrote.
    ///
    /// # Errors
    /// [`StoreError::KeyReplaced`] when the key file does not have the key that seals; when the database fails.
    pub(crate) async fn sealer(&self, tx: &mut Tx) -> Result<Sealer, StoreError> {
        let lock = dialect::for_share(tx.backend());
        let text = format!("SELECT value FROM schema_facts WHERE name = $1{lock}");
        tx.value::<String>(AssertSqlSafe(text), &args![CHECK_FACT]).await?;
        self.refresh(&mut *tx).await?;
        Ok(Sealer(self.ring().current))
    }

    /// Opens a secret that was sealed for this place.
    ///
    /// # Errors
    /// [`StoreError::Sealed`] when it was damaged, or sealed for another place or with another key.
    pub(crate) fn unseal(
        &self,
        place: &Place,
        at: impl Into<At>,
        sealed: &SealedSecret,
    ) -> Result<SecretString, StoreError> {
        let at = at.into();
        self.unseal_in(&place.context(at.owner, at.row), sealed)
    }

    fn unseal_in(&self, context: &[u8], sealed: &SealedSecret) -> Result<SecretString, StoreError> {
        let id = root::key_of(&sealed.0).ok_or(StoreError::Sealed)?;
        let key = self.ring().of(id).or_else(|| {
            self.try_reload();
            self.ring().of(id)
        });
        key.ok_or(StoreError::Sealed)?.unseal(context, sealed)
    }

    /// Seals for a place that does not exist, for tests.
    #[cfg(feature = "testing")]
    #[must_use]
    pub fn seal_for_test(&self, tenant: TenantId, column: &str, secret: &SecretString) -> SealedSecret {
        self.ring().current.seal(&[tenant.as_uuid().as_bytes(), column.as_bytes()].concat(), secret)
    }

    /// Opens what [`Vault::seal_for_test`] sealed.
    ///
    /// # Errors
    /// [`StoreError::Sealed`].
    #[cfg(feature = "testing")]
    pub fn unseal_for_test(
        &self,
        tenant: TenantId,
        column: &str,
        sealed: &SealedSecret,
    ) -> Result<SecretString, StoreError> {
        self.unseal_in(&[tenant.as_uuid().as_bytes(), column.as_bytes()].concat(), sealed)
    }

    /// The key with which secrets found in objects of this tenant are fingerprinted. The same at every start, and after
    /// the root key was replaced: another would make every object that holds a secret look changed.
    #[must_use]
    pub fn fingerprint_key(&self, tenant: TenantId) -> FingerprintKey {
        FingerprintKey(self.ring().first().derive(b"fingerprint", tenant.as_uuid().as_bytes()))
    }

    /// A keyed hash of something that is looked up but not to be read back, such as the e-mail of a failed sign-in.
    #[must_use]
    pub fn keyed_hash(&self, purpose: &str, subject: &str) -> [u8; 32] {
        *self.ring().current.derive(&hash_purpose(purpose), subject.as_bytes())
    }

    /// The same under the key that seals and under every one before it, for what was hashed and cannot be hashed anew.
    #[must_use]
    pub fn keyed_hashes(&self, purpose: &str, subject: &str) -> Vec<[u8; 32]> {
        let ring = self.ring();
        ring.all().map(|key| *key.derive(&hash_purpose(purpose), subject.as_bytes())).collect()
    }

    /// The same with the name of the key, by which [`Vault::hash_named`] finds it again.
    #[must_use]
    pub fn named_hash(&self, purpose: &str, subject: &str) -> NamedHash {
        let ring = self.ring();
        let key = (ring.first().id() != ring.current.id()).then(|| ring.current.name());
        NamedHash { key, hash: *ring.current.derive(&hash_purpose(purpose), subject.as_bytes()) }
    }

    /// A keyed hash under the key of this name, or with `None` the first one that this database had. Where that key is not
    /// known, it is under another.
    #[must_use]
    pub fn hash_named(&self, key: Option<&str>, purpose: &str, subject: &str) -> [u8; 32] {
        let ring = self.ring();
        let found = match key {
            None => Some(ring.first()),
            Some(name) => ring.all().find(|key| key.name() == name),
        };
        *found.unwrap_or_else(|| Arc::clone(&ring.current)).derive(&hash_purpose(purpose), subject.as_bytes())
    }
}

fn hash_purpose(purpose: &str) -> Vec<u8> {
    [b"hash ", purpose.as_bytes()].concat()
}
