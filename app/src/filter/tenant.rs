//! The tenants of a person.

use tenantatlas_store::tenants::OverviewSort;

use super::{ListFilter, set};

/// Tenants on one page.
pub const PAGE: u32 = 50;
/// The last page that an address can name.
const LAST_PAGE: u32 = 10_000;
/// The longest search, in characters.
const LONGEST_SEARCH: usize = 200;

/// The orders, as the address and the person name them.
pub const SORTS: [(OverviewSort, &str, &str); 4] = [
    (OverviewSort::Favourites, "", "Favorites first"),
    (OverviewSort::Name, "name", "By name"),
    (OverviewSort::Failed, "failed", "Failed first"),
    (OverviewSort::Oldest, "oldest", "Oldest read first"),
];

/// Which tenants.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TenantFilter {
    /// Words of the name.
    pub search: String,
    /// In which order.
    pub sort: OverviewSort,
    /// Which page, from 0.
    pub page: u32,
}

impl ListFilter for TenantFilter {
    const WORDS: &'static [&'static str] = &["sort"];
    const TYPED: &'static [&'static str] = &["q"];

    fn read(query: impl Fn(&str) -> Option<String>) -> Self {
        let sort = query("sort").unwrap_or_default();
        let page =
            query("page").and_then(|page| page.parse::<u32>().ok()).filter(|page| (2..=LAST_PAGE).contains(page));
        Self {
            search: query("q").unwrap_or_default().trim().chars().take(LONGEST_SEARCH).collect(),
            sort: SORTS.iter().find(|(_, name, _)| *name == sort).map(|(sort, ..)| *sort).unwrap_or_default(),
            page: page.map_or(0, |page| page - 1),
        }
    }

    fn pairs(&self) -> Vec<(&'static str, String)> {
        set([
            ("q", Some(self.search.clone())),
            ("sort", Some(self.sort_name().to_owned())),
            ("page", (self.page > 0).then(|| (self.page + 1).to_string())),
        ])
    }

    fn first_page(&self) -> Self {
        Self { page: 0, ..self.clone() }
    }
}

impl TenantFilter {
    /// That of an address of the list; the whole list for any other address.
    #[must_use]
    pub fn of_address(address: &str) -> Self {
        let query = address.split_once('?').map(|(_, query)| query).unwrap_or_default();
        let pairs: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        Self::read(move |name| pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone()))
    }

    /// The order, as the address names it.
    #[must_use]
    pub fn sort_name(&self) -> &'static str {
        SORTS.iter().find(|(sort, ..)| *sort == self.sort).map(|(_, name, _)| *name).unwrap_or_default()
    }
}
