//! Anchors: a place of the chain, written down outside of the database. What was anchored must stay in the chain.

use serde::{Deserialize, Serialize};
use tenantatlas_domain::normalise::ContentHash;
use tenantatlas_domain::time::Timestamp;
use uuid::Uuid;

use super::key::{AuditKey, AuditKeys, Point};
use super::{Problem, end};
use crate::{Db, StoreError};

/// The end of the log at a moment, as one line of JSON. It tells nothing about what the log holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Anchor {
    /// When it was made, in milliseconds since 1970.
    pub at: Timestamp,
    /// Whose log it is.
    pub installation: Uuid,
    /// The number of the last entry; 0 when there was none.
    pub seq: i64,
    /// The hash of that entry.
    pub hash: ContentHash,
    /// HMAC-SHA-256 over the other fields with the key of the log.
    pub mac: ContentHash,
}

impl Anchor {
    pub(super) fn new(key: &AuditKey, installation: Uuid, end: Point, at: Timestamp) -> Self {
        Self { at, installation, seq: end.seq, hash: end.hash, mac: key.anchor(at, installation, end) }
    }

    /// What stands for a line that cannot be read: no key made it.
    pub(super) const fn illegible() -> Self {
        const ZEROS: ContentHash = ContentHash([0; 32]);
        Self { at: Timestamp::from_millis(0), installation: Uuid::nil(), seq: 0, hash: ZEROS, mac: ZEROS }
    }

    /// The place it names.
    #[must_use]
    pub const fn point(&self) -> Point {
        Point { seq: self.seq, hash: self.hash }
    }

    /// Whether it was made with one of these keys and not changed since.
    #[must_use]
    pub fn is_genuine(&self, keys: &AuditKeys) -> bool {
        keys.made_anchor(self.at, self.installation, self.point(), &self.mac)
    }

    /// Checks that the log still holds what was anchored.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn check(&self, db: &Db, keys: &AuditKeys) -> Result<Option<Problem>, StoreError> {
        if !self.is_genuine(keys) {
            return Ok(Some(Problem::of_log(format!(
                "the anchor of entry {} was changed, or made with another key",
                self.seq
            ))));
        }
        let end = end::read(db, keys).await?;
        let problem = if end.installation() != Some(self.installation) {
            Some(Problem::of_log(format!("the anchor of entry {} belongs to the log of another database", self.seq)))
        } else if end.point.seq < self.seq {
            Some(Problem::of_entry(
                end.point.seq + 1,
                format!("and all that follow up to the anchored entry {} are gone", self.seq),
            ))
        } else if end::holds(db, self.point()).await? {
            None
        } else {
            Some(Problem::of_entry(self.seq, "is not the one that was anchored"))
        };
        Ok(problem)
    }
}

/// The end of the log as it is now. `None` when its seals are not in order: such an end proves nothing.
///
/// # Errors
/// When the database fails.
pub async fn anchor(db: &Db, keys: &AuditKeys, at: Timestamp) -> Result<Option<Anchor>, StoreError> {
    let end = end::read(db, keys).await?;
    let sound = end.sound().zip(end.key.as_ref());
    Ok(sound.map(|(installation, key)| Anchor::new(key, installation, end.point, at)))
}
