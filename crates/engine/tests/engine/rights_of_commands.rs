//! Every command of the engine with what carries its right: no command is left out.

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
use tenantatlas_store::Db;
use tenantatlas_store::api_tokens::ApiTokenOwner;
use tenantatlas_store::audit::{self, Entry};
use tenantatlas_store::retention::Retention;
use tenantatlas_store::tenants::{self, AfterSync, TenantCredential, TenantDetails};

use crate::support::World;

/// What carries the right of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carrier {
    /// The flag of a platform administrator.
    Administrator,
    /// The role of a member.
    Member,
    /// The account itself.
    Account,
}

/// What a command is given.
#[derive(Clone)]
pub struct Given {
    pub engine: Engine,
    pub actor: Actor,
    pub tenant: TenantId,
    pub ended: OperationRunId,
    pub waiting: OperationRunId,
    pub schedule: ScheduleId,
    pub other: UserId,
    pub details: TenantDetails,
}

pub type Give = fn(Given) -> BoxFuture<'static, Result<(), EngineError>>;

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
pub fn commands() -> Vec<(&'static str, Carrier, Give)> {
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
            "add_tenant_by_made_certificate",
            Administrator,
            give!(|given| async move {
                let details = TenantDetails { name: "Another".to_owned(), ..given.details.clone() };
                let certificate = uuid::Uuid::from_u128(7);
                given.engine.add_tenant_by_made_certificate(&given.actor, &details, certificate).await
            }),
        ),
        ("make_certificate", Administrator, give!(|given| given.engine.make_certificate(&given.actor))),
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

pub fn schedule(name: &str) -> ScheduleSpec {
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

pub fn password() -> SecretString {
    SecretString::from("correct horse battery")
}

fn visitor() -> Visitor {
    Visitor::from_address(std::net::IpAddr::from([192, 0, 2, 7]))
}

fn credential() -> TenantCredential {
    TenantCredential::ClientSecret(SecretString::from("another secret"))
}

/// A person with the right, and no other way to it, who has just signed in.
pub async fn person(world: &World, carrier: Carrier, number: usize) -> Actor {
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
pub async fn details_of(world: &World) -> TenantDetails {
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

pub async fn newest(db: &Db) -> Entry {
    let filter = audit::Filter { limit: 1, ..audit::Filter::default() };
    audit::list(db, &filter).await.unwrap().remove(0)
}

/// What is told an actor and is no command: it reads, writes what went before, is what commands are made of, or gives many of them.
const NO_COMMANDS: [&str; 23] = [
    "add_schedule_to_many",
    "authorise",
    "authorise_platform",
    "before<T, E: Refusal>",
    "begin_download",
    "begin_many",
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
