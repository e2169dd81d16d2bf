//! Another root key: the log goes on under it, and what was there stays as it is.
//!
//! The hashes of entries and the seals were made with the key that was replaced, and nobody can make them anew. So the end is
//! sealed with the new key as the boundary of a new installation, together with one hash over all entries up to it.

use serde_json::json;
use tenantatlas_domain::time::Timestamp;
use uuid::Uuid;

use super::key::{AuditKey, Point};
use super::{AuditKeys, NewEntry, Problem, append, chain, end, guards, witness};
use crate::{Db, StoreError, Tx, Vault};

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
    former: Option<&AuditKeys>,
    entry: &NewEntry,
    at: Timestamp,
) -> Result<Resealed, StoreError> {
    let keys = vault.audit_keys();
    let found = end::read(db, &keys).await?;
    if found.installation().is_some() {
        let (_, problems) = chain::walk(db, &keys).await?;
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
    if end::lock_under(&mut tx, &keys).await?.point != found.point {
        return Err(StoreError::Busy);
    }
    end::reseal(&mut tx, &keys.current, Uuid::new_v4(), found.point, covered.hash()).await?;
    let told = append(&mut tx, vault, &NewEntry { context, ..entry.clone() }, at).await?;
    tx.commit().await?;
    witness::replace(db, vault, at).await?;
    Ok(Resealed::Done { entries: told.seq })
}

/// A log that was looked through under the key that is to be replaced, up to a place.
pub(crate) struct LookedThrough {
    former: chain::Former,
    point: Point,
}

/// Looks through the whole log, while others write into it, so that it can go on under another key: see [`go_on_under`].
/// Answers what is wrong with it where something is.
///
/// # Errors
/// When the database fails.
pub(crate) async fn look_through(db: &Db, vault: &Vault) -> Result<Result<LookedThrough, Vec<Problem>>, StoreError> {
    let (point, mut problems) = chain::walk(db, &vault.audit_keys()).await?;
    problems.extend(witness::compare(db, vault).await?);
    problems.extend(guards::missing(db).await?);
    let (former, broken) = chain::former(db, point).await?;
    problems.extend(broken.filter(|_| problems.is_empty()));
    Ok(if problems.is_empty() { Ok(LookedThrough { former, point }) } else { Err(problems) })
}

/// Lets the log go on under `next` from this transaction on: whoever appends waits for it, and finds the end sealed with that
/// key afterwards. What came since the log was looked through is verified first. It stays the log of the same installation.
///
/// # Errors
/// When the database fails.
pub(crate) async fn go_on_under(
    tx: &mut Tx,
    keys: &AuditKeys,
    next: &AuditKey,
    mut log: LookedThrough,
) -> Result<Result<(), Problem>, StoreError> {
    let end = end::lock_under(tx, keys).await?;
    let (Some(installation), Some(key)) = (end.sound(), end.key.as_ref()) else {
        return Ok(Err(Problem::of_log("the seal of its end is not in order")));
    };
    if let Some(problem) = chain::add_to(&mut log.former, tx, key, log.point, end.point).await? {
        return Ok(Err(problem));
    }
    end::reseal(tx, next, installation, end.point, log.former.hash()).await?;
    Ok(Ok(()))
}
