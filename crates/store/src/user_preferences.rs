//! What a person chose for themselves, in every tenant.

use sqlx::FromRow;
use tenantatlas_domain::ids::UserId;
use tenantatlas_domain::item_column::ItemColumn;

use crate::database::{Access, Run as _};
use crate::sql::{args, json};
use crate::{StoreError, Tx};

/// The preferences of a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserPreferences {
    /// The columns of the list of items, in the order of [`ItemColumn::ALL`].
    pub item_columns: Vec<ItemColumn>,
    /// Whether single keys such as `/` do something (WCAG 2.2, success criterion 2.1.4).
    pub single_keys: bool,
}

impl Default for UserPreferences {
    fn default() -> Self {
        Self { item_columns: ItemColumn::DEFAULT.to_vec(), single_keys: true }
    }
}

/// The columns of [`UserPreferences`]; all are NULL while nothing was ever chosen.
#[derive(FromRow)]
pub struct PreferenceColumns {
    /// Names, so that one that another version knew is left out.
    #[sqlx(json(nullable))]
    item_columns: Option<Vec<String>>,
    single_keys: Option<bool>,
}

impl From<PreferenceColumns> for UserPreferences {
    fn from(PreferenceColumns { item_columns, single_keys }: PreferenceColumns) -> Self {
        let default = Self::default();
        let chosen = |names: Vec<String>| {
            ItemColumn::ALL.iter().copied().filter(|column| names.iter().any(|name| name == column.as_str())).collect()
        };
        Self {
            item_columns: item_columns.map_or(default.item_columns, chosen),
            single_keys: single_keys.unwrap_or(default.single_keys),
        }
    }
}

/// The preferences; the default when nothing was ever chosen.
///
/// # Errors
/// When the database fails.
pub async fn get(mut on: impl Access, user: UserId) -> Result<UserPreferences, StoreError> {
    let row: Option<PreferenceColumns> =
        on.row("SELECT item_columns, single_keys FROM user_preferences WHERE user_id = $1", &args![user]).await?;
    Ok(row.map_or_else(UserPreferences::default, Into::into))
}

/// Keeps the columns of the list of items.
///
/// # Errors
/// When the database fails.
pub async fn set_item_columns(tx: &mut Tx, user: UserId, columns: &[ItemColumn]) -> Result<(), StoreError> {
    let names: Vec<&str> = columns.iter().map(|column| column.as_str()).collect();
    tx.execute(
        "INSERT INTO user_preferences (user_id, item_columns)
         VALUES ($1, $2)
         ON CONFLICT (user_id) DO UPDATE SET item_columns = excluded.item_columns",
        &args![user, json(&names)],
    )
    .await
    .map(|_| ())
}

/// Keeps whether single keys do something.
///
/// # Errors
/// When the database fails.
pub async fn set_single_keys(tx: &mut Tx, user: UserId, single_keys: bool) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO user_preferences (user_id, single_keys)
         VALUES ($1, $2)
         ON CONFLICT (user_id) DO UPDATE SET single_keys = excluded.single_keys",
        &args![user, single_keys],
    )
    .await
    .map(|_| ())
}
