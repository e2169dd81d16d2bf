//! The person's tenants and how complete their inventory is.

use crate::error::AppError;
use crate::scope;
use futures::{StreamExt as _, TryStreamExt as _};
use std::collections::HashMap;
use tenantatlas_domain::ids::TenantId;
use tenantatlas_domain::presence::Confidence;
use tenantatlas_domain::sync::SyncRunStatus;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_store::inventory::ScopeView;
use tenantatlas_store::operation_runs;
use tenantatlas_store::tenants::{self, VisibleTenant};
use tenantatlas_store::{Reader, StoreError};

/// Tenants looked at side by side: about as many as the database has readers.
const SIDE_BY_SIDE: usize = 8;

/// A tenant as a card shows it.
#[derive(Debug, Clone)]
pub struct TenantCard {
    /// The tenant, the person's role, and whether it is a favourite.
    pub visible: VisibleTenant,
    /// Items known.
    pub items: u64,
    /// Items missing, and how sure that is.
    pub missing: (u64, Option<Confidence>),
    /// Items of which nothing can be said.
    pub not_read: u64,
    /// Types read to the end, of those selected.
    pub types: (u64, u64),
    /// How and when the latest completed run ended.
    pub last: Option<(SyncRunStatus, Timestamp)>,
    /// Active runs of anybody.
    pub active: usize,
}

/// The cards, favourites first.
///
/// # Errors
/// Signed out; when the database fails.
pub async fn cards() -> Result<Vec<TenantCard>, AppError> {
    let session = scope::session()?;
    let engine = scope::engine()?;
    let db = engine.reader();
    let mut active: HashMap<TenantId, usize> = HashMap::new();
    for run in operation_runs::active(db, None, None).await? {
        *active.entry(run.tenant_id).or_default() += 1;
    }
    let visible = tenants::list_visible(db, session.user_id).await?;
    let cards = futures::stream::iter(visible)
        .map(|visible| card(db, visible))
        .buffered(SIDE_BY_SIDE)
        .map_ok(|card| TenantCard { active: active.get(&card.visible.tenant.id).copied().unwrap_or_default(), ..card })
        .try_collect()
        .await?;
    Ok(cards)
}

async fn card(db: &Reader, visible: VisibleTenant) -> Result<TenantCard, StoreError> {
    let view = ScopeView::load(db, visible.tenant.id, None).await?;
    let counts = view.counts(&[]);
    Ok(TenantCard {
        items: counts.known,
        missing: (counts.missing, counts.missing_confidence),
        not_read: counts.not_read,
        types: (counts.types_read, counts.types_selected),
        last: view.run.and_then(|run| Some((run.status, run.finished_at?))),
        active: 0,
        visible,
    })
}
