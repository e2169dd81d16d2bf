//! A right is read where it is used up: whoever loses it while their request waits does not act on it any more.

use std::collections::BTreeSet;

use futures::future::BoxFuture;
use secrecy::SecretString;
use tenantatlas_domain::endpoint::{EndpointKind, EventKind, Wanted};
use tenantatlas_domain::ids::{DeliveryId, EndpointId, OperationRunId, ScheduleId, TenantId, UserId};
use tenantatlas_domain::item_column::ItemColumn;
use tenantatlas_domain::role::Role;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_engine::{
    Actor, CaptureOf, EndpointChange, EndpointDetails, Engine, EngineError, NewToken, RetryPart, ScheduleOptions,
    ScheduleSpec, Visitor,
};
use tenantatlas_store::api_tokens::ApiTokenOwner;
use tenantatlas_store::audit::{self, Entry, Outcome};
use tenantatlas_store::retention::Retention;
use tenantatlas_store::tenants::{self, AfterSync, Environment, TenantCredential, TenantDetails};
use tenantatlas_store::testing::{TestDatabase, on_both_engines};
use tenantatlas_store::{Db, members, operation_runs, users};

use crate::support::{World, changed, idle, soon};

/// What carries the right of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Carrier {
    /// The flag of a platform administrator.
    Administrator,
    /// The role of a member.
    Member,
    /// The account itself.
    Account,
}

/// What a command is given.
#[derive(Clone)]
struct Given {
    engine: Engine,
    actor: Actor,
    tenant: TenantId,
    ended: OperationRunId,
    waiting: OperationRunId,
    schedule: ScheduleId,
    other: UserId,
    details: TenantDetails,
}

type Give = fn(Given) -> BoxFuture<'static, Result<(), EngineError>>;

/// A command as an entry of the table below.
macro_rules! give {
    (|$given:ident| $command:expr) => {{
        let give: Give = |$given| Box::pin(async move { $command.await.map(|_| ()).map_err(EngineError::from) });
        give
    }};
}

/// An endpoint that there is not.
fn nowhere() -> EndpointId {
    EndpointId::from_uuid(uuid::Uuid::from_u128(7))
}

/// An endpoint to be added.
fn endpoint() -> EndpointDetails {
    EndpointDetails {
        kind: EndpointKind::Webhook,
        name: "Hooks".to_owned(),
        address: "https://hooks.example.com/x".to_owned(),
        wanted: Wanted { events: vec![EventKind::RunEnded], ..Wanted::default() },
        digest: false,
    }
}

