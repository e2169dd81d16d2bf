//! A time is refused or read; what is read is written so that it is read as the same.

use tenantatlas_domain::time::Timestamp;

/// The times of the years that RFC 3339 can write, in milliseconds.
const WRITABLE: std::ops::Range<i64> = -62_167_219_200_000..253_402_300_800_000;

pub fn check(input: &[u8]) {
    if let Some(at) = std::str::from_utf8(input).ok().and_then(Timestamp::parse_rfc3339) {
        written_and_read(at);
    }
    if let Some(millis) = input.first_chunk().map(|bytes| i64::from_le_bytes(*bytes)) {
        written_and_read(Timestamp::from_millis(millis));
        written_and_read(Timestamp::from_millis(millis >> 18));
    }
}

fn written_and_read(at: Timestamp) {
    let text = at.to_rfc3339();
    if WRITABLE.contains(&at.as_millis()) {
        assert_eq!(Timestamp::parse_rfc3339(&text), Some(at), "{text}");
    }
}
