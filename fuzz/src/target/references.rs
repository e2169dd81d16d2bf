//! The edges of an object are few, short, and each once.

use std::collections::HashSet;

use tenantatlas_domain::references::{MAX_EDGES, extract};

use crate::input;

pub fn check(input: &[u8]) {
    let (policy_type, object) = input::object(input);
    let edges = extract(policy_type, &object);
    assert!(edges.kept.len() <= MAX_EDGES);
    assert!(edges.omitted == 0 || edges.kept.len() == MAX_EDGES, "nothing is left out while there is room");
    let mut seen = HashSet::new();
    for edge in &edges.kept {
        assert!(edge.raw.chars().count() <= 200, "{edge:?}");
        let id = &edge.target.external_id;
        assert!(!id.is_empty() && id.chars().count() <= 256, "{edge:?}");
        assert!(seen.insert((edge.relationship, &edge.target)), "twice: {edge:?}");
    }
    assert_eq!(extract(policy_type, &object), edges);
}
