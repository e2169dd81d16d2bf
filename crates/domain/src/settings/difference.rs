//! The difference of two bodies, setting by setting.

use super::assignment::{AssignmentChange, compare};
use super::pairing::{Pair, in_order, pairs};
use super::reading::{Settings, path_below};
use super::setting::{ChangeKind, Order, Setting, SettingValue};
use crate::body::{Lack, OBJECT_SLOT};
use crate::reason::ReasonCode;

/// A setting in a difference.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Row {
    /// The slot in which it stands.
    pub slot: String,
    /// Where it stands, as [`super::Line::path`]: in the newer body, where it is there.
    pub path: String,
    /// What it stands below, by their titles.
    pub above: Vec<String>,
    /// What it is called, see [`Setting::title`].
    pub title: String,
    /// The id of its definition.
    pub definition_id: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// Its category.
    pub category: Option<String>,
    /// The property that it is, see [`Setting::property`].
    pub property: Option<String>,
    /// What became of it; `None` where it is the same.
    pub change: Option<ChangeKind>,
    /// Its value in the older body.
    pub old: Option<SettingValue>,
    /// Its value in the newer body.
    pub new: Option<SettingValue>,
}

/// Something worth knowing that is no change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Where.
    pub path: String,
    /// What, as a sentence.
    pub words: String,
}

/// Something about which the two bodies cannot tell whether it is the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotComparable {
    /// Where: the path of a setting, or a slot.
    pub path: String,
    /// Why.
    pub reason_code: ReasonCode,
    /// The same as a sentence.
    pub reason: String,
}

/// The difference of two bodies.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Difference {
    /// How many settings were compared: each that is in both or in one of them, but for what could not be compared.
    pub compared: u64,
    /// The settings that were compared, in the order of the bodies; those that are the same as well.
    pub rows: Vec<Row>,
    /// The rows of the assignments.
    pub assignments: Vec<AssignmentChange>,
    /// What is no change, but worth knowing.
    pub notes: Vec<Note>,
    /// What could not be compared, and why.
    pub not_comparable: Vec<NotComparable>,
}

impl Difference {
    /// Settings that were added, removed or changed.
    pub fn changes(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| row.change.is_some())
    }

    /// Assignments that were added, removed or changed.
    pub fn changed_assignments(&self) -> impl Iterator<Item = &AssignmentChange> {
        self.assignments.iter().filter(|row| row.change.is_some())
    }

    /// Whether nothing that was compared differs.
    #[must_use]
    pub fn is_same(&self) -> bool {
        self.changes().next().is_none() && self.changed_assignments().next().is_none()
    }
}

/// Compares the settings of an older body, of which this is lacking, with those of a newer one. What is lacking on one side
/// says nothing: that something is in the other one alone is then neither added nor removed.
#[must_use]
pub fn difference(old: (&Settings, &[Lack]), new: (&Settings, &[Lack])) -> Difference {
    let mut comparing = Comparing { found: Difference::default(), lacking: (false, false), slot: String::new() };
    let lacks = |slot: &str| {
        let is_lacking = |lacks: &[Lack]| lacks.iter().any(|lack| lack.slot() == Some(slot));
        (is_lacking(old.1), is_lacking(new.1))
    };
    let mut slots: Vec<&str> = old.0.sections.iter().map(|section| section.slot.as_str()).collect();
    for section in &new.0.sections {
        if !slots.contains(&section.slot.as_str()) {
            slots.push(&section.slot);
        }
    }
    for slot in slots {
        comparing.lacking = lacks(slot);
        slot.clone_into(&mut comparing.slot);
        let (before, after) = (of_slot(old.0, slot), of_slot(new.0, slot));
        comparing.side_by_side(before, after, Order::Free, "", &[]);
    }
    let lacking = lacks("assignments");
    comparing.found.assignments = compare(&old.0.assignments, &new.0.assignments, lacking);
    for (lacks, side) in [(old.1, "older"), (new.1, "newer")] {
        comparing.found.not_comparable.extend(lacks.iter().filter_map(|lack| lacking_part(lack, side)));
    }
    comparing.found
}

fn of_slot<'settings>(settings: &'settings Settings, slot: &str) -> &'settings [Setting] {
    let found = settings.sections.iter().find(|section| section.slot == slot);
    found.map_or(&[], |section| &section.settings)
}

/// What stands below one side of a pair.
fn parts(side: Option<(usize, &Setting)>) -> &[Setting] {
    side.map_or(&[], |(_, setting)| &setting.parts)
}

/// What a lack says about the comparison. Secrets that Graph does not tell are named where they stand.
fn lacking_part(lack: &Lack, side: &str) -> Option<NotComparable> {
    let reason_code = match lack {
        Lack::SecretsUnreadable { .. } => return None,
        Lack::ChildRefused { reason_code, .. } => *reason_code,
        Lack::SettingsCount { .. } | Lack::ScriptNull { .. } => ReasonCode::BodyIncomplete,
    };
    let path = lack.slot().unwrap_or(OBJECT_SLOT).to_owned();
    Some(NotComparable { path, reason_code, reason: format!("In the {side} version {}.", lack.words()) })
}

