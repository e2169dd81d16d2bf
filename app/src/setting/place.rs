//! Where is searched, and by whom.

use tenantatlas_domain::ids::TenantId;
use tenantatlas_engine::{Actor, SearchRequest};

use crate::filter::setting::SettingFilter;

/// Settings on one page.
const PAGE: u32 = 50;

/// A search page: over all tenants of a person, or of one.
pub(super) struct Place {
    /// The address of the page.
    pub base: String,
    /// The only tenant; none where all are asked.
    pub tenants: Vec<TenantId>,
    /// Who asks.
    pub actor: Actor,
}

impl Place {
    /// Whether tenants are to be told apart.
    pub(super) fn is_over_tenants(&self) -> bool {
        self.tenants.is_empty()
    }

    /// What the engine is asked for.
    pub(super) fn request(&self, filter: &SettingFilter) -> SearchRequest {
        SearchRequest { query: filter.search.clone(), tenants: self.tenants.clone(), after: filter.after, limit: PAGE }
    }
}
