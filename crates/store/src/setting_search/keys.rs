//! The names of settings that Microsoft gave them.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};
use sqlx::AssertSqlSafe;
use tenantatlas_domain::settings::properties_titled;

use crate::bulk::InsertRows;
use crate::database::{Access, Run as _};
use crate::sql::{Statement, Value, args, contains_pattern};
use crate::{StoreError, Tx, dialect};

/// The number of the name of a setting: a hash of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(pub i64);

/// Settings of one name that are looked for together, at most.
pub(super) const MOST_KEYS: usize = 8_000;
/// What every definition of a setting of a device begins with says nothing of it.
const SAID_OF_ALL: [&str; 3] = ["device_vendor_msft_", "user_vendor_msft_", "policy_config_"];

/// Whether no line has the name `k`. Not `NOT EXISTS`: PostgreSQL would make a join of it, and read all lines.
const UNUSED: &str = "(SELECT l.line FROM setting_lines l WHERE l.key_id = k.id LIMIT 1) IS NULL";

const KEYS: InsertRows = InsertRows {
    table: "setting_keys",
    columns: std::borrow::Cow::Borrowed(&["id", "name", "sought"]),
    on_conflict: std::borrow::Cow::Borrowed("(id) DO NOTHING"),
};

/// The number of a name.
#[must_use]
pub fn key_id(name: &str) -> KeyId {
    let hash: [u8; 32] = Sha256::digest(name.as_bytes()).into();
    let mut first = [0; 8];
    first.copy_from_slice(&hash[..8]);
    KeyId(i64::from_be_bytes(first))
}

/// Makes names known; those that are known stay, for as long as the transaction lasts.
pub(super) async fn record<'n>(tx: &mut Tx, names: impl Iterator<Item = &'n str>) -> Result<(), StoreError> {
    dialect::lock_names_of_settings(tx, dialect::Lock::Shared).await?;
    // In one order, so that two transactions meet them in the same.
    let names: BTreeMap<i64, &str> = names.map(|name| (key_id(name).0, name)).collect();
    let rows: Vec<Value<'_>> = names.into_iter().flat_map(|(id, name)| args![id, name, sought(name)]).collect();
    KEYS.run(tx, &rows).await.map(|_| ())
}

/// Names that no setting of a latest version has any more, at most `limit`. Of every tenant, since names are those of all.
///
/// # Errors
/// When the database fails.
pub async fn unused_keys(mut on: impl Access, limit: u32) -> Result<Vec<KeyId>, StoreError> {
    let text = format!("SELECT k.id AS value FROM setting_keys k WHERE {UNUSED} ORDER BY k.id LIMIT $1");
    let ids: Vec<i64> = on.values(AssertSqlSafe(text), &args![limit]).await?;
    Ok(ids.into_iter().map(KeyId).collect())
}

/// Forgets those of these names that no setting has by now. Answers how many were forgotten.
///
/// # Errors
/// When the database fails.
pub async fn forget_keys(tx: &mut Tx, keys: &[KeyId]) -> Result<u64, StoreError> {
    // What makes settings searchable finds a name known, and writes lines that have it only later.
    dialect::lock_names_of_settings(tx, dialect::Lock::Alone).await?;
    let ids: Vec<i64> = keys.iter().map(|key| key.0).collect();
    let mut statement = Statement::new("DELETE FROM setting_keys AS k");
    statement.push_among(tx.backend(), " WHERE k.id", &ids).push(&format!(" AND {UNUSED}"), []);
    tx.run(&statement).await
}

/// What of a name is looked through.
fn sought(name: &str) -> String {
    let lower = name.to_lowercase();
    SAID_OF_ALL.iter().fold(lower.as_str(), |rest, said| rest.strip_prefix(said).unwrap_or(rest)).to_owned()
}

/// The settings whose name holds a text: the one that they have in bodies, the one that the catalogue has for it, or that of a
/// category above it. `None` where there are more than are looked for together.
pub(super) async fn matching(mut on: impl Access, text: &str) -> Result<Option<Vec<i64>>, StoreError> {
    let lower = text.to_lowercase();
    let pattern = contains_pattern(&lower);
    // "Password required" is the name of the property passwordRequired.
    let squeezed: String = lower.chars().filter(|character| character.is_alphanumeric()).collect();
    let mut statement = Statement::default();
    statement.push(
        r"WITH RECURSIVE inside (id) AS (
              SELECT c.id FROM setting_categories c WHERE LOWER(c.name) LIKE $1 ESCAPE '\'
              UNION
              SELECT c.id FROM inside i CROSS JOIN setting_categories c WHERE c.parent_id = i.id)
          SELECT k.id AS value
          FROM setting_keys k
          LEFT JOIN setting_definitions d ON d.id = k.name
          WHERE k.sought LIKE $1 ESCAPE '\' OR k.sought LIKE $2 ESCAPE '\' OR LOWER(d.name) LIKE $1 ESCAPE '\'
              OR d.category_id IN (SELECT i.id FROM inside i)",
        args![pattern.clone(), contains_pattern(&squeezed)],
    );
    if lower.contains('_') || lower.contains('/') {
        statement.push(r" OR LOWER(k.name) LIKE $1 ESCAPE '\'", args![pattern]);
    }
    // What the portal calls a property is no part of its name.
    for property in properties_titled(&lower) {
        let property = property.to_lowercase();
        let below = format!("%/{property}");
        statement.push(" OR k.sought = $1 OR k.sought LIKE $2", args![property, below]);
    }
    statement.push(" LIMIT $1", args![MOST_KEYS as i64 + 1]);
    let found: Vec<i64> = on.values(statement.text(), statement.values()).await?;
    Ok((found.len() <= MOST_KEYS).then_some(found))
}
