//! The inventory of a tenant as its page shows it.

use std::collections::BTreeMap;

use tenantatlas_domain::ids::ItemId;
use tenantatlas_domain::item_name::shown_name;
use tenantatlas_domain::references::Assigned;
use tenantatlas_domain::registry::registry;
use tenantatlas_store::inventory::{
    self, FirstRead, Group, Heading, InventoryCounts, ItemFilter, ItemPage, ItemQuery, ItemRow, NotRead, ScopeView,
    StateFilter, Total,
};
use tenantatlas_store::scopes::{Scope, ScopeId};
use tenantatlas_store::{Reader, StoreError, sync_runs};

use super::coverage::{Coverage, CoverageMark, coverage};
use super::group_hits::{MAX_CHOICES, MAX_HITS};
use crate::error::AppError;
use crate::filter::inventory::{Grouping, InventoryFilter};
use crate::scope::{Inside, Kept};

/// Items that may be picked at once.
const MAX_PICKED: usize = 500;

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
    /// For each row whom it stands below, and how many items stand there; empty where the list is not grouped by that.
    pub headings: Vec<(Heading, u64)>,
    /// How many rows there are on all pages.
    pub total: Total,
    /// How many there are in each group, by its name in the address; empty where that is not counted or not asked for.
    pub groups: BTreeMap<String, u64>,
    /// The scope tags of the tenant: id and name.
    pub scope_tags: Vec<(String, String)>,
    /// What the person keeps for themselves: columns and saved views.
    pub kept: Kept,
    /// Groups whose names hold what is searched for.
    pub group_hits: Vec<Group>,
    /// Groups that something is assigned to, by name, for the filter.
    pub assigned_groups: Vec<Group>,
    /// What is told beside a list by assignments.
    pub by_assignment: Option<ByAssignment>,
    /// What is told beside a list of changes.
    pub by_change: Option<ByChange>,
}

/// What is told beside a list of changes.
#[derive(Debug, Clone)]
pub struct ByChange {
    /// The types that were first read only after the time that is asked for.
    pub first_read_later: Vec<FirstRead>,
    /// How many items went missing since then.
    pub missing: Total,
}

/// What is told beside a list by assignments.
#[derive(Debug, Clone)]
pub struct ByAssignment {
    /// The group that items are assigned to.
    pub assigned: Option<Group>,
    /// The group that they exclude.
    pub excluded: Option<Group>,
    /// How many items name the group on the other side, where it is asked for one side.
    pub other_side: Option<Total>,
    /// What was not read of that which the filter asks for.
    pub not_read: Vec<NotRead>,
}

/// Loads the page that an address names.
///
/// # Errors
/// When the database fails.
pub async fn load(inside: &Inside, address: &InventoryFilter) -> Result<InventoryView, AppError> {
    let db = inside.engine.reader();
    let (view, scopes) = ScopeView::load_among(db, inside.id(), address.scope).await?;
    let query = query(inside, address, &view).await?;
    let ((page, headings, total), groups, scope_tags, kept, group_hits, assigned_groups, by_assignment, by_change) = futures::try_join!(
        listed(inside, &view, address.group, &query),
        groups(inside, &view, address.group, &query.filter),
        scope_tags(inside, &view),
        inside.kept(),
        group_hits(inside, address),
        async { Ok(inventory::assigned_groups(db, inside.id(), MAX_CHOICES).await?) },
        by_assignment(inside, &view, &query.filter),
        by_change(inside, &view, &query.filter),
    )?;
    Ok(InventoryView {
        counts: view.counts(&[]),
        coverage: coverage(&view),
        scopes,
        page,
        headings,
        total,
        groups,
        scope_tags,
        kept: kept.clone(),
        group_hits,
        assigned_groups,
        by_assignment,
        by_change,
        view,
    })
}

