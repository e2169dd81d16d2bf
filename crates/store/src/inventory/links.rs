//! What items point to, and what points to them.

use std::borrow::Cow;
use std::collections::HashMap;

use serde::Serialize;
use sqlx::FromRow;
use tenantatlas_domain::ids::{ItemId, TenantId};
use tenantatlas_domain::references::{FilterMode, Relationship, TargetKind, Unnamed};
use tenantatlas_domain::time::Timestamp;
use uuid::Uuid;

use super::item::ObservedLink;
use crate::bulk::{InsertRows, WithList};
use crate::database::{Access, Run as _};
use crate::reader::Readable;
use crate::record::Nullable;
use crate::sql::{Statement, Value, args, without_nul};
use crate::{StoreError, Tx};

/// Edges of one item that are read, at most. More than an item keeps.
const MAX_LINKS: i64 = 200;
/// Edges that one item keeps, at most.
const MAX_OF_ITEM: i64 = 50;

const DELETE: WithList = WithList { text: "DELETE FROM inventory_links WHERE source_item_id IN (#)" };

const INSERT: InsertRows = InsertRows {
    table: "inventory_links",
    columns: Cow::Borrowed(&[
        "source_item_id",
        "relationship",
        "target_kind",
        "target_policy_type",
        "target_external_id",
        "tenant_id",
        "position",
        "last_known_name",
        "raw",
        "filter_id",
        "filter_mode",
        "source_policy_type",
        "source_name_key",
    ]),
    on_conflict: Cow::Borrowed("DO NOTHING"),
};

/// The item that links come from.
#[derive(Clone, Copy)]
pub(super) struct Source<'i> {
    pub(super) tenant: TenantId,
    pub(super) id: Uuid,
    pub(super) policy_type: &'i str,
    pub(super) name_key: &'i str,
}

pub(super) fn push_rows<'i>(rows: &mut Vec<Value<'i>>, source: Source<'i>, links: &'i [ObservedLink]) {
    for (position, link) in links.iter().enumerate() {
        let is_assignment = matches!(link.relationship, Relationship::AssignedTo | Relationship::ExcludedFrom);
        let (policy_type, name_key) = if is_assignment { (source.policy_type, source.name_key) } else { ("", "") };
        rows.extend([
            source.id.into(),
            link.relationship.as_str().into(),
            link.target_kind.as_str().into(),
            link.target_policy_type.as_deref().unwrap_or_default().into(),
            Value::Text(Some(without_nul(&link.target_external_id))),
            source.tenant.into(),
            (position as u64).into(),
            Value::Text(link.last_known_name.as_deref().map(without_nul)),
            Value::Text(Some(without_nul(&link.raw))),
            Value::Text(link.filter_id.as_deref().map(without_nul)),
            link.filter_mode.map(FilterMode::as_str).into(),
            policy_type.into(),
            name_key.into(),
        ]);
    }
}

/// Replaces the edges of the items in `relinked`; `rows` are the new edges of these and of new items.
pub(super) async fn replace(tx: &mut Tx, relinked: &[Value<'_>], rows: &[Value<'_>]) -> Result<(), StoreError> {
    DELETE.run(tx, &[], relinked).await?;
    INSERT.run(tx, rows).await?;
    Ok(())
}

/// An edge from an item, with what is known of its target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, FromRow)]
pub struct OutgoingLink {
    /// What it means.
    #[sqlx(try_from = "String")]
    pub relationship: Relationship,
    /// What kind of thing it points to.
    #[sqlx(try_from = "String")]
    pub target_kind: TargetKind,
    /// The key of the target's policy type, when it is known.
    pub target_policy_type: Option<String>,
    /// The id Microsoft gave the target.
    pub target_external_id: String,
    /// The target in the inventory, when it is there.
    #[sqlx(try_from = "Nullable<Uuid>")]
    pub target_item_id: Option<ItemId>,
    /// The last known name of the target.
    pub name: Option<String>,
    /// Why the directory told no name when it was asked last.
    #[sqlx(try_from = "Nullable<String>")]
    pub unnamed: Option<Unnamed>,
    /// The id of the filter by which an assignment is narrowed.
    pub filter_id: Option<String>,
    /// The name of that filter, when it is in the inventory.
    pub filter_name: Option<String>,
    /// What the filter does.
    #[sqlx(try_from = "Nullable<String>")]
    pub filter_mode: Option<FilterMode>,
    /// Where it was found and what was said there.
    pub raw: String,
}

#[derive(FromRow)]
struct Candidate {
    external_id: String,
    policy_type: String,
    #[sqlx(try_from = "Uuid")]
    id: ItemId,
    display_name: String,
}

