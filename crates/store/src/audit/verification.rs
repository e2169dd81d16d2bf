//! Whether the log is as it was written: what is looked at, and what is said about it.

use serde::Serialize;
use serde_json::json;
use tenantatlas_domain::normalise::ContentHash;
use tenantatlas_domain::time::Timestamp;

use super::problem::Problem;
use super::{NewEntry, append, chain, guards, witness};
use crate::reader::Readable;
use crate::{Db, StoreError, Vault};

/// What a verification found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Verification {
    /// Every entry is as it was written, none is missing, and the database still refuses changes.
    Intact {
        /// How many entries there are.
        entries: i64,
        /// The hash of the last one.
        last_hash: ContentHash,
    },
    /// Something is not as it should be.
    Broken {
        /// What: at least one.
        problems: Vec<Problem>,
    },
}

/// Recomputes the whole chain and reports the first entry that breaks it; looks at the seals, at the triggers and
/// constraints that protect the log, and at what this machine has seen of it before.
///
/// # Errors
/// When the database fails, or the file with what was seen cannot be read.
pub async fn verify(db: &impl Readable, vault: &Vault) -> Result<Verification, StoreError> {
    let db = db.database();
    let (end, mut problems) = chain::walk(db, &vault.audit_keys()).await?;
    problems.extend(witness::compare(db, vault).await?);
    problems.extend(guards::missing(db).await?);
    Ok(match problems.is_empty() {
        true => Verification::Intact { entries: end.seq, last_hash: end.hash },
        false => Verification::Broken { problems },
    })
}

/// Takes a log that is intact in itself for the one that this machine has seen, after a backup was restored on purpose.
/// `entry` tells of it in the log itself; its context is filled with the end that was seen and the one that was found.
/// Answers what stands in the way, if anything does.
///
/// # Errors
/// When the database fails or the file cannot be written.
pub async fn accept_restored(
    db: &Db,
    vault: &Vault,
    entry: &NewEntry,
    at: Timestamp,
) -> Result<Vec<Problem>, StoreError> {
    let keys = vault.audit_keys();
    let (end, mut problems) = chain::walk(db, &keys).await?;
    problems.extend(guards::missing(db).await?);
    if !problems.is_empty() {
        return Ok(problems);
    }
    if witness::compare(db, vault).await?.is_none() {
        return Ok(Vec::new());
    }
    let seen = witness::seen(vault)?.map(|seen| json!({"seq": seen.seq, "hash": seen.hash, "at": seen.at}));
    let found = json!({"seq": end.seq, "hash": end.hash});
    let entry = NewEntry { context: json!({"seen": seen, "found": found}), ..entry.clone() };
    let mut tx = db.write().await?;
    append(&mut tx, vault, &entry, at).await?;
    tx.commit().await?;
    witness::replace(db, vault, at).await?;
    Ok(Vec::new())
}
