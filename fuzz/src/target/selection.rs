//! A selection from outside is refused or understood; the same choice in any order has the same hash.

use tenantatlas_domain::registry::registry;
use tenantatlas_domain::selection::{Selection, SelectionHash};

pub fn check(input: &[u8]) {
    let Ok(selection) = serde_json::from_slice::<Selection>(input) else { return };
    let hash = selection.hash();
    assert!(is_hash(&hash), "{hash:?}");
    let mut other = selection.clone();
    other.policy_types.reverse();
    other.policy_types.extend(selection.policy_types.first().cloned());
    other.categories.reverse();
    assert_eq!(other.hash(), hash, "order and repetition mean nothing");
    let again: Selection = serde_json::from_str(&selection.canonical_json()).expect("canonical JSON is a selection");
    assert_eq!((again.hash(), again.canonical_json()), (hash, selection.canonical_json()));
    if let Ok(resolved) = selection.resolve() {
        assert!(!resolved.plan.is_empty() && resolved.plan.len() <= registry().all().len(), "{resolved:?}");
    }
}

fn is_hash(hash: &SelectionHash) -> bool {
    let text = hash.as_str();
    text.len() == 64 && text.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
}
