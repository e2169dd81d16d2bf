//! The table of all addresses.

use super::endpoint::Endpoint;
use super::{choices, findings, groups, items, runs, schedules, tenants, versions, webhooks};

/// Every address of the API.
pub fn endpoints() -> impl Iterator<Item = &'static Endpoint> {
    let tables = [
        tenants::ENDPOINTS,
        items::ENDPOINTS,
        versions::ENDPOINTS,
        runs::ENDPOINTS,
        schedules::ENDPOINTS,
        findings::ENDPOINTS,
        groups::ENDPOINTS,
        choices::ENDPOINTS,
        webhooks::ENDPOINTS,
    ];
    tables.into_iter().flatten()
}
