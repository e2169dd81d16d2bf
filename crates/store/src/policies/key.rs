//! The key of a tenant, and what is done with it: addresses of content, and sealing.

use std::collections::HashMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac as _};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::Sha256;
use sqlx::FromRow;
use tenantatlas_domain::ids::{TenantId, VersionId};
use tenantatlas_domain::time::Timestamp;
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::database::{Access, Run as _};
use crate::sql::{Statement, args};
use crate::vault::sealed::{POLICY_KEY, SealedSecret};
use crate::{StoreError, Tx, Vault};

/// Zstandard (RFC 8878).
const ZSTD: i64 = 1;
/// Measured: from here on slower levels gain little on policies.
const LEVEL: i32 = 3;
const NONCE_LENGTH: usize = 24;
const MARK_LENGTH: usize = 12;
/// Keys of one question, at most.
const AT_ONCE: usize = 500;
/// Bytes of one slot, at most: far above what Graph answers with.
const MOST_PLAIN: usize = 256 * 1024 * 1024;

/// A text that is told from others and not told itself, see [`TenantKey::mark`].
pub type Mark = [u8; MARK_LENGTH];

/// The key under which the bodies of one tenant are sealed. From it come, with a purpose of its own each, the key of the
/// addresses, the key that seals, and the key of the words by which settings are found.
#[derive(Clone)]
pub struct TenantKey {
    tenant: TenantId,
    addresses: Zeroizing<[u8; 32]>,
    seals: Zeroizing<[u8; 32]>,
    searches: Zeroizing<[u8; 32]>,
}

impl fmt::Debug for TenantKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("TenantKey").field("tenant", &self.tenant).finish_non_exhaustive()
    }
}

/// A sealed content with what opens it, as a row of `policy_blobs` holds it.
#[derive(Clone, Debug)]
pub struct Sealed {
    /// The keyed hash of the content.
    pub address: [u8; 32],
    pub(super) codec: i64,
    pub(super) dictionary: i64,
    pub(super) plain_length: i64,
    pub(super) bytes: Vec<u8>,
}

impl Sealed {
    /// What it takes in the database, in bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        self.bytes.len()
    }
}

impl TenantKey {
    /// The key of a tenant; `None` when none was made, or it was destroyed.
    ///
    /// # Errors
    /// [`StoreError::Sealed`] when it was sealed with another root key, or the database fails.
    pub async fn open(mut on: impl Access, vault: &Vault, tenant: TenantId) -> Result<Option<Self>, StoreError> {
        let sealed: Option<Vec<u8>> =
            on.value("SELECT sealed FROM policy_keys WHERE tenant_id = $1", &args![tenant]).await?;
        sealed.map(|sealed| Self::unseal(vault, tenant, &SealedSecret(sealed))).transpose()
    }

    /// The same, made when there is none. A tenant that was removed gets none any more.
    ///
    /// # Errors
    /// [`StoreError::Sealed`], [`StoreError::LeaseLost`] when the tenant was removed, or the database fails.
    pub async fn open_or_make(tx: &mut Tx, vault: &Vault, tenant: TenantId, at: Timestamp) -> Result<Self, StoreError> {
        if let Some(key) = Self::open(&mut *tx, vault, tenant).await? {
            return Ok(key);
        }
        let mut root = Zeroizing::new([0_u8; 32]);
        rand::fill(&mut root[..]);
        let sealer = vault.sealer(tx).await?;
        let sealed = sealer.seal(&POLICY_KEY, tenant, &SecretString::from(BASE64.encode(root.as_slice())));
        tx.execute(
            "INSERT INTO policy_keys (tenant_id, sealed, created_at)
             SELECT id, $2, $3 FROM tenants WHERE id = $1 AND removed_at IS NULL
             ON CONFLICT (tenant_id) DO NOTHING",
            &args![tenant, sealed.0, at],
        )
        .await?;
        // Whoever came first made the key of everybody.
        Self::open(&mut *tx, vault, tenant).await?.ok_or(StoreError::LeaseLost)
    }

