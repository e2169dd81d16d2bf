//! Leaving payloads out of a body that is shown.

use serde_json::{Map, Value};

use crate::normalise::WITHHELD;
use crate::normalise::secrets::{Held, ObjectKind, held};
use crate::normalise::withheld::content;

/// Puts a mark in place of every payload and every text of an administrator that may be a script, at any depth. Answers where
/// they stood, as JSON pointers: nothing of a body that has none is changed.
pub fn leave_out_payloads(body: &mut Value) -> Vec<String> {
    let mut left_out = Vec::new();
    if let Value::Object(members) = body {
        object(members, &mut String::new(), &mut left_out);
    }
    left_out
}

fn object(members: &mut Map<String, Value>, pointer: &mut String, left_out: &mut Vec<String>) {
    let kind = ObjectKind::of(members);
    let is_payload = |key: &str, value: &Value| value.is_string() && held(kind, members, key, value) == Held::Content;
    let payloads: Vec<String> =
        members.iter().filter(|(key, value)| is_payload(key, value)).map(|(key, _)| key.clone()).collect();
    for (key, value) in members.iter_mut() {
        let length = pointer.len();
        pointer.push('/');
        pointer.push_str(&key.replace('~', "~0").replace('/', "~1"));
        if payloads.contains(key) {
            *value = content(pointer);
            left_out.push(pointer.clone());
        } else {
            inside(value, pointer, left_out);
        }
        pointer.truncate(length);
    }
}

fn inside(value: &mut Value, pointer: &mut String, left_out: &mut Vec<String>) {
    match value {
        Value::Object(members) if !members.contains_key(WITHHELD) => object(members, pointer, left_out),
        Value::Array(elements) => {
            let length = pointer.len();
            for (position, element) in elements.iter_mut().enumerate() {
                pointer.push_str(&format!("/{position}"));
                inside(element, pointer, left_out);
                pointer.truncate(length);
            }
        }
        _ => {}
    }
}
