//! To whom a policy is assigned, row by row.

use serde::Serialize;
use serde_json::Value;

use super::setting::{ChangeKind, Setting};
use super::tree::Tree;
use crate::references::{ALL_DEVICES, ALL_USERS, AssignmentFilter, AssignmentTarget, TargetKind};

/// One row of the assignments of a policy.
#[derive(Clone, Debug, PartialEq)]
pub struct Assignment {
    /// Whom it names.
    pub kind: TargetKind,
    /// Its id; for a target of a kind that is not known here, Microsoft's word for the kind.
    pub id: String,
    /// How the row is meant.
    pub side: AssignmentSide,
    /// What tells rows of one target apart: the intent of an app.
    pub intent: Option<String>,
}

/// How a row of assignments is meant.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AssignmentSide {
    /// Whether its target is left out.
    pub excluded: bool,
    /// The filter that narrows it.
    pub filter: Option<AssignmentFilter>,
    /// What else the row says, such as a schedule or notifications: property and value.
    pub more: Vec<(String, Value)>,
}

/// A row that was added, removed or changed.
#[derive(Clone, Debug, PartialEq)]
pub struct AssignmentChange {
    /// What became of it; `None` where it is the same.
    pub change: Option<ChangeKind>,
    /// Whom it names.
    pub kind: TargetKind,
    /// Its id.
    pub id: String,
    /// The intent of an app.
    pub intent: Option<String>,
    /// How it was meant.
    pub old: Option<AssignmentSide>,
    /// How it is meant.
    pub new: Option<AssignmentSide>,
}

impl Assignment {
    /// Reads a row. Where it comes from (a policy set) is no part of what it says.
    pub(super) fn of(tree: &Tree, row: &Value) -> Self {
        let (kind, id, excluded) = match AssignmentTarget::of(row) {
            AssignmentTarget::AllUsers => (TargetKind::AllUsers, ALL_USERS.to_owned(), false),
            AssignmentTarget::AllDevices => (TargetKind::AllDevices, ALL_DEVICES.to_owned(), false),
            AssignmentTarget::Group(id) => (TargetKind::Group, id.to_ascii_lowercase(), false),
            AssignmentTarget::ExcludedGroup(id) => (TargetKind::Group, id.to_ascii_lowercase(), true),
            AssignmentTarget::Collection(id) => (TargetKind::Collection, id.to_owned(), false),
            AssignmentTarget::Unknown(kind) => {
                (TargetKind::UnknownTarget, kind.to_owned(), kind.starts_with("exclusion"))
            }
        };
        let filter =
            AssignmentTarget::filter_of(row).map(|(id, mode)| AssignmentFilter { id: id.to_ascii_lowercase(), mode });
        // Policies that are no apps say `apply` of every row.
        let intent = row.get("intent").and_then(Value::as_str).filter(|intent| *intent != "apply").map(str::to_owned);
        let more = row.as_object().map(|members| tree.of_members(members)).unwrap_or_default();
        let apart =
            |setting: &&Setting| !matches!(setting.key.as_str(), "target" | "intent" | "source" | "@odata.type");
        let mut said = Vec::new();
        more.iter().filter(apart).for_each(|setting| flatten(setting, "", &mut said));
        Self { kind, id, side: AssignmentSide { excluded, filter, more: said }, intent }
    }

    fn is_row_of(&self, other: &Self) -> bool {
        (self.kind, &self.id, &self.intent) == (other.kind, &other.id, &other.intent)
    }

    fn changed(change: Option<ChangeKind>, old: Option<&Self>, new: Option<&Self>) -> Option<AssignmentChange> {
        let row = new.or(old)?;
        Some(AssignmentChange {
            change,
            kind: row.kind,
            id: row.id.clone(),
            intent: row.intent.clone(),
            old: old.map(|row| row.side.clone()),
            new: new.map(|row| row.side.clone()),
        })
    }
}

fn flatten(setting: &Setting, above: &str, said: &mut Vec<(String, Value)>) {
    let path = if above.is_empty() { setting.key.clone() } else { format!("{above}/{}", setting.key) };
    if let Some(value) = &setting.value {
        said.push((path.clone(), value.to_json(false)));
    }
    setting.parts.iter().for_each(|part| flatten(part, &path, said));
}

/// Rows as a set: a row is known again by its target, and for apps by its intent. What is there only where the other side
/// lacks its assignments says nothing.
pub(super) fn compare(old: &[Assignment], new: &[Assignment], lacking: (bool, bool)) -> Vec<AssignmentChange> {
    let mut left: Vec<Option<&Assignment>> = new.iter().map(Some).collect();
    // The same target may stand there twice: rows that are the same are found before those that changed.
    let same: Vec<Option<&Assignment>> = old.iter().map(|row| take(&mut left, |other| other == row)).collect();
    let mut changes = Vec::new();
    for (row, same) in old.iter().zip(same) {
        let found = same.or_else(|| take(&mut left, |other| other.is_row_of(row)));
        let change = match found {
            Some(other) => (row.side != other.side).then_some(ChangeKind::Changed),
            None if lacking.1 => continue,
            None => Some(ChangeKind::Removed),
        };
        changes.extend(Assignment::changed(change, Some(row), found));
    }
    if !lacking.0 {
        let added = left.into_iter().flatten();
        changes.extend(added.filter_map(|row| Assignment::changed(Some(ChangeKind::Added), None, Some(row))));
    }
    changes
}

/// Takes the first row that is meant.
fn take<'rows>(
    left: &mut [Option<&'rows Assignment>],
    is_meant: impl Fn(&Assignment) -> bool,
) -> Option<&'rows Assignment> {
    left.iter_mut().find(|row| row.is_some_and(&is_meant)).and_then(Option::take)
}
