//! Definitions and categories of settings, as Microsoft publishes them: the same in every tenant, so these rows belong to none.

mod due;

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use sqlx::FromRow;
use tenantatlas_domain::time::Timestamp;

use crate::bulk::InsertRows;
use crate::database::{Access, Run as _};
use crate::sql::{Statement, Value, args, without_nul};
use crate::{StoreError, Tx};

pub use due::{ReadingDue, claim_reading, complete_reading, has_unknown, reading_due, record_unknown, tenants_to_ask};

/// Ids of one question, at most.
const AT_ONCE: usize = 500;
/// Categories that stand above each other, at most; Microsoft's are some five deep.
const DEEPEST: u32 = 20;

/// What a definition is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewDefinition {
    /// Its id.
    pub id: String,
    /// Its name in the words of Microsoft's portal.
    pub name: String,
    /// Its category.
    pub category_id: Option<String>,
    /// The names of its options by their ids.
    pub options: HashMap<String, String>,
}

/// A category of definitions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewCategory {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The category above it.
    pub parent_id: Option<String>,
}

/// How much a collection brought when it was last read to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromRow)]
pub struct ReadCollection {
    /// Entries.
    #[sqlx(try_from = "i64")]
    pub entries: u64,
    /// When.
    #[sqlx(try_from = "i64")]
    pub read_at: Timestamp,
}

/// What is known of a definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownDefinition {
    /// Its id, in small letters.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The names of its category and of those above, the topmost first.
    pub categories: Vec<String>,
    /// The names of its options by their ids.
    pub options: HashMap<String, String>,
}

const RECORD_DEFINITION: InsertRows = InsertRows {
    table: "setting_definitions",
    columns: Cow::Borrowed(&["id", "collection", "name", "category_id", "options", "seen_at", "options_at"]),
    on_conflict: Cow::Borrowed(
        "(id) DO UPDATE SET collection = excluded.collection, name = excluded.name,
         category_id = excluded.category_id, options = excluded.options, seen_at = excluded.seen_at,
         options_at = CASE WHEN setting_definitions.options = excluded.options THEN setting_definitions.options_at
             ELSE excluded.options_at END",
    ),
};

const RECORD_CATEGORY: InsertRows = InsertRows {
    table: "setting_categories",
    columns: Cow::Borrowed(&["id", "collection", "name", "parent_id", "seen_at"]),
    on_conflict: Cow::Borrowed(
        "(id) DO UPDATE SET collection = excluded.collection, name = excluded.name, parent_id = excluded.parent_id,
         seen_at = excluded.seen_at",
    ),
};

/// Records definitions of a collection. Those that are known already are called as they are now.
///
/// # Errors
/// When the database fails.
pub async fn record_definitions(
    tx: &mut Tx,
    collection: &str,
    definitions: &[NewDefinition],
    at: Timestamp,
) -> Result<(), StoreError> {
    // Each once: a page may hold one twice.
    let unique: HashMap<String, &NewDefinition> =
        definitions.iter().map(|definition| (definition.id.to_ascii_lowercase(), definition)).collect();
    let mut unique: Vec<_> = unique.into_iter().collect();
    unique.sort_by(|one, other| one.0.cmp(&other.0));
    let mut rows: Vec<Value<'_>> = Vec::with_capacity(unique.len() * 7);
    for (id, definition) in unique {
        // In one order, so that the same options are the same text.
        let options: BTreeMap<&String, &String> = definition.options.iter().collect();
        let options = serde_json::to_string(&options).unwrap_or_else(|_| "{}".to_owned());
        rows.extend([
            id.into(),
            collection.into(),
            without_nul(&definition.name).into_owned().into(),
            definition.category_id.clone().into(),
            options.into(),
            at.into(),
            at.into(),
        ]);
    }
    RECORD_DEFINITION.run(tx, &rows).await.map(|_| ())
}

/// Records categories of a collection.
///
/// # Errors
/// When the database fails.
pub async fn record_categories(
    tx: &mut Tx,
    collection: &str,
    categories: &[NewCategory],
    at: Timestamp,
) -> Result<(), StoreError> {
    let unique: HashMap<&str, &NewCategory> =
        categories.iter().map(|category| (category.id.as_str(), category)).collect();
    let mut unique: Vec<_> = unique.into_values().collect();
    unique.sort_by(|one, other| one.id.cmp(&other.id));
    let mut rows: Vec<Value<'_>> = Vec::with_capacity(unique.len() * 5);
    for category in unique {
        rows.extend([
            category.id.as_str().into(),
            collection.into(),
            without_nul(&category.name).into_owned().into(),
            category.parent_id.clone().into(),
            at.into(),
        ]);
    }
    RECORD_CATEGORY.run(tx, &rows).await.map(|_| ())
}

