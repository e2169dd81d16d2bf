//! To whom an object is assigned, as a fact that is kept of it: numbers, and the rows themselves, so that an earlier state of it
//! can be told apart from a later one.

use serde_json::{Map, Value, json};

use super::extract::{AssignmentTarget, NO_TARGET, is_guid, is_identifier};
use super::{ALL_DEVICES, ALL_USERS, AssignmentFilter, FilterMode, Relationship, TargetKind};

/// Rows that are kept, at most. Of an object with more the numbers are kept.
const MAX_ROWS: usize = 50;

/// The numbers of a summary: those of targets that are neither groups nor everybody, and of filters by what they do, came later.
const FLAGS: [&str; 2] = ["all_users", "all_devices"];
const COUNTS: [&str; 6] = ["groups", "exclusions", "others", "filters", "include_filters", "exclude_filters"];
/// The rows.
const ROWS: &str = "targets";

/// One row of the assignments of an object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AssignedRow {
    /// Whom it names.
    pub kind: TargetKind,
    /// Its id; for a target of a kind that is not known here, Microsoft's word for the kind.
    pub id: String,
    /// What tells rows of one target apart: the intent of an app.
    pub intent: Option<String>,
    /// Whether its target is left out.
    pub excluded: bool,
    /// The filter that narrows it.
    pub filter: Option<AssignmentFilter>,
}

/// A target to which an object is assigned otherwise than before. No rows on a side: it was, or is, not assigned to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssignedChange {
    /// Whom it names.
    pub kind: TargetKind,
    /// Its id.
    pub id: String,
    /// Its rows before.
    pub old: Vec<AssignedRow>,
    /// Its rows now.
    pub new: Vec<AssignedRow>,
}

/// Whom a target names and whether it is left out: its relationship, kind and id.
pub(super) fn named_by<'value>(target: AssignmentTarget<'value>) -> (Relationship, TargetKind, &'value str) {
    let (relationship, kind, id) = match target {
        AssignmentTarget::AllUsers => (Relationship::AssignedTo, TargetKind::AllUsers, ALL_USERS),
        AssignmentTarget::AllDevices => (Relationship::AssignedTo, TargetKind::AllDevices, ALL_DEVICES),
        AssignmentTarget::Group(id) => (Relationship::AssignedTo, TargetKind::Group, id),
        AssignmentTarget::ExcludedGroup(id) => (Relationship::ExcludedFrom, TargetKind::Group, id),
        AssignmentTarget::Collection(id) => (Relationship::AssignedTo, TargetKind::Collection, id),
        AssignmentTarget::Unknown(kind) if kind.starts_with("exclusion") => {
            (Relationship::ExcludedFrom, TargetKind::UnknownTarget, kind)
        }
        AssignmentTarget::Unknown(kind) => (Relationship::AssignedTo, TargetKind::UnknownTarget, kind),
    };
    match kind {
        TargetKind::Group if is_guid(id) => (relationship, kind, id),
        TargetKind::Group | TargetKind::Collection | TargetKind::UnknownTarget if !is_identifier(id.trim()) => {
            (relationship, TargetKind::UnknownTarget, NO_TARGET)
        }
        _ => (relationship, kind, id),
    }
}

impl AssignedRow {
    fn of(assignment: &Value) -> Self {
        let (relationship, kind, id) = named_by(AssignmentTarget::of(assignment));
        // Policies that are no apps say `apply` of every row.
        let intent = assignment.get("intent").and_then(Value::as_str).filter(|intent| *intent != "apply");
        let filter = AssignmentTarget::filter_of(assignment).filter(|(id, _)| is_identifier(id));
        Self {
            kind,
            id: if kind == TargetKind::Group { id.to_ascii_lowercase() } else { id.trim().to_owned() },
            intent: intent.filter(|intent| is_identifier(intent)).map(str::to_owned),
            excluded: relationship == Relationship::ExcludedFrom,
            filter: filter.map(|(id, mode)| AssignmentFilter { id: id.to_ascii_lowercase(), mode }),
        }
    }

