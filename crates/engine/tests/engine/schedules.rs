//! Schedules: what is due is started once, with the rights of who answers for it, and people learn when it is not.

use std::sync::Arc;
use std::time::Duration;

use tenantatlas_domain::endpoint::{EndpointKind, EventKind, Wanted};
use tenantatlas_domain::ids::{EndpointId, ScheduleId, UserId};
use tenantatlas_domain::operation::OperationStatus;
use tenantatlas_domain::role::Role;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_engine::{
    Actor, EndpointDetails, Engine, EngineConfig, EngineError, ScheduleNotice, ScheduleOptions, ScheduleSpec,
};
use tenantatlas_graph_sim::SimTenant;
use tenantatlas_store::operation_runs::{self, Claim, Filter, KindLimits, Limits, OperationRun};
use tenantatlas_store::schedules::{self, Schedule, ScheduleState};
use tenantatlas_store::tenants::AfterSync;
use tenantatlas_store::testing::{TestDatabase, on_both_engines};
use tenantatlas_store::{audit, deliveries, notifications, users};

use crate::signing_in::Hands;
use crate::support::{World, changed, graph, idle};

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;

fn nightly(operation: &str) -> ScheduleSpec {
    ScheduleSpec {
        name: "Nightly".to_owned(),
        operation: operation.to_owned(),
        options: ScheduleOptions::default(),
        cron: "30 2,14 * * *".to_owned(),
        zone: "Europe/Berlin".to_owned(),
    }
}

/// A world without workers, and a node on its database whose clock stands.
struct Planned {
    world: World,
    clock: Hands,
    node: Engine,
}

impl Planned {
    async fn new(test: TestDatabase) -> Self {
        Self::with(test, idle()).await
    }

    async fn with(test: TestDatabase, config: EngineConfig) -> Self {
        let world = World::with(test, SimTenant::new("Contoso", 7, 50), config).await;
        let nothing = AfterSync { drift: false, capture: false, audit_events: false };
        world.engine.set_after_sync(&Actor::command_line(), world.tenant, nothing).await.unwrap();
        let clock = Hands::at(Timestamp::parse_rfc3339("2026-10-24T20:00:00Z").unwrap());
        let node = Self::node_of(&world, &clock, idle());
        Self { world, clock, node }
    }

    fn node_of(world: &World, clock: &Hands, config: EngineConfig) -> Engine {
        let (db, vault) = (world.database.db.clone(), world.vault.clone());
        Engine::start_with_clock(config, db, vault, graph(), Arc::new(clock.clone()))
    }

    async fn add(&self, actor: &Actor, spec: &ScheduleSpec) -> ScheduleId {
        self.node.add_schedule(actor, self.world.tenant, spec).await.unwrap()
    }

    async fn read(&self, id: ScheduleId) -> Schedule {
        schedules::get(&self.world.database.db, self.world.tenant, id).await.unwrap().unwrap()
    }

    /// An endpoint that listens to this.
    async fn endpoint(&self, event: EventKind) -> EndpointId {
        let details = EndpointDetails {
            kind: EndpointKind::Webhook,
            name: "Hooks".to_owned(),
            address: "https://hooks.example.com/x".to_owned(),
            wanted: Wanted { events: vec![event], ..Wanted::default() },
            digest: false,
        };
        self.node.add_endpoint(&Actor::command_line(), self.world.tenant, &details).await.unwrap().id
    }

    /// What is on its way to an endpoint, newest first.
    async fn sent_to(&self, endpoint: EndpointId) -> Vec<serde_json::Value> {
        let (db, tenant) = (&self.world.database.db, self.world.tenant);
        let found = deliveries::list(db, tenant, endpoint, None, 100).await.unwrap();
        found.into_iter().map(|delivery| serde_json::from_str(&delivery.payload).unwrap()).collect()
    }

    /// The runs that schedules started, newest first.
    async fn runs(&self) -> Vec<OperationRun> {
        let filter = Filter { by_schedule: Some(true), limit: 100, ..Filter::default() };
        operation_runs::list(&self.world.database.db, &filter).await.unwrap()
    }

