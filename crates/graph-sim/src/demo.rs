//! The cloud of the demo: three tenants of different size, with different troubles.

use crate::{
    catalogue,
    config::{SimTenant, SimulatorConfig},
};
use std::time::Duration;

/// Three tenants: Contoso is large and whole, Fabrikam has no Windows 365 licence, and Northwind's application lacks a
/// permission. Every answer takes a moment, so that progress can be watched.
#[must_use]
pub fn config(objects: u64) -> SimulatorConfig {
    let contoso = SimTenant::new("Contoso", 11, objects);
    let fabrikam = SimTenant { windows365: false, ..SimTenant::new("Fabrikam", 12, objects / 3) };
    let roles = catalogue::all_permissions();
    let northwind = SimTenant {
        roles: Some(roles.into_iter().filter(|role| role != "DeviceManagementRBAC.Read.All").collect()),
        ..SimTenant::new("Northwind", 13, objects / 8)
    };
    SimulatorConfig {
        tenants: vec![contoso, fabrikam, northwind],
        latency: Duration::from_millis(60),
        ..SimulatorConfig::default()
    }
}
