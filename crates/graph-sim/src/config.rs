//! What is simulated: the tenants, their size and rights, the throttle, the delays, the faults.

use serde::{Deserialize, Serialize};
use std::time::Duration;

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
    /// Whether it has an Intune licence.
    pub intune: bool,
    /// Whether it has a Windows 365 licence.
    pub windows365: bool,
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
            intune: true,
            windows365: true,
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

/// Something that goes wrong on request.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Fault {
    /// Requests whose path (below the version) or address contains this; empty means every request to Graph.
    #[serde(default)]
    pub path: String,
    /// The first so many matching requests pass.
    #[serde(default)]
    pub skip: u32,
    /// Then so many meet the fault; all when left out.
    #[serde(default)]
    pub count: Option<u32>,
    /// What goes wrong.
    pub kind: FaultKind,
}

impl Fault {
    /// A fault that every matching request meets.
    #[must_use]
    pub fn always(path: &str, kind: FaultKind) -> Self {
        Self { path: path.to_owned(), skip: 0, count: None, kind }
    }

    /// A fault that the next matching requests meet.
    #[must_use]
    pub fn times(path: &str, count: u32, kind: FaultKind) -> Self {
        Self { path: path.to_owned(), skip: 0, count: Some(count), kind }
    }

    /// The same, after some requests have passed.
    #[must_use]
    pub fn after(mut self, skip: u32) -> Self {
        self.skip = skip;
        self
    }
}

/// The kinds of fault.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// 429; the text of `Retry-After` as it is: seconds, a fraction, an HTTP date, or none.
    Throttled {
        /// The header's value.
        retry_after: Option<String>,
    },
    /// 503 without a word on when to come back.
    Unavailable,
    /// 504.
    GatewayTimeout,
    /// 500 with Intune's nested message.
    ServerError,
    /// The connection ends before an answer.
    Reset,
    /// The body comes in pieces with this pause between them.
    SlowBody {
        /// Milliseconds between two pieces.
        pause_ms: u64,
    },
    /// The body stops in the middle although its length was right.
    TruncatedJson,
    /// A page without objects that has a next link.
    EmptyPage,
    /// The next link leads to this page again.
    LoopingLink,
    /// The next link leads to another host.
    ForeignLink {
        /// The address of that host, such as `http://127.0.0.1:9`.
        host: String,
    },
    /// Expanded collections inside the objects come in part, with a next link of their own.
    PartialCollections,
    /// The token is no longer accepted: 401; a new token is.
    TokenRevoked,
    /// 403 for a missing permission.
    Forbidden,
    /// 404 for a segment that this cloud does not have.
    UnknownSegment,
    /// 403 because the tenant has no licence.
    LicenceMissing,
    /// 400 because `$expand` is not allowed here.
    ExpandRefused,
    /// 400 for `$batch` itself or any other request.
    BadRequest,
}
