//! What can be set about inventory syncs.

use std::time::Duration;

use tenantatlas_store::operation_runs::Limits;

/// Settings of inventory syncs. Every limit is a bound, not a target.
#[derive(Debug, Clone)]
pub struct SyncConfig {
    /// Syncs running at the same time, over all processes.
    pub limits: Limits,
    /// How long a sync waits for another one of the same selection before it ends `aborted`.
    pub lock_wait: Duration,
    /// Listings of one sync that are read at the same time. As many as the rate limiter of a tenant lets requests leave at
    /// once: most listings of a small tenant are a single request, and fewer would leave it waiting.
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
}

impl Default for SyncConfig {
    fn default() -> Self {
        Self {
            limits: Limits { global: 48, per_tenant: 2 },
            lock_wait: Duration::from_secs(60),
            concurrent_listings: 16,
            max_pages: 20_000,
            page_bytes_in_flight: 6 * 1024 * 1024,
            write_batch: 640,
            progress_interval: Duration::from_millis(200),
        }
    }
}
