//! Dispatch, end, follow-ups, retry, cancel and limits, of an operation that nothing else knows.

use std::sync::Arc;

use tenantatlas_commands::{Actor, CommandError};
use tenantatlas_domain::ids::{OperationRunId, UserId};
use tenantatlas_domain::operation::OperationStatus;
use tenantatlas_domain::reason::ReasonCode;
use tenantatlas_domain::role::Role;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_runs::{Cancelled, Operations, RetryPart, follow_up};
use tenantatlas_store::operation_runs::{self, Limits};
use tenantatlas_store::testing::on_both_engines;
use tenantatlas_store::{audit, members};
use tokio::sync::Semaphore;
use uuid::Uuid;

use crate::counting::{Counting, Numbers};
use crate::support::World;

on_both_engines! {
    async fn an_operation_needs_nothing_but_its_own_file(test: TestDatabase) {
        let world = World::new(test).await;
        let run = world.count(&Numbers { fail: vec![3], ..Numbers::to("five", 5) }).await;
        let state = world.ended(run).await;
        assert_eq!(state.status, OperationStatus::CompletedWithErrors);
        assert_eq!((state.counters.succeeded, state.counters.failed), (4, 1));
        assert_eq!((state.words.operation.as_str(), state.words.units.1.as_str()), ("Counting", "numbers"));
        assert_eq!((state.words.name.as_str(), state.tenant_name.as_str()), ("Counting to 5", "Contoso"));
        let filter = audit::Filter { resource_id: Some(run.to_string()), limit: 10, ..Default::default() };
        let entries = audit::list(&world.database.db, &filter).await.unwrap();
        let actions: Vec<_> = entries.iter().map(|entry| entry.action.as_str()).collect();
        assert_eq!(actions, ["numbers.count.completed_with_errors", "numbers.count.dispatched"]);
        assert_eq!(entries[0].context["counted"], 5);
    }

    async fn a_bug_in_an_operation_ends_its_run(test: TestDatabase) {
        let world = World::new(test).await;
        let run = world.count(&Numbers { panic: true, ..Numbers::to("bug", 3) }).await;
        let state = world.ended(run).await;
        assert_eq!((state.status, state.reason_code), (OperationStatus::Failed, Some(ReasonCode::Internal)));
        assert_eq!(state.counters.failed, 3);
    }

    async fn what_follows_is_started_in_its_order_when_a_run_ends_well(test: TestDatabase) {
        let world = World::new(test).await;
        let follow_ups = ["second", "third"].map(|key| follow_up::<Counting>(&Numbers::to(key, 1)).unwrap());
        let numbers = Numbers::to("first", 2);
        let first = world.runner.dispatch::<Counting>(&world.olga, world.tenant, &numbers, follow_ups.into()).await;
        let first = first.unwrap().state.id;
        world.ended(first).await;
        let [second] = &world.following(first).await[..] else { panic!("one run follows the first") };
        assert_eq!((second.user_id, second.idempotency_key.as_str()), (Some(world.user), "numbers.count:second"));
        world.ended(second.id).await;
        let [third] = &world.following(second.id).await[..] else { panic!("one run follows the second") };
        assert_eq!(world.ended(third.id).await.status, OperationStatus::Completed);
        assert!(world.following(third.id).await.is_empty());
    }

    async fn nothing_follows_a_run_that_did_not_end_well(test: TestDatabase) {
        let world = World::new(test).await;
        let follow_ups = vec![follow_up::<Counting>(&Numbers::to("second", 1)).unwrap()];
        let numbers = Numbers { fail: vec![0], ..Numbers::to("first", 2) };
        let first = world.runner.dispatch::<Counting>(&world.olga, world.tenant, &numbers, follow_ups).await.unwrap();
        assert_eq!(world.ended(first.state.id).await.status, OperationStatus::CompletedWithErrors);
        assert!(world.following(first.state.id).await.is_empty());
    }

    async fn a_right_that_was_taken_away_meanwhile_starts_no_follow_up(test: TestDatabase) {
        let world = World::with(test, 0, Limits { global: 4, per_tenant: 4 }).await;
        let follow_ups = vec![follow_up::<Counting>(&Numbers::to("second", 1)).unwrap()];
        let numbers = Numbers::to("first", 1);
        let first = world.runner.dispatch::<Counting>(&world.olga, world.tenant, &numbers, follow_ups).await;
        let first = first.unwrap().state.id;
        let mut tx = world.database.db.write().await.unwrap();
        members::set(&mut tx, world.tenant, world.user, Role::Readonly, Timestamp::from_millis(2)).await.unwrap();
        tx.commit().await.unwrap();
        world.gate.add_permits(10);
        assert_eq!(world.ended(first).await.status, OperationStatus::Completed);
        assert!(world.following(first).await.is_empty());
        let refused = world.refusal(first).await;
        assert_eq!(refused.context["error"], "forbidden");
        assert_eq!((refused.action.as_str(), refused.outcome), ("numbers.count.dispatched", audit::Outcome::Denied));
    }

    async fn a_follow_up_whose_work_is_active_already_ends_its_chain_and_the_audit_log_says_so(test: TestDatabase) {
        let world = World::with(test, 0, Limits { global: 1, per_tenant: 1 }).await;
        let follow_ups = ["second", "third"].map(|key| follow_up::<Counting>(&Numbers::to(key, 1)).unwrap());
        let numbers = Numbers::to("first", 1);
        let first = world.runner.dispatch::<Counting>(&world.olga, world.tenant, &numbers, follow_ups.into()).await;
        let first = first.unwrap().state.id;
        world.until(first, |state| state.status == OperationStatus::Running).await;
        let active = world.count(&Numbers::to("second", 1)).await;
        world.gate.add_permits(10);
        assert_eq!(world.ended(first).await.status, OperationStatus::Completed);
        assert_eq!(world.ended(active).await.status, OperationStatus::Completed);
        assert!(world.following(first).await.is_empty());
        let entry = world.refusal(first).await;
        assert_eq!((entry.action.as_str(), entry.outcome), ("numbers.count.dispatched", audit::Outcome::Failure));
        assert_eq!(entry.context["error"], "already_active");
        assert_eq!(entry.context["active"], active.to_string());
        assert_eq!(entry.context["left_out"], serde_json::json!(["numbers.count"]));
    }

    async fn a_follow_up_for_which_too_much_is_waiting_is_not_left_behind_half_started(test: TestDatabase) {
        let world = World::with(test, 0, Limits { global: 1, per_tenant: 1 }).await;
        let follow_ups = vec![follow_up::<Counting>(&Numbers::to("second", 1)).unwrap()];
        let numbers = Numbers::to("first", 1);
        let first = world.runner.dispatch::<Counting>(&world.olga, world.tenant, &numbers, follow_ups).await;
        let first = first.unwrap().state.id;
        world.until(first, |state| state.status == OperationStatus::Running).await;
        for number in 0..world.runner.config().waiting_per_tenant {
            world.count(&Numbers::to(&format!("waiting {number}"), 1)).await;
        }
        world.gate.add_permits(1);
        assert_eq!(world.ended(first).await.status, OperationStatus::Completed);
        assert_eq!(world.refusal(first).await.context["error"], "too_many");
        assert!(world.following(first).await.is_empty());
    }

    async fn an_ended_run_is_tried_again_and_one_without_failures_is_not(test: TestDatabase) {
        let world = World::new(test).await;
        let run = world.count(&Numbers { fail: vec![1], ..Numbers::to("first", 2) }).await;
        world.ended(run).await;
        let again = world.runner.retry(&world.olga, world.tenant, run, RetryPart::Failed).await.unwrap();
        let stored = operation_runs::get(&world.database.db, world.tenant, again.state.id).await.unwrap().unwrap();
        assert_eq!(stored.retry_of, Some(run));
        world.ended(again.state.id).await;
        let good = world.count(&Numbers::to("second", 2)).await;
        world.ended(good).await;
        let nothing = world.runner.retry(&world.olga, world.tenant, good, RetryPart::Failed).await;
        assert!(matches!(nothing, Err(CommandError::Conflict(_))), "{nothing:?}");
        let whole = world.runner.retry(&world.olga, world.tenant, good, RetryPart::Whole).await.unwrap();
        assert_eq!(world.ended(whole.state.id).await.status, OperationStatus::Completed);
    }

    async fn a_retry_that_is_refused_is_in_the_audit_log(test: TestDatabase) {
        let world = World::with(test, 0, Limits { global: 1, per_tenant: 1 }).await;
        let run = world.count(&Numbers::to("first", 1)).await;
        let stranger = Actor::person(UserId::from_uuid(Uuid::now_v7()), "Eve", "eve@example.com");
        for (actor, run, error) in [
            (&world.olga, run, "conflict"),
            (&world.olga, OperationRunId::from_uuid(Uuid::now_v7()), "not_found"),
            (&stranger, run, "forbidden"),
        ] {
            assert!(world.runner.retry(actor, world.tenant, run, RetryPart::Whole).await.is_err());
            let filter = audit::Filter { resource_id: Some(run.to_string()), limit: 10, ..Default::default() };
            let entry = audit::list(&world.database.db, &filter).await.unwrap().remove(0);
            assert_eq!((entry.action.as_str(), &entry.context["error"]), ("operation.retry_requested", &error.into()));
            assert_eq!((entry.actor_name.as_str(), entry.tenant_id), (actor.name.as_str(), Some(world.tenant)));
        }
    }

    async fn whoever_asks_too_often_is_written_down_once_and_not_each_time(test: TestDatabase) {
        let world = World::new(test).await;
        let run = world.count(&Numbers::to("first", 1)).await;
        world.ended(run).await;
        // All ask before one of them waits for the database: more than may ask at once.
        let asked = (0..200).map(|_| world.runner.cancel(&world.olga, world.tenant, run));
        let refused = futures::future::join_all(asked).await.into_iter().filter(Result::is_err).count();
        assert!(refused > 10, "{refused}");
        let filter = audit::Filter { action: Some("access.rate_limited".to_owned()), limit: 10, ..Default::default() };
        let entries = audit::list(&world.database.db, &filter).await.unwrap();
        let [entry] = &entries[..] else { panic!("{entries:?}") };
        assert_eq!((entry.actor_id, entry.outcome), (Some(world.user), audit::Outcome::Denied));
        assert_eq!((entry.resource_id.as_str(), &entry.context["error"]), ("command", &"too_many".into()));
    }

    async fn the_limits_of_an_operation_hold_and_cancelling_gives_its_place_back(test: TestDatabase) {
        let world = World::with(test, 0, Limits { global: 1, per_tenant: 1 }).await;
        let first = world.count(&Numbers::to("first", 1)).await;
        world.until(first, |state| state.status == OperationStatus::Running).await;
        let second = world.count(&Numbers::to("second", 1)).await;
        let depth = operation_runs::queue_depth(&world.database.db).await.unwrap();
        assert_eq!((depth.running, depth.pending), (1, 1));
        let cancelled = world.runner.cancel(&world.olga, world.tenant, first).await.unwrap();
        assert_eq!(cancelled, Cancelled::Requested);
        assert_eq!(world.ended(first).await.status, OperationStatus::Aborted);
        world.gate.add_permits(10);
        assert_eq!(world.ended(second).await.status, OperationStatus::Completed);
    }

    async fn a_follow_up_that_nobody_knows_is_refused_at_once(test: TestDatabase) {
        let world = World::new(test).await;
        let mut unknown = follow_up::<Counting>(&Numbers::to("second", 1)).unwrap();
        unknown.action = "dream".to_owned();
        let refused =
            world.runner.dispatch::<Counting>(&world.olga, world.tenant, &Numbers::to("first", 1), vec![unknown]).await;
        assert!(matches!(refused, Err(CommandError::Conflict(_))), "{refused:?}");
        let depth = operation_runs::queue_depth(&world.database.db).await.unwrap();
        assert_eq!((depth.running, depth.pending), (0, 0));
    }
}

#[test]
#[should_panic(expected = "there are two operations numbers.count")]
fn no_two_operations_have_the_same_name() {
    let counting = || Counting { gate: Arc::new(Semaphore::new(0)), limits: Limits { global: 1, per_tenant: 1 } };
    let _ = Operations::default().with(counting()).with(counting());
}