    /// Ends the runs that wait, as if a worker had done them.
    async fn end_all(&self, status: OperationStatus) {
        let db = &self.world.database.db;
        for run in self.runs().await.iter().filter(|run| !run.status.is_terminal()) {
            let rest = operation_runs::Rest::Skipped;
            let end = operation_runs::End { status, reason_code: None, reason: String::new(), rest };
            let mut tx = db.write().await.unwrap();
            if status == OperationStatus::Completed {
                // Nothing becomes complete that nobody worked on.
                let named = |name: &str| -> &'static str { Box::leak(name.into()) };
                let limits = Limits { global: 9, per_tenant: 9 };
                let limits = [KindLimits { resource: named(&run.resource), action: named(&run.action), limits }];
                let claim = Claim { owner: "test", lease: Duration::from_secs(60), limits: &limits };
                loop {
                    // The daily pruning waits too.
                    let claimed =
                        operation_runs::claim(&mut tx, &claim, self.node.now()).await.unwrap().expect("it waits");
                    operation_runs::finish(&mut tx, &claimed.fence().unwrap(), &end, self.node.now()).await.unwrap();
                    if claimed.id == run.id {
                        break;
                    }
                }
            } else {
                let ended = operation_runs::end_unclaimed(&mut tx, run.id, &end, self.node.now()).await.unwrap();
                ended.expect("it waited");
            }
            tx.commit().await.unwrap();
        }
    }

    async fn person(&self, role: Role) -> (Actor, UserId) {
        let root = Actor::command_line();
        let password = crate::signing_in::secret(crate::signing_in::PASSWORD);
        let email = format!("{role}@example.com");
        let id = self.node.create_user(&root, &email, "Ada", false, password).await.unwrap();
        self.node.set_member(&root, self.world.tenant, id, role).await.unwrap();
        (Actor::person(id, "Ada", email), id)
    }

    async fn told(&self, user: UserId) -> Vec<ScheduleNotice> {
        let filter = notifications::Filter { limit: 50, ..Default::default() };
        let found = notifications::list(&self.world.database.db, user, &filter).await.unwrap();
        found.iter().filter_map(ScheduleNotice::of).collect()
    }
}

