//! How the types of a view were read.

use std::collections::{BTreeMap, HashSet};

use tenantatlas_domain::reason::ReasonCode;
use tenantatlas_domain::registry::{PolicyType, registry};
use tenantatlas_domain::sync::TypeOutcome;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_store::inventory::{self, ScopeView};
use tenantatlas_store::scopes::{OtherRead, Scope};

use super::elsewhere::count_words;

/// How the last read of a type ended, as its cell shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CoverageMark {
    /// Read to the end, and there are items.
    Read,
    /// Read to the end: there are none.
    Empty,
    /// Could not be read.
    Failed,
    /// Skipped for a reason that is no fault.
    Skipped,
    /// The selection holds it, and no completed run of the scope has looked at it.
    Never,
    /// The selection of the scope does not hold it.
    Outside,
}

impl CoverageMark {
    /// Every one, in the order of the legend.
    pub const ALL: [Self; 6] = [Self::Read, Self::Empty, Self::Failed, Self::Skipped, Self::Never, Self::Outside];

    /// Its name in addresses and in the style sheet.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Empty => "empty",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
            Self::Never => "unread",
            Self::Outside => "outside",
        }
    }

    /// The mark of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mark| mark.as_str() == name)
    }

    /// What it says of a type, as the rest of a sentence that begins with how many.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Read => "read, with items",
            Self::Empty => "read and empty",
            Self::Failed => "could not be read",
            Self::Skipped => "skipped",
            Self::Never => "never read",
            Self::Outside => "not in this selection",
        }
    }
}

/// One cell of the coverage strip.
#[derive(Debug, Clone)]
pub struct Coverage {
    /// The key of the type.
    pub key: String,
    /// Its words.
    pub label: String,
    /// How its last read ended.
    pub mark: CoverageMark,
    /// Items the run saw.
    pub items: u64,
    /// Items that are known and of which the run can say nothing.
    pub not_read: u64,
    /// When the run finished with it.
    pub at: Option<Timestamp>,
    /// Why it was not read to the end.
    pub reason: Option<ReasonCode>,
    /// The same in a sanitised sentence.
    pub message: Option<String>,
    /// When it was last read to the end, where that was an earlier run.
    pub last_full_read: Option<Timestamp>,
    /// How another selection read it to the end since then, and what it says in words.
    pub read_elsewhere: Option<(OtherRead, String)>,
}

/// One cell per type that is known or read by default, in the order of the registry.
#[must_use]
pub fn coverage(view: &ScopeView) -> Vec<Coverage> {
    let mut known: BTreeMap<String, _> =
        view.coverage().into_iter().map(|row| (row.policy_type.clone(), row)).collect();
    let selected = view.scope.as_ref().map(selected);
    let mut cells = Vec::new();
    for policy_type in registry().all() {
        let row = known.remove(policy_type.key);
        if row.is_none() && !policy_type.default_on {
            continue;
        }
        let outside = selected.as_ref().is_some_and(|selected| !selected.contains(policy_type.key));
        cells.push(cell(policy_type, row, outside));
    }
    cells
}

/// Whether the selection of the scope does not hold a type, so that its syncs say nothing of it.
#[must_use]
pub fn is_outside(view: &ScopeView, key: &str) -> bool {
    view.scope.as_ref().is_some_and(|scope| !selected(scope).contains(key))
}

/// The keys of the types that the syncs of a scope are to read.
fn selected(scope: &Scope) -> HashSet<&'static str> {
    let plan = scope.selection.resolve().map(|resolved| resolved.plan).unwrap_or_default();
    plan.into_iter().map(|policy_type| policy_type.key).collect()
}

fn cell(policy_type: &PolicyType, row: Option<inventory::Coverage>, outside: bool) -> Coverage {
    let outcome = row.as_ref().and_then(|row| row.outcome);
    let items = row.as_ref().map_or(0, |row| row.present);
    let mark = match outcome {
        Some(TypeOutcome::Succeeded) if items == 0 => CoverageMark::Empty,
        Some(TypeOutcome::Succeeded) => CoverageMark::Read,
        Some(TypeOutcome::Failed) => CoverageMark::Failed,
        Some(TypeOutcome::Skipped) => CoverageMark::Skipped,
        None if outside => CoverageMark::Outside,
        None => CoverageMark::Never,
    };
    let elsewhere = row.as_ref().and_then(|row| Some((row.read_elsewhere.clone()?, row.known)));
    let full = row.as_ref().and_then(|row| row.last_full_read).map(|read| read.at);
    Coverage {
        key: policy_type.key.to_owned(),
        label: policy_type.label.to_owned(),
        mark,
        items,
        not_read: row.as_ref().map_or(0, |row| row.not_read),
        at: row.as_ref().and_then(|row| row.finished_at),
        reason: row.as_ref().and_then(|row| row.reason_code),
        message: row.and_then(|row| row.message),
        read_elsewhere: elsewhere.map(|(read, known)| {
            let words = count_words(read.items, known);
            (read, words)
        }),
        last_full_read: full.filter(|_| outcome != Some(TypeOutcome::Succeeded)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_outside_of_the_selection_is_not_called_never_read() {
        let policy_type = registry().get("settingsCatalogPolicy").expect("a type");
        assert_eq!(cell(policy_type, None, true).mark, CoverageMark::Outside);
        assert_eq!(cell(policy_type, None, false).mark, CoverageMark::Never);
    }
}
