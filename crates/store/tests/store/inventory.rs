//! Writing and listing items.

use std::collections::BTreeSet;

use futures::TryStreamExt as _;
use tenantatlas_domain::ids::TenantId;
use tenantatlas_domain::presence::{Confidence, Presence};
use tenantatlas_domain::registry::{Category, Platform};
use tenantatlas_domain::since::Since;
use tenantatlas_domain::sync::TypeOutcome;
use tenantatlas_store::inventory::{
    self, BatchResult, Cursor, ItemFilter, ItemQuery, ItemRow, ObservedItem, ScopeView, Sort, StateFilter, Total, list,
};
use tenantatlas_store::testing::on_both_engines;
use tenantatlas_store::{Db, sync_runs};

use crate::world::{Sync, at, hash, item, items, tenant};

async fn sync(db: &Db, tenant: TenantId, types: &[(&str, Vec<ObservedItem>)], time: i64) {
    let keys: Vec<&str> = types.iter().map(|(key, _)| *key).collect();
    let sync = Sync::start(db, tenant, &keys, at(time)).await;
    for (key, items) in types {
        sync.read(key, items, at(time)).await;
    }
    sync.finish(at(time + 1)).await;
}

async fn view(db: &Db, tenant: TenantId) -> ScopeView {
    ScopeView::load(db, tenant, None).await.unwrap()
}

async fn names(db: &Db, view: &ScopeView, filter: ItemFilter) -> Vec<String> {
    let query = ItemQuery { filter, limit: 500, ..ItemQuery::default() };
    list(db, view, &query).await.unwrap().rows.into_iter().map(|row| row.item.display_name).collect()
}

fn counted(result: BatchResult) -> (u64, u64, u64, u64) {
    (result.inserted, result.changed, result.unchanged, result.repeated)
}

/// All rows of a list in pages of seven. Each page that was come by is met again on the way back.
async fn forth_and_back(db: &Db, view: &ScopeView, query: ItemQuery) -> Vec<ItemRow> {
    let decoded = |cursor: Option<Cursor>| cursor.map(|cursor| Cursor::decode(&cursor.encode()).unwrap());
    let mut query = ItemQuery { limit: 7, ..query };
    let mut pages = Vec::new();
    loop {
        let page = list(db, view, &query).await.unwrap();
        assert_eq!(page.previous.is_some(), !pages.is_empty(), "only the first page has none before it");
        query.after = decoded(page.next.clone());
        pages.push(page);
        if query.after.is_none() {
            break;
        }
    }
    let mut before = pages.last().and_then(|page| page.previous.clone());
    for page in pages.iter().rev().skip(1) {
        let back = ItemQuery { after: None, before: decoded(before), ..query.clone() };
        let back = list(db, view, &back).await.unwrap();
        assert_eq!(back.rows, page.rows, "the way back");
        assert!(back.next.is_some());
        before = back.previous;
    }
    assert_eq!(before, None);
    pages.into_iter().flat_map(|page| page.rows).collect()
}

