//! What a piece of work cost.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Counts the requests of a session. Clones count into the same place; a [`RequestCounter::child`] counts into its own place
/// and into its parent's, so that a run can be counted as a whole and per policy type at once.
#[derive(Clone, Debug, Default)]
pub struct RequestCounter {
    counts: Arc<Counts>,
    parent: Option<Arc<RequestCounter>>,
    on_pause: Option<OnPause>,
}

/// Who is told of pauses.
#[derive(Clone)]
struct OnPause(Arc<dyn Fn(Duration) + Send + Sync>);

impl fmt::Debug for OnPause {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("OnPause")
    }
}

#[derive(Debug, Default)]
struct Counts {
    requests: AtomicU64,
    retries: AtomicU64,
    throttled: AtomicU64,
    bytes: AtomicU64,
    quota: AtomicU64,
}

/// A moment's reading of a [`RequestCounter`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RequestCounts {
    /// HTTP requests sent to Graph, repeated ones included; a batch is one. Token requests are not counted.
    pub requests: u64,
    /// Requests, and items of batches, that were sent again.
    pub retries: u64,
    /// Answers 429 or 509, items of batches included.
    pub throttled: u64,
    /// Bytes of answers, after decompression.
    pub bytes: u64,
    /// What was spent of the tenant's quota: like `requests`, but each item of a batch counts as one.
    pub quota: u64,
}

impl RequestCounter {
    /// A counter that stands at zero.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A counter at zero that tells how long nothing is let in from now on, whenever the cloud says 429 to what is counted here.
    #[must_use]
    pub fn telling_pauses(tell: impl Fn(Duration) + Send + Sync + 'static) -> Self {
        Self { on_pause: Some(OnPause(Arc::new(tell))), ..Self::default() }
    }

    /// A counter at zero that also counts into this one.
    #[must_use]
    pub fn child(&self) -> Self {
        Self { counts: Arc::default(), parent: Some(Arc::new(self.clone())), on_pause: self.on_pause.clone() }
    }

    /// What it shows now.
    #[must_use]
    pub fn read(&self) -> RequestCounts {
        let load = |count: &AtomicU64| count.load(Ordering::Relaxed);
        RequestCounts {
            requests: load(&self.counts.requests),
            retries: load(&self.counts.retries),
            throttled: load(&self.counts.throttled),
            bytes: load(&self.counts.bytes),
            quota: load(&self.counts.quota),
        }
    }

    pub(crate) fn request(&self, weight: u32) {
        self.add(|counts| &counts.requests, 1);
        self.add(|counts| &counts.quota, u64::from(weight));
    }

    pub(crate) fn retry(&self) {
        self.add(|counts| &counts.retries, 1);
    }

    /// An answer 429 or 509, after which nobody is let in for so long.
    pub(crate) fn throttled(&self, pause: Duration) {
        self.add(|counts| &counts.throttled, 1);
        if let Some(OnPause(tell)) = &self.on_pause {
            tell(pause);
        }
    }

    pub(crate) fn bytes(&self, bytes: usize) {
        self.add(|counts| &counts.bytes, bytes as u64);
    }

    fn add(&self, which: impl Fn(&Counts) -> &AtomicU64, amount: u64) {
        let mut counter = Some(self);
        while let Some(current) = counter {
            which(&current.counts).fetch_add(amount, Ordering::Relaxed);
            counter = current.parent.as_deref();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_counts_into_its_parent_and_not_into_its_sibling() {
        let whole = RequestCounter::new();
        let (first, second) = (whole.child(), whole.child());
        first.request(1);
        first.clone().bytes(10);
        second.request(20);
        assert_eq!(first.read(), RequestCounts { requests: 1, bytes: 10, quota: 1, ..RequestCounts::default() });
        assert_eq!(second.read(), RequestCounts { requests: 1, quota: 20, ..RequestCounts::default() });
        assert_eq!(whole.read(), RequestCounts { requests: 2, bytes: 10, quota: 21, ..RequestCounts::default() });
    }
}
