//! The names of what policies name: groups, people, filters, scope tags.

use std::collections::HashMap;

use sqlx::FromRow;
use tenantatlas_domain::ids::TenantId;
use tenantatlas_domain::references::Unnamed;
use uuid::Uuid;

use crate::StoreError;
use crate::database::{Access, Run as _};
use crate::dialect::{self, Held};
use crate::reader::Readable;
use crate::record::Nullable;
use crate::sql::{Statement, args};

/// Ids of one question, at most.
const AT_ONCE: usize = 500;
/// Scope tags of several tenants that are read, at most.
const MOST_TAGS: i64 = 20_000;

/// What a tenant is known to call things, by the ids Microsoft gave them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KnownNames {
    directory: HashMap<String, (Option<String>, Option<Unnamed>)>,
    filters: HashMap<String, String>,
    /// The names of scope tags.
    pub scope_tags: HashMap<String, String>,
}

impl KnownNames {
    /// Takes the names of others in.
    pub fn add(&mut self, others: Self) {
        self.directory.extend(others.directory);
        self.filters.extend(others.filters);
        self.scope_tags.extend(others.scope_tags);
    }

    /// The name of a group or of anything else in the directory, and why it has none.
    #[must_use]
    pub fn in_directory(&self, id: &str) -> (Option<&str>, Option<Unnamed>) {
        self.directory.get(id).map_or((None, None), |(name, unnamed)| (name.as_deref(), *unnamed))
    }

    /// The name of an assignment filter.
    #[must_use]
    pub fn filter(&self, id: &str) -> Option<&str> {
        self.filters.get(&id.to_ascii_lowercase()).map(String::as_str)
    }
}

#[derive(FromRow)]
struct NameRow {
    external_id: String,
    display_name: Option<String>,
    #[sqlx(try_from = "Nullable<String>")]
    unnamed: Option<Unnamed>,
}

#[derive(FromRow)]
struct ItemRow {
    policy_type: String,
    external_id: String,
    display_name: String,
}

/// The names of these ids in the directory of a tenant, and of all its assignment filters and scope tags, of which Microsoft
/// allows some hundred.
///
/// # Errors
/// When the database fails.
pub async fn known_names(mut on: impl Access, tenant: TenantId, ids: &[String]) -> Result<KnownNames, StoreError> {
    let mut known = KnownNames::default();
    for ids in ids.chunks(AT_ONCE) {
        let mut statement = Statement::new("SELECT external_id, display_name, unnamed FROM directory_names");
        statement.push(" WHERE tenant_id = $1", args![tenant]).push_in(" AND external_id", ids);
        let rows: Vec<NameRow> = on.query(&statement).await?;
        known.directory.extend(rows.into_iter().map(|row| (row.external_id, (row.display_name, row.unnamed))));
    }
    let rows: Vec<ItemRow> = on
        .rows(
            "SELECT policy_type, external_id, display_name FROM inventory_items
             WHERE tenant_id = $1 AND policy_type IN ('assignmentFilter', 'roleScopeTag') LIMIT 5000",
            &args![tenant],
        )
        .await?;
    for row in rows.into_iter().filter(|row| !row.display_name.trim().is_empty()) {
        if row.policy_type == "roleScopeTag" {
            known.scope_tags.insert(row.external_id, row.display_name);
        } else {
            known.filters.insert(row.external_id.to_ascii_lowercase(), row.display_name);
        }
    }
    Ok(known)
}

/// The names of what policies of a tenant name by these ids, by the ids in lower case: items of some types, and whatever is in the
/// directory. What has no name is left out.
///
/// # Errors
/// When the database fails.
pub async fn object_names(
    db: &impl Readable,
    tenant: TenantId,
    policy_types: &[String],
    ids: &[String],
) -> Result<HashMap<String, String>, StoreError> {
    let objects: Vec<(TenantId, String)> = ids.iter().map(|id| (tenant, id.clone())).collect();
    Ok(object_names_in(db, policy_types, &objects).await?.remove(&tenant).unwrap_or_default())
}

#[derive(FromRow)]
struct NamedObject {
    #[sqlx(try_from = "Uuid")]
    tenant_id: TenantId,
    external_id: String,
    display_name: String,
}

/// The same in several tenants: two statements for five hundred ids, in however many tenants they are.
///
/// # Errors
/// When the database fails.
pub async fn object_names_in(
    db: &impl Readable,
    policy_types: &[String],
    objects: &[(TenantId, String)],
) -> Result<HashMap<TenantId, HashMap<String, String>>, StoreError> {
    let mut on = db.database();
    let mut names: HashMap<TenantId, HashMap<String, String>> = HashMap::new();
    for objects in objects.chunks(AT_ONCE) {
        // What is in the directory first: an item of the same id has the name that the inventory shows.
        for table in ["directory_names", "inventory_items"] {
            let rows = objects.iter().map(|(tenant, id)| args![*tenant, id.clone()]);
            let mut statement = Statement::wanted("tenant_id, external_id", rows);
            let of_object = Statement::new("n.tenant_id = w.tenant_id AND n.external_id = w.external_id");
            statement
                .push(" SELECT n.tenant_id, n.external_id, n.display_name FROM wanted w", [])
                .push_statement(dialect::probe(on.backend(), (table, "n"), of_object, Held::Not))
                .push(" AND n.display_name IS NOT NULL", []);
            if table == "inventory_items" {
                // That there is an index by type as well is not shown: see `dialect::find_items`.
                statement.push_in(" AND n.policy_type || ''", policy_types);
            }
            let rows: Vec<NamedObject> = on.query(&statement).await?;
            for row in rows.into_iter().filter(|row| !row.display_name.trim().is_empty()) {
                names.entry(row.tenant_id).or_default().insert(row.external_id.to_ascii_lowercase(), row.display_name);
            }
        }
    }
    Ok(names)
}

/// The names of the scope tags of tenants, by their ids.
///
/// # Errors
/// When the database fails.
pub async fn scope_tags_in(
    db: &impl Readable,
    tenants: &[TenantId],
) -> Result<HashMap<TenantId, HashMap<String, String>>, StoreError> {
    let mut statement = Statement::new("SELECT tenant_id, external_id, display_name FROM inventory_items");
    statement.push_in(" WHERE tenant_id", tenants).push(" AND policy_type = 'roleScopeTag' LIMIT $1", args![MOST_TAGS]);
    let rows: Vec<NamedObject> = db.database().query(&statement).await?;
    let mut names: HashMap<TenantId, HashMap<String, String>> = HashMap::new();
    for row in rows.into_iter().filter(|row| !row.display_name.trim().is_empty()) {
        names.entry(row.tenant_id).or_default().insert(row.external_id, row.display_name);
    }
    Ok(names)
}
