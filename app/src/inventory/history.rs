//! What an item was, state by state, on its page. What one sync found of it is one state and one row, in as many ways as it
//! changed: in those by which a comparison tells findings apart.

use std::collections::{BTreeSet, HashMap};

use leptos::prelude::*;
use tenantatlas_domain::drift::{ChangeKind, ItemState, Sides, changed_facts, changes};
use tenantatlas_domain::invisible::visible_on_page;
use tenantatlas_domain::normalise::ContentHash;
use tenantatlas_domain::references::same_summary;
use tenantatlas_domain::registry::{PolicyType, registry};
use tenantatlas_domain::sanitise::META_ASSIGNMENTS;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_store::inventory::{ItemVersion, KnownNames};

use super::item::{ItemDetail, fact_words, property_label};
use crate::scope::Inside;
use crate::ui::card::section_card;
use crate::ui::drawn::Drawn as _;
use crate::ui::time::{day, moment};
use crate::version::words::{AssignedOtherwise, assigned_otherwise};

/// One difference between two states of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
struct FieldChange {
    /// The way of changing that it is a part of; none of times and counters, which follow any change.
    kind: Option<ChangeKind>,
    /// The name of the field.
    field: String,
    /// What it was; none when it was not there.
    before: Option<String>,
    /// What it is; none when it went.
    after: Option<String>,
}

/// What a state says of the one before it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Told {
    /// In which ways it changed, in words.
    words: String,
    /// What is known of it.
    fields: Vec<FieldChange>,
    /// What else changed, of which no more is known than that.
    unshown: Option<&'static str>,
}

/// The states of an item, the current one first.
pub fn history(inside: &Inside, detail: &ItemDetail) -> AnyView {
    let states = detail.history.iter().enumerate();
    let policy_type = registry().get(&detail.row.item.policy_type);
    let names = (policy_type, &detail.names);
    let rows = states.map(|(at, state)| {
        let before = detail.history.get(at + 1);
        let kept = pair(&detail.versions_at, before, state).map(|(from, to)| {
            let href = inside.address().difference(detail.row.item.id, from, to);
            view! { <a href=href>{format!("What changed between versions {from} and {to}")}</a> }.drawn()
        });
        row(state, &told(names, before, state), kept)
    });
    let rows = rows.collect_view();
    section_card(
        "history",
        "History",
        view! {
            <ol class="history">{rows}</ol>
        },
    )
}

/// The versions that are kept of a state and of the one before it, where they are two.
fn pair(kept: &HashMap<ContentHash, u64>, before: Option<&ItemVersion>, state: &ItemVersion) -> Option<(u64, u64)> {
    let (from, to) = (kept.get(&before?.content_hash)?, kept.get(&state.content_hash)?);
    (from != to).then_some((*from, *to))
}

/// A state, with the way to what changed where versions of it and of the one before it are `kept`.
fn row(state: &ItemVersion, told: &Told, kept: Option<AnyView>) -> AnyView {
    let more = match (told.unshown, kept) {
        (what, Some(kept)) => Some(view! { <p class="quiet-text">{what}" "{kept}"."</p> }.drawn()),
        (Some(what), None) => {
            let why = " A sync notes that they changed, not what they are; a capture keeps versions.";
            Some(view! { <p class="quiet-text">{what}{why}</p> }.drawn())
        }
        (None, None) => None,
    };
    view! {
        <li>
            <p><strong>{told.words.clone()}</strong>" "{moment(state.observed_at.as_millis())}</p>
            {more}
            {(!told.fields.is_empty()).then(|| difference(&told.fields))}
        </li>
    }
    .drawn()
}

/// The type of an item, and what the tenant is known to call those whom its states name.
type Names<'item> = (Option<&'static PolicyType>, &'item KnownNames);