    fn to_json(&self) -> Value {
        let mut row = Map::new();
        row.insert("kind".to_owned(), json!(self.kind));
        row.insert("id".to_owned(), json!(self.id));
        if self.excluded {
            row.insert("excluded".to_owned(), json!(true));
        }
        if let Some(intent) = &self.intent {
            row.insert("intent".to_owned(), json!(intent));
        }
        if let Some(filter) = &self.filter {
            row.insert("filter".to_owned(), json!(filter.id));
            row.insert("filter_mode".to_owned(), json!(filter.mode));
        }
        Value::Object(row)
    }

    fn from_json(row: &Value) -> Option<Self> {
        let text = |key: &str| row.get(key).and_then(Value::as_str).filter(|text| is_identifier(text));
        let mode = text("filter_mode").and_then(|mode| mode.parse().ok());
        let filter = text("filter").zip(mode).map(|(id, mode)| AssignmentFilter { id: id.to_owned(), mode });
        Some(Self {
            kind: text("kind")?.parse().ok()?,
            id: text("id")?.to_owned(),
            intent: text("intent").map(str::to_owned),
            excluded: row.get("excluded").and_then(Value::as_bool).unwrap_or_default(),
            filter,
        })
    }
}

/// The summary of assignments: `{all_users, all_devices, groups, exclusions, others, filters, include_filters, exclude_filters,
/// targets}`, the last only where there are 50 at most.
pub(crate) fn summary_of(assignments: &[Value]) -> Value {
    let mut rows: Vec<AssignedRow> = assignments.iter().map(AssignedRow::of).collect();
    // Their order says nothing.
    rows.sort();
    let count = |is: &dyn Fn(&AssignedRow) -> bool| rows.iter().filter(|row| is(row)).count();
    let included = |kind: TargetKind| count(&|row: &AssignedRow| row.kind == kind && !row.excluded);
    let filtered =
        |mode: FilterMode| count(&|row: &AssignedRow| row.filter.as_ref().is_some_and(|filter| filter.mode == mode));
    let mut summary = json!({
        "all_users": included(TargetKind::AllUsers) > 0,
        "all_devices": included(TargetKind::AllDevices) > 0,
        "groups": included(TargetKind::Group),
        "exclusions": count(&|row| row.excluded),
        "others": included(TargetKind::Collection) + included(TargetKind::UnknownTarget),
        "filters": count(&|row| row.filter.is_some()),
        "include_filters": filtered(FilterMode::Include),
        "exclude_filters": filtered(FilterMode::Exclude),
    });
    if rows.len() <= MAX_ROWS {
        summary[ROWS] = rows.iter().map(AssignedRow::to_json).collect();
    }
    summary
}

/// A summary in its sanitised form: what [`summary_of`] makes is unchanged by it.
pub(crate) fn sanitised_summary(given: &Map<String, Value>) -> Value {
    let flags = FLAGS.iter().filter_map(|key| given.get(*key).filter(|value| value.is_boolean()).map(|is| (key, is)));
    let counts = COUNTS.iter().filter_map(|key| given.get(*key).filter(|value| value.is_u64()).map(|of| (key, of)));
    let mut kept: Map<String, Value> =
        flags.chain(counts).map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
    if let Some(rows) = rows_of(&Value::Object(given.clone())) {
        kept.insert(ROWS.to_owned(), rows.iter().take(MAX_ROWS).map(AssignedRow::to_json).collect());
    }
    Value::Object(kept)
}

/// The rows that a summary keeps; `None` where it keeps none, since there are too many or it is from before rows were kept.
#[must_use]
pub fn rows_of(summary: &Value) -> Option<Vec<AssignedRow>> {
    let rows = summary.get(ROWS)?.as_array()?;
    Some(rows.iter().filter_map(AssignedRow::from_json).collect())
}

