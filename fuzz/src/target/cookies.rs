//! The cookies of a request: whatever stands there, what is found is a part of it and nothing breaks.

use http::{HeaderMap, HeaderValue, header};
use tenantatlas_app::session::cookies::{SESSION_COOKIE, THEME_COOKIE, cookie, cookie_name, token_of};

pub fn check(input: &[u8]) {
    let mut headers = HeaderMap::new();
    for line in input.split(|byte| *byte == b'\n') {
        if let Ok(value) = HeaderValue::from_bytes(line) {
            headers.append(header::COOKIE, value);
        }
    }
    for name in [SESSION_COOKIE, THEME_COOKIE, "", "="] {
        if let Some(found) = cookie(&headers, name) {
            assert!(!found.contains(';'), "{found:?}");
            let whole = format!("{name}={found}");
            let sent = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
            assert!(sent.into_iter().any(|line| line.contains(&whole)), "{whole:?} was not sent");
        }
    }
    for secure in [false, true] {
        // Two of the name count as none.
        let found = token_of(&headers, SESSION_COOKIE, secure).is_some();
        assert!(!found || cookie(&headers, &cookie_name(SESSION_COOKIE, secure)).is_some());
    }
}
