//! A difference as a document for programs.

use serde_json::{Value, json};
use tenantatlas_domain::references::{TargetKind, target_words};
use tenantatlas_domain::settings::{AssignmentChange, AssignmentSide, Row};
use tenantatlas_store::inventory::KnownNames;
use tenantatlas_store::policies::Version;

use super::Comparison;
use crate::drift::SettingsTold;

impl Comparison {
    /// `{from, to, compared, same, settings, assignments, notes, not_comparable}`: settings and assignments are those that
    /// were added, removed or changed. Scripts and payloads are told by their length unless they are `revealed`.
    #[must_use]
    pub fn document(&self, revealed: bool) -> Value {
        let difference = &self.difference;
        json!({
            "policy_type": self.to.policy_type, "external_id": self.to.external_id,
            "from": side(&self.from), "to": side(&self.to),
            "compared": difference.compared, "same": difference.is_same(),
            "settings": difference.changes().map(|row| setting(row, revealed)).collect::<Vec<_>>(),
            "assignments":
                difference.changed_assignments().map(|row| assignment(&self.names, row)).collect::<Vec<_>>(),
            "notes": difference.notes.iter()
                .map(|note| json!({"path": note.path, "note": note.words})).collect::<Vec<_>>(),
            "not_comparable": difference.not_comparable.iter()
                .map(|part| json!({"path": part.path, "reason_code": part.reason_code, "reason": part.reason}))
                .collect::<Vec<_>>(),
        })
    }
}

impl SettingsTold {
    /// `{versions, settings, settings_left_out, assignments, not_comparable, note}`: `versions` is null and the note says why where
    /// the settings are not told. Scripts and payloads are told by their length.
    #[must_use]
    pub fn document(&self, names: &KnownNames) -> Value {
        let note = self.note();
        match self {
            Self::Told { from, to, rows, more, assignments, not_comparable } => json!({
                "versions": {"from": from, "to": to}, "note": note,
                "settings": rows.iter().map(|row| setting(row, false)).collect::<Vec<_>>(),
                "settings_left_out": more, "not_comparable": not_comparable,
                "assignments": assignments.iter().map(|row| assignment(names, row)).collect::<Vec<_>>(),
            }),
            _ => json!({
                "versions": null, "note": note, "settings": [], "settings_left_out": 0, "not_comparable": 0, "assignments": [],
            }),
        }
    }

    /// Why the settings are not told, in words; `None` where they are, or where there is nothing to tell.
    #[must_use]
    pub fn note(&self) -> Option<String> {
        match self {
            Self::NotConcerned | Self::Told { .. } => None,
            Self::NotKept { before: false, now: false } => Some("no version of it is kept".to_owned()),
            Self::NotKept { before: true, .. } => Some("no version of how it is now is kept".to_owned()),
            Self::NotKept { before: false, now: true } => Some("no version of how it was before is kept".to_owned()),
            Self::Same { version } => Some(format!(
                "captures of before and of now both found version {version}: its body does not tell what differs"
            )),
            Self::NotAsked => Some("more findings were asked for than are told by their settings at once".to_owned()),
        }
    }
}

fn side(version: &Version) -> Value {
    json!({
        "number": version.number, "id": version.id, "display_name": version.display_name,
        "read_at": version.read_at.to_rfc3339(), "completeness": version.completeness,
    })
}

fn setting(row: &Row, revealed: bool) -> Value {
    json!({
        "change": row.change, "path": row.path, "definition_id": row.definition_id, "name": row.name,
        "category": row.category, "slot": row.slot,
        "old": row.old.as_ref().map(|value| value.to_json(revealed)),
        "new": row.new.as_ref().map(|value| value.to_json(revealed)),
    })
}

fn assignment(names: &KnownNames, row: &AssignmentChange) -> Value {
    let side = |side: &AssignmentSide| {
        let filter = side.filter.as_ref();
        let more: serde_json::Map<String, Value> = side.more.iter().cloned().collect();
        json!({
            "excluded": side.excluded,
            "filter": filter.map(|filter| json!({
                "id": filter.id, "name": names.filter(&filter.id), "mode": filter.mode,
            })),
            "more": more,
        })
    };
    json!({
        "change": row.change, "target": row.kind, "id": row.id, "name": target_name(names, row.kind, &row.id),
        "intent": row.intent, "old": row.old.as_ref().map(side), "new": row.new.as_ref().map(side),
    })
}

/// The name of whom an assignment names, for programs: `None` where it is not known.
fn target_name(names: &KnownNames, kind: TargetKind, id: &str) -> Option<String> {
    match kind {
        TargetKind::AllUsers | TargetKind::AllDevices => Some(target_words(kind, id, None, None).into_owned()),
        _ => names.in_directory(id).0.map(str::to_owned),
    }
}
