//! A right is read where it is used up: whoever loses it while their request waits does not act on it any more.

use tenantatlas_domain::role::Role;
use tenantatlas_engine::{Actor, EngineError, RetryPart};
use tenantatlas_store::audit::{self, Outcome};
use tenantatlas_store::tenants::{self, Environment, TenantDetails};
use tenantatlas_store::testing::{TestDatabase, on_both_engines};
use tenantatlas_store::{members, operation_runs, users};

use crate::rights_of_commands::{Carrier, Given, commands, details_of, newest, password, person, schedule};
use crate::support::{World, changed, idle, soon};

on_both_engines! {
    async fn a_right_taken_away_while_the_request_waits_is_gone_for_every_command(test: TestDatabase) {
        let config = idle();
        let world = World::with(test, tenantatlas_graph_sim::SimTenant::new("Contoso", 7, 50), config).await;
        let (engine, db, root) = (&world.engine, &world.database.db, Actor::command_line());
        // Others who keep what must not be the last of its kind.
        let keeper = engine.create_user(&root, "keeper@example.com", "Keeper", true, password()).await.unwrap();
        engine.set_member(&root, world.tenant, keeper, Role::Owner).await.unwrap();
        let other = engine.create_user(&root, "other@example.com", "Other", false, password()).await.unwrap();
        engine.set_member(&root, world.tenant, other, Role::Readonly).await.unwrap();
        let ended = world.dispatch(&World::some(&["assignmentFilter"])).await;
        engine.runs().cancel(&root, world.tenant, ended).await.unwrap();
        let waiting = world.dispatch(&World::some(&["namedLocation"])).await;
        let details =
            TenantDetails { name: "Renamed".to_owned(), environment: Environment::Other, ..details_of(&world).await };
        let planned = engine.add_schedule(&root, world.tenant, &schedule("Nightly")).await.unwrap();
        for (number, (name, carrier, give)) in commands().into_iter().enumerate() {
            let actor = person(&world, carrier, number).await;
            let id = actor.user_id.unwrap();
            let given = Given {
                engine: engine.clone(),
                actor,
                tenant: world.tenant,
                ended,
                waiting,
                schedule: planned,
                other,
                details: details.clone(),
            };
            // Somebody holds the writer (SQLite) or the row (PostgreSQL), and takes the right away.
            let mut held = db.write().await.unwrap();
            match carrier {
                Carrier::Administrator => {
                    assert!(users::set_platform_admin(&mut held, id, false, engine.now()).await.unwrap());
                }
                Carrier::Member => assert!(members::remove(&mut held, world.tenant, id).await.unwrap()),
                Carrier::Account => {
                    assert!(users::set_disabled(&mut held, id, Some(engine.now()), engine.now()).await.unwrap());
                }
            }
            let mut request = tokio::spawn(give(given));
            // With the right still there for everybody else the request has passed whatever is asked beforehand.
            tokio::select! {
                early = &mut request => panic!("{name} does not wait: {early:?}"),
                () = soon(world.database.until_somebody_waits()) => {}
            }
            held.commit().await.unwrap();
            let answer = soon(request).await.unwrap();
            assert!(
                matches!(answer, Err(EngineError::Forbidden | EngineError::NotFound("the tenant"))),
                "{name}: {answer:?}"
            );
            let entry = newest(db).await;
            assert_eq!((entry.outcome, entry.actor_id), (Outcome::Denied, Some(id)), "{name}: {entry:?}");
            assert_eq!(entry.context["address"], "192.0.2.7", "{name}");
        }
        let tenant = tenants::get(db, world.tenant).await.unwrap().expect("it was not removed");
        assert_eq!((tenant.name.as_str(), tenant.environment), ("Contoso", Environment::Dev));
        let run = operation_runs::get(db, world.tenant, waiting).await.unwrap().unwrap();
        assert!(!run.status.is_terminal() && run.cancel_requested_at.is_none(), "it was not cancelled either: {run:?}");
        assert!(users::find_by_email(db, "new@example.com").await.unwrap().is_none());
        let others = members::effective_role(db, world.tenant, other).await.unwrap();
        assert_eq!(others, Some(Role::Readonly));
    }

    async fn commands_that_meet_in_one_tenant_do_not_block_each_other(test: TestDatabase) {
        let config = idle();
        let world = World::with(test, tenantatlas_graph_sim::SimTenant::new("Contoso", 7, 50), config).await;
        let (engine, tenant) = (&world.engine, world.tenant);
        let admins = [person(&world, Carrier::Administrator, 0).await, person(&world, Carrier::Administrator, 1).await];
        let members = [person(&world, Carrier::Member, 2).await, person(&world, Carrier::Member, 3).await];
        let other = engine.create_user(&Actor::command_line(), "other@example.com", "Other", false, password()).await.unwrap();
        let details = details_of(&world).await;
        let mut under_way = tokio::task::JoinSet::new();
        for round in 0..8_usize {
            for actor in members.iter().chain(&admins) {
                let actor = actor.clone();
                let named = |name: String| TenantDetails { name, ..details.clone() };
                let (renamed, elsewhere) = (named(format!("Contoso {round}")), named(format!("Contoso at {round}")));
                let engine = engine.clone();
                // Addresses of one's own and administrators are not for members; what another one moved they do not move back.
                let fine = |done: Result<(), EngineError>| match done {
                    Err(EngineError::Forbidden) => Ok(()),
                    done => done,
                };
                under_way.spawn(async move {
                    fine(engine.update_tenant(&actor, tenant, &renamed).await.map(|_| ()))?;
                    engine.set_member(&actor, tenant, other, Role::Readonly).await?;
                    engine.dispatch_sync(&actor, tenant, &World::some(&["mobileApp"])).await?;
                    let graph_url = elsewhere.graph_url.map(|url| format!("{url}/{round}"));
                    let moved = TenantDetails { graph_url, ..elsewhere };
                    fine(engine.update_tenant(&actor, tenant, &moved).await.map(|_| ()))?;
                    fine(engine.set_platform_admin(&actor, other, round % 2 == 0).await)
                });
            }
        }
        for done in soon(under_way.join_all()).await {
            assert!(done.is_ok(), "{done:?}");
        }
    }

    async fn the_directory_of_a_tenant_does_not_change_while_a_run_is_being_dispatched(test: TestDatabase) {
        let config = idle();
        let world = World::with(test, tenantatlas_graph_sim::SimTenant::new("Contoso", 7, 50), config).await;
        let (engine, db, tenant) = (world.engine.clone(), &world.database.db, world.tenant);
        let mut dispatch = db.write().await.unwrap();
        tenants::hold(&mut dispatch, tenant).await.unwrap().expect("it is there");
        let entra_tenant_id = uuid::Uuid::from_u128(1).to_string();
        let details = TenantDetails { entra_tenant_id, ..details_of(&world).await };
        let mut change =
            tokio::spawn(async move { engine.update_tenant(&Actor::command_line(), tenant, &details).await });
        tokio::select! {
            early = &mut change => panic!("it does not wait: {early:?}"),
            () = soon(world.database.until_somebody_waits()) => {}
        }
        operation_runs::create(&mut dispatch, &world.raw_run("inventory", "sync", 1), world.engine.now()).await.unwrap();
        dispatch.commit().await.unwrap();
        let answer = soon(change).await.unwrap();
        assert!(matches!(answer, Err(EngineError::Conflict(_))), "{answer:?}");
    }

    async fn whoever_removes_a_tenant_is_who_cancels_its_runs(test: TestDatabase) {
        let config = idle();
        let world = World::with(test, tenantatlas_graph_sim::SimTenant::new("Contoso", 7, 50), config).await;
        let (engine, db) = (&world.engine, &world.database.db);
        let run = world.dispatch(&World::some(&["mobileApp"])).await;
        let admin = person(&world, Carrier::Administrator, 0).await;
        let wrong = engine.remove_tenant(&admin, world.tenant, "Fabrikam").await;
        assert!(matches!(wrong, Err(EngineError::Invalid { field: "confirmation", .. })), "{wrong:?}");
        let before = operation_runs::get(db, world.tenant, run).await.unwrap().unwrap();
        assert!(!before.status.is_terminal(), "nothing was cancelled for it");
        engine.remove_tenant(&admin, world.tenant, "Contoso").await.unwrap();
        let filter = audit::Filter { limit: 10, ..audit::Filter::default() };
        let entries = audit::list(db, &filter).await.unwrap();
        let cancelled = entries.iter().find(|entry| entry.action == "inventory.sync.cancel_requested").expect("cancelled");
        let removed = entries.iter().find(|entry| entry.action == "tenant.removed" && entry.outcome == Outcome::Success);
        let removed = removed.expect("removed");
        assert_eq!((cancelled.actor_id, removed.actor_id), (admin.user_id, admin.user_id));
        assert!(removed.seq < cancelled.seq, "the right was read before anything was cancelled");
        assert_eq!(removed.context["name"], "Contoso");
    }

    async fn a_command_writes_what_changed_and_nothing_else(test: TestDatabase) {
        let world = World::new(test, 50).await;
        let (engine, db, root) = (&world.engine, &world.database.db, Actor::command_line());
        engine.create_user(&root, "keeper@example.com", "Keeper", true, password()).await.unwrap();
        let id = engine.create_user(&root, "ada@example.com", "Ada", true, password()).await.unwrap();
        let ada = Actor::person(id, "Ada", "ada@example.com");
        engine.set_platform_admin(&root, id, false).await.unwrap();
        engine.rename_self(&ada, "Ada L.").await.unwrap();
        let known = users::get(db, id).await.unwrap().unwrap();
        assert_eq!((known.name.as_str(), known.platform_admin), ("Ada L.", false), "the old flag is not written back");
        engine.set_platform_admin(&root, id, true).await.unwrap();
        assert_eq!(users::get(db, id).await.unwrap().unwrap().name, "Ada L.");
        let entries = newest(db).await.seq;
        engine.set_platform_admin(&root, id, true).await.unwrap();
        assert_eq!(newest(db).await.seq, entries, "what is so already leaves no entry");
    }

    async fn a_removal_is_taken_back_by_who_made_it_with_the_role_of_before_and_not_for_ever(test: TestDatabase) {
        let world = World::new(test, 50).await;
        let (engine, db, tenant) = (&world.engine, &world.database.db, world.tenant);
        let (owner, other) = (person(&world, Carrier::Member, 0).await, person(&world, Carrier::Member, 1).await);
        let reader = person(&world, Carrier::Member, 2).await.user_id.unwrap();
        engine.set_member(&owner, tenant, reader, Role::Readonly).await.unwrap();
        let nothing = engine.restore_member(&owner, tenant, reader).await;
        assert!(matches!(&nothing, Err(EngineError::Conflict(words)) if words.contains("Read only")), "{nothing:?}");
        engine.remove_member(&owner, tenant, reader).await.unwrap();
        let by_another = engine.restore_member(&other, tenant, reader).await;
        assert!(matches!(by_another, Err(EngineError::NotFound(_))), "{by_another:?}");
        engine.restore_member(&owner, tenant, reader).await.unwrap();
        let members = members::list(db, tenant).await.unwrap();
        assert_eq!(members.iter().find(|member| member.user_id == reader).map(|member| member.role), Some(Role::Readonly));
        assert_eq!(newest(db).await.context["role"], "readonly");
    }

    async fn a_failed_command_is_written_down_with_who_from_where_and_what(test: TestDatabase) {
        let world = World::new(test, 50).await;
        let (engine, db) = (&world.engine, &world.database.db);
        let owner = person(&world, Carrier::Member, 0).await;
        let failed = engine.remove_member(&owner, world.tenant, owner.user_id.unwrap()).await;
        assert!(matches!(failed, Err(EngineError::Conflict(_))), "{failed:?}");
        let entry = newest(db).await;
        assert_eq!((entry.action.as_str(), entry.outcome), ("member.removed", Outcome::Failure));
        assert_eq!((entry.context["error"].as_str(), entry.context["address"].as_str()), (Some("conflict"), Some("192.0.2.7")));
        assert_eq!(entry.tenant_id, Some(world.tenant));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_fills_the_queue_or_the_audit_log() {
    let config = changed(|config| {
        config.runs.workers = 0;
        config.runs.waiting_per_tenant = 3;
        config.runs.waiting_per_person = 2;
    });
    let world =
        World::with(TestDatabase::sqlite().await, tenantatlas_graph_sim::SimTenant::new("Contoso", 7, 50), config)
            .await;
    let (engine, db) = (&world.engine, &world.database.db);
    let one = person(&world, Carrier::Member, 1).await;
    let other = person(&world, Carrier::Member, 2).await;
    let types = ["mobileApp", "namedLocation", "assignmentFilter", "roleScopeTag"];
    for policy_type in &types[..2] {
        engine.dispatch_sync(&one, world.tenant, &World::some(&[policy_type])).await.unwrap();
    }
    let again = engine.dispatch_sync(&one, world.tenant, &World::some(&types[..1])).await.unwrap();
    assert!(again.already_running, "what is waiting already is answered, not refused");
    let third = engine.dispatch_sync(&one, world.tenant, &World::some(&types[2..3])).await;
    assert!(matches!(third, Err(EngineError::TooMany(_))), "{third:?}");
    engine.dispatch_sync(&other, world.tenant, &World::some(&types[2..3])).await.unwrap();
    let fourth = engine.dispatch_sync(&other, world.tenant, &World::some(&types[3..])).await;
    assert!(matches!(fourth, Err(EngineError::TooMany(_))), "{fourth:?}");

    let before = newest(db).await.seq;
    let mut refused = 0;
    for number in 0..400 {
        refused += u32::from(engine.rename_self(&one, &format!("Name {number}")).await.is_err());
    }
    assert!(refused >= 380, "{refused}");
    assert!(
        newest(db).await.seq - before <= 25,
        "an entry for each that was done, and one for those that were refused"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_asked_for_at_once_of_many_runs_is_not_refused_as_many_commands() {
    let world =
        World::with(TestDatabase::sqlite().await, tenantatlas_graph_sim::SimTenant::new("Contoso", 7, 50), idle())
            .await;
    let one = person(&world, Carrier::Member, 1).await;
    let ended = world.dispatch(&World::some(&["assignmentFilter"])).await;
    world.engine.runs().cancel(&Actor::command_line(), world.tenant, ended).await.unwrap();
    // More than the commands that a person may give at once. All of them are the same work: one is started.
    let runs = vec![(world.tenant, ended); 150];
    let outcomes = world.engine.runs().retry_many(&one, &runs, RetryPart::Whole, "").await.unwrap();
    assert_eq!((outcomes.done, outcomes.already_running, outcomes.too_many), (1, 149, 0));
}