/// Every command with what carries its right.
fn commands() -> Vec<(&'static str, Carrier, Give)> {
    use Carrier::{Account, Administrator, Member};
    vec![
        (
            "create_user",
            Administrator,
            give!(|given| given.engine.create_user(&given.actor, "new@example.com", "New", true, password())),
        ),
        (
            "set_platform_admin",
            Administrator,
            give!(|given| given.engine.set_platform_admin(&given.actor, given.other, true)),
        ),
        (
            "set_platform_admin of oneself",
            Administrator,
            give!(|given| given.engine.set_platform_admin(&given.actor, given.actor.user_id.unwrap(), true)),
        ),
        (
            "set_user_disabled",
            Administrator,
            give!(|given| given.engine.set_user_disabled(&given.actor, given.other, true)),
        ),
        (
            "remove_user",
            Administrator,
            give!(|given| given.engine.remove_user(&given.actor, given.other, "other@example.com")),
        ),
        (
            "set_password",
            Administrator,
            give!(|given| given.engine.set_password(&given.actor, given.other, password())),
        ),
        (
            "add_tenant",
            Administrator,
            give!(|given| {
                let details = TenantDetails { name: "Another".to_owned(), ..given.details.clone() };
                async move { given.engine.add_tenant(&given.actor, &details, &credential()).await }
            }),
        ),
        (
            "remove_tenant",
            Administrator,
            give!(|given| given.engine.remove_tenant(&given.actor, given.tenant, "Contoso")),
        ),
        (
            "set_member",
            Member,
            give!(|given| given.engine.set_member(&given.actor, given.tenant, given.other, Role::Owner)),
        ),
        (
            "set_member of oneself",
            Member,
            give!(|given| given.engine.set_member(
                &given.actor,
                given.tenant,
                given.actor.user_id.unwrap(),
                Role::Owner
            )),
        ),
        ("remove_member", Member, give!(|given| given.engine.remove_member(&given.actor, given.tenant, given.other))),
        ("restore_member", Member, give!(|given| given.engine.restore_member(&given.actor, given.tenant, given.other))),
        (
            "update_tenant",
            Member,
            give!(|given| given.engine.update_tenant(&given.actor, given.tenant, &given.details)),
        ),
        (
            "rotate_credential",
            Member,
            give!(
                |given| async move { given.engine.rotate_credential(&given.actor, given.tenant, &credential()).await }
            ),
        ),
        (
            "refresh_setting_catalog",
            Member,
            give!(|given| given.engine.refresh_setting_catalog(&given.actor, given.tenant)),
        ),
        ("check_tenant", Member, give!(|given| given.engine.check_tenant(&given.actor, given.tenant, false))),
        (
            "dispatch_sync",
            Member,
            give!(|given| async move {
                given.engine.dispatch_sync(&given.actor, given.tenant, &World::some(&["mobileApp"])).await
            }),
        ),
        (
            "dispatch_sync_and_capture",
            Member,
            give!(|given| async move {
                given.engine.dispatch_sync_and_capture(&given.actor, given.tenant, &World::some(&["mobileApp"])).await
            }),
        ),
        (
            "add_endpoint",
            Member,
            give!(|given| async move { given.engine.add_endpoint(&given.actor, given.tenant, &endpoint()).await }),
        ),
        (
            "change_endpoint",
            Member,
            give!(|given| async move {
                given.engine.change_endpoint(&given.actor, given.tenant, nowhere(), &EndpointChange::default()).await
            }),
        ),
        (
            "switch_endpoint",
            Member,
            give!(|given| given.engine.switch_endpoint(&given.actor, given.tenant, nowhere(), false)),
        ),
        (
            "rotate_endpoint_secret",
            Member,
            give!(|given| given.engine.rotate_endpoint_secret(&given.actor, given.tenant, nowhere())),
        ),
        ("test_endpoint", Member, give!(|given| given.engine.test_endpoint(&given.actor, given.tenant, nowhere()))),
        ("remove_endpoint", Member, give!(|given| given.engine.remove_endpoint(&given.actor, given.tenant, nowhere()))),
        (
            "replay_delivery",
            Member,
            give!(|given| given.engine.replay_delivery(
                &given.actor,
                given.tenant,
                DeliveryId::from_uuid(uuid::Uuid::from_u128(7))
            )),
        ),
        ("read_audit_events", Member, give!(|given| given.engine.read_audit_events(&given.actor, given.tenant))),
        (
            "dispatch_capture",
            Member,
            give!(|given| async move {
                let what = CaptureOf::Types(vec!["mobileApp".to_owned()]);
                given.engine.dispatch_capture(&given.actor, given.tenant, &what, false).await
            }),
        ),
        ("dispatch_drift", Member, give!(|given| given.engine.dispatch_drift(&given.actor, given.tenant, None, None))),
        (
            "set_after_sync",
            Member,
            give!(|given| {
                let nothing = AfterSync { drift: false, capture: false, audit_events: false };
                given.engine.set_after_sync(&given.actor, given.tenant, nothing)
            }),
        ),
        (
            "set_drift_severity",
            Member,
            give!(|given| given.engine.set_drift_severity(&given.actor, given.tenant, "mobileApp", None)),
        ),
        (
            "pin_drift_baseline",
            Member,
            give!(|given| given.engine.pin_drift_baseline(&given.actor, given.tenant, None)),
        ),
        (
            "accept_findings",
            Member,
            give!(|given| async move {
                let finding = [uuid::Uuid::nil().into()];
                given.engine.accept_findings(&given.actor, given.tenant, &finding, "as agreed", None, "").await
            }),
        ),
        (
            "reopen_findings",
            Member,
            give!(|given| async move {
                given.engine.reopen_findings(&given.actor, given.tenant, &[uuid::Uuid::nil().into()]).await
            }),
        ),
        (
            "retry",
            Member,
            give!(|given| given.engine.runs().retry(&given.actor, given.tenant, given.ended, RetryPart::Whole)),
        ),
        (
            "retry of what failed",
            Member,
            give!(|given| given.engine.runs().retry(&given.actor, given.tenant, given.ended, RetryPart::Failed)),
        ),
        ("cancel", Member, give!(|given| given.engine.runs().cancel(&given.actor, given.tenant, given.waiting))),
        ("rename_self", Account, give!(|given| given.engine.rename_self(&given.actor, "Renamed"))),
        (
            "change_password",
            Account,
            give!(|given| async move {
                let new = SecretString::from("another horse battery");
                given.engine.change_password(&given.actor, &visitor(), password(), new).await
            }),
        ),
        ("begin_second_factor", Account, give!(|given| given.engine.begin_second_factor(&given.actor))),
        (
            "confirm_second_factor",
            Account,
            give!(|given| async move { given.engine.confirm_second_factor(&given.actor, &visitor(), "123456").await }),
        ),
        (
            "remove_second_factor",
            Account,
            give!(|given| async move { given.engine.remove_second_factor(&given.actor, &visitor(), "123456").await }),
        ),
        ("new_recovery_codes", Account, give!(|given| given.engine.new_recovery_codes(&given.actor))),
        ("keep_recovery_codes", Account, give!(|given| given.engine.keep_recovery_codes(&given.actor))),
        ("sign_out_everywhere", Account, give!(|given| given.engine.sign_out_everywhere(&given.actor))),
        ("end_session", Account, give!(|given| given.engine.end_session(&given.actor, given.actor.session.unwrap()))),
        (
            "reset_second_factor",
            Administrator,
            give!(|given| given.engine.reset_second_factor(&given.actor, given.other)),
        ),
        (
            "add_member",
            Member,
            give!(|given| given.engine.add_member(&given.actor, given.tenant, "keeper@example.com", Role::Owner)),
        ),
        (
            "add_member who has no account",
            Member,
            give!(|given| given.engine.add_member(&given.actor, given.tenant, "new@example.com", Role::Owner)),
        ),
        (
            "revoke_invitation",
            Member,
            give!(|given| given.engine.revoke_invitation(&given.actor, given.tenant, uuid::Uuid::nil())),
        ),
        (
            "create_token",
            Account,
            give!(|given| create_token(given, |user, _| ApiTokenOwner::Person(user, Vec::new()))),
        ),
        (
            "create_token of a tenant",
            Member,
            give!(|given| create_token(given, |_, tenant| ApiTokenOwner::Tenant(tenant))),
        ),
        ("revoke_token", Administrator, give!(|given| given.engine.revoke_token(&given.actor, uuid::Uuid::nil()))),
        ("set_item_columns", Account, give!(|given| given.engine.set_item_columns(&given.actor, &ItemColumn::DEFAULT))),
        ("set_single_keys", Account, give!(|given| given.engine.set_single_keys(&given.actor, false))),
        (
            "save_view",
            Member,
            give!(|given| given.engine.save_view(&given.actor, given.tenant, "New", "state=missing")),
        ),
        (
            "rename_view",
            Member,
            give!(|given| given.engine.rename_view(&given.actor, given.tenant, uuid::Uuid::nil(), "Another name")),
        ),
        ("remove_view", Member, give!(|given| given.engine.remove_view(&given.actor, given.tenant, uuid::Uuid::nil()))),
        ("prune_tenant", Member, give!(|given| given.engine.prune_tenant(&given.actor, given.tenant))),
        (
            "set_retention",
            Administrator,
            give!(|given| {
                let kept = Retention { run_days: 7, ..Retention::default() };
                given.engine.set_retention(&given.actor, kept)
            }),
        ),
        (
            "add_schedule",
            Member,
            give!(
                |given| async move { given.engine.add_schedule(&given.actor, given.tenant, &schedule("Another")).await }
            ),
        ),
        (
            "change_schedule",
            Member,
            give!(|given| async move {
                given.engine.change_schedule(&given.actor, given.tenant, given.schedule, 1, &schedule("Another")).await
            }),
        ),
        (
            "pause_schedule",
            Member,
            give!(|given| given.engine.pause_schedule(&given.actor, given.tenant, given.schedule)),
        ),
        (
            "resume_schedule",
            Member,
            give!(|given| given.engine.resume_schedule(&given.actor, given.tenant, given.schedule)),
        ),
        (
            "remove_schedule",
            Member,
            give!(|given| given.engine.remove_schedule(&given.actor, given.tenant, given.schedule)),
        ),
        ("set_favourite", Member, give!(|given| given.engine.set_favourite(&given.actor, given.tenant, true))),
    ]
}

