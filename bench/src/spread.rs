//! How measured times are spread.

use std::time::Duration;

/// Times in order.
pub struct Spread(Vec<Duration>);

impl Spread {
    /// Puts times in order.
    pub fn of(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        Self(times)
    }

    /// The time, in milliseconds, that this share of all did not exceed; 0.0 when nothing was measured.
    pub fn at(&self, share: f64) -> f64 {
        let index = (self.0.len().saturating_sub(1) as f64 * share) as usize;
        self.0.get(index).map_or(0.0, |time| time.as_secs_f64() * 1_000.0)
    }

    /// How many were measured.
    pub fn len(&self) -> usize {
        self.0.len()
    }
}
