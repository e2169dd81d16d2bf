//! What has ended is deleted when it is older than it is kept, and nothing else.

use std::sync::Arc;

use tenantatlas_domain::endpoint::{EndpointKind, EventKind, Wanted};
use tenantatlas_domain::ids::{NotificationId, OperationRunId};
use tenantatlas_domain::operation::OperationStatus;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_engine::{Actor, Clock as _, EndpointDetails, Engine, EngineError};
use tenantatlas_store::deliveries::{self, Event};
use tenantatlas_store::inventory::StateFilter;
use tenantatlas_store::notifications::{self, NewNotification};
use tenantatlas_store::operation_runs::{self, End, Filter, Rest};
use tenantatlas_store::retention::Retention;
use tenantatlas_store::tenants::AfterSync;
use tenantatlas_store::testing::on_both_engines;
use tenantatlas_store::{audit, retention, sync_runs};

use crate::signing_in::{Hands, PASSWORD, secret};
use crate::support::{World, graph, idle, quick};

const DAY: i64 = 24 * 3_600;

fn days_ago(world: &World, days: i64) -> Timestamp {
    Timestamp::from_millis(world.engine.now().as_millis() - days * DAY * 1_000)
}

/// A run that was dispatched so many days ago, and ended then if it did.
async fn dispatched_ago(world: &World, days: i64, ended: bool) -> OperationRunId {
    let at = days_ago(world, days);
    // No operation of this name is worked on.
    let mut new = world.raw_run("nothing", "known", 1);
    new.idempotency_key = new.id.to_string();
    let mut tx = world.database.db.write().await.unwrap();
    operation_runs::create(&mut tx, &new, at).await.unwrap();
    if ended {
        let end =
            End { status: OperationStatus::Aborted, reason_code: None, reason: String::new(), rest: Rest::Skipped };
        operation_runs::end_unclaimed(&mut tx, new.id, &end, at).await.unwrap().expect("it waited");
    }
    tx.commit().await.unwrap();
    new.id
}

