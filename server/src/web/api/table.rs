//! The table of all addresses.

use super::endpoint::Endpoint;
use super::{findings, items, runs, tenants, versions};

/// Every address of the API.
pub fn endpoints() -> impl Iterator<Item = &'static Endpoint> {
    [tenants::ENDPOINTS, items::ENDPOINTS, versions::ENDPOINTS, runs::ENDPOINTS, findings::ENDPOINTS]
        .into_iter()
        .flatten()
}