on_both_engines! {
    async fn downtime_over_many_times_gives_one_run_and_a_time_that_comes_twice_one_too(test: TestDatabase) {
        let planned = Planned::new(test).await;
        let id = planned.add(&Actor::command_line(), &nightly("tenants.check")).await;
        assert_eq!(planned.node.start_due().await.unwrap(), 0, "nothing is due yet");
        // 02:30 in summer time, then 02:30 again in winter time.
        planned.clock.forward(4 * HOUR + 1_800);
        assert_eq!(planned.node.start_due().await.unwrap(), 1);
        planned.end_all(OperationStatus::Aborted).await;
        assert_eq!(planned.read(id).await.due_local.as_deref(), Some("2026-10-25T14:30"));
        planned.clock.forward(HOUR);
        assert_eq!(planned.node.start_due().await.unwrap(), 0, "the second 02:30 is the same local minute");
        planned.clock.forward(9 * DAY);
        assert_eq!(planned.node.start_due().await.unwrap(), 1, "eighteen times were missed");
        assert_eq!(planned.node.start_due().await.unwrap(), 0);
        let runs = planned.runs().await;
        assert_eq!(runs.len(), 2);
        assert!(runs.iter().all(|run| run.user_id.is_none() && run.initiator == "Schedule Nightly" && run.schedule_id == Some(id)));
        let due = planned.read(id).await.due_at.unwrap();
        assert!(due > planned.node.now(), "the next time is to come");
        let filter = audit::Filter { limit: 50, ..audit::Filter::default() };
        let entries = audit::list(&planned.world.database.db, &filter).await.unwrap();
        let entry = entries.iter().find(|entry| entry.action == "tenants.check.dispatched").expect("written down");
        assert_eq!((entry.actor_name.as_str(), entry.context["schedule"].as_str()), ("Schedule Nightly", Some(id.to_string().as_str())));
    }

    async fn of_several_nodes_one_starts_what_is_due(test: TestDatabase) {
        let planned = Planned::new(test).await;
        for operation in ["tenants.check", "drift.generate", "audit_events.read"] {
            let spec = ScheduleSpec { name: operation.to_owned(), ..nightly(operation) };
            planned.add(&Actor::command_line(), &spec).await;
        }
        let other = Planned::node_of(&planned.world, &planned.clock, idle());
        let third = Planned::node_of(&planned.world, &planned.clock, idle());
        for round in 1..=4 {
            planned.clock.forward(DAY);
            let (one, two, three) = tokio::join!(planned.node.start_due(), other.start_due(), third.start_due());
            assert_eq!(one.unwrap() + two.unwrap() + three.unwrap(), 3, "each is started by one");
            assert_eq!(planned.runs().await.len(), 3 * round);
            planned.end_all(OperationStatus::Aborted).await;
        }
    }

    async fn what_follows_a_scheduled_sync_is_of_the_schedule_too_and_success_is_noted(test: TestDatabase) {
        let planned = Planned::with(test, crate::support::quick()).await;
        let options = ScheduleOptions { selection: Some(World::some(&["mobileApp"])), capture: true, drift: true, ..ScheduleOptions::default() };
        let spec = ScheduleSpec { options, ..nightly("inventory.sync") };
        let id = planned.add(&Actor::command_line(), &spec).await;
        for expected in [&["policies.capture"][..], &["policies.capture", "drift.generate"]] {
            planned.clock.forward(DAY);
            assert_eq!(planned.node.start_due().await.unwrap(), 1);
            let mut run = planned.read(id).await.last_run_id.unwrap();
            let mut found = Vec::new();
            loop {
                planned.world.ended(run).await;
                let after = Filter { follows: Some(run), limit: 10, ..Filter::default() };
                let Some(next) = operation_runs::list(&planned.world.database.db, &after).await.unwrap().pop() else { break };
                assert_eq!((next.schedule_id, next.user_id), (Some(id), None));
                found.push(format!("{}.{}", next.resource, next.action));
                run = next.id;
            }
            assert_eq!(found, expected, "what has nothing to be compared with is not compared");
            planned.node.start_due().await.unwrap();
            let known = planned.read(id).await;
            assert!(known.settled && known.last_succeeded_at.is_some(), "{known:?}");
        }
    }

    async fn a_schedule_stops_when_its_person_may_no_more_and_goes_on_with_the_rights_of_another(test: TestDatabase) {
        let planned = Planned::new(test).await;
        let (ada, id_of_ada) = planned.person(Role::Manager).await;
        let (owner, id_of_owner) = planned.person(Role::Owner).await;
        let id = planned.add(&ada, &nightly("inventory.sync")).await;
        planned.node.set_member(&Actor::command_line(), planned.world.tenant, id_of_ada, Role::Readonly).await.unwrap();
        let endpoint = planned.endpoint(EventKind::ScheduleStopped).await;
        planned.clock.forward(DAY);
        assert_eq!(planned.node.start_due().await.unwrap(), 0);
        let known = planned.read(id).await;
        assert_eq!(known.state, ScheduleState::Stopped);
        assert!(known.stopped_because.as_deref().is_some_and(|words| words.contains("Ada") && words.contains("Resume")), "{known:?}");
        assert_eq!((planned.runs().await.len(), planned.told(id_of_ada).await.len()), (0, 0));
        let told = planned.told(id_of_owner).await;
        assert_eq!((told.len(), told[0].stopped_because.clone()), (1, known.stopped_because));
        assert_eq!(planned.node.start_due().await.unwrap(), 0, "and is told once");
        assert_eq!(planned.told(id_of_owner).await.len(), 1);
        let sent = planned.sent_to(endpoint).await;
        assert_eq!((sent.len(), &sent[0]["schedule"]["reason"]), (1, &"not_allowed".into()), "{sent:?}");
        assert!(!sent[0].to_string().contains("Ada"), "nobody is named to endpoints: {sent:?}");
        planned.node.resume_schedule(&owner, planned.world.tenant, id).await.unwrap();
        planned.clock.forward(DAY);
        assert_eq!(planned.node.start_due().await.unwrap(), 1);
    }

    async fn the_last_time_of_a_schedule_is_started_and_told_of_together_or_not_at_all(test: TestDatabase) {
        let planned = Planned::new(test).await;
        let (_, id_of_owner) = planned.person(Role::Owner).await;
        let endpoint = planned.endpoint(EventKind::ScheduleStopped).await;
        let id = planned.add(&Actor::command_line(), &nightly("tenants.check")).await;
        let database = &planned.world.database;
        // A pattern that names no time after the one that is due.
        database.execute("UPDATE schedules SET cron = '0 0 30 2 *'").await;
        planned.clock.forward(DAY);
        let stopped = async || {
            let filter = audit::Filter { action: Some("schedule.stopped".to_owned()), limit: 9, ..audit::Filter::default() };
            audit::list(&database.db, &filter).await.unwrap()
        };
        // What is told cannot be written: nothing is started, and the time stays due.
        database.execute("ALTER TABLE webhook_deliveries RENAME TO gone").await;
        assert_eq!(planned.node.start_due().await.unwrap(), 0);
        let known = planned.read(id).await;
        assert_eq!((known.state, known.due_at.is_some(), planned.runs().await.len()), (ScheduleState::Active, true, 0));
        assert!(planned.told(id_of_owner).await.is_empty() && stopped().await.is_empty());

        database.execute("ALTER TABLE gone RENAME TO webhook_deliveries").await;
        assert_eq!(planned.node.start_due().await.unwrap(), 1);
        let known = planned.read(id).await;
        assert_eq!((known.state, known.due_at, planned.runs().await.len()), (ScheduleState::Stopped, None, 1));
        let told = planned.told(id_of_owner).await;
        assert_eq!((told.len(), told[0].stopped_because.clone()), (1, known.stopped_because));
        let sent = planned.sent_to(endpoint).await;
        assert_eq!((sent.len(), &sent[0]["schedule"]["reason"]), (1, &"no_time".into()), "{sent:?}");
        let entries = stopped().await;
        assert_eq!((entries.len(), &entries[0].resource_id, entries[0].tenant_id), (1, &id.to_string(), Some(planned.world.tenant)));
        assert_eq!(entries[0].actor_name, "Schedule Nightly");
        assert_eq!(planned.node.start_due().await.unwrap(), 0, "and that was all");
        assert_eq!(planned.told(id_of_owner).await.len(), 1);
    }

    async fn a_schedule_of_a_person_who_is_removed_or_locked_out_has_nobody_s_rights(test: TestDatabase) {
        let planned = Planned::new(test).await;
        let (ada, id_of_ada) = planned.person(Role::Owner).await;
        let (bob, id_of_bob) = planned.person(Role::Manager).await;
        let of_ada = planned.add(&ada, &nightly("inventory.sync")).await;
        let of_bob = planned.add(&bob, &ScheduleSpec { name: "Weekly".to_owned(), ..nightly("drift.generate") }).await;
        let mut tx = planned.world.database.db.write().await.unwrap();
        assert!(users::remove(&mut tx, id_of_ada).await.unwrap());
        users::set_disabled(&mut tx, id_of_bob, Some(planned.node.now()), planned.node.now()).await.unwrap();
        tx.commit().await.unwrap();
        let endpoint = planned.endpoint(EventKind::ScheduleStopped).await;
        planned.clock.forward(DAY);
        assert_eq!(planned.node.start_due().await.unwrap(), 0);
        for id in [of_ada, of_bob] {
            assert_eq!(planned.read(id).await.state, ScheduleState::Stopped);
        }
        let sent = planned.sent_to(endpoint).await;
        let mut reasons: Vec<_> = sent.iter().filter_map(|one| one["schedule"]["reason"].as_str()).collect();
        reasons.sort_unstable();
        assert_eq!(reasons, ["not_allowed", "owner_removed"]);
        assert_eq!(planned.runs().await.len(), 0);
    }

    async fn overdue_is_told_once_and_again_only_after_a_success(test: TestDatabase) {
        let planned = Planned::new(test).await;
        let (owner, id_of_owner) = planned.person(Role::Owner).await;
        let id = planned.add(&owner, &ScheduleSpec { cron: "0 2 * * *".to_owned(), ..nightly("drift.generate") }).await;
        let endpoint = planned.endpoint(EventKind::ScheduleOverdue).await;
        for day in 1..=4 {
            planned.clock.forward(DAY);
            planned.node.start_due().await.unwrap();
            planned.end_all(OperationStatus::Failed).await;
            let known = planned.read(id).await;
            assert_eq!(known.is_overdue(planned.node.now()), day > 2, "day {day}");
            assert_eq!(planned.told(id_of_owner).await.len(), usize::from(day > 2), "day {day}");
            assert_eq!(planned.sent_to(endpoint).await.len(), usize::from(day > 2), "day {day}");
        }
        planned.clock.forward(DAY);
        planned.node.start_due().await.unwrap();
        planned.end_all(OperationStatus::Completed).await;
        planned.node.start_due().await.unwrap();
        let known = planned.read(id).await;
        assert!(known.last_succeeded_at.is_some() && !known.is_overdue(planned.node.now()), "{known:?}");
        planned.clock.forward(3 * DAY);
        planned.node.start_due().await.unwrap();
        assert_eq!(planned.told(id_of_owner).await.len(), 2);
        let sent = planned.sent_to(endpoint).await;
        assert_eq!(sent.len(), 2);
        assert_eq!((&sent[0]["schedule"]["name"], &sent[1]["schedule"]["last_succeeded_at"]), (&"Nightly".into(), &serde_json::Value::Null));
        assert!(sent[0]["schedule"]["last_succeeded_at"].is_string());
    }

    async fn what_is_paused_starts_nothing_and_catches_nothing_up(test: TestDatabase) {
        let planned = Planned::new(test).await;
        let (root, tenant) = (Actor::command_line(), planned.world.tenant);
        let id = planned.add(&root, &nightly("drift.generate")).await;
        planned.node.pause_schedule(&root, tenant, id).await.unwrap();
        planned.clock.forward(30 * DAY);
        assert_eq!(planned.node.start_due().await.unwrap(), 0);
        assert!(!planned.read(id).await.is_overdue(planned.node.now()));
        planned.node.resume_schedule(&root, tenant, id).await.unwrap();
        assert_eq!(planned.node.start_due().await.unwrap(), 0, "what passed meanwhile is not caught up");
        planned.clock.forward(DAY);
        assert_eq!(planned.node.start_due().await.unwrap(), 1);
        let weekly = ScheduleSpec { cron: "0 5 * * 1".to_owned(), ..nightly("drift.generate") };
        planned.node.change_schedule(&root, tenant, id, 1, &weekly).await.unwrap();
        assert_eq!(planned.read(id).await.period_ms, 7 * DAY * 1_000);
        planned.node.remove_schedule(&root, tenant, id).await.unwrap();
        let gone = planned.node.remove_schedule(&root, tenant, id).await;
        assert!(matches!(gone, Err(EngineError::NotFound("the schedule"))), "{gone:?}");
        assert_eq!(planned.runs().await.len(), 1, "its runs stay");
        let filter = audit::Filter { limit: 50, ..audit::Filter::default() };
        let entries = audit::list(&planned.world.database.db, &filter).await.unwrap();
        let done = |entries: &[audit::Entry], action: &str| {
            let of_it = |entry: &&audit::Entry| entry.action == action && entry.tenant_id == Some(tenant);
            entries.iter().filter(of_it).filter(|entry| entry.outcome == audit::Outcome::Success).count()
        };
        for action in ["added", "changed", "paused", "resumed", "removed"] {
            let action = format!("schedule.{action}");
            assert_eq!(done(&entries, &action), 1, "{action}");
        }
    }

    async fn of_two_who_change_a_schedule_at_once_the_second_is_told_and_the_log_tells_what_it_was(test: TestDatabase) {
        let planned = Planned::new(test).await;
        let (manager, _) = planned.person(Role::Manager).await;
        let (root, tenant) = (Actor::command_line(), planned.world.tenant);
        let id = planned.add(&root, &nightly("tenants.check")).await;
        planned.clock.forward(DAY);
        assert_eq!(planned.node.start_due().await.unwrap(), 1);
        let before = planned.read(id).await;
        assert_eq!(before.revision, 1, "that it started something is no change of it");
        let weekly = ScheduleSpec { name: "Weekly".to_owned(), cron: "0 5 * * 1".to_owned(), ..nightly("drift.generate") };
        let daily = ScheduleSpec { cron: "0 6 * * *".to_owned(), ..nightly("tenants.check") };
        let (one, two) = tokio::join!(
            planned.node.change_schedule(&manager, tenant, id, before.revision, &weekly),
            planned.node.change_schedule(&root, tenant, id, before.revision, &daily),
        );
        let (kept, refused) = if one.is_ok() { (&weekly, two) } else { (&daily, one) };
        assert!(matches!(&refused, Err(EngineError::Conflict(words)) if words.contains("load it again")), "{refused:?}");
        let known = planned.read(id).await;
        assert_eq!((known.revision, &known.cron, known.last_run_id), (2, &kept.cron, before.last_run_id));
        assert!(!planned.runs().await[0].status.is_terminal(), "what is under way stays as it was started");
        planned.node.change_schedule(&manager, tenant, id, 2, &weekly).await.unwrap();
        assert_eq!(planned.read(id).await.creator, "Ada", "whoever changes it answers for it");
        let filter = audit::Filter { limit: 50, ..audit::Filter::default() };
        let entries = audit::list(&planned.world.database.db, &filter).await.unwrap();
        let changes: Vec<_> = entries.iter().filter(|entry| entry.action == "schedule.changed").collect();
        let outcomes: Vec<_> = changes.iter().map(|entry| entry.outcome).collect();
        assert_eq!(outcomes.iter().filter(|outcome| **outcome == audit::Outcome::Failure).count(), 1, "{outcomes:?}");
        let last = changes.iter().find(|entry| entry.outcome == audit::Outcome::Success).unwrap();
        assert_eq!(last.context["before"]["cron"], kept.cron.as_str(), "{}", last.context);
        assert_eq!((&last.context["after"]["cron"], &last.context["after"]["operation"]), (&"0 5 * * 1".into(), &"drift.generate".into()));
        // By the same rules as adding.
        let never = ScheduleSpec { cron: "0 0 31 2 *".to_owned(), ..weekly.clone() };
        let refused = planned.node.change_schedule(&manager, tenant, id, 3, &never).await;
        assert!(matches!(refused, Err(EngineError::Invalid { field: "cron", .. })), "{refused:?}");
        let refused = planned.node.change_schedule(&manager, tenant, id, 3, &nightly("retention.prune")).await;
        assert!(matches!(refused, Err(EngineError::Invalid { field: "operation", .. })), "{refused:?}");
        planned.add(&root, &nightly("tenants.check")).await;
        let refused = planned.node.change_schedule(&manager, tenant, id, 3, &nightly("drift.generate")).await;
        assert!(matches!(refused, Err(EngineError::Conflict(_))), "the name is taken: {refused:?}");
        planned.node.pause_schedule(&root, tenant, id).await.unwrap();
        planned.node.change_schedule(&manager, tenant, id, 3, &weekly).await.unwrap();
        assert_eq!(planned.read(id).await.state, ScheduleState::Paused, "what is paused stays so");
    }

    async fn the_same_work_is_not_started_twice_and_a_full_queue_is_tried_again(test: TestDatabase) {
        let config = changed(|config| { config.runs.workers = 0; config.runs.waiting_per_tenant = 1; });
        let planned = Planned::with(test, config.clone()).await;
        let node = Planned::node_of(&planned.world, &planned.clock, config);
        let id = planned.add(&Actor::command_line(), &nightly("tenants.check")).await;
        let running = node.check_tenant(&Actor::command_line(), planned.world.tenant, false).await.unwrap();
        planned.clock.forward(DAY);
        assert_eq!(node.start_due().await.unwrap(), 1);
        let known = planned.read(id).await;
        assert_eq!((known.last_run_id, planned.runs().await.len()), (Some(running.state.id), 0));
        assert!(known.trouble.is_some_and(|words| words.contains("under way")));
        let weekly = ScheduleSpec { name: "Weekly".to_owned(), ..nightly("drift.generate") };
        let other = planned.add(&Actor::command_line(), &weekly).await;
        planned.clock.forward(DAY);
        let before = planned.read(other).await.due_local;
        node.start_due().await.unwrap();
        let known = planned.read(other).await;
        assert!(known.trouble.is_some_and(|words| words.contains("waiting")), "it is put off");
        assert_eq!((known.due_local, known.last_run_id), (before, None), "and not forgotten");
        node.runs().cancel(&Actor::command_line(), planned.world.tenant, running.state.id).await.unwrap();
        planned.clock.forward(301);
        node.start_due().await.unwrap();
        assert!(planned.read(other).await.last_run_id.is_some() || planned.read(id).await.last_run_id != Some(running.state.id));
    }

    async fn what_cannot_be_a_schedule_is_refused_with_the_field_at_fault(test: TestDatabase) {
        let planned = Planned::new(test).await;
        let (manager, _) = planned.person(Role::Manager).await;
        let (reader, _) = planned.person(Role::Operator).await;
        let tenant = planned.world.tenant;
        let refused = async |spec: ScheduleSpec| match planned.node.add_schedule(&manager, tenant, &spec).await {
            Err(EngineError::Invalid { field, .. }) => field.to_owned(),
            other => format!("{other:?}"),
        };
        let sync = || nightly("inventory.sync");
        assert_eq!(refused(ScheduleSpec { cron: "0 0 31 2 *".to_owned(), ..sync() }).await, "cron");
        assert_eq!(refused(ScheduleSpec { zone: "Europe/Atlantis".to_owned(), ..sync() }).await, "zone");
        assert_eq!(refused(ScheduleSpec { name: "a\u{202e}b".to_owned(), ..sync() }).await, "name");
        assert_eq!(refused(nightly("inventory.delete")).await, "operation");
        assert_eq!(refused(nightly("retention.prune")).await, "operation", "a manager may not start it");
        let options = ScheduleOptions { drift: true, ..ScheduleOptions::default() };
        assert_eq!(refused(ScheduleSpec { options, ..nightly("policies.capture") }).await, "options");
        let options = ScheduleOptions { selection: Some(World::some(&["wishful"])), ..ScheduleOptions::default() };
        assert_eq!(refused(ScheduleSpec { options, ..sync() }).await, "types");
        planned.add(&manager, &sync()).await;
        let twice = planned.node.add_schedule(&manager, tenant, &ScheduleSpec { name: "NIGHTLY".to_owned(), ..sync() }).await;
        assert!(matches!(twice, Err(EngineError::Conflict(_))), "{twice:?}");
        let below = planned.node.add_schedule(&reader, tenant, &sync()).await;
        assert!(matches!(below, Err(EngineError::Forbidden)), "{below:?}");
        let elsewhere = planned.node.add_schedule_to_many(&manager, &[tenant, uuid::Uuid::nil().into()], &ScheduleSpec { name: "Many".to_owned(), ..sync() }, 60).await.unwrap();
        assert_eq!((elsewhere.added.len(), elsewhere.refused.len()), (1, 1));
        let known = planned.read(elsewhere.added[0].1).await;
        assert!(known.group_id.is_some() && known.offset_ms < 3_600_000 && known.spread_minutes == 60);
        let too_wide = planned.node.add_schedule_to_many(&manager, &[tenant], &sync(), 721).await;
        assert!(matches!(too_wide, Err(EngineError::Invalid { field: "spread", .. })), "{too_wide:?}");
    }
}
