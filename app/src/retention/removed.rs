//! What a pruning removed, in words.

use serde_json::Value;

use crate::format::counted;

/// What is removed, as the audit log counts it, in the words of one and of many.
const KINDS: [(&str, &str, &str); 5] = [
    ("runs", "run", "runs"),
    ("syncs", "sync run", "sync runs"),
    ("notifications", "notification", "notifications"),
    ("versions", "version", "versions"),
    ("parts", "part of a body", "parts of bodies"),
];

/// What was removed, as the entry of the audit log counts it: `12 runs, 1 version`; `nothing`.
#[must_use]
pub fn removed_words(counts: &Value) -> String {
    let told = KINDS.into_iter().filter_map(|(kind, one, many)| {
        let count = counts[kind].as_u64().filter(|count| *count > 0)?;
        Some(counted(count, one, many))
    });
    let told: Vec<String> = told.collect();
    if told.is_empty() { "nothing".to_owned() } else { told.join(", ") }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::removed_words;

    #[test]
    fn what_was_removed_is_told_by_kind_and_nothing_as_nothing() {
        assert_eq!(
            removed_words(&json!({ "runs": 1, "syncs": 2, "notifications": 0, "versions": 12 })),
            "1 run, 2 sync runs, 12 versions"
        );
        assert_eq!(removed_words(&json!({})), "nothing");
    }
}
