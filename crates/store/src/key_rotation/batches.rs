//! Sealing anew what is there.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::json;
use sqlx::AssertSqlSafe;
use tenantatlas_domain::time::Timestamp;
use uuid::Uuid;

use super::{Turn, lock, tidy_up, write};
use crate::audit::{self, NewEntry};
use crate::record::Record;
use crate::sql::Value;
use crate::vault::sealed::{ALL, Place, RowKey, SealedSecret};
use crate::{Db, StoreError, Tx, Vault, dialect, with_retries};

/// Values of one transaction, at most: each takes microseconds.
const BATCH: usize = 100;

/// A rotation that is under way: the new key seals, and what was sealed before is sealed anew.
#[derive(Debug)]
pub struct Rotation {
    db: Db,
    vault: Vault,
    turn: Turn,
    resumed: bool,
    place: usize,
    after: Option<Vec<u8>>,
    sealed: BTreeMap<&'static str, u64>,
    not_opened: u64,
}

/// A rotation that is through.
#[derive(Clone, Debug)]
pub struct Rotated {
    /// Which keys, and since when.
    pub turn: Turn,
    /// Whether an earlier one was gone on with.
    pub resumed: bool,
    /// What was sealed anew since it was begun or gone on with, by kind.
    pub sealed: BTreeMap<&'static str, u64>,
    /// Values that open with no key that is known, and are as they were.
    pub not_opened: u64,
    /// Where the key is kept that was replaced. It may not lie on this machine.
    pub kept: PathBuf,
}

impl Rotation {
    pub(super) fn new(db: &Db, vault: &Vault, turn: Turn, resumed: bool) -> Self {
        let (db, vault) = (db.clone(), vault.clone());
        Self { db, vault, turn, resumed, place: 0, after: None, sealed: BTreeMap::new(), not_opened: 0 }
    }

    /// Whether an earlier rotation is gone on with.
    #[must_use]
    pub const fn is_resumed(&self) -> bool {
        self.resumed
    }

    /// Seals some values anew, in one short transaction. Answers whether there may be more.
    ///
    /// # Errors
    /// [`StoreError::KeyReplaced`] when another machine replaced the key once more; when the database fails. What earlier
    /// batches sealed stays.
    pub async fn batch(&mut self) -> Result<bool, StoreError> {
        let Some(place) = ALL.get(self.place) else { return Ok(false) };
        let (db, vault, after) = (&self.db, &self.vault, self.after.as_deref());
        let done = with_retries(StoreError::is_transient, || async move {
            if place.key_is_id {
                let after = after.and_then(|after| Uuid::from_slice(after).ok()).unwrap_or_default();
                batch_of::<Uuid>(db, vault, place, after).await
            } else {
                batch_of::<Vec<u8>>(db, vault, place, after.unwrap_or_default().to_vec()).await
            }
        })
        .await?;
        *self.sealed.entry(place.kind).or_default() += done.sealed;
        self.not_opened += done.not_opened;
        self.after = done.after;
        if self.after.is_none() {
            self.place += 1;
        }
        Ok(self.place < ALL.len())
    }

    /// Ends it when everything is sealed anew: writes it into the audit log, and takes the former key out of the key file.
    /// Values that were left out are sealed first.
    ///
    /// # Errors
    /// As [`Rotation::batch`]; [`StoreError::Unwritable`] when the key file cannot be written, after the rest was done.
    pub async fn finish(mut self, entry: &NewEntry, at: Timestamp) -> Result<Rotated, StoreError> {
        while self.batch().await? {}
        let turn = Turn { ended: true, ..self.turn.clone() };
        let context = json!({
            "former": turn.former, "key": turn.key, "sealed": self.sealed, "not_opened": self.not_opened,
        });
        let mut tx = self.db.write().await?;
        lock(&mut tx).await?;
        write(&mut tx, &turn).await?;
        audit::append(&mut tx, &self.vault, &NewEntry { context, ..entry.clone() }, at).await?;
        tx.commit().await?;
        tidy_up(&self.db, &self.vault).await?;
        let kept = self.vault.kept_path(&turn.former);
        Ok(Rotated { turn, resumed: self.resumed, sealed: self.sealed, not_opened: self.not_opened, kept })
    }
}

struct Done {
    sealed: u64,
    not_opened: u64,
    /// The key of the last row; `None` when there are no more.
    after: Option<Vec<u8>>,
}

async fn batch_of<K: RowKey>(db: &Db, vault: &Vault, place: &Place, after: K) -> Result<Done, StoreError>
where
    (Uuid, K, Vec<u8>): Record,
{
    let Place { table, column, key, owner_column, .. } = place;
    let mut tx: Tx = db.write().await?;
    let sealer = vault.sealer(&mut tx).await?;
    let present = sealer.key_id().to_vec();
    let lock = dialect::for_no_key_update(tx.backend());
    let text = format!(
        "SELECT {owner_column}, {key}, {column} FROM {table}
         WHERE {column} IS NOT NULL AND {key} > $1 AND substr({column}, 2, 4) <> $2 ORDER BY {key} LIMIT {BATCH}{lock}"
    );
    let rows: Vec<(Uuid, K, Vec<u8>)> = tx.rows(AssertSqlSafe(text), &[after.value(), Value::from(present)]).await?;
    let last = rows.last().map(|(_, key, _)| key.bytes());
    let mut done = Done { sealed: 0, not_opened: 0, after: last.filter(|_| rows.len() == BATCH) };
    let text = format!("UPDATE {table} SET {column} = $2 WHERE {key} = $1");
    for (owner, key, sealed) in rows {
        let Ok(secret) = vault.unseal(place, key.at(owner), &SealedSecret(sealed)) else {
            done.not_opened += 1;
            continue;
        };
        let anew = sealer.seal(place, key.at(owner), &secret);
        tx.execute(AssertSqlSafe(text.clone()), &[key.value(), Value::from(anew.0)]).await?;
        done.sealed += 1;
    }
    tx.commit().await?;
    Ok(done)
}
