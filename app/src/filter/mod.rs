//! What the address of a list says of it: which entries, in which order, from where on. Each list has a type that reads
//! the parameters of an address and writes them again; its page and its download use the same one. What is unknown in an
//! address is left out, so that an old or mistyped link shows something rather than nothing; the page says what that was.

pub mod audit;
pub mod finding;
pub mod group;
pub mod inventory;
pub mod run;
pub mod setting;
pub mod tenant;

use tenantatlas_domain::time::Timestamp;

use crate::address::with_query;
use crate::format::utc_day;

/// Milliseconds of a day.
pub const DAY: i64 = 86_400_000;
/// The longest text that is searched for in a list of objects, characters.
const MAX_SEARCH: usize = 200;

/// The parameters of a list.
pub trait ListFilter: Sized {
    /// Parameters whose values are words of ours: they may be written down as they are.
    const WORDS: &'static [&'static str];
    /// Parameters whose values are what a person typed.
    const TYPED: &'static [&'static str];
    /// Those of them that are not written where they are as they would be without.
    const DEFAULTED: &'static [&'static str] = &[];

    /// Reads the parameters of an address, by name.
    fn read(get: impl Fn(&str) -> Option<String>) -> Self;

    /// The parameters again, without those that are not set.
    fn pairs(&self) -> Vec<(&'static str, String)>;

    /// Parameters that are set to what is not understood, with that: they are left out.
    #[must_use]
    fn left_out(get: impl Fn(&str) -> Option<String>) -> Vec<(&'static str, String)> {
        let understood = Self::read(&get).pairs();
        let is_lost = |name: &&'static str| {
            !Self::DEFAULTED.contains(name) && understood.iter().all(|(understood, _)| understood != name)
        };
        let names = Self::WORDS.iter().chain(Self::TYPED).copied().filter(is_lost);
        names.filter_map(|name| Some((name, get(name).filter(|value| !value.trim().is_empty())?))).collect()
    }

    /// The same list from its beginning.
    #[must_use]
    fn first_page(&self) -> Self;

    /// The parameters as they stand in an address; empty where none is set.
    #[must_use]
    fn query_text(&self) -> String {
        url::form_urlencoded::Serializer::new(String::new()).extend_pairs(self.pairs()).finish()
    }

    /// The address of the list at `path`.
    #[must_use]
    fn address(&self, path: &str) -> String {
        with_query(path, self.pairs())
    }
}

/// Reads the parameters as they stand in an address ([`ListFilter::query_text`]).
#[must_use]
pub fn read_query<F: ListFilter>(query: &str) -> F {
    let pairs: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    F::read(|name| pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone()))
}

