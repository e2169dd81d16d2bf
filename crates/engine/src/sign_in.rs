//! Signing in.

use std::time::Duration;

use tenantatlas_store::sign_in_attempts::Throttle;

/// Attempts at one account or from one address: eight are free within a quarter of an hour, then the wait doubles from
/// two seconds to five minutes.
pub const SIGN_IN_THROTTLE: Throttle = Throttle {
    window: Duration::from_secs(15 * 60),
    free: 8,
    first_wait: Duration::from_secs(2),
    longest_wait: Duration::from_secs(300),
};
