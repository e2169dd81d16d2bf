//! `tenantatlas migrate`

use serde_json::json;
use tenantatlas_store::Db;

use super::output::Output;
use crate::exit::Exit;
use crate::open;
use crate::settings::Settings;

/// Brings the database to the version of this program and makes the key file when there is none.
///
/// # Errors
/// When the database cannot be opened, is newer, or does not fit the key.
pub async fn run(settings: &Settings, output: Output) -> Result<(), Exit> {
    let db: Db = open::database(settings).await?;
    open::vault(settings, &db).await?;
    let version = Db::known_version();
    output.document(&json!({ "version": version }))?;
    output.line(format!("The database is at version {version}."))
}
