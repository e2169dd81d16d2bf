//! The keys of a vault.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use secrecy::{ExposeSecret as _, SecretString};
use zeroize::Zeroizing;

use super::root::{KeyId, RootKey};
use super::sealed::SealedSecret;
use crate::StoreError;
use crate::audit::{AuditKey, AuditKeys};

/// The fact that holds former keys, sealed with the one that seals: a list of hexadecimal texts, the newest first.
pub(crate) const FORMER_FACT: &str = "vault_former_keys";
/// What they are bound to.
const FORMER_CONTEXT: &[u8] = b"tenantatlas/1/former keys\0";

/// Keys of the file and of before.
#[derive(Clone)]
pub(crate) struct Ring {
    /// Those of the file, the newest first.
    pub file: Vec<Arc<RootKey>>,
    /// The one that seals.
    pub current: Arc<RootKey>,
    /// Those that were replaced, the newest first.
    former: Vec<Arc<RootKey>>,
}

impl Ring {
    /// The keys of a file. The database says which of them seals: see [`Ring::turn_to`].
    pub fn new(keys: Vec<RootKey>) -> Option<Self> {
        let file: Vec<Arc<RootKey>> = keys.into_iter().map(Arc::new).collect();
        let current = Arc::clone(file.first()?);
        Some(Self { file, current, former: Vec::new() })
    }

    /// Seals with the key of the file that the database recognises by this. Answers whether there is one.
    pub fn turn_to(&mut self, check: &str) -> bool {
        let found = self.file.iter().find(|key| key.check() == check).cloned();
        found.map(|key| self.current = key).is_some()
    }

    /// Takes the keys of the file as it is now. Those that are no longer in it are former ones.
    pub fn take(&mut self, keys: Vec<RootKey>) {
        let Some(fresh) = Self::new(keys) else { return };
        let known = std::mem::replace(&mut self.file, fresh.file);
        let gone = known.into_iter().filter(|key| self.file.iter().all(|other| other.id() != key.id()));
        self.former.splice(0..0, gone.collect::<Vec<_>>());
        // The one that seals stays it until the database names another.
    }

    /// Opens the former keys that the database keeps. What does not open is told, and not known.
    pub fn open_former(&mut self, fact: Option<&str>) {
        let Some(fact) = fact else { return };
        let Ok(opened) = self.former_of(fact) else {
            tracing::error!("former keys cannot be opened: `tenantatlas database check` says what that means");
            return;
        };
        let known = std::mem::take(&mut self.former);
        self.former = opened.into_iter().map(Arc::new).collect();
        for key in known {
            if self.former.iter().all(|other| other.id() != key.id()) {
                self.former.insert(0, key);
            }
        }
    }

    /// The former keys of a fact.
    pub fn former_of(&self, fact: &str) -> Result<Vec<RootKey>, StoreError> {
        let texts: Vec<String> = serde_json::from_str(fact).map_err(|_| StoreError::Sealed)?;
        let open = |text: &String| {
            let sealed = SealedSecret(hex::decode(text).map_err(|_| StoreError::Sealed)?);
            let opened = self.all().find_map(|key| key.unseal(FORMER_CONTEXT, &sealed).ok());
            let opened = opened.ok_or(StoreError::Sealed)?;
            let bytes = BASE64.decode(opened.expose_secret()).map(Zeroizing::new).map_err(|_| StoreError::Sealed)?;
            let bytes = <[u8; 32]>::try_from(bytes.as_slice()).map_err(|_| StoreError::Sealed)?;
            Ok(RootKey::new(Zeroizing::new(bytes)))
        };
        texts.iter().map(open).collect()
    }

    /// The fact once `next` seals: everything there is but that.
    pub fn fact_of_former(&self, next: &RootKey) -> Result<String, StoreError> {
        let mut former = vec![Arc::clone(&self.current)];
        former.extend(self.former.iter().filter(|key| key.id() != self.current.id()).cloned());
        let former = former.iter().filter(|key| key.id() != next.id());
        let sealed: Vec<String> = former
            .map(|key| hex::encode(next.seal(FORMER_CONTEXT, &SecretString::from(BASE64.encode(key.bytes()))).0))
            .collect();
        serde_json::to_string(&sealed).map_err(|_| StoreError::corrupt(FORMER_FACT))
    }

    /// Every key that is known, the one that seals first.
    pub fn all(&self) -> impl Iterator<Item = Arc<RootKey>> {
        let current = self.current.id();
        let others = self.file.iter().chain(&self.former).filter(move |key| key.id() != current);
        std::iter::once(&self.current).chain(others).cloned()
    }

    /// The key of this id.
    pub fn of(&self, id: KeyId) -> Option<Arc<RootKey>> {
        self.all().find(|key| key.id() == id)
    }

    /// The first key that this database had.
    pub fn first(&self) -> Arc<RootKey> {
        let oldest = self.former.last().or_else(|| self.file.last());
        Arc::clone(oldest.unwrap_or(&self.current))
    }

    /// The key that takes the place of the one that seals, when the file has one.
    pub fn next(&self) -> Option<Arc<RootKey>> {
        let newest = self.file.first()?;
        (newest.id() != self.current.id()).then(|| Arc::clone(newest))
    }

    /// What a key makes of the log.
    pub fn audit_key_of(&self, key: &RootKey) -> AuditKey {
        AuditKey::new(key.derive(b"audit", &[]))
    }

    /// The keys of the log: one of the file made its end.
    pub fn audit_keys(&self) -> AuditKeys {
        let of = |key: &Arc<RootKey>| self.audit_key_of(key);
        AuditKeys {
            current: of(&self.current),
            file: self.file.iter().map(of).collect(),
            former: self.former.iter().map(of).collect(),
        }
    }
}