fn told(names: Names<'_>, before: Option<&ItemVersion>, state: &ItemVersion) -> Told {
    let only = |words: &str| Told { words: words.to_owned(), ..Told::default() };
    let Some(before) = before else { return only("Seen for the first time") };
    let sides = Sides { before: Some(state_of(before)), now: Some(state_of(state)) };
    let Ok(changes) = changes(&sides) else {
        return only("Read with a newer way of comparing; this is no change in the tenant");
    };
    let mut kinds: Vec<ChangeKind> = changes.iter().map(|change| change.kind).collect();
    let fields = differences(names, before, state);
    // Facts are kept of what digests do not cover, and of states from before there were any.
    kinds.extend(fields.iter().filter_map(|field| field.kind));
    kinds.sort_unstable();
    kinds.dedup();
    let is_shown = |kind: ChangeKind| fields.iter().any(|field| field.kind == Some(kind));
    let is_unshown = |kind: ChangeKind| kinds.contains(&kind) && !is_shown(kind);
    let are_told_apart = |one: &ItemVersion| one.settings_digest.is_some() && one.assignments_digest.is_some();
    let unshown = match (is_unshown(ChangeKind::Modified), is_unshown(ChangeKind::Reassigned)) {
        (true, true) => Some("Its settings and its assignments changed."),
        (true, false) if are_told_apart(before) && are_told_apart(state) => Some("Its settings changed."),
        (true, false) => Some("Its settings or assignments changed."),
        (false, true) => Some("Its assignments changed."),
        (false, false) => None,
    };
    Told { words: words_of(&kinds), fields, unshown }
}

fn state_of(version: &ItemVersion) -> ItemState {
    ItemState {
        content_hash: version.content_hash,
        normaliser_version: version.normaliser_version,
        display_name: version.display_name.clone(),
        settings: version.settings_digest,
        assignments: version.assignments_digest,
        since_seq: version.from_seq,
    }
}

/// `Renamed, modified and assigned otherwise`.
fn words_of(kinds: &[ChangeKind]) -> String {
    let labels: Vec<String> = kinds
        .iter()
        .enumerate()
        .map(|(at, kind)| if at == 0 { kind.label().to_owned() } else { kind.label().to_lowercase() })
        .collect();
    match labels.split_last() {
        None => "Changed".to_owned(),
        Some((only, [])) => only.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
    }
}

/// The differences between two states: names, platforms and allow-listed facts. What differs only in the content that
/// is not kept (its hash) gives an empty list.
fn differences((policy_type, names): Names<'_>, before: &ItemVersion, after: &ItemVersion) -> Vec<FieldChange> {
    let mut changes = Vec::new();
    let mut compare = |kind: Option<ChangeKind>, field: String, before: Option<String>, after: Option<String>| {
        if before != after {
            changes.push(FieldChange { kind, field, before, after });
        }
    };
    let name = |version: &ItemVersion| Some(visible_on_page(&version.display_name).into_owned());
    compare(Some(ChangeKind::Renamed), "Name".to_owned(), name(before), name(after));
    let platform = |version: &ItemVersion| Some(version.platform.clone());
    compare(Some(ChangeKind::Modified), "Platform".to_owned(), platform(before), platform(after));
    let saying = policy_type.map(|policy_type| changed_facts(policy_type, &before.meta, &after.meta));
    let keys: BTreeSet<&String> = before.meta.keys().chain(after.meta.keys()).collect();
    for key in keys.into_iter().filter(|key| key.as_str() != META_ASSIGNMENTS) {
        let words = |version: &ItemVersion| version.meta.get(key).map(|value| fact_words(key, value, names));
        let says = saying.as_ref().is_none_or(|facts| facts.iter().any(|fact| fact.name == *key));
        compare(says.then_some(ChangeKind::Modified), property_label(key), words(before), words(after));
    }
    changes.extend(assignments_changed(names, before, after));
    changes
}

/// How the assignments differ that two states keep. Those of a state from before targets were kept are told by their numbers
/// where these differ.
fn assignments_changed(names: &KnownNames, before: &ItemVersion, after: &ItemVersion) -> Vec<FieldChange> {
    let sides = (before.meta.get(META_ASSIGNMENTS), after.meta.get(META_ASSIGNMENTS));
    let same = match sides {
        (Some(before), Some(after)) => same_summary(before, after),
        (before, after) => before == after,
    };
    if same {
        return Vec::new();
    }
    let changes = assigned_otherwise(names, sides.0, sides.1).into_iter();
    let change = |one: AssignedOtherwise| {
        let field = if one.is_summary { one.whom } else { format!("Assigned to {}", one.whom) };
        FieldChange { kind: Some(ChangeKind::Reassigned), field, before: Some(one.before), after: Some(one.after) }
    };
    changes.map(change).collect()
}

