//! The tenants of a person with how complete their inventory is and what goes on in them: as many questions for a page of
//! them as for one.

use std::collections::HashMap;

use tenantatlas_domain::ids::TenantId;
use tenantatlas_store::inventory::{self, InventoryCounts};
use tenantatlas_store::operation_runs::{self, OperationRun};
use tenantatlas_store::tenants::{self, Overview, OverviewQuery};

use crate::error::AppError;
use crate::filter::tenant::{PAGE, TenantFilter};
use crate::scope;

/// A tenant as the table shows it.
#[derive(Debug, Clone)]
pub struct TenantRow {
    /// The tenant as the person sees it, and its latest completed sync.
    pub overview: Overview,
    /// The numbers of its inventory.
    pub counts: InventoryCounts,
    /// Its oldest active run, of whoever.
    pub active: Option<OperationRun>,
    /// How many runs are active.
    pub active_count: usize,
}

/// A page of the table.
#[derive(Debug, Clone)]
pub struct TenantTable {
    /// The rows.
    pub rows: Vec<TenantRow>,
    /// How many tenants the search finds.
    pub total: u64,
}

/// The page that an address names.
///
/// # Errors
/// Signed out; when the database fails.
pub async fn table(filter: &TenantFilter) -> Result<TenantTable, AppError> {
    let (session, engine) = (scope::session()?, scope::engine()?);
    let db = engine.reader();
    let query = OverviewQuery {
        search: filter.search.clone(),
        sort: filter.order.sort,
        descending: filter.order.descending,
        offset: filter.page * PAGE,
        limit: PAGE,
    };
    let found = tenants::overview(db, session.user_id, &query).await?;
    let total = found.first().map_or(0, |first| first.total);
    let ids: Vec<TenantId> = found.iter().map(|one| one.visible.tenant.id).collect();
    let latest: Vec<_> = found.iter().map(|one| (one.visible.tenant.id, one.latest_run_id)).collect();
    let (mut counts, active) =
        futures::try_join!(inventory::counts_of(db, &latest), operation_runs::active_in(db, &ids))?;
    let mut by_tenant: HashMap<TenantId, Vec<OperationRun>> = HashMap::new();
    for run in active {
        by_tenant.entry(run.tenant_id).or_default().push(run);
    }
    let rows = found
        .into_iter()
        .map(|overview| {
            let id = overview.visible.tenant.id;
            let active = by_tenant.remove(&id).unwrap_or_default();
            TenantRow {
                counts: counts.remove(&id).unwrap_or_default(),
                active_count: active.len(),
                active: active.into_iter().next(),
                overview,
            }
        })
        .collect();
    Ok(TenantTable { rows, total })
}
