//! Times.

use tenantatlas_domain::time::Timestamp;

/// A time as RFC 3339 has it.
pub fn time(at: Timestamp) -> String {
    at.to_rfc3339()
}
