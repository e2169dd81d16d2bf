//! The clock of the server, as far as the browser knows it.

use std::cell::Cell;

thread_local! {
    /// How far the clock of the server is ahead of the browser's, milliseconds.
    static AHEAD: Cell<i64> = const { Cell::new(0) };
}

/// The clock of the server, as far as it is known, in milliseconds.
#[must_use]
pub fn server_now() -> i64 {
    browser_now() + AHEAD.get()
}

/// Learns what the clock of the server shows now, in milliseconds.
pub fn set(server: i64) {
    AHEAD.set(server - browser_now());
}

#[expect(clippy::cast_possible_truncation, reason = "milliseconds since 1970 fit")]
fn browser_now() -> i64 {
    js_sys::Date::now() as i64
}
