//! Another root key: the log goes on under it, and what was there stays as it is.
//!
//! The hashes of entries and the seals were made with the key that was replaced, and nobody can make them anew. So the end is
//! sealed with the new key as the boundary of a new installation, together with one hash over all entries up to it.

use serde_json::json;
use tenantatlas_domain::time::Timestamp;

use super::{AuditKey, NewEntry, Problem, append, chain, end, guards, witness};
use crate::{Db, StoreError, Vault};

/// What came of sealing the log under another key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resealed {
    /// It was sealed; it has so many entries, of which the last tells of it.
    Done {
        /// How many entries there are.
        entries: i64,
    },
    /// It is sealed with this key already.
    NotNeeded,
    /// Something is wrong with it: at least one.
    Refused(Vec<Problem>),
}

/// Seals the log as it stands with the key of `vault`, after that key took the place of another. With the key that was
/// replaced the log is verified first; without it only that its entries follow one another. `entry` tells of it in the log;
/// its context is filled with the end that was found and whether it was verified. No other process may write meanwhile.
///
/// A log that the present key has sealed is not sealed again, whatever is wrong with it.
///
/// # Errors
/// [`StoreError::Busy`] when another process writes; when the database fails or what was seen cannot be written.
pub async fn reseal(
    db: &Db,
    vault: &Vault,
    former: Option<&AuditKey>,
    entry: &NewEntry,
    at: Timestamp,
) -> Result<Resealed, StoreError> {
    let key = vault.audit_key();
    let found = end::read(db, &key).await?;
    if found.installation(&key).is_some() {
        let (_, problems) = chain::walk(db, &key).await?;
        return Ok(if problems.is_empty() { Resealed::NotNeeded } else { Resealed::Refused(problems) });
    }
    let (covered, broken) = chain::former(db, found.point).await?;
    let mut problems: Vec<Problem> = match former {
        Some(former) => chain::walk(db, former).await?.1,
        None => broken.into_iter().collect(),
    };
    problems.extend(guards::missing(db).await?);
    if !problems.is_empty() {
        return Ok(Resealed::Refused(problems));
    }
    let before = found.boundary.map(|boundary| boundary.installation);
    let context = json!({
        "installation": before, "seq": found.point.seq, "hash": found.point.hash, "verified": former.is_some(),
    });
    let mut tx = db.write().await?;
    end::reseal(&mut tx, &key, found.point, covered).await?;
    let told = append(&mut tx, &key, &NewEntry { context, ..entry.clone() }, at).await?;
    tx.commit().await?;
    witness::replace(db, vault, at).await?;
    Ok(Resealed::Done { entries: told.seq })
}
