//! The numbers of several tenants at once, by the same rules as those of one view.

use std::collections::{BTreeMap, HashMap};

use sqlx::FromRow;
use tenantatlas_domain::ids::{SyncRunId, TenantId};
use uuid::Uuid;

use super::coverage::InventoryCounts;
use super::view::{KnownType, ScopeView, TypeState};
use crate::StoreError;
use crate::database::{Db, Run as _};
use crate::reader::Readable;
use crate::sql::Statement;
use crate::sync_runs::{SyncRun, TypeRun};

#[derive(FromRow)]
struct TypeRow {
    #[sqlx(try_from = "Uuid")]
    tenant_id: TenantId,
    #[sqlx(flatten)]
    run: TypeRun,
}

#[derive(FromRow)]
struct NumberRow {
    #[sqlx(try_from = "Uuid")]
    tenant_id: TenantId,
    policy_type: String,
    number: i64,
}

/// The numbers of each of these tenants, as the run beside it tells them, which is the latest completed one of its main
/// scope. Four questions however many tenants there are.
///
/// # Errors
/// When the database fails.
pub async fn counts_of(
    db: &impl Readable,
    latest: &[(TenantId, Option<SyncRunId>)],
) -> Result<HashMap<TenantId, InventoryCounts>, StoreError> {
    let db = db.database();
    let tenants: Vec<TenantId> = latest.iter().map(|(tenant, _)| *tenant).collect();
    let runs: Vec<SyncRunId> = latest.iter().filter_map(|(_, run)| *run).collect();
    let asked = async {
        futures::try_join!(
            runs_of(db, &tenants, &runs),
            types_of(db, &tenants, &runs),
            numbers_of(db, KNOWN, &tenants),
            numbers_of(db, BASELINES, &tenants)
        )
    };
    let (runs, types, known, baselines) = Box::pin(asked).await?;
    let mut views: HashMap<TenantId, ScopeView> = tenants
        .iter()
        .map(|tenant| (*tenant, ScopeView { tenant_id: *tenant, scope: None, run: None, types: BTreeMap::new() }))
        .collect();
    for run in runs {
        if let Some(view) = views.get_mut(&run.tenant_id) {
            view.run = Some(run);
        }
    }
    let mut state = |tenant: TenantId, policy_type: &str, change: &mut dyn FnMut(&mut TypeState)| {
        if let Some(view) = views.get_mut(&tenant) {
            change(view.types.entry(policy_type.to_owned()).or_default());
        }
    };
    for row in known {
        let known = KnownType { items: row.number.unsigned_abs(), platforms: BTreeMap::new() };
        state(row.tenant_id, &row.policy_type, &mut |state| state.known.clone_from(&known));
    }
    for TypeRow { tenant_id, run } in types {
        state(tenant_id, &run.policy_type, &mut |state| state.run = Some(run.clone()));
    }
    for row in baselines {
        state(row.tenant_id, &row.policy_type, &mut |state| state.baseline = Some(row.number));
    }
    Ok(views.into_iter().map(|(tenant, view)| (tenant, view.counts(&[]))).collect())
}

async fn runs_of(mut db: &Db, tenants: &[TenantId], runs: &[SyncRunId]) -> Result<Vec<SyncRun>, StoreError> {
    let mut statement = Statement::new("SELECT * FROM inventory_sync_runs WHERE");
    statement.push_in(" id", runs).push_in(" AND tenant_id", tenants);
    db.query(&statement).await
}

async fn types_of(mut db: &Db, tenants: &[TenantId], runs: &[SyncRunId]) -> Result<Vec<TypeRow>, StoreError> {
    let mut statement = Statement::new("SELECT * FROM inventory_sync_run_types WHERE");
    statement.push_in(" run_id", runs).push_in(" AND tenant_id", tenants);
    db.query(&statement).await
}

/// How many items of a type are known in a tenant.
const KNOWN: (&str, &str) = (
    "SELECT tenant_id, policy_type, CAST(SUM(items) AS BIGINT) AS number FROM inventory_counts WHERE",
    " GROUP BY tenant_id, policy_type",
);
/// The run that first read a type of a tenant to its end.
const BASELINES: (&str, &str) = ("SELECT tenant_id, policy_type, seq AS number FROM inventory_baselines WHERE", "");

async fn numbers_of(
    mut db: &Db,
    (select, group): (&str, &str),
    tenants: &[TenantId],
) -> Result<Vec<NumberRow>, StoreError> {
    let mut statement = Statement::new(select);
    statement.push_in(" tenant_id", tenants).push(group, []);
    db.query(&statement).await
}
