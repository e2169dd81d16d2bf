//! Counters of one process, for its metrics page.

use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;

/// Counters that only grow, and gauges that are told when read.
#[derive(Debug, Default)]
pub struct Stats {
    dispatched: AtomicU64,
    claimed: AtomicU64,
    ended: AtomicU64,
    failed: AtomicU64,
    leases_lost: AtomicU64,
    reclaimed: AtomicU64,
    items_written: AtomicU64,
    write_batches: AtomicU64,
    graph_requests: AtomicU64,
    graph_retries: AtomicU64,
    graph_throttled: AtomicU64,
    working: AtomicU64,
}

/// The counters at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct StatsSnapshot {
    /// Runs dispatched by this process.
    pub dispatched: u64,
    /// Runs claimed by its workers.
    pub claimed: u64,
    /// Runs its workers brought to an end.
    pub ended: u64,
    /// Of these, the ones that ended `failed`.
    pub failed: u64,
    /// Leases its workers lost while working.
    pub leases_lost: u64,
    /// Expired leases its sweeper put back or ended.
    pub reclaimed: u64,
    /// Inventory items written (inserted, changed, or seen again).
    pub items_written: u64,
    /// Transactions that wrote them.
    pub write_batches: u64,
    /// HTTP requests sent to Microsoft Graph.
    pub graph_requests: u64,
    /// Of these, repeated ones.
    pub graph_retries: u64,
    /// Answers that were throttled.
    pub graph_throttled: u64,
    /// Workers that have a run now.
    pub working: u64,
}

/// Which counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Count {
    Dispatched,
    Claimed,
    Ended,
    Failed,
    LeaseLost,
    Reclaimed,
    ItemsWritten,
    WriteBatches,
    GraphRequests,
    GraphRetries,
    GraphThrottled,
}

impl Stats {
    pub(crate) fn add(&self, count: Count, amount: u64) {
        let counter = match count {
            Count::Dispatched => &self.dispatched,
            Count::Claimed => &self.claimed,
            Count::Ended => &self.ended,
            Count::Failed => &self.failed,
            Count::LeaseLost => &self.leases_lost,
            Count::Reclaimed => &self.reclaimed,
            Count::ItemsWritten => &self.items_written,
            Count::WriteBatches => &self.write_batches,
            Count::GraphRequests => &self.graph_requests,
            Count::GraphRetries => &self.graph_retries,
            Count::GraphThrottled => &self.graph_throttled,
        };
        counter.fetch_add(amount, Ordering::Relaxed);
    }

    /// Counts a worker as busy until the guard is dropped.
    pub(crate) fn working(&self) -> Working<'_> {
        self.working.fetch_add(1, Ordering::Relaxed);
        Working(self)
    }

    /// The counters now.
    #[must_use]
    pub fn snapshot(&self) -> StatsSnapshot {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        StatsSnapshot {
            dispatched: read(&self.dispatched),
            claimed: read(&self.claimed),
            ended: read(&self.ended),
            failed: read(&self.failed),
            leases_lost: read(&self.leases_lost),
            reclaimed: read(&self.reclaimed),
            items_written: read(&self.items_written),
            write_batches: read(&self.write_batches),
            graph_requests: read(&self.graph_requests),
            graph_retries: read(&self.graph_retries),
            graph_throttled: read(&self.graph_throttled),
            working: read(&self.working),
        }
    }
}

/// A worker that has a run.
pub(crate) struct Working<'a>(&'a Stats);

impl Drop for Working<'_> {
    fn drop(&mut self) {
        self.0.working.fetch_sub(1, Ordering::Relaxed);
    }
}