/// The targets to which an object is assigned otherwise, those of before first. `None` where one side keeps no rows.
#[must_use]
pub fn changed_targets(old: &Value, new: &Value) -> Option<Vec<AssignedChange>> {
    let (old, new) = (rows_of(old)?, rows_of(new)?);
    let mut changes: Vec<AssignedChange> = Vec::new();
    for row in old.iter().chain(&new) {
        if changes.iter().any(|change| (change.kind, &change.id) == (row.kind, &row.id)) {
            continue;
        }
        let of = |rows: &[AssignedRow]| {
            rows.iter().filter(|one| (one.kind, &one.id) == (row.kind, &row.id)).cloned().collect::<Vec<_>>()
        };
        changes.push(AssignedChange { kind: row.kind, id: row.id.clone(), old: of(&old), new: of(&new) });
    }
    changes.retain(|change| change.old != change.new);
    Some(changes)
}

/// Whether two summaries tell the same assignments. One from before rows were kept is compared by the numbers that it has.
#[must_use]
pub fn same_summary(old: &Value, new: &Value) -> bool {
    match (old.get(ROWS), new.get(ROWS)) {
        (Some(old), Some(new)) => old == new,
        _ => FLAGS.iter().chain(&COUNTS).all(|key| match (old.get(*key), new.get(*key)) {
            (Some(old), Some(new)) => old == new,
            _ => true,
        }),
    }
}

