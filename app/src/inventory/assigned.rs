//! Whom an item is assigned to, in words: short for lists, whole for an item and for files.

use tenantatlas_domain::references::{FilterMode, TargetKind, filter_words, target_words};
use tenantatlas_store::inventory::{Assignment, ItemRow};

use crate::format::counted;

/// To whom an item is assigned, in few words, from its edges: `all users, 2 groups · 1 excluded · include filter`. None
/// where it tells no assignments, or was not read since these are kept.
#[must_use]
pub fn assigned_words(row: &ItemRow) -> Option<String> {
    if row.assignments.iter().all(is_application) && row.item.assigned.is_none() {
        return None;
    }
    let mut words = included_words(row);
    let excluded = row.assignments.iter().filter(|one| !one.is_included() && !is_application(one)).count();
    if words.is_empty() {
        // The edges that are kept may all be others of the many that it has.
        words = if row.item.assigned == Some(true) { "more than is listed" } else { "not assigned" }.to_owned();
    }
    if excluded > 0 {
        words.push_str(&format!(" · {excluded} excluded"));
    }
    let filters = row.assignments.iter().filter_map(|one| one.filter_mode);
    if let Some(filters) = mode_words(&filters.collect::<Vec<_>>()) {
        words.push_str(&format!(" · {filters}"));
    }
    Some(words)
}

/// An application is what Conditional Access protects, not whom it is for.
fn is_application(one: &Assignment) -> bool {
    one.target_kind == TargetKind::Application
}

fn included_words(row: &ItemRow) -> String {
    let count =
        |kind: TargetKind| row.assignments.iter().filter(move |one| one.is_included() && one.target_kind == kind);
    let mut parts: Vec<String> = Vec::new();
    for (kind, words) in [
        (TargetKind::AllUsers, "all users"),
        (TargetKind::AllDevices, "all devices"),
        (TargetKind::Guests, "guests and external users"),
    ] {
        parts.extend(count(kind).next().map(|_| words.to_owned()));
    }
    for (kind, one, many) in [
        (TargetKind::Group, "group", "groups"),
        (TargetKind::User, "user", "users"),
        (TargetKind::DirectoryRole, "directory role", "directory roles"),
        (TargetKind::ServicePrincipal, "service principal", "service principals"),
        (TargetKind::Collection, "Configuration Manager collection", "Configuration Manager collections"),
        (TargetKind::UnknownTarget, "target of an unknown kind", "targets of an unknown kind"),
        (TargetKind::Unresolved, "other target", "other targets"),
    ] {
        // Of more edges than are kept the summary has the number.
        let kept = count(kind).count() as u64;
        let number =
            if kind == TargetKind::Group && row.item.links_omitted > 0 { kept.max(counted_groups(row)) } else { kept };
        parts.extend((number > 0).then(|| counted(number, one, many)));
    }
    parts.join(", ")
}

fn counted_groups(row: &ItemRow) -> u64 {
    let summary = row.item.meta.get(tenantatlas_domain::sanitise::META_ASSIGNMENTS);
    summary.and_then(|summary| summary.get("groups")).and_then(serde_json::Value::as_u64).unwrap_or_default()
}

/// What the filters of assignments do.
fn mode_words(modes: &[FilterMode]) -> Option<&'static str> {
    let has = |mode: FilterMode| modes.contains(&mode);
    match (has(FilterMode::Include), has(FilterMode::Exclude)) {
        _ if modes.is_empty() => None,
        _ if has(FilterMode::Several) || has(FilterMode::Unknown) => Some("different filters"),
        (true, true) => Some("include and exclude filters"),
        (true, false) => Some("include filter"),
        (false, _) => Some("exclude filter"),
    }
}

/// The target of an assignment as a page shows it.
#[must_use]
pub fn target_of(one: &Assignment) -> String {
    target_words(one.target_kind, &one.target_id, one.name.as_deref(), one.unnamed).into_owned()
}

/// The filter of an assignment as a page shows it.
#[must_use]
pub fn filter_of(one: &Assignment) -> Option<String> {
    let (mode, id) = (one.filter_mode?, one.filter_id.as_deref()?);
    Some(filter_words(mode, id, one.filter_name.as_deref()))
}

/// The targets of a row that are included, or those that are excluded, as a file tells them: names as they are, each with
/// its id and with its filter. `Pilot [3f…] (include filter Corporate [8a…]); All devices`.
#[must_use]
pub fn target_cell(row: &ItemRow, included: bool) -> String {
    let of_side = row.assignments.iter().filter(|one| one.is_included() == included);
    of_side.map(exact_words).collect::<Vec<_>>().join("; ")
}

