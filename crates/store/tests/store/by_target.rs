//! The list of items grouped by whom they are assigned to.

use tenantatlas_domain::ids::TenantId;
use tenantatlas_domain::references::{ALL_DEVICES, ALL_USERS, Relationship, TargetKind, Unnamed};
use tenantatlas_store::Db;
use tenantatlas_store::inventory::{
    DirectoryName, Heading, ItemFilter, ItemQuery, MAX_COUNTED, ObservedItem, ObservedLink, Place, ScopeView,
    StateFilter, list_by_target, record_names,
};
use tenantatlas_store::testing::on_both_engines;

use crate::world::{Sync, at, edge, item, tenant};

const PILOT: &str = "11111111-1111-4111-8111-111111111111";
const SALES: &str = "22222222-2222-4222-8222-222222222222";
const GONE: &str = "33333333-3333-4333-8333-333333333333";

fn to(id: &str) -> ObservedLink {
    let kind = match id {
        ALL_USERS => TargetKind::AllUsers,
        ALL_DEVICES => TargetKind::AllDevices,
        _ => TargetKind::Group,
    };
    edge(Relationship::AssignedTo, kind, id)
}

fn without(id: &str) -> ObservedLink {
    ObservedLink { relationship: Relationship::ExcludedFrom, ..to(id) }
}

fn of(name: &str, assigned: Option<bool>, links: Vec<ObservedLink>) -> ObservedItem {
    ObservedItem { links, assigned, ..item(name, name, "a") }
}

fn told(place: &Place) -> (String, u64, String) {
    let heading = match &place.heading {
        Heading::Target(one) => {
            let side = if one.is_included() { "" } else { "not " };
            let name = one.name.as_deref().unwrap_or(one.target_kind.as_str());
            format!("{side}{name}")
        }
        Heading::NotAssigned => "nobody".to_owned(),
        Heading::NotKept => "not kept".to_owned(),
        Heading::Untold => "untold".to_owned(),
    };
    (heading, place.items, place.row.item.display_name.clone())
}

async fn read(db: &Db, tenant: TenantId, items: &[ObservedItem]) {
    let sync = Sync::start(db, tenant, &["alpha"], at(0)).await;
    sync.read("alpha", items, at(0)).await;
    sync.finish(at(1)).await;
    let name = |id: &str, name: Result<&str, Unnamed>| DirectoryName {
        external_id: id.to_owned(),
        kind: TargetKind::Group,
        display_name: name.map(str::to_owned),
    };
    let names = [name(PILOT, Ok("Pilot")), name(SALES, Ok("Sales")), name(GONE, Err(Unnamed::Gone))];
    let mut tx = db.write().await.unwrap();
    record_names(&mut tx, tenant, &names, at(1)).await.unwrap();
    tx.commit().await.unwrap();
}

/// Every place, read in pages of `limit`, and again from the end to the beginning.
async fn places(db: &Db, view: &ScopeView, query: &ItemQuery, limit: u32) -> Vec<(String, u64, String)> {
    let page = async |after, before| {
        let query = ItemQuery { limit, after, before, ..query.clone() };
        let page = list_by_target(db, view, &query).await.unwrap().unwrap();
        (page.places.iter().map(told).collect::<Vec<_>>(), page.previous, page.next)
    };
    let (mut forth, mut previous, mut next) = page(None, None).await;
    let mut back = forth.clone();
    while next.is_some() {
        let places;
        (places, previous, next) = page(next, None).await;
        back.clone_from(&places);
        forth.extend(places);
    }
    while previous.is_some() {
        let (mut places, before, _) = page(None, previous).await;
        // Where less than a page is left, the first page is shown whole.
        places.truncate(forth.len() - back.len());
        places.append(&mut back);
        (back, previous) = (places, before);
    }
    assert_eq!(forth, back, "{limit}");
    forth
}

on_both_engines! {
    async fn an_item_stands_below_each_target_on_whatever_page_and_excluded_is_never_included(test: TestDatabase) {
        let db = &test.db;
        let contoso = tenant(db, "Contoso").await;
        let application = edge(Relationship::AssignedTo, TargetKind::Application, "app");
        read(db, contoso, &[
            of("Both", Some(true), vec![to(SALES), without(PILOT), to(ALL_DEVICES)]),
            of("Everybody", Some(true), vec![to(ALL_USERS), to(PILOT)]),
            of("Excluded only", Some(false), vec![without(SALES)]),
            of("Left", Some(true), vec![to(GONE)]),
            of("Many", Some(true), vec![]),
            of("Nobody", Some(false), vec![]),
            of("Protects", Some(false), vec![application]),
            of("Pilot only", Some(true), vec![to(PILOT)]),
            of("Untold", None, vec![]),
            ObservedItem { links_omitted: 3, ..of("Wide", Some(true), vec![to(PILOT)]) },
        ])
        .await;
        read(db, tenant(db, "Fabrikam").await, &[of("Foreign", Some(true), vec![to(PILOT)])]).await;
        let view = ScopeView::load(db, contoso, None).await.unwrap();
        let expected: Vec<(String, u64, String)> = [
            ("all_users", 1, "Everybody"),
            ("all_devices", 1, "Both"),
            ("Pilot", 3, "Everybody"),
            ("Pilot", 3, "Pilot only"),
            ("Pilot", 3, "Wide"),
            ("not Pilot", 1, "Both"),
            ("Sales", 1, "Both"),
            ("not Sales", 1, "Excluded only"),
            ("group", 1, "Left"),
            ("nobody", 3, "Excluded only"),
            ("nobody", 3, "Nobody"),
            ("nobody", 3, "Protects"),
            ("not kept", 2, "Many"),
            ("not kept", 2, "Wide"),
            ("untold", 1, "Untold"),
        ]
        .into_iter()
        .map(|(heading, items, name)| (heading.to_owned(), items, name.to_owned()))
        .collect();
        let query = ItemQuery::default();
        for limit in 1..=16 {
            assert_eq!(places(db, &view, &query, limit).await, expected, "{limit}");
        }
        let mut turned = places(db, &view, &ItemQuery { descending: true, ..query.clone() }, 4).await;
        turned.reverse();
        assert_eq!(turned, expected);
        let page = list_by_target(db, &view, &ItemQuery { limit: 50, ..query.clone() }).await.unwrap().unwrap();
        assert_eq!((page.total.items, page.total.exact), (10, true), "an item is counted once");
        assert_eq!((page.next, page.previous), (None, None));
        let filter = ItemFilter { search: Some("only".to_owned()), state: Some(StateFilter::Present), ..ItemFilter::default() };
        let names: Vec<String> = places(db, &view, &ItemQuery { filter, ..query }, 2).await.into_iter().map(|one| one.0).collect();
        assert_eq!(names, ["Pilot", "not Sales", "nobody"]);
    }

    async fn more_items_than_are_counted_are_not_grouped(test: TestDatabase) {
        let db = &test.db;
        let contoso = tenant(db, "Contoso").await;
        let items: Vec<ObservedItem> =
            (0..=MAX_COUNTED).map(|number| item(&format!("i{number}"), "Name", "a")).collect();
        read(db, contoso, &items).await;
        let view = ScopeView::load(db, contoso, None).await.unwrap();
        assert_eq!(list_by_target(db, &view, &ItemQuery::default()).await.unwrap(), None);
    }
}
