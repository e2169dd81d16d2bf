//! Lists of runs: by whom they are seen, what they are filtered by, how many there are; attempts and pauses of one.

use tenantatlas_domain::ids::{OperationRunId, TenantId, UserId};
use tenantatlas_domain::operation::{Failure, FailureKind, ItemOutcome, OperationBucket, OperationStatus};
use tenantatlas_domain::pauses::Pauses;
use tenantatlas_domain::reason::ReasonCode;
use tenantatlas_domain::role::Role;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_store::operation_runs::{self, AttemptEnd, End, Filter, Rest, Settled, UnitTime};
use tenantatlas_store::testing::{TestDatabase, on_both_engines};
use tenantatlas_store::{Backend, Db, members, retention, tenants, users};
use uuid::Uuid;

use crate::audit_world::execute;
use crate::world::{LEASE, NO_LIMITS, at, claim, dispatch, tenant, user};

/// A run of one unit that failed for this reason and ended at `number`, or that succeeded.
async fn ended(db: &Db, tenant: TenantId, number: i64, reason: Option<ReasonCode>) -> OperationRunId {
    let id = dispatch(db, tenant, &format!("key {number}"), &["a", "b"], at(number)).await.id;
    let fence = claim(db, "one", LEASE, NO_LIMITS).await.unwrap().fence().unwrap();
    assert_eq!(fence.run_id, id);
    let failure = reason.map(|reason_code| Failure {
        reason_code,
        reason: "because".to_owned(),
        item_id: Some("a".to_owned()),
        kind: FailureKind::Failed,
    });
    let outcome = if failure.is_some() { ItemOutcome::Failed } else { ItemOutcome::Succeeded };
    let first = Settled { outcome, failure };
    let second = Settled { outcome: ItemOutcome::Succeeded, failure: None };
    let mut tx = db.write().await.unwrap();
    let run = operation_runs::settle(&mut tx, &fence, &[first, second], at(number)).await.unwrap();
    let status = tenantatlas_domain::operation::conclude(&run.counters);
    let end = End { status, reason_code: None, reason: String::new(), rest: Rest::Open };
    operation_runs::finish(&mut tx, &fence, &end, at(number + 1)).await.unwrap();
    tx.commit().await.unwrap();
    id
}

async fn ids(db: &Db, filter: &Filter) -> Vec<OperationRunId> {
    let filter = Filter { limit: 50, ..filter.clone() };
    operation_runs::list(db, &filter).await.unwrap().into_iter().map(|run| run.id).collect()
}

fn seen_by(person: UserId) -> Filter {
    Filter { seen_by: Some(person), ..Filter::default() }
}

