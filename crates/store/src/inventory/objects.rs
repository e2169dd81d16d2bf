//! Objects of any number of tenants, each as the main scope of its tenant tells it. How many statements that takes depends on
//! how many objects they are, and not on how many tenants.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use sqlx::FromRow;
use tenantatlas_domain::ids::TenantId;
use uuid::Uuid;

use super::assignment;
use super::item::{ITEM_COLUMNS, Item, ItemRow};
use super::rows::{absences_within, sightings, told};
use super::view::{FullRead, ScopeView, Stretch, TypeState};
use crate::database::Run as _;
use crate::dialect::{self, Held};
use crate::reader::Readable;
use crate::scopes::{self, Scope};
use crate::sql::{Statement, args};
use crate::sync_runs::{SyncRun, TypeRun};
use crate::{Db, StoreError};

/// Objects of one statement, at most.
const AT_ONCE: usize = 500;

/// An object: its tenant, the key of its type, and the id Microsoft gave it.
pub type ObjectOf = (TenantId, String, String);

/// A type of a tenant.
type TypeOf = (TenantId, String);

/// Objects that the inventory knows, as the main scopes of their tenants tell them.
///
/// # Errors
/// When the database fails.
pub async fn find_objects(
    db: &impl Readable,
    objects: &BTreeSet<ObjectOf>,
) -> Result<HashMap<ObjectOf, ItemRow>, StoreError> {
    let db = db.database();
    let objects: Vec<&ObjectOf> = objects.iter().collect();
    let mut found = HashMap::with_capacity(objects.len());
    for objects in objects.chunks(AT_ONCE) {
        found.extend(of_chunk(db, objects).await?);
    }
    Ok(found)
}

async fn of_chunk(db: &Db, objects: &[&ObjectOf]) -> Result<Vec<(ObjectOf, ItemRow)>, StoreError> {
    let mut tenants: Vec<TenantId> = objects.iter().map(|object| object.0).collect();
    tenants.dedup();
    let (items, scopes) = futures::try_join!(items(db, objects), scopes::main_of_many(db, &tenants))?;
    let types: BTreeSet<TypeOf> = items.iter().map(|item| (item.tenant_id, item.policy_type.clone())).collect();
    let scopes: BTreeMap<TenantId, Scope> = scopes.into_iter().map(|scope| (scope.tenant_id, scope)).collect();
    let places: Vec<(Uuid, i64)> =
        items.iter().filter_map(|item| Some((item.id.as_uuid(), scopes.get(&item.tenant_id)?.id.0))).collect();
    let ids: Vec<(TenantId, Uuid)> = items.iter().map(|item| (item.tenant_id, item.id.as_uuid())).collect();
    let asked =
        async { futures::try_join!(views(db, &types, scopes), sightings(db, &places), assignment::of_many(db, &ids)) };
    let (views, sightings, mut assignments) = Box::pin(asked).await?;
    let is_unsure = |item: &&Item| {
        let seq = views.get(&item.tenant_id).and_then(|view| view.seq_of(&item.policy_type));
        sightings.get(&item.id.as_uuid()).is_some_and(|range| Some(range.1) != seq)
    };
    let unsure: BTreeSet<Uuid> = items.iter().filter(is_unsure).map(|item| item.id.as_uuid()).collect();
    let places: Vec<(Uuid, i64)> = places.into_iter().filter(|(id, _)| unsure.contains(id)).collect();
    let mut absences = if places.is_empty() { HashMap::new() } else { absences_within(db, &places).await? };
    let rows = items.into_iter().filter_map(|item| {
        let id = item.id.as_uuid();
        let stretch =
            Stretch { range: sightings.get(&id).copied(), absences: absences.remove(&id).unwrap_or_default() };
        let object = (item.tenant_id, item.policy_type.clone(), item.external_id.clone());
        let row = told(views.get(&item.tenant_id)?, item, &stretch, assignments.remove(&id).unwrap_or_default());
        Some((object, row))
    });
    Ok(rows.collect())
}

