//! What stands around every page.

use leptos::prelude::*;
use tenantatlas_domain::ids::UserId;
use tenantatlas_domain::live::{RunState, Snapshot};
use tenantatlas_store::saved_views::SavedView;
use tenantatlas_store::tenants::{self, NearTenant};

use crate::error::AppError;
use crate::scope::{self, Inside, Theme};
use crate::tenant::load as tenant_service;
use crate::tenant::model::TenantEntry;

/// Tenants at hand in the switcher before the rest is fetched.
const NEAR: usize = 8;
/// The use of a tenant is noted again at most so often, milliseconds.
const USE_INTERVAL: i64 = 300_000;

/// What the frame of a tenant's page shows.
#[derive(Debug, Clone)]
pub struct FrameData {
    /// `light`, `dark` or empty.
    pub theme: String,
    /// The tenant.
    pub tenant: TenantEntry,
    /// The first tenants of the switcher.
    pub near: Vec<TenantEntry>,
    /// What is live on it.
    pub live: LiveData,
    /// Whether single keys do something for this person.
    pub single_keys: bool,
    /// The views of the inventory that the person saved in this tenant, by name.
    pub saved_views: Vec<SavedView>,
}

/// What is live on every page.
#[derive(Debug, Clone)]
pub struct LiveData {
    /// Unread notifications of the person, over all tenants.
    pub unread: u64,
    /// The person's active runs, over all tenants.
    pub runs: Vec<RunState>,
    /// The clock of the server, milliseconds.
    pub now: i64,
    /// What the active runs were like, see [`Snapshot::fingerprint`](tenantatlas_domain::live::Snapshot::fingerprint).
    pub fingerprint: String,
}

impl LiveData {
    fn of(snapshot: &Snapshot, user: UserId) -> Self {
        Self {
            fingerprint: snapshot.fingerprint(),
            unread: snapshot.unread,
            runs: snapshot.runs.iter().filter(|run| run.user_id == Some(user)).cloned().collect(),
            now: snapshot.now.as_millis(),
        }
    }
}

/// The colours of this browser.
#[must_use]
pub fn theme() -> String {
    use_context::<Theme>().unwrap_or_default().0
}

/// Loads it, and notes that the person uses this tenant.
///
/// # Errors
/// When the database fails.
pub async fn load(inside: &Inside) -> Result<FrameData, AppError> {
    let theme = theme();
    let user = inside.session.user_id;
    let (mut near, live, kept) = futures::try_join!(
        async {
            Ok::<_, AppError>(tenants::list_near(inside.engine.reader(), user, inside.id(), NEAR as u32 + 1).await?)
        },
        inside.live(),
        inside.kept(),
    )?;
    let here = near.iter().find(|one| one.id == inside.id());
    note_use(inside, here);
    let favourite = here.is_some_and(|here| here.favourite);
    let mark = |one: &NearTenant| std::cmp::Reverse((one.favourite, one.last_used_at));
    if near.len() > NEAR {
        near.sort_by_key(mark);
        near.truncate(NEAR);
    } else {
        near.sort_by_key(|one| (!one.favourite, one.name.to_lowercase()));
    }
    Ok(FrameData {
        theme,
        tenant: TenantEntry {
            id: inside.id(),
            name: inside.tenant.name.clone(),
            environment: tenant_service::environment(inside.tenant.environment),
            favourite,
        },
        near: near.into_iter().map(tenant_service::near_entry).collect(),
        single_keys: kept.preferences.single_keys,
        saved_views: kept.saved_views.clone(),
        live: LiveData::of(&live.snapshot, user),
    })
}

/// What is live on a page outside of any tenant; `None` for whoever is not signed in.
///
/// # Errors
/// When the database fails.
pub async fn live_of_person() -> Result<Option<LiveData>, AppError> {
    let Ok(session) = scope::session() else { return Ok(None) };
    let snapshot = scope::engine()?.runs().snapshot(None, session.user_id).await?;
    Ok(Some(LiveData::of(&snapshot, session.user_id)))
}

/// Notes in the background that the person uses this tenant, when it is another than last time or long ago.
fn note_use(inside: &Inside, here: Option<&NearTenant>) {
    let now = inside.engine.now();
    let used = here.filter(|here| here.last_used_at == here.any_used_at).and_then(|here| here.last_used_at);
    let fresh = used.is_some_and(|at| now.as_millis() - at.as_millis() < USE_INTERVAL);
    if fresh {
        return;
    }
    let (engine, user, tenant) = (inside.engine.clone(), inside.session.user_id, inside.id());
    tokio::spawn(async move {
        if let Err(error) = engine.note_use(user, tenant).await {
            tracing::warn!(%error, "the use of a tenant could not be noted");
        }
    });
}