fn exact_words(one: &Assignment) -> String {
    let mut words = match (one.target_kind, &one.name) {
        (TargetKind::Group | TargetKind::User | TargetKind::DirectoryRole | TargetKind::Application, Some(name)) => {
            format!("{name} [{}]", one.target_id)
        }
        (TargetKind::Group, None) => format!("Group [{}]", one.target_id),
        (TargetKind::User, None) => format!("User [{}]", one.target_id),
        (TargetKind::DirectoryRole, None) => format!("Directory role [{}]", one.target_id),
        (TargetKind::Application, None) => format!("Application [{}]", one.target_id),
        _ => target_of(one),
    };
    if let (Some(mode), Some(id)) = (one.filter_mode, one.filter_id.as_deref()) {
        let name = one.filter_name.as_deref().map(|name| format!("{name} [{id}]")).unwrap_or_else(|| format!("[{id}]"));
        words.push_str(&match mode {
            FilterMode::Include => format!(" (include filter {name})"),
            FilterMode::Exclude => format!(" (exclude filter {name})"),
            FilterMode::Several => " (assigned more than once, with different filters)".to_owned(),
            FilterMode::Unknown => format!(" (filter {name} in a mode that is not known here)"),
        });
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use tenantatlas_domain::presence::Presence;
    use tenantatlas_domain::references::Relationship;
    use tenantatlas_store::inventory::Item;

    fn one(relationship: Relationship, target_kind: TargetKind, id: &str) -> Assignment {
        Assignment {
            relationship,
            target_kind,
            target_id: id.to_owned(),
            name: None,
            unnamed: None,
            filter_id: None,
            filter_name: None,
            filter_mode: None,
        }
    }

    fn row(assigned: Option<bool>, assignments: Vec<Assignment>) -> ItemRow {
        ItemRow {
            item: Item { assigned, ..Item::example("1", "Office") },
            presence: Presence::Present,
            assignments,
            changed_in_last_run: false,
            changed_since_known: false,
            newer_than_scope: false,
            seen_since: None,
        }
    }

    #[test]
    fn assignments_are_told_in_words_and_exclusion_never_looks_like_inclusion() {
        use Relationship::{AssignedTo, ExcludedFrom};
        let words = |assigned, list: Vec<Assignment>| assigned_words(&row(assigned, list));
        let filtered =
            |mode, of: Assignment| Assignment { filter_mode: Some(mode), filter_id: Some("f".to_owned()), ..of };
        let group = |id: &str| one(AssignedTo, TargetKind::Group, id);
        assert_eq!(
            words(
                Some(true),
                vec![
                    group("a"),
                    one(AssignedTo, TargetKind::AllUsers, "u"),
                    filtered(FilterMode::Exclude, group("b")),
                    one(ExcludedFrom, TargetKind::Group, "c"),
                ]
            )
            .as_deref(),
            Some("all users, 2 groups · 1 excluded · exclude filter")
        );
        assert_eq!(
            words(Some(false), vec![one(ExcludedFrom, TargetKind::Group, "c")]).as_deref(),
            Some("not assigned · 1 excluded")
        );
        assert_eq!(words(Some(false), Vec::new()).as_deref(), Some("not assigned"));
        assert_eq!(words(None, Vec::new()), None, "it tells no assignments");
        assert_eq!(
            words(Some(false), vec![one(AssignedTo, TargetKind::Application, "app")]).as_deref(),
            Some("not assigned")
        );
        let both = vec![filtered(FilterMode::Include, group("a")), filtered(FilterMode::Exclude, group("b"))];
        assert_eq!(words(Some(true), both).as_deref(), Some("2 groups · include and exclude filters"));
    }

    #[test]
    fn no_kind_of_target_is_told_as_not_assigned() {
        for kind in TargetKind::ALL {
            let is_whom = !matches!(kind, TargetKind::Application | TargetKind::Item | TargetKind::Foundation);
            let words = assigned_words(&row(Some(is_whom), vec![one(Relationship::AssignedTo, *kind, "x")]));
            assert_eq!(words.is_some_and(|words| words.contains("not assigned")), !is_whom, "{kind}");
        }
    }

    #[test]
    fn a_file_tells_names_and_ids_with_the_filter_and_its_mode() {
        let pilot = Assignment {
            name: Some(" Pilot".to_owned()),
            filter_id: Some("f1".to_owned()),
            filter_name: Some("Corporate".to_owned()),
            filter_mode: Some(FilterMode::Include),
            ..one(Relationship::AssignedTo, TargetKind::Group, "g1")
        };
        let list = vec![
            pilot,
            one(Relationship::AssignedTo, TargetKind::AllDevices, "d"),
            one(Relationship::ExcludedFrom, TargetKind::Group, "g2"),
            one(Relationship::AssignedTo, TargetKind::Collection, "SMS1"),
        ];
        let row = row(Some(true), list);
        assert_eq!(
            target_cell(&row, true),
            " Pilot [g1] (include filter Corporate [f1]); All devices; Configuration Manager collection SMS1"
        );
        assert_eq!(target_cell(&row, false), "Group [g2]");
    }
}
