//! Facts about the database itself.

use sqlx::Error;

use crate::database::{Access, Run as _};
use crate::record::Text;
use crate::sql::args;
use crate::{StoreError, Tx};

/// The value of a fact.
///
/// # Errors
/// When the database fails.
pub async fn get(mut on: impl Access, name: &str) -> Result<Option<String>, StoreError> {
    let text: Option<Text> = on.row("SELECT value FROM schema_facts WHERE name = $1", &args![name]).await?;
    Ok(text.map(|Text(value)| value))
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