/// The rows of the page, whom each stands below, and how many items there are on all pages.
async fn listed(
    inside: &Inside,
    view: &ScopeView,
    group: Option<Grouping>,
    query: &ItemQuery,
) -> Result<(ItemPage, Vec<(Heading, u64)>, Total), AppError> {
    let db = inside.engine.reader();
    if group == Some(Grouping::Target)
        && let Some(page) = inventory::list_by_target(db, view, query).await?
    {
        let inventory::TargetPage { places, next, previous, total } = page;
        let (rows, headings) =
            places.into_iter().map(|place| (place.row, (place.heading, place.items))).collect::<(Vec<_>, Vec<_>)>();
        let page = ItemPage { rows, next, previous, sort: query.sort, total: Some(total) };
        return Ok((page, headings, total));
    }
    let (page, total) = inventory::list_with_total(db, view, query).await?;
    Ok((page, Vec::new(), total))
}

/// The groups that a search finds, on its first page.
async fn group_hits(inside: &Inside, address: &InventoryFilter) -> Result<Vec<Group>, AppError> {
    if address.search.is_empty() || address.is_beyond_start() {
        return Ok(Vec::new());
    }
    Ok(inventory::groups_named(inside.engine.reader(), inside.id(), &address.search, MAX_HITS).await?)
}

async fn by_assignment(
    inside: &Inside,
    view: &ScopeView,
    filter: &ItemFilter,
) -> Result<Option<ByAssignment>, AppError> {
    let db = inside.engine.reader();
    if filter.assigned.is_none() && filter.excluded.is_none() {
        return Ok(None);
    }
    let known = async |whom: Option<&Assigned>| match whom.and_then(Assigned::external_id) {
        Some(id) => Ok::<_, AppError>(inventory::group(db, inside.id(), &id).await?),
        None => Ok(None),
    };
    let other_side = async {
        match filter.other_side() {
            Some(other) => Ok::<_, AppError>(Some(inventory::total(db, view, &other).await?)),
            None => Ok(None),
        }
    };
    let excluded = filter.excluded.map(Assigned::To);
    let (assigned, excluded, other_side, not_read) =
        futures::try_join!(known(filter.assigned.as_ref()), known(excluded.as_ref()), other_side, async {
            Ok(inventory::not_read(db, view, filter).await?)
        },)?;
    Ok(Some(ByAssignment { assigned, excluded, other_side, not_read }))
}

async fn by_change(inside: &Inside, view: &ScopeView, filter: &ItemFilter) -> Result<Option<ByChange>, AppError> {
    let db = inside.engine.reader();
    let Some(since) = filter.changed_since else { return Ok(None) };
    let gone = ItemFilter {
        state: Some(StateFilter::Missing),
        changed_since: None,
        missing_since: Some(since),
        ..filter.clone()
    };
    let (first_read_later, missing) =
        futures::try_join!(first_read_later(db, view, filter), inventory::total(db, view, &gone))?;
    Ok(Some(ByChange { first_read_later, missing }))
}

/// The types that a filter for changes can find and that were first read only after the time it names: what changed in them
/// between is not known.
///
/// # Errors
/// When the database fails.
pub async fn first_read_later(
    db: &Reader,
    view: &ScopeView,
    filter: &ItemFilter,
) -> Result<Vec<FirstRead>, StoreError> {
    let Some(since) = filter.changed_since else { return Ok(Vec::new()) };
    let mut later = inventory::first_read_after(db, view.tenant_id, since).await?;
    let category = |key: &str| registry().get(key).is_some_and(|known| filter.categories.contains(&known.category));
    later.retain(|one| {
        (filter.policy_types.is_empty() || filter.policy_types.contains(&one.policy_type))
            && (filter.categories.is_empty() || category(&one.policy_type))
    });
    Ok(later)
}

/// The view of the scope that an address names, or of the main one. A filter never changes the scope.
///
/// # Errors
/// When the database fails.
pub async fn view(inside: &Inside, address: &InventoryFilter) -> Result<ScopeView, AppError> {
    Ok(ScopeView::load(inside.engine.reader(), inside.id(), address.scope).await?)
}

