//! What groups get, what is assigned to nobody, and what a search finds by the names of groups and types.

use tenantatlas_domain::ids::{ItemId, TenantId};
use tenantatlas_domain::references::{ALL_DEVICES, Assigned, FilterMode, Relationship, TargetKind, Unnamed};
use tenantatlas_domain::sync::TypeOutcome;
use tenantatlas_store::Db;
use tenantatlas_store::inventory::{
    self, AssignedPage, AssignedQuery, DirectoryName, ItemFilter, ItemQuery, ObservedItem, ObservedLink, ScopeView,
    StateFilter, assigned_items, assigned_types, list,
};
use tenantatlas_store::testing::on_both_engines;

use crate::world::{Sync, at, edge, item, tenant};

const PILOT: &str = "11111111-1111-4111-8111-111111111111";
const SALES: &str = "22222222-2222-4222-8222-222222222222";
const CATALOG: &str = "settingsCatalogPolicy";
const COMPLIANCE: &str = "deviceCompliancePolicy";

fn included(id: &str) -> ObservedLink {
    edge(Relationship::AssignedTo, TargetKind::Group, id)
}

fn excluded(id: &str) -> ObservedLink {
    edge(Relationship::ExcludedFrom, TargetKind::Group, id)
}

fn assigned(id: &str, name: &str, links: Vec<ObservedLink>) -> ObservedItem {
    let is_assigned = links.iter().any(|link| link.relationship == Relationship::AssignedTo);
    ObservedItem { links, assigned: Some(is_assigned), ..item(id, name, "a") }
}

async fn sync(db: &Db, tenant: TenantId, types: &[(&str, Vec<ObservedItem>)], time: i64) {
    let keys: Vec<&str> = types.iter().map(|(key, _)| *key).collect();
    let sync = Sync::start(db, tenant, &keys, at(time)).await;
    for (key, items) in types {
        sync.read(key, items, at(time)).await;
    }
    sync.finish(at(time + 1)).await;
}

async fn name_groups(db: &Db, tenant: TenantId, names: &[(&str, Result<&str, Unnamed>)]) {
    let names: Vec<DirectoryName> = names
        .iter()
        .map(|(id, name)| DirectoryName {
            external_id: (*id).to_owned(),
            kind: TargetKind::Group,
            display_name: name.map(str::to_owned),
        })
        .collect();
    let mut tx = db.write().await.unwrap();
    inventory::record_names(&mut tx, tenant, &names, at(1)).await.unwrap();
    tx.commit().await.unwrap();
}

fn group(id: &str) -> Assigned {
    id.parse().unwrap()
}

/// Everything that somebody gets, page by page: type and name.
async fn gets(
    db: &Db,
    tenant: TenantId,
    whom: &Assigned,
    only: Option<Relationship>,
    limit: u32,
) -> Vec<(String, String)> {
    let view = ScopeView::load(db, tenant, None).await.unwrap();
    let types = assigned_types(db, tenant, whom).await.unwrap();
    let mut all = Vec::new();
    let mut after = None;
    let mut before: Option<Vec<ItemId>> = None;
    loop {
        let query =
            AssignedQuery { assigned: whom.clone(), policy_type: None, relationship: only, after, before: None, limit };
        let page = assigned_items(db, &view, &types, &query).await.unwrap();
        let ids = |page: &AssignedPage| page.rows.iter().map(|row| row.item.id).collect::<Vec<_>>();
        assert_eq!(page.previous.is_some(), before.is_some(), "only the first page has none before it");
        if let Some(expected) = before.replace(ids(&page)) {
            let back = AssignedQuery { after: None, before: page.previous.clone(), ..query };
            assert_eq!(ids(&assigned_items(db, &view, &types, &back).await.unwrap()), expected, "the page before");
        }
        all.extend(page.rows.into_iter().map(|row| (row.item.policy_type, row.item.display_name)));
        after = page.next;
        if after.is_none() {
            return all;
        }
    }
}

fn rows(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(key, name)| ((*key).to_owned(), (*name).to_owned())).collect()
}

