//! Items by their ids, with the state a view gives them.

use std::collections::HashMap;

use sqlx::FromRow;
use tenantatlas_domain::ids::{ItemId, TenantId};
use uuid::Uuid;

use super::assignment::{self, Assignment};
use super::item::{ITEM_COLUMNS, Item, ItemRow};
use super::view::{ScopeView, Stretch};
use crate::database::{Access, Run as _};
use crate::dialect::{self, Held};
use crate::reader::Readable;
use crate::sql::{Statement, args};
use crate::{Db, StoreError};

/// An item of a tenant in a view.
///
/// # Errors
/// When the database fails.
pub async fn find(db: &impl Readable, view: &ScopeView, id: ItemId) -> Result<Option<ItemRow>, StoreError> {
    Ok(rows(db.database(), view, &[id.as_uuid()]).await?.into_iter().next())
}

/// Items of a tenant in a view, in the order of these ids; those of other tenants are left out.
///
/// # Errors
/// When the database fails.
pub async fn find_many(db: &impl Readable, view: &ScopeView, ids: &[ItemId]) -> Result<Vec<ItemRow>, StoreError> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.as_uuid()).collect();
    rows(db.database(), view, &ids).await
}

/// Whether anything was ever read from a tenant.
///
/// # Errors
/// When the database fails.
pub async fn has_items(mut on: impl Access, tenant: TenantId) -> Result<bool, StoreError> {
    let text = "SELECT COUNT(*) FROM (SELECT 1 FROM inventory_items WHERE tenant_id = $1 LIMIT 1) AS one";
    let count: Option<i64> = on.value(text, &args![tenant]).await?;
    Ok(count.is_some_and(|count| count > 0))
}

#[derive(FromRow)]
struct Row {
    #[sqlx(flatten)]
    item: Item,
    since_seq: Option<i64>,
    last_seq: Option<i64>,
}

impl Row {
    /// The first and the last run of the scope that saw it.
    fn range(&self) -> Option<(i64, i64)> {
        self.since_seq.zip(self.last_seq)
    }
}

#[derive(FromRow)]
struct Absence {
    #[sqlx(rename = "item_id")]
    item: Uuid,
    #[sqlx(rename = "from_seq")]
    from: i64,
    #[sqlx(rename = "until_seq")]
    until: i64,
}

/// The absences of items in a scope.
pub(crate) async fn absences(
    on: impl Access,
    scope: i64,
    items: &[Uuid],
) -> Result<HashMap<Uuid, Vec<(i64, i64)>>, StoreError> {
    let places: Vec<(Uuid, i64)> = items.iter().map(|item| (*item, scope)).collect();
    absences_within(on, &places).await
}

/// The absences of items, each in its scope.
pub(super) async fn absences_within(
    mut on: impl Access,
    places: &[(Uuid, i64)],
) -> Result<HashMap<Uuid, Vec<(i64, i64)>>, StoreError> {
    let mut connection = on.connection().await?;
    let backend = connection.backend();
    let of_scope = Statement::new("f.item_id = w.id AND f.scope_id = w.scope_id");
    let mut statement = Statement::new("WITH wanted (id, scope_id) AS (");
    statement
        .push_places(backend, places)
        .push(") SELECT f.item_id, f.from_seq, f.until_seq FROM (SELECT DISTINCT id, scope_id FROM wanted) w", [])
        .push_statement(dialect::probe(backend, ("inventory_absences", "f"), of_scope, Held::Not));
    let rows: Vec<Absence> = connection.rows(statement.text(), statement.values()).await?;
    let mut absences: HashMap<Uuid, Vec<(i64, i64)>> = HashMap::new();
    for row in rows {
        absences.entry(row.item).or_default().push((row.from, row.until));
    }
    Ok(absences)
}

#[derive(FromRow)]
struct Sighting {
    item_id: Uuid,
    since_seq: i64,
    last_seq: i64,
}

/// The first and the last run that saw an item, each in its scope.
pub(super) async fn sightings(mut on: &Db, places: &[(Uuid, i64)]) -> Result<HashMap<Uuid, (i64, i64)>, StoreError> {
    if places.is_empty() {
        return Ok(HashMap::new());
    }
    let backend = on.backend();
    let of_item = Statement::new("s.item_id = w.id AND s.scope_id = w.scope_id");
    let mut statement = Statement::new("WITH wanted (id, scope_id) AS (");
    statement
        .push_places(backend, places)
        .push(") SELECT s.item_id, s.since_seq, s.last_seq FROM wanted w", [])
        .push_statement(dialect::probe(backend, ("inventory_sightings", "s"), of_item, Held::Not));
    let rows: Vec<Sighting> = on.query(&statement).await?;
    Ok(rows.into_iter().map(|row| (row.item_id, (row.since_seq, row.last_seq))).collect())
}