    /// The keys of tenants, in their order; those that have none are left out.
    ///
    /// # Errors
    /// As [`TenantKey::open`].
    pub async fn open_all(
        mut on: impl Access,
        vault: &Vault,
        tenants: &[TenantId],
    ) -> Result<Vec<(TenantId, Self)>, StoreError> {
        let mut found: HashMap<Uuid, Vec<u8>> = HashMap::new();
        for part in tenants.chunks(AT_ONCE) {
            let mut statement = Statement::new("SELECT tenant_id, sealed FROM policy_keys WHERE");
            statement.push_in(" tenant_id", part);
            let rows: Vec<(Uuid, Vec<u8>)> = on.query(&statement).await?;
            found.extend(rows);
        }
        let opened = tenants.iter().filter_map(|tenant| Some((*tenant, found.remove(&tenant.as_uuid())?)));
        opened.map(|(tenant, sealed)| Ok((tenant, Self::unseal(vault, tenant, &SealedSecret(sealed))?))).collect()
    }

    fn unseal(vault: &Vault, tenant: TenantId, sealed: &SealedSecret) -> Result<Self, StoreError> {
        let text = vault.unseal(&POLICY_KEY, tenant, sealed)?;
        let bytes = BASE64.decode(text.expose_secret()).map(Zeroizing::new).map_err(|_| StoreError::Sealed)?;
        let root = <[u8; 32]>::try_from(bytes.as_slice()).map(Zeroizing::new).map_err(|_| StoreError::Sealed)?;
        let derive = |purpose: &[u8]| Zeroizing::new(keyed(&root, &[b"tenantatlas/policy/1/", purpose]));
        Ok(Self { tenant, addresses: derive(b"address"), seals: derive(b"seal"), searches: derive(b"search") })
    }

    /// The address of a content: the same for the same content of this tenant, and of no use for finding it.
    #[must_use]
    pub fn address(&self, plain: &[u8]) -> [u8; 32] {
        keyed(&self.addresses, &[plain])
    }

    /// Compresses and seals a content.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when it is larger than any answer of Graph, or cannot be compressed.
    pub fn seal(&self, plain: &[u8]) -> Result<Sealed, StoreError> {
        if plain.len() > MOST_PLAIN {
            return Err(StoreError::corrupt("the size of a body"));
        }
        let packed = zstd::bulk::compress(plain, LEVEL).map_err(|_| StoreError::corrupt("a body"))?;
        let plain_length = i64::try_from(plain.len()).unwrap_or(i64::MAX);
        let mut sealed =
            Sealed { address: self.address(plain), codec: ZSTD, dictionary: 0, plain_length, bytes: Vec::new() };
        let mut nonce = [0_u8; NONCE_LENGTH];
        rand::fill(&mut nonce);
        let payload = Payload { msg: &packed, aad: &self.bound_to(&sealed) };
        let ciphertext = self.cipher().encrypt(&XNonce::from(nonce), payload).map_err(|_| StoreError::Sealed)?;
        sealed.bytes.reserve_exact(NONCE_LENGTH + ciphertext.len());
        sealed.bytes.extend_from_slice(&nonce);
        sealed.bytes.extend_from_slice(&ciphertext);
        Ok(sealed)
    }

    /// Opens a content, and makes sure that it is the one of its address.
    ///
    /// # Errors
    /// [`StoreError::Sealed`] when it was damaged, moved, or sealed with another key.
    pub fn unpack(&self, sealed: &Sealed) -> Result<Vec<u8>, StoreError> {
        let limit = usize::try_from(sealed.plain_length).ok().filter(|length| *length <= MOST_PLAIN);
        let (Some(limit), ZSTD, 0) = (limit, sealed.codec, sealed.dictionary) else { return Err(StoreError::Sealed) };
        let (nonce, ciphertext) = sealed.bytes.split_at_checked(NONCE_LENGTH).ok_or(StoreError::Sealed)?;
        let nonce: [u8; NONCE_LENGTH] = nonce.try_into().map_err(|_| StoreError::Sealed)?;
        let payload = Payload { msg: ciphertext, aad: &self.bound_to(sealed) };
        let packed = self.cipher().decrypt(&XNonce::from(nonce), payload).map_err(|_| StoreError::Sealed)?;
        let plain = zstd::bulk::decompress(&packed, limit).map_err(|_| StoreError::Sealed)?;
        if plain.len() == limit && self.address(&plain) == sealed.address { Ok(plain) } else { Err(StoreError::Sealed) }
    }

