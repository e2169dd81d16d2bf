//! Whom items are assigned to, and what is assigned to a group.

use serde::Serialize;
use sqlx::FromRow;
use tenantatlas_domain::ids::TenantId;
use tenantatlas_domain::references::{Assigned, Relationship, Unnamed};
use tenantatlas_domain::registry::registry;
use uuid::Uuid;

use super::item::ItemRow;
use super::query::{Cursor, MAX_PAGE};
use super::rows::rows;
use super::view::ScopeView;
use crate::StoreError;
use crate::database::{Access, Run as _};
use crate::reader::Readable;
use crate::record::Nullable;
use crate::sql::{Statement, args};

/// Items of a group that are counted, at most; more are told as more.
const MAX_COUNTED: i64 = 20_000;

/// What is known of a group.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Group {
    /// The id Microsoft gave it.
    pub external_id: String,
    /// Its last known name.
    pub display_name: Option<String>,
    /// Why the directory told no name when it was asked last.
    #[sqlx(try_from = "Nullable<String>")]
    pub unnamed: Option<Unnamed>,
}

/// What is known of a group of a tenant; `None` where nothing that was read names it.
///
/// # Errors
/// When the database fails.
pub async fn group(mut on: impl Access, tenant: TenantId, external_id: &str) -> Result<Option<Group>, StoreError> {
    on.row(
        "SELECT $2 AS external_id, d.display_name, d.unnamed
         FROM (SELECT 1 AS one) AS o
         LEFT JOIN directory_names d ON d.tenant_id = $1 AND d.external_id = $2
         WHERE d.external_id IS NOT NULL OR EXISTS (
             SELECT 1
             FROM inventory_links l
             WHERE l.tenant_id = $1 AND l.target_external_id = $2 AND l.target_kind = 'group')",
        &args![tenant, external_id],
    )
    .await
}

/// Groups of a tenant whose names hold all of the words, by name; at most `limit`.
///
/// # Errors
/// When the database fails.
pub async fn groups_named(
    db: &impl Readable,
    tenant: TenantId,
    search: &str,
    limit: u32,
) -> Result<Vec<Group>, StoreError> {
    let patterns = super::search_words::patterns(search);
    if patterns.is_empty() {
        return Ok(Vec::new());
    }
    let mut statement = Statement::new("SELECT d.external_id, d.display_name, d.unnamed FROM directory_names d");
    statement.push(" WHERE d.tenant_id = $1 AND d.kind = 'group'", args![tenant]);
    for pattern in patterns {
        statement.push(r" AND d.name_key LIKE $1 ESCAPE '\'", args![pattern]);
    }
    statement.push(" ORDER BY d.name_key, d.external_id LIMIT $1", args![limit]);
    let mut on = db.database();
    on.query(&statement).await
}

/// Groups of a tenant with exactly this name, whatever its case, by id; at most `limit`.
///
/// # Errors
/// When the database fails.
pub async fn groups_called(
    mut on: impl Access,
    tenant: TenantId,
    name: &str,
    limit: u32,
) -> Result<Vec<Group>, StoreError> {
    on.rows(
        "SELECT d.external_id, d.display_name, d.unnamed
         FROM directory_names d
         WHERE d.tenant_id = $1 AND d.kind = 'group' AND trim(d.name_key) = $2
         ORDER BY d.external_id LIMIT $3",
        &args![tenant, name.trim().to_lowercase(), limit],
    )
    .await
}

/// Groups of a tenant that assignments name, by name; at most `limit`.
///
/// # Errors
/// When the database fails.
pub async fn assigned_groups(mut on: impl Access, tenant: TenantId, limit: u32) -> Result<Vec<Group>, StoreError> {
    on.query(&assigned_groups_statement(tenant, limit)).await
}

/// The inner limit keeps SQLite from making a join of the condition: from 3.51 on it does so, and where it sorts as well it then
/// goes through all objects of every group.
pub(super) fn assigned_groups_statement(tenant: TenantId, limit: u32) -> Statement {
    let mut statement = Statement::default();
    statement
        .push(
            "SELECT d.external_id, d.display_name, d.unnamed
             FROM directory_names d
             WHERE d.tenant_id = $1 AND d.kind = 'group' AND d.display_name IS NOT NULL AND EXISTS (
                 SELECT 1
                 FROM inventory_links l
                 WHERE l.tenant_id = d.tenant_id AND l.target_external_id = d.external_id
                     AND l.relationship IN ('assigned_to', 'excluded_from') AND l.relationship = 'assigned_to'
                 LIMIT 1)
             ORDER BY d.name_key, d.external_id",
            args![tenant],
        )
        .push_limit(u64::from(limit));
    statement
}

