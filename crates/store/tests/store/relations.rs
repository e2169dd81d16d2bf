//! An item among others: what stands on it, how far that is followed, and what is known of what it refers to.

use tenantatlas_domain::ids::TenantId;
use tenantatlas_domain::references::{Relationship, TargetKind};
use tenantatlas_domain::sync::TypeOutcome;
use tenantatlas_store::Db;
use tenantatlas_store::inventory::{
    self, Dependants, MAX_DEPENDANTS, MAX_DISTANCE, ObservedItem, ObservedLink, Relations, ScopeView, Standing,
};
use tenantatlas_store::testing::on_both_engines;

use crate::world::{Sync, at, edge, item, tenant};

const APP: &str = "mobileApp";
const FILTER: &str = "assignmentFilter";

fn uses(key: &str, id: &str) -> ObservedLink {
    let kind = if key == FILTER { TargetKind::Foundation } else { TargetKind::Item };
    ObservedLink { target_policy_type: Some(key.to_owned()), ..edge(Relationship::Uses, kind, id) }
}

fn app(id: &str, links: Vec<ObservedLink>) -> ObservedItem {
    ObservedItem { links, ..item(id, &format!("App {id}"), "a") }
}

async fn sync(db: &Db, tenant: TenantId, apps: &[ObservedItem], time: i64) {
    let sync = Sync::start(db, tenant, &[APP], at(time)).await;
    sync.read(APP, apps, at(time)).await;
    sync.finish(at(time + 1)).await;
}

async fn relations_of(db: &Db, tenant: TenantId, key: &str, id: &str) -> Relations {
    let view = ScopeView::load(db, tenant, None).await.unwrap();
    let id = inventory::find_external(db, tenant, key, id).await.unwrap().expect("the item");
    let row = inventory::find(db, &view, id).await.unwrap().expect("its row");
    inventory::relations(db, &view, &row, None).await.unwrap()
}

/// Ids with their distance.
fn told(found: &Dependants) -> Vec<(&str, u32)> {
    let mut told: Vec<_> = found.items.iter().map(|one| (one.external_id.as_str(), one.distance)).collect();
    told.sort_by_key(|(id, distance)| (*distance, *id));
    told
}

