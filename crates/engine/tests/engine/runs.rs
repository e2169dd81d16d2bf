//! Runs: dispatched once, held by lease, resumed, cancelled, tried again.

use std::collections::BTreeMap;
use std::time::Duration;

use secrecy::SecretString;
use tenantatlas_commands::CommandError;
use tenantatlas_domain::ids::UserId;
use tenantatlas_domain::live::{LiveEvent, RunState};
use tenantatlas_domain::news::News;
use tenantatlas_domain::operation::{FailureKind, OperationStatus};
use tenantatlas_domain::reason::ReasonCode;
use tenantatlas_domain::role::Role;
use tenantatlas_domain::sync::{SyncRunStatus, TypeOutcome};
use tenantatlas_domain::time::Timestamp;
use tenantatlas_engine::{Actor, Cancelled, Engine, RetryPart, RunNotice, Subscription};
use tenantatlas_graph_sim::{Fault, FaultKind, SimTenant};
use tenantatlas_runs::RUN_ENDED;
use tenantatlas_store::audit::{self, Verification};
use tenantatlas_store::inventory::{ScopeView, StateFilter};
use tenantatlas_store::sync_runs::TypeRun;
use tenantatlas_store::testing::on_both_engines;
use tenantatlas_store::{Db, notifications, operation_runs, sync_runs};

use crate::support::{HELD_LISTING, PATIENCE, World, changed, graph, idle, quick, soon};

const PASSWORD: &str = "correct horse battery";

async fn person(world: &World, name: &str, role: Role) -> (UserId, Actor) {
    let email = format!("{name}@example.com");
    let root = Actor::command_line();
    let user = world.engine.create_user(&root, &email, name, false, SecretString::from(PASSWORD)).await.unwrap();
    world.engine.set_member(&root, world.tenant, user, role).await.unwrap();
    (user, Actor::person(user, name, email))
}

/// Limits under which every run has a place.
fn limits() -> [operation_runs::KindLimits; 1] {
    let limits = operation_runs::Limits { global: 10, per_tenant: 10 };
    [operation_runs::KindLimits { resource: "inventory", action: "sync", limits }]
}

/// Waits until the newest state of a run that is told is like this.
async fn newest(events: &mut Subscription, reached: impl Fn(&RunState) -> bool) {
    let told = async {
        loop {
            let news = events.next().await;
            if news.iter().any(|one| matches!(&one.event, LiveEvent::Run(state) if reached(state))) {
                return;
            }
        }
    };
    soon(told).await;
}

