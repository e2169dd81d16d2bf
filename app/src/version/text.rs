//! A difference as plain text, as it is copied into a ticket or a message.

use std::fmt::Write as _;

use tenantatlas_domain::invisible::visible_on_page;
use tenantatlas_domain::settings::{AssignmentChange, ChangeKind, Difference, Row, SettingValue};
use tenantatlas_engine::Comparison;
use tenantatlas_store::policies::Version;

use super::value::lines;
use super::words::{side_words, slot_label, target_label};
use crate::format;

/// The rows of a difference by category, in the order in which the categories come: those that differ, or `all`.
pub(super) fn by_category(difference: &Difference, all: bool) -> Vec<(String, Vec<&Row>)> {
    let mut found: Vec<(String, Vec<&Row>)> = Vec::new();
    for row in difference.rows.iter().filter(|row| all || row.change.is_some()) {
        let label = row.category.clone().unwrap_or_else(|| slot_label(&row.slot));
        match found.iter_mut().find(|(name, _)| *name == label) {
            Some((_, rows)) => rows.push(row),
            None => found.push((label, vec![row])),
        }
    }
    found
}

/// How many settings differ of how many, and how many targets are assigned otherwise.
pub(super) fn summary_words(difference: &Difference) -> String {
    let count = |kind: ChangeKind| difference.changes().filter(|row| row.change == Some(kind)).count() as u64;
    let kinds = [(ChangeKind::Changed, "changed"), (ChangeKind::Added, "added"), (ChangeKind::Removed, "removed")];
    let told: Vec<String> = kinds
        .into_iter()
        .map(|(kind, word)| (count(kind), word))
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{} {word}", format::number(count)))
        .collect();
    let compared = format::counted(difference.compared, "setting was", "settings were");
    let mut words = match told.is_empty() {
        true => format!("No setting differs; {compared} compared."),
        false => format!("{}; {compared} compared.", told.join(", ")),
    };
    let moved = difference.changed_assignments().count() as u64;
    if moved > 0 {
        let _ = write!(words, " {} assigned otherwise.", format::counted(moved, "target is", "targets are"));
    }
    words
}

/// What differs, line by line, with the names that the page shows. Scripts and payloads are told by their length unless they are
/// `revealed`. Nothing in it is invisible.
#[must_use]
pub fn difference_text(title: &str, compared: &Comparison, revealed: bool) -> String {
    let difference = &compared.difference;
    let mut text = String::with_capacity(128 * difference.changes().count() + 512);
    let side = |version: &Version| {
        format!("version {}, read {}", format::number(version.number), format::utc(version.read_at.as_millis()))
    };
    line(&mut text, title);
    line(&mut text, &format!("Before: {}", side(&compared.from)));
    line(&mut text, &format!("After: {}", side(&compared.to)));
    line(&mut text, &summary_words(difference));
    for (label, rows) in by_category(difference, false) {
        heading(&mut text, &label);
        rows.into_iter().for_each(|row| setting(&mut text, row, revealed));
    }
    let mut moved = difference.changed_assignments().peekable();
    if moved.peek().is_some() {
        heading(&mut text, "Assigned to");
        moved.for_each(|row| assignment(&mut text, compared, row));
    }
    let named = |path: &str| if path.is_empty() { "The object itself".to_owned() } else { path.to_owned() };
    if !difference.not_comparable.is_empty() {
        heading(&mut text, "Not compared");
        for part in &difference.not_comparable {
            line(&mut text, &format!("{}: {}", named(&part.path), part.reason));
        }
    }
    if !difference.notes.is_empty() {
        heading(&mut text, "Worth knowing, and no change");
        for note in &difference.notes {
            line(&mut text, &format!("{}: {}", named(&note.path), note.words));
        }
    }
    text
}

fn setting(text: &mut String, row: &Row, revealed: bool) {
    let title = row.above.iter().chain([&row.title]).map(String::as_str).collect::<Vec<_>>().join(" › ");
    changed(text, row.change, &title);
    let value = |value: &Option<SettingValue>| {
        let value = value.as_ref()?;
        match value.content_text().filter(|_| revealed) {
            Some(content) => Some(format!("\n{}", indented(&content))),
            None => Some(one_line(&value.words_of(row.property.as_deref()))),
        }
    };
    sides(text, row.change, (value(&row.old), value(&row.new)), "not set");
}

fn assignment(text: &mut String, compared: &Comparison, row: &AssignmentChange) {
    let intent = row.intent.as_deref().map(|intent| format!(", {intent}")).unwrap_or_default();
    changed(text, row.change, &format!("{}{intent}", target_label(&compared.names, row.kind, &row.id)));
    let side = |side: &Option<_>| side.as_ref().map(|side| one_line(&side_words(&compared.names, side)));
    sides(text, row.change, (side(&row.old), side(&row.new)), "not told");
}

fn changed(text: &mut String, change: Option<ChangeKind>, what: &str) {
    line(text, &format!("{}: {what}", change.map_or("same", ChangeKind::as_str)));
}

/// What was and what is, each where it was or is there.
fn sides(text: &mut String, change: Option<ChangeKind>, (old, new): (Option<String>, Option<String>), none: &str) {
    let told = |value: Option<String>| value.unwrap_or_else(|| none.to_owned());
    if change != Some(ChangeKind::Added) {
        let _ = writeln!(text, "  before: {}", told(old));
    }
    if change != Some(ChangeKind::Removed) {
        let _ = writeln!(text, "  after: {}", told(new));
    }
}

fn heading(text: &mut String, words: &str) {
    text.push('\n');
    line(text, words);
}

fn line(text: &mut String, words: &str) {
    text.push_str(&one_line(words));
    text.push('\n');
}

fn one_line(words: &str) -> String {
    visible_on_page(words).into_owned()
}

fn indented(content: &str) -> String {
    lines(content).lines().map(|line| format!("    {line}")).collect::<Vec<_>>().join("\n")
}