on_both_engines! {
    async fn what_stands_on_an_item_is_followed_through_others_and_a_circle_ends_it(test: TestDatabase) {
        let db = &test.db;
        let contoso = tenant(db, "Contoso").await;
        let apps = vec![
            app("root", vec![uses(APP, "root"), uses(APP, "near")]),
            app("near", vec![uses(APP, "root")]),
            app("both", vec![uses(APP, "root"), uses(APP, "near"), edge(Relationship::DependsOn, TargetKind::Unresolved, "root")]),
            app("far", vec![uses(APP, "near"), uses(APP, "both")]),
            app("circle", vec![uses(APP, "far")]),
            app("aside", vec![uses("other", "root"), edge(Relationship::AssignedTo, TargetKind::Group, "root")]),
        ];
        sync(db, contoso, &apps, 0).await;
        let fabrikam = tenant(db, "Fabrikam").await;
        sync(db, fabrikam, &[app("root", vec![]), app("stranger", vec![uses(APP, "root")])], 10).await;

        let found = relations_of(db, contoso, APP, "root").await;
        let stands = &found.stands_on_this;
        assert_eq!(told(stands), [("both", 1), ("near", 1), ("far", 2), ("circle", 3)]);
        assert!(stands.is_whole());
        let name = |id| stands.items.iter().find(|one| one.item_id == id).map_or("root", |one| one.external_id.as_str());
        let mut edges: Vec<_> = stands.references.iter().map(|one| (name(one.from), name(one.to), one.relationship.as_str())).collect();
        edges.sort_unstable();
        assert_eq!(
            edges,
            [
                ("both", "near", "uses"),
                ("both", "root", "depends_on"),
                ("both", "root", "uses"),
                ("circle", "far", "uses"),
                ("far", "both", "uses"),
                ("far", "near", "uses"),
                ("near", "root", "uses"),
                ("root", "near", "uses"),
                ("root", "root", "uses"),
            ],
            "each reference once, those that close a circle among them"
        );
        assert_eq!(found.referenced_by_count, 3, "itself, near and both; in however many ways");
        assert_eq!(found.referenced_by.len(), 4);
        assert!(found.states.values().all(|state| *state == Standing::Present), "{:?}", found.states);

        let of_other = relations_of(db, fabrikam, APP, "root").await;
        assert_eq!(told(&of_other.stands_on_this), [("stranger", 1)]);
        assert_eq!((of_other.referenced_by_count, of_other.references.len()), (1, 0));
        let alone = relations_of(db, contoso, APP, "aside").await;
        assert_eq!((alone.stands_on_this, alone.referenced_by_count), (Dependants::default(), 0));
    }

    async fn what_stands_on_an_item_is_bounded_in_number_and_in_steps_and_says_so(test: TestDatabase) {
        let db = &test.db;
        let contoso = tenant(db, "Contoso").await;
        let steps = MAX_DISTANCE as usize;
        // A chain that ends where it is no longer followed, one that goes on, and one object with many on it.
        let chain = |name: &'static str, length: usize| {
            (0..=length).map(move |step| {
                let links = if step == 0 { vec![] } else { vec![uses(APP, &format!("{name}{}", step - 1))] };
                app(&format!("{name}{step}"), links)
            })
        };
        let many = MAX_DEPENDANTS + 30;
        let mut apps: Vec<ObservedItem> = chain("short", steps).chain(chain("long", steps + 2)).collect();
        apps.push(app("tag", vec![]));
        apps.extend((0..many).map(|number| app(&format!("many{number:04}"), vec![uses(APP, "tag")])));
        sync(db, contoso, &apps, 0).await;

        let short = relations_of(db, contoso, APP, "short0").await.stands_on_this;
        assert_eq!((short.items.len(), short.deeper, short.more), (steps, false, false));
        let long = relations_of(db, contoso, APP, "long0").await.stands_on_this;
        assert_eq!((long.items.len(), long.deeper, long.more), (steps, true, false), "{:?}", told(&long));
        assert_eq!(long.items.iter().map(|one| one.distance).max(), Some(MAX_DISTANCE));
        let tag = relations_of(db, contoso, APP, "tag").await;
        assert_eq!((tag.stands_on_this.items.len(), tag.stands_on_this.more), (MAX_DEPENDANTS, true));
        assert_eq!(tag.referenced_by_count, many as u64, "how many refer to it directly is told all the same");
        assert!(!tag.stands_on_this.is_whole());
    }

    async fn what_refers_to_an_item_is_told_page_by_page_and_none_is_lost_or_told_twice(test: TestDatabase) {
        let db = &test.db;
        let contoso = tenant(db, "Contoso").await;
        // Every third refers in two ways: pages end between items and never within one.
        let links = |number: usize| match number % 3 {
            0 => vec![uses(APP, "tag"), edge(Relationship::DependsOn, TargetKind::Unresolved, "tag")],
            _ => vec![uses(APP, "tag")],
        };
        let many = 450;
        let mut apps = vec![app("tag", vec![])];
        apps.extend((0..many).map(|number| app(&format!("many{number:04}"), links(number))));
        sync(db, contoso, &apps, 0).await;
        let (mut told, mut after, mut pages) = (Vec::new(), None, 0);
        loop {
            let page = inventory::incoming(db, contoso, APP, "tag", after).await.unwrap();
            assert!(page.links.len() < 250, "{}", page.links.len());
            told.extend(page.links.iter().map(|link| (link.source_item_id, link.relationship)));
            pages += 1;
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!((told.len(), pages), (many + many / 3, 3));
        let all = told.len();
        told.sort_unstable();
        told.dedup();
        assert_eq!(told.len(), all);
    }

    async fn a_target_is_missing_only_where_its_type_was_read_to_the_end(test: TestDatabase) {
        let db = &test.db;
        let contoso = tenant(db, "Contoso").await;
        let links = || vec![
            uses(APP, "there"),
            uses(APP, "was there"),
            uses(APP, "never seen"),
            uses(FILTER, "not read now"),
            uses(FILTER, "never read"),
            uses("namedLocation", "not selected"),
            edge(Relationship::Uses, TargetKind::Unresolved, "template"),
            edge(Relationship::AssignedTo, TargetKind::Group, "group"),
        ];
        let first = Sync::start(db, contoso, &[APP, FILTER], at(0)).await;
        first.read(APP, &[app("source", links()), app("there", vec![]), app("was there", vec![])], at(0)).await;
        first.read(FILTER, &[item("not read now", "Filter", "a")], at(0)).await;
        first.finish(at(1)).await;
        let second = Sync::start(db, contoso, &[APP, FILTER], at(10)).await;
        second.read(APP, &[app("source", links()), app("there", vec![])], at(10)).await;
        second.begin(FILTER, at(10)).await;
        second.end(FILTER, TypeOutcome::Failed, at(10)).await;
        second.finish(at(11)).await;
        let found = relations_of(db, contoso, APP, "source").await;
        let told: Vec<_> = found.references.iter().map(|one| (one.link.target_external_id.as_str(), one.state)).collect();
        assert_eq!(
            told,
            [
                ("there", Standing::Present),
                ("was there", Standing::Missing),
                ("never seen", Standing::Missing),
                ("not read now", Standing::NotRead),
                ("never read", Standing::NotRead),
                ("not selected", Standing::NotRead),
                ("template", Standing::NotKnown),
                ("group", Standing::Outside),
            ]
        );
        let filter = relations_of(db, contoso, FILTER, "not read now").await;
        assert_eq!(filter.referenced_by.iter().map(|one| one.state).collect::<Vec<_>>(), [Standing::Present]);
    }
}
