//! The parts of the content of an object: what it is called, to whom it is assigned, and all else.

use std::ops::Range;

use sha2::{Digest, Sha256};

use super::noise::holds_assignments;
use crate::registry::PolicyType;

/// What a member of the object itself is part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// The name of the object.
    Name,
    /// Whom it is assigned to.
    Assignments,
    /// Everything else: what it sets.
    Settings,
}

impl Part {
    pub(super) fn of(policy_type: &PolicyType, key: &str) -> Self {
        if key == policy_type.name_property {
            Self::Name
        } else if holds_assignments(key) {
            Self::Assignments
        } else {
            Self::Settings
        }
    }
}

/// Digests of parts of the normalised content: 64 bits of a SHA-256 each. They tell *what* differs between two contents of
/// which the content hash says *that* they differ, and are as little comparable between versions of the normaliser.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ContentParts {
    /// Of everything but the name and the assignments.
    pub settings: i64,
    /// Of the assignments.
    pub assignments: i64,
}

impl ContentParts {
    pub(super) fn of(text: &[u8], members: &[(Part, Range<usize>)]) -> Self {
        let digest = |wanted: Part| {
            let mut digest = Sha256::new();
            for (_, range) in members.iter().filter(|(part, _)| *part == wanted) {
                digest.update(&text[range.clone()]);
                digest.update(b",");
            }
            let hash: [u8; 32] = digest.finalize().into();
            hash.first_chunk().map_or(0, |bytes| i64::from_le_bytes(*bytes))
        };
        Self { settings: digest(Part::Settings), assignments: digest(Part::Assignments) }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::normalise::{ContentParts, Normaliser};
    use crate::registry::registry;

    fn parts(key: &str, object: &Value) -> ContentParts {
        Normaliser::new(&[7; 32]).content_in_parts(registry().get(key).unwrap(), object).1
    }

    fn policy(name: &str, group: Option<&str>, setting: u32) -> Value {
        let assigned = group.map(|id| json!([{"id": "1", "target": {"@odata.type": "#g", "groupId": id}}]));
        json!({"@odata.type": "#microsoft.graph.x", "displayName": name, "assignments": assigned, "x": setting})
    }

    #[test]
    fn each_part_moves_alone_whether_its_member_is_there_or_not() {
        let key = "deviceConfiguration";
        let plain = parts(key, &policy("a", None, 1));
        assert_eq!(parts(key, &policy("b", None, 1)), plain, "the name is in neither");
        let assigned = parts(key, &policy("a", Some("g"), 1));
        assert_eq!(assigned.settings, plain.settings);
        assert_ne!(assigned.assignments, plain.assignments);
        let set = parts(key, &policy("a", Some("g"), 2));
        assert_ne!(set.settings, plain.settings);
        assert_eq!(set.assignments, assigned.assignments);
    }

    #[test]
    fn the_hash_that_comes_with_the_parts_is_the_content_hash() {
        let normaliser = Normaliser::new(&[7; 32]);
        for (key, object) in [
            ("settingsCatalogPolicy", json!({"name": "n", "settings": [{"a": 1}], "assignments": []})),
            ("deviceConfiguration", json!({})),
            ("deviceConfiguration", json!(null)),
        ] {
            let policy_type = registry().get(key).unwrap();
            let (hash, _) = normaliser.content_in_parts(policy_type, &object);
            assert_eq!(hash, normaliser.content_hash(policy_type, &object));
        }
    }

    #[test]
    fn a_setting_called_like_a_list_of_assignments_deep_in_a_policy_is_a_setting() {
        let key = "deviceConfiguration";
        let with = |inner: Value| parts(key, &json!({"displayName": "a", "x": {"assignments": inner}}));
        assert_ne!(with(json!([1])).settings, with(json!([2])).settings);
        assert_eq!(with(json!([1])).assignments, with(json!([2])).assignments);
    }
}
