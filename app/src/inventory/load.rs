//! The inventory of a tenant as its page shows it.

use crate::error::AppError;
use crate::scope::Inside;
use std::collections::{BTreeMap, HashSet};
use tenantatlas_domain::reason::ReasonCode;
use tenantatlas_domain::registry::{Category, Platform, PolicyType, registry};
use tenantatlas_domain::sync::TypeOutcome;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_store::inventory::{
    self, Cursor, InventoryCounts, ItemFilter, ItemPage, ItemQuery, ScopeView, Sort, StateFilter,
};
use tenantatlas_store::scopes::{self, Scope, ScopeId};

/// Rows on one page of the list.
const PAGE: u32 = 50;
/// The longest text that is searched for, characters.
const MAX_SEARCH: usize = 200;

/// The state of the list as the address holds it. What is unknown in it is left out, so that an old or mistyped link
/// shows something rather than nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListAddress {
    /// What is searched for.
    pub search: String,
    /// Only this category.
    pub category: Option<Category>,
    /// Only this policy type, by key.
    pub policy_type: Option<String>,
    /// Only this platform.
    pub platform: Option<Platform>,
    /// Only in this state.
    pub state: Option<StateFilter>,
    /// Only with this scope tag, by id.
    pub scope_tag: Option<String>,
    /// In this order.
    pub sort: Sort,
    /// Relative to this scope; the default one otherwise.
    pub scope: Option<ScopeId>,
    /// Where the page begins.
    pub after: Option<Cursor>,
}

impl ListAddress {
    /// Reads the parameters of an address.
    pub fn read<'a>(get: impl Fn(&str) -> Option<String> + 'a) -> Self {
        let filled = |name: &str| get(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        Self {
            search: filled("q").map(|text| text.chars().take(MAX_SEARCH).collect()).unwrap_or_default(),
            category: filled("category").and_then(|slug| Category::ALL.iter().copied().find(|one| one.slug() == slug)),
            policy_type: filled("type").filter(|key| registry().get(key).is_some()),
            platform: filled("platform")
                .and_then(|name| Platform::ALL.iter().copied().find(|one| one.as_str() == name)),
            state: filled("state").and_then(|name| state_of(&name)),
            scope_tag: filled("tag").filter(|tag| tag.len() <= 40),
            sort: match filled("sort").as_deref() {
                Some("type") => Sort::Type,
                Some("seen") => Sort::LastSeen,
                _ => Sort::Name,
            },
            scope: filled("scope").and_then(|id| id.parse().ok()).map(ScopeId),
            after: filled("after").and_then(|text| Cursor::decode(&text)),
        }
    }

    /// The parameters again, without those that are not set.
    #[must_use]
    pub fn pairs(&self) -> Vec<(&'static str, String)> {
        let mut pairs = Vec::new();
        let mut put = |name, value: Option<String>| pairs.extend(value.map(|value| (name, value)));
        put("q", Some(self.search.clone()).filter(|text| !text.is_empty()));
        put("category", self.category.map(|one| one.slug().to_owned()));
        put("type", self.policy_type.clone());
        put("platform", self.platform.map(|one| one.as_str().to_owned()));
        put("state", self.state.map(|one| state_name(one).to_owned()));
        put("tag", self.scope_tag.clone());
        put("sort", sort_name(self.sort).map(ToOwned::to_owned));
        put("scope", self.scope.map(|ScopeId(id)| id.to_string()));
        put("after", self.after.as_ref().map(Cursor::encode));
        pairs
    }

    /// The address below `path` that holds this state.
    #[must_use]
    pub fn address(&self, path: &str) -> String {
        let pairs = self.pairs();
        if pairs.is_empty() {
            return path.to_owned();
        }
        let mut query = url::form_urlencoded::Serializer::new(format!("{path}?"));
        query.extend_pairs(pairs);
        query.finish()
    }

    /// The same list from its beginning.
    #[must_use]
    pub fn from_start(&self) -> Self {
        Self { after: None, ..self.clone() }
    }

    /// Whether anything narrows the list.
    #[must_use]
    pub fn is_filtered(&self) -> bool {
        let Self { search, category, policy_type, platform, state, scope_tag, .. } = self;
        !search.is_empty()
            || category.is_some()
            || policy_type.is_some()
            || platform.is_some()
            || state.is_some()
            || scope_tag.is_some()
    }

    /// Whether the state is all that narrows the list, and the list is shown from its start: only then an empty list
    /// says something about the whole inventory.
    #[must_use]
    pub fn asks_for_state_alone(&self) -> bool {
        self.state.is_some() && self.after.is_none() && !Self { state: None, ..self.clone() }.is_filtered()
    }

    /// The question to the store.
    #[must_use]
    pub fn query(&self) -> ItemQuery {
        ItemQuery {
            filter: ItemFilter {
                policy_types: self.policy_type.iter().cloned().collect(),
                categories: self.category.into_iter().collect(),
                platforms: self.platform.into_iter().collect(),
                search: Some(self.search.clone()).filter(|text| !text.is_empty()),
                state: self.state,
                scope_tag: self.scope_tag.clone(),
            },
            sort: self.sort,
            after: self.after.clone(),
            limit: PAGE,
        }
    }
}