/// The edges from an item, in their order there.
///
/// # Errors
/// When the database fails.
pub async fn outgoing(db: &impl Readable, tenant: TenantId, item: ItemId) -> Result<Vec<OutgoingLink>, StoreError> {
    let mut on = db.database();
    let mut links: Vec<OutgoingLink> = on
        .rows(
            "SELECT l.relationship, l.target_kind, NULLIF(l.target_policy_type, '') AS target_policy_type,
                 l.target_external_id, l.raw, t.id AS target_item_id,
                 COALESCE(t.display_name, d.display_name, l.last_known_name) AS name, d.unnamed,
                 l.filter_id, f.display_name AS filter_name, l.filter_mode
             FROM inventory_links l
             LEFT JOIN inventory_items t ON t.tenant_id = l.tenant_id AND t.policy_type = l.target_policy_type
                 AND t.external_id = l.target_external_id
             LEFT JOIN directory_names d ON d.tenant_id = l.tenant_id AND d.external_id = l.target_external_id
             LEFT JOIN inventory_items f ON f.tenant_id = l.tenant_id AND f.policy_type = 'assignmentFilter'
                 AND f.external_id = l.filter_id
             WHERE l.source_item_id = $1 AND l.tenant_id = $2
             ORDER BY l.position LIMIT $3",
            &args![item, tenant, MAX_LINKS],
        )
        .await?;
    // Of some targets only the inventory can tell the type: looked up by id over all types.
    let open: Vec<String> = links
        .iter()
        .filter(|link| {
            link.target_item_id.is_none()
                && matches!(link.target_kind, TargetKind::Item | TargetKind::Foundation | TargetKind::Unresolved)
        })
        .map(|link| link.target_external_id.clone())
        .collect();
    if open.is_empty() {
        return Ok(links);
    }
    let mut statement = Statement::default();
    statement
        .push(
            "SELECT external_id, policy_type, id, display_name FROM inventory_items WHERE tenant_id = $1",
            args![tenant],
        )
        .push_in(" AND external_id", &open);
    let found: Vec<Candidate> = on.query(&statement).await?;
    let mut by_id: HashMap<String, Vec<Candidate>> = HashMap::new();
    for candidate in found {
        by_id.entry(candidate.external_id.clone()).or_default().push(candidate);
    }
    for link in links.iter_mut().filter(|link| link.target_item_id.is_none()) {
        // Two types that have an object of this id: nobody can tell which one is meant.
        if let Some([target]) = by_id.get(&link.target_external_id).map(Vec::as_slice) {
            link.target_item_id = Some(target.id);
            link.target_policy_type = Some(target.policy_type.clone());
            link.name = Some(target.display_name.clone());
        }
    }
    Ok(links)
}

/// An edge to an item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, FromRow)]
pub struct IncomingLink {
    /// What it means.
    #[sqlx(try_from = "String")]
    pub relationship: Relationship,
    /// The item it comes from.
    #[sqlx(try_from = "Uuid")]
    pub source_item_id: ItemId,
    /// The type of that item.
    #[sqlx(rename = "policy_type")]
    pub source_policy_type: String,
    /// The name of that item.
    #[sqlx(rename = "display_name")]
    pub source_name: String,
    /// Where it was found and what was said there.
    pub raw: String,
}

/// Some of the edges to an object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IncomingPage {
    /// The edges, all those of an item together.
    pub links: Vec<IncomingLink>,
    /// The last item of these, where there are more.
    pub next: Option<ItemId>,
}

/// The edges to an object of a tenant, by its type and the id Microsoft gave it, of the items behind one in the order of our ids;
/// about 200, and an item with all of its edges. Ids are unique only within a type: scope tags are numbered.
///
/// # Errors
/// When the database fails.
pub async fn incoming(
    mut on: impl Access,
    tenant: TenantId,
    policy_type: &str,
    external_id: &str,
    after: Option<ItemId>,
) -> Result<IncomingPage, StoreError> {
    let after = after.map_or_else(Uuid::nil, ItemId::as_uuid);
    let mut links: Vec<IncomingLink> = on
        .rows(
            "SELECT l.relationship, l.source_item_id, l.raw, i.policy_type, i.display_name
             FROM inventory_links l
             JOIN inventory_items i ON i.id = l.source_item_id AND i.tenant_id = l.tenant_id
             WHERE l.tenant_id = $1 AND l.target_external_id = $2 AND l.target_policy_type IN ('', $3)
                 AND l.target_kind IN ('item', 'foundation', 'unresolved') AND l.source_item_id > $5
             ORDER BY l.source_item_id, l.relationship LIMIT $4",
            &args![tenant, external_id, policy_type, MAX_LINKS + MAX_OF_ITEM + 1, after],
        )
        .await?;
    let whole = usize::try_from(MAX_LINKS).unwrap_or(usize::MAX);
    let Some(last) = links.get(whole - 1).map(|link| link.source_item_id) else {
        return Ok(IncomingPage { links, next: None });
    };
    let end = links.iter().rposition(|link| link.source_item_id == last).map_or(whole, |at| at + 1);
    let next = (links.len() > end).then_some(last);
    links.truncate(end);
    Ok(IncomingPage { links, next })
}

