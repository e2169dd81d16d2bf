//! How patient, how fast and how large: everything about the client that can be set.

use std::time::Duration;

use ipnet::IpNet;
use tenantatlas_net::{Authorities, Proxies};

/// Settings of a [`GraphClient`](crate::GraphClient). The default suits Microsoft's clouds.
#[derive(Clone, Debug)]
pub struct GraphClientOptions {
    /// Sent as `User-Agent`.
    pub user_agent: String,
    /// Limits of one attempt.
    pub timeouts: Timeouts,
    /// Limits of one request with all its attempts.
    pub retry: RetryBudget,
    /// Requests under way at once, per tenant and application.
    pub concurrency: Concurrency,
    /// When the request quota of Microsoft Graph is kept on this side of the wire.
    pub quota: QuotaRule,
    /// How much of what comes back is held.
    pub memory: MemoryLimits,
    /// Networks where a custom cloud may lie although they are not public; those of Microsoft's clouds are always
    /// public. None by default, not even this machine itself.
    pub allowed_networks: Vec<IpNet>,
    /// Proxies that requests go by; none by default, whatever the environment says.
    pub proxies: Proxies,
    /// Certificate authorities that are trusted besides those of the system.
    pub authorities: Authorities,
    /// How much is told of an address that does not answer as it should.
    pub detail: ErrorDetail,
}

impl Default for GraphClientOptions {
    fn default() -> Self {
        Self {
            user_agent: concat!("TenantAtlas/", env!("CARGO_PKG_VERSION")).to_owned(),
            timeouts: Timeouts::default(),
            retry: RetryBudget::default(),
            concurrency: Concurrency::default(),
            quota: QuotaRule::default(),
            memory: MemoryLimits::default(),
            allowed_networks: Vec::new(),
            proxies: Proxies::default(),
            authorities: Authorities::default(),
            detail: ErrorDetail::default(),
        }
    }
}

/// How much of the answers of all clouds together is held, in bytes after decompression. Together the process holds at
/// most `pages + body + workbenches + workbench`, of which the second and the fourth are kept for one page and one
/// workbench that would otherwise wait for ever.
#[derive(Clone, Copy, Debug)]
pub struct MemoryLimits {
    /// Largest answer that is read: several times a page of a thousand objects with their settings.
    pub body: usize,
    /// Pages and single answers, from their first byte until what was made of them is written.
    pub pages: usize,
    /// What is held as JSON values: what they take in memory, not their text.
    pub workbenches: usize,
    /// The same, for one piece of work: a hundred items at most, with everything below them.
    pub workbench: usize,
}

impl Default for MemoryLimits {
    fn default() -> Self {
        const MIB: usize = 1024 * 1024;
        Self { body: 16 * MIB, pages: 96 * MIB, workbenches: 48 * MIB, workbench: 80 * MIB }
    }
}

/// How much is told of an address that does not answer as it should. Where a person may enter any address, the
/// difference between "refused", "silent" and "answered something else" is what a port scanner asks for (OWASP, "Server
/// Side Request Forgery Prevention Cheat Sheet").
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ErrorDetail {
    /// Everything for Microsoft's clouds. For a custom cloud one and the same sentence, whatever went wrong, until its
    /// Graph has answered as one within the session; the log has the rest.
    #[default]
    ByCloud,
    /// Everything: for a simulator.
    Always,
}

/// Time limits of one attempt.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// To open the connection, TLS included.
    pub connect: Duration,
    /// Without a single byte, before the head or within the body.
    pub idle: Duration,
    /// For head and body together, however steadily they trickle.
    pub total: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { connect: Duration::from_secs(10), idle: Duration::from_secs(45), total: Duration::from_secs(180) }
    }
}

/// Limits of one request with all its attempts (`docs/rules.md`, section Inventory sync, Throttling).
#[derive(Clone, Copy, Debug)]
pub struct RetryBudget {
    /// Attempts where the cloud asks to come back later (429, 503, 504, 509).
    pub attempts_when_busy: u32,
    /// Attempts where it is unclear whether coming back helps (500, 502, 408, network faults, unreadable answers).
    pub attempts_when_broken: u32,
    /// From the first attempt to the start of the last.
    pub elapsed: Duration,
    /// First step of the exponential backoff.
    pub backoff_base: Duration,
    /// Longest step of the exponential backoff.
    pub backoff_cap: Duration,
    /// Longest `Retry-After` that is waited for; with a longer one the request ends at once.
    pub retry_after_cap: Duration,
}

impl Default for RetryBudget {
    fn default() -> Self {
        Self {
            attempts_when_busy: 8,
            attempts_when_broken: 5,
            elapsed: Duration::from_secs(300),
            backoff_base: Duration::from_millis(500),
            backoff_cap: Duration::from_secs(30),
            retry_after_cap: Duration::from_secs(300),
        }
    }
}

/// Requests under way at once for one tenant and application. Starts at `initial`, grows while it is what holds the
/// work back, is halved by a 429.
#[derive(Clone, Copy, Debug)]
pub struct Concurrency {
    /// At the start.
    pub initial: u32,
    /// Never more.
    pub max: u32,
}

impl Default for Concurrency {
    fn default() -> Self {
        Self { initial: 8, max: 16 }
    }
}

/// A number of requests within any window of a length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestQuota {
    /// Requests; each item of a batch counts as one.
    pub requests: u32,
    /// Length of the window.
    pub window: Duration,
}

impl RequestQuota {
    /// What Microsoft documents for most Intune services, per application and tenant.
    pub const DOCUMENTED: Self = Self { requests: 1_000, window: Duration::from_secs(20) };
}

/// When a request quota is kept on this side of the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum QuotaRule {
    /// [`QuotaRule::Fixed`] with the documented quota for Microsoft's clouds, [`QuotaRule::Learned`] for a custom one.
    #[default]
    ByCloud,
    /// Keep this quota from the first request on; shrink it for a while when the cloud throttles earlier.
    Fixed(RequestQuota),
    /// Keep the documented quota from the moment the cloud has shown that it enforces one.
    Learned,
}
