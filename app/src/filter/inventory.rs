//! The items of a tenant.

use tenantatlas_domain::item_column::ItemColumn;
use tenantatlas_domain::references::Assigned;
use tenantatlas_domain::registry::{Category, Platform, registry};
use tenantatlas_domain::since::Since;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_store::inventory::{Cursor, ItemFilter, ItemQuery, Sort, StateFilter};
use tenantatlas_store::scopes::ScopeId;
use uuid::Uuid;

use super::{ListFilter, MAX_SEARCH, set};
use crate::inventory::coverage::CoverageMark;

/// Rows on one page of the list.
const PAGE: u32 = 50;

/// What a list is grouped by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grouping {
    /// By category.
    Category,
    /// By policy type.
    Type,
    /// By whom its assignments name: an item stands below each of them.
    Target,
}

impl Grouping {
    /// Every one, in the order of forms.
    pub const ALL: [Self; 3] = [Self::Category, Self::Type, Self::Target];

    /// Its name in the address.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Category => "category",
            Self::Type => "type",
            Self::Target => "assigned",
        }
    }

    /// Its words.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Category => "Category",
            Self::Type => "Type",
            Self::Target => "Assigned group",
        }
    }

    /// The order in which a group stands together. Those who are assigned have a list of their own
    /// ([`list_by_target`](tenantatlas_store::inventory::list_by_target)), and the usual order where that is too long.
    const fn sort(self) -> Sort {
        match self {
            Self::Category => Sort::Category,
            Self::Type => Sort::Type,
            Self::Target => Sort::Name,
        }
    }
}

/// Which items.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InventoryFilter {
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
    /// Only of types whose last read ended like this.
    pub coverage: Option<CoverageMark>,
    /// Only what is assigned directly to this group, or to nobody.
    pub assigned: Option<Assigned>,
    /// Only what excludes the group with this id.
    pub excluded: Option<Uuid>,
    /// In this order.
    pub sort: Sort,
    /// Whether that order is reversed.
    pub descending: bool,
    /// What stands together, before any order.
    pub group: Option<Grouping>,
    /// Only what was found new or changed since then.
    pub since: Option<Since>,
    /// Relative to this scope; the main one otherwise.
    pub scope: Option<ScopeId>,
    /// Where the page begins.
    pub after: Option<Cursor>,
    /// Where the page ends.
    pub before: Option<Cursor>,
}

impl ListFilter for InventoryFilter {
    const WORDS: &'static [&'static str] = &[
        "category", "type", "platform", "state", "assigned", "excluded", "since", "coverage", "sort", "dir", "group",
        "scope",
    ];
    const TYPED: &'static [&'static str] = &["q", "tag"];
    const DEFAULTED: &'static [&'static str] = &["sort", "dir"];

    fn read(get: impl Fn(&str) -> Option<String>) -> Self {
        let filled = |name: &str| get(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        Self {
            search: filled("q").map(|text| text.chars().take(MAX_SEARCH).collect()).unwrap_or_default(),
            category: filled("category").and_then(|slug| Category::ALL.iter().copied().find(|one| one.slug() == slug)),
            policy_type: filled("type").filter(|key| registry().get(key).is_some()),
            platform: filled("platform")
                .and_then(|name| Platform::ALL.iter().copied().find(|one| one.as_str() == name)),
            state: filled("state").and_then(|name| state_of(&name)),
            // A date that was just entered, or what was chosen before.
            since: ["since_date", "since"].into_iter().find_map(|name| filled(name)?.parse().ok()),
            assigned: filled("assigned").and_then(|text| text.parse().ok()),
            excluded: filled("excluded").and_then(|text| text.parse::<Assigned>().ok()?.group()),
            scope_tag: filled("tag").filter(|tag| tag.len() <= 40),
            coverage: filled("coverage").and_then(|name| CoverageMark::named(&name)),
            sort: filled("sort").and_then(|name| name.parse().ok()).map_or(Sort::Name, sort_of),
            descending: filled("dir").as_deref() == Some(DESCENDING),
            group: filled("group").and_then(|name| Grouping::ALL.into_iter().find(|one| one.as_str() == name)),
            scope: filled("scope").and_then(|id| id.parse().ok()).map(ScopeId),
            after: filled("after").and_then(|text| Cursor::decode(&text)),
            before: filled("before").and_then(|text| Cursor::decode(&text)),
        }
    }

    fn pairs(&self) -> Vec<(&'static str, String)> {
        set([
            ("q", Some(self.search.clone())),
            ("category", self.category.map(|one| one.slug().to_owned())),
            ("type", self.policy_type.clone()),
            ("platform", self.platform.map(|one| one.as_str().to_owned())),
            ("state", self.state.map(|one| state_name(one).to_owned())),
            ("since", self.since.map(|since| since.to_string())),
            ("tag", self.scope_tag.clone()),
            ("assigned", self.assigned.as_ref().map(Assigned::to_string)),
            ("excluded", self.excluded.map(|group| group.to_string())),
            ("coverage", self.coverage.map(|one| one.as_str().to_owned())),
            ("sort", column_of(self.sort).map(|column| column.as_str().to_owned())),
            ("dir", self.descending.then(|| DESCENDING.to_owned())),
            ("group", self.group.map(|one| one.as_str().to_owned())),
            ("scope", self.scope.map(|ScopeId(id)| id.to_string())),
            ("after", self.after.as_ref().map(Cursor::encode)),
            ("before", self.before.as_ref().map(Cursor::encode)),
        ])
    }

    fn first_page(&self) -> Self {
        Self { after: None, before: None, ..self.clone() }
    }
}

