//! How often a token may ask, in the memory of this process: refusing costs nothing.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use tokio::time::Instant;
use uuid::Uuid;

/// Requests that may come at once.
const BURST: u32 = 200;
/// How long until one more may come: ten a second.
const EVERY: Duration = Duration::from_millis(100);
/// Tokens that are remembered, at most; beyond that those at rest are forgotten.
const MOST: usize = 10_000;

/// What is left of the rate of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Left {
    /// Whether the request may go on.
    pub allowed: bool,
    /// Further ones that may come at once.
    remaining: u32,
    /// Seconds until as many as ever may come.
    reset: u64,
}

/// The buckets: of each token the time at which it will be full again.
#[derive(Debug, Default)]
pub struct Rates {
    full_at: Mutex<HashMap<Uuid, Instant>>,
}

impl Rates {
    /// Takes one from the bucket of a token (the generic cell rate algorithm, ITU-T I.371).
    pub fn take(&self, token: Uuid) -> Left {
        let now = Instant::now();
        let mut full_at = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        if full_at.len() >= MOST && !full_at.contains_key(&token) {
            full_at.retain(|_, at| *at > now);
        }
        let bucket = full_at.entry(token).or_insert(now);
        let full = (*bucket).max(now) + EVERY;
        let allowed = full <= now + EVERY * BURST;
        if allowed {
            *bucket = full;
        }
        let taken = bucket.saturating_duration_since(now);
        let used = u32::try_from(taken.as_millis().div_ceil(EVERY.as_millis())).unwrap_or(BURST);
        Left {
            allowed,
            remaining: BURST.saturating_sub(used),
            reset: taken.as_millis().div_ceil(1_000).try_into().unwrap_or(u64::MAX),
        }
    }
}

impl Left {
    /// Tells it in headers (draft-ietf-httpapi-ratelimit-headers-07).
    pub fn tell(self, headers: &mut HeaderMap) {
        for (name, value) in [
            ("ratelimit-limit", u64::from(BURST)),
            ("ratelimit-remaining", u64::from(self.remaining)),
            ("ratelimit-reset", self.reset),
        ] {
            headers.insert(HeaderName::from_static(name), HeaderValue::from(value));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_burst_passes_and_then_ten_a_second_for_each_token() {
        let rates = Rates::default();
        let (one, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        assert_eq!(rates.take(one).remaining, BURST - 1);
        for _ in 1..BURST {
            assert!(rates.take(one).allowed);
        }
        let left = rates.take(one);
        assert_eq!((left.allowed, left.remaining, left.reset), (false, 0, 20));
        assert!(rates.take(other).allowed, "every token has a bucket of its own");
        tokio::time::advance(Duration::from_millis(200)).await;
        assert!(rates.take(one).allowed && rates.take(one).allowed && !rates.take(one).allowed);
    }
}
