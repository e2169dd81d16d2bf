//! Sync runs: the lock of a scope, going on after a crash, totals.

use std::collections::BTreeSet;
use std::sync::atomic::AtomicBool;

use serde_json::json;
use tenantatlas_domain::operation::OperationStatus;
use tenantatlas_domain::reason::ReasonCode;
use tenantatlas_domain::registry::registry;
use tenantatlas_domain::selection::Selection;
use tenantatlas_domain::sync::{SyncRunStatus, TypeOutcome};
use tenantatlas_store::inventory::{self, ItemQuery, ScopeView, lock_types, write_batch};
use tenantatlas_store::operation_runs::{self, End, Rest};
use tenantatlas_store::sync_runs::{self, Filter, NewSyncRun, Started, SyncEnd, TypeEnd};
use tenantatlas_store::testing::on_both_engines;
use tenantatlas_store::{StoreError, scopes};

use crate::world::{
    LEASE, NO_LIMITS, Sync, at, claim, dispatch, items, new_sync_run, selection, tenant, until_the_other_waits,
};

on_both_engines! {
    async fn only_one_run_of_a_selection_is_under_way_and_other_selections_are_free(test: TestDatabase) {
        let db = &test.db;
        let contoso = tenant(db, "Contoso").await;
        let first = Sync::start(db, contoso, &["alpha"], at(0)).await;
        let other = Sync::start(db, contoso, &["beta"], at(0)).await;
        assert_eq!((first.run.seq, other.run.seq, other.run.floor_seq), (1, 2, 1));
        dispatch(db, contoso, "another key", &["alpha"], at(0)).await;
        let fence = claim(db, "two", LEASE, NO_LIMITS).await.unwrap().fence().unwrap();
        let mut tx = db.write().await.unwrap();
        let new = new_sync_run(contoso, &selection(&["alpha"]));
        let started = sync_runs::start(&mut tx, &fence, &new, at(1)).await.unwrap();
        assert!(matches!(&started, Started::LockHeld(held) if held.id == first.run.id), "{started:?}");
        let skipped = sync_runs::record_skipped(&mut tx, fence.run_id, &new, ReasonCode::LockHeld, at(2)).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!((skipped.status, skipped.error_codes.as_slice()), (SyncRunStatus::Skipped, &[ReasonCode::LockHeld][..]));
        first.finish(at(3)).await;
        let scope = scopes::find(db, contoso, &new.selection_hash).await.unwrap().unwrap();
        assert_eq!(scope.latest.unwrap().id, first.run.id);
    }

    async fn another_attempt_goes_on_with_the_run_and_sees_which_types_ended(test: TestDatabase) {
        let db = &test.db;
        let contoso = tenant(db, "Contoso").await;
        let types = ["alpha", "beta"];
        let sync = Sync::start(db, contoso, &types, at(0)).await;
        sync.read("alpha", &items(3, "a"), at(1)).await;
        let type_run = sync.begin("beta", at(1)).await;
        sync.write(&type_run, &items(2, "a"), at(1)).await.unwrap();
        let mut tx = db.write().await.unwrap();
        operation_runs::release(&mut tx, &sync.fence, at(2)).await.unwrap();
        tx.commit().await.unwrap();
        let error = sync.write(&type_run, &items(5, "a"), at(3)).await.unwrap_err();
        assert!(matches!(error, StoreError::LeaseLost), "{error:?}");

        let operation = claim(db, "two", LEASE, NO_LIMITS).await.unwrap();
        let fence = operation.fence().unwrap();
        let mut tx = db.write().await.unwrap();
        let started = sync_runs::start(&mut tx, &fence, &new_sync_run(contoso, &selection(&types)), at(4)).await.unwrap();
        tx.commit().await.unwrap();
        let Started::Resumed(run) = started else { panic!("{started:?}") };
        assert_eq!(run.id, sync.run.id);
        let sync = Sync { db: db.clone(), fence, run };
        assert_eq!(sync.begin("alpha", at(5)).await.outcome, Some(TypeOutcome::Succeeded));
        let again = sync.begin("beta", at(5)).await;
        assert_eq!((again.outcome, again.items), (None, 2));
        let result = sync.write(&again, &items(4, "a"), at(6)).await.unwrap();
        assert_eq!((result.inserted, result.repeated, result.fresh()), (2, 2, 2));
        assert_eq!(sync.end("beta", TypeOutcome::Succeeded, at(6)).await.items, 4);
        assert_eq!(sync.end_once_more("beta", TypeOutcome::Failed, at(7)).await, None, "it ended, and counts once");
        let types = sync_runs::list_types(db, contoso, sync.run.id).await.unwrap();
        assert!(types.iter().all(|one| one.outcome == Some(TypeOutcome::Succeeded)), "{types:?}");
        let run = sync.finish(at(8)).await;
        assert_eq!((run.items_observed_count, run.items_upserted_count), (7, 7));
    }

    async fn totals_and_error_codes_come_from_the_types(test: TestDatabase) {
        let db = &test.db;
        let contoso = tenant(db, "Contoso").await;
        let sync = Sync::start(db, contoso, &["alpha", "beta"], at(0)).await;
        sync.read("alpha", &items(3, "a"), at(1)).await;
        sync.begin("beta", at(1)).await;
        let failed = sync.end("beta", TypeOutcome::Failed, at(2)).await;
        assert_eq!((failed.pages, failed.requests, failed.retries, failed.bytes), (1, 2, 1, 1_000));
        let run = sync.finish(at(3)).await;
        assert_eq!((run.status, run.had_errors, run.errors_count), (SyncRunStatus::Partial, true, 1));
        assert_eq!(run.error_codes, [ReasonCode::GraphThrottled]);
        assert_eq!(run.finished_at, Some(at(3)));
        let types = sync_runs::list_types(db, contoso, run.id).await.unwrap();
        assert_eq!(types.len(), 2);
        let found = sync_runs::find_by_operation(db, contoso, sync.fence.run_id).await.unwrap().unwrap();
        assert_eq!(found, run);
        let other = tenant(db, "Fabrikam").await;
        assert!(sync_runs::get(db, other, run.id).await.unwrap().is_none());
        assert!(sync_runs::list_types(db, other, run.id).await.unwrap().is_empty());
    }

    async fn a_run_that_is_stopped_closes_its_open_types_with_the_reason(test: TestDatabase) {
        let db = &test.db;
        let contoso = tenant(db, "Contoso").await;
        let sync = Sync::start(db, contoso, &["alpha", "beta"], at(0)).await;
        let type_run = sync.begin("alpha", at(1)).await;
        sync.write(&type_run, &items(2, "a"), at(1)).await.unwrap();
        let run = sync.finish_as(SyncRunStatus::Failed, vec![ReasonCode::Cancelled], at(2)).await;
        assert_eq!((run.status, run.had_errors), (SyncRunStatus::Failed, true));
        assert_eq!(run.error_codes, [ReasonCode::Cancelled]);
        let types = sync_runs::list_types(db, contoso, run.id).await.unwrap();
        assert_eq!(types[0].outcome, Some(TypeOutcome::Failed));
        assert_eq!((types[0].reason_code, types[0].items), (Some(ReasonCode::Cancelled), 2));
        assert_eq!(types.len(), 1, "a type that was never begun has no row");
        assert_eq!((run.stopped, run.is_completed()), (Some(ReasonCode::Cancelled), false));
    }

    async fn a_run_left_behind_by_an_operation_that_ended_does_not_hold_the_lock(test: TestDatabase) {
        let db = &test.db;
        let contoso = tenant(db, "Contoso").await;
        let left = Sync::start(db, contoso, &["alpha"], at(0)).await;
        left.begin("alpha", at(0)).await;
        let mut tx = db.write().await.unwrap();
        let end = End {
            status: OperationStatus::Failed,
            reason_code: Some(ReasonCode::WorkerLost),
            reason: String::new(),
            rest: Rest::Failed,
        };
        operation_runs::finish(&mut tx, &left.fence, &end, at(1)).await.unwrap();
        tx.commit().await.unwrap();
        let next = Sync::start(db, contoso, &["alpha"], at(2)).await;
        assert_eq!(next.run.seq, 2);
        let closed = sync_runs::get(db, contoso, left.run.id).await.unwrap().unwrap();
        assert_eq!((closed.status, closed.error_codes.as_slice()), (SyncRunStatus::Failed, &[ReasonCode::WorkerLost][..]));
    }

    async fn abandoning_ends_the_run_of_an_operation_once(test: TestDatabase) {
        let db = &test.db;
        let contoso = tenant(db, "Contoso").await;
        let sync = Sync::start(db, contoso, &["alpha"], at(0)).await;
        let mut tx = db.write().await.unwrap();
        let closed = sync_runs::abandon(&mut tx, sync.fence.run_id, ReasonCode::WorkerLost, at(1)).await.unwrap();
        assert_eq!(closed.unwrap().status, SyncRunStatus::Failed);
        let again = sync_runs::abandon(&mut tx, sync.fence.run_id, ReasonCode::WorkerLost, at(2)).await.unwrap();
        assert!(again.is_none());
        let end = SyncEnd { status: SyncRunStatus::Success, error_codes: Vec::new(), error_context: json!({}), stopped: None };
        let kept = sync_runs::finish(&mut tx, &sync.fence, &sync.run, &end, at(3)).await.unwrap();
        assert_eq!((kept.status, kept.finished_at), (SyncRunStatus::Failed, Some(at(1))));
    }

    async fn runs_are_listed_by_scope_and_page(test: TestDatabase) {
        let db = &test.db;
        let contoso = tenant(db, "Contoso").await;
        for types in [&["alpha"][..], &["beta"], &["alpha"]] {
            let sync = Sync::start(db, contoso, types, at(0)).await;
            sync.read(types[0], &items(1, "a"), at(0)).await;
            sync.finish(at(1)).await;
        }
        Sync::start(db, contoso, &["beta"], at(2)).await;
        let all = Filter { limit: 10, ..Filter::default() };
        let seqs = |runs: Vec<sync_runs::SyncRun>| runs.iter().map(|run| run.seq).collect::<Vec<_>>();
        assert_eq!(seqs(sync_runs::list(db, contoso, &all).await.unwrap()), [4, 3, 2, 1]);
        let completed = Filter { completed: true, before_seq: Some(3), ..all.clone() };
        assert_eq!(seqs(sync_runs::list(db, contoso, &completed).await.unwrap()), [2, 1]);
        let scope = scopes::find(db, contoso, &selection(&["alpha"]).hash()).await.unwrap().unwrap();
        let of_scope = Filter { scope: Some(scope.id), ..all };
        assert_eq!(seqs(sync_runs::list(db, contoso, &of_scope).await.unwrap()), [3, 1]);
    }

    async fn the_main_scope_is_the_full_inventory_else_the_widest_selection_that_completed_last(test: TestDatabase) {
        let db = &test.db;
        let contoso = tenant(db, "Contoso").await;
        let main = async || {
            let main = scopes::main_of(db, contoso).await.unwrap();
            let offered = scopes::offered(db, contoso).await.unwrap();
            assert_eq!((offered.main, offered.scopes), (main.clone(), scopes::list(db, contoso).await.unwrap()));
            main.map(|scope| scope.selection.policy_types.join(","))
        };
        assert_eq!(main().await, None);
        for (index, (types, expected)) in [
            (&["alpha"][..], "alpha"),
            (&["alpha", "beta"], "alpha,beta"),
            (&["gamma"], "alpha,beta"),
            (&["beta", "gamma"], "beta,gamma"),
        ]
        .into_iter()
        .enumerate()
        {
            let sync = Sync::start(db, contoso, types, at(0)).await;
            for key in types {
                sync.read(key, &items(1, "a"), at(0)).await;
            }
            sync.finish(at(10 + i64::try_from(index).unwrap())).await;
            assert_eq!(main().await.as_deref(), Some(expected));
        }
        let full = Selection::full(registry());
        let new = NewSyncRun { selection_hash: full.hash(), selection: full, ..new_sync_run(contoso, &selection(&[])) };
        let sync = Sync::begin_run(db, new.clone(), &["alpha"], at(20)).await;
        sync.read("alpha", &items(1, "a"), at(20)).await;
        assert_eq!(main().await.as_deref(), Some("beta,gamma"), "it has not completed yet");
        let run = sync.finish(at(21)).await;
        assert_eq!(scopes::main_of(db, contoso).await.unwrap().map(|scope| scope.id), Some(run.scope_id));
    }

    async fn a_type_that_another_selection_read_more_recently_says_so_in_the_main_scope(test: TestDatabase) {
        let db = &test.db;
        let contoso = tenant(db, "Contoso").await;
        let read = async |types: &[&str], count: usize, time: i64| {
            let sync = Sync::start(db, contoso, types, at(time)).await;
            for key in types {
                sync.read(key, &items(count, "a"), at(time)).await;
            }
            sync.finish(at(time)).await
        };
        read(&["alpha"], 3, 0).await;
        read(&["alpha", "beta"], 3, 10).await;
        let view = ScopeView::load(db, contoso, None).await.unwrap();
        assert!(view.types.values().all(|state| state.read_elsewhere.is_none()), "the other read is older");
        let later = read(&["alpha"], 2, 20).await;
        let view = ScopeView::load(db, contoso, None).await.unwrap();
        assert_eq!(view.scope.as_ref().unwrap().selection.policy_types.len(), 2);
        let elsewhere = view.types["alpha"].read_elsewhere.as_ref().unwrap();
        assert_eq!((elsewhere.scope.id, elsewhere.at, elsewhere.items), (later.scope_id, at(20), 2));
        assert_eq!(view.types["beta"].read_elsewhere, None);
        let rows = inventory::list(db, &view, &ItemQuery { limit: 10, ..ItemQuery::default() }).await.unwrap().rows;
        assert!(rows.iter().all(|row| row.presence.as_str() == "present"), "one item has one state: {rows:?}");
        let since = |key: &str| rows.iter().filter(|row| row.item.policy_type == key).map(inventory::ItemRow::since_words).collect::<Vec<_>>();
        let again = Some("read again since");
        assert_eq!(since("alpha"), [again, again, Some("read again since: not there")]);
        assert_eq!(since("beta"), [None; 3]);
        let gone = inventory::find_external(db, contoso, "alpha", "id-000002").await.unwrap().unwrap();
        assert!(!inventory::was_seen(db, elsewhere.scope.id, elsewhere.read_seq, gone).await.unwrap());
        let there = inventory::find_external(db, contoso, "alpha", "id-000001").await.unwrap().unwrap();
        assert!(inventory::was_seen(db, elsewhere.scope.id, elsewhere.read_seq, there).await.unwrap());
    }

    async fn two_runs_that_write_and_end_the_same_types_crosswise_both_come_through(test: TestDatabase) {
        let db = &test.db;
        let contoso = tenant(db, "Contoso").await;
        // Both know an item of each type, of which neither is seen again.
        let before = Sync::start(db, contoso, &["alpha", "beta"], at(0)).await;
        before.read("alpha", &items(2, "a"), at(0)).await;
        before.read("beta", &items(2, "a"), at(0)).await;
        before.finish(at(1)).await;
        let one = Sync::start(db, contoso, &["alpha", "beta"], at(2)).await;
        let other = Sync::start(db, contoso, &["alpha", "beta", "gamma"], at(2)).await;
        let keys = BTreeSet::from(["beta", "alpha"]);
        let locked = AtomicBool::new(false);
        let crosswise = |sync: Sync, written: &'static str, ended: &'static str| {
            let (keys, test, locked) = (&keys, &test, &locked);
            async move {
                let type_run = sync.begin(written, at(3)).await;
                sync.begin(ended, at(3)).await;
                let mut tx = sync.db.write().await.unwrap();
                lock_types(&mut tx, contoso, keys).await.unwrap();
                write_batch(&mut tx, &sync.fence, &sync.run, &type_run, &items(1, "b"), at(4)).await.unwrap();
                until_the_other_waits(test, locked).await;
                let end = TypeEnd {
                    outcome: TypeOutcome::Succeeded,
                    reason_code: None,
                    message: None,
                    pages: 1,
                    requests: 1,
                    retries: 0,
                    throttled: 0,
                    bytes: 1,
                    unsteady: false,
                };
                sync_runs::finish_type(&mut tx, &sync.fence, &sync.run, ended, &end, at(5)).await.unwrap();
                tx.commit().await.unwrap();
            }
        };
        tokio::join!(crosswise(one, "alpha", "beta"), crosswise(other, "beta", "alpha"));
    }
}
