//! Facts about the database itself.

use sqlx::Error;

use crate::database::{Access, Run as _};
use crate::sql::args;
use crate::{Db, StoreError, Tx};

/// The value of a fact.
///
/// # Errors
/// When the database fails.
pub async fn get(mut on: impl Access, name: &str) -> Result<Option<String>, StoreError> {
    on.value("SELECT value FROM schema_facts WHERE name = $1", &args![name]).await
}

/// Writes a fact unless it is there; answers the value that holds afterwards.
///
/// # Errors
/// When the database fails.
pub async fn get_or_set(tx: &mut Tx, name: &str, value: &str) -> Result<String, StoreError> {
    tx.execute(
        "INSERT INTO schema_facts (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING",
        &args![name, value],
    )
    .await?;
    get(tx, name).await?.ok_or_else(|| Error::RowNotFound.into())
}

/// Writes a fact, whatever held before.
///
/// # Errors
/// When the database fails.
pub async fn set(tx: &mut Tx, name: &str, value: &str) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO schema_facts (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        &args![name, value],
    )
    .await
    .map(|_| ())
}

/// Finds out whether the database can be written: writes a fact of some size and takes it back.
///
/// # Errors
/// [`StoreError::DiskFull`], [`StoreError::Unwritable`] and whatever else keeps the database from being written.
pub async fn probe_write(db: &Db) -> Result<(), StoreError> {
    const NAME: &str = "write_probe";
    let mut tx = db.write().await?;
    let text = "-".repeat(32 * 1024);
    tx.execute(
        "INSERT INTO schema_facts (name, value) VALUES ($1, $2)
         ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        &args![NAME, text.as_str()],
    )
    .await?;
    tx.commit().await?;
    let mut tx = db.write().await?;
    tx.execute("DELETE FROM schema_facts WHERE name = $1", &args![NAME]).await?;
    tx.commit().await
}
