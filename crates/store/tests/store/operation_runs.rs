//! Operation runs: one active per key, leases, fences, counters, ends.

use std::time::Duration;

use tenantatlas_domain::ids::{OperationRunId, TenantId};
use tenantatlas_domain::live::{CurrentItem, Progress};
use tenantatlas_domain::operation::{Failure, FailureKind, ItemOutcome, MAX_FAILURES_KEPT, OperationStatus};
use tenantatlas_domain::reason::ReasonCode;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_store::operation_runs::{
    self, CancelOutcome, Claim, Created, End, Fence, Filter, Limits, OperationRun, Rest, Settled,
};
use tenantatlas_store::testing::on_both_engines;
use tenantatlas_store::{Db, StoreError};
use uuid::Uuid;

use crate::world::{LEASE, NO_LIMITS, at, claim, dispatch, kind_limits, new_operation_run, tenant};

/// No lease ends further ahead.
const LONGEST: Duration = Duration::from_secs(600);

fn end(status: OperationStatus, reason_code: Option<ReasonCode>, rest: Rest) -> End {
    End { status, reason_code, reason: "because".to_owned(), rest }
}

fn settled(outcome: ItemOutcome, item: &str) -> Settled {
    let failure = (outcome != ItemOutcome::Succeeded).then(|| Failure {
        reason_code: ReasonCode::GraphThrottled,
        reason: "too many requests".to_owned(),
        item_id: Some(item.to_owned()),
        kind: if outcome == ItemOutcome::Skipped { FailureKind::Skipped } else { FailureKind::Failed },
    });
    Settled { outcome, failure }
}

async fn settle(db: &Db, fence: &Fence, items: &[Settled]) -> Result<OperationRun, StoreError> {
    let mut tx = db.write().await?;
    let run = operation_runs::settle(&mut tx, fence, items, at(2)).await?;
    tx.commit().await?;
    Ok(run)
}

async fn get(db: &Db, tenant: TenantId, id: OperationRunId) -> OperationRun {
    operation_runs::get(db, tenant, id).await.unwrap().unwrap()
}

/// How many have waited too long when runs of the same tenant, and when all runs, may be waited for until then.
async fn overdue(db: &Db, in_tenant: Timestamp, over_all: Timestamp, limits: Limits) -> usize {
    let mut tx = db.write().await.unwrap();
    let overdue = operation_runs::Overdue { in_tenant, over_all };
    operation_runs::overdue(&mut tx, overdue, &kind_limits(limits), 10).await.unwrap().len()
}

async fn claim_at(db: &Db, limits: Limits, moment: Timestamp) -> Option<OperationRun> {
    let mut tx = db.write().await.unwrap();
    let limits = kind_limits(limits);
    let claim = Claim { owner: "worker", lease: LEASE, limits: &limits };
    let run = operation_runs::claim(&mut tx, &claim, moment).await.unwrap();
    tx.commit().await.unwrap();
    run
}

