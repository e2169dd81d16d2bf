//! Canonical JSON is JSON of the same value, and its own canonical form.

use serde_json::Value;
use tenantatlas_domain::canonical::to_canonical_string;

use crate::input;

pub fn check(input: &[u8]) {
    let value = input::value(input);
    let text = to_canonical_string(&value);
    let read: Value = serde_json::from_str(&text).expect("canonical JSON is JSON");
    assert_eq!(to_canonical_string(&read), text, "the form of {value}");
    assert!(!text.contains(['\n', '\r', '\t']), "{text:?}");
}