on_both_engines! {
    async fn two_dispatches_at_the_same_moment_make_one_run(test: TestDatabase) {
        let world = World::with(test, SimTenant::new("Contoso", 7, 50), idle()).await;
        let actor = Actor::command_line();
        let selection = World::everything();
        let dispatches = (0..8).map(|_| world.engine.dispatch_sync(&actor, world.tenant, &selection));
        let outcomes: Vec<_> = futures::future::join_all(dispatches).await.into_iter().map(Result::unwrap).collect();
        assert_eq!(outcomes.iter().filter(|outcome| !outcome.already_running).count(), 1);
        assert!(outcomes.iter().all(|outcome| outcome.run_id == outcomes[0].run_id));
        let filter = audit::Filter { action: Some("inventory.sync.dispatched".to_owned()), limit: 10, ..Default::default() };
        assert_eq!(audit::list(&world.database.db, &filter).await.unwrap().len(), 1);
    }

    async fn a_run_tells_its_person_and_the_audit(test: TestDatabase) {
        let world = World::new(test, 200).await;
        let (user, actor) = person(&world, "Olga", Role::Operator).await;
        let mut events = world.engine.runs().subscribe(world.tenant);
        let mut mine = world.engine.runs().subscribe_user(user);
        let run = world.engine.dispatch_sync(&actor, world.tenant, &World::everything()).await.unwrap().run_id;
        world.ended(run).await;
        let mut last = None;
        let mut processed = 0;
        let mut unread = 0;
        while last != Some(OperationStatus::Completed) || unread < 1 {
            let news = soon(async {
                tokio::select! {
                    news = events.next() => news,
                    news = mine.next() => news,
                }
            })
            .await;
            for published in news {
                match &published.event {
                    LiveEvent::Run(state) => {
                        assert!(state.counters.processed >= processed);
                        processed = state.counters.processed;
                        last = Some(state.status);
                    }
                    LiveEvent::Unread(newest) => unread = newest.count,
                    LiveEvent::Snapshot(_) | LiveEvent::Heartbeat => {}
                }
            }
        }
        let db = &world.database.db;
        let filter = notifications::Filter { limit: 10, ..Default::default() };
        let told = notifications::list(db, user, &filter).await.unwrap();
        let kinds: Vec<_> = told.iter().map(|one| one.kind.as_str()).collect();
        assert_eq!(kinds, [RUN_ENDED], "that it was queued is not told beside its end");
        let notice: RunNotice = serde_json::from_value(told[0].payload.clone()).unwrap();
        assert_eq!((notice.run_id, notice.status), (run, OperationStatus::Completed));
        assert_eq!(notice.tenant_name, "Contoso");
        assert!(notice.facts["items_observed"].as_u64().unwrap() > 100);
        let filter = audit::Filter { resource_id: Some(run.to_string()), limit: 10, ..Default::default() };
        let entries = audit::list(db, &filter).await.unwrap();
        let actions: Vec<_> = entries.iter().map(|entry| entry.action.as_str()).collect();
        assert_eq!(actions, ["inventory.sync.completed", "inventory.sync.dispatched"]);
        assert!(entries.iter().all(|entry| entry.actor_id == Some(user) && entry.actor_email == "Olga@example.com"));
        assert!(matches!(audit::verify(db, &world.vault).await.unwrap(), Verification::Intact { .. }));
        assert_eq!(world.engine.runs().snapshot(None, user).await.unwrap().unread, 1, "only its end is unread");
        world.engine.runs().mark_all_read(user, None).await.unwrap();
        assert_eq!(world.engine.runs().snapshot(None, user).await.unwrap().unread, 0);
    }

    async fn a_run_is_called_by_what_it_reads_and_tells_what_it_found(test: TestDatabase) {
        let world = World::new(test, 1_500).await;
        let first = world.sync(&World::everything()).await;
        let items = first.run.items_observed_count;
        assert!(items > 1_000);
        assert_eq!(first.operation.news, Some(News { first_read: items, ..News::default() }), "a first read is no change");
        let evolution = world.simulator.control().evolve(&world.simulated.tenant_id, 1).remove(0);
        let count = |all: &BTreeMap<String, Vec<String>>| all.values().map(Vec::len).sum::<usize>() as u64;
        let (missing, new) = (count(&evolution.deleted), count(&evolution.added));
        let changed = [&evolution.edited, &evolution.renamed, &evolution.reassigned].map(count).into_iter().sum::<u64>();
        assert!(missing > 0 && new > 0 && changed > 0);
        let second = world.sync(&World::everything()).await.operation.news.expect("news");
        assert_eq!((second.missing, second.newly_missing, second.unsure), (missing, missing, false));
        assert_eq!((second.new, second.changed, second.first_read), (new, changed, 0));
        let third = world.sync(&World::everything()).await.operation;
        assert_eq!(third.news, Some(News { missing, ..News::default() }), "what was missing before is no news");
        assert_eq!(tenantatlas_engine::run_words(&third).name, "Everything");
        assert_eq!(third.tenant_name, "Contoso");
    }

    async fn a_cancelled_run_is_aborted_and_reads_no_more(test: TestDatabase) {
        let world = World::new(test, 2_000).await;
        let run = world.dispatch_and_hold().await;
        let actor = Actor::command_line();
        assert_eq!(world.engine.runs().cancel(&actor, world.tenant, run).await.unwrap(), Cancelled::Requested);
        let state = world.ended(run).await;
        assert_eq!(state.status, OperationStatus::Aborted);
        assert_eq!(state.reason_code, Some(ReasonCode::Cancelled));
        assert_eq!(state.counters.processed, state.counters.total);
        let result = world.result(run).await;
        assert_eq!(result.run.status, SyncRunStatus::Failed);
        assert!(result.run.error_codes.contains(&ReasonCode::Cancelled));
        assert_eq!(world.engine.runs().cancel(&actor, world.tenant, run).await.unwrap(), Cancelled::AlreadyEnded);
        let again = world.engine.runs().retry(&actor, world.tenant, run, RetryPart::Whole).await.unwrap();
        world.release();
        assert_eq!(world.ended(again.state.id).await.status, OperationStatus::Completed);
    }

    async fn only_what_failed_is_tried_again(test: TestDatabase) {
        let world = World::new(test, 300).await;
        let fault = Fault::always("deviceManagement/intents", FaultKind::Forbidden);
        world.simulator.control().set_faults(vec![fault]);
        let first = world.sync(&World::everything()).await;
        assert_eq!(first.operation.status, OperationStatus::CompletedWithErrors);
        assert_eq!(first.operation.failures.iter().filter(|one| one.kind == FailureKind::Failed).count(), 1);
        world.simulator.control().set_faults(Vec::new());
        let actor = Actor::command_line();
        let before = world.items(Some(StateFilter::NotRead)).await.len();
        assert_eq!(before, 0, "nothing was known of the type");
        let again = world.engine.runs().retry(&actor, world.tenant, first.operation.id, RetryPart::Failed).await.unwrap();
        assert_eq!(again.state.counters.total, 1);
        assert!(again.state.words.name.starts_with("Retry of "), "{}", again.state.words.name);
        world.ended(again.state.id).await;
        let second = world.result(again.state.id).await;
        assert_eq!(second.read(), ["endpointSecurityIntent"]);
        assert_eq!(second.operation.retry_of, Some(first.operation.id));
        assert_eq!((second.run.continues, second.run.scope_id), (Some(first.run.id), first.run.scope_id));
        let nothing = world.engine.runs().retry(&actor, world.tenant, again.state.id, RetryPart::Failed).await;
        assert!(matches!(nothing, Err(CommandError::Conflict(_))), "{nothing:?}");
        let nothing = world.engine.runs().retry(&actor, world.tenant, first.operation.id, RetryPart::Failed).await;
        assert!(matches!(nothing, Err(CommandError::Conflict(_))), "it was read meanwhile: {nothing:?}");
    }

    async fn an_outage_that_a_retry_healed_is_healed_in_the_view_of_the_whole_run(test: TestDatabase) {
        let world = World::new(test, 300).await;
        let everything = world.sync(&World::everything()).await;
        let fault = Fault::always("deviceManagement/intents", FaultKind::Forbidden);
        world.simulator.control().set_faults(vec![fault]);
        let outage = world.sync(&World::everything()).await;
        assert_eq!(outage.run.status, SyncRunStatus::Partial);
        assert!(!world.items(Some(StateFilter::NotRead)).await.is_empty());
        world.simulator.control().set_faults(Vec::new());
        let actor = Actor::command_line();
        let again = world.engine.runs().retry(&actor, world.tenant, outage.operation.id, RetryPart::Failed).await.unwrap();
        world.ended(again.state.id).await;
        let healed = world.result(again.state.id).await;
        assert_eq!((healed.run.status, healed.run.had_errors), (SyncRunStatus::Success, false));
        assert_eq!(healed.types.len(), everything.types.len());
        assert!(healed.run.items_observed_count < everything.run.items_observed_count, "it counts what it read itself");
        let db = &world.database.db;
        let view = ScopeView::load(db, world.tenant, None).await.unwrap();
        let counts = view.counts(&[]);
        assert_eq!(view.run.as_ref().map(|run| run.id), Some(healed.run.id));
        assert_eq!((counts.types_read, counts.not_read), (counts.types_selected, 0));
        assert_eq!(counts.present, everything.run.items_observed_count);
        assert!(world.items(Some(StateFilter::NotRead)).await.is_empty());
        assert_eq!(world.items(Some(StateFilter::Present)).await.len() as u64, counts.present);
    }

    async fn a_cancelled_run_hides_no_complete_one_and_goes_on_where_it_stopped(test: TestDatabase) {
        let world = World::new(test, 2_000).await;
        let everything = world.sync(&World::everything()).await;
        let run = world.dispatch_and_hold().await;
        let actor = Actor::command_line();
        world.engine.runs().cancel(&actor, world.tenant, run).await.unwrap();
        world.ended(run).await;
        world.release();
        let db = &world.database.db;
        let view = ScopeView::load(db, world.tenant, None).await.unwrap();
        assert_eq!(view.run.as_ref().map(|run| run.id), Some(everything.run.id));
        assert_eq!(view.counts(&[]).not_read, 0);
        let cancelled = world.result(run).await;
        assert_eq!(cancelled.run.stopped, Some(ReasonCode::Cancelled));
        let again = world.engine.runs().retry(&actor, world.tenant, run, RetryPart::Failed).await.unwrap();
        world.ended(again.state.id).await;
        let rest = world.result(again.state.id).await;
        assert_eq!(rest.run.status, SyncRunStatus::Success, "{:?}", rest.troubles());
        assert_eq!(rest.types.len(), everything.types.len());
        let read = |one: &TypeRun| one.outcome.is_some_and(|outcome| outcome != TypeOutcome::Failed);
        let read_before = cancelled.types.values().filter(|one| read(one)).count();
        assert!(read_before > 0);
        assert_eq!(rest.read().len(), everything.types.len() - read_before);
        let view = ScopeView::load(db, world.tenant, None).await.unwrap();
        assert_eq!(view.run.as_ref().map(|run| run.id), Some(rest.run.id));
    }

    async fn a_run_given_back_at_shutdown_is_finished_by_another_process(test: TestDatabase) {
        let world = World::new(test, 3_000).await;
        let run = world.dispatch_and_hold().await;
        assert!(world.engine.shutdown().await);
        let db = &world.database.db;
        let between = operation_runs::get(db, world.tenant, run).await.unwrap().unwrap();
        assert_eq!(between.status, OperationStatus::Running);
        assert_eq!(between.lease_owner, None);
        assert!(between.counters.processed > 0, "some types were read: {:?}", between.counters);
        world.release();
        let other = Engine::start(quick(), db.clone(), world.vault.clone(), graph());
        let state = world.ended(run).await;
        assert_eq!(state.status, OperationStatus::Completed);
        assert_eq!(state.attempt, 2);
        let result = world.result(run).await;
        assert_eq!(result.run.items_observed_count as usize, world.expected().values().map(std::collections::BTreeSet::len).sum::<usize>());
        assert_eq!(result.troubles(), Vec::<String>::new());
        assert_eq!(result.operation.lost_leases, 0);
        other.shutdown().await;
    }

    async fn a_run_whose_process_died_is_finished_by_another(test: TestDatabase) {
        let world = World::with(test, SimTenant::new("Contoso", 7, 3_000), idle()).await;
        world.simulator.control().hold(HELD_LISTING);
        let run = world.dispatch(&World::everything()).await;
        let (pull_the_plug, plug) = tokio::sync::oneshot::channel::<()>();
        let (address, vault) = (world.database.address.clone(), world.vault.clone());
        let doomed = std::thread::spawn(move || {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            runtime.block_on(async {
                let db = Db::connect(&address).await.unwrap();
                let config = changed(|config| config.runs.workers = 1);
                let _engine = Engine::start(config, db, vault, graph());
                let _ = plug.await;
            });
            // Everything stops where it is, without a word.
            runtime.shutdown_background();
        });
        world.in_the_middle(run).await;
        pull_the_plug.send(()).unwrap();
        tokio::task::spawn_blocking(|| doomed.join()).await.unwrap().unwrap();
        world.database.expire_leases().await;
        world.release();
        let other = Engine::start(quick(), world.database.db.clone(), world.vault.clone(), graph());
        let state = world.ended(run).await;
        assert_eq!((state.status, state.attempt), (OperationStatus::Completed, 2));
        let result = world.result(run).await;
        assert_eq!(result.operation.lost_leases, 1);
        let expected = world.expected().values().map(std::collections::BTreeSet::len).sum::<usize>();
        assert_eq!(result.run.items_observed_count as usize, expected, "nothing is lost and nothing counted twice");
        other.shutdown().await;
    }

    async fn another_process_sees_the_run_live(test: TestDatabase) {
        let world = World::with(test, SimTenant::new("Contoso", 7, 1_000), idle()).await;
        world.simulator.control().hold(HELD_LISTING);
        let (_, actor) = person(&world, "Olga", Role::Operator).await;
        let mut events = world.engine.runs().subscribe(world.tenant);
        let db = Db::connect(&world.database.address).await.unwrap();
        let other = Engine::start(quick(), db, world.vault.clone(), graph());
        world.engine.dispatch_sync(&actor, world.tenant, &World::everything()).await.unwrap();
        // While the last listing is held back the run stays where it is: its newest state cannot be overtaken.
        newest(&mut events, |state| state.status == OperationStatus::Running && state.counters.processed > 0).await;
        world.release();
        newest(&mut events, |state| state.status == OperationStatus::Completed).await;
        other.shutdown().await;
    }

    async fn a_worker_that_lost_its_lease_writes_nothing_more(test: TestDatabase) {
        let world = World::new(test, 2_000).await;
        let run = world.dispatch_and_hold().await;
        let db = &world.database.db;
        let held = operation_runs::get(db, world.tenant, run).await.unwrap().unwrap();
        // Somebody takes the run away behind the worker's back.
        let mut tx = db.write().await.unwrap();
        let fence = held.fence().expect("it is held");
        operation_runs::release(&mut tx, &fence, Timestamp::from_millis(0)).await.unwrap();
        tx.commit().await.unwrap();
        world.release();
        let state = world.ended(run).await;
        assert_eq!(state.status, OperationStatus::Completed);
        assert!(state.attempt >= 2, "another attempt finished it");
        // The first worker finds out when it writes, which may come after the other has ended the run.
        let found_out = async {
            while world.engine.runs().working() > 0 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        soon(found_out).await;
        let result = world.result(run).await;
        let expected = world.expected().values().map(std::collections::BTreeSet::len).sum::<usize>();
        assert_eq!(result.run.items_observed_count as usize, expected, "nothing is counted twice");
        assert_eq!(sync_runs::list(db, world.tenant, &sync_runs::Filter { limit: 10, ..Default::default() }).await.unwrap().len(), 1);
    }

    async fn a_limit_that_is_reached_aborts_in_words(test: TestDatabase) {
        let config = changed(|config| {
            config.sync.limits.per_tenant = 1;
            config.runs.queue_wait = Duration::from_millis(500);
        });
        let world = World::with(test, SimTenant::new("Contoso", 7, 500), config).await;
        let first = world.dispatch_and_hold().await;
        let second = world.dispatch(&World::some(&["namedLocation"])).await;
        let state = world.ended(second).await;
        assert_eq!((state.status, state.reason_code), (OperationStatus::Aborted, Some(ReasonCode::ConcurrencyLimit)));
        assert_eq!(state.counters.skipped, state.counters.total);
        let result = world.result(second).await;
        assert_eq!(result.run.status, SyncRunStatus::Skipped);
        world.release();
        assert_eq!(world.ended(first).await.status, OperationStatus::Completed);
    }

    async fn a_selection_that_another_run_reads_is_waited_for_and_then_left(test: TestDatabase) {
        let config = changed(|config| config.sync.lock_wait = Duration::from_millis(400));
        let world = World::with(test, SimTenant::new("Contoso", 7, 500), config).await;
        let first = world.dispatch_and_hold().await;
        let db = &world.database.db;
        // The same work under another key, as another release might name it: only the lock stands between them now.
        let held = operation_runs::get(db, world.tenant, first).await.unwrap().unwrap();
        let second = operation_runs::NewOperationRun {
            id: uuid::Uuid::now_v7().into(),
            tenant_id: world.tenant,
            user_id: None,
            token_id: None,
            initiator: held.initiator.clone(),
            resource: held.resource.clone(),
            action: held.action.clone(),
            idempotency_key: "another key".to_owned(),
            correlation_id: uuid::Uuid::now_v7().into(),
            payload: held.payload.clone(),
            item_ids: held.item_ids.clone(),
            audit_log_id: uuid::Uuid::now_v7(),
            retry_of: None,
            follows: None,
            follow_ups: Vec::new(),
            schedule_id: None,
        };
        let mut tx = db.write().await.unwrap();
        operation_runs::create(&mut tx, &second, world.engine.now()).await.unwrap();
        tx.commit().await.unwrap();
        let state = world.ended(second.id).await;
        assert_eq!((state.status, state.reason_code), (OperationStatus::Aborted, Some(ReasonCode::LockHeld)));
        assert_eq!((state.counters.skipped, state.counters.processed), (state.counters.total, state.counters.total));
        let result = world.result(second.id).await;
        assert_eq!((result.run.status, result.run.error_codes.as_slice()), (SyncRunStatus::Skipped, &[ReasonCode::LockHeld][..]));
        world.release();
        assert_eq!(world.ended(first).await.status, OperationStatus::Completed);
    }

    async fn a_lost_worker_is_replaced_a_bounded_number_of_times(test: TestDatabase) {
        let config = idle();
        let world = World::with(test, SimTenant::new("Contoso", 7, 50), config).await;
        let run = world.dispatch(&World::some(&["namedLocation"])).await;
        let db = &world.database.db;
        // A worker that claims and dies at once, again and again.
        for _ in 0..2 {
            let limits = limits();
            let claim = operation_runs::Claim { owner: "dead", lease: PATIENCE, limits: &limits };
            let mut tx = db.write().await.unwrap();
            operation_runs::claim(&mut tx, &claim, Timestamp::from_millis(1)).await.unwrap().expect("it waits");
            tx.commit().await.unwrap();
            world.database.expire_leases().await;
            let mut tx = db.write().await.unwrap();
            operation_runs::sweep_expired(&mut tx, 99, Duration::from_secs(3_600), 100, Timestamp::from_millis(1)).await.unwrap();
            tx.commit().await.unwrap();
        }
        let limits = limits();
        let claim = operation_runs::Claim { owner: "dead", lease: PATIENCE, limits: &limits };
        let mut tx = db.write().await.unwrap();
        operation_runs::claim(&mut tx, &claim, Timestamp::from_millis(1)).await.unwrap().expect("it waits");
        tx.commit().await.unwrap();
        world.database.expire_leases().await;
        let sweeping = changed(|config| {
            config.runs.workers = 1;
            config.runs.max_attempts = 3;
            config.runs.poll_interval = Duration::from_secs(60);
        });
        let other = Engine::start(sweeping, db.clone(), world.vault.clone(), graph());
        let state = world.ended(run).await;
        assert_eq!((state.status, state.reason_code), (OperationStatus::Failed, Some(ReasonCode::WorkerLost)));
        assert_eq!(state.counters.failed, state.counters.total);
        other.shutdown().await;
    }

    async fn a_cancel_that_no_worker_heard_is_not_forgotten(test: TestDatabase) {
        let config = idle();
        let world = World::with(test, SimTenant::new("Contoso", 7, 50), config).await;
        let run = world.dispatch(&World::some(&["namedLocation"])).await;
        let db = &world.database.db;
        // Its worker dies before it could look.
        let limits = limits();
        let claim = operation_runs::Claim { owner: "dead", lease: PATIENCE, limits: &limits };
        let mut tx = db.write().await.unwrap();
        operation_runs::claim(&mut tx, &claim, world.engine.now()).await.unwrap().expect("it waits");
        tx.commit().await.unwrap();
        let cancelled = world.engine.runs().cancel(&Actor::command_line(), world.tenant, run).await.unwrap();
        assert_eq!(cancelled, Cancelled::Requested);
        world.database.expire_leases().await;
        let other = Engine::start(quick(), db.clone(), world.vault.clone(), graph());
        let state = world.ended(run).await;
        assert_eq!((state.status, state.reason_code), (OperationStatus::Aborted, Some(ReasonCode::Cancelled)));
        other.shutdown().await;
    }
}