/// Items that refer to another and are counted, at most.
pub const MOST_REFERRING: u64 = 10_000;

/// How many items refer to an object of a tenant; ten thousand at most.
///
/// # Errors
/// When the database fails.
pub(super) async fn referring(
    mut on: impl Access,
    tenant: TenantId,
    policy_type: &str,
    external_id: &str,
) -> Result<u64, StoreError> {
    let counted: Option<i64> = on
        .value(
            "SELECT COUNT(*)
             FROM (
                 SELECT DISTINCT l.source_item_id
                 FROM inventory_links l
                 WHERE l.tenant_id = $1 AND l.target_external_id = $2 AND l.target_policy_type IN ('', $3)
                     AND l.target_kind IN ('item', 'foundation', 'unresolved')
                 LIMIT $4) AS n",
            &args![tenant, external_id, policy_type, MOST_REFERRING],
        )
        .await?;
    Ok(counted.unwrap_or_default().unsigned_abs())
}

/// The name of something in the directory that links point to and the inventory does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirectoryName {
    /// The id Microsoft gave it.
    pub external_id: String,
    /// What it is.
    pub kind: TargetKind,
    /// Its name, or why there is none.
    pub display_name: Result<String, Unnamed>,
}

const RECORD_NAME: InsertRows = InsertRows {
    table: "directory_names",
    columns: Cow::Borrowed(&["tenant_id", "external_id", "kind", "display_name", "name_key", "unnamed", "checked_at"]),
    on_conflict: Cow::Borrowed(
        "(tenant_id, external_id) DO UPDATE SET kind = excluded.kind, checked_at = excluded.checked_at,
         unnamed = excluded.unnamed,
         name_key = CASE WHEN excluded.display_name IS NULL THEN directory_names.name_key ELSE excluded.name_key END,
         display_name = COALESCE(excluded.display_name, directory_names.display_name)",
    ),
};

/// Stores names that were looked up. A name that is known stays when the object is gone: it is the last known one.
///
/// # Errors
/// When the database fails.
pub async fn record_names(
    tx: &mut Tx,
    tenant: TenantId,
    names: &[DirectoryName],
    at: Timestamp,
) -> Result<(), StoreError> {
    let unique: HashMap<&str, &DirectoryName> = names.iter().map(|name| (name.external_id.as_str(), name)).collect();
    let mut unique: Vec<_> = unique.into_values().collect();
    unique.sort_by(|left, right| left.external_id.cmp(&right.external_id));
    let mut rows: Vec<Value<'_>> = Vec::with_capacity(unique.len() * 7);
    for name in unique {
        rows.extend([
            tenant.into(),
            name.external_id.as_str().into(),
            name.kind.as_str().into(),
            Value::Text(name.display_name.as_deref().ok().map(without_nul)),
            without_nul(name.display_name.as_deref().unwrap_or_default()).to_lowercase().into(),
            name.display_name.as_ref().err().map(|unnamed| unnamed.as_str()).into(),
            at.into(),
        ]);
    }
    RECORD_NAME.run(tx, &rows).await.map(|_| ())
}

/// Ids of this kind that links of a tenant point to and whose name was not looked up since `since`; at most `limit`,
/// after the id `after`.
///
/// # Errors
/// When the database fails.
pub async fn targets_without_name(
    mut on: impl Access,
    tenant: TenantId,
    kind: TargetKind,
    since: Timestamp,
    after: &str,
    limit: u32,
) -> Result<Vec<String>, StoreError> {
    let ids: Vec<String> = on
        .values(
            "SELECT DISTINCT l.target_external_id
             FROM inventory_links l
             LEFT JOIN directory_names d ON d.tenant_id = l.tenant_id AND d.external_id = l.target_external_id
             WHERE l.tenant_id = $1 AND l.target_external_id > $2 AND l.target_kind = $3
                 AND (d.checked_at IS NULL OR d.checked_at < $4)
             ORDER BY l.target_external_id LIMIT $5",
            &args![tenant, after, kind.as_str(), since, limit],
        )
        .await?;
    Ok(ids.into_iter().collect())
}