on_both_engines! {
    async fn a_list_over_tenants_holds_only_those_that_exist_for_the_person(test: TestDatabase) {
        let db = &test.db;
        let (contoso, fabrikam) = (tenant(db, "Contoso").await, tenant(db, "Fabrikam").await);
        let (ada, admin, nobody) =
            (user(db, "Ada", false).await, user(db, "Admin", true).await, user(db, "Nobody", false).await);
        let mut tx = db.write().await.unwrap();
        members::set(&mut tx, contoso, ada, Role::Readonly, at(1)).await.unwrap();
        tx.commit().await.unwrap();
        let own = ended(db, contoso, 0, None).await;
        let other = ended(db, fabrikam, 1, None).await;
        assert_eq!(ids(db, &seen_by(ada)).await, [own]);
        assert_eq!(ids(db, &seen_by(admin)).await, [other, own]);
        assert_eq!(ids(db, &seen_by(nobody)).await, []);
        let foreign = Filter { ids: Some(vec![other, own]), ..seen_by(ada) };
        assert_eq!(ids(db, &foreign).await, [own], "an id does not open a tenant");
        assert_eq!(ids(db, &Filter { tenant_id: Some(fabrikam), ..seen_by(ada) }).await, []);
        assert_eq!(operation_runs::count(db, &seen_by(ada)).await.unwrap().all(), 1);
        let mut tx = db.write().await.unwrap();
        tenants::retire(&mut tx, fabrikam, at(2)).await.unwrap();
        users::set_disabled(&mut tx, ada, Some(at(2)), at(2)).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(ids(db, &seen_by(admin)).await, [own], "a tenant that was removed is gone for everybody");
        assert_eq!(ids(db, &seen_by(ada)).await, [], "who cannot sign in sees nothing");
    }

    async fn a_run_is_found_by_every_reason_for_which_something_of_it_was_not_done(test: TestDatabase) {
        let db = &test.db;
        let contoso = tenant(db, "Contoso").await;
        let throttled = ended(db, contoso, 0, Some(ReasonCode::GraphThrottled)).await;
        ended(db, contoso, 1, None).await;
        let cancelled = dispatch(db, contoso, "waits", &["a"], at(5)).await.id;
        let mut tx = db.write().await.unwrap();
        operation_runs::request_cancel(&mut tx, contoso, cancelled, ("Ada", None), at(6)).await.unwrap();
        tx.commit().await.unwrap();
        let of = |reason| Filter { tenant_id: Some(contoso), reason: Some(reason), ..Filter::default() };
        assert_eq!(ids(db, &of(ReasonCode::GraphThrottled)).await, [throttled]);
        assert_eq!(ids(db, &of(ReasonCode::Cancelled)).await, [cancelled]);
        assert_eq!(ids(db, &of(ReasonCode::GraphTimeout)).await, []);
        let run = operation_runs::get(db, contoso, throttled).await.unwrap().unwrap();
        assert_eq!((run.reasons, run.reason_code), (vec![ReasonCode::GraphThrottled], None));
    }

    async fn runs_are_counted_in_every_state_whichever_state_the_filter_names(test: TestDatabase) {
        let db = &test.db;
        let contoso = tenant(db, "Contoso").await;
        ended(db, contoso, 0, Some(ReasonCode::GraphThrottled)).await;
        ended(db, contoso, 1, None).await;
        ended(db, contoso, 2, None).await;
        dispatch(db, contoso, "waits", &["a"], at(5)).await;
        let filter = Filter {
            tenant_id: Some(contoso),
            statuses: vec![OperationStatus::Completed],
            ..Filter::default()
        };
        let counted = operation_runs::count(db, &filter).await.unwrap();
        let of = |bucket| counted.of(bucket);
        assert_eq!((of(OperationBucket::Queued), of(OperationBucket::Running)), (1, 0));
        assert_eq!((of(OperationBucket::Succeeded), of(OperationBucket::PartiallySucceeded)), (2, 1));
        assert_eq!((counted.all(), counted.more), (4, false));
        let late = Filter { from: Some(at(2)), ..filter };
        assert_eq!(operation_runs::count(db, &late).await.unwrap().all(), 2);
    }

    async fn what_has_ended_is_counted_exactly_while_runs_end_are_pruned_and_go_with_their_tenant(test: TestDatabase) {
        let db = &test.db;
        let (contoso, fabrikam) = (tenant(db, "Contoso").await, tenant(db, "Fabrikam").await);
        let admin = user(db, "Admin", true).await;
        // What also asks for a time counts the runs themselves.
        let same = async |filter: Filter| {
            let kept = operation_runs::count(db, &filter).await.unwrap();
            let looked_at = Filter { from: Some(at(-1_000)), ..filter };
            let counted = operation_runs::count(db, &looked_at).await.unwrap();
            for bucket in [OperationBucket::Queued, OperationBucket::Running, OperationBucket::Succeeded,
                OperationBucket::PartiallySucceeded, OperationBucket::Failed] {
                assert_eq!(kept.of(bucket), counted.of(bucket), "{bucket:?}");
            }
            kept.all()
        };
        let of = |tenant| Filter { tenant_id: Some(tenant), ..Filter::default() };
        let operation = |action: &str| Some(("inventory".to_owned(), action.to_owned()));
        for number in 0..4 {
            ended(db, contoso, number, (number % 2 == 0).then_some(ReasonCode::GraphThrottled)).await;
        }
        ended(db, fabrikam, 4, None).await;
        dispatch(db, contoso, "waits", &["a"], at(5)).await;
        assert_eq!((same(of(contoso)).await, same(of(fabrikam)).await, same(seen_by(admin)).await), (5, 1, 6));
        assert_eq!(same(Filter { tenant_ids: Some(vec![fabrikam]), ..Filter::default() }).await, 1);
        let counted = [operation("sync"), operation("other")].map(|operation| Filter { operation, ..of(contoso) });
        let [sync, other] = counted;
        assert_eq!((same(sync).await, same(other).await), (5, 0));
        // What is written and taken back counts for nothing.
        let fence = claim(db, "one", LEASE, NO_LIMITS).await.unwrap().fence().unwrap();
        let mut tx = db.write().await.unwrap();
        let end = End { status: OperationStatus::Failed, reason_code: None, reason: String::new(), rest: Rest::Open };
        operation_runs::finish(&mut tx, &fence, &end, at(6)).await.unwrap();
        tx.rollback().await.unwrap();
        assert_eq!(same(of(contoso)).await, 5);
        let mut tx = db.write().await.unwrap();
        assert_eq!(retention::prune_runs(&mut tx, contoso, at(3)).await.unwrap(), 2);
        tx.commit().await.unwrap();
        assert_eq!((same(of(contoso)).await, same(seen_by(admin)).await), (3, 4));
        execute(db, "DELETE FROM tenants WHERE name = 'Contoso'").await.unwrap();
        assert_eq!((same(of(contoso)).await, same(seen_by(admin)).await), (0, 1));
    }

    async fn each_attempt_is_kept_with_what_ended_it(test: TestDatabase) {
        let db = &test.db;
        let (contoso, fabrikam) = (tenant(db, "Contoso").await, tenant(db, "Fabrikam").await);
        let id = dispatch(db, contoso, "key", &["a"], at(0)).await.id;
        let fence = claim(db, "one", LEASE, NO_LIMITS).await.unwrap().fence().unwrap();
        let mut tx = db.write().await.unwrap();
        operation_runs::release(&mut tx, &fence, at(2)).await.unwrap();
        tx.commit().await.unwrap();
        claim(db, "two", std::time::Duration::ZERO, NO_LIMITS).await.unwrap();
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        let mut tx = db.write().await.unwrap();
        let swept = operation_runs::sweep_expired(&mut tx, 3, LEASE, 10, at(3)).await.unwrap();
        assert_eq!(swept.requeued.len(), 1);
        tx.commit().await.unwrap();
        let fence = claim(db, "three", LEASE, NO_LIMITS).await.unwrap().fence().unwrap();
        let attempts = operation_runs::attempts(db, contoso, id).await.unwrap();
        let told: Vec<_> = attempts.iter().map(|one| (one.attempt, one.ended_at, one.ended_by)).collect();
        assert_eq!(
            told,
            [
                (1, Some(at(2)), Some(AttemptEnd::GivenBack)),
                (2, Some(at(3)), Some(AttemptEnd::WorkerLost)),
                (3, None, None),
            ]
        );
        let mut tx = db.write().await.unwrap();
        let end = End { status: OperationStatus::Failed, reason_code: None, reason: String::new(), rest: Rest::Failed };
        operation_runs::finish(&mut tx, &fence, &end, at(9)).await.unwrap();
        tx.commit().await.unwrap();
        let attempts = operation_runs::attempts(db, contoso, id).await.unwrap();
        assert_eq!((attempts[2].ended_at, attempts[2].ended_by), (Some(at(9)), Some(AttemptEnd::End)));
        assert!(operation_runs::attempts(db, fabrikam, id).await.unwrap().is_empty(), "only of the tenant");
    }

    async fn the_times_of_units_are_those_of_the_last_attempt_and_of_the_worker_that_holds_the_run(test: TestDatabase) {
        let db = &test.db;
        let (contoso, fabrikam) = (tenant(db, "Contoso").await, tenant(db, "Fabrikam").await);
        let id = dispatch(db, contoso, "key", &["a", "b"], at(0)).await.id;
        let fence = claim(db, "one", LEASE, NO_LIMITS).await.unwrap().fence().unwrap();
        let time = |unit: &str, from: i64, until: i64| UnitTime {
            unit: unit.to_owned(),
            started_at: at(from),
            finished_at: at(until),
        };
        let mut tx = db.write().await.unwrap();
        operation_runs::keep_times(&mut tx, &fence, &[time("b", 2, 5), time("a", 1, 3)]).await.unwrap();
        operation_runs::keep_times(&mut tx, &fence, &[time("b", 6, 4)]).await.unwrap();
        operation_runs::release(&mut tx, &fence, at(7)).await.unwrap();
        assert!(operation_runs::keep_times(&mut tx, &fence, &[time("c", 1, 2)]).await.is_err());
        tx.commit().await.unwrap();
        let kept = operation_runs::unit_times(db, contoso, id).await.unwrap();
        assert_eq!(kept, [time("a", 1, 3), time("b", 6, 6)], "a clock that was set back harms nothing");
        assert!(operation_runs::unit_times(db, fabrikam, id).await.unwrap().is_empty(), "only of the tenant");
        execute(db, "DELETE FROM bulk_operation_runs").await.unwrap();
        assert!(operation_runs::unit_times(db, contoso, id).await.unwrap().is_empty());
    }

    async fn only_the_worker_that_holds_a_run_tells_of_its_pauses(test: TestDatabase) {
        let db = &test.db;
        let contoso = tenant(db, "Contoso").await;
        let id = dispatch(db, contoso, "key", &["a"], at(0)).await.id;
        let fence = claim(db, "one", LEASE, NO_LIMITS).await.unwrap().fence().unwrap();
        let mut pauses = Pauses::default();
        pauses.add(at(1), at(4));
        let mut tx = db.write().await.unwrap();
        operation_runs::set_pauses(&mut tx, &fence, &pauses).await.unwrap();
        operation_runs::release(&mut tx, &fence, at(2)).await.unwrap();
        assert!(operation_runs::set_pauses(&mut tx, &fence, &Pauses::default()).await.is_err());
        tx.commit().await.unwrap();
        assert_eq!(operation_runs::get(db, contoso, id).await.unwrap().unwrap().pauses, pauses);
    }

    async fn runs_of_before_the_upgrade_are_found_by_their_reasons(test: TestDatabase) {
        let old = TestDatabase::of_version(test.db.backend(), 31).await;
        let id = |number: u128| match old.db.backend() {
            Backend::Sqlite => format!("x'{number:032x}'"),
            Backend::Postgres => format!("CAST('{}' AS UUID)", Uuid::from_u128(number)),
        };
        let failures = r#"[{"reason_code":"license_missing","reason":"x","type":"skipped"},
            {"reason_code":"license_missing","reason":"y","type":"skipped"},
            {"reason_code":"graph_timeout","reason":"z","type":"failed"}]"#;
        let mut texts = vec![format!(
            "INSERT INTO tenants (id, name, name_key, entra_tenant_id, cloud, environment, client_id, last_run_seq,
                 created_at, updated_at)
             VALUES ({}, 'Contoso', 'contoso', 'e', 'global', 'prod', 'c', 3, 1, 1)",
            id(7)
        )];
        for (number, failures, reason) in [(1, failures, "'internal'"), (2, "[]", "NULL")] {
            texts.push(format!(
                "INSERT INTO bulk_operation_runs (id, tenant_id, initiator, resource, action, idempotency_key,
                     correlation_id, payload, status, total_items, item_ids, failures, reason_code, progress, created_at,
                     updated_at, finished_at)
                 VALUES ({0}, {1}, 'Test', 'inventory', 'sync', 'k', {0}, '{{}}', 'failed', 2, '[]', '{failures}', {reason},
                     '{{}}', {number}0, {number}0, {number}0)",
                id(number),
                id(7)
            ));
        }
        for text in texts {
            execute(&old.db, &text).await.unwrap_or_else(|error| panic!("{error}: {text}"));
        }
        old.db.migrate().await.unwrap();
        let tenant = TenantId::from_uuid(Uuid::from_u128(7));
        let run = |number: u128| operation_runs::get(&old.db, tenant, Uuid::from_u128(number).into());
        let mut reasons = run(1).await.unwrap().unwrap().reasons;
        reasons.sort_unstable();
        assert_eq!(reasons, [ReasonCode::LicenseMissing, ReasonCode::GraphTimeout, ReasonCode::Internal]);
        assert_eq!(run(2).await.unwrap().unwrap().reasons, []);
        let by_reason = Filter { reason: Some(ReasonCode::GraphTimeout), ..Filter::default() };
        assert_eq!(ids(&old.db, &by_reason).await.len(), 1);
        // Nor does what ended before lack in the counts.
        let every = Filter { from: Some(Timestamp::from_millis(0)), ..Filter::default() };
        let counted = operation_runs::count(&old.db, &every).await.unwrap();
        assert_eq!(operation_runs::count(&old.db, &Filter::default()).await.unwrap(), counted);
        assert!(counted.all() > 0);
    }
}
