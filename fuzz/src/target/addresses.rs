//! The filters of the lists read any address, keep to their bounds, and write an address that means the same.

use std::collections::HashMap;

use tenantatlas_app::filter::ListFilter as _;
use tenantatlas_app::filter::audit::AuditFilter;
use tenantatlas_app::filter::inventory::InventoryFilter;
use tenantatlas_app::filter::run::RunFilter;

pub fn check(input: &[u8]) {
    let parameters = parameters(input);
    let get = |name: &str| parameters.get(name).cloned();
    let list = InventoryFilter::read(get);
    assert!(list.search.chars().count() <= 200);
    let address = list.address("/inventory");
    assert!(address.is_ascii() && address.starts_with("/inventory"), "{address:?}");
    let query = address.split_once('?').map_or("", |(_, query)| query);
    let again = self::parameters(query.as_bytes());
    assert_eq!(InventoryFilter::read(|name| again.get(name).cloned()), list, "{address:?} means the same");

    let runs = RunFilter::read(get);
    assert!(runs.days.is_none_or(|days| (1..=3_650).contains(&days)), "{runs:?}");
    let audit = AuditFilter::read(get);
    for text in [&audit.actor, &audit.action, &audit.resource] {
        assert!(text.chars().count() <= 100, "{audit:?}");
    }
}

fn parameters(query: &[u8]) -> HashMap<String, String> {
    url::form_urlencoded::parse(query).map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
}