/// Of the items whose types another selection read to the end more recently, whether that read saw each.
async fn seen_since(db: &Db, view: &ScopeView, rows: &[Row]) -> Result<HashMap<Uuid, bool>, StoreError> {
    let read = |row: &Row| view.types.get(&row.item.policy_type).and_then(|state| state.read_elsewhere.as_ref());
    let read: Vec<(Uuid, i64, i64)> = rows
        .iter()
        .filter_map(|row| read(row).map(|read| (row.item.id.as_uuid(), read.scope.id.0, read.read_seq)))
        .collect();
    if read.is_empty() {
        return Ok(HashMap::new());
    }
    let places: Vec<(Uuid, i64)> = read.iter().map(|(id, scope, _)| (*id, *scope)).collect();
    let (ranges, mut absences) = futures::try_join!(sightings(db, &places), absences_within(db, &places))?;
    let seen = read.into_iter().map(|(id, _, seq)| {
        let absences = absences.remove(&id).unwrap_or_default();
        (id, Stretch { range: ranges.get(&id).copied(), absences }.saw(seq))
    });
    Ok(seen.collect())
}

/// The items with these ids in this order, with their state. Ids of other tenants are left out.
pub(super) async fn rows(db: &Db, view: &ScopeView, ids: &[Uuid]) -> Result<Vec<ItemRow>, StoreError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let scope = view.scope.as_ref().map_or(-1, |scope| scope.id.0);
    // A join with the ids, and not a list: SQLite takes a tenant for smaller than a list of ids.
    let mut statement = Statement::new("WITH wanted (id) AS (VALUES ");
    statement.push_rows(ids).push(
        &format!(
            ") SELECT s.since_seq, s.last_seq, {ITEM_COLUMNS}
             FROM (SELECT DISTINCT id FROM wanted) w
             CROSS JOIN inventory_items i
             LEFT JOIN inventory_sightings s ON s.item_id = i.id AND s.scope_id = $1
             WHERE i.id = w.id AND i.tenant_id = $2"
        ),
        args![scope, view.tenant_id],
    );
    let found = async {
        let mut on = db;
        on.query::<Row>(&statement).await
    };
    let (found, assignments) = futures::try_join!(found, assignment::of_items(db, view.tenant_id, ids))?;
    let seq = |row: &Row| view.seq_of(&row.item.policy_type);
    let unsure: Vec<Uuid> = found
        .iter()
        .filter(|row| row.range().is_some_and(|(_, last)| Some(last) != seq(row)))
        .map(|row| row.item.id.as_uuid())
        .collect();
    let absences = if unsure.is_empty() { HashMap::new() } else { absences(db, scope, &unsure).await? };
    let seen_since = Box::pin(seen_since(db, view, &found)).await?;
    let mut found: HashMap<Uuid, ItemRow> = found
        .into_iter()
        .map(|row| {
            let id = row.item.id.as_uuid();
            let stretch = Stretch { range: row.range(), absences: absences.get(&id).cloned().unwrap_or_default() };
            let told = told(view, row.item, &stretch, assignments.get(&id).cloned().unwrap_or_default());
            (id, ItemRow { seen_since: seen_since.get(&id).copied(), ..told })
        })
        .collect();
    Ok(ids.iter().filter_map(|id| found.remove(id)).collect())
}

/// An item as a view tells it, given which runs of its scope saw it. What other selections say is not among it.
pub(super) fn told(view: &ScopeView, item: Item, stretch: &Stretch, assignments: Vec<Assignment>) -> ItemRow {
    let seq = view.seq_of(&item.policy_type);
    ItemRow {
        presence: view.presence(&item.policy_type, stretch),
        changed_in_last_run: Some(item.changed_seq) == seq && view.is_past_baseline(&item),
        changed_since_known: view.is_past_baseline(&item),
        assignments,
        newer_than_scope: seq.is_some_and(|seq| item.first_seen_seq > seq),
        seen_since: None,
        item,
    }
}

/// The items of a type by name, at most so many: the id Microsoft gave each, and its name.
///
/// # Errors
/// When the database fails.
pub async fn named(
    mut on: impl Access,
    tenant: TenantId,
    policy_type: &str,
    limit: u64,
) -> Result<Vec<(String, String)>, StoreError> {
    let mut statement = Statement::default();
    statement
        .push(
            "SELECT external_id, display_name
             FROM inventory_items
             WHERE tenant_id = $1 AND policy_type = $2
             ORDER BY name_key, id",
            args![tenant, policy_type.to_owned()],
        )
        .push_limit(limit);
    on.query(&statement).await
}

/// An item by its type and the id Microsoft gave it.
///
/// # Errors
/// When the database fails.
pub async fn find_external(
    mut on: impl Access,
    tenant: TenantId,
    policy_type: &str,
    external_id: &str,
) -> Result<Option<ItemId>, StoreError> {
    let id: Option<Uuid> = on
        .value(
            "SELECT id FROM inventory_items WHERE tenant_id = $1 AND policy_type = $2 AND external_id = $3",
            &args![tenant, policy_type, external_id],
        )
        .await?;
    Ok(id.map(ItemId::from_uuid))
}