/// Those of the parameters that are set.
fn set<const N: usize>(pairs: [(&'static str, Option<String>); N]) -> Vec<(&'static str, String)> {
    pairs.into_iter().filter_map(|(name, value)| Some((name, value.filter(|value| !value.is_empty())?))).collect()
}

/// The begin of a whole UTC day that a form names.
fn day_start(day: Option<String>) -> Option<Timestamp> {
    Timestamp::parse_rfc3339(&format!("{}T00:00:00Z", day?))
}

/// The end of a whole UTC day that a form names.
fn day_end(day: Option<String>) -> Option<Timestamp> {
    day_start(day).map(|at| Timestamp::from_millis(at.as_millis() + DAY))
}

/// The day that begins there, as a form shows it; empty without one.
fn first_day(from: Option<Timestamp>) -> String {
    from.map(|at| utc_day(at.as_millis())).unwrap_or_default()
}

/// The day that ends there, as a form shows it; empty without one.
fn last_day(until: Option<Timestamp>) -> String {
    until.map(|at| utc_day(at.as_millis() - DAY)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use tenantatlas_store::tenants::ListedSort;

    use super::audit::AuditFilter;
    use super::finding::FindingsFilter;
    use super::group::GroupFilter;
    use super::inventory::InventoryFilter;
    use super::run::RunFilter;
    use super::setting::SettingFilter;
    use super::tenant::TenantFilter;
    use super::*;

    pub(super) fn read<F: ListFilter>(query: &str) -> F {
        read_query(query)
    }

    /// What an address means is what is written of it, and every parameter of it is known as word or as typed.
    fn comes_back<F: ListFilter + PartialEq + std::fmt::Debug>(query: &str) {
        let filter: F = read(query);
        assert_eq!(filter.address("/x"), format!("/x?{query}"));
        assert_eq!(read_query::<F>(&filter.query_text()), filter);
        for (name, _) in filter.first_page().pairs() {
            assert!(F::WORDS.contains(&name) != F::TYPED.contains(&name), "{name}");
        }
        assert_eq!(read::<F>("state=nonsense&by=noone&days=x&before=%00&type=no&from=never").address("/x"), "/x");
    }

    #[test]
    fn what_an_address_asks_for_in_vain_is_named() {
        fn lost<F: ListFilter>(query: &str) -> Vec<(&'static str, String)> {
            let pairs: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
            F::left_out(|name| pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone()))
        }
        let named = |name, value: &str| (name, value.to_owned());
        assert_eq!(
            lost::<RunFilter>("state=foo&by=zzz&days=abc&from=hello&reason=graph_throttled&tenant="),
            [named("state", "foo"), named("by", "zzz"), named("days", "abc"), named("from", "hello")]
        );
        assert_eq!(
            lost::<InventoryFilter>("type=no&since=bogus&sort=name"),
            [named("type", "no"), named("since", "bogus")]
        );
        assert_eq!(lost::<FindingsFilter>("status=new&severity=enormous"), [named("severity", "enormous")]);
        assert_eq!(lost::<AuditFilter>("from=yesterday&action=x"), [named("from", "yesterday")]);
        assert_eq!(lost::<RunFilter>("reason=Throttled+by+microsoft+graph"), [], "words are read as well as codes");
        assert_eq!(lost::<RunFilter>("state=failed&by=me&days=7&operation=inventory.sync&from=2026-01-02"), []);
    }

    #[test]
    fn every_list_writes_the_address_that_it_was_read_from() {
        comes_back::<InventoryFilter>(
            "q=Windows+%26+co&category=compliance&type=settingsCatalogPolicy&platform=windows&state=not_read&tag=0&assigned=all-users&excluded=11111111-1111-4111-8111-111111111111&coverage=failed&sort=seen&dir=desc&group=type&scope=3",
        );
        for column in tenantatlas_domain::item_column::ItemColumn::ALL {
            comes_back::<InventoryFilter>(&format!("sort={column}"));
        }
        comes_back::<RunFilter>("state=failed&by=me&days=7&before=1000.01932f1e-7c00-7000-8000-000000000001");
        comes_back::<FindingsFilter>(
            "status=open&kind=renamed&severity=high&type=settingsCatalogPolicy&q=North+%26+wind&group=object&after=01932f1e-7c00-7000-8000-000000000001",
        );
        comes_back::<SettingFilter>("q=value%3Aenabled&setting=a%2Fb&after=01932f1e-7c00-7000-8000-000000000001.65537");
        comes_back::<RunFilter>("by=schedule");
        comes_back::<RunFilter>("by=nobody");
        comes_back::<RunFilter>("by=token");
        comes_back::<RunFilter>(
            "state=failed&operation=inventory.sync&reason=graph_throttled&tenant=north+wind&from=2026-01-02&until=2026-01-03",
        );
        comes_back::<GroupFilter>("type=settingsCatalogPolicy&only=excluded&scope=3");
        comes_back::<RunFilter>("by=01932f1e-7c00-7000-8000-000000000002");
        comes_back::<TenantFilter>("q=north+wind&sort=failed&page=3");
        comes_back::<TenantFilter>("sort=newest");
        comes_back::<TenantFilter<ListedSort>>("q=north+wind&sort=connection-desc&page=3");
        comes_back::<AuditFilter>(
            "actor=Ada&action=tenant.updated&resource=tenant&from=2026-01-02&until=2026-01-03&before=7",
        );
    }
}
