//! The tenants of a person as a table, and which of them exist for somebody.

use std::time::Instant;

use tenantatlas_domain::ids::{TenantId, UserId};
use tenantatlas_domain::reason::ReasonCode;
use tenantatlas_domain::role::Role;
use tenantatlas_domain::sync::{SyncRunStatus, TypeOutcome};
use tenantatlas_store::inventory::{ScopeView, counts_of};
use tenantatlas_store::members::{self, Sight};
use tenantatlas_store::operation_runs;
use tenantatlas_store::tenants::{
    self, ConnectionCheck, ConnectionStatus, Licence, ListedQuery, ListedSort, OverviewQuery, OverviewSort,
};
use tenantatlas_store::testing::on_both_engines;
use tenantatlas_store::{Db, preferences};

use crate::world::{Sync, at, dispatch, items, tenant, user};

async fn member(db: &Db, tenant: TenantId, user: UserId) {
    let mut tx = db.write().await.unwrap();
    members::set(&mut tx, tenant, user, Role::Operator, at(0)).await.unwrap();
    tx.commit().await.unwrap();
}

async fn names(db: &Db, user: UserId, query: OverviewQuery) -> Vec<String> {
    let query = OverviewQuery { limit: 50, ..query };
    let rows = tenants::overview(db, user, &query).await.unwrap();
    rows.into_iter().map(|row| row.visible.tenant.name).collect()
}