    /// The mark of a text: equal for equal texts of one purpose and of this tenant, and of no use for finding the text.
    #[must_use]
    pub fn mark(&self, purpose: &str, text: &str) -> Mark {
        let whole = keyed(&self.searches, &[purpose.as_bytes(), b"\0", text.as_bytes()]);
        let mut mark = Mark::default();
        mark.copy_from_slice(&whole[..MARK_LENGTH]);
        mark
    }

    /// Seals what is shown of one line of a search, for the version that it is a line of.
    ///
    /// # Errors
    /// [`StoreError::Sealed`], which does not happen.
    pub fn seal_line(&self, version: VersionId, plain: &[u8]) -> Result<Vec<u8>, StoreError> {
        let mut sealed = vec![0; NONCE_LENGTH];
        rand::fill(&mut sealed[..]);
        let nonce: [u8; NONCE_LENGTH] = sealed.as_slice().try_into().map_err(|_| StoreError::Sealed)?;
        let payload = Payload { msg: plain, aad: &self.bound_to_line(version) };
        let ciphertext = self.cipher().encrypt(&XNonce::from(nonce), payload).map_err(|_| StoreError::Sealed)?;
        sealed.extend_from_slice(&ciphertext);
        Ok(sealed)
    }

    /// Opens what is shown of one line of a search.
    ///
    /// # Errors
    /// [`StoreError::Sealed`] when it was damaged, moved to another version, or sealed with another key.
    pub fn open_line(&self, version: VersionId, sealed: &[u8]) -> Result<Vec<u8>, StoreError> {
        let (nonce, ciphertext) = sealed.split_at_checked(NONCE_LENGTH).ok_or(StoreError::Sealed)?;
        let nonce: [u8; NONCE_LENGTH] = nonce.try_into().map_err(|_| StoreError::Sealed)?;
        let payload = Payload { msg: ciphertext, aad: &self.bound_to_line(version) };
        self.cipher().decrypt(&XNonce::from(nonce), payload).map_err(|_| StoreError::Sealed)
    }

    fn bound_to_line(&self, version: VersionId) -> Vec<u8> {
        let mut bound = b"tenantatlas/setting/1\0".to_vec();
        bound.extend_from_slice(self.tenant.as_uuid().as_bytes());
        bound.extend_from_slice(version.as_uuid().as_bytes());
        bound
    }

    /// What a seal is bound to: put elsewhere, or told otherwise how to open it, it does not open.
    fn bound_to(&self, sealed: &Sealed) -> Vec<u8> {
        let mut bound = b"tenantatlas/policy/1\0".to_vec();
        bound.extend_from_slice(self.tenant.as_uuid().as_bytes());
        bound.extend_from_slice(&sealed.address);
        for number in [sealed.codec, sealed.dictionary, sealed.plain_length] {
            bound.extend_from_slice(&number.to_be_bytes());
        }
        bound
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new_from_slice(self.seals.as_slice()).expect("the key has the right length")
    }
}

/// A row of `policy_blobs`.
#[derive(FromRow)]
pub(crate) struct SealedBlob {
    pub tenant_id: Uuid,
    pub address: Vec<u8>,
    codec: i64,
    dictionary: i64,
    plain_length: i64,
    sealed: Vec<u8>,
}

impl SealedBlob {
    /// Whether it holds the content of its address.
    pub fn opens_with(self, key: &TenantKey) -> bool {
        let Self { codec, dictionary, plain_length, sealed: bytes, .. } = self;
        let Ok(address) = self.address.try_into() else { return false };
        key.unpack(&Sealed { address, codec, dictionary, plain_length, bytes }).is_ok()
    }
}

/// Destroys the key of a tenant: what was sealed under it is unreadable for everybody from then on. It is written over first,
/// since a deleted row may stay in the file.
///
/// # Errors
/// When the database fails.
pub(crate) async fn destroy(tx: &mut Tx, tenant: TenantId) -> Result<(), StoreError> {
    let nothing = vec![0_u8; 256];
    tx.execute("UPDATE policy_keys SET sealed = $2 WHERE tenant_id = $1", &args![tenant, nothing]).await?;
    tx.execute("DELETE FROM policy_keys WHERE tenant_id = $1", &args![tenant]).await.map(|_| ())
}

fn keyed(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(key).expect("HMAC takes any key");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}
