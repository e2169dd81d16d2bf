//! Search of settings: over all tenants of whoever asks in which they may see bodies (`docs/rules.md`, section Search of
//! settings).

mod coverage;
mod document;
mod found;
mod indexing;
mod pivot;
mod reach;

use tenantatlas_commands::Actor;
use tenantatlas_domain::ids::TenantId;
use tenantatlas_domain::setting_query::{QueryError, SettingQuery};
use tenantatlas_domain::settings::{SearchEntry, Setting};
use tenantatlas_domain::time::Timestamp;
use tenantatlas_store::inventory::ItemRow;
use tenantatlas_store::policies::TenantKey;
use tenantatlas_store::setting_search::{self, Place, Search, SearchedTenant};

use crate::engine::Engine;
use crate::error::EngineError;
pub use coverage::{LeftOut, NotSearched, SearchCoverage};
pub(crate) use indexing::{forget_names, index_due, index_kept};
pub use pivot::{PivotRow, SettingPivot};
use reach::Reach;

/// What is looked for.
#[derive(Debug, Clone, Default)]
pub struct SearchRequest {
    /// The query, see [`SettingQuery`].
    pub query: String,
    /// The only tenants that are asked; all of whoever asks where there is none.
    pub tenants: Vec<TenantId>,
    /// Where the page begins.
    pub after: Option<Place>,
    /// Settings of the page, at most; 1 to 1,000.
    pub limit: u32,
}

/// A setting that was found.
#[derive(Debug, Clone)]
pub struct FoundSetting {
    /// Which setting it is, by Microsoft's names: what a pivot is asked for.
    pub key: String,
    /// Where it stands.
    pub entry: SearchEntry,
    /// The same with the names that the catalogue has for it.
    pub setting: Setting,
    /// When the version was read from which on it has its value.
    pub since_at: Timestamp,
    /// The number of that version.
    pub since_number: u64,
    /// Whether it may have had it before: no older version is kept, or there were some.
    pub since_or_before: bool,
}

/// A policy with those of its settings that were found on a page.
#[derive(Debug, Clone)]
pub struct FoundPolicy {
    /// The tenant.
    pub tenant_id: TenantId,
    /// Its name.
    pub tenant: String,
    /// The key of the type.
    pub policy_type: String,
    /// The id Microsoft gave the policy.
    pub external_id: String,
    /// The name that it had when its latest version was read.
    pub display_name: String,
    /// The number of that version.
    pub number: u64,
    /// When that was read.
    pub read_at: Timestamp,
    /// Whether that is whole.
    pub is_whole: bool,
    /// What the inventory knows of it, with whom it is assigned to; `None` where it knows nothing.
    pub item: Option<ItemRow>,
    /// The settings.
    pub settings: Vec<FoundSetting>,
}

/// What was found, and what was not searched.
#[derive(Debug, Clone)]
pub struct SearchAnswer {
    /// The query as it was understood.
    pub query: SettingQuery,
    /// The policies of the page.
    pub policies: Vec<FoundPolicy>,
    /// Where the next page begins; `None` on the last one.
    pub next: Option<Place>,
    /// What was searched and what not.
    pub coverage: SearchCoverage,
}

impl SearchAnswer {
    /// Adds the policies of the next page: settings of the policy with which this one ends go to it.
    pub fn add(&mut self, policies: Vec<FoundPolicy>) {
        for policy in policies {
            let of = |one: &FoundPolicy| (one.tenant_id, one.policy_type.clone(), one.external_id.clone());
            match self.policies.last_mut().filter(|last| of(last) == of(&policy)) {
                Some(last) => last.settings.extend(policy.settings),
                None => self.policies.push(policy),
            }
        }
    }
}

/// A search that is ready: where, for what.
struct Ready {
    query: SettingQuery,
    reach: Reach,
    tenants: Vec<SearchedTenant>,
    search: Search,
}

impl Engine {
    /// Looks for settings of the latest versions of policies, in those tenants of the actor in which they may see bodies.
    ///
    /// # Errors
    /// [`EngineError::Query`] when it cannot be understood, with what was expected; [`EngineError::NotFound`] for a tenant that is
    /// not the actor's; when the database fails.
    pub async fn search_settings(&self, actor: &Actor, request: &SearchRequest) -> Result<SearchAnswer, EngineError> {
        let Ready { query, reach, tenants, search } = self.ready(actor, request).await?;
        let db = self.reader();
        let (found, coverage) = futures::try_join!(
            async {
                let limit = request.limit.max(1);
                Ok::<_, EngineError>(setting_search::find(db, &tenants, &search, request.after, limit).await?)
            },
            coverage::coverage(db, &reach, &query)
        )?;
        let policies = found::policies(self, &reach, &tenants, found.hits).await?;
        Ok(SearchAnswer { query, policies, next: found.next, coverage })
    }

    /// The values of one setting over these tenants and types; which one is told by [`FoundSetting::key`].
    ///
    /// # Errors
    /// As [`Engine::search_settings`].
    pub async fn pivot_setting(
        &self,
        actor: &Actor,
        request: &SearchRequest,
        key: &str,
    ) -> Result<SettingPivot, EngineError> {
        let Ready { query, reach, tenants, search } = self.ready(actor, request).await?;
        pivot::pivot(self, &reach, &query, (&tenants, &search), key).await
    }

    async fn ready(&self, actor: &Actor, request: &SearchRequest) -> Result<Ready, EngineError> {
        let query = SettingQuery::parse(&request.query)?;
        let reach = reach::reach(self, actor, &request.tenants).await?.narrowed(&query)?;
        let db = self.reader();
        let ids: Vec<TenantId> = reach.searched.iter().map(|tenant| tenant.id).collect();
        let keys = TenantKey::open_all(db, &self.core.commands.vault, &ids).await?;
        let tenants = keys.into_iter().map(|(id, key)| SearchedTenant { id, key }).collect();
        let search = Search::prepare(db, &query).await?.map_err(QueryError::TooBroad)?;
        Ok(Ready { query, reach, tenants, search })
    }
}
