//! What the evidence of findings says, in words.

use serde_json::Value;
use tenantatlas_domain::drift::{ChangeKind, FactChange, Reopened};
use tenantatlas_domain::invisible::visible_on_page;
use tenantatlas_domain::sanitise::META_ASSIGNMENTS;
use tenantatlas_domain::settings::{AssignmentChange, Row, SettingValue};
use tenantatlas_engine::{Explained, SettingsTold};
use tenantatlas_store::findings::{Evidence, Finding};
use tenantatlas_store::inventory::KnownNames;

use crate::inventory::item::{fact_words, property_label};
use crate::version::words::{assigned_otherwise, side_words, target_label};

/// Characters of a value that are shown in a row.
const VALUE: usize = 60;
/// Lines about a finding that is new again, at most.
const LINES: usize = 5;

/// A fact that changed, with what it was and is: one line, of assignments one for each target.
pub(super) fn fact_lines(names: &KnownNames, fact: &FactChange) -> Vec<String> {
    fact_sides(names, fact).into_iter().map(|(what, old, new)| format!("{what}: {old} → {new}")).collect()
}

/// What of a fact changed, what it was and what it is.
fn fact_sides(names: &KnownNames, fact: &FactChange) -> Vec<(String, String, String)> {
    if fact.name == META_ASSIGNMENTS {
        let changes = assigned_otherwise(names, Some(&fact.old), Some(&fact.new));
        return changes.into_iter().map(|one| (one.whom, one.before, one.after)).collect();
    }
    let words = |value: &Value| match value {
        Value::Null => "nothing".to_owned(),
        value => fact_words(&fact.name, value, names),
    };
    vec![(property_label(&fact.name), words(&fact.old), words(&fact.new))]
}

/// All that a finding says of what changed, a line for each thing: the settings and assignments where versions tell them, else
/// the facts that are kept; and of one that is new again what was accepted and what is there. Values only for whoever may see them.
#[must_use]
pub fn lines(names: &KnownNames, finding: &Finding, explained: &Explained, may_see: bool) -> Vec<String> {
    let mut lines = match &explained.settings {
        SettingsTold::Told { rows, assignments, .. } => {
            let rows = rows.iter().map(|row| setting_line(row, may_see));
            let assignments = assignments.iter().map(|one| {
                let (whom, old, new) = assignment_sides(names, one);
                format!("{whom}: {old} → {new}")
            });
            rows.chain(assignments).collect()
        }
        _ => finding.evidence.facts.iter().flat_map(|fact| fact_lines(names, fact)).collect::<Vec<_>>(),
    };
    let name = |name: &Option<String>| name.clone().unwrap_or_default();
    if finding.kind == ChangeKind::Renamed {
        lines.push(format!("{} → {}", name(&finding.evidence.name_before), name(&finding.evidence.name_now)));
    }
    let accepted = finding.accepted_evidence.as_ref().filter(|_| finding.reopened == Some(Reopened::OtherValue));
    if let Some(accepted) = accepted {
        let sides = (accepted, &finding.evidence);
        lines.extend(since_accepted(names, finding.kind, sides, explained.since_accepted.as_ref(), may_see));
    }
    lines
}

/// A setting by its name, with its values for whoever may see them.
pub(super) fn setting_line(row: &Row, may_see: bool) -> String {
    let title = setting_title(row);
    match may_see {
        true => format!("{title}: {} → {}", side_value(row, row.old.as_ref()), side_value(row, row.new.as_ref())),
        false => title,
    }
}

/// The whole name of a setting.
fn setting_title(row: &Row) -> String {
    row.above.iter().chain([&row.title]).cloned().collect::<Vec<_>>().join(" › ")
}

/// A side of a setting, its beginning.
fn side_value(row: &Row, side: Option<&SettingValue>) -> String {
    let words = side.map_or_else(|| "not set".to_owned(), |side| side.words_of(row.property.as_deref()));
    match words.char_indices().nth(VALUE) {
        Some((end, _)) => format!("{}…", &words[..end]),
        None => words,
    }
}

