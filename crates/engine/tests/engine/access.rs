//! Who may do what, and what the connection check says.

use secrecy::SecretString;
use tenantatlas_domain::operation::{FailureKind, OperationStatus};
use tenantatlas_domain::reason::ReasonCode;
use tenantatlas_domain::role::Role;
use tenantatlas_engine::{Actor, Engine, EngineError};
use tenantatlas_graph_sim::{Fault, FaultKind, SimTenant};
use tenantatlas_store::tenants::{self, ConnectionStatus, Licence, TenantDetails};
use tenantatlas_store::testing::{TestDatabase, on_both_engines};
use tenantatlas_store::{audit, inventory, members, permissions};

use crate::support::{World, graph, quick};

fn password() -> SecretString {
    SecretString::from("correct horse battery")
}

on_both_engines! {
    async fn what_is_refused_before_the_transaction_of_a_command_is_written_down_too(test: TestDatabase) {
        let world = World::new(test, 50).await;
        let (engine, root) = (&world.engine, Actor::command_line());
        let user = engine.create_user(&root, "rita@example.com", "Rita", false, password()).await.unwrap();
        engine.set_member(&root, world.tenant, user, Role::Readonly).await.unwrap();
        let rita = Actor::person(user, "Rita", "rita@example.com");
        let newest = async || {
            let filter = audit::Filter { limit: 1, ..audit::Filter::default() };
            let entry = audit::list(&world.database.db, &filter).await.unwrap().remove(0);
            assert_eq!((entry.actor_id, entry.outcome), (Some(user), audit::Outcome::Denied));
            (entry.action, entry.tenant_id)
        };
        assert!(engine.create_user(&rita, "eve@example.com", "Eve", true, password()).await.is_err());
        assert_eq!(newest().await, ("user.created".to_owned(), None));
        assert!(engine.set_password(&rita, user, password()).await.is_err());
        assert_eq!(newest().await, ("user.password_changed".to_owned(), None));
        assert!(engine.check_tenant(&rita, world.tenant, false).await.is_err());
        assert_eq!(newest().await, ("tenants.check.dispatched".to_owned(), Some(world.tenant)));
    }

    async fn a_role_decides_and_a_stranger_sees_no_tenant(test: TestDatabase) {
        let world = World::new(test, 50).await;
        let (engine, root) = (&world.engine, Actor::command_line());
        let user = engine.create_user(&root, "rita@example.com", "Rita", false, password()).await.unwrap();
        let rita = Actor::person(user, "Rita", "rita@example.com");
        let selection = World::some(&["namedLocation"]);
        let stranger = engine.dispatch_sync(&rita, world.tenant, &selection).await;
        assert!(matches!(stranger, Err(EngineError::NotFound(_))), "{stranger:?}");
        engine.set_member(&root, world.tenant, user, Role::Readonly).await.unwrap();
        let reader = engine.dispatch_sync(&rita, world.tenant, &selection).await;
        assert!(matches!(reader, Err(EngineError::Forbidden)), "{reader:?}");
        engine.set_member(&root, world.tenant, user, Role::Operator).await.unwrap();
        engine.dispatch_sync(&rita, world.tenant, &selection).await.unwrap();
        let edit = engine.remove_member(&rita, world.tenant, user).await;
        assert!(matches!(edit, Err(EngineError::Forbidden)), "{edit:?}");
        engine.set_member(&root, world.tenant, user, Role::Owner).await.unwrap();
        let rita = world.in_session(rita).await;
        let last = engine.set_member(&rita, world.tenant, user, Role::Readonly).await;
        assert!(matches!(last, Err(EngineError::Conflict(_))), "{last:?}");
        assert_eq!(members::effective_role(&world.database.db, world.tenant, user).await.unwrap(), Some(Role::Owner));
    }

    async fn the_check_names_each_missing_permission_with_its_types(test: TestDatabase) {
        let granted = ["DeviceManagementConfiguration.Read.All", "Policy.Read.All", "Organization.Read.All"];
        let simulated = SimTenant {
            roles: Some(granted.iter().map(|role| (*role).to_owned()).collect()),
            ..SimTenant::new("Contoso", 7, 50)
        };
        let world = World::with(test, simulated, quick()).await;
        let (run, tenant) = world.check(false).await;
        assert_eq!((tenant.connection_status, tenant.connection_reason), (ConnectionStatus::Degraded, Some(ReasonCode::PermissionMissing)));
        assert_eq!(tenant.organization.as_deref(), Some("Contoso"));
        assert_eq!(tenant.licence, Some(Licence::Present));
        assert_eq!(run.status, OperationStatus::CompletedWithErrors);
        let failed: Vec<_> = run.failures.iter().filter_map(|failure| failure.item_id.as_deref()).collect();
        assert!(failed.contains(&"permission:DeviceManagementApps.Read.All"), "{failed:?}");
        assert!(!failed.contains(&"permission:Policy.Read.All"), "{failed:?}");
        let db = &world.database.db;
        let apps = permissions::list(db, world.tenant).await.unwrap();
        let apps = apps.iter().find(|one| one.permission == "DeviceManagementApps.Read.All").unwrap();
        assert!(apps.required_by.iter().any(|key| key == "mobileApp"), "{apps:?}");
        let stored = permissions::list(db, world.tenant).await.unwrap();
        assert!(stored.iter().any(|row| row.permission == "Policy.Read.All" && row.granted));
        assert!(stored.iter().any(|row| row.permission == "DeviceManagementApps.Read.All" && !row.granted));
    }

    async fn a_check_of_first_pages_tells_which_types_cannot_be_read(test: TestDatabase) {
        let world = World::new(test, 50).await;
        let refused = Fault::always("deviceManagement/configurationPolicies", FaultKind::Unavailable);
        world.simulator.control().set_faults(vec![refused]);
        let (run, tenant) = world.check(true).await;
        let failed: Vec<_> = run.failures.iter().filter(|one| one.kind == FailureKind::Failed).collect();
        assert!(failed.iter().all(|one| one.reason_code == ReasonCode::GraphUnavailable), "{failed:?}");
        assert!(failed.iter().any(|one| one.item_id.as_deref() == Some("type:settingsCatalogPolicy")), "{failed:?}");
        assert!(run.counters.succeeded > 80, "the others were asked: {:?}", run.counters);
        assert_eq!(tenant.connection_status, ConnectionStatus::Degraded);
        assert_eq!(tenant.connection_reason, Some(ReasonCode::GraphUnavailable));
        let items = inventory::has_items(&world.database.db, world.tenant).await.unwrap();
        assert!(!items, "a check stores nothing of the inventory");
    }

    async fn a_check_of_a_connection_that_changed_meanwhile_is_not_kept(test: TestDatabase) {
        let world = World::new(test, 50).await;
        world.simulator.control().hold("deviceManagement/deviceConfigurations");
        let root = Actor::command_line();
        let run = world.engine.check_tenant(&root, world.tenant, false).await.unwrap().state.id;
        world.held().await;
        let secret = tenants::TenantCredential::ClientSecret(SecretString::from("another one"));
        world.engine.rotate_credential(&root, world.tenant, &secret).await.unwrap();
        world.release();
        let state = world.ended(run).await;
        assert_eq!((state.status, state.reason_code), (OperationStatus::Failed, Some(ReasonCode::ConnectionChanged)));
        let tenant = tenants::get(&world.database.db, world.tenant).await.unwrap().unwrap();
        assert_eq!((tenant.connection_status, tenant.licence), (ConnectionStatus::Unchecked, None));
    }

    async fn a_check_goes_on_where_its_worker_stopped(test: TestDatabase) {
        let world = World::new(test, 50).await;
        world.simulator.control().hold("deviceManagement/configurationPolicies");
        let root = Actor::command_line();
        let run = world.engine.check_tenant(&root, world.tenant, true).await.unwrap().state.id;
        world.held().await;
        world.until(run, |state| state.counters.processed > 2).await;
        assert!(world.engine.shutdown().await);
        world.release();
        let other = Engine::start(quick(), world.database.db.clone(), world.vault.clone(), graph());
        let state = world.ended(run).await;
        assert_eq!((state.status, state.attempt), (OperationStatus::Completed, 2));
        assert_eq!(state.counters.succeeded, state.counters.total, "each was counted once: {:?}", state.counters);
        other.shutdown().await;
    }

    async fn a_tenant_goes_with_everything_but_its_audit(test: TestDatabase) {
        let world = World::new(test, 200).await;
        world.sync(&World::some(&["settingsCatalogPolicy"])).await;
        let root = Actor::command_line();
        let wrong = world.engine.remove_tenant(&root, world.tenant, "contoso?").await;
        assert!(matches!(wrong, Err(EngineError::Invalid { .. })), "{wrong:?}");
        world.engine.remove_tenant(&root, world.tenant, "Contoso").await.unwrap();
        let db = &world.database.db;
        assert_eq!(tenants::get(db, world.tenant).await.unwrap(), None);
        let filter = audit::Filter { tenant_id: Some(world.tenant), limit: 100, ..Default::default() };
        let entries = audit::list(db, &filter).await.unwrap();
        assert_eq!(entries.first().map(|entry| entry.action.as_str()), Some("tenant.removed"));
        assert!(entries.len() >= 4);
        // Its rows go in pieces, which nobody waits for.
        let gone = async {
            while tenants::retired(db).await.unwrap().is_some() || inventory::has_items(db, world.tenant).await.unwrap() {
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(60), gone).await.expect("the sweeper deletes them");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_secret_is_a_result_of_the_check_and_not_an_error() {
    let world = World::new(TestDatabase::sqlite().await, 50).await;
    let root = Actor::command_line();
    let wrong = tenants::TenantCredential::ClientSecret(SecretString::from("wrong"));
    world.engine.rotate_credential(&root, world.tenant, &wrong).await.unwrap();
    let (run, tenant) = world.check(false).await;
    assert_eq!(
        (tenant.connection_status, tenant.connection_reason),
        (ConnectionStatus::Failed, Some(ReasonCode::AuthFailed))
    );
    assert_eq!((run.status, run.counters.failed), (OperationStatus::Failed, 1), "the rest could not be asked");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_check_signs_in_afresh_and_needs_a_graph_that_answers() {
    let world = World::new(TestDatabase::sqlite().await, 50).await;
    assert_eq!(world.check(false).await.1.connection_status, ConnectionStatus::Ok);
    let tokens = world.simulator.control().counts().tokens;
    world.check(false).await;
    assert_eq!(
        world.simulator.control().counts().tokens,
        tokens + 1,
        "the token of before shows what was granted then"
    );
    world.simulator.control().set_faults(vec![Fault::always("", FaultKind::Unavailable)]);
    let (_, tenant) = world.check(false).await;
    assert_eq!(
        (tenant.connection_status, tenant.connection_reason),
        (ConnectionStatus::Failed, Some(ReasonCode::GraphUnavailable))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_credential_does_not_follow_a_connection_to_other_addresses() {
    let world = World::new(TestDatabase::sqlite().await, 50).await;
    let (engine, root, db) = (&world.engine, Actor::command_line(), &world.database.db);
    let known = tenants::get(db, world.tenant).await.unwrap().unwrap();
    let mut details = TenantDetails {
        name: "Contoso Ltd".to_owned(),
        entra_tenant_id: known.entra_tenant_id.clone(),
        cloud: known.cloud,
        login_url: known.login_url.clone(),
        graph_url: known.graph_url.clone(),
        environment: known.environment,
        client_id: known.client_id.clone(),
    };
    assert!(!engine.update_tenant(&root, world.tenant, &details).await.unwrap(), "another name is no other address");
    world.check(false).await;
    details.login_url = Some("http://127.0.0.1:9/elsewhere".to_owned());
    assert!(engine.update_tenant(&root, world.tenant, &details).await.unwrap());
    assert!(tenants::credential(db, &world.vault, world.tenant).await.unwrap().is_none());
    let check = engine.check_tenant(&root, world.tenant, false).await;
    assert!(matches!(check, Err(EngineError::Invalid { field: "credential", .. })), "{check:?}");
    let filter = audit::Filter { tenant_id: Some(world.tenant), limit: 10, ..Default::default() };
    let entries = audit::list(db, &filter).await.unwrap();
    assert!(entries.iter().any(|entry| entry.action == "tenant.credential_removed"));
    let updated = entries.iter().find(|entry| entry.action == "tenant.updated").unwrap();
    assert_eq!(updated.context["login_host"], "http://127.0.0.1:9");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_credential_is_used_only_for_what_it_was_entered_for() {
    let world = World::new(TestDatabase::sqlite().await, 50).await;
    let (engine, root, db) = (&world.engine, Actor::command_line(), &world.database.db);
    let known = tenants::get(db, world.tenant).await.unwrap().unwrap();
    let details = |change: fn(&mut TenantDetails)| {
        let mut details = TenantDetails {
            name: known.name.clone(),
            entra_tenant_id: known.entra_tenant_id.clone(),
            cloud: known.cloud,
            login_url: known.login_url.clone(),
            graph_url: known.graph_url.clone(),
            environment: known.environment,
            client_id: known.client_id.clone(),
        };
        change(&mut details);
        details
    };
    let secret = tenants::TenantCredential::ClientSecret(SecretString::from("a secret"));
    let elsewhere: [fn(&mut TenantDetails); 5] = [
        |details| details.entra_tenant_id = "00000000-0000-0000-0000-000000000001".to_owned(),
        |details| details.client_id = "00000000-0000-0000-0000-000000000002".to_owned(),
        |details| details.login_url = Some("http://127.0.0.1:9/login".to_owned()),
        |details| details.graph_url = Some("http://127.0.0.1:9/graph".to_owned()),
        |details| {
            details.cloud = tenants::Cloud::China;
            (details.login_url, details.graph_url) = (None, None);
        },
    ];
    for (index, change) in elsewhere.into_iter().enumerate() {
        engine.update_tenant(&root, world.tenant, &details(|_| {})).await.unwrap();
        engine.rotate_credential(&root, world.tenant, &secret).await.unwrap();
        assert!(engine.update_tenant(&root, world.tenant, &details(change)).await.unwrap(), "change {index}");
        assert!(tenants::credential(db, &world.vault, world.tenant).await.unwrap().is_none(), "change {index}");
    }
    engine.update_tenant(&root, world.tenant, &details(|_| {})).await.unwrap();
    engine.rotate_credential(&root, world.tenant, &secret).await.unwrap();
    let same = details(|details| details.environment = tenants::Environment::Prod);
    assert!(!engine.update_tenant(&root, world.tenant, &same).await.unwrap());
    assert!(tenants::credential(db, &world.vault, world.tenant).await.unwrap().is_some(), "a badge is no other place");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn objects_of_another_directory_never_land_in_the_same_inventory() {
    let world = World::new(TestDatabase::sqlite().await, 50).await;
    world.sync(&World::some(&["settingsCatalogPolicy"])).await;
    let (engine, root, db) = (&world.engine, Actor::command_line(), &world.database.db);
    let known = tenants::get(db, world.tenant).await.unwrap().unwrap();
    let other = TenantDetails {
        name: known.name.clone(),
        entra_tenant_id: "00000000-0000-0000-0000-000000000001".to_owned(),
        cloud: known.cloud,
        login_url: known.login_url.clone(),
        graph_url: known.graph_url.clone(),
        environment: known.environment,
        client_id: known.client_id.clone(),
    };
    let refused = engine.update_tenant(&root, world.tenant, &other).await;
    assert!(matches!(refused, Err(EngineError::Invalid { field: "entra_tenant_id", .. })), "{refused:?}");
    assert_eq!(tenants::get(db, world.tenant).await.unwrap().unwrap(), known);
    assert!(tenants::credential(db, &world.vault, world.tenant).await.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_those_who_administer_the_platform_choose_addresses_that_the_server_asks() {
    let world = World::new(TestDatabase::sqlite().await, 50).await;
    let (engine, root, db) = (&world.engine, Actor::command_line(), &world.database.db);
    let user = engine.create_user(&root, "mia@example.com", "Mia", false, password()).await.unwrap();
    engine.set_member(&root, world.tenant, user, Role::Owner).await.unwrap();
    let mia = world.in_session(Actor::person(user, "Mia", "mia@example.com")).await;
    let known = tenants::get(db, world.tenant).await.unwrap().unwrap();
    let mut details = TenantDetails {
        name: "Contoso Ltd".to_owned(),
        entra_tenant_id: known.entra_tenant_id.clone(),
        cloud: known.cloud,
        login_url: known.login_url.clone(),
        graph_url: known.graph_url.clone(),
        environment: known.environment,
        client_id: known.client_id.clone(),
    };
    engine.update_tenant(&mia, world.tenant, &details).await.expect("addresses that are there already may stay");
    details.graph_url = Some("http://127.0.0.1:9/graph".to_owned());
    let refused = engine.update_tenant(&mia, world.tenant, &details).await;
    assert!(matches!(refused, Err(EngineError::Forbidden)), "{refused:?}");
    assert_eq!(tenants::get(db, world.tenant).await.unwrap().unwrap().graph_url, known.graph_url);
    engine.set_platform_admin(&root, user, true).await.unwrap();
    engine.update_tenant(&mia, world.tenant, &details).await.unwrap();
}