async fn items(mut on: &Db, objects: &[&ObjectOf]) -> Result<Vec<Item>, StoreError> {
    let rows = objects.iter().map(|(tenant, policy_type, id)| args![*tenant, policy_type.clone(), id.clone()]);
    let mut statement = Statement::wanted("tenant_id, policy_type, external_id", rows);
    // That there is an index by type as well is not shown: see `dialect::find_items`.
    let of_object = Statement::new(
        "i.tenant_id = w.tenant_id AND i.external_id = w.external_id AND i.policy_type || '' = w.policy_type",
    );
    statement.push(&format!(" SELECT {ITEM_COLUMNS} FROM wanted w"), []).push_statement(dialect::probe(
        on.backend(),
        ("inventory_items", "i"),
        of_object,
        Held::Not,
    ));
    on.query(&statement).await
}

#[derive(FromRow)]
struct OfTenant<T> {
    #[sqlx(try_from = "Uuid")]
    of_tenant: TenantId,
    #[sqlx(flatten)]
    row: T,
}

#[derive(FromRow)]
struct Baseline {
    policy_type: String,
    seq: i64,
}

#[derive(FromRow)]
struct EarlierRead {
    policy_type: String,
    #[sqlx(flatten)]
    read: FullRead,
}

/// What the main scopes say of these types. What other selections read, and how many items there are, is not among it.
async fn views(
    db: &Db,
    types: &BTreeSet<TypeOf>,
    scopes: BTreeMap<TenantId, Scope>,
) -> Result<BTreeMap<TenantId, ScopeView>, StoreError> {
    let mut views: BTreeMap<TenantId, ScopeView> = BTreeMap::new();
    for (tenant, policy_type) in types {
        let view =
            || ScopeView { tenant_id: *tenant, scope: scopes.get(tenant).cloned(), run: None, types: BTreeMap::new() };
        views.entry(*tenant).or_insert_with(view).types.insert(policy_type.clone(), TypeState::default());
    }
    let asked = async { futures::try_join!(runs(db, &views), type_runs(db, &views), baselines(db, types)) };
    let (runs, type_runs, baselines) = Box::pin(asked).await?;
    for OfTenant { of_tenant, row } in runs {
        views.entry(of_tenant).and_modify(|view| view.run = Some(row));
    }
    let mut state_of = |tenant: TenantId, policy_type: &str, set: &mut dyn FnMut(&mut TypeState)| {
        views.get_mut(&tenant).and_then(|view| view.types.get_mut(policy_type)).into_iter().for_each(set);
    };
    for OfTenant { of_tenant, row } in type_runs {
        let latest = scopes.get(&of_tenant).and_then(|scope| scope.latest);
        state_of(of_tenant, &row.policy_type.clone(), &mut |state| {
            state.last_full_read = latest.and_then(|latest| row.full_read(latest.id));
            state.run = Some(row.clone());
        });
    }
    for OfTenant { of_tenant, row } in baselines {
        state_of(of_tenant, &row.policy_type, &mut |state| state.baseline = Some(row.seq));
    }
    for OfTenant { of_tenant, row } in earlier_reads(db, &views).await? {
        if let Some(state) = views.get_mut(&of_tenant).and_then(|view| view.types.get_mut(&row.policy_type)) {
            state.last_full_read = Some(row.read);
        }
    }
    Ok(views)
}

/// The latest completed runs of the scopes of views.
async fn runs(mut on: &Db, views: &BTreeMap<TenantId, ScopeView>) -> Result<Vec<OfTenant<SyncRun>>, StoreError> {
    let latest = views.values().filter_map(|view| Some(args![view.tenant_id, view.scope.as_ref()?.latest?.id]));
    let latest: Vec<_> = latest.collect();
    if latest.is_empty() {
        return Ok(Vec::new());
    }
    let mut statement = Statement::wanted("tenant_id, run_id", latest);
    statement.push(
        " SELECT w.tenant_id AS of_tenant, r.*
         FROM wanted w
         CROSS JOIN inventory_sync_runs r
         WHERE r.id = w.run_id AND r.tenant_id = w.tenant_id",
        [],
    );
    on.query(&statement).await
}

