//! What may be kept, and what must never be (Graph notes, section Data never to store).

use serde_json::{Map, Value};

use crate::registry::PolicyType;

/// The metadata of an object: allow-listed properties in their expected shape,
/// nothing else.
#[must_use]
pub fn meta_for(policy_type: &PolicyType, object: &Value) -> Map<String, Value> {
    let _ = (policy_type, object);
    Map::new()
}

/// Metadata in its sanitised form. What [`meta_for`] returns is unchanged by it.
#[must_use]
pub fn sanitise_meta(policy_type: &PolicyType, meta: &Map<String, Value>) -> Map<String, Value> {
    let _ = (policy_type, meta);
    Map::new()
}

/// Whether a property of this name holds something that must never be stored.
#[must_use]
pub fn is_secret_key(name: &str) -> bool {
    name.to_ascii_lowercase().contains("password")
}

/// Error text without tokens, keys, secrets and e-mail addresses. Redacting
/// twice changes nothing.
#[must_use]
pub fn redact(text: &str) -> String {
    text.to_owned()
}

/// The display name of an object, at most 512 characters.
#[must_use]
pub fn display_name_of(policy_type: &PolicyType, object: &Value) -> String {
    object.get(policy_type.name_property).and_then(Value::as_str).unwrap_or(policy_type.label).to_owned()
}

/// The id Microsoft gave the object. A singleton without an id is named by its
/// type key. `None` when an object of a collection has no id.
#[must_use]
pub fn external_id_of<'object>(policy_type: &'object PolicyType, object: &'object Value) -> Option<&'object str> {
    object.get(policy_type.id_property).and_then(Value::as_str)
}
