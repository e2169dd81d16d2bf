//! A token is used only where it can stand in a header (RFC 6750, section 2.1).

use serde_json::Value;
use tenantatlas_graph::testing;

pub fn check(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    if !testing::is_token(text) {
        return;
    }
    let answer: Value = serde_json::from_str(text).expect("an answer with a token is JSON");
    let token = answer.get("access_token").and_then(Value::as_str).unwrap_or_default();
    assert!(!token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic()), "{token:?}");
}
