//! The table of all addresses.

use super::endpoint::Endpoint;
use super::{findings, items, runs, schedules, tenants, versions};

/// Every address of the API.
pub fn endpoints() -> impl Iterator<Item = &'static Endpoint> {
    let tables = [
        tenants::ENDPOINTS,
        items::ENDPOINTS,
        versions::ENDPOINTS,
        runs::ENDPOINTS,
        schedules::ENDPOINTS,
        findings::ENDPOINTS,
    ];
    tables.into_iter().flatten()
}