on_both_engines! {
    async fn two_dispatches_of_the_same_work_at_the_same_moment_make_one_run(test: TestDatabase) {
        let db = &test.db;
        let contoso = tenant(db, "Contoso").await;
        let dispatches = (0..12).map(|_| async move {
            let mut tx = db.write().await.unwrap();
            let created =
                operation_runs::create(&mut tx, &new_operation_run(contoso, "key", &["a", "b"]), at(0)).await.unwrap();
            tx.commit().await.unwrap();
            created
        });
        let created = futures::future::join_all(dispatches).await;
        let new = created.iter().filter(|one| matches!(one, Created::New(_))).count();
        assert_eq!(new, 1);
        let ids: std::collections::HashSet<_> = created
            .iter()
            .map(|one| match one {
                Created::New(run) | Created::AlreadyActive(run) => run.id,
            })
            .collect();
        assert_eq!(ids.len(), 1);
        let other = tenant(db, "Fabrikam").await;
        assert_ne!(dispatch(db, other, "key", &["a"], at(0)).await.tenant_id, contoso);
    }

    async fn a_key_is_free_again_once_its_run_has_ended(test: TestDatabase) {
        let db = &test.db;
        let contoso = tenant(db, "Contoso").await;
        let first = dispatch(db, contoso, "key", &["a"], at(0)).await;
        assert_eq!(dispatch(db, contoso, "key", &["a"], at(1)).await.id, first.id);
        let mut tx = db.write().await.unwrap();
        let ended = end(OperationStatus::Aborted, Some(ReasonCode::ConcurrencyLimit), Rest::Skipped);
        let ended = operation_runs::end_unclaimed(&mut tx, first.id, &ended, at(2)).await.unwrap().unwrap();
        tx.commit().await.unwrap();
        assert_eq!((ended.counters.skipped, ended.counters.processed), (1, 1));
        assert_eq!(ended.failures[0].kind, FailureKind::Skipped);
        let second = dispatch(db, contoso, "key", &["a"], at(3)).await;
        assert_ne!(second.id, first.id);
        assert_eq!(operation_runs::find_active(db, contoso, "key").await.unwrap().unwrap().id, second.id);
    }

    async fn each_waiting_run_is_claimed_once_and_the_oldest_first(test: TestDatabase) {
        let db = &test.db;
        let contoso = tenant(db, "Contoso").await;
        let mut ids = Vec::new();
        for number in 0..6 {
            ids.push(dispatch(db, contoso, &format!("key {number}"), &["a"], at(number)).await.id);
        }
        let first = claim(db, "one", LEASE, NO_LIMITS).await.unwrap();
        assert_eq!((first.id, first.status, first.attempt), (ids[0], OperationStatus::Running, 1));
        assert_eq!(first.started_at, Some(at(1)));
        let owners: Vec<String> = (0..10).map(|number| format!("worker {number}")).collect();
        let claims = futures::future::join_all(owners.iter().map(|owner| claim(db, owner, LEASE, NO_LIMITS))).await;
        let mut claimed: Vec<_> = claims.into_iter().flatten().map(|run| run.id).collect();
        claimed.sort_unstable();
        assert_eq!(claimed, ids[1..]);
    }

    async fn limits_hold_per_tenant_and_over_all_and_a_full_tenant_does_not_hold_up_the_others(test: TestDatabase) {
        let db = &test.db;
        let (contoso, fabrikam) = (tenant(db, "Contoso").await, tenant(db, "Fabrikam").await);
        for number in 0..3 {
            dispatch(db, contoso, &format!("key {number}"), &["a"], at(number)).await;
        }
        dispatch(db, fabrikam, "key", &["a"], at(9)).await;
        let limits = Limits { global: 2, per_tenant: 1 };
        let claims = (0..6).map(|_| claim(db, "worker", LEASE, limits));
        let claimed: Vec<_> = futures::future::join_all(claims).await.into_iter().flatten().collect();
        let tenants: std::collections::BTreeSet<_> = claimed.iter().map(|run| run.tenant_id).collect();
        assert_eq!((claimed.len(), tenants.len()), (2, 2));
        assert_eq!(overdue(db, at(100), at(1), limits).await, 2);
        assert_eq!(overdue(db, at(1), at(1), limits).await, 0, "they may wait a while");
        assert_eq!(overdue(db, at(100), at(100), NO_LIMITS).await, 0, "with a place free they only wait for a worker");
        let in_turn = Limits { per_tenant: 9, ..limits };
        assert_eq!(overdue(db, at(100), at(1), in_turn).await, 0, "where all are busy everybody waits for their turn");
        assert_eq!(overdue(db, at(1), at(100), in_turn).await, 2, "and not for ever");
        let waiting = operation_runs::waiting(db, contoso, None).await.unwrap();
        assert_eq!((waiting.of_tenant, waiting.of_person), (2, 0));
        let depth = operation_runs::queue_depth(db).await.unwrap();
        assert_eq!((depth.pending, depth.running), (2, 2));
    }

    async fn a_tenant_with_a_hundred_runs_that_wait_takes_turns_with_the_others(test: TestDatabase) {
        let db = &test.db;
        let (contoso, fabrikam, tailspin) =
            (tenant(db, "Contoso").await, tenant(db, "Fabrikam").await, tenant(db, "Tailspin").await);
        for number in 0..100 {
            dispatch(db, contoso, &format!("key {number}"), &["a"], at(number)).await;
        }
        for (number, tenant) in [fabrikam, tailspin].into_iter().cycle().take(4).enumerate() {
            dispatch(db, tenant, &format!("key {number}"), &["a"], at(1_000)).await;
        }
        // One place: each run ends before the next begins.
        let mut served = Vec::new();
        for moment in 1..=8 {
            let run = claim_at(db, Limits { global: 1, per_tenant: 1 }, at(2_000 + moment)).await.unwrap();
            served.push(run.tenant_id);
            let mut tx = db.write().await.unwrap();
            let ended = end(OperationStatus::Completed, None, Rest::Open);
            operation_runs::finish(&mut tx, &run.fence().unwrap(), &ended, at(2_000 + moment)).await.unwrap();
            tx.commit().await.unwrap();
        }
        let turns = [contoso, fabrikam, tailspin, contoso, fabrikam, tailspin, contoso, contoso];
        assert_eq!(served, turns);
    }

    async fn places_are_shared_between_tenants_before_one_gets_a_second(test: TestDatabase) {
        let db = &test.db;
        let (contoso, fabrikam) = (tenant(db, "Contoso").await, tenant(db, "Fabrikam").await);
        for number in 0..100 {
            dispatch(db, contoso, &format!("key {number}"), &["a"], at(number)).await;
        }
        let first = claim_at(db, NO_LIMITS, at(1_000)).await.unwrap();
        for number in 0..2 {
            dispatch(db, fabrikam, &format!("key {number}"), &["a"], at(2_000)).await;
        }
        let mut served = Vec::new();
        for moment in 0..4 {
            served.push(claim_at(db, NO_LIMITS, at(3_000 + moment)).await.unwrap().tenant_id);
        }
        assert_eq!(served, [fabrikam, contoso, fabrikam, contoso]);
        // What has begun is finished first, whoever's turn it is.
        let mut tx = db.write().await.unwrap();
        operation_runs::release(&mut tx, &first.fence().unwrap(), at(4_000)).await.unwrap();
        tx.commit().await.unwrap();
        dispatch(db, tenant(db, "Tailspin").await, "key", &["a"], at(4_001)).await;
        assert_eq!(claim_at(db, NO_LIMITS, at(5_000)).await.unwrap().id, first.id);
    }

    async fn who_could_work_on_a_run_is_told_by_leases_and_limits(test: TestDatabase) {
        let db = &test.db;
        let (contoso, fabrikam) = (tenant(db, "Contoso").await, tenant(db, "Fabrikam").await);
        let limits = Limits { global: 2, per_tenant: 1 };
        let liveness = |tenant, id| async move { operation_runs::liveness(db, tenant, id, limits, LONGEST).await.unwrap() };
        let doomed = dispatch(db, contoso, "doomed", &["a"], at(0)).await.id;
        let told = liveness(contoso, doomed).await.unwrap();
        assert_eq!((told.run.id, told.held_until, told.has_place), (doomed, None, true));
        assert!(liveness(fabrikam, doomed).await.is_none());

        claim(db, "dead", LEASE, NO_LIMITS).await.unwrap();
        test.expire_leases().await;
        let told = liveness(contoso, doomed).await.unwrap();
        assert!(told.run.lease_owner.is_some() && told.held_until.is_none() && told.has_place, "the lease has expired");

        let held = dispatch(db, contoso, "held", &["a"], at(1)).await.id;
        let waiting = dispatch(db, contoso, "waiting", &["a"], at(2)).await.id;
        assert!(liveness(contoso, waiting).await.unwrap().has_place, "an expired lease takes no place");
        assert_eq!(claim(db, "alive", LEASE, NO_LIMITS).await.unwrap().id, held);
        let elsewhere = dispatch(db, fabrikam, "elsewhere", &["a"], at(3)).await.id;
        assert!(liveness(contoso, held).await.unwrap().held_until.is_some());
        assert!(!liveness(contoso, waiting).await.unwrap().has_place);
        assert!(liveness(fabrikam, elsewhere).await.unwrap().has_place);
    }

    async fn a_lease_that_ends_further_ahead_than_any_can_is_over_because_a_clock_was_set_back(test: TestDatabase) {
        let db = &test.db;
        let contoso = tenant(db, "Contoso").await;
        let limits = Limits { global: 1, per_tenant: 1 };
        let id = dispatch(db, contoso, "key", &["a"], at(0)).await.id;
        // Given by a clock that was an hour ahead, seen by one that is not.
        claim(db, "dead", Duration::from_secs(3_600), limits).await.unwrap();
        let waiting = dispatch(db, contoso, "other", &["a"], at(1)).await.id;
        let told = operation_runs::liveness(db, contoso, id, limits, LONGEST).await.unwrap().unwrap();
        assert_eq!((told.held_until, told.has_place), (None, true));
        assert!(operation_runs::liveness(db, contoso, waiting, limits, LONGEST).await.unwrap().unwrap().has_place);
        let day = Duration::from_secs(86_400);
        let told = operation_runs::liveness(db, contoso, id, limits, day).await.unwrap().unwrap();
        assert!(told.held_until.is_some() && !told.has_place, "where leases may be so long it holds");
        let mut tx = db.write().await.unwrap();
        assert_eq!(operation_runs::sweep_expired(&mut tx, 3, day, 100, at(2)).await.unwrap(), operation_runs::Swept::default());
        let swept = operation_runs::sweep_expired(&mut tx, 3, LONGEST, 100, at(2)).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(swept.requeued.iter().map(|run| run.id).collect::<Vec<_>>(), [id]);
        assert_eq!(claim(db, "alive", LEASE, limits).await.unwrap().id, id, "it goes on at once");
    }

    async fn a_worker_that_lost_its_lease_can_write_nothing_more(test: TestDatabase) {
        let db = &test.db;
        let contoso = tenant(db, "Contoso").await;
        let id = dispatch(db, contoso, "key", &["a", "b"], at(0)).await.id;
        let old = claim(db, "old", LEASE, NO_LIMITS).await.unwrap().fence().unwrap();
        test.expire_leases().await;
        let mut tx = db.write().await.unwrap();
        let swept = operation_runs::sweep_expired(&mut tx, 3, LONGEST, 100, at(3)).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(swept.requeued.iter().map(|run| (run.id, run.lost_leases)).collect::<Vec<_>>(), [(id, 1)]);
        assert_eq!(get(db, contoso, id).await.status, OperationStatus::Running);
        for again in [false, true] {
            if again {
                let new = claim(db, "old", LEASE, NO_LIMITS).await.unwrap();
                assert_eq!((new.id, new.attempt), (id, 2));
            }
            let mut tx = db.write().await.unwrap();
            let ended = end(OperationStatus::Completed, None, Rest::Open);
            let results = [
                operation_runs::hold(&mut tx, &old).await.unwrap_err(),
                operation_runs::renew(&mut tx, &old, LEASE).await.unwrap_err(),
                operation_runs::set_progress(&mut tx, &old, &Progress::default(), at(4)).await.unwrap_err(),
                operation_runs::settle(&mut tx, &old, &[settled(ItemOutcome::Succeeded, "a")], at(4)).await.unwrap_err(),
                operation_runs::finish(&mut tx, &old, &ended, at(4)).await.unwrap_err(),
                operation_runs::release(&mut tx, &old, at(4)).await.unwrap_err(),
            ];
            assert!(results.iter().all(|error| matches!(error, StoreError::LeaseLost)), "{results:?}");
        }
        assert_eq!(get(db, contoso, id).await.counters.processed, 0);
    }

    async fn a_run_that_loses_its_worker_too_often_fails_and_none_stays_running_for_ever(test: TestDatabase) {
        let db = &test.db;
        let contoso = tenant(db, "Contoso").await;
        let id = dispatch(db, contoso, "key", &["a", "b"], at(0)).await.id;
        for lost in 1..=2 {
            let run = claim(db, "worker", LEASE, NO_LIMITS).await.unwrap();
            assert_eq!(run.attempt, lost);
            test.expire_leases().await;
            let mut tx = db.write().await.unwrap();
            let swept = operation_runs::sweep_expired(&mut tx, 2, LONGEST, 100, at(5)).await.unwrap();
            tx.commit().await.unwrap();
            assert_eq!((swept.requeued.len(), swept.failed.len()), if lost == 1 { (1, 0) } else { (0, 1) });
        }
        let run = get(db, contoso, id).await;
        assert_eq!((run.status, run.reason_code), (OperationStatus::Failed, Some(ReasonCode::WorkerLost)));
        assert_eq!((run.counters.failed, run.counters.processed, run.finished_at), (2, 2, Some(at(5))));
        assert!(claim(db, "worker", LEASE, NO_LIMITS).await.is_none());
    }

    async fn a_renewed_lease_is_not_swept_and_a_released_one_is_claimed_at_once(test: TestDatabase) {
        let db = &test.db;
        let contoso = tenant(db, "Contoso").await;
        dispatch(db, contoso, "key", &["a"], at(0)).await;
        let fence = claim(db, "one", LEASE, NO_LIMITS).await.unwrap().fence().unwrap();
        test.expire_leases().await;
        let mut tx = db.write().await.unwrap();
        let renewal = operation_runs::renew(&mut tx, &fence, LEASE).await.unwrap();
        assert!(!renewal.cancel_requested);
        tx.commit().await.unwrap();
        let mut tx = db.write().await.unwrap();
        assert_eq!(operation_runs::sweep_expired(&mut tx, 1, LONGEST, 100, at(3)).await.unwrap(), operation_runs::Swept::default());
        operation_runs::release(&mut tx, &fence, at(3)).await.unwrap();
        tx.commit().await.unwrap();
        let again = claim(db, "two", LEASE, NO_LIMITS).await.unwrap();
        assert_eq!((again.attempt, again.lost_leases), (2, 0));
        assert_eq!(again.started_at, Some(at(1)));
    }

    async fn counters_add_up_under_concurrent_writes_and_never_exceed_the_total(test: TestDatabase) {
        let db = &test.db;
        let contoso = tenant(db, "Contoso").await;
        let items: Vec<String> = (0..30).map(|number| number.to_string()).collect();
        let names: Vec<&str> = items.iter().map(String::as_str).collect();
        let id = dispatch(db, contoso, "key", &names, at(0)).await.id;
        let fence = claim(db, "one", LEASE, NO_LIMITS).await.unwrap().fence().unwrap();
        let outcomes = [ItemOutcome::Succeeded, ItemOutcome::Failed, ItemOutcome::Skipped];
        let writes = items.iter().enumerate().map(|(index, item)| {
            let fence = &fence;
            async move { settle(db, fence, &[settled(outcomes[index % 3], item)]).await.unwrap() }
        });
        futures::future::join_all(writes).await;
        let run = get(db, contoso, id).await;
        assert_eq!((run.counters.processed, run.counters.succeeded, run.counters.failed, run.counters.skipped), (30, 10, 10, 10));
        assert_eq!(run.failures.len(), 20);
        let error = settle(db, &fence, &[settled(ItemOutcome::Succeeded, "x")]).await.unwrap_err();
        assert!(matches!(error, StoreError::CountersExceeded(_)), "{error:?}");
        assert_eq!(get(db, contoso, id).await.counters, run.counters);
    }

    async fn the_database_itself_refuses_counters_that_do_not_add_up_and_a_second_active_run(test: TestDatabase) {
        let db = &test.db;
        let contoso = tenant(db, "Contoso").await;
        dispatch(db, contoso, "key", &["a"], at(0)).await;
        let texts = [
            "UPDATE bulk_operation_runs SET processed_items = 1",
            "UPDATE bulk_operation_runs SET processed_items = 2, succeeded = 2",
            "UPDATE bulk_operation_runs SET status = 'completed'",
        ];
        for text in texts {
            let refused = match db {
                Db::Sqlite { writer, .. } => sqlx::query(text).execute(writer).await.is_err(),
                Db::Postgres { pool, .. } => sqlx::query(text).execute(pool).await.is_err(),
            };
            assert!(refused, "{text}");
        }
    }

    async fn failures_are_bounded_and_the_rest_is_counted(test: TestDatabase) {
        let db = &test.db;
        let contoso = tenant(db, "Contoso").await;
        let items: Vec<String> = (0..MAX_FAILURES_KEPT + 7).map(|number| number.to_string()).collect();
        let names: Vec<&str> = items.iter().map(String::as_str).collect();
        let id = dispatch(db, contoso, "key", &names, at(0)).await.id;
        let fence = claim(db, "one", LEASE, NO_LIMITS).await.unwrap().fence().unwrap();
        let all: Vec<Settled> = names.iter().map(|item| settled(ItemOutcome::Failed, item)).collect();
        settle(db, &fence, &all).await.unwrap();
        let mut tx = db.write().await.unwrap();
        let ended = end(OperationStatus::Failed, None, Rest::Open);
        operation_runs::finish(&mut tx, &fence, &ended, at(9)).await.unwrap();
        tx.commit().await.unwrap();
        let run = get(db, contoso, id).await;
        assert_eq!((run.failures.len(), run.failures_omitted), (MAX_FAILURES_KEPT, 7));
        assert_eq!((run.lease_owner.as_deref(), run.finished_at), (None, Some(at(9))));
    }

    async fn an_ended_run_never_changes_its_state(test: TestDatabase) {
        let db = &test.db;
        let contoso = tenant(db, "Contoso").await;
        let id = dispatch(db, contoso, "key", &["a"], at(0)).await.id;
        let fence = claim(db, "one", LEASE, NO_LIMITS).await.unwrap().fence().unwrap();
        let mut tx = db.write().await.unwrap();
        let not_an_end = end(OperationStatus::Running, None, Rest::Open);
        let error = operation_runs::finish(&mut tx, &fence, &not_an_end, at(8)).await.unwrap_err();
        assert!(matches!(error, StoreError::IllegalTransition(_)), "{error:?}");
        let completed = end(OperationStatus::Completed, None, Rest::Skipped);
        operation_runs::finish(&mut tx, &fence, &completed, at(8)).await.unwrap();
        let failed = end(OperationStatus::Failed, Some(ReasonCode::Internal), Rest::Open);
        assert!(matches!(operation_runs::finish(&mut tx, &fence, &failed, at(9)).await, Err(StoreError::LeaseLost)));
        assert!(operation_runs::end_unclaimed(&mut tx, id, &failed, at(9)).await.unwrap().is_none());
        let cancel = operation_runs::request_cancel(&mut tx, contoso, id, ("Ada", None), at(9)).await.unwrap();
        assert!(matches!(cancel, CancelOutcome::AlreadyEnded(_)), "{cancel:?}");
        tx.commit().await.unwrap();
        assert_eq!(get(db, contoso, id).await.status, OperationStatus::Completed);
    }

    async fn cancelling_ends_a_waiting_run_at_once_and_tells_the_worker_of_a_running_one(test: TestDatabase) {
        let db = &test.db;
        let (contoso, fabrikam) = (tenant(db, "Contoso").await, tenant(db, "Fabrikam").await);
        let running = dispatch(db, contoso, "one", &["a"], at(0)).await.id;
        let fence = claim(db, "one", LEASE, NO_LIMITS).await.unwrap().fence().unwrap();
        let waiting = dispatch(db, contoso, "two", &["a", "b"], at(1)).await.id;
        let mut tx = db.write().await.unwrap();
        let foreign = operation_runs::request_cancel(&mut tx, fabrikam, waiting, ("Eve", None), at(2)).await.unwrap();
        assert_eq!(foreign, CancelOutcome::NotFound);
        let unknown = OperationRunId::from_uuid(Uuid::now_v7());
        let unknown = operation_runs::request_cancel(&mut tx, contoso, unknown, ("Ada", None), at(2)).await.unwrap();
        assert_eq!(unknown, CancelOutcome::NotFound);
        match operation_runs::request_cancel(&mut tx, contoso, waiting, ("Ada", None), at(2)).await.unwrap() {
            CancelOutcome::Aborted(run) => {
                assert_eq!((run.status, run.reason_code), (OperationStatus::Aborted, Some(ReasonCode::Cancelled)));
                assert_eq!((run.counters.skipped, run.cancel_requested_by.as_deref()), (2, Some("Ada")));
            }
            other => panic!("{other:?}"),
        }
        let requested = operation_runs::request_cancel(&mut tx, contoso, running, ("Ada", None), at(2)).await.unwrap();
        assert!(matches!(requested, CancelOutcome::Requested(_)), "{requested:?}");
        tx.commit().await.unwrap();
        let mut tx = db.write().await.unwrap();
        assert!(operation_runs::renew(&mut tx, &fence, LEASE).await.unwrap().cancel_requested);
    }

    async fn runs_are_listed_newest_first_by_what_is_asked_for_and_only_of_the_tenant(test: TestDatabase) {
        let db = &test.db;
        let (contoso, fabrikam) = (tenant(db, "Contoso").await, tenant(db, "Fabrikam").await);
        let mut ids = Vec::new();
        for number in 0..4 {
            ids.push(dispatch(db, contoso, &format!("key {number}"), &["a"], at(number)).await.id);
        }
        let foreign = dispatch(db, fabrikam, "key", &["a"], at(9)).await.id;
        claim(db, "one", LEASE, NO_LIMITS).await.unwrap();
        let mine = Filter { tenant_id: Some(contoso), limit: 2, ..Filter::default() };
        let page = operation_runs::list(db, &mine).await.unwrap();
        assert_eq!(page.iter().map(|run| run.id).collect::<Vec<_>>(), [ids[3], ids[2]]);
        let next = Filter { before: Some((page[1].created_at, page[1].id)), ..mine.clone() };
        let page = operation_runs::list(db, &next).await.unwrap();
        assert_eq!(page.iter().map(|run| run.id).collect::<Vec<_>>(), [ids[1], ids[0]]);
        let running = Filter { statuses: vec![OperationStatus::Running], by_person: Some(false), ..mine.clone() };
        assert_eq!(operation_runs::list(db, &running).await.unwrap().len(), 1);
        let span = Filter {
            from: Some(at(1)),
            until: Some(at(3)),
            operation: Some(("inventory".to_owned(), "sync".to_owned())),
            limit: 50,
            ..mine.clone()
        };
        assert_eq!(operation_runs::list(db, &span).await.unwrap().len(), 2);
        assert_eq!(operation_runs::list(db, &Filter { limit: 50, ..Filter::default() }).await.unwrap().len(), 5);
        assert!(operation_runs::get(db, contoso, foreign).await.unwrap().is_none());
        assert_eq!(operation_runs::active(db, Some(contoso), None).await.unwrap().len(), 4);
        assert_eq!(operation_runs::active(db, None, None).await.unwrap().len(), 5);
    }

    async fn progress_is_kept_with_the_run(test: TestDatabase) {
        let db = &test.db;
        let contoso = tenant(db, "Contoso").await;
        let id = dispatch(db, contoso, "key", &["a"], at(0)).await.id;
        let fence = claim(db, "one", LEASE, NO_LIMITS).await.unwrap().fence().unwrap();
        let current = CurrentItem { key: "a".to_owned(), label: "A".to_owned(), items: 42 };
        let progress = Progress { items: 42, current: vec![current] };
        let mut tx = db.write().await.unwrap();
        operation_runs::set_progress(&mut tx, &fence, &progress, at(7)).await.unwrap();
        tx.commit().await.unwrap();
        let run = get(db, contoso, id).await;
        assert_eq!((run.progress, run.updated_at), (progress, at(7)));
    }
}
