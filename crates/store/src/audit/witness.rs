//! The newest end of the log that this machine has seen, kept beside the key file and so outside of the database. A log
//! that was cut off, and whose end was set back to one that was sealed once, is intact in itself: only what lies outside
//! shows that there was more. Each machine keeps its own, as a lower bound: the log must hold it and may be longer.

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use tenantatlas_domain::time::Timestamp;

use super::anchor::{Anchor, anchor};
use super::key::AuditKeys;
use super::{Problem, end};
use crate::{Db, StoreError, Vault, files};

/// A witness is one short line.
const FILE_LIMIT: u64 = 4_096;

/// What came of bringing the witness up to date.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Witnessed {
    /// It holds the end of the log.
    UpToDate,
    /// The log does not hold what this machine has seen, or its end is not sealed. The witness was left as it was, since
    /// it is the proof.
    Contradicted(String),
}

/// Where the witness of a vault lies: beside the key file, `tenantatlas.audit` for `tenantatlas.key`. Never at the place of
/// the key file itself, whatever its name is.
#[must_use]
pub fn witness_path(vault: &Vault) -> PathBuf {
    let key = vault.path();
    if key.extension().is_some_and(|ending| ending == "key") {
        return key.with_extension("audit");
    }
    let mut name = key.as_os_str().to_owned();
    name.push(".audit");
    PathBuf::from(name)
}

/// Writes the end of the log down, unless the log contradicts what was written before. Of two processes that write at
/// once the older end may stay: a lower bound as well.
///
/// # Errors
/// When the database fails, and [`StoreError::Unwritable`] when the file cannot be written.
pub async fn remember(db: &Db, vault: &Vault, at: Timestamp) -> Result<Witnessed, StoreError> {
    let (keys, path) = (vault.audit_keys(), witness_path(vault));
    if let Some(problem) = compare(db, vault).await? {
        return Ok(Witnessed::Contradicted(problem.sentence()));
    }
    let Some(now) = anchor(db, &keys, at).await? else {
        return Ok(Witnessed::Contradicted("the seal of the end of the log is not in order".to_owned()));
    };
    if read(&path)?.is_none_or(|known| known.seq < now.seq || known.installation != now.installation) {
        write(db, path, &now).await?;
    }
    Ok(Witnessed::UpToDate)
}

/// Takes the log as it is for the one that this machine has seen.
pub(super) async fn replace(db: &Db, vault: &Vault, at: Timestamp) -> Result<(), StoreError> {
    match anchor(db, &vault.audit_keys(), at).await? {
        Some(now) => write(db, witness_path(vault), &now).await,
        None => Err(StoreError::corrupt("seal")),
    }
}

/// What this machine has seen of the log, when the file is there and in order.
pub(super) fn seen(vault: &Vault) -> Result<Option<Anchor>, StoreError> {
    Ok(read(&witness_path(vault))?.filter(|seen| seen.is_genuine(&vault.audit_keys())))
}

/// Compares the log with what this machine has seen of it.
pub(super) async fn compare(db: &Db, vault: &Vault) -> Result<Option<Problem>, StoreError> {
    let (keys, path) = (vault.audit_keys(), witness_path(vault));
    let Some(seen) = read(&path)? else { return Ok(None) };
    Ok(contradiction(db, &keys, &seen, &path).await?.map(Problem::of_witness))
}

async fn contradiction(db: &Db, keys: &AuditKeys, seen: &Anchor, path: &Path) -> Result<Option<String>, StoreError> {
    const ACCEPT: &str =
        "if you restored a backup or changed the database on purpose, run `tenantatlas audit verify --accept-restored`";
    if !seen.is_genuine(keys) {
        return Ok(Some(format!(
            "what this machine has seen of it ({}) was changed or is damaged; {ACCEPT}",
            path.display()
        )));
    }
    let end = end::read(db, keys).await?;
    let Some(installation) = end.installation() else {
        return Ok(Some(format!("this machine has seen it sealed up to entry {}, and now it is not", seen.seq)));
    };
    if installation != seen.installation {
        return Ok(Some(format!(
            "it is not the one that this machine has seen up to entry {}, but that of another database; {ACCEPT}",
            seen.seq
        )));
    }
    if end.point.seq < seen.seq {
        let gone = match seen.seq - end.point.seq {
            1 => format!("entry {} is gone", seen.seq),
            _ => format!("entries {} to {} are gone", end.point.seq + 1, seen.seq),
        };
        return Ok(Some(format!("the database is older than what this machine has seen: {gone}; {ACCEPT}")));
    }
    if end::holds(db, seen.point()).await? {
        return Ok(None);
    }
    Ok(Some(format!(
        "entry {} is not the one that this machine has seen: entries up to it were replaced, or an older database went on; {ACCEPT}",
        seen.seq
    )))
}

/// The witness. A file that cannot be read as one is answered as one that no key made, so that it is told as changed.
fn read(path: &Path) -> Result<Option<Anchor>, StoreError> {
    let cannot = |problem: String| StoreError::Unreadable { path: path.to_owned(), problem };
    let Some(file) = files::open_regular(path).map_err(cannot)? else { return Ok(None) };
    let mut text = String::new();
    let line = file.take(FILE_LIMIT).read_to_string(&mut text).ok().and_then(|_| serde_json::from_str(&text).ok());
    Ok(Some(line.unwrap_or_else(Anchor::illegible)))
}

/// Replaces the file at once: whoever reads it finds the old line or the new one. What it names is on the disk before
/// it, so that a loss of power does not make the database older than what was seen.
async fn write(db: &Db, path: PathBuf, anchor: &Anchor) -> Result<(), StoreError> {
    let line = serde_json::to_string(anchor).map_err(|error| cannot_write(&path, &error))? + "\n";
    let place = path.clone();
    let database = match db {
        Db::Sqlite { path, .. } => Some(path.clone()),
        Db::Postgres { .. } => None,
    };
    let written = tokio::task::spawn_blocking(move || {
        database.map_or(Ok(()), |database| files::sync_commits(&database))?;
        files::replace_private(&place, |file| file.write_all(line.as_bytes()))
    });
    match written.await {
        Ok(result) => result.map_err(|error| cannot_write(&path, &error)),
        Err(error) => Err(cannot_write(&path, &error)),
    }
}

fn cannot_write(path: &Path, cause: &dyn std::fmt::Display) -> StoreError {
    StoreError::Unwritable { path: path.to_owned(), cause: cause.to_string() }
}
