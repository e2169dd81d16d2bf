//! Which of the facts that are kept of an object changed.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::normalise::noise::{is_noise_everywhere, is_noise_of};
use crate::references::same_summary;
use crate::registry::{MetaKind, PolicyType};
use crate::sanitise::{META_ASSIGNMENTS, META_ODATA_TYPE, meta_fields};

/// A fact that is kept of an object and has another value than before. Facts are allow-listed: whoever sees the inventory may
/// see them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FactChange {
    /// The property by Microsoft's name.
    pub name: String,
    /// What it was; null where it was not there.
    pub old: Value,
    /// What it is; null where it is not there.
    pub new: Value,
}

/// The facts that differ, without those that say nothing when they change: times, counters, and whatever counts for no object
/// of the type.
#[must_use]
pub fn changed_facts(
    policy_type: &PolicyType,
    before: &Map<String, Value>,
    now: &Map<String, Value>,
) -> Vec<FactChange> {
    let says_something = |key: &str, path: &str, kind: MetaKind| {
        let last = path.rsplit('.').next().unwrap_or(path);
        kind != MetaKind::Time
            && ![key, last].iter().any(|key| is_noise_everywhere(key) || is_noise_of(policy_type, key))
    };
    let fields = meta_fields(policy_type).filter(|field| says_something(field.key, field.path, field.kind));
    [META_ODATA_TYPE, META_ASSIGNMENTS]
        .into_iter()
        .chain(fields.map(|field| field.key))
        .filter(|key| match (before.get(*key), now.get(*key)) {
            (Some(before), Some(now)) if *key == META_ASSIGNMENTS => !same_summary(before, now),
            (before, now) => !is_same(before, now),
        })
        .map(|key| FactChange {
            name: key.to_owned(),
            old: before.get(key).cloned().unwrap_or_default(),
            new: now.get(key).cloned().unwrap_or_default(),
        })
        .collect()
}

/// Lists of short texts are compared as sets.
fn is_same(before: Option<&Value>, now: Option<&Value>) -> bool {
    match (before, now) {
        (Some(Value::Array(before)), Some(Value::Array(now))) => {
            before.len() == now.len() && before.iter().all(|one| now.contains(one))
        }
        (before, now) => before == now,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::registry::registry;

    fn facts(key: &str, before: Value, now: Value) -> Vec<FactChange> {
        let map = |value: Value| value.as_object().cloned().unwrap();
        changed_facts(registry().get(key).unwrap(), &map(before), &map(now))
    }

    #[test]
    fn a_policy_that_was_switched_on_says_so_and_the_clock_says_nothing() {
        let before = json!({"state": "disabled", "modifiedDateTime": "2026-01-01T00:00:00Z",
            "lastModifiedDateTime": "2026-01-01T00:00:00Z", "roleScopeTagIds": ["0", "1"]});
        let now = json!({"state": "enabled", "modifiedDateTime": "2026-02-01T00:00:00Z",
            "lastModifiedDateTime": "2026-02-01T00:00:00Z", "roleScopeTagIds": ["1", "0"]});
        let changed = facts("conditionalAccessPolicy", before, now);
        assert_eq!(changed, [FactChange { name: "state".to_owned(), old: json!("disabled"), new: json!("enabled") }]);
    }

    #[test]
    fn a_fact_that_came_or_went_is_told_with_null_on_the_other_side_and_an_unlisted_one_never() {
        let changed =
            facts("deviceConfiguration", json!({"roleScopeTagIds": ["0"]}), json!({"secret": "x", "odataType": "y"}));
        let told: Vec<(&str, &Value, &Value)> =
            changed.iter().map(|fact| (fact.name.as_str(), &fact.old, &fact.new)).collect();
        assert_eq!(told, [("odataType", &json!(null), &json!("y")), ("roleScopeTagIds", &json!(["0"]), &json!(null))]);
    }
}