/// Whom an assignment names, and how it is meant on both sides.
pub(super) fn assignment_sides(names: &KnownNames, one: &AssignmentChange) -> (String, String, String) {
    let side =
        |side: &Option<_>| side.as_ref().map_or_else(|| "not assigned".to_owned(), |side| side_words(names, side));
    (target_label(names, one.kind, &one.id), side(&one.old), side(&one.new))
}

/// What was accepted of a finding that is new again, and what is there now: a line for each thing that differs. Values only for
/// whoever may see them; of a secret never.
pub(super) fn since_accepted(
    names: &KnownNames,
    kind: ChangeKind,
    (accepted, now): (&Evidence, &Evidence),
    since: Option<&SettingsTold>,
    may_see: bool,
) -> Vec<String> {
    let line = |what: &str, (accepted, now): (String, String)| accepted_line(what, &accepted, &now);
    let mut lines = match (kind, since) {
        (ChangeKind::Renamed, _) => {
            let name = |evidence: &Evidence| quoted(&evidence.name_now.clone().unwrap_or_default());
            vec![line("Name", (name(accepted), name(now)))]
        }
        _ if accepted.content_now.is_none() || now.content_now.is_none() => {
            let there = |evidence: &Evidence| if evidence.content_now.is_some() { "the object" } else { "its absence" };
            vec![line("The object", (there(accepted).to_owned(), there(now).to_owned()))]
        }
        (_, Some(SettingsTold::Told { rows, assignments, more, .. })) => {
            let settings = rows.iter().map(|row| match may_see && !is_secret(row) {
                true => {
                    let side = |side: Option<&SettingValue>| {
                        let words = side_value(row, side);
                        if side.is_some() { quoted(&words) } else { words }
                    };
                    line(&setting_title(row), (side(row.old.as_ref()), side(row.new.as_ref())))
                }
                false => format!("{}: another value than the accepted one", setting_title(row)),
            });
            let assigned = assignments.iter().map(|one| {
                let (whom, old, new) = assignment_sides(names, one);
                line(&whom, (old, new))
            });
            let mut lines: Vec<String> = settings.chain(assigned).collect();
            let left = more + lines.len().saturating_sub(LINES);
            lines.truncate(LINES);
            lines.extend((left > 0).then(|| format!("{left} more")));
            lines
        }
        _ => facts_since(names, accepted, now),
    };
    if lines.is_empty() {
        let why = since.and_then(SettingsTold::note).map(|note| format!(": {note}")).unwrap_or_default();
        lines.push(format!("Another value than the accepted one is there; which cannot be said{why}"));
    }
    lines.into_iter().map(|line| visible_on_page(&line).into_owned()).collect()
}

fn accepted_line(what: &str, accepted: &str, now: &str) -> String {
    format!("{what}: accepted was {accepted}, there is {now}")
}

/// A value as it stands in a sentence.
fn quoted(value: &str) -> String {
    format!("“{value}”")
}

fn is_secret(row: &Row) -> bool {
    [&row.old, &row.new].into_iter().flatten().any(|value| matches!(value, SettingValue::Withheld { .. }))
}