/// How many items of one type a group gets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct AssignedType {
    /// The key of the type.
    pub policy_type: String,
    /// Items that are assigned to it, or to nobody where it is asked for nobody.
    pub included: u64,
    /// Items from which it is excluded.
    pub excluded: u64,
}

/// What a group gets, by type in the order of the registry.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct AssignedTypes {
    /// The types of which there is any.
    pub types: Vec<AssignedType>,
    /// Whether there is more than was counted.
    pub more: bool,
}

#[derive(FromRow)]
struct Counted {
    policy_type: String,
    #[sqlx(try_from = "i64")]
    included: u64,
    #[sqlx(try_from = "i64")]
    items: u64,
}

/// Counts what is assigned to somebody or to nobody, by type; twenty thousand items at most.
///
/// # Errors
/// When the database fails.
pub async fn assigned_types(
    db: &impl Readable,
    tenant: TenantId,
    assigned: &Assigned,
) -> Result<AssignedTypes, StoreError> {
    // By one column in the order of the index: what comes in groups needs no table of groups.
    let mut statement = Statement::new(
        "SELECT n.policy_type, COUNT(*) AS items, COUNT(*) FILTER (WHERE n.relationship = 'assigned_to') AS included FROM (",
    );
    match assigned.external_id() {
        Some(id) => statement.push(
            "SELECT l.source_policy_type AS policy_type, l.relationship
             FROM inventory_links l
             WHERE l.tenant_id = $1 AND l.target_external_id = $2
                 AND l.relationship IN ('assigned_to', 'excluded_from')
             ORDER BY l.source_policy_type, l.source_name_key, l.source_item_id LIMIT $3",
            args![tenant, id, MAX_COUNTED + 1],
        ),
        None => statement.push(
            "SELECT i.policy_type, 'assigned_to' AS relationship
             FROM inventory_items i
             WHERE i.tenant_id = $1 AND i.assigned = FALSE
             ORDER BY i.policy_type, i.name_key, i.id LIMIT $2",
            args![tenant, MAX_COUNTED + 1],
        ),
    };
    statement.push(") AS n GROUP BY n.policy_type", []);
    let mut on = db.database();
    let counted: Vec<Counted> = on.query(&statement).await?;
    let more = counted.iter().map(|one| one.items).sum::<u64>() > MAX_COUNTED.unsigned_abs();
    let of_type = |one: Counted| AssignedType {
        policy_type: one.policy_type,
        included: one.included,
        excluded: one.items - one.included,
    };
    let mut types: Vec<AssignedType> = counted.into_iter().map(of_type).collect();
    types.sort_by_cached_key(|one| place(&one.policy_type));
    Ok(AssignedTypes { types, more })
}

/// Where a type stands: in the order of the registry, and those that it does not know behind them by key.
fn place(policy_type: &str) -> (usize, String) {
    let known = registry().all().iter().position(|one| one.key == policy_type);
    (known.unwrap_or(usize::MAX), policy_type.to_owned())
}

/// Which page of what a group gets.
#[derive(Clone, Debug)]
pub struct AssignedQuery {
    /// The group, or nobody.
    pub assigned: Assigned,
    /// Only this type, by key.
    pub policy_type: Option<String>,
    /// Only what includes the group, or only what excludes it.
    pub relationship: Option<Relationship>,
    /// Where the page begins.
    pub after: Option<Cursor>,
    /// Where the page ends; then `after` says nothing.
    pub before: Option<Cursor>,
    /// At most so many; 1 to 500.
    pub limit: u32,
}

/// A page of what a group gets.
#[derive(Clone, Debug)]
pub struct AssignedPage {
    /// The items.
    pub rows: Vec<ItemRow>,
    /// Where the next page begins; `None` on the last page.
    pub next: Option<Cursor>,
    /// Where the previous page ends; `None` on the first page.
    pub previous: Option<Cursor>,
}

#[derive(FromRow)]
struct Hit {
    id: Uuid,
    key: String,
}

