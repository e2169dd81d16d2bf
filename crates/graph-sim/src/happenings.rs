//! What can be done to the tenants of a cloud, and asked of them, beside Graph.

use std::collections::BTreeMap;
use std::sync::PoisonError;

use crate::audit::Record;
use crate::cloud::Cloud;
use crate::planted::{PlantedSecret, planted_secrets};
use crate::tenant::{Evolution, Step};

impl Cloud {
    /// The ids of every object of a tenant by key; empty for an unknown tenant.
    #[must_use]
    pub fn expected(&self, tenant_id: &str) -> BTreeMap<String, Vec<String>> {
        self.tenant(tenant_id)
            .map(|state| state.read().unwrap_or_else(PoisonError::into_inner).expected())
            .unwrap_or_default()
    }

    /// Lets time pass in a tenant; tells what changed in each step.
    pub fn evolve(&self, tenant_id: &str, steps: u64) -> Vec<Evolution> {
        self.tenant(tenant_id)
            .map(|state| state.write().unwrap_or_else(PoisonError::into_inner).evolve(steps))
            .unwrap_or_default()
    }

    /// Lets somebody edit one object of a tenant, by the key of its kind and its id; tells what changed.
    pub fn edit(&self, tenant_id: &str, key: &str, id: &str) -> Evolution {
        self.tenant(tenant_id)
            .map(|state| state.write().unwrap_or_else(PoisonError::into_inner).edit(key, id))
            .unwrap_or_default()
    }

    /// What happened in a tenant since the cloud was started, and what was replayed before.
    #[must_use]
    pub fn history(&self, tenant_id: &str) -> Vec<Step> {
        self.tenant(tenant_id)
            .map(|state| state.read().unwrap_or_else(PoisonError::into_inner).history().to_vec())
            .unwrap_or_default()
    }

    /// Lets happen in a tenant what happened before the cloud was started again.
    pub fn replay(&self, tenant_id: &str, history: &[Step]) {
        if let Some(state) = self.tenant(tenant_id) {
            state.write().unwrap_or_else(PoisonError::into_inner).replay(history);
        }
    }

    /// What happened in a tenant as its audit logs tell it, or will tell it; empty for an unknown tenant.
    #[must_use]
    pub fn audit_events(&self, tenant_id: &str) -> Vec<Record> {
        self.tenant(tenant_id)
            .map(|state| state.read().unwrap_or_else(PoisonError::into_inner).records.all().to_vec())
            .unwrap_or_default()
    }

    /// From now on, what happens in a tenant is missing in its audit logs until this is called with `false`: then it comes
    /// late, with the time at which it happened.
    pub fn withhold_audit_events(&self, tenant_id: &str, on: bool) {
        if let Some(state) = self.tenant(tenant_id) {
            state.write().unwrap_or_else(PoisonError::into_inner).records.withhold(on);
        }
    }

    /// What must never be stored, as it is on the wire, up to a number of them. A million objects hold many: ask for
    /// few, or make a small tenant.
    #[must_use]
    pub fn planted_secrets(&self, tenant_id: &str, most: usize) -> Vec<PlantedSecret> {
        self.tenant(tenant_id)
            .map(|state| planted_secrets(&state.read().unwrap_or_else(PoisonError::into_inner), most))
            .unwrap_or_default()
    }
}
