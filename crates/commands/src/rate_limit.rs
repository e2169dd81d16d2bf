//! How often a person may do something, kept in the memory of this process: refusing costs nothing.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tenantatlas_domain::ids::UserId;
use tokio::time::Instant;

use crate::error::CommandError;

/// People that are remembered, at most; beyond that those at rest are forgotten.
const MAX_KEYS: usize = 10_000;

/// A rate: so many at once, then one more every so often (a token bucket).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// How many may come at once.
    pub burst: u32,
    /// How long until one more may come.
    pub every: Duration,
}

impl Rate {
    /// Takes one from the bucket that will be full at `full_at`. Answers whether there was one (the generic cell rate
    /// algorithm, ITU-T I.371).
    pub(crate) fn take(self, full_at: &mut Instant, now: Instant) -> bool {
        let full = (*full_at).max(now) + self.every;
        let allowed = full <= now + self.every * self.burst;
        if allowed {
            *full_at = full;
        }
        allowed
    }
}

/// What is limited, and whose.
type Key = (&'static str, UserId);

/// The buckets: of each key the time at which it will be full again.
#[derive(Debug, Default)]
pub(crate) struct RateLimits {
    full_at: Mutex<HashMap<Key, Instant>>,
}

impl RateLimits {
    /// Takes one from the bucket of `key`.
    ///
    /// # Errors
    /// [`CommandError::TooMany`] with the time to wait when it is empty.
    pub(crate) fn take(&self, key: Key, rate: Rate) -> Result<(), CommandError> {
        let now = Instant::now();
        let mut full_at = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        if full_at.len() >= MAX_KEYS && !full_at.contains_key(&key) {
            full_at.retain(|_, at| *at > now);
        }
        let bucket = full_at.entry(key).or_insert(now);
        if rate.take(bucket, now) {
            return Ok(());
        }
        let wait = (*bucket + rate.every).saturating_duration_since(now + rate.every * rate.burst);
        let seconds = wait.as_secs_f64().ceil();
        Err(CommandError::TooMany(format!(
            "This was asked for too often in a short time. Wait {seconds:.0} s and try again."
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[tokio::test(start_paused = true)]
    async fn a_burst_passes_and_then_one_at_a_time() {
        let limits = RateLimits::default();
        let rate = Rate { burst: 3, every: Duration::from_secs(10) };
        let one = ("command", UserId::from_uuid(Uuid::from_u128(1)));
        let other = ("command", UserId::from_uuid(Uuid::from_u128(2)));
        for _ in 0..3 {
            limits.take(one, rate).expect("within the burst");
        }
        assert!(matches!(limits.take(one, rate), Err(CommandError::TooMany(_))));
        limits.take(other, rate).expect("everybody has a bucket of their own");
        tokio::time::advance(Duration::from_secs(10)).await;
        limits.take(one, rate).expect("one more");
        assert!(limits.take(one, rate).is_err());
    }
}
