//! What stands in a version, in words.

use serde_json::Value;
use tenantatlas_domain::body::OBJECT_SLOT;
use tenantatlas_domain::live::humanise;
use tenantatlas_domain::references::{
    AssignedRow, TargetKind, changed_targets, filter_words, summary_words, target_words,
};
use tenantatlas_domain::settings::{AssignmentSide, property_title};
use tenantatlas_store::inventory::KnownNames;

/// What the settings of a slot are called that have no category.
#[must_use]
pub fn slot_label(slot: &str) -> String {
    if slot == OBJECT_SLOT { "General".to_owned() } else { property_title(slot) }
}

/// Whom a row of assignments names.
#[must_use]
pub fn target_label(names: &KnownNames, kind: TargetKind, id: &str) -> String {
    let (name, unnamed) = names.in_directory(id);
    target_words(kind, id, name, unnamed).into_owned()
}

/// How a row of assignments is meant, beside that its target is included or excluded.
#[must_use]
pub fn side_details(names: &KnownNames, side: &AssignmentSide) -> Vec<String> {
    let filter = side.filter.as_ref();
    let mut words: Vec<String> =
        filter.map(|filter| filter_words(filter.mode, &filter.id, names.filter(&filter.id))).into_iter().collect();
    words.extend(side.more.iter().map(|(property, value)| {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        format!("{} {value}", humanise(property.rsplit('/').next().unwrap_or(property)).to_lowercase())
    }));
    words
}

/// How a row of assignments is meant.
#[must_use]
pub fn side_words(names: &KnownNames, side: &AssignmentSide) -> String {
    let mut words = vec![if side.excluded { "excluded" } else { "included" }.to_owned()];
    words.extend(side_details(names, side));
    words.join(", ")
}

/// What an object was, or is, assigned to, before and after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssignedOtherwise {
    /// Whom the assignment names, or that it is about all of them.
    pub whom: String,
    /// Whether it is about all of them, by their numbers.
    pub is_summary: bool,
    /// How it was meant.
    pub before: String,
    /// How it is meant.
    pub after: String,
}

/// How two summaries of assignments differ, target by target. Where the targets of one side are not kept, or what differs is
/// nothing that they tell, one line with the numbers.
#[must_use]
pub fn assigned_otherwise(names: &KnownNames, before: Option<&Value>, after: Option<&Value>) -> Vec<AssignedOtherwise> {
    let changes = before.zip(after).and_then(|(before, after)| changed_targets(before, after)).unwrap_or_default();
    if changes.is_empty() {
        let words = |summary: Option<&Value>| match summary {
            None | Some(Value::Null) => "not read".to_owned(),
            Some(summary) => summary_words(summary),
        };
        let (before, after) = (words(before), words(after));
        let same = if before == after { " (which of them, or how, is not kept)" } else { "" };
        return vec![AssignedOtherwise { whom: format!("Assignments{same}"), is_summary: true, before, after }];
    }
    let changed = changes.into_iter().map(|change| AssignedOtherwise {
        whom: target_label(names, change.kind, &change.id),
        is_summary: false,
        before: rows_words(names, &change.old),
        after: rows_words(names, &change.new),
    });
    changed.collect()
}

/// How the rows of one target are meant.
fn rows_words(names: &KnownNames, rows: &[AssignedRow]) -> String {
    let words = rows.iter().map(|row| {
        let side = AssignmentSide { excluded: row.excluded, filter: row.filter.clone(), more: Vec::new() };
        let words = side_words(names, &side);
        row.intent.as_ref().map_or(words.clone(), |intent| format!("{words}, {}", humanise(intent).to_lowercase()))
    });
    let words: Vec<String> = words.collect();
    if words.is_empty() { "not assigned".to_owned() } else { words.join("; ") }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_target_that_is_assigned_otherwise_has_its_words_before_and_after() {
        let rows = |rows: Value| json!({"groups": 1, "targets": rows});
        let before = rows(json!([
            {"kind": "group", "id": "g1", "intent": "required", "filter": "f", "filter_mode": "include"},
            {"kind": "all_users", "id": "u"},
        ]));
        let after = rows(json!([
            {"kind": "all_users", "id": "u"},
            {"kind": "collection", "id": "SMS1"},
            {"kind": "unknown_target", "id": "targetOfNextYear", "excluded": true},
        ]));
        let told = assigned_otherwise(&KnownNames::default(), Some(&before), Some(&after));
        let told: Vec<_> =
            told.iter().map(|one| (one.whom.as_str(), one.before.as_str(), one.after.as_str())).collect();
        assert_eq!(
            told,
            [
                ("g1 (name not known)", "included, include filter f, required", "not assigned"),
                ("Configuration Manager collection SMS1", "not assigned", "included"),
                ("A target of a kind that is not known here: targetOfNextYear", "not assigned", "excluded"),
            ]
        );
    }

    #[test]
    fn assignments_of_which_only_numbers_are_kept_are_told_by_them_and_say_that_more_is_not_known() {
        let older = json!({"all_users": true, "groups": 2, "filters": 1});
        let told = |after: Value| assigned_otherwise(&KnownNames::default(), Some(&older), Some(&after)).remove(0);
        let fewer = told(json!({"all_users": true, "groups": 1}));
        assert_eq!(fewer.before, "all users, 2 groups, 1 filter whose mode is not told");
        assert_eq!((fewer.whom.as_str(), fewer.after.as_str()), ("Assignments", "all users, 1 group"));
        assert!(told(older.clone()).whom.contains("not kept"));
    }
}