/// The name of a state in the address.
#[must_use]
pub const fn state_name(state: StateFilter) -> &'static str {
    match state {
        StateFilter::Present => "present",
        StateFilter::Missing => "missing",
        StateFilter::NotRead => "not_read",
        StateFilter::Changed => "changed",
    }
}

fn state_of(name: &str) -> Option<StateFilter> {
    [StateFilter::Present, StateFilter::Missing, StateFilter::NotRead, StateFilter::Changed]
        .into_iter()
        .find(|state| state_name(*state) == name)
}

/// The name of an order in the address; the usual order has none.
#[must_use]
pub const fn sort_name(sort: Sort) -> Option<&'static str> {
    match sort {
        Sort::Name => None,
        Sort::Type => Some("type"),
        Sort::LastSeen => Some("seen"),
    }
}

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
}

/// Loads the page that an address names.
///
/// # Errors
/// When the database fails.
pub async fn load(inside: &Inside, address: &ListAddress) -> Result<InventoryView, AppError> {
    let db = inside.engine.db();
    let view = view(inside, address).await?;
    let (page, scopes, scope_tags) = futures::try_join!(
        async { Ok::<_, AppError>(inventory::list(db, &view, &address.query()).await?) },
        async { Ok(scopes::list(db, inside.id()).await?) },
        scope_tags(inside, &view),
    )?;
    let scopes = scopes.into_iter().filter(|scope| scope.latest.is_some()).collect();
    Ok(InventoryView { counts: view.counts(&[]), coverage: coverage(&view), scopes, page, scope_tags, view })
}

/// The view of the scope that an address names, or of the default one for what it shows.
///
/// # Errors
/// When the database fails.
pub async fn view(inside: &Inside, address: &ListAddress) -> Result<ScopeView, AppError> {
    let shown: Vec<String> = match (&address.policy_type, address.category) {
        (Some(key), _) => vec![key.clone()],
        (None, Some(category)) => {
            registry().default_on().filter(|one| one.category == category).map(|one| one.key.to_owned()).collect()
        }
        (None, None) => Vec::new(),
    };
    Ok(ScopeView::load(inside.engine.db(), inside.id(), address.scope, &shown).await?)
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
    let page = inventory::list(inside.engine.db(), view, &query).await?;
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
        last_full_read: full.filter(|_| outcome != Some(TypeOutcome::Succeeded)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> ListAddress {
        let pairs: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        ListAddress::read(move |name| pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone()))
    }

    #[test]
    fn the_address_holds_the_whole_state_of_the_list() {
        let text = "q=Windows+%26+co&category=compliance&type=compliancePolicy&platform=windows&state=not_read&tag=0&sort=seen&scope=3";
        let address = read(text);
        assert!(address.is_filtered());
        assert_eq!(read(address.address("/x").split_once('?').expect("a query").1), address);
    }

    #[test]
    fn only_a_state_alone_and_from_the_start_asks_for_the_whole_inventory() {
        assert!(read("state=missing&sort=seen&scope=3").asks_for_state_alone());
        for narrower in ["", "state=missing&q=x", "state=missing&type=settingsCatalogPolicy", "state=missing&tag=0"] {
            assert!(!read(narrower).asks_for_state_alone(), "{narrower}");
        }
    }

    #[test]
    fn a_type_outside_of_the_selection_is_not_called_never_read() {
        let policy_type = registry().get("settingsCatalogPolicy").expect("a type");
        assert_eq!(cell(policy_type, None, true).mark, CoverageMark::Outside);
        assert_eq!(cell(policy_type, None, false).mark, CoverageMark::Never);
    }

    #[test]
    fn what_an_address_means_by_nothing_or_nonsense_is_left_out() {
        let address = read("q=++&category=nonsense&type=nonsense&platform=&state=deleted&scope=x&after=%00");
        assert_eq!(address, ListAddress::default());
        assert_eq!(address.address("/x"), "/x");
    }
}
