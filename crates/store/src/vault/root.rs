//! One root key, and what comes from it.

use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac as _};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::Sha256;
use zeroize::{Zeroize as _, Zeroizing};

use super::sealed::SealedSecret;
use crate::StoreError;

const VERSION: u8 = 1;
const KEY_ID_LENGTH: usize = 4;
const NONCE_LENGTH: usize = 24;
const HEADER_LENGTH: usize = 1 + KEY_ID_LENGTH + NONCE_LENGTH;

/// What a sealed value says of the key that opens it.
pub(crate) type KeyId = [u8; KEY_ID_LENGTH];

/// The id of the key with which something was sealed; `None` when it is nothing that a vault seals.
pub(super) fn key_of(sealed: &[u8]) -> Option<KeyId> {
    let (version, rest) = sealed.split_first()?;
    if *version != VERSION {
        return None;
    }
    rest.first_chunk::<KEY_ID_LENGTH>().copied()
}

/// A root key. Nothing shows its bytes.
pub(crate) struct RootKey {
    bytes: Zeroizing<[u8; 32]>,
    id: KeyId,
    check: String,
}

impl RootKey {
    pub(super) fn new(bytes: Zeroizing<[u8; 32]>) -> Self {
        let mut key = Self { bytes, id: KeyId::default(), check: String::new() };
        let id = key.derive(b"key id", &[]);
        key.id.copy_from_slice(&id[..KEY_ID_LENGTH]);
        key.check = hex::encode(&key.derive(b"key check", &[])[..16]);
        key
    }

    pub(crate) fn random() -> Self {
        let mut bytes = Zeroizing::new([0_u8; 32]);
        rand::fill(&mut bytes[..]);
        Self::new(bytes)
    }

    /// The bytes, to be written into a key file or to be sealed.
    pub(super) fn bytes(&self) -> &[u8; 32] {
        &self.bytes
    }

    pub(crate) const fn id(&self) -> KeyId {
        self.id
    }

    /// The id as it is told: eight hexadecimal digits.
    pub(crate) fn name(&self) -> String {
        hex::encode(self.id)
    }

    /// By which the database recognises the key.
    pub(crate) fn check(&self) -> &str {
        &self.check
    }

    /// A key for one purpose and subject.
    pub(super) fn derive(&self, purpose: &[u8], subject: &[u8]) -> Zeroizing<[u8; 32]> {
        let mut mac =
            <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(self.bytes.as_slice()).expect("HMAC takes any key");
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

    pub(super) fn seal(&self, context: &[u8], secret: &SecretString) -> SealedSecret {
        let mut nonce = [0_u8; NONCE_LENGTH];
        rand::fill(&mut nonce);
        let payload = Payload { msg: secret.expose_secret().as_bytes(), aad: context };
        let ciphertext = self.cipher().encrypt(&XNonce::from(nonce), payload).expect("a secret is far below the limit");
        let mut sealed = Vec::with_capacity(HEADER_LENGTH + ciphertext.len());
        sealed.push(VERSION);
        sealed.extend_from_slice(&self.id);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(&ciphertext);
        SealedSecret(sealed)
    }

    pub(super) fn unseal(&self, context: &[u8], sealed: &SealedSecret) -> Result<SecretString, StoreError> {
        let bytes = sealed.0.as_slice();
        if bytes.len() < HEADER_LENGTH || key_of(bytes) != Some(self.id) {
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
}