on_both_engines! {
    async fn what_is_older_than_it_is_kept_goes_and_the_rest_stays(test: TestDatabase) {
        let world = World::with(test, tenantatlas_graph_sim::SimTenant::new("Contoso", 7, 50), idle()).await;
        let (engine, db, root) = (&world.engine, &world.database.db, Actor::command_line());
        let user = engine.create_user(&root, "ada@example.com", "Ada", false, secret(PASSWORD)).await.unwrap();
        engine.set_member(&root, world.tenant, user, tenantatlas_domain::role::Role::Owner).await.unwrap();
        let kept = Retention { run_days: 30, notification_days: 10, version_days: 365, delivery_days: 30 };
        engine.set_retention(&root, kept).await.unwrap();
        assert_eq!(retention::get(db).await.unwrap(), kept);
        let mut old = Vec::new();
        for _ in 0..350 {
            old.push(dispatched_ago(&world, 31, true).await);
        }
        let (young, active) = (dispatched_ago(&world, 29, true).await, dispatched_ago(&world, 300, false).await);
        for (days, tenant) in [(11, Some(world.tenant)), (9, Some(world.tenant)), (11, None)] {
            let new = NewNotification {
                id: NotificationId::from_uuid(uuid::Uuid::now_v7()),
                user_id: user,
                tenant_id: tenant,
                kind: "operation.ended".to_owned(),
                operation_run_id: None,
                payload: serde_json::json!({ "days": days }),
                read: false,
            };
            let mut tx = db.write().await.unwrap();
            notifications::create(&mut tx, &new, days_ago(&world, days)).await.unwrap();
            tx.commit().await.unwrap();
        }
        let entries = audit::list(db, &audit::Filter { limit: 500, ..audit::Filter::default() }).await.unwrap().len();
        let worker = Engine::start(quick(), db.clone(), world.vault.clone(), graph());
        let pruning = worker.prune_tenant(&root, world.tenant).await.unwrap();
        let state = world.ended(pruning.state.id).await;
        assert_eq!(state.status, OperationStatus::Completed, "{state:?}");
        let left = Filter { tenant_id: Some(world.tenant), limit: 500, ..Filter::default() };
        let left: Vec<_> = operation_runs::list(db, &left).await.unwrap().into_iter().map(|run| run.id).collect();
        assert!(left.contains(&young) && left.contains(&active) && !left.iter().any(|run| old.contains(run)), "{}", left.len());
        let filter = notifications::Filter { limit: 50, ..Default::default() };
        let told = notifications::list(db, user, &filter).await.unwrap();
        let days: Vec<_> = told.iter().filter(|one| one.tenant_id.is_some()).map(|one| one.payload["days"].clone()).collect();
        assert_eq!(days, [9]);
        let now = audit::list(db, &audit::Filter { limit: 500, ..audit::Filter::default() }).await.unwrap().len();
        assert!(now > entries, "the audit log is kept");
        let id = Some(pruning.state.id.to_string());
        let filter = audit::Filter { resource_id: id, action: Some("retention.prune.completed".to_owned()), limit: 1, ..audit::Filter::default() };
        let ended = audit::list(db, &filter).await.unwrap().remove(0);
        let removed = &ended.context["removed"];
        assert!(removed["runs"].as_u64().is_some_and(|runs| runs >= 350) && removed["notifications"] == 1, "{}", ended.context);
        worker.shutdown().await;
    }

    async fn sync_runs_go_when_nothing_stands_on_them_and_the_inventory_tells_the_same_as_before(test: TestDatabase) {
        let world = World::new(test, 300).await;
        let db = &world.database.db;
        let nothing = AfterSync { drift: false, capture: false, audit_events: false };
        world.engine.set_after_sync(&Actor::command_line(), world.tenant, nothing).await.unwrap();
        let mut runs = Vec::new();
        for round in 0..8 {
            // What is deleted between the first and the second was last seen by the first.
            if round == 1 {
                world.simulator.control().evolve(&world.simulated.tenant_id, 1);
            }
            runs.push(world.sync(&World::everything()).await.run.id);
            if round == 3 {
                let compared = world.engine.dispatch_drift(&Actor::command_line(), world.tenant, None, None).await.unwrap();
                world.ended(compared.state.id).await;
            }
        }
        let other = world.sync(&World::some(&["mobileApp"])).await.run.id;
        let (known, missing) = (world.items(None).await, world.items(Some(StateFilter::Missing)).await);
        assert!(missing.iter().any(|row| row.item.last_seen_run_id == Some(runs[0])), "{}", missing.len());
        let left = async || {
            let filter = sync_runs::Filter { limit: 200, ..sync_runs::Filter::default() };
            let mut left: Vec<_> = sync_runs::list(db, world.tenant, &filter).await.unwrap().into_iter().map(|run| run.id).collect();
            left.reverse();
            left
        };
        let clock = Hands::at(world.engine.now());
        clock.forward(181 * 24 * 3_600);
        world.engine.shutdown().await;
        let pruned = async |clock: &Hands| {
            let worker = Engine::start_with_clock(quick(), db.clone(), world.vault.clone(), graph(), Arc::new(clock.clone()));
            let pruning = worker.prune_tenant(&Actor::command_line(), world.tenant).await.unwrap();
            let state = world.ended(pruning.state.id).await;
            assert_eq!(state.status, OperationStatus::Completed, "{state:?}");
            worker.shutdown().await;
            let id = Some(pruning.state.id.to_string());
            let action = Some("retention.prune.completed".to_owned());
            let filter = audit::Filter { resource_id: id, action, limit: 1, ..audit::Filter::default() };
            audit::list(db, &filter).await.unwrap().remove(0).context["removed"]["syncs"].as_u64()
        };
        // The second compared run is cited by what was found then, and so is the first; the last two are what "missing" stands on.
        let count = pruned(&clock).await;
        let now = left().await;
        for kept in [runs[0], runs[1], runs[6], runs[7], other] {
            assert!(now.contains(&kept), "{runs:?} {now:?}");
        }
        for gone in [runs[4], runs[5]] {
            assert!(!now.contains(&gone), "{runs:?} {now:?}");
        }
        assert_eq!(count, Some((runs.len() + 1 - now.len()) as u64));
        assert_eq!(world.items(None).await, known, "the inventory tells the same");
        assert_eq!(world.items(Some(StateFilter::Missing)).await, missing);
        assert_eq!(pruned(&clock).await, Some(0), "what stays once stays");
    }

    async fn messages_to_endpoints_go_on_the_chosen_day_and_those_that_still_wait_stay(test: TestDatabase) {
        let world = World::with(test, tenantatlas_graph_sim::SimTenant::new("Contoso", 7, 50), idle()).await;
        let (engine, db, root) = (&world.engine, &world.database.db, Actor::command_line());
        let details = EndpointDetails {
            kind: EndpointKind::Webhook,
            name: "Hooks".to_owned(),
            address: "https://hooks.example.com/x".to_owned(),
            wanted: Wanted { events: vec![EventKind::ScheduleStopped], ..Wanted::default() },
            digest: false,
        };
        let endpoint = engine.add_endpoint(&root, world.tenant, &details).await.unwrap().id;
        engine.set_retention(&root, Retention { delivery_days: 7, ..Retention::default() }).await.unwrap();
        // By a clock that stands: to the millisecond.
        let clock = Hands::at(world.engine.now());
        let seven_days_ago = clock.now().as_millis() - 7 * DAY * 1_000;
        let mut tx = db.write().await.unwrap();
        for (age, ends) in [(-1, "delivered"), (-1, "failed"), (-1, "waiting"), (0, "delivered"), (0, "failed"), (1, "waiting")] {
            let payload = serde_json::json!({ "age": age, "ends": ends }).to_string();
            let event = Event { kind: EventKind::ScheduleStopped, run_id: None, run: None, payload };
            let at = Timestamp::from_millis(seven_days_ago + age);
            assert_eq!(deliveries::enqueue(&mut tx, world.tenant, &event, at).await.unwrap(), 1);
        }
        tx.commit().await.unwrap();
        for ends in ["delivered", "failed"] {
            let text = format!("UPDATE webhook_deliveries SET status = '{ends}', ended_at = {seven_days_ago} WHERE payload LIKE '%{ends}%'");
            world.database.execute(&text).await;
        }
        // What waits is not sent meanwhile.
        let later = clock.now().as_millis() + DAY * 1_000;
        world.database.execute(&format!("UPDATE webhook_deliveries SET next_at = {later} WHERE status = 'waiting'")).await;
        let left = async || {
            let found = deliveries::list(db, world.tenant, endpoint, None, 100).await.unwrap();
            let mut left: Vec<String> = found.into_iter().map(|delivery| delivery.payload).collect();
            left.sort();
            left
        };
        assert_eq!(left().await.len(), 6);
        let worker = Engine::start_with_clock(quick(), db.clone(), world.vault.clone(), graph(), Arc::new(clock.clone()));
        let tidied = async {
            while left().await.iter().any(|payload| payload.contains("-1") && !payload.contains("waiting")) {
                tokio::task::yield_now().await;
            }
        };
        crate::support::soon(tidied).await;
        // When it has stopped it has come to its end.
        worker.shutdown().await;
        let expected = [r#"{"age":-1,"ends":"waiting"}"#, r#"{"age":0,"ends":"delivered"}"#, r#"{"age":0,"ends":"failed"}"#, r#"{"age":1,"ends":"waiting"}"#];
        assert_eq!(left().await, expected);
    }

    async fn each_tenant_is_pruned_once_a_day_by_one_of_several_nodes(test: TestDatabase) {
        let world = World::with(test, tenantatlas_graph_sim::SimTenant::new("Contoso", 7, 50), idle()).await;
        let clock = Hands::at(world.engine.now());
        let node = || Engine::start_with_clock(idle(), world.database.db.clone(), world.vault.clone(), graph(), Arc::new(clock.clone()));
        let (one, two) = (node(), node());
        one.start_due().await.unwrap();
        let pruned = async || {
            let filter = Filter { operation: Some(("retention".to_owned(), "prune".to_owned())), limit: 50, ..Filter::default() };
            operation_runs::list(&world.database.db, &filter).await.unwrap()
        };
        for days in [1, 1, 5] {
            let before = pruned().await.len();
            clock.forward(days * DAY);
            let (first, second) = tokio::join!(one.start_due(), two.start_due());
            first.unwrap();
            second.unwrap();
            let runs = pruned().await;
            assert_eq!(runs.len(), before + 1, "one for all days that were missed");
            one.runs().cancel(&Actor::command_line(), world.tenant, runs[0].id).await.unwrap();
        }
        assert!(pruned().await.iter().all(|run| run.user_id.is_none() && run.schedule_id.is_none()));
    }

    async fn how_long_is_kept_is_for_administrators_and_within_bounds(test: TestDatabase) {
        let world = World::with(test, tenantatlas_graph_sim::SimTenant::new("Contoso", 7, 50), idle()).await;
        let (engine, root) = (&world.engine, Actor::command_line());
        let user = engine.create_user(&root, "ada@example.com", "Ada", false, secret(PASSWORD)).await.unwrap();
        engine.set_member(&root, world.tenant, user, tenantatlas_domain::role::Role::Owner).await.unwrap();
        let ada = Actor::person(user, "Ada", "ada@example.com");
        let refused = engine.set_retention(&ada, Retention { run_days: 1, ..Retention::default() }).await;
        assert!(matches!(refused, Err(EngineError::Forbidden)), "{refused:?}");
        for (wanted, field) in [
            (Retention { run_days: 0, ..Retention::default() }, "runs"),
            (Retention { version_days: 3_651, ..Retention::default() }, "versions"),
            (Retention { delivery_days: 0, ..Retention::default() }, "deliveries"),
        ] {
            let refused = engine.set_retention(&root, wanted).await;
            assert!(matches!(&refused, Err(EngineError::Invalid { field: at, .. }) if *at == field), "{refused:?}");
        }
        let db = &world.database.db;
        assert_eq!(retention::get(db).await.unwrap(), Retention::default());
        engine.set_retention(&root, Retention { delivery_days: 7, ..Retention::default() }).await.unwrap();
        let filter = audit::Filter { action: Some("retention.changed".to_owned()), limit: 1, ..audit::Filter::default() };
        let entry = audit::list(db, &filter).await.unwrap().remove(0);
        assert_eq!((&entry.context["before"]["delivery_days"], &entry.context["delivery_days"]), (&30.into(), &7.into()));
    }
}
