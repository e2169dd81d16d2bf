//! How long what was read of an object spares reading it again.

use sha2::{Digest as _, Sha256};
use tenantatlas_domain::time::Timestamp;

/// What is concluded from something smaller than a whole read counts at most so long, in milliseconds: nobody promises that every
/// change moves a revision (`docs/rules.md`, section Inventory sync, Reading). Seven days.
const REREAD_AFTER: i64 = 7 * 24 * 3_600 * 1_000;

/// The number of the period in which details of an object are spared. Another one begins every seven days, for each object at a
/// moment of its own, so that what is read again spreads evenly.
pub(crate) fn reading_period(external_id: &str, now: Timestamp) -> i64 {
    let digest = Sha256::digest(external_id.as_bytes());
    let offset =
        digest.iter().take(8).fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte)) % REREAD_AFTER.unsigned_abs();
    now.as_millis().saturating_add_unsigned(offset).div_euclid(REREAD_AFTER)
}