/// How two values compare.
enum Verdict {
    Same,
    OtherOrder,
    Different,
    /// Graph does not tell the value on at least one side.
    Unknown,
    /// The same, and what stands for it is another reference.
    NewReference,
}

struct Comparing {
    found: Difference,
    lacking: (bool, bool),
    slot: String,
}

impl Comparing {
    fn side_by_side(&mut self, old: &[Setting], new: &[Setting], order: Order, above: &str, trail: &[String]) {
        let pairs = pairs(old, new, order);
        if order == Order::Noted && !in_order(&pairs) {
            self.note(above, "The same groups stand in another order.");
        }
        for pair in pairs {
            self.pair(&pair, above, trail);
        }
    }

    fn pair(&mut self, pair: &Pair<'_>, above: &str, trail: &[String]) {
        let Some((at, setting)) = pair.new.or(pair.old) else { return };
        let path = path_below(above, setting, at);
        let title = setting.title().unwrap_or_else(|| format!("No. {}", at + 1));
        if setting.counts {
            self.count(pair, setting, &path, &title, trail);
        }
        let order = match (pair.old, pair.new) {
            (Some((_, one)), Some((_, other))) if one.order != other.order => Order::Kept,
            _ => setting.order,
        };
        let mut below = trail.to_vec();
        below.push(title);
        self.side_by_side(parts(pair.old), parts(pair.new), order, &path, &below);
    }

    fn count(&mut self, pair: &Pair<'_>, setting: &Setting, path: &str, title: &str, trail: &[String]) {
        let (old, new) = (pair.old.map(|(_, setting)| setting), pair.new.map(|(_, setting)| setting));
        let change = match (old, new) {
            // What is in one side alone may have been in the other one.
            (None, _) if self.lacking.0 => return,
            (_, None) if self.lacking.1 => return,
            (None, _) => Some(ChangeKind::Added),
            (_, None) => Some(ChangeKind::Removed),
            (Some(old), Some(new)) => match self.judged(old, new, path) {
                Some(change) => change,
                None => return,
            },
        };
        self.found.compared += 1;
        self.found.rows.push(Row {
            slot: self.slot.clone(),
            path: path.to_owned(),
            above: trail.to_vec(),
            title: title.to_owned(),
            definition_id: setting.definition_id.clone(),
            name: setting.name.clone(),
            category: setting.category.clone(),
            property: setting.property().map(str::to_owned),
            change,
            old: old.and_then(|setting| setting.value.clone()),
            new: new.and_then(|setting| setting.value.clone()),
        });
    }

    /// What became of a setting that is in both; `None` where nobody can tell.
    fn judged(&mut self, old: &Setting, new: &Setting, path: &str) -> Option<Option<ChangeKind>> {
        match verdict(old, new) {
            Verdict::Different => return Some(Some(ChangeKind::Changed)),
            Verdict::OtherOrder => self.note(path, "The same values stand in another order."),
            Verdict::Same if old.rest != new.rest => self.note(path, "It refers to its template in another way."),
            Verdict::Same => {}
            Verdict::NewReference => {
                self.note(path, "The secret was entered anew, or the object was made anew; its value is not known.");
                self.unknown(path);
                return None;
            }
            Verdict::Unknown => {
                self.unknown(path);
                return None;
            }
        }
        Some(None)
    }

    fn note(&mut self, path: &str, words: &str) {
        self.found.notes.push(Note { path: path.to_owned(), words: words.to_owned() });
    }

    fn unknown(&mut self, path: &str) {
        self.found.not_comparable.push(NotComparable {
            path: path.to_owned(),
            reason_code: ReasonCode::SecretNeeded,
            reason: "Microsoft does not tell the value of this secret.".to_owned(),
        });
    }
}

fn verdict(old: &Setting, new: &Setting) -> Verdict {
    if old.is_noise && new.is_noise {
        return Verdict::Same;
    }
    match (&old.value, &new.value) {
        (Some(before), Some(after)) if before.is_unreadable() || after.is_unreadable() => match (before, after) {
            (
                SettingValue::Withheld { kind, fingerprint: Some(one) },
                SettingValue::Withheld { kind: other_kind, fingerprint: Some(other) },
            ) if kind == other_kind && one != other => Verdict::NewReference,
            _ => Verdict::Unknown,
        },
        (Some(SettingValue::List(before)), Some(SettingValue::List(after))) => {
            let counted = |values: &[SettingValue]| values.iter().map(SettingValue::counted).collect::<Vec<_>>();
            let (mut before, mut after) = (counted(before), counted(after));
            let same = before == after;
            before.sort_unstable();
            after.sort_unstable();
            match (same, before == after, new.order) {
                (true, ..) => Verdict::Same,
                (_, true, Order::Free) => Verdict::Same,
                (_, true, Order::Noted) => Verdict::OtherOrder,
                _ => Verdict::Different,
            }
        }
        (before, after) => {
            let counted = |value: &Option<SettingValue>| value.as_ref().map(SettingValue::counted);
            if counted(before) == counted(after) { Verdict::Same } else { Verdict::Different }
        }
    }
}
