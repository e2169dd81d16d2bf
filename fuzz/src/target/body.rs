//! A body keeps the content of its object, none of its credentials, and is no other than itself.

use serde_json::Value;
use tenantatlas_domain::body::{Body, put_together};
use tenantatlas_domain::normalise::{ContentHash, Normaliser, WITHHELD};
use tenantatlas_domain::registry::recipe;

use crate::input;

pub fn check(input: &[u8]) {
    let (policy_type, object) = input::object(input);
    let normaliser = Normaliser::new(&[7; 32]);
    let recipe = recipe(policy_type).expect("every type has a recipe");
    let body = Body::of(&normaliser, policy_type, recipe, object.clone(), &[]);
    assert_eq!(body, Body::of(&normaliser, policy_type, recipe, object.clone(), &[]), "the same object, the same body");
    let hashes: Vec<(String, ContentHash)> =
        body.slots.iter().map(|slot| (slot.name.clone(), slot.content_hash)).collect();
    assert!(!body.differs_from(&hashes, &body.lacks));
    let marks = body.slots.iter().map(|slot| marks(&slot.value)).sum::<u64>();
    assert!(marks >= body.withheld.min(1), "{marks} marks for {}", body.withheld);
    let whole = put_together(body.slots.into_iter().map(|slot| (slot.name, slot.value)));
    assert_eq!(normaliser.content_hash(policy_type, &whole), body.content_hash, "the content is that of the parts");
    assert_no_credential(&whole);
}

/// How many values are told by a mark. Those within an encoded text are not seen here.
fn marks(value: &Value) -> u64 {
    match value {
        Value::Array(elements) => elements.iter().map(marks).sum(),
        Value::Object(members) if members.contains_key(WITHHELD) => 1,
        Value::Object(members) => members.values().map(marks).sum(),
        Value::String(text) => u64::from(text.len() > 40),
        _ => 0,
    }
}

fn assert_no_credential(value: &Value) {
    match value {
        Value::Array(elements) => elements.iter().for_each(assert_no_credential),
        Value::Object(members) => {
            for name in ["preSharedKey", "password", "tokenValue", "sharedSecret"] {
                let kept = members.get(name).and_then(Value::as_str);
                assert!(kept.is_none_or(str::is_empty), "{name} is kept: {kept:?}");
            }
            members.values().for_each(assert_no_credential);
        }
        _ => {}
    }
}
