//! No `Retry-After` is waited for longer than a year, whatever it says (RFC 9110, section 10.2.3).

use std::time::SystemTime;

use tenantatlas_graph::parse_retry_after;

pub fn check(input: &[u8]) {
    let Ok(value) = std::str::from_utf8(input) else { return };
    let wait = parse_retry_after(value, SystemTime::UNIX_EPOCH);
    assert!(wait.is_none_or(|wait| wait.as_secs() <= 366 * 24 * 3_600), "{wait:?}");
}