/// The facts that are others than they were when the finding was accepted. What one side does not name is as in the baseline.
fn facts_since(names: &KnownNames, accepted: &Evidence, now: &Evidence) -> Vec<String> {
    let of = |evidence: &Evidence, name: &str| evidence.facts.iter().find(|fact| fact.name == name).cloned();
    let mut lines = Vec::new();
    let mut seen: Vec<&str> = Vec::new();
    for fact in accepted.facts.iter().chain(&now.facts) {
        if seen.contains(&fact.name.as_str()) {
            continue;
        }
        seen.push(&fact.name);
        let (then, now) = (of(accepted, &fact.name), of(now, &fact.name));
        let baseline = then.as_ref().or(now.as_ref()).map(|fact| fact.old.clone()).unwrap_or_default();
        let value = |side: Option<FactChange>| side.map_or_else(|| baseline.clone(), |fact| fact.new);
        let change = FactChange { name: fact.name.clone(), old: value(then), new: value(now) };
        if change.old == change.new {
            continue;
        }
        let side = |value: &Value, words: String| match value {
            Value::Null => words,
            _ if change.name == META_ASSIGNMENTS => words,
            _ => quoted(&words),
        };
        let sides = fact_sides(names, &change).into_iter();
        let sides = sides.map(|(what, old, new)| (what, side(&change.old, old), side(&change.new, new)));
        lines.extend(sides.map(|(what, accepted, now)| accepted_line(&what, &accepted, &now)));
    }
    lines
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tenantatlas_domain::normalise::observation_hash;

    use super::*;

    fn evidence(facts: &[(&str, Value, Value)]) -> Evidence {
        let fact = |(name, old, new): &(&str, Value, Value)| FactChange {
            name: (*name).to_owned(),
            old: old.clone(),
            new: new.clone(),
        };
        Evidence {
            content_now: Some(observation_hash(facts.len().to_string().as_bytes())),
            facts: facts.iter().map(fact).collect(),
            ..Evidence::default()
        }
    }

    fn told(kind: ChangeKind, accepted: &Evidence, now: &Evidence) -> Vec<String> {
        since_accepted(&KnownNames::default(), kind, (accepted, now), None, true)
    }

    #[test]
    fn a_finding_that_is_new_again_says_what_was_accepted_and_what_is_there_and_no_hash() {
        let accepted = evidence(&[("state", json!("enabled"), json!("disabled"))]);
        let now =
            evidence(&[("state", json!("enabled"), json!("report")), ("platforms", json!("iOS"), json!("macOS"))]);
        assert_eq!(
            told(ChangeKind::Modified, &accepted, &now),
            [
                "State: accepted was “disabled”, there is “report”",
                "Platforms: accepted was “iOS/iPadOS”, there is “macOS”"
            ]
        );
        let described = evidence(&[("description", json!("a"), json!("Managed by us, revision 1"))]);
        let bare = evidence(&[("description", json!("a"), Value::Null)]);
        assert_eq!(
            told(ChangeKind::Modified, &described, &bare),
            ["Description: accepted was “Managed by us, revision 1”, there is nothing"],
            "where a value ends is seen"
        );
        let nothing = told(ChangeKind::Modified, &accepted, &accepted);
        assert!(nothing.len() == 1 && nothing[0].contains("cannot be said"), "{nothing:?}");
        let named = |name: &str| Evidence { name_now: Some(name.to_owned()), ..accepted.clone() };
        assert_eq!(told(ChangeKind::Renamed, &named("B"), &named("C")), ["Name: accepted was “B”, there is “C”"]);
        let gone = Evidence::default();
        assert_eq!(
            told(ChangeKind::Added, &gone, &accepted),
            ["The object: accepted was its absence, there is the object"]
        );
    }

    #[test]
    fn a_secret_that_is_another_than_the_accepted_one_is_another_value_without_it() {
        let withheld = |kind: &str| Some(SettingValue::Withheld { kind: kind.to_owned(), fingerprint: None });
        let row =
            Row { old: withheld("credential"), new: withheld("credential"), title: "Key".to_owned(), ..Row::default() };
        let since =
            SettingsTold::Told { from: 1, to: 2, rows: vec![row], more: 0, assignments: Vec::new(), not_comparable: 0 };
        let sides = (&evidence(&[]), &evidence(&[]));
        let told = since_accepted(&KnownNames::default(), ChangeKind::Modified, sides, Some(&since), true);
        assert_eq!(told, ["Key: another value than the accepted one"]);
    }
}