fn schedule(name: &str) -> ScheduleSpec {
    ScheduleSpec {
        name: name.to_owned(),
        operation: "inventory.sync".to_owned(),
        options: ScheduleOptions::default(),
        cron: "0 2 * * *".to_owned(),
        zone: "UTC".to_owned(),
    }
}

async fn create_token(given: Given, owner: fn(UserId, TenantId) -> ApiTokenOwner) -> Result<(), EngineError> {
    let new = NewToken {
        name: "Nightly".to_owned(),
        role: Role::Readonly,
        owner: owner(given.actor.user_id.unwrap(), given.tenant),
        expires_at: Timestamp::from_millis(given.engine.now().as_millis() + 3_600_000),
    };
    given.engine.create_token(&given.actor, &new).await.map(|_| ())
}

fn password() -> SecretString {
    SecretString::from("correct horse battery")
}

fn visitor() -> Visitor {
    Visitor::from_address(std::net::IpAddr::from([192, 0, 2, 7]))
}

fn credential() -> TenantCredential {
    TenantCredential::ClientSecret(SecretString::from("another secret"))
}

/// A person with the right, and no other way to it, who has just signed in.
async fn person(world: &World, carrier: Carrier, number: usize) -> Actor {
    let (engine, tenant) = (&world.engine, world.tenant);
    let root = Actor::command_line();
    let email = format!("person{number}@example.com");
    let admin = carrier == Carrier::Administrator;
    let id = engine.create_user(&root, &email, "Person", admin, password()).await.unwrap();
    if carrier == Carrier::Member {
        engine.set_member(&root, tenant, id, Role::Owner).await.unwrap();
    }
    world.in_session(Actor::person(id, "Person", email).from_address("192.0.2.7".parse().ok())).await
}

