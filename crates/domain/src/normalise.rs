//! The content of an object without its noise, and the hash of that (`docs/graph.md`, section Volatile and noisy
//! properties).
//!
//! Two observations of an object have the same content exactly when a person
//! would say that nothing was changed: annotations, times, counters and the order
//! of sets do not count; names, settings, assignments and secrets do, the last
//! by fingerprint.
//!
//! There is one walk over the object. It writes the canonical text of the
//! normalised content, which is hashed as it is, or read back as a value.

pub(crate) mod noise;
mod parts;
pub(crate) mod secrets;
pub(crate) mod walk;
pub(crate) mod withheld;

use std::fmt;
use std::str::FromStr;

use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

pub use parts::ContentParts;
pub use secrets::{UnknownUnreadable, Unreadable};
pub use withheld::{WITHHELD, Withheld};

use crate::registry::PolicyType;

/// The version of the rules below. It is kept with every content hash: hashes of
/// different versions are never compared.
pub const NORMALISER_VERSION: u32 = 3;

/// A SHA-256: of the normalised content, or of raw bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ContentHash(pub [u8; 32]);

/// Lower-case hexadecimal digits.
pub(crate) fn to_hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(|nibble| char::from(DIGITS[usize::from(nibble)])).collect()
}

impl fmt::Display for ContentHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&to_hex(&self.0))
    }
}

impl fmt::Debug for ContentHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "ContentHash({self})")
    }
}

/// The text is no content hash.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a content hash has 64 hexadecimal digits, or 32 bytes")]
pub struct InvalidContentHash;

impl FromStr for ContentHash {
    type Err = InvalidContentHash;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.as_bytes();
        if digits.len() != 64 {
            return Err(InvalidContentHash);
        }
        let mut hash = [0; 32];
        for (byte, pair) in hash.iter_mut().zip(digits.chunks_exact(2)) {
            let nibble = |digit: u8| char::from(digit).to_digit(16).ok_or(InvalidContentHash);
            *byte = u8::try_from(nibble(pair[0])? * 16 + nibble(pair[1])?).unwrap_or_default();
        }
        Ok(Self(hash))
    }
}

impl TryFrom<String> for ContentHash {
    type Error = InvalidContentHash;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

/// The 32 bytes as they are stored.
impl TryFrom<Vec<u8>> for ContentHash {
    type Error = InvalidContentHash;

    fn try_from(bytes: Vec<u8>) -> Result<Self, Self::Error> {
        bytes.try_into().map(Self).map_err(|_| InvalidContentHash)
    }
}

impl From<ContentHash> for String {
    fn from(hash: ContentHash) -> Self {
        hash.to_string()
    }
}

/// The hash of an object as it was received. It changes with every noise; kept
/// beside the content hash so that the normaliser can be upgraded.
#[must_use]
pub fn observation_hash(raw: &[u8]) -> ContentHash {
    ContentHash(Sha256::digest(raw).into())
}

/// Turns objects into comparable content. Holds the key with which secrets are
/// fingerprinted, so it shows nothing of itself.
#[derive(Clone)]
pub struct Normaliser {
    keyed: Hmac<Sha256>,
}

impl fmt::Debug for Normaliser {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Normaliser")
    }
}

impl Normaliser {
    /// A normaliser that fingerprints secrets with this key. The same key must be
    /// used for all objects of a tenant, or every secret looks changed.
    #[must_use]
    pub fn new(fingerprint_key: &[u8; 32]) -> Self {
        // HMAC fills a key up to its block size with zeros (RFC 2104).
        let mut block = [0; 64];
        block[..fingerprint_key.len()].copy_from_slice(fingerprint_key);
        Self { keyed: Hmac::new(&block.into()) }
    }

    /// The normalised content. An intermediate for comparing: it holds settings
    /// of the policy, so it is not to be stored.
    #[must_use]
    pub fn normalise(&self, policy_type: &PolicyType, object: &Value) -> Value {
        serde_json::from_slice(&self.canonical_content(policy_type, object)).unwrap_or_default()
    }

    /// SHA-256 of the canonical text of the normalised content.
    #[must_use]
    pub fn content_hash(&self, policy_type: &PolicyType, object: &Value) -> ContentHash {
        ContentHash(Sha256::digest(self.canonical_content(policy_type, object)).into())
    }

    /// The content hash, and what tells which part of the content differs where two of them do. One walk for both.
    #[must_use]
    pub fn content_in_parts(&self, policy_type: &PolicyType, object: &Value) -> (ContentHash, ContentParts) {
        let (text, members) = walk::Walk::new(policy_type, self, object).finish_in_parts(object);
        (ContentHash(Sha256::digest(&text).into()), ContentParts::of(&text, &members))
    }

    /// What stands for a single value of an object of this type: equal for equal values, and of no use for finding the value
    /// without the key. `None` where the value says nothing.
    pub(crate) fn fingerprint_of(&self, policy_type: &PolicyType, key: &str, value: &Value) -> Option<String> {
        let canonical = walk::Walk::new(policy_type, self, value).of_value(key, value);
        (!canonical.is_empty()).then(|| self.fingerprint(&canonical))
    }

    fn canonical_content(&self, policy_type: &PolicyType, object: &Value) -> Vec<u8> {
        walk::Walk::new(policy_type, self, object).finish(object)
    }

    /// What stands for a secret: equal for equal secrets under the same key, and
    /// of no use for finding the secret without it.
    fn fingerprint(&self, canonical: &[u8]) -> String {
        let mut keyed = self.keyed.clone();
        keyed.update(canonical);
        let code = keyed.finalize().into_bytes();
        format!("hmac-sha256:{}", to_hex(&code[..16]))
    }
}

#[cfg(test)]
pub(crate) mod tests;