/// The question that an address asks of a view. A run that the tenant does not have, or that has not ended, is no time to
/// tell changes from.
///
/// # Errors
/// Not found; when the database fails.
pub async fn query(inside: &Inside, address: &InventoryFilter, view: &ScopeView) -> Result<ItemQuery, AppError> {
    let moment = match address.since {
        None => None,
        Some(since) => {
            let now = inside.engine.now();
            let found = sync_runs::moment_of(inside.engine.reader(), inside.id(), since, now).await?;
            let found = found.ok_or_else(|| AppError::not_found("The run to tell changes from"))?;
            if found > now {
                return Err(AppError::invalid("since", since.in_future()));
            }
            Some(found)
        }
    };
    let mut query = address.query(moment);
    if let Some(mark) = address.coverage {
        query.filter.policy_types = types_marked(view, mark, &query.filter.policy_types);
    }
    Ok(query)
}

/// The keys of the types with a mark, of those that are wanted, or of all. Never an empty list, which would ask for
/// every type: where none is left it is one that no type has.
fn types_marked(view: &ScopeView, mark: CoverageMark, wanted: &[String]) -> Vec<String> {
    let marked = coverage(view).into_iter().filter(|cell| cell.mark == mark).map(|cell| cell.key);
    let mut types: Vec<String> = marked.filter(|key| wanted.is_empty() || wanted.contains(key)).collect();
    if types.is_empty() {
        types.push(String::new());
    }
    types
}

/// How many items there are in each group.
async fn groups(
    inside: &Inside,
    view: &ScopeView,
    group: Option<Grouping>,
    filter: &ItemFilter,
) -> Result<BTreeMap<String, u64>, AppError> {
    let by_category = match group {
        None | Some(Grouping::Target) => return Ok(BTreeMap::new()),
        Some(Grouping::Category) => true,
        Some(Grouping::Type) => false,
    };
    let types = inventory::total_by_type(inside.engine.reader(), view, filter).await?.unwrap_or_default();
    let mut groups = BTreeMap::new();
    for (key, items) in types {
        let category = || registry().get(&key).map_or("", |known| known.category.slug()).to_owned();
        let name = if by_category { category() } else { key };
        *groups.entry(name).or_default() += items;
    }
    Ok(groups)
}

/// The scope tags that the inventory holds, for the filter; at most a hundred.
async fn scope_tags(inside: &Inside, view: &ScopeView) -> Result<Vec<(String, String)>, AppError> {
    const KEY: &str = "roleScopeTag";
    if view.types.get(KEY).is_none_or(|state| state.known.items == 0) {
        return Ok(Vec::new());
    }
    let tags = inventory::named(inside.engine.reader(), inside.id(), KEY, 100).await?;
    let shown = |(id, name): (String, String)| {
        let name = shown_name(&name, &id).into_owned();
        (id, name)
    };
    Ok(tags.into_iter().map(shown).collect())
}

/// The items that a person picked, by our ids, in the order in which they were sent.
///
/// # Errors
/// When none was picked, none of them exists in the tenant, or there are too many.
pub async fn picked<'a>(
    inside: &Inside,
    scope: Option<ScopeId>,
    ids: impl Iterator<Item = &'a str>,
) -> Result<Vec<ItemRow>, AppError> {
    let ids: Vec<ItemId> = ids.filter_map(|id| id.parse().ok()).take(MAX_PICKED + 1).collect();
    if ids.is_empty() {
        return Err(AppError::invalid("items", "No item is picked. Mark the box of at least one."));
    }
    if ids.len() > MAX_PICKED {
        return Err(AppError::invalid("items", "Too many items are picked. Pick 500 at most, or export a filter."));
    }
    let db = inside.engine.reader();
    let view = ScopeView::load(db, inside.id(), scope).await?;
    let rows = inventory::find_many(db, &view, &ids).await?;
    if rows.is_empty() { Err(AppError::not_found("The items that are picked")) } else { Ok(rows) }
}