on_both_engines! {
    async fn the_same_batch_twice_changes_nothing_but_when_it_was_last_seen(test: TestDatabase) {
        let db = &test.db;
        let contoso = tenant(db, "Contoso").await;
        let all = items(1_300, "a");
        let first = Sync::start(db, contoso, &["alpha"], at(0)).await;
        let type_run = first.begin("alpha", at(0)).await;
        assert_eq!(counted(first.write(&type_run, &all, at(0)).await.unwrap()), (1_300, 0, 0, 0));
        assert_eq!(counted(first.write(&type_run, &all[..700], at(1)).await.unwrap()), (0, 0, 700, 700));
        first.end("alpha", TypeOutcome::Succeeded, at(1)).await;
        first.finish(at(1)).await;
        let before = list(db, &view(db, contoso).await, &ItemQuery { limit: 3, ..ItemQuery::default() }).await.unwrap();

        let second = Sync::start(db, contoso, &["alpha"], at(10)).await;
        assert_eq!(counted(second.read("alpha", &all, at(11)).await), (0, 0, 1_300, 0));
        second.finish(at(12)).await;
        let after = list(db, &view(db, contoso).await, &ItemQuery { limit: 3, ..ItemQuery::default() }).await.unwrap();
        for (before, after) in before.rows.iter().zip(&after.rows) {
            let mut same = before.item.clone();
            same.last_seen_at = at(11);
            same.last_seen_run_id = Some(second.run.id);
            assert_eq!(after.item, same);
            assert!(!after.changed_in_last_run);
        }
    }

    async fn of_an_object_that_a_page_repeats_the_last_one_counts(test: TestDatabase) {
        let db = &test.db;
        let contoso = tenant(db, "Contoso").await;
        let twice = vec![item("x", "First", "a"), item("y", "Other", "a"), item("x", "Second", "b")];
        sync(db, contoso, &[("alpha", twice)], 0).await;
        let view = view(db, contoso).await;
        assert_eq!(names(db, &view, ItemFilter::default()).await, ["Other", "Second"]);
        assert_eq!(view.counts(&[]).present, 2);
    }

    async fn the_same_id_in_two_types_or_tenants_is_two_items(test: TestDatabase) {
        let db = &test.db;
        let (contoso, fabrikam) = (tenant(db, "Contoso").await, tenant(db, "Fabrikam").await);
        let one = || vec![item("x", "Item", "a")];
        sync(db, contoso, &[("alpha", one()), ("beta", one())], 0).await;
        sync(db, fabrikam, &[("alpha", one())], 0).await;
        let (mine, theirs) = (view(db, contoso).await, view(db, fabrikam).await);
        assert_eq!((mine.counts(&[]).known, theirs.counts(&[]).known), (2, 1));
        let foreign = inventory::find_external(db, fabrikam, "alpha", "x").await.unwrap().unwrap();
        assert!(inventory::find(db, &mine, foreign).await.unwrap().is_none());
        assert!(inventory::find(db, &theirs, foreign).await.unwrap().is_some());
    }

    async fn a_new_normaliser_claims_no_change_and_a_renamed_item_with_the_same_content_neither(test: TestDatabase) {
        let db = &test.db;
        let contoso = tenant(db, "Contoso").await;
        sync(db, contoso, &[("alpha", vec![item("x", "Old", "a"), item("y", "Other", "a")])], 0).await;
        let mut upgraded = item("x", "Old", "a");
        upgraded.normaliser_version = 2;
        upgraded.content_hash = hash("the same by other rules");
        let renamed = item("y", "Renamed \u{0}for show", "a");
        let second = Sync::start(db, contoso, &["alpha"], at(10)).await;
        assert_eq!(counted(second.read("alpha", &[upgraded, renamed], at(10)).await), (0, 0, 2, 0));
        second.finish(at(11)).await;
        let view = view(db, contoso).await;
        assert_eq!(names(db, &view, ItemFilter::default()).await, ["Old", "Renamed for show"]);
        let id = inventory::find_external(db, contoso, "alpha", "x").await.unwrap().unwrap();
        let stored = inventory::find(db, &view, id).await.unwrap().unwrap().item;
        assert_eq!((stored.normaliser_version, stored.changed_at), (2, at(0)));
        assert_eq!(inventory::history(db, contoso, id).await.unwrap().len(), 1);
    }

    async fn counts_and_coverage_tell_read_from_not_read_and_missing_from_unknown(test: TestDatabase) {
        let db = &test.db;
        let contoso = tenant(db, "Contoso").await;
        sync(db, contoso, &[("alpha", items(5, "a")), ("beta", items(4, "a")), ("gamma", items(3, "a"))], 0).await;
        let second = Sync::start(db, contoso, &["alpha", "beta", "gamma"], at(10)).await;
        second.read("alpha", &items(3, "a"), at(11)).await;
        let type_run = second.begin("beta", at(11)).await;
        second.write(&type_run, &items(1, "b"), at(11)).await.unwrap();
        second.end("beta", TypeOutcome::Failed, at(12)).await;
        second.begin("gamma", at(11)).await;
        second.end("gamma", TypeOutcome::Skipped, at(12)).await;
        second.finish(at(13)).await;
        let view = view(db, contoso).await;
        let counts = view.counts(&[]);
        assert_eq!((counts.known, counts.present, counts.missing, counts.not_read), (12, 4, 2, 6));
        assert_eq!((counts.changed, counts.types_read, counts.types_selected), (1, 1, 3));
        assert_eq!(counts.missing_confidence, Some(Confidence::Low));
        assert_eq!(view.counts(&["gamma".to_owned()]).not_read, 3);
        let coverage = view.coverage();
        assert_eq!(coverage[1].outcome, Some(TypeOutcome::Failed));
        assert_eq!((coverage[1].present, coverage[1].not_read, coverage[1].finished_at), (1, 3, Some(at(12))));
        assert_eq!(coverage[1].last_full_read.unwrap().seq, 1);
        let filter = ItemFilter { state: Some(StateFilter::Changed), ..ItemFilter::default() };
        assert_eq!(names(db, &view, filter).await, ["Policy 000000"]);
        let query = ItemQuery {
            filter: ItemFilter { policy_types: vec!["gamma".to_owned()], ..ItemFilter::default() },
            limit: 1,
            ..ItemQuery::default()
        };
        let row = list(db, &view, &query).await.unwrap().rows.remove(0);
        match row.presence {
            Presence::NotRead { last_full_read: Some(read), .. } => assert!(read.seen),
            other => panic!("{other:?}"),
        }
    }

    async fn missing_is_sure_only_after_a_run_without_errors(test: TestDatabase) {
        let db = &test.db;
        let contoso = tenant(db, "Contoso").await;
        sync(db, contoso, &[("alpha", items(2, "a"))], 0).await;
        sync(db, contoso, &[("alpha", items(1, "a"))], 10).await;
        let view = view(db, contoso).await;
        let filter = ItemFilter { state: Some(StateFilter::Missing), ..ItemFilter::default() };
        let query = ItemQuery { filter, limit: 10, ..ItemQuery::default() };
        let rows = list(db, &view, &query).await.unwrap().rows;
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0].presence, Presence::Missing { confidence: Confidence::High });
        assert_eq!(rows[0].item.last_seen_at, at(0));
    }

    async fn filters_narrow_by_type_category_platform_text_and_scope_tag(test: TestDatabase) {
        let db = &test.db;
        let contoso = tenant(db, "Contoso").await;
        let mut mac = item("mac-1", "Firewall 50%_off", "a");
        mac.platform = Platform::Macos;
        mac.links.push(inventory::ObservedLink {
            relationship: tenantatlas_domain::references::Relationship::ScopedBy,
            target_kind: tenantatlas_domain::references::TargetKind::Foundation,
            target_policy_type: Some("roleScopeTag".to_owned()),
            target_external_id: "7".to_owned(),
            last_known_name: None,
            filter_id: None,
            filter_mode: None,
            raw: "roleScopeTagIds".to_owned(),
        });
        let mut compliance = item("win-2", "Firewall", "a");
        compliance.category = Category::Compliance;
        sync(
            db,
            contoso,
            &[
                ("settingsCatalogPolicy", vec![item("win-1", "Älpha", "a"), mac]),
                ("deviceCompliancePolicy", vec![compliance]),
                ("other", vec![item("AbC-9", "Zeta", "a")]),
            ],
            0,
        )
        .await;
        let view = view(db, contoso).await;
        let with = |change: &dyn Fn(&mut ItemFilter)| {
            let mut filter = ItemFilter::default();
            change(&mut filter);
            filter
        };
        let search = |text: &str| ItemFilter { search: Some(text.to_owned()), ..ItemFilter::default() };
        assert_eq!(names(db, &view, search("FIREWALL")).await, ["Firewall", "Firewall 50%_off"]);
        assert_eq!(names(db, &view, search("50%_")).await, ["Firewall 50%_off"]);
        assert_eq!(names(db, &view, search("älph")).await, ["Älpha"]);
        assert_eq!(names(db, &view, search("abc-9")).await, ["Zeta"]);
        assert_eq!(names(db, &view, search("WIN-1")).await, ["Älpha"], "of those without capitals none is put into lower case");
        assert!(names(db, &view, search("5_%")).await.is_empty());
        let both = with(&|filter| filter.policy_types = vec!["other".into(), "deviceCompliancePolicy".into()]);
        assert_eq!(names(db, &view, both).await, ["Firewall", "Zeta"]);
        let compliance = with(&|filter| filter.categories = vec![Category::Compliance]);
        let expected = tenantatlas_domain::registry::registry().get("deviceCompliancePolicy").map(|_| "Firewall");
        assert_eq!(names(db, &view, compliance).await, expected.into_iter().collect::<Vec<_>>());
        let mac = with(&|filter| filter.platforms = vec![Platform::Macos, Platform::Linux]);
        assert_eq!(names(db, &view, mac).await, ["Firewall 50%_off"]);
        let tagged = with(&|filter| filter.scope_tag = Some("7".to_owned()));
        assert_eq!(names(db, &view, tagged).await, ["Firewall 50%_off"]);
        assert!(names(db, &view, with(&|filter| filter.policy_types = vec!["unknown".into()])).await.is_empty());
    }

    async fn pages_follow_each_other_without_gap_or_double_in_every_order(test: TestDatabase) {
        let db = &test.db;
        let contoso = tenant(db, "Contoso").await;
        let same_name = |prefix: &str, count: usize| -> Vec<ObservedItem> {
            (0..count).map(|number| item(&format!("{prefix}{number}"), &format!("Name {}", number % 3), "a")).collect()
        };
        sync(db, contoso, &[("alpha", same_name("a", 23)), ("beta", same_name("b", 17))], 0).await;
        sync(db, contoso, &[("alpha", same_name("a", 20)), ("beta", same_name("b", 15))], 10).await;
        let view = view(db, contoso).await;
        for (sort, descending) in Sort::ALL.iter().flat_map(|sort| [(*sort, false), (*sort, true)]) {
            for types in [vec![], vec!["alpha".to_owned()], vec!["alpha".to_owned(), "beta".to_owned()]] {
                let filter = ItemFilter { policy_types: types, ..ItemFilter::default() };
                let query = ItemQuery { filter, sort, descending, ..ItemQuery::default() };
                let wanted = list(db, &view, &ItemQuery { limit: 500, ..query.clone() }).await.unwrap();
                assert_eq!((wanted.next, wanted.previous, wanted.sort), (None, None, sort));
                let ids: BTreeSet<_> = wanted.rows.iter().map(|row| row.item.id).collect();
                assert_eq!(ids.len(), wanted.rows.len());
                let opposite = ItemQuery { descending: !descending, limit: 500, ..query.clone() };
                let mut reversed = list(db, &view, &opposite).await.unwrap().rows;
                reversed.reverse();
                assert_eq!(reversed, wanted.rows, "{sort:?} in the other direction");
                assert_eq!(forth_and_back(db, &view, query).await, wanted.rows, "{sort:?} {descending}");
            }
        }
        let oldest = ItemQuery { sort: Sort::LastSeen, limit: 5, ..ItemQuery::default() };
        let rows = list(db, &view, &oldest).await.unwrap().rows;
        assert!(rows.iter().all(|row| row.item.last_seen_at == at(0)), "what was not seen for longest comes first");
        assert_eq!(Cursor::decode("nonsense"), None);
    }

    async fn a_total_is_what_the_list_holds_and_never_claims_to_be_exact_beyond_its_limit(test: TestDatabase) {
        let db = &test.db;
        let contoso = tenant(db, "Contoso").await;
        sync(db, contoso, &[("alpha", items(10_050, "a")), ("beta", items(3, "b"))], 0).await;
        let view = view(db, contoso).await;
        let all = ItemFilter::default();
        let search = |text: &str| ItemFilter { search: Some(text.to_owned()), ..ItemFilter::default() };
        let total = |filter: ItemFilter| { let view = &view; async move { inventory::total(db, view, &filter).await.unwrap() } };
        assert_eq!(total(all.clone()).await, Total { items: 10_053, exact: true }, "runs note how many there are");
        assert_eq!(total(search("nothing of this name")).await, Total { items: 0, exact: true });
        let every_name = total(search("policy")).await;
        assert_eq!(every_name, Total { items: 10_000, exact: false }, "more are not counted");
        let by_type = inventory::total_by_type(db, &view, &all).await.unwrap().unwrap();
        assert_eq!(by_type.into_iter().collect::<Vec<_>>(), [("alpha".to_owned(), 10_050), ("beta".to_owned(), 3)]);
        assert_eq!(inventory::total_by_type(db, &view, &search("policy")).await.unwrap(), None);
        let sorted = |types: Vec<String>| ItemQuery {
            filter: ItemFilter { policy_types: types, ..ItemFilter::default() },
            sort: Sort::FirstSeen,
            limit: 10,
            ..ItemQuery::default()
        };
        assert_eq!(list(db, &view, &sorted(vec![])).await.unwrap().sort, Sort::Name, "too many to be sorted");
        assert_eq!(list(db, &view, &sorted(vec!["beta".to_owned()])).await.unwrap().sort, Sort::FirstSeen);
    }

    async fn an_export_streams_exactly_what_the_filter_shows(test: TestDatabase) {
        let db = &test.db;
        let contoso = tenant(db, "Contoso").await;
        sync(db, contoso, &[("alpha", items(1_203, "a")), ("beta", items(10, "a"))], 0).await;
        let view = view(db, contoso).await;
        let filter = ItemFilter { policy_types: vec!["alpha".to_owned()], ..ItemFilter::default() };
        let query = ItemQuery { filter, ..ItemQuery::default() };
        let rows: Vec<_> = inventory::export(db.clone(), view, query).try_collect().await.unwrap();
        assert_eq!(rows.len(), 1_203);
        assert!(rows.windows(2).all(|pair| pair[0].item.display_name < pair[1].item.display_name));
    }

    async fn nothing_is_present_before_the_first_run_completed(test: TestDatabase) {
        let db = &test.db;
        let contoso = tenant(db, "Contoso").await;
        let first = Sync::start(db, contoso, &["alpha"], at(0)).await;
        let type_run = first.begin("alpha", at(0)).await;
        first.write(&type_run, &items(2, "a"), at(0)).await.unwrap();
        let view = view(db, contoso).await;
        assert!(view.scope.is_none());
        let rows = list(db, &view, &ItemQuery { limit: 10, ..ItemQuery::default() }).await.unwrap().rows;
        assert_eq!(rows.len(), 2);
        assert!(rows.iter().all(|row| matches!(row.presence, Presence::NotRead { .. })));
        let oldest = ItemQuery { sort: Sort::LastSeen, limit: 5, ..ItemQuery::default() };
        assert_eq!(list(db, &view, &oldest).await.unwrap().rows.len(), 2);
    }

    async fn a_read_that_began_earlier_writes_no_content_over_that_of_a_later_one(test: TestDatabase) {
        let db = &test.db;
        let contoso = tenant(db, "Contoso").await;
        sync(db, contoso, &[("alpha", vec![item("x", "X", "before")])], 0).await;
        let wide = Sync::start(db, contoso, &["alpha", "beta"], at(10)).await;
        let narrow = Sync::start(db, contoso, &["alpha"], at(11)).await;
        let early = wide.begin("alpha", at(12)).await;
        let late = narrow.begin("alpha", at(13)).await;
        narrow.write(&late, &[item("x", "New name", "after")], at(14)).await.unwrap();
        narrow.end("alpha", TypeOutcome::Succeeded, at(14)).await;
        let result = wide.write(&early, &[item("x", "X", "before"), item("y", "Y", "a")], at(15)).await.unwrap();
        assert_eq!(counted(result), (1, 0, 1, 0));
        wide.end("alpha", TypeOutcome::Succeeded, at(15)).await;
        wide.read("beta", &[], at(15)).await;
        narrow.finish(at(16)).await;
        wide.finish(at(17)).await;
        let view = view(db, contoso).await;
        assert_eq!(view.scope.as_ref().unwrap().selection.policy_types.len(), 2);
        assert_eq!(names(db, &view, ItemFilter::default()).await, ["New name", "Y"]);
        let present = ItemFilter { state: Some(StateFilter::Present), ..ItemFilter::default() };
        assert_eq!(names(db, &view, present).await, ["New name", "Y"], "the earlier read saw it in its own run");
    }

    async fn the_read_that_began_last_decides_though_its_run_began_first(test: TestDatabase) {
        let db = &test.db;
        let contoso = tenant(db, "Contoso").await;
        let wide = Sync::start(db, contoso, &["alpha", "beta"], at(10)).await;
        let narrow = Sync::start(db, contoso, &["alpha"], at(11)).await;
        let early = narrow.begin("alpha", at(12)).await;
        let late = wide.begin("alpha", at(13)).await;
        wide.write(&late, &[item("x", "Same", "a")], at(14)).await.unwrap();
        // Nothing is new in it, and still it is the read that counts.
        narrow.write(&early, &[item("x", "Old", "b")], at(15)).await.unwrap();
        assert_eq!(names(db, &view(db, contoso).await, ItemFilter::default()).await, ["Same"]);
        let again = wide.begin("alpha", at(16)).await;
        assert!(again.read_no > late.read_no, "an attempt that starts over reads anew");
        wide.write(&again, &[item("x", "Newest", "c")], at(17)).await.unwrap();
        narrow.write(&early, &[item("x", "Old", "b")], at(18)).await.unwrap();
        assert_eq!(names(db, &view(db, contoso).await, ItemFilter::default()).await, ["Newest"]);
    }

    async fn the_first_read_of_a_type_is_its_baseline_and_changes_are_told_against_a_time(test: TestDatabase) {
        let db = &test.db;
        let contoso = tenant(db, "Contoso").await;
        // The first read breaks off, so the second is the first to the end: both make the baseline.
        let broken = Sync::start(db, contoso, &["alpha", "beta"], at(0)).await;
        let type_run = broken.begin("alpha", at(0)).await;
        broken.write(&type_run, &[item("a", "A", "1")], at(0)).await.unwrap();
        broken.end("alpha", TypeOutcome::Failed, at(0)).await;
        broken.read("beta", &[item("b", "B", "1")], at(0)).await;
        broken.finish(at(1)).await;
        sync(db, contoso, &[("alpha", vec![item("a", "A", "2"), item("c", "C", "1")]), ("beta", vec![item("b", "B", "1")])], 10).await;
        let first = view(db, contoso).await;
        let changed = ItemFilter { state: Some(StateFilter::Changed), ..ItemFilter::default() };
        assert_eq!((first.counts(&[]).changed, names(db, &first, changed.clone()).await.len()), (0, 0));
        sync(db, contoso, &[("alpha", vec![item("a", "A", "3"), item("d", "D", "1")]), ("beta", vec![item("b", "B", "2")])], 20).await;
        sync(db, contoso, &[("alpha", vec![item("a", "A", "3"), item("d", "D", "1")]), ("beta", vec![item("b", "B", "3")])], 30).await;
        let view = view(db, contoso).await;
        assert_eq!((view.counts(&[]).changed, names(db, &view, changed).await), (1, vec!["B".to_owned()]));
        let since = async |time: i64, state: Option<StateFilter>| {
            let filter = ItemFilter { changed_since: Some(at(time)), state, ..ItemFilter::default() };
            for sort in [Sort::Type, Sort::LastSeen] {
                let query = ItemQuery { filter: filter.clone(), sort, limit: 10, ..ItemQuery::default() };
                let rows = list(db, &view, &query).await.unwrap().rows;
                assert_eq!(rows.len(), names(db, &view, filter.clone()).await.len(), "{sort:?}");
            }
            names(db, &view, filter).await
        };
        assert_eq!(since(-1, None).await, ["A", "B", "D"], "what the first reads found is not new");
        assert_eq!(since(15, None).await, ["A", "B", "D"]);
        assert_eq!(since(25, None).await, ["B"]);
        assert_eq!(since(40, None).await, Vec::<String>::new());
        assert_eq!(since(15, Some(StateFilter::Present)).await, ["A", "B", "D"]);
        assert_eq!(since(15, Some(StateFilter::Changed)).await, ["B"]);
        assert_eq!(since(15, Some(StateFilter::Missing)).await, Vec::<String>::new());
        let runs = sync_runs::list(db, contoso, &sync_runs::Filter { limit: 10, ..Default::default() }).await.unwrap();
        let third = sync_runs::moment_of(db, contoso, Since::Run(runs[1].id), at(99)).await.unwrap();
        assert_eq!(third, Some(at(21)), "a run stands for its end");
        let other = tenant(db, "Fabrikam").await;
        assert_eq!(sync_runs::moment_of(db, other, Since::Run(runs[1].id), at(99)).await.unwrap(), None);
    }

    async fn what_changed_last_comes_first_and_what_is_not_known_or_gone_is_told(test: TestDatabase) {
        let db = &test.db;
        let contoso = tenant(db, "Contoso").await;
        sync(db, contoso, &[("beta", vec![item("b", "B", "1")])], 0).await;
        let c = item("c", "C", "1");
        sync(db, contoso, &[("alpha", vec![item("a", "A", "2"), c]), ("beta", vec![item("b", "B", "1")])], 10).await;
        for (time, b) in [(20, "2"), (30, "3")] {
            let alpha = vec![item("a", "A", "3"), item("d", "D", "1")];
            sync(db, contoso, &[("alpha", alpha), ("beta", vec![item("b", "B", b)])], time).await;
        }
        let view = view(db, contoso).await;
        let sorted = ItemQuery { sort: Sort::Changed, descending: true, limit: 2, ..ItemQuery::default() };
        let page = list(db, &view, &sorted).await.unwrap();
        let next = list(db, &view, &ItemQuery { after: page.next.clone(), ..sorted }).await.unwrap();
        let told = |rows: &[ItemRow]| {
            rows.iter().map(|row| (row.item.display_name.clone(), row.changed_since_known)).collect::<Vec<_>>()
        };
        assert_eq!(told(&page.rows)[0], ("B".to_owned(), true), "what changed last comes first");
        let last = told(&next.rows);
        assert_eq!(last.last().map(|one| one.1), Some(false), "and what never did comes last: {last:?}");
        let gone = async |time: i64| {
            let missing = ItemFilter {
                state: Some(StateFilter::Missing),
                missing_since: Some(at(time)),
                ..ItemFilter::default()
            };
            inventory::total(db, &view, &missing).await.unwrap().items
        };
        assert_eq!((gone(15).await, gone(25).await), (1, 0), "C went missing with the sync at 20");
        let later = async |time: i64| {
            let types = inventory::first_read_after(db, contoso, at(time)).await.unwrap();
            types.into_iter().map(|one| one.policy_type).collect::<Vec<_>>()
        };
        assert_eq!((later(-1).await, later(5).await, later(15).await), (
            vec!["alpha".to_owned(), "beta".to_owned()], vec!["alpha".to_owned()], vec![],
        ));
    }

    async fn what_became_known_after_the_run_of_the_scope_is_marked_as_newer(test: TestDatabase) {
        let db = &test.db;
        let contoso = tenant(db, "Contoso").await;
        sync(db, contoso, &[("alpha", items(1, "a")), ("beta", items(1, "a"))], 0).await;
        sync(db, contoso, &[("alpha", items(2, "a"))], 10).await;
        let view = view(db, contoso).await;
        assert_eq!(view.scope.as_ref().unwrap().selection.policy_types.len(), 2);
        let rows = list(db, &view, &ItemQuery { limit: 10, ..ItemQuery::default() }).await.unwrap().rows;
        let newer: Vec<_> = rows.iter().filter(|row| row.newer_than_scope).map(|row| row.presence.as_str()).collect();
        assert_eq!(newer, ["missing"]);
    }
}