impl InventoryFilter {
    /// Whether anything narrows the list.
    #[must_use]
    pub fn is_filtered(&self) -> bool {
        let Self {
            search, category, policy_type, platform, state, since, scope_tag, coverage, assigned, excluded, ..
        } = self;
        !search.is_empty()
            || category.is_some()
            || policy_type.is_some()
            || platform.is_some()
            || state.is_some()
            || since.is_some()
            || scope_tag.is_some()
            || coverage.is_some()
            || assigned.is_some()
            || excluded.is_some()
    }

    /// Whether the list is shown from somewhere else than its beginning.
    #[must_use]
    pub fn is_beyond_start(&self) -> bool {
        self.after.is_some() || self.before.is_some()
    }

    /// Whether the state is all that narrows the list, and the list is shown from its start: only then an empty list
    /// says something about the whole inventory.
    #[must_use]
    pub fn asks_for_state_alone(&self) -> bool {
        self.state.is_some() && !self.is_beyond_start() && !Self { state: None, ..self.clone() }.is_filtered()
    }

    /// The question to the store. `changed_since` is the moment that [`Self::since`] names; [`Self::coverage`] is for
    /// whoever knows how the types were read.
    #[must_use]
    pub fn query(&self, changed_since: Option<Timestamp>) -> ItemQuery {
        ItemQuery {
            filter: ItemFilter {
                policy_types: self.policy_type.iter().cloned().collect(),
                categories: self.category.into_iter().collect(),
                platforms: self.platform.into_iter().collect(),
                search: Some(self.search.clone()).filter(|text| !text.is_empty()),
                state: self.state,
                scope_tag: self.scope_tag.clone(),
                assigned: self.assigned.clone(),
                excluded: self.excluded,
                changed_since,
                missing_since: None,
            },
            sort: self.group.map_or(self.sort, Grouping::sort),
            descending: self.descending,
            after: self.after.clone(),
            before: self.before.clone(),
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

/// What an address says of an order that is reversed.
const DESCENDING: &str = "desc";

/// The order of a column.
#[must_use]
pub const fn sort_of(column: ItemColumn) -> Sort {
    match column {
        ItemColumn::Type => Sort::Type,
        ItemColumn::Category => Sort::Category,
        ItemColumn::State => Sort::State,
        ItemColumn::Assigned => Sort::Assigned,
        ItemColumn::Platform => Sort::Platform,
        ItemColumn::Modified => Sort::Modified,
        ItemColumn::LastSeen => Sort::LastSeen,
        ItemColumn::FirstSeen => Sort::FirstSeen,
        ItemColumn::Changed => Sort::Changed,
        ItemColumn::Id => Sort::Id,
    }
}

/// The column that an order is of, by whose name the address knows it; the order by name is the usual one and has none.
#[must_use]
pub fn column_of(sort: Sort) -> Option<ItemColumn> {
    ItemColumn::ALL.iter().copied().find(|column| sort_of(*column) == sort)
}

#[cfg(test)]
mod tests {
    use super::super::tests::read;
    use super::*;

    #[test]
    fn only_a_state_alone_and_from_the_start_asks_for_the_whole_inventory() {
        assert!(read::<InventoryFilter>("state=missing&sort=seen&scope=3").asks_for_state_alone());
        for narrower in [
            "",
            "state=missing&q=x",
            "state=missing&type=settingsCatalogPolicy",
            "state=missing&tag=0",
            "state=missing&assigned=nobody",
            "state=missing&excluded=11111111-1111-4111-8111-111111111111",
        ] {
            assert!(!read::<InventoryFilter>(narrower).asks_for_state_alone(), "{narrower}");
        }
    }

    #[test]
    fn what_an_address_means_by_nothing_or_nonsense_is_left_out() {
        let address: InventoryFilter =
            read("q=++&excluded=nobody&category=nonsense&type=nonsense&platform=&state=deleted&scope=x&after=%00");
        assert_eq!(address, InventoryFilter::default());
        assert_eq!(address.address("/x"), "/x");
    }
}
