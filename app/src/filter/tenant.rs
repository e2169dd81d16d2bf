//! Lists of tenants: those of a person, and all of a server.

use tenantatlas_store::tenants::{ListedSort, OverviewSort};

use super::{ListFilter, set};

/// Tenants on one page.
pub const PAGE: u32 = 50;
/// The last page that an address can name.
const LAST_PAGE: u32 = 10_000;
/// The longest search, in characters.
const LONGEST_SEARCH: usize = 200;

/// An order of a list in one of its directions, as the address and the person name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Order<S: 'static> {
    /// By what.
    pub sort: S,
    /// Whether it is reversed.
    pub descending: bool,
    /// Its name in the address; empty for the usual one.
    pub name: &'static str,
    /// Its words.
    pub words: &'static str,
}

/// By what a list of tenants can be sorted.
pub trait Sorts: Copy + PartialEq + Default + 'static {
    /// Every order, the usual one first.
    const ORDERS: &'static [Order<Self>];
}

const fn order<S>(sort: S, descending: bool, name: &'static str, words: &'static str) -> Order<S> {
    Order { sort, descending, name, words }
}

impl Sorts for OverviewSort {
    const ORDERS: &'static [Order<Self>] = &[
        order(Self::Favourites, false, "", "Favorites first"),
        order(Self::Name, false, "name", "By name"),
        order(Self::Name, true, "name-desc", "By name, Z first"),
        order(Self::Failed, false, "failed", "Failed first"),
        order(Self::Failed, true, "failed-last", "Failed last"),
        order(Self::Oldest, false, "oldest", "Oldest read first"),
        order(Self::Oldest, true, "newest", "Newest read first"),
    ];
}

impl Sorts for ListedSort {
    const ORDERS: &'static [Order<Self>] = &[
        order(Self::Name, false, "", "By name"),
        order(Self::Name, true, "name-desc", "By name, Z first"),
        order(Self::Connection, false, "connection", "Not working first"),
        order(Self::Connection, true, "connection-desc", "Working first"),
        order(Self::Checked, false, "checked", "Longest unchecked first"),
        order(Self::Checked, true, "checked-desc", "Checked last first"),
        order(Self::Credential, false, "credential", "Oldest credential first"),
        order(Self::Credential, true, "credential-desc", "Newest credential first"),
        order(Self::Added, false, "added", "Added first"),
        order(Self::Added, true, "added-desc", "Added last first"),
    ];
}

/// Which tenants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantFilter<S: 'static = OverviewSort> {
    /// Words of the name.
    pub search: String,
    /// In which order.
    pub order: Order<S>,
    /// Which page, from 0.
    pub page: u32,
}

impl<S: Sorts> Default for TenantFilter<S> {
    fn default() -> Self {
        Self { search: String::new(), order: S::ORDERS[0], page: 0 }
    }
}

impl<S: Sorts> ListFilter for TenantFilter<S> {
    const WORDS: &'static [&'static str] = &["sort"];
    const TYPED: &'static [&'static str] = &["q"];

    fn read(query: impl Fn(&str) -> Option<String>) -> Self {
        let sort = query("sort").unwrap_or_default();
        let page =
            query("page").and_then(|page| page.parse::<u32>().ok()).filter(|page| (2..=LAST_PAGE).contains(page));
        Self {
            search: query("q").unwrap_or_default().trim().chars().take(LONGEST_SEARCH).collect(),
            order: S::ORDERS.iter().copied().find(|order| order.name == sort).unwrap_or(S::ORDERS[0]),
            page: page.map_or(0, |page| page - 1),
        }
    }

    fn pairs(&self) -> Vec<(&'static str, String)> {
        set([
            ("q", Some(self.search.clone())),
            ("sort", Some(self.order.name.to_owned())),
            ("page", (self.page > 0).then(|| (self.page + 1).to_string())),
        ])
    }

    fn first_page(&self) -> Self {
        Self { page: 0, ..self.clone() }
    }
}

impl<S: Sorts> TenantFilter<S> {
    /// That of an address of the list; the whole list for any other address.
    #[must_use]
    pub fn of_address(address: &str) -> Self {
        let query = address.split_once('?').map(|(_, query)| query).unwrap_or_default();
        let pairs: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        Self::read(move |name| pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone()))
    }

    /// The list that the head of a column leads to: the other direction where it is sorted by that column, else the first
    /// one.
    #[must_use]
    pub fn turned(&self, sort: S) -> Self {
        let descending = self.order.sort == sort && !self.order.descending;
        let is_wanted = |order: &Order<S>| order.sort == sort && order.descending == descending;
        let order = S::ORDERS.iter().copied().find(is_wanted).unwrap_or(self.order);
        Self { order, ..self.first_page() }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn turns<S: Sorts>() {
        let names: BTreeSet<&str> = S::ORDERS.iter().map(|order| order.name).collect();
        assert_eq!(names.len(), S::ORDERS.len());
        for order in S::ORDERS.iter().filter(|order| order.descending) {
            let filter = TenantFilter::<S> { page: 3, ..TenantFilter::default() };
            let once = filter.turned(order.sort);
            let twice = if once.order.descending { once.clone() } else { once.turned(order.sort) };
            assert_eq!((twice.order.name, twice.page), (order.name, 0));
            assert!(!twice.turned(order.sort).order.descending);
        }
    }

    #[test]
    fn the_head_of_a_column_turns_its_order_and_begins_at_the_first_page() {
        turns::<OverviewSort>();
        turns::<ListedSort>();
    }
}
