//! The key of the log: what the hashes of entries, the seals of the chain and the anchors are made with.

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use sha2::Sha256;
use tenantatlas_domain::canonical::to_canonical_string;
use tenantatlas_domain::normalise::ContentHash;
use tenantatlas_domain::time::Timestamp;
use uuid::Uuid;
use zeroize::Zeroizing;

/// A place in the chain: the number of an entry and its hash. Number 0 with a hash of zeros is the place before the
/// first entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Point {
    /// The number of the entry.
    pub seq: i64,
    /// Its hash.
    pub hash: ContentHash,
}

impl Point {
    pub(super) const START: Self = Self { seq: 0, hash: ContentHash([0; 32]) };
}

/// The key with which the audit log is chained and sealed, derived by [`crate::Vault::audit_keys`]. Whoever has the
/// database alone can make neither a hash nor a seal. Every value is HMAC-SHA-256 (RFC 2104) over the canonical JSON
/// (RFC 8785) of what it stands for, with a purpose of its own, so that none can be taken for another.
#[derive(Clone)]
pub struct AuditKey(Zeroizing<[u8; 32]>);

impl fmt::Debug for AuditKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("AuditKey")
    }
}

/// The keys of a log: see [`crate::Vault::audit_keys`].
#[derive(Clone, Debug)]
pub struct AuditKeys {
    /// The one under which a new log begins.
    pub(crate) current: AuditKey,
    /// Those that may have sealed the end, the newest first.
    pub(crate) file: Vec<AuditKey>,
    /// Those that were replaced. They seal nothing any more; anchors that were made with them still tell the truth.
    pub(crate) former: Vec<AuditKey>,
}

impl AuditKeys {
    /// Whether an anchor was made with one of them.
    pub(super) fn made_anchor(&self, at: Timestamp, installation: Uuid, point: Point, mac: &ContentHash) -> bool {
        self.file.iter().chain(&self.former).any(|key| key.made_anchor(at, installation, point, mac))
    }
}

impl AuditKey {
    pub(crate) const fn new(key: Zeroizing<[u8; 32]>) -> Self {
        Self(key)
    }

    fn mac(&self, purpose: &str, covered: &Json) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.0.as_slice()).expect("HMAC takes any key");
        mac.update(purpose.as_bytes());
        mac.update(&[0]);
        mac.update(to_canonical_string(covered).as_bytes());
        mac
    }

    fn made(&self, purpose: &str, covered: &Json) -> ContentHash {
        ContentHash(self.mac(purpose, covered).finalize().into_bytes().into())
    }

    /// The hash of an entry that covers `covered`.
    pub(super) fn entry(&self, covered: &Json) -> ContentHash {
        self.made("entry", covered)
    }

    /// The seal over the end of the chain of an installation.
    pub(super) fn end(&self, installation: Uuid, end: Point) -> ContentHash {
        self.made("end", &place(installation, end))
    }

    /// What stands in the place of the seal after an end that was not sealed: it differs from entry to entry, and is
    /// never the seal of anything, so that entries which follow do not cover up what was done before them.
    pub(super) fn broken_end(&self, end: Point) -> ContentHash {
        self.made("broken end", &place(Uuid::nil(), end))
    }

    /// The seal over the last entry whose hash was not made with this key; with `former` it was made with one that was
    /// replaced, and that is a hash over all entries up to it.
    pub(super) fn boundary(&self, installation: Uuid, plain: Point, former: Option<ContentHash>) -> ContentHash {
        match former {
            None => self.made("boundary", &place(installation, plain)),
            Some(former) => {
                let covered = json!({
                    "installation": installation, "seq": plain.seq, "hash": plain.hash, "former": former,
                });
                self.made("boundary after another key", &covered)
            }
        }
    }

    /// What an anchor carries to show that it was made with this key.
    pub(super) fn anchor(&self, at: Timestamp, installation: Uuid, point: Point) -> ContentHash {
        self.made("anchor", &anchored(at, installation, point))
    }

    /// Whether an anchor was made with this key, compared in constant time.
    pub(super) fn made_anchor(&self, at: Timestamp, installation: Uuid, point: Point, mac: &ContentHash) -> bool {
        self.mac("anchor", &anchored(at, installation, point)).verify_slice(&mac.0).is_ok()
    }
}

fn place(installation: Uuid, point: Point) -> Json {
    json!({"installation": installation, "seq": point.seq, "hash": point.hash})
}

fn anchored(at: Timestamp, installation: Uuid, point: Point) -> Json {
    json!({"at": at, "installation": installation, "seq": point.seq, "hash": point.hash})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_made_for_one_purpose_or_place_is_none_for_another() {
        let key = AuditKey::new(Zeroizing::new([7; 32]));
        let (here, there) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let (one, two) = (Point { seq: 1, hash: ContentHash([1; 32]) }, Point { seq: 2, hash: ContentHash([1; 32]) });
        let at = Timestamp::from_millis(5);
        let made = [
            key.end(here, one),
            key.end(there, one),
            key.end(here, two),
            key.broken_end(one),
            key.boundary(here, one, None),
            key.boundary(here, one, Some(one.hash)),
            key.anchor(at, here, one),
            key.entry(&place(here, one)),
            AuditKey::new(Zeroizing::new([8; 32])).end(here, one),
        ];
        for (index, value) in made.iter().enumerate() {
            assert!(!made[index + 1..].contains(value), "{index}");
        }
        assert!(key.made_anchor(at, here, one, &key.anchor(at, here, one)));
        assert!(!key.made_anchor(at, here, two, &key.anchor(at, here, one)));
    }
}