fn difference(changes: &[FieldChange]) -> AnyView {
    let rows = changes
        .iter()
        .map(|change| {
            view! {
                <span>{change.field.clone()}</span>
                <span class="before"><span class="which">"Before: "</span>{field_value(change.before.as_deref(), "not there")}</span>
                <span class="after"><span class="which">"After: "</span>{field_value(change.after.as_deref(), "gone")}</span>
            }
        })
        .collect_view();
    view! { <div class="difference">{rows}</div> }.drawn()
}

/// A value of a field; a time as the person's own.
fn field_value(value: Option<&str>, otherwise: &'static str) -> AnyView {
    let Some(text) = value else { return otherwise.drawn() };
    match Timestamp::parse_rfc3339(text).filter(|_| text.contains('T')) {
        Some(at) => day(at.as_millis()),
        None => text.to_owned().drawn(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn state(seq: i64, name: &str, digests: Option<(i64, i64)>, meta: &Value) -> ItemVersion {
        ItemVersion {
            from_seq: seq,
            run_id: None,
            observed_at: Timestamp::from_millis(seq),
            until_seq: None,
            display_name: name.to_owned(),
            platform: "windows".to_owned(),
            content_hash: ContentHash([u8::try_from(seq).unwrap(); 32]),
            normaliser_version: 1,
            settings_digest: digests.map(|digests| digests.0),
            assignments_digest: digests.map(|digests| digests.1),
            meta: meta.as_object().cloned().unwrap(),
        }
    }

    fn of(before: &ItemVersion, now: &ItemVersion) -> Told {
        told((registry().get("conditionalAccessPolicy"), &KnownNames::default()), Some(before), now)
    }

    #[test]
    fn what_was_renamed_and_changed_in_one_go_is_one_row_that_says_both() {
        let at = |day: u8| json!({"lastModifiedDateTime": format!("2026-01-0{day}T00:00:00Z")});
        let before = state(1, "Old", Some((1, 1)), &at(1));
        let told = of(&before, &state(2, "New", Some((2, 1)), &at(2)));
        assert_eq!((told.words.as_str(), told.unshown), ("Modified and renamed", Some("Its settings changed.")));
        let fields: Vec<&str> = told.fields.iter().map(|field| field.field.as_str()).collect();
        assert_eq!(fields, ["Name", "Last modified"]);
        let all = of(&before, &state(2, "New", Some((2, 2)), &at(2)));
        assert_eq!(all.words, "Modified, assignments changed and renamed");
        assert_eq!(all.unshown, Some("Its settings and its assignments changed."));
        let renamed = of(&before, &state(2, "New", Some((1, 1)), &at(2)));
        assert_eq!((renamed.words.as_str(), renamed.unshown), ("Renamed", None), "a clock is no setting");
    }

    #[test]
    fn a_change_that_is_shown_is_not_said_again_and_one_of_before_digests_is_said_as_it_is_known() {
        let before = state(1, "A", Some((1, 1)), &json!({"state": "enabled"}));
        let told = of(&before, &state(2, "A", Some((2, 1)), &json!({"state": "disabled"})));
        assert_eq!((told.words.as_str(), told.unshown, told.fields.len()), ("Modified", None, 1));
        let old = state(1, "A", None, &json!({}));
        let told = of(&old, &state(2, "A", Some((2, 1)), &json!({})));
        assert_eq!(told.unshown, Some("Its settings or assignments changed."));
        let told = of(&old, &state(2, "B", Some((2, 1)), &json!({"state": "disabled"})));
        assert_eq!((told.words.as_str(), told.unshown), ("Modified and renamed", None));
        let mut newer = state(2, "B", Some((2, 1)), &json!({}));
        newer.normaliser_version = 2;
        assert!(of(&old, &newer).words.contains("no change in the tenant") && of(&old, &newer).fields.is_empty());
    }

    #[test]
    fn a_change_of_which_both_versions_are_kept_leads_to_their_difference_and_no_other_does() {
        let of = |seq: i64| state(seq, "A", None, &json!({}));
        let kept = HashMap::from([(of(1).content_hash, 1), (of(2).content_hash, 3), (of(3).content_hash, 3)]);
        assert_eq!(pair(&kept, Some(&of(1)), &of(2)), Some((1, 3)));
        assert_eq!(pair(&kept, Some(&of(2)), &of(3)), None, "one version was found at both");
        assert_eq!(pair(&kept, Some(&of(1)), &of(4)), None);
        assert_eq!(pair(&kept, None, &of(1)), None);
    }
}
