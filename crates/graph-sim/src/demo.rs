//! The cloud of the demo: three tenants of different size, with different troubles.

use std::time::Duration;

use crate::catalogue;
use crate::config::{SimTenant, SimulatorConfig};

/// Objects of the largest tenant of the demo.
pub const OBJECTS: u64 = 1_200;

/// Three tenants: Fabrikam is the largest and has no Windows 365 licence, Contoso is a third of it and whole, and the
/// application of small Northwind lacks a permission. `objects` is the size of Fabrikam, usually [`OBJECTS`]. Every
/// answer takes a moment, so that progress can be watched.
#[must_use]
pub fn config(objects: u64) -> SimulatorConfig {
    let contoso = SimTenant::new("Contoso", 11, objects / 3);
    let fabrikam = SimTenant { windows365: false, ..SimTenant::new("Fabrikam", 12, objects) };
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