on_both_engines! {
    async fn tenants_are_sorted_by_what_needs_a_look_and_found_by_words_in_any_order(test: TestDatabase) {
        let db = &test.db;
        let ada = user(db, "Ada", false).await;
        let [good, bad, never, old] =
            [tenant(db, "Alpha good").await, tenant(db, "Beta bad").await, tenant(db, "Gamma never").await, tenant(db, "Delta old").await];
        tenant(db, "Foreign alpha").await;
        for one in [good, bad, never, old] {
            member(db, one, ada).await;
        }
        for (one, outcome, status, end) in [
            (old, TypeOutcome::Succeeded, SyncRunStatus::Success, 5),
            (good, TypeOutcome::Succeeded, SyncRunStatus::Success, 9),
            (bad, TypeOutcome::Failed, SyncRunStatus::Failed, 8),
        ] {
            let sync = Sync::start(db, one, &["alpha"], at(1)).await;
            sync.begin("alpha", at(1)).await;
            sync.end("alpha", outcome, at(2)).await;
            sync.finish_as(status, Vec::<ReasonCode>::new(), at(end)).await;
        }
        let mut tx = db.write().await.unwrap();
        preferences::set_favourite(&mut tx, ada, old, true).await.unwrap();
        tx.commit().await.unwrap();
        let sorted = |sort| OverviewQuery { sort, ..OverviewQuery::default() };
        let all = ["Alpha good", "Beta bad", "Delta old", "Gamma never"];
        assert_eq!(names(db, ada, sorted(OverviewSort::Name)).await, all);
        assert_eq!(names(db, ada, sorted(OverviewSort::Favourites)).await[0], "Delta old");
        assert_eq!(names(db, ada, sorted(OverviewSort::Failed)).await[..2], ["Beta bad", "Gamma never"]);
        assert_eq!(names(db, ada, sorted(OverviewSort::Oldest)).await[..2], ["Gamma never", "Delta old"]);
        let reversed = |sort| OverviewQuery { descending: true, ..sorted(sort) };
        assert_eq!(names(db, ada, reversed(OverviewSort::Name)).await[..2], ["Gamma never", "Delta old"]);
        let failed_last = ["Alpha good", "Delta old", "Gamma never", "Beta bad"];
        assert_eq!(names(db, ada, reversed(OverviewSort::Failed)).await, failed_last, "equal ones by name");
        assert_eq!(names(db, ada, reversed(OverviewSort::Oldest)).await[..2], ["Alpha good", "Beta bad"]);
        let searched = |search: &str| OverviewQuery { search: search.to_owned(), ..OverviewQuery::default() };
        assert_eq!(names(db, ada, searched("GOOD alp")).await, ["Alpha good"]);
        assert_eq!(names(db, ada, searched("%")).await, [""; 0], "what was typed is no pattern");
        let page = OverviewQuery { sort: OverviewSort::Name, offset: 1, limit: 2, ..OverviewQuery::default() };
        let rows = tenants::overview(db, ada, &page).await.unwrap();
        assert_eq!(rows.iter().map(|row| (row.visible.tenant.id, row.total)).collect::<Vec<_>>(), [(bad, 4), (old, 4)]);
        assert_eq!(rows[0].latest_status, Some(SyncRunStatus::Failed));
    }

    async fn all_tenants_are_sorted_in_both_directions_page_by_page(test: TestDatabase) {
        let db = &test.db;
        let [works, fails, unchecked] =
            [tenant(db, "Alpha works").await, tenant(db, "Beta fails").await, tenant(db, "Gamma new").await];
        for (id, status, when) in [(works, ConnectionStatus::Ok, 5), (fails, ConnectionStatus::Failed, 9)] {
            let check = ConnectionCheck {
                status,
                reason: None,
                message: None,
                at: at(when),
                organization: Some("Contoso\u{202e}".to_owned()),
                licence: Licence::Unknown,
            };
            let mut tx = db.write().await.unwrap();
            let edited = tenants::get(db, id).await.unwrap().unwrap().updated_at;
            assert!(tenants::record_check(&mut tx, id, edited, &check).await.unwrap());
            tx.commit().await.unwrap();
            let read = tenants::get(db, id).await.unwrap().unwrap();
            assert_eq!(read.organization.as_deref(), Some("Contoso\\u{202e}"), "what would not be seen is");
        }
        let listed = async |sort, descending| {
            let mut ids = Vec::new();
            for offset in 0..3 {
                let query = ListedQuery { sort, descending, offset, limit: 1, ..ListedQuery::default() };
                let page = tenants::page(db, &query).await.unwrap();
                assert_eq!(page.iter().map(|one| one.total).collect::<Vec<_>>(), [3]);
                ids.extend(page.into_iter().map(|one| one.tenant.id));
            }
            ids
        };
        assert_eq!(listed(ListedSort::Name, false).await, [works, fails, unchecked]);
        assert_eq!(listed(ListedSort::Name, true).await, [unchecked, fails, works]);
        assert_eq!(listed(ListedSort::Connection, false).await, [fails, unchecked, works]);
        assert_eq!(listed(ListedSort::Connection, true).await, [works, unchecked, fails]);
        assert_eq!(listed(ListedSort::Checked, false).await, [unchecked, works, fails]);
        assert_eq!(listed(ListedSort::Checked, true).await, [fails, works, unchecked]);
        assert_eq!(listed(ListedSort::Credential, true).await.len(), 3);
    }

    async fn the_numbers_of_many_tenants_are_those_of_each_view(test: TestDatabase) {
        let db = &test.db;
        let (first, second, empty) = (tenant(db, "One").await, tenant(db, "Two").await, tenant(db, "Three").await);
        for (one, count) in [(first, 5), (second, 9)] {
            for seen in [count, count - 2] {
                let sync = Sync::start(db, one, &["alpha", "beta"], at(1)).await;
                sync.read("alpha", &items(seen, "x"), at(1)).await;
                sync.begin("beta", at(1)).await;
                sync.end("beta", TypeOutcome::Skipped, at(1)).await;
                sync.finish(at(2)).await;
            }
        }
        let mut latest = Vec::new();
        for one in [first, second, empty] {
            latest.push((one, ScopeView::load(db, one, None).await.unwrap().run.map(|run| run.id)));
        }
        let counts = counts_of(db, &latest).await.unwrap();
        for one in [first, second, empty] {
            assert_eq!(counts[&one], ScopeView::load(db, one, None).await.unwrap().counts(&[]));
        }
        assert_eq!((counts[&first].missing, counts[&second].known), (2, 9));
    }

    async fn a_person_is_told_of_their_runs_only_where_the_tenant_is_still_theirs(test: TestDatabase) {
        let db = &test.db;
        let (here, lost) = (tenant(db, "Here").await, tenant(db, "Lost").await);
        let (ada, admin) = (user(db, "Ada", false).await, user(db, "Admin", true).await);
        member(db, here, ada).await;
        assert_eq!(members::sight(db, ada).await.unwrap(), Some(Sight::Of(Box::new([here]))));
        assert_eq!(members::sight(db, admin).await.unwrap(), Some(Sight::All));
        assert!(members::sight(db, admin).await.unwrap().is_some_and(|sight| sight.holds(lost)));
        let mut mine = Vec::new();
        for one in [here, lost] {
            let new = operation_runs::NewOperationRun {
                user_id: Some(ada),
                ..crate::world::new_operation_run(one, "key", &["a"])
            };
            mine.push(new.id);
            let mut tx = db.write().await.unwrap();
            operation_runs::create(&mut tx, &new, at(3)).await.unwrap();
            tx.commit().await.unwrap();
        }
        let strange = dispatch(db, here, "other", &["a"], at(3)).await;
        let active = operation_runs::active_of_person(db, ada).await.unwrap();
        assert_eq!(active.iter().map(|run| (run.id, run.tenant_name.as_str())).collect::<Vec<_>>(), [(mine[0], "Here")]);
        let seen = async |user, tenant| {
            let seen = operation_runs::active_seen(db, user, tenant).await.unwrap();
            seen.into_iter().map(|run| run.id).collect::<Vec<_>>()
        };
        assert_eq!(seen(ada, here).await, [mine[0], strange.id], "what others do here, and not what is elsewhere");
        let elsewhere = tenant(db, "Elsewhere").await;
        assert_eq!(seen(ada, elsewhere).await, [mine[0]], "and what she does elsewhere");
        let asked = [mine[0], mine[1], strange.id];
        let told = operation_runs::of_person(db, ada, &asked).await.unwrap();
        assert_eq!(told.iter().map(|run| run.id).collect::<Vec<_>>(), [mine[0]]);
        let mut tx = db.write().await.unwrap();
        tenantatlas_store::users::set_disabled(&mut tx, ada, Some(at(4)), at(4)).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(members::sight(db, ada).await.unwrap(), None);
    }

    #[ignore = "figures, not checks: see speed.rs"]
    async fn the_page_of_a_thousand_tenants_in_figures(test: TestDatabase) {
        let db = &test.db;
        let admin = user(db, "Admin", true).await;
        let types: Vec<String> = (0..90).map(|number| format!("type{number:02}")).collect();
        let types: Vec<&str> = types.iter().map(String::as_str).collect();
        for number in 0..1_000 {
            let id = tenant(db, &format!("Tenant {number:04}")).await;
            let sync = Sync::start(db, id, &types, at(1)).await;
            for (index, key) in types.iter().enumerate() {
                sync.read(key, &items(if index % 30 == 0 { 3 } else { 0 }, "x"), at(1)).await;
            }
            sync.finish(at(2 + number)).await;
        }
        tenantatlas_store::inventory::refresh_statistics(db).await.unwrap();
        for sort in [OverviewSort::Favourites, OverviewSort::Failed, OverviewSort::Oldest] {
            let mut times = Vec::new();
            for turn in 0..101_u32 {
                let query = OverviewQuery { sort, offset: turn % 20 * 50, limit: 50, ..OverviewQuery::default() };
                let began = Instant::now();
                let rows = tenants::overview(db, admin, &query).await.unwrap();
                let latest: Vec<_> = rows.iter().map(|row| (row.visible.tenant.id, row.latest_run_id)).collect();
                let ids: Vec<_> = latest.iter().map(|(id, _)| *id).collect();
                counts_of(db, &latest).await.unwrap();
                operation_runs::active_in(db, &ids).await.unwrap();
                times.push(began.elapsed());
            }
            times.sort_unstable();
            print_figure(&format!("{:?} {sort:?}: p50 {:?}, p99 {:?}", db.backend(), times[50], times[99]));
        }
    }
}

#[expect(clippy::print_stderr, reason = "the figures are what this is for")]
fn print_figure(line: &str) {
    eprintln!("{line}");
}