/// How these runs read the types of the views.
async fn type_runs(mut on: &Db, views: &BTreeMap<TenantId, ScopeView>) -> Result<Vec<OfTenant<TypeRun>>, StoreError> {
    let of_view = |view: &ScopeView| {
        let latest = view.scope.as_ref().and_then(|scope| scope.latest);
        let tenant = view.tenant_id;
        let types: Vec<String> = view.types.keys().cloned().collect();
        let row = move |policy_type: String| Some(args![tenant, latest?.id, policy_type]);
        types.into_iter().filter_map(row).collect::<Vec<_>>()
    };
    let rows: Vec<_> = views.values().flat_map(of_view).collect();
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let mut statement = Statement::wanted("tenant_id, run_id, policy_type", rows);
    statement.push(
        " SELECT w.tenant_id AS of_tenant, t.*
         FROM wanted w
         CROSS JOIN inventory_sync_run_types t
         WHERE t.run_id = w.run_id AND t.policy_type = w.policy_type AND t.tenant_id = w.tenant_id",
        [],
    );
    on.query(&statement).await
}

/// The runs that first read types to the end.
async fn baselines(mut on: &Db, types: &BTreeSet<TypeOf>) -> Result<Vec<OfTenant<Baseline>>, StoreError> {
    if types.is_empty() {
        return Ok(Vec::new());
    }
    let rows = types.iter().map(|(tenant, policy_type)| args![*tenant, policy_type.clone()]);
    let mut statement = Statement::wanted("tenant_id, policy_type", rows);
    statement.push(
        " SELECT w.tenant_id AS of_tenant, b.policy_type, b.seq
         FROM wanted w
         CROSS JOIN inventory_baselines b
         WHERE b.tenant_id = w.tenant_id AND b.policy_type = w.policy_type",
        [],
    );
    on.query(&statement).await
}

/// The last full reads of the types of which the latest completed run does not tell one itself.
async fn earlier_reads(
    mut on: &Db,
    views: &BTreeMap<TenantId, ScopeView>,
) -> Result<Vec<OfTenant<EarlierRead>>, StoreError> {
    let of_view = |view: &ScopeView| {
        let place = view.scope.as_ref().and_then(|scope| Some((scope.id.0, scope.latest?.seq)));
        let lacking = view.types.iter().filter(|(_, state)| state.last_full_read.is_none());
        let row = |(policy_type, _): (&String, &TypeState)| {
            let (scope, up_to) = place?;
            Some(args![view.tenant_id, scope, policy_type.clone(), up_to])
        };
        lacking.filter_map(row).collect::<Vec<_>>()
    };
    let rows: Vec<_> = views.values().flat_map(of_view).collect();
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let mut statement = Statement::wanted("tenant_id, scope_id, policy_type, up_to", rows);
    statement.push(
        " SELECT w.tenant_id AS of_tenant, t.policy_type, COALESCE(t.carried_from, t.run_id) AS run_id,
             t.read_seq AS seq, t.finished_at
         FROM wanted w
         CROSS JOIN inventory_sync_run_types t
         WHERE t.scope_id = w.scope_id AND t.policy_type = w.policy_type AND t.tenant_id = w.tenant_id AND t.seq = (
             SELECT MAX(r.seq)
             FROM inventory_sync_run_types r
             WHERE r.scope_id = w.scope_id AND r.policy_type = w.policy_type AND r.seq <= w.up_to
                 AND r.outcome = 'succeeded')",
        [],
    );
    on.query(&statement).await
}
