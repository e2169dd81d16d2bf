//! Another root key in the place of the one that seals, while processes work on the database.
//!
//! In this order, so that a process that is killed anywhere leaves a database that opens and a rotation that goes on:
//! 1. The new key is written into the key file, before the present one, and the present one into a file of its own.
//! 2. One transaction makes the new key the one that seals, keeps the present one sealed with it, and lets the audit log go on
//!    under it. Whoever seals or appends waits for this transaction or is waited for, so nothing is sealed with the former key
//!    afterwards: see [`crate::Vault`].
//! 3. Batch by batch, every sealed value is opened with the key that it names and sealed with the new one.
//! 4. The end is written into the audit log, and the former key leaves the key file.

mod batches;

use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::json;
use sqlx::AssertSqlSafe;
use tenantatlas_domain::time::Timestamp;

use crate::audit::{self, NewEntry, Problem};
use crate::sql::args;
use crate::vault::{CHECK_FACT, FORMER_FACT, RootKey};
use crate::{Db, StoreError, Tx, Vault, dialect, facts};
pub use batches::{Rotated, Rotation};

/// The fact that tells of the last rotation.
const FACT: &str = "vault_key_rotation";

/// A rotation, as the database holds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turn {
    /// The name of the key that was replaced.
    pub former: String,
    /// The name of the key that seals since then.
    pub key: String,
    /// Since when.
    pub began_at: Timestamp,
    /// Whether everything is sealed with it.
    pub ended: bool,
}

/// A key that was made and seals nothing yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Prepared {
    /// The name of the key that seals.
    pub former: String,
    /// The name of the key that is to take its place.
    pub key: String,
    /// Where the key that seals is kept beside the key file.
    pub kept: PathBuf,
}

/// How a rotation begins.
#[derive(Debug)]
pub enum Begun {
    /// The new key seals; what is there is sealed anew by [`Rotation::batch`].
    Going(Rotation),
    /// An earlier rotation was through but for the key file, which is in order now.
    TidiedUp(Turn),
    /// Something is wrong with the audit log: at least one. Nothing was changed but the key file.
    Refused(Vec<Problem>),
}

/// What the database says of the last rotation; `None` when there was none.
///
/// # Errors
/// When the database fails.
pub async fn last(db: &Db) -> Result<Option<Turn>, StoreError> {
    parse(facts::get(db, FACT).await?)
}

fn parse(fact: Option<String>) -> Result<Option<Turn>, StoreError> {
    fact.map(|text| serde_json::from_str(&text).map_err(|_| StoreError::corrupt(FACT))).transpose()
}

async fn write(tx: &mut Tx, turn: &Turn) -> Result<(), StoreError> {
    let text = serde_json::to_string(turn).map_err(|_| StoreError::corrupt(FACT))?;
    facts::set(tx, FACT, &text).await
}

/// Keeps every other process from replacing a key, and from sealing, until the transaction ends.
async fn lock(tx: &mut Tx) -> Result<(), StoreError> {
    let text = format!("SELECT value FROM schema_facts WHERE name = $1{}", dialect::for_update(tx.backend()));
    tx.value::<String>(AssertSqlSafe(text), &args![CHECK_FACT]).await.map(|_| ())
}

/// Makes the key that is to take the place of the one that seals, unless the key file has one. Nothing is sealed with it
/// yet, so that the key file can be copied to other machines first. Answers `None` when a rotation is under way.
///
/// # Errors
/// [`StoreError::Unwritable`] and [`StoreError::KeyFile`] by the key file; [`StoreError::KeyReplaced`] when another machine
/// replaced the key; when the database fails.
pub async fn prepare(db: &Db, vault: &Vault) -> Result<Option<Prepared>, StoreError> {
    let mut tx = db.write().await?;
    lock(&mut tx).await?;
    vault.reload()?;
    vault.refresh(&mut tx).await?;
    let turn = parse(facts::get(&mut tx, FACT).await?)?;
    if turn.is_some_and(|turn| !turn.ended && turn.key == vault.key_name()) {
        return Ok(None);
    }
    let ring = vault.ring();
    let kept = vault.keep_current()?;
    let next = match ring.next() {
        Some(next) => next,
        None => {
            let next = Arc::new(RootKey::random());
            vault.write_file(&[Arc::clone(&next), Arc::clone(&ring.current)])?;
            next
        }
    };
    tx.rollback().await?;
    Ok(Some(Prepared { former: ring.current.name(), key: next.name(), kept }))
}

/// Lets the new key seal from now on, or goes on with a rotation that was stopped. `entry` tells of it in the audit log; its
/// context is filled with the names of both keys.
///
/// # Errors
/// As [`prepare`]; [`StoreError::Busy`] when another process rotates as well.
pub async fn begin(db: &Db, vault: &Vault, entry: &NewEntry, at: Timestamp) -> Result<Begun, StoreError> {
    let is_tidy = {
        vault.reload()?;
        vault.refresh(db).await?;
        let ring = vault.ring();
        ring.next().is_some() || ring.file.len() == 1
    };
    let turn = last(db).await?.filter(|turn| turn.key == vault.key_name());
    match turn {
        Some(turn) if !turn.ended => return Ok(Begun::Going(Rotation::new(db, vault, turn, true))),
        Some(turn) if !is_tidy => {
            tidy_up(db, vault).await?;
            return Ok(Begun::TidiedUp(turn));
        }
        _ => {}
    }
    // Another process began meanwhile.
    let Some(prepared) = prepare(db, vault).await? else { return Err(StoreError::Busy) };
    let log = match audit::look_through(db, vault).await? {
        Ok(log) => log,
        Err(problems) => return Ok(Begun::Refused(problems)),
    };
    let mut tx = db.write().await?;
    lock(&mut tx).await?;
    vault.reload()?;
    vault.refresh(&mut tx).await?;
    let ring = vault.ring();
    let Some(next) = ring.next().filter(|next| next.name() == prepared.key && ring.current.name() == prepared.former)
    else {
        return Err(StoreError::Busy);
    };
    facts::set(&mut tx, CHECK_FACT, next.check()).await?;
    facts::set(&mut tx, FORMER_FACT, &ring.fact_of_former(&next)?).await?;
    let turn = Turn { former: prepared.former, key: prepared.key, began_at: at, ended: false };
    write(&mut tx, &turn).await?;
    if let Err(problem) = audit::go_on_under(&mut tx, &ring.audit_keys(), &ring.audit_key_of(&next), log).await? {
        return Ok(Begun::Refused(vec![problem]));
    }
    let context = json!({"former": turn.former, "key": turn.key});
    audit::append(&mut tx, vault, &NewEntry { context, ..entry.clone() }, at).await?;
    tx.commit().await?;
    vault.refresh(db).await?;
    Ok(Begun::Going(Rotation::new(db, vault, turn, false)))
}

/// Takes the keys out of the key file that were there before the one that seals.
async fn tidy_up(db: &Db, vault: &Vault) -> Result<(), StoreError> {
    let mut tx = db.write().await?;
    lock(&mut tx).await?;
    vault.reload()?;
    vault.refresh(&mut tx).await?;
    let ring = vault.ring();
    let end = ring.file.iter().position(|key| key.id() == ring.current.id()).map_or(ring.file.len(), |at| at + 1);
    if end < ring.file.len() {
        vault.write_file(&ring.file[..end])?;
    }
    tx.rollback().await
}
