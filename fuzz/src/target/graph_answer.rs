//! Every answer of Microsoft Graph is taken for what it is: a page, an object, the parts of a batch, or an error that can be
//! shown.

use http::StatusCode;
use serde_json::Value;
use tenantatlas_graph::{GraphError, has_partial_collection, testing, without_addresses};

pub fn check(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let whole: Option<Value> = serde_json::from_str(text).ok();
    if let (Some((items, link)), Some(whole)) = (testing::page(text), &whole) {
        let seen: Vec<Value> = items.iter().map(|item| serde_json::from_str(item).expect("an item is JSON")).collect();
        assert_eq!(whole.get("value"), Some(&Value::from(seen)), "a page is what a reader of all JSON sees in it");
        let stated = whole.get("@odata.nextLink").and_then(Value::as_str).filter(|link| !link.is_empty());
        assert_eq!(link.as_deref(), stated);
    }
    if let (Some(parts), Some(whole)) = (testing::batch(text), &whole) {
        let stated = whole.get("responses").and_then(Value::as_array).map_or(0, Vec::len);
        assert!(parts <= stated, "a batch has no more answers than it states");
    }
    let _ = testing::document(text);
    let _ = has_partial_collection(text);
    let status = StatusCode::from_u16(400 + u16::from(input.first().copied().unwrap_or_default()) % 200);
    let status = status.expect("a status of a refusal");
    is_presentable(&testing::refusal(status, text));
    is_presentable(&testing::sign_in_refusal(status, text));
    let _ = without_addresses(text);
}

/// An error reaches logs, the database and screens.
fn is_presentable(error: &GraphError) {
    assert!(error.message.chars().count() <= 300, "{error:?}");
    assert!(!error.message.chars().any(|letter| letter.is_control() || letter == '\u{202e}'), "{error:?}");
    for text in error.graph_code.iter().chain(&error.request_id) {
        assert!(text.chars().all(|letter| letter.is_ascii_graphic()), "{error:?}");
    }
}
