//! What is simulated: the tenants, their size and rights, the throttle, the delays, the faults.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::fault::Fault;

/// A simulated Microsoft cloud.
#[derive(Debug, Clone, Default)]
pub struct SimulatorConfig {
    /// The tenants it holds.
    pub tenants: Vec<SimTenant>,
    /// How long every answer of Graph is delayed.
    pub latency: Duration,
    /// The quota per tenant and application; none answers everything.
    pub throttle: Option<Throttle>,
    /// Faults from the start; more can be added through the control.
    pub faults: Vec<Fault>,
    /// How long a token is valid.
    pub token_lifetime: Option<Duration>,
    /// Whether other machines may use the page and the controls, and not this one alone.
    pub open_control: bool,
}

/// One tenant with one application registration.
#[derive(Debug, Clone)]
pub struct SimTenant {
    /// The name its organization answers with.
    pub name: String,
    /// The directory id.
    pub tenant_id: String,
    /// The application id.
    pub client_id: String,
    /// The secret that is accepted.
    pub client_secret: String,
    /// The X.509 certificate (DER) whose key may sign client assertions.
    pub certificate_der: Option<Vec<u8>>,
    /// The application permissions in the token; `None` grants everything that is asked anywhere.
    pub roles: Option<Vec<String>>,
    /// Without consent a token comes, but without roles.
    pub consent: bool,
    /// The same seed gives the same tenant.
    pub seed: u64,
    /// Roughly how many objects it has in all.
    pub objects: u64,
    /// About how many of the objects that can be assigned are assigned to the first group, beside what else they are
    /// assigned to.
    pub large_group: u64,
    /// Whether it has an Intune licence.
    pub intune: bool,
    /// Whether it has a Windows 365 licence.
    pub windows365: bool,
    /// Whether it has the Cloud PKI add-on.
    pub cloud_pki: bool,
    /// Whether it has a premium licence of Entra; without one the audit log of Entra keeps a week.
    pub entra_premium: bool,
    /// Events of a page of its audit logs at most, whatever is asked for.
    pub audit_page: usize,
    /// Whether a push certificate is set up; without one its address answers 404.
    pub push_certificate: bool,
}

impl SimTenant {
    /// A tenant with everything licensed and granted. Ids and secret follow from the name and the seed.
    #[must_use]
    pub fn new(name: &str, seed: u64, objects: u64) -> Self {
        let guid = |purpose: &str| crate::identity::guid_of(&[name, purpose, &seed.to_string()]);
        Self {
            name: name.to_owned(),
            tenant_id: guid("tenant"),
            client_id: guid("application"),
            client_secret: format!("sim~{}", guid("secret").replace('-', "")),
            certificate_der: None,
            roles: None,
            consent: true,
            seed,
            objects,
            large_group: 0,
            intune: true,
            windows365: true,
            cloud_pki: true,
            entra_premium: true,
            audit_page: 1_000,
            push_certificate: true,
        }
    }
}

/// A quota: so many requests in a window, per tenant and application. Refused requests count too.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Throttle {
    /// Requests in one window.
    pub requests: u32,
    /// The length of the window in milliseconds.
    pub window_ms: u64,
}

impl Throttle {
    /// 1,000 requests in 20 seconds, as documented for most Intune services.
    pub const DOCUMENTED: Self = Self { requests: 1_000, window_ms: 20_000 };
}
