//! The audit log of a tenant.

use std::collections::BTreeSet;

use tenantatlas_domain::audit::{AuditAction, RunEvent};
use tenantatlas_domain::invisible::visible_on_page;
use tenantatlas_engine::Operations;
use tenantatlas_store::audit::{self, Entry};
use tenantatlas_store::{operation_runs, users};

use super::sentence::Names;
use crate::error::AppError;
use crate::filter::audit::AuditFilter;
use crate::scope::Inside;

/// Entries on one page.
const PAGE: u32 = 50;
/// A page of entries, and where the next one begins.
#[derive(Debug, Clone)]
pub struct AuditPage {
    /// Newest first.
    pub entries: Vec<Entry>,
    /// Where the next page begins.
    pub next: Option<i64>,
}

/// The actions that are written with a tenant.
#[must_use]
pub fn known_actions(operations: &Operations) -> Vec<String> {
    let named = AuditAction::ALL.iter().filter(|action| action.concerns_a_tenant()).map(ToString::to_string);
    let of_runs = operations
        .kinds()
        .into_iter()
        .flat_map(|kind| RunEvent::all().map(move |event| event.of(kind.resource, kind.action)));
    named.chain(of_runs).collect()
}

/// What is said of an action that there is not; `None` of one that there is.
#[must_use]
pub fn unknown_action(action: &str, operations: &Operations) -> Option<String> {
    let known = known_actions(operations);
    if known.iter().any(|one| one == action) {
        return None;
    }
    let groups: BTreeSet<&str> = known.iter().filter_map(|one| Some(one.rsplit_once('.')?.0)).collect();
    let groups: Vec<&str> = groups.into_iter().collect();
    Some(format!(
        "There is no action {}: expected one such as inventory.sync.dispatched, of {}.",
        visible_on_page(action),
        groups.join(", ")
    ))
}

/// An entry as a page shows it: what is written stays as it is, and is told in the form in which all of it can be seen.
pub(crate) fn shown(mut entry: Entry) -> Entry {
    let Entry { actor_name, actor_email, action, resource_type, resource_id, .. } = &mut entry;
    for text in [actor_name, actor_email, action, resource_type, resource_id] {
        *text = visible_on_page(text).into_owned();
    }
    entry
}

/// The names of the people and runs that entries are about. An id that nobody has any more has none, nor has a run that is no
/// longer kept.
///
/// # Errors
/// When the database fails.
pub async fn names(inside: &Inside, entries: &[Entry]) -> Result<Names, AppError> {
    let ids: BTreeSet<&str> =
        entries.iter().filter(|entry| entry.resource_type == "user").map(|entry| entry.resource_id.as_str()).collect();
    let mut names = Names::new();
    for id in ids {
        let Ok(user) = id.parse() else { continue };
        if let Some(user) = users::get(inside.engine.reader(), user).await? {
            names.insert(id.to_owned(), user.name);
        }
    }
    let runs: BTreeSet<&str> = entries
        .iter()
        .filter(|entry| entry.resource_type == "operation_run")
        .map(|entry| entry.resource_id.as_str())
        .collect();
    for id in runs {
        let Ok(run) = id.parse() else { continue };
        if let Some(run) = operation_runs::get(inside.engine.reader(), inside.id(), run).await? {
            names.insert(id.to_owned(), inside.engine.runs().state_of(&run).words.name);
        }
    }
    Ok(names)
}

/// A page of the audit log of the tenant.
///
/// # Errors
/// When the database fails.
pub async fn list(inside: &Inside, filter: &AuditFilter) -> Result<AuditPage, AppError> {
    /// Entries are read in such pieces, and at most so many of them when few fit the actor.
    const PIECE: u32 = 200;
    const PIECES: usize = 25;
    let mut entries: Vec<Entry> = Vec::new();
    let mut filter = filter.clone();
    for _ in 0..PIECES {
        let piece = audit::list(inside.engine.reader(), &filter.query(inside, PIECE)).await?;
        let last = piece.len() < PIECE as usize;
        filter.before = piece.last().map(|entry| entry.seq).or(filter.before);
        for entry in piece {
            if filter.keeps(&entry) {
                if entries.len() == PAGE as usize {
                    return Ok(AuditPage { next: entries.last().map(|entry| entry.seq), entries });
                }
                entries.push(shown(entry));
            }
        }
        if last {
            return Ok(AuditPage { entries, next: None });
        }
    }
    Ok(AuditPage { entries, next: filter.before })
}