/// A page of the items whose assignments name somebody, or that are assigned to nobody: by type in the order of
/// [`assigned_types`], then by name. Each page is a walk along an index from its cursor on.
///
/// # Errors
/// When the database fails.
pub async fn assigned_items(
    db: &impl Readable,
    view: &ScopeView,
    types: &AssignedTypes,
    query: &AssignedQuery,
) -> Result<AssignedPage, StoreError> {
    let wanted = query.limit.clamp(1, MAX_PAGE) as usize;
    let keys = types_of(types, view, query);
    let mut backwards = query.before.is_some();
    let mut cursor = query.before.as_ref().or(query.after.as_ref());
    let mut hits = walk(db, view.tenant_id, &keys, query, (cursor, backwards)).await?;
    if backwards && hits.len() < wanted {
        // The page before would not be full: the list begins at its beginning.
        (backwards, cursor) = (false, None);
        hits = walk(db, view.tenant_id, &keys, query, (None, false)).await?;
    }
    let more = hits.len() > wanted;
    hits.truncate(wanted);
    if backwards {
        hits.reverse();
    }
    let edge = |hit: Option<&(String, Hit)>| {
        hit.map(|(part, hit)| Cursor { part: part.clone(), key: hit.key.clone(), id: hit.id })
    };
    let next = edge(hits.last()).filter(|_| backwards || more);
    let previous = edge(hits.first()).filter(|_| if backwards { more } else { cursor.is_some() });
    let ids: Vec<Uuid> = hits.into_iter().map(|(_, hit)| hit.id).collect();
    let rows: Vec<ItemRow> = rows(db.database(), view, &ids).await?;
    Ok(AssignedPage { rows, next, previous })
}

/// One item more than the page holds, from the cursor on, or back from it.
async fn walk(
    db: &impl Readable,
    tenant: TenantId,
    keys: &[String],
    query: &AssignedQuery,
    (cursor, backwards): (Option<&Cursor>, bool),
) -> Result<Vec<(String, Hit)>, StoreError> {
    let wanted = query.limit.clamp(1, MAX_PAGE) as usize + 1;
    let from = cursor.map(|cursor| place(&cursor.part));
    let mut keys: Vec<&String> = keys.iter().collect();
    if backwards {
        keys.reverse();
    }
    let mut hits: Vec<(String, Hit)> = Vec::new();
    for key in keys {
        let is_passed = |from: &(usize, String)| if backwards { place(key) > *from } else { place(key) < *from };
        if from.as_ref().is_some_and(is_passed) {
            continue;
        }
        let cursor = cursor.filter(|cursor| cursor.part == *key);
        let statement = page_of_type(tenant, key, query, (cursor, backwards), wanted - hits.len());
        let mut on = db.database();
        let found: Vec<Hit> = on.query(&statement).await?;
        hits.extend(found.into_iter().map(|hit| (key.clone(), hit)));
        if hits.len() >= wanted {
            break;
        }
    }
    Ok(hits)
}

/// The types that may hold a row of the page. Where not all was counted these are all that are known.
fn types_of(types: &AssignedTypes, view: &ScopeView, query: &AssignedQuery) -> Vec<String> {
    let mut keys: Vec<String> = if types.more {
        view.types_where(|state| state.known.items > 0).cloned().collect()
    } else {
        types.types.iter().map(|one| one.policy_type.clone()).collect()
    };
    keys.retain(|key| query.policy_type.as_ref().is_none_or(|one| one == key));
    keys.sort_by_cached_key(|key| place(key));
    keys
}

fn page_of_type(
    tenant: TenantId,
    policy_type: &str,
    query: &AssignedQuery,
    (cursor, backwards): (Option<&Cursor>, bool),
    limit: usize,
) -> Statement {
    let (behind, order) = if backwards { ("<", " DESC") } else { (">", "") };
    let mut statement = Statement::default();
    let Some(id) = query.assigned.external_id() else {
        statement.push(
            "SELECT i.id, i.name_key AS key
             FROM inventory_items i
             WHERE i.tenant_id = $1 AND i.policy_type = $2 AND i.assigned = FALSE",
            args![tenant, policy_type.to_owned()],
        );
        if let Some(cursor) = cursor {
            statement.push(&format!(" AND (i.name_key, i.id) {behind} ($1, $2)"), args![cursor.key.clone(), cursor.id]);
        }
        statement.push(&format!(" ORDER BY i.name_key{order}, i.id{order} LIMIT $1"), args![limit as u64]);
        return statement;
    };
    statement.push(
        "SELECT l.source_item_id AS id, l.source_name_key AS key
         FROM inventory_links l
         WHERE l.tenant_id = $1 AND l.target_external_id = $2 AND l.relationship IN ('assigned_to', 'excluded_from')
             AND l.source_policy_type = $3",
        args![tenant, id, policy_type.to_owned()],
    );
    if let Some(relationship) = query.relationship {
        statement.push(" AND l.relationship = $1", args![relationship.as_str()]);
    }
    if let Some(cursor) = cursor {
        statement.push(
            &format!(" AND (l.source_name_key, l.source_item_id) {behind} ($1, $2)"),
            args![cursor.key.clone(), cursor.id],
        );
    }
    // An item may include and exclude the same group; it is one row all the same.
    statement.push(
        &format!(
            " GROUP BY l.source_name_key, l.source_item_id
             ORDER BY l.source_name_key{order}, l.source_item_id{order} LIMIT $1"
        ),
        args![limit as u64],
    );
    statement
}