/// What is stored of the tenant.
async fn details_of(world: &World) -> TenantDetails {
    let known = tenants::get(&world.database.db, world.tenant).await.unwrap().unwrap();
    TenantDetails {
        name: known.name,
        entra_tenant_id: known.entra_tenant_id,
        cloud: known.cloud,
        login_url: known.login_url,
        graph_url: known.graph_url,
        environment: known.environment,
        client_id: known.client_id,
    }
}

async fn newest(db: &Db) -> Entry {
    let filter = audit::Filter { limit: 1, ..audit::Filter::default() };
    audit::list(db, &filter).await.unwrap().remove(0)
}

/// What is told an actor and is no command: it reads, writes what went before, is what commands are made of, or gives many of them.
const NO_COMMANDS: [&str; 22] = [
    "add_schedule_to_many",
    "authorise",
    "authorise_platform",
    "before<T, E: Refusal>",
    "begin_download",
    "cancel_all_of_removed",
    "cancel_many",
    "compare_versions",
    "explain_findings",
    "confirm",
    "dispatch<O: Operation>",
    "limit",
    "open_version",
    "pivot_setting",
    "read_version",
    "record",
    "record_event",
    "record_failure",
    "record_refusal",
    "retry_many",
    "search_settings",
    "second_factor_set_up",
];

/// Every public method of an engine in the sources of this crate and its neighbours that is told who acts.
fn methods_with_an_actor(folder: &std::path::Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            methods_with_an_actor(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            let after = text.split("pub async fn ").skip(1);
            let signatures =
                after.filter_map(|rest| rest.split_once('(').map(|(name, rest)| (name, rest.split("->").next())));
            let told = signatures.filter(|(_, given)| {
                given.is_some_and(|given| given.contains("&self") && given.contains("actor: &Actor"))
            });
            found.extend(told.map(|(name, _)| name.to_owned()));
        }
    }
}

#[test]
fn no_command_is_left_out_of_the_table_of_rights() {
    let mut found = BTreeSet::new();
    for crate_folder in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).unwrap() {
        let sources = crate_folder.unwrap().path().join("src");
        if sources.is_dir() {
            methods_with_an_actor(&sources, &mut found);
        }
    }
    assert!(NO_COMMANDS.iter().all(|name| found.remove(*name)), "{found:?}");
    let listed: BTreeSet<String> =
        commands().iter().filter_map(|(name, ..)| name.split(' ').next()).map(str::to_owned).collect();
    assert_eq!(found, listed);
}

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