async fn names(db: &Db, tenant: TenantId, filter: ItemFilter) -> Vec<String> {
    let view = ScopeView::load(db, tenant, None).await.unwrap();
    let mut query = ItemQuery { filter, limit: 2, ..ItemQuery::default() };
    let mut all = Vec::new();
    loop {
        let page = list(db, &view, &query).await.unwrap();
        all.extend(page.rows.into_iter().map(|row| row.item.display_name));
        query.after = page.next;
        if query.after.is_none() {
            return all;
        }
    }
}

fn searched(text: &str) -> ItemFilter {
    ItemFilter { search: Some(text.to_owned()), ..ItemFilter::default() }
}

fn assigned_to(whom: &Assigned) -> ItemFilter {
    ItemFilter { assigned: Some(whom.clone()), ..ItemFilter::default() }
}

on_both_engines! {
    async fn every_row_of_a_page_tells_its_assignments_however_many_there_are(test: TestDatabase) {
        let db = &test.db;
        let contoso = tenant(db, "Contoso").await;
        let items = (0..9).map(|at| assigned(&format!("c{at}"), &format!("Item {at}"), vec![excluded(PILOT)])).collect();
        sync(db, contoso, &[(CATALOG, items)], 0).await;
        let view = ScopeView::load(db, contoso, None).await.unwrap();
        for limit in 1..=9 {
            let page = list(db, &view, &ItemQuery { limit, ..ItemQuery::default() }).await.unwrap();
            let told: Vec<usize> = page.rows.iter().map(|row| row.assignments.len()).collect();
            assert_eq!(told, vec![1; limit as usize]);
        }
    }

    async fn a_group_leads_to_all_that_it_gets_and_is_excluded_from_and_to_nothing_of_others(test: TestDatabase) {
        let db = &test.db;
        let contoso = tenant(db, "Contoso").await;
        let all_devices = || edge(Relationship::AssignedTo, TargetKind::AllDevices, ALL_DEVICES);
        let uses = edge(Relationship::Uses, TargetKind::Group, PILOT);
        let catalog = vec![
            assigned("c1", "Zeta", vec![included(PILOT)]),
            assigned("c2", "Alpha", vec![excluded(PILOT), all_devices()]),
            assigned("c3", "Mail", vec![included(PILOT), excluded(PILOT)]),
            assigned("c4", "Notifies it only", vec![uses]),
        ];
        let gone = |id: &str| vec![assigned(id, "Old", vec![included(PILOT)])];
        let compliance =
            vec![assigned("p1", "Beta", vec![included(SALES), included(PILOT)]), assigned("p2", "Unused", vec![])];
        sync(
            db,
            contoso,
            &[
                (CATALOG, catalog),
                (COMPLIANCE, compliance),
                ("goneFromTheRegistry", gone("a")),
                ("goneAsWell", gone("b")),
                ("namedLocation", vec![item("n", "No assignments", "a")]),
            ],
            0,
        )
        .await;
        let fabrikam = tenant(db, "Fabrikam").await;
        sync(db, fabrikam, &[(CATALOG, vec![assigned("x", "Of another tenant", vec![included(PILOT)])])], 10).await;

        let whole = rows(&[
            ("goneFromTheRegistry", "Old"),
            ("goneAsWell", "Old"),
            (CATALOG, "Alpha"),
            (CATALOG, "Mail"),
            (CATALOG, "Zeta"),
            (COMPLIANCE, "Beta"),
        ]);
        for limit in [1, 2, 3, 500] {
            let mut found = gets(db, contoso, &group(PILOT), None, limit).await;
            found.sort();
            let mut expected = whole.clone();
            expected.sort();
            assert_eq!(found, expected, "pages of {limit}");
        }
        assert_eq!(
            gets(db, contoso, &group(PILOT), Some(Relationship::ExcludedFrom), 500).await,
            rows(&[(CATALOG, "Alpha"), (CATALOG, "Mail")])
        );
        assert_eq!(gets(db, contoso, &Assigned::all_devices(), None, 500).await, rows(&[(CATALOG, "Alpha")]));
        assert_eq!(gets(db, contoso, &Assigned::all_users(), None, 500).await, rows(&[]));
        let mut nobody = gets(db, contoso, &Assigned::Nobody, None, 1).await;
        nobody.sort();
        assert_eq!(nobody, rows(&[(COMPLIANCE, "Unused"), (CATALOG, "Notifies it only")]));
        let counted = assigned_types(db, contoso, &group(PILOT)).await.unwrap();
        let of_catalog = counted.types.iter().find(|one| one.policy_type == CATALOG).unwrap();
        assert_eq!((of_catalog.included, of_catalog.excluded, counted.more), (2, 2, false));
        assert_eq!(
            names(db, contoso, assigned_to(&group(PILOT))).await,
            ["Beta", "Mail", "Old", "Old", "Zeta"],
            "what excludes it is not assigned to it"
        );
        let excludes = || ItemFilter { excluded: PILOT.parse().ok(), ..ItemFilter::default() };
        assert_eq!(names(db, contoso, excludes()).await, ["Alpha", "Mail"]);
        let both = ItemFilter { assigned: Some(group(PILOT)), ..excludes() };
        assert_eq!(names(db, contoso, both.clone()).await, ["Mail"]);
        let view = ScopeView::load(db, contoso, None).await.unwrap();
        for (filter, expected) in [(assigned_to(&group(PILOT)), 5), (excludes(), 2), (both, 1)] {
            assert_eq!(inventory::total(db, &view, &filter).await.unwrap().items, expected, "{filter:?}");
        }
        assert_eq!(names(db, contoso, assigned_to(&Assigned::Nobody)).await, ["Notifies it only", "Unused"]);
        let narrowed = ItemFilter {
            search: Some("zet".to_owned()),
            policy_types: vec![CATALOG.to_owned()],
            ..assigned_to(&group(PILOT))
        };
        assert_eq!(names(db, contoso, narrowed).await, ["Zeta"]);
    }

    async fn a_group_is_found_by_its_exact_name_and_offered_where_something_is_assigned_to_it(test: TestDatabase) {
        let db = &test.db;
        let contoso = tenant(db, "Contoso").await;
        let other = tenant(db, "Fabrikam").await;
        let (third, fourth) = ("33333333-3333-4333-8333-333333333333", "44444444-4444-4444-8444-444444444444");
        let items = vec![assigned("c1", "One", vec![included(PILOT), excluded(SALES)])];
        sync(db, contoso, &[(CATALOG, items.clone())], 0).await;
        sync(db, other, &[(CATALOG, items)], 10).await;
        name_groups(
            db,
            contoso,
            &[(PILOT, Ok("Pilot 10%")), (SALES, Ok(" pilot 10% ")), (third, Ok("Pilot 10% ring")), (fourth, Ok("Pilot 100"))],
        )
        .await;
        let ids = |found: Vec<inventory::Group>| found.into_iter().map(|one| one.external_id).collect::<Vec<_>>();
        let called = |name: &'static str| async move { inventory::groups_called(db, contoso, name, 5).await.unwrap() };
        assert_eq!(ids(called(" PILOT 10%").await), [PILOT, SALES]);
        assert_eq!(ids(called("Pilot 10% ring").await), [third]);
        assert!(called("Pilot").await.is_empty(), "a part of a name is not the name");
        assert!(inventory::groups_called(db, other, "Pilot 10%", 5).await.unwrap().is_empty());
        assert_eq!(ids(inventory::assigned_groups(db, contoso, 9).await.unwrap()), [PILOT]);
        assert!(inventory::assigned_groups(db, other, 9).await.unwrap().is_empty(), "it has no name there");
    }

    async fn what_does_not_tell_its_assignments_is_part_of_the_answer_and_never_nobody(test: TestDatabase) {
        let db = &test.db;
        let contoso = tenant(db, "Contoso").await;
        let many = |id: &str, links| ObservedItem { links_omitted: 3, ..assigned(id, id, links) };
        let catalog = vec![
            assigned("c1", "Plain", vec![included(SALES)]),
            ObservedItem { assigned: None, ..item("c2", "Not told", "a") },
            many("c3", vec![included(PILOT)]),
            many("c4", vec![included(SALES)]),
            assigned("c5", "Nobody", vec![]),
        ];
        let tags = vec![item("t", "Tells none by its kind", "a")];
        let run = Sync::start(db, contoso, &[CATALOG, COMPLIANCE, "namedLocation", "termsOfUse"], at(0)).await;
        run.read(CATALOG, &catalog, at(0)).await;
        run.read("namedLocation", &tags, at(0)).await;
        for key in [COMPLIANCE, "termsOfUse"] {
            run.begin(key, at(0)).await;
            run.end(key, TypeOutcome::Failed, at(0)).await;
        }
        run.finish(at(1)).await;
        let view = ScopeView::load(db, contoso, None).await.unwrap();
        let told = |filter: ItemFilter| {
            let view = &view;
            async move {
                let found = inventory::not_read(db, view, &filter).await.unwrap();
                let of = |key: &str| found.iter().find(|one| one.policy_type == key).map(|one| one.reason.clone());
                assert!(of("namedLocation").is_none() && of("termsOfUse").is_none(), "{found:?}");
                assert_eq!(found.iter().find(|one| one.policy_type == COMPLIANCE).map(|one| one.outcome), Some(Some(TypeOutcome::Failed)));
                of(CATALOG)
            }
        };
        let untold = "The assignments of 1 item were not read.";
        assert_eq!(
            told(assigned_to(&group(PILOT))).await.as_deref(),
            Some(&*format!("{untold} 1 item has more references than are kept, and may name it too."))
        );
        assert_eq!(told(assigned_to(&Assigned::Nobody)).await.as_deref(), Some(untold));
        assert_eq!(
            told(ItemFilter { excluded: PILOT.parse().ok(), ..ItemFilter::default() }).await.as_deref(),
            Some(&*format!("{untold} 2 items have more references than are kept, and may name it too."))
        );
        let elsewhere = ItemFilter { policy_types: vec![COMPLIANCE.to_owned()], ..assigned_to(&group(PILOT)) };
        assert_eq!(told(elsewhere).await, None);
        assert_eq!(names(db, contoso, assigned_to(&Assigned::Nobody)).await, ["Nobody"]);
        let plain = inventory::not_read(db, &view, &ItemFilter::default()).await.unwrap();
        assert_eq!(plain, view.not_read(&ItemFilter::default()), "where nothing is asked of assignments");
    }

    async fn a_renamed_item_stands_at_its_new_place_below_its_group(test: TestDatabase) {
        let db = &test.db;
        let contoso = tenant(db, "Contoso").await;
        for (time, first, second) in [(0, "Alpha", "Beta"), (10, "Zulu", "Beta")] {
            let both = vec![assigned("1", first, vec![included(PILOT)]), assigned("2", second, vec![included(PILOT)])];
            sync(db, contoso, &[(CATALOG, both)], time).await;
        }
        assert_eq!(gets(db, contoso, &group(PILOT), None, 1).await, rows(&[(CATALOG, "Beta"), (CATALOG, "Zulu")]));
    }

    async fn an_assignment_is_told_with_the_name_of_its_group_and_its_filter_or_why_there_is_none(test: TestDatabase) {
        let db = &test.db;
        let contoso = tenant(db, "Contoso").await;
        let filtered = ObservedLink {
            filter_id: Some("f1".to_owned()),
            filter_mode: Some(FilterMode::Exclude),
            ..included(PILOT)
        };
        let policy = assigned(
            "c1",
            "Policy",
            vec![filtered, excluded(SALES), edge(Relationship::AssignedTo, TargetKind::Collection, "SMS1")],
        );
        sync(db, contoso, &[(CATALOG, vec![policy]), ("assignmentFilter", vec![item("f1", "Corporate", "a")])], 0)
            .await;
        name_groups(db, contoso, &[(PILOT, Ok("Pilot")), (SALES, Err(Unnamed::Refused))]).await;
        let view = ScopeView::load(db, contoso, None).await.unwrap();
        let query = ItemQuery { filter: searched("policy"), limit: 10, ..ItemQuery::default() };
        let found = list(db, &view, &query).await.unwrap().rows;
        let told: Vec<_> = found[0]
            .assignments
            .iter()
            .map(|one| {
                (
                    one.is_included(),
                    one.target_kind,
                    one.name.as_deref(),
                    one.unnamed,
                    one.filter_name.as_deref(),
                    one.filter_mode,
                )
            })
            .collect();
        assert_eq!(
            told,
            [
                (true, TargetKind::Group, Some("Pilot"), None, Some("Corporate"), Some(FilterMode::Exclude)),
                (false, TargetKind::Group, None, Some(Unnamed::Refused), None, None),
                (true, TargetKind::Collection, None, None, None, None),
            ]
        );
        let known = |id: &'static str| async move { inventory::group(db, contoso, id).await.unwrap() };
        assert_eq!(known(PILOT).await.and_then(|group| group.display_name).as_deref(), Some("Pilot"));
        assert_eq!(known(SALES).await.and_then(|group| group.unnamed), Some(Unnamed::Refused));
        assert_eq!(known("33333333-3333-4333-8333-333333333333").await, None);
        let out = inventory::outgoing(db, contoso, found[0].item.id).await.unwrap();
        assert_eq!((out[0].filter_name.as_deref(), out[0].filter_mode), (Some("Corporate"), Some(FilterMode::Exclude)));
    }

    async fn a_search_finds_all_words_in_any_order_in_names_types_and_groups(test: TestDatabase) {
        let db = &test.db;
        let contoso = tenant(db, "Contoso").await;
        let catalog = vec![
            assigned("c1", "Baseline BitLocker 00003", vec![included(PILOT)]),
            assigned("c2", "Baseline Defender 00004", vec![]),
            assigned("c3", "100% of BitLocker", vec![included(SALES)]),
        ];
        let access =
            vec![assigned("a1", "Block legacy", vec![included(PILOT)]), assigned("a2", "Require Baseline", vec![])];
        sync(db, contoso, &[(CATALOG, catalog), ("conditionalAccessPolicy", access)], 0).await;
        name_groups(db, contoso, &[(PILOT, Ok("Pilot Ring ÄÖ")), (SALES, Ok("Sales"))]).await;
        for (text, expected) in [
            ("Baseline 00003", &["Baseline BitLocker 00003"][..]),
            ("bitlocker baseline", &["Baseline BitLocker 00003"]),
            ("conditional", &["Block legacy", "Require Baseline"]),
            ("baseline conditional", &["Require Baseline"]),
            ("ring pilot", &["Baseline BitLocker 00003", "Block legacy"]),
            ("äö baseline", &["Baseline BitLocker 00003"]),
            ("access pilot", &["Block legacy"]),
            ("100%", &["100% of BitLocker"]),
            ("b_tlocker", &[]),
            ("0%0", &[]),
            ("baseline nowhere", &[]),
            ("C2", &["Baseline Defender 00004"]),
        ] {
            assert_eq!(names(db, contoso, searched(text)).await, expected, "{text}");
        }
        let found = inventory::groups_named(db, contoso, "RING pilot", 5).await.unwrap();
        assert_eq!(found.iter().map(|one| one.external_id.as_str()).collect::<Vec<_>>(), [PILOT]);
        let other = tenant(db, "Fabrikam").await;
        assert!(inventory::groups_named(db, other, "pilot", 5).await.unwrap().is_empty());
        assert!(inventory::groups_named(db, contoso, " ", 5).await.unwrap().is_empty());
    }

    async fn what_is_missing_is_listed_in_order_also_under_the_name_that_another_selection_read(test: TestDatabase) {
        let db = &test.db;
        let contoso = tenant(db, "Contoso").await;
        let all: Vec<ObservedItem> =
            ["Delta", "Alpha", "Charlie", "Bravo"].iter().map(|name| item(&name.to_lowercase(), name, "a")).collect();
        sync(db, contoso, &[(CATALOG, all.clone()), (COMPLIANCE, vec![])], 0).await;
        sync(db, contoso, &[(CATALOG, vec![]), (COMPLIANCE, vec![])], 10).await;
        let missing = || ItemFilter { state: Some(StateFilter::Missing), ..ItemFilter::default() };
        assert_eq!(names(db, contoso, missing()).await, ["Alpha", "Bravo", "Charlie", "Delta"]);
        // Another selection, less wide, sees two of them again, one under another name.
        let renamed = vec![item("alpha", "Zulu", "b"), item("delta", "Delta", "a")];
        sync(db, contoso, &[(CATALOG, renamed)], 20).await;
        assert_eq!(names(db, contoso, missing()).await, ["Bravo", "Charlie", "Delta", "Zulu"]);
        let narrowed = ItemFilter { search: Some("zul".to_owned()), ..missing() };
        assert_eq!(names(db, contoso, narrowed).await, ["Zulu"]);
        // They come back while a run that has not ended reads them.
        let under_way = Sync::start(db, contoso, &[CATALOG, COMPLIANCE], at(30)).await;
        under_way.read(CATALOG, &all, at(30)).await;
        let mut still = names(db, contoso, missing()).await;
        still.sort();
        assert_eq!(still, ["Alpha", "Bravo", "Charlie", "Delta"], "the run that tells of them did not see them");
        under_way.read(COMPLIANCE, &[], at(30)).await;
        under_way.finish(at(31)).await;
        assert_eq!(names(db, contoso, missing()).await, Vec::<String>::new());
    }

    async fn items_without_a_name_come_last(test: TestDatabase) {
        let db = &test.db;
        let contoso = tenant(db, "Contoso").await;
        let all = vec![
            item(PILOT, "", "a"),
            item(SALES, SALES, "a"),
            item("x", "ÿ last of the named", "a"),
            item("y", "  First", "a"),
        ];
        sync(db, contoso, &[(CATALOG, all)], 0).await;
        assert_eq!(names(db, contoso, ItemFilter::default()).await, ["  First", "ÿ last of the named", "", SALES]);
        assert_eq!(names(db, contoso, searched(&PILOT[..8])).await, [""]);
    }

    async fn a_type_that_was_not_read_to_the_end_is_named_with_the_reason(test: TestDatabase) {
        let db = &test.db;
        let contoso = tenant(db, "Contoso").await;
        let fresh = ScopeView::load(db, contoso, None).await.unwrap().not_read(&ItemFilter::default());
        assert!(fresh.len() > 50 && fresh.iter().all(|one| one.reason == "No sync has completed yet."));
        let run = Sync::start(db, contoso, &[CATALOG, COMPLIANCE], at(0)).await;
        let type_run = run.begin(CATALOG, at(0)).await;
        run.write(&type_run, &[item("1", "One", "a")], at(0)).await.unwrap();
        run.end(CATALOG, TypeOutcome::Failed, at(0)).await;
        run.read(COMPLIANCE, &[], at(0)).await;
        run.finish(at(1)).await;
        let view = ScopeView::load(db, contoso, None).await.unwrap();
        let asked = |keys: &[&str]| {
            let policy_types = keys.iter().map(|key| (*key).to_owned()).collect();
            view.not_read(&ItemFilter { policy_types, ..ItemFilter::default() })
        };
        let not_read = asked(&[CATALOG, COMPLIANCE]);
        assert_eq!(not_read.len(), 1, "{not_read:?}");
        assert_eq!(
            (not_read[0].policy_type.as_str(), not_read[0].outcome, not_read[0].known),
            (CATALOG, Some(TypeOutcome::Failed), 1)
        );
        assert!(not_read[0].reason_code.is_some() && !not_read[0].reason.is_empty());
        assert!(asked(&[COMPLIANCE]).is_empty());
        assert_eq!(asked(&["namedLocation"])[0].reason, "The last sync was not to read it.");
    }
}