/// A summary in words, without names: `all users, 2 groups, 1 excluded, 1 include filter`.
#[must_use]
pub fn summary_words(summary: &Value) -> String {
    let is = |key: &str| summary.get(key).and_then(Value::as_bool).unwrap_or_default();
    let number = |key: &str| summary.get(key).and_then(Value::as_u64).unwrap_or_default();
    let kinds = |kind: TargetKind| {
        let rows = rows_of(summary).unwrap_or_default();
        rows.iter().filter(|row| row.kind == kind && !row.excluded).count() as u64
    };
    let counted = |count: u64, one: &str, many: &str| {
        (count > 0).then(|| format!("{count} {}", if count == 1 { one } else { many }))
    };
    let collections = kinds(TargetKind::Collection);
    let (include, exclude) = (number("include_filters"), number("exclude_filters"));
    // Of a summary from before it told what filters do.
    let other_filters = number("filters").saturating_sub(include + exclude);
    let to: Vec<String> = [
        is("all_users").then(|| "all users".to_owned()),
        is("all_devices").then(|| "all devices".to_owned()),
        counted(number("groups"), "group", "groups"),
        counted(collections, "Configuration Manager collection", "Configuration Manager collections"),
        counted(number("others").saturating_sub(collections), "target of another kind", "targets of other kinds"),
    ]
    .into_iter()
    .flatten()
    .collect();
    let rest = [
        counted(number("exclusions"), "excluded", "excluded"),
        counted(include, "include filter", "include filters"),
        counted(exclude, "exclude filter", "exclude filters"),
        counted(other_filters, "filter whose mode is not told", "filters whose mode is not told"),
    ];
    let to = if to.is_empty() { vec!["not assigned".to_owned()] } else { to };
    to.into_iter().chain(rest.into_iter().flatten()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const PILOT: &str = "11111111-1111-4111-8111-111111111111";
    const SALES: &str = "22222222-2222-4222-8222-222222222222";

    fn target(kind: &str, more: &Value) -> Value {
        let mut target = json!({"@odata.type": format!("#microsoft.graph.{kind}")});
        target.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
        json!({ "target": target })
    }

    fn group(id: &str) -> Value {
        target("groupAssignmentTarget", &json!({"groupId": id}))
    }

    fn filtered(mode: &str) -> Value {
        target(
            "groupAssignmentTarget",
            &json!({"groupId": PILOT, "deviceAndAppManagementAssignmentFilterId": "F1",
                "deviceAndAppManagementAssignmentFilterType": mode}),
        )
    }

    #[test]
    fn no_target_is_told_as_not_assigned_whatever_its_kind_is() {
        for (assignment, words) in [
            (target("allLicensedUsersAssignmentTarget", &json!({})), "all users"),
            (target("allDevicesAssignmentTarget", &json!({})), "all devices"),
            (group(PILOT), "1 group"),
            (
                target("configurationManagerCollectionAssignmentTarget", &json!({"collectionId": "SMS00001"})),
                "1 Configuration Manager collection",
            ),
            (target("targetOfNextYear", &json!({})), "1 target of another kind"),
            (json!({}), "1 target of another kind"),
        ] {
            assert_eq!(summary_words(&summary_of(&[assignment])), words);
        }
        let excluded = target("exclusionGroupAssignmentTarget", &json!({"groupId": PILOT}));
        assert_eq!(summary_words(&summary_of(&[excluded])), "not assigned, 1 excluded");
        assert_eq!(summary_words(&summary_of(&[])), "not assigned");
    }

    #[test]
    fn a_filter_is_told_with_what_it_does_and_one_of_an_older_summary_says_that_it_is_not_known() {
        assert_eq!(summary_words(&summary_of(&[filtered("include")])), "1 group, 1 include filter");
        assert_eq!(summary_words(&summary_of(&[filtered("exclude")])), "1 group, 1 exclude filter");
        let older = json!({"all_users": true, "groups": 0, "filters": 1});
        assert_eq!(summary_words(&older), "all users, 1 filter whose mode is not told");
    }

    #[test]
    fn what_is_assigned_to_another_group_or_by_another_mode_differs_though_the_numbers_are_the_same() {
        let (pilot, sales) = (summary_of(&[group(PILOT)]), summary_of(&[group(&SALES.to_uppercase())]));
        assert!(!same_summary(&pilot, &sales));
        let changes = changed_targets(&pilot, &sales).unwrap();
        let told: Vec<_> = changes.iter().map(|one| (one.id.as_str(), one.old.len(), one.new.len())).collect();
        assert_eq!(told, [(PILOT, 1, 0), (SALES, 0, 1)]);
        let (only, all_but) = (summary_of(&[filtered("include")]), summary_of(&[filtered("exclude")]));
        let changes = changed_targets(&only, &all_but).unwrap();
        assert_eq!(changes.len(), 1);
        assert_eq!(changes[0].new[0].filter.as_ref().unwrap().mode, FilterMode::Exclude);
    }

    #[test]
    fn the_order_of_assignments_and_a_summary_from_before_rows_were_kept_are_no_difference() {
        let (one, other) = (summary_of(&[group(PILOT), group(SALES)]), summary_of(&[group(SALES), group(PILOT)]));
        assert_eq!(one, other);
        let older = json!({"all_users": false, "all_devices": false, "groups": 2, "exclusions": 0, "filters": 0});
        assert!(same_summary(&older, &one) && changed_targets(&older, &one).is_none());
        assert!(!same_summary(&older, &summary_of(&[group(PILOT)])));
    }

    #[test]
    fn a_summary_equals_its_own_sanitised_form_and_keeps_nothing_else() {
        let many: Vec<Value> = (0..60).map(|number| group(&format!("11111111-1111-4111-8111-{number:012}"))).collect();
        for rows in [vec![filtered("include"), target("new", &json!({"x": 1}))], many, Vec::new()] {
            let summary = summary_of(&rows);
            assert_eq!(sanitised_summary(summary.as_object().unwrap()), summary);
        }
        let given = json!({"groups": "x", "secret": 1, "targets": [{"kind": "group", "id": "a b"}, {"kind": "other", "id": "a"}]});
        assert_eq!(sanitised_summary(given.as_object().unwrap()), json!({"targets": []}));
    }
}
