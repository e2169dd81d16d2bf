//! What is stored of an object equals its own sanitised form, and is bounded.

use serde_json::Value;
use tenantatlas_domain::sanitise::{
    MAX_DISPLAY_NAME, MAX_META_LIST, MAX_META_TEXT, display_name_of, external_id_of, meta_for, sanitise_meta,
};

use crate::input;

pub fn check(input: &[u8]) {
    let (policy_type, object) = input::object(input);
    let meta = meta_for(policy_type, &object);
    assert_eq!(sanitise_meta(policy_type, &meta), meta, "what is stored equals its own sanitised form");
    meta.values().for_each(bounded);
    if let Value::Object(members) = &object {
        let once = sanitise_meta(policy_type, members);
        assert_eq!(sanitise_meta(policy_type, &once), once, "sanitising twice changes nothing");
        once.values().for_each(bounded);
    }
    let name = display_name_of(policy_type, &object);
    assert!(name.is_empty() || !name.trim().is_empty(), "{name:?} is blank");
    assert!(name.chars().count() <= MAX_DISPLAY_NAME, "{name:?}");
    assert!(external_id_of(policy_type, &object).is_none_or(|id| !id.is_empty()));
}

fn bounded(value: &Value) {
    match value {
        Value::String(text) => assert!(text.chars().count() <= MAX_META_TEXT, "{text:?}"),
        Value::Array(elements) => {
            assert!(elements.len() <= MAX_META_LIST, "{} elements", elements.len());
            elements.iter().for_each(bounded);
        }
        Value::Object(members) => {
            for one in members.values() {
                match one {
                    // The rows of assignments.
                    Value::Array(rows) => {
                        assert!(rows.len() <= MAX_META_LIST, "{} rows", rows.len());
                        rows.iter().filter_map(Value::as_object).flat_map(|row| row.values()).for_each(scalar);
                    }
                    one => scalar(one),
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn scalar(value: &Value) {
    assert!(!value.is_object() && !value.is_array(), "{value}");
    assert!(value.as_str().is_none_or(|text| text.chars().count() <= MAX_META_TEXT), "{value}");
}