/// Categories that definitions of a collection, or other categories of theirs, name and that are not known, as far as a reading that
/// began at a moment came across what names them.
///
/// # Errors
/// When the database fails.
pub async fn orphan_categories(
    mut on: impl Access,
    (definitions, categories): (&str, &str),
    began: Timestamp,
    limit: u32,
) -> Result<Vec<String>, StoreError> {
    on.values(
        "SELECT n.id AS value
         FROM (SELECT d.category_id AS id FROM setting_definitions d
               WHERE d.collection = $1 AND d.seen_at >= $3 AND d.category_id IS NOT NULL
               UNION
               SELECT c.parent_id FROM setting_categories c
               WHERE c.collection = $2 AND c.seen_at >= $3 AND c.parent_id IS NOT NULL) n
         WHERE NOT EXISTS (SELECT 1 FROM setting_categories k WHERE k.id = n.id)
         ORDER BY n.id LIMIT $4",
        &args![definitions, categories, began, limit],
    )
    .await
}

/// What the last reading of a collection brought that came to its end; `None` where none did.
///
/// # Errors
/// When the database fails.
pub async fn last_reading(mut on: impl Access, collection: &str) -> Result<Option<ReadCollection>, StoreError> {
    on.row("SELECT entries, read_at FROM setting_collections WHERE collection = $1", &args![collection]).await
}

/// Records that a collection was read to its end.
///
/// # Errors
/// When the database fails.
pub async fn finish(tx: &mut Tx, collection: &str, entries: u64, at: Timestamp) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO setting_collections (collection, entries, read_at) VALUES ($1, $2, $3)
         ON CONFLICT (collection) DO UPDATE SET entries = excluded.entries, read_at = excluded.read_at",
        &args![collection, entries, at],
    )
    .await
    .map(|_| ())
}

#[derive(FromRow)]
struct DefinitionRow {
    id: String,
    name: String,
    category_id: Option<String>,
    options: String,
}

#[derive(FromRow)]
struct CategoryRow {
    id: String,
    name: String,
    parent_id: Option<String>,
}

/// What is known of definitions, by their ids in whatever letters.
///
/// # Errors
/// When the database fails.
pub async fn definitions(mut on: impl Access, ids: &[String]) -> Result<Vec<KnownDefinition>, StoreError> {
    let mut rows: Vec<DefinitionRow> = Vec::new();
    for ids in ids.chunks(AT_ONCE) {
        let ids: Vec<String> = ids.iter().map(|id| id.to_ascii_lowercase()).collect();
        let mut statement = Statement::new("SELECT id, name, category_id, options FROM setting_definitions WHERE");
        statement.push_in(" id", &ids);
        rows.extend(on.query::<DefinitionRow>(&statement).await?);
    }
    let mut categories: HashMap<String, CategoryRow> = HashMap::new();
    let mut wanted: Vec<String> = rows.iter().filter_map(|row| row.category_id.clone()).collect();
    for _ in 0..DEEPEST {
        wanted.retain(|id| !categories.contains_key(id));
        wanted.sort_unstable();
        wanted.dedup();
        if wanted.is_empty() {
            break;
        }
        let mut found: Vec<CategoryRow> = Vec::new();
        for ids in wanted.chunks(AT_ONCE) {
            let mut statement = Statement::new("SELECT id, name, parent_id FROM setting_categories WHERE");
            statement.push_in(" id", ids);
            found.extend(on.query::<CategoryRow>(&statement).await?);
        }
        wanted = found.iter().filter_map(|row| row.parent_id.clone()).collect();
        categories.extend(found.into_iter().map(|row| (row.id.clone(), row)));
    }
    let known = rows.into_iter().map(|row| KnownDefinition {
        categories: path(row.category_id.as_deref(), &categories),
        options: serde_json::from_str(&row.options).unwrap_or_default(),
        id: row.id,
        name: row.name,
    });
    Ok(known.collect())
}

/// The names of a category and of those above, the topmost first.
fn path(category: Option<&str>, categories: &HashMap<String, CategoryRow>) -> Vec<String> {
    let mut names = Vec::new();
    let mut next = category.and_then(|id| categories.get(id));
    while let Some(row) = next {
        names.push(row.name.clone());
        // Categories that lead back to themselves end somewhere.
        next = row.parent_id.as_deref().filter(|_| names.len() < DEEPEST as usize).and_then(|id| categories.get(id));
    }
    names.reverse();
    names
}
