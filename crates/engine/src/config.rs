//! What can be set about the engine, with defaults that suit one machine.

use std::time::Duration;

use crate::session_policy::SessionPolicy;

/// Settings of an engine. Every limit is a bound, not a target.
#[derive(Debug, Clone)]
pub struct EngineConfig {
    /// Runs this process works on at the same time. Zero makes an engine that dispatches and watches but does no work.
    pub workers: usize,
    /// Inventory syncs running at the same time over all tenants and processes.
    pub global_sync_limit: u32,
    /// Inventory syncs running at the same time in one tenant, over all processes.
    pub tenant_sync_limit: u32,
    /// Runs of one tenant that wait for a worker, at most; more are refused. So many different selections of one tenant
    /// are never wanted at once, and each is looked at by every claim and sent with every snapshot.
    pub waiting_per_tenant: u32,
    /// Runs that one person started and that wait for a worker, over all tenants, at most: enough to sync hundreds of
    /// tenants at once.
    pub waiting_per_person: u32,
    /// How long a claim holds without renewal; it is renewed every third of that.
    pub lease: Duration,
    /// How often expired leases are looked for.
    pub sweep_interval: Duration,
    /// How often an idle worker looks for new runs when nothing woke it.
    pub poll_interval: Duration,
    /// Attempts a run gets in all before it ends `failed` with `worker_lost`.
    pub max_attempts: u32,
    /// How long a run waits for its lock or for a free place before it ends `aborted`.
    pub lock_wait: Duration,
    /// Listings of one sync that are read at the same time. As many as the gate of a tenant lets requests leave at
    /// once: most listings of a small tenant are a single request, and fewer would leave the gate waiting.
    pub concurrent_listings: usize,
    /// Pages one listing may have before it fails with `page_limit`.
    pub max_pages: u32,
    /// Bytes of pages read but not yet processed, per sync.
    pub page_bytes_in_flight: usize,
    /// Items written in one transaction while one run alone is working. Everybody else waits for it on SQLite, where one
    /// writes at a time: with several runs it is a quarter, so that a dispatch among ten syncs stays far below a tenth
    /// of a second.
    pub write_batch: usize,
    /// How often progress within a type is persisted and published at most.
    pub progress_interval: Duration,
    /// How long a graceful shutdown waits for workers before their leases are left to expire.
    pub shutdown_grace: Duration,
    /// How long sessions of the web application last, and who needs a second factor.
    pub sessions: SessionPolicy,
}

impl EngineConfig {
    /// No lease ends further ahead than this, those of processes with a longer setting included: one that does was given
    /// before a clock was set back, and is over.
    #[must_use]
    pub fn longest_lease(&self) -> Duration {
        self.lease.saturating_mul(10)
    }
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self {
            workers: 12,
            global_sync_limit: 12,
            tenant_sync_limit: 2,
            waiting_per_tenant: 25,
            waiting_per_person: 500,
            lease: Duration::from_secs(30),
            sweep_interval: Duration::from_secs(5),
            poll_interval: Duration::from_secs(1),
            max_attempts: 5,
            lock_wait: Duration::from_secs(60),
            concurrent_listings: 16,
            max_pages: 20_000,
            page_bytes_in_flight: 6 * 1024 * 1024,
            write_batch: 640,
            progress_interval: Duration::from_millis(200),
            shutdown_grace: Duration::from_secs(8),
            sessions: SessionPolicy::default(),
        }
    }
}
