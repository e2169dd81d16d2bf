//! The inventory of a tenant as its page shows it.

use super::elsewhere::count_words;
use super::group_hits::MAX_HITS;
use crate::error::AppError;
use crate::filter::inventory::InventoryFilter;
use crate::scope::Inside;
use std::collections::{BTreeMap, HashSet};
use tenantatlas_domain::reason::ReasonCode;
use tenantatlas_domain::references::Assigned;
use tenantatlas_domain::registry::{PolicyType, registry};
use tenantatlas_domain::sync::TypeOutcome;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_store::inventory::{self, Group, InventoryCounts, ItemFilter, ItemPage, ItemQuery, ScopeView};
use tenantatlas_store::scopes::{self, OtherRead, Scope};
use tenantatlas_store::sync_runs;

/// How the last read of a type ended, as its cell shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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

/// Everything the inventory page shows.
#[derive(Debug, Clone)]
pub struct InventoryView {
    /// The view of the scope.
    pub view: ScopeView,
    /// The numbers over everything.
    pub counts: InventoryCounts,
    /// One cell per type, in the order of the registry.
    pub coverage: Vec<Coverage>,
    /// The scopes that can be chosen.
    pub scopes: Vec<Scope>,
    /// The rows.
    pub page: ItemPage,
    /// The scope tags of the tenant: id and name.
    pub scope_tags: Vec<(String, String)>,
    /// Groups whose names hold what is searched for.
    pub groups: Vec<Group>,
    /// The group by which the list is filtered.
    pub assigned_group: Option<Group>,
}

/// Loads the page that an address names.
///
/// # Errors
/// When the database fails.
pub async fn load(inside: &Inside, address: &InventoryFilter) -> Result<InventoryView, AppError> {
    let db = inside.engine.reader();
    let view = view(inside, address).await?;
    let query = query(inside, address).await?;
    let (page, scopes, scope_tags, groups, assigned_group) = futures::try_join!(
        async { Ok::<_, AppError>(inventory::list(db, &view, &query).await?) },
        async { Ok(scopes::list(db, inside.id()).await?) },
        scope_tags(inside, &view),
        groups(inside, address),
        assigned_group(inside, address),
    )?;
    let scopes = scopes.into_iter().filter(|scope| scope.latest.is_some()).collect();
    let counts = view.counts(&[]);
    Ok(InventoryView { counts, coverage: coverage(&view), scopes, page, scope_tags, groups, assigned_group, view })
}

/// The groups that a search finds, on its first page.
async fn groups(inside: &Inside, address: &InventoryFilter) -> Result<Vec<Group>, AppError> {
    if address.search.is_empty() || address.after.is_some() {
        return Ok(Vec::new());
    }
    Ok(inventory::groups_named(inside.engine.reader(), inside.id(), &address.search, MAX_HITS).await?)
}

async fn assigned_group(inside: &Inside, address: &InventoryFilter) -> Result<Option<Group>, AppError> {
    match address.assigned.as_ref().and_then(Assigned::external_id) {
        Some(id) => Ok(inventory::group(inside.engine.reader(), inside.id(), &id).await?),
        None => Ok(None),
    }
}

/// The view of the scope that an address names, or of the main one. A filter never changes the scope.
///
/// # Errors
/// When the database fails.
pub async fn view(inside: &Inside, address: &InventoryFilter) -> Result<ScopeView, AppError> {
    Ok(ScopeView::load(inside.engine.reader(), inside.id(), address.scope).await?)
}

/// The question that an address asks. A run that the tenant does not have, or that has not ended, is no time to tell changes
/// from.
///
/// # Errors
/// Not found; when the database fails.
pub async fn query(inside: &Inside, address: &InventoryFilter) -> Result<ItemQuery, AppError> {
    let Some(since) = address.since else { return Ok(address.query(None)) };
    let moment = sync_runs::moment_of(inside.engine.reader(), inside.id(), since, inside.engine.now()).await?;
    let moment = moment.ok_or_else(|| AppError::not_found("The run to tell changes from"))?;
    Ok(address.query(Some(moment)))
}

/// The scope tags that the inventory holds, for the filter; at most a hundred.
async fn scope_tags(inside: &Inside, view: &ScopeView) -> Result<Vec<(String, String)>, AppError> {
    const KEY: &str = "roleScopeTag";
    if view.types.get(KEY).is_none_or(|state| state.known.items == 0) {
        return Ok(Vec::new());
    }
    let query = ItemQuery {
        filter: ItemFilter { policy_types: vec![KEY.to_owned()], ..ItemFilter::default() },
        limit: 100,
        ..ItemQuery::default()
    };
    let page = inventory::list(inside.engine.reader(), view, &query).await?;
    Ok(page.rows.into_iter().map(|row| (row.item.external_id, row.item.display_name)).collect())
}

fn coverage(view: &ScopeView) -> Vec<Coverage> {
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
