//! What goes wrong on the way, and what the run says about it.

use tenantatlas_commands::CommandError;
use tenantatlas_domain::operation::OperationStatus;
use tenantatlas_domain::reason::ReasonCode;
use tenantatlas_domain::sync::{SyncRunStatus, TypeOutcome};
use tenantatlas_engine::RetryPart;
use tenantatlas_graph::Timeouts;
use tenantatlas_graph_sim::{Fault, FaultKind, SimTenant, Throttle};
use tenantatlas_store::inventory::StateFilter;
use tenantatlas_store::tenants::ConnectionStatus;
use tenantatlas_store::testing::{TestDatabase, on_both_engines};

use crate::support::{Synced, World, quick};

const CONFIGURATIONS: &str = "deviceManagement/deviceConfigurations";
const CATALOG: &str = "deviceManagement/configurationPolicies";

async fn world(objects: u64) -> World {
    World::new(TestDatabase::sqlite().await, objects).await
}

/// Syncs with these faults and expects that nothing is missing in the end.
async fn overcomes(faults: Vec<Fault>) -> Synced {
    let world = world(600).await;
    world.simulator.control().set_faults(faults);
    let synced = world.sync(&World::everything()).await;
    assert_eq!(synced.troubles(), Vec::<String>::new());
    let stored = world.stored().await;
    for (key, ids) in world.expected() {
        assert_eq!(stored.get(&key).cloned().unwrap_or_default(), ids, "{key}");
    }
    synced
}

/// Syncs two types with this fault in the first and expects how the first ends; the second must not suffer.
async fn ends_with(fault: FaultKind, outcome: TypeOutcome, code: ReasonCode) -> (World, Synced) {
    let world = world(600).await;
    world.simulator.control().set_faults(vec![Fault::always(CATALOG, fault)]);
    let synced = world.sync(&World::some(&["settingsCatalogPolicy", "conditionalAccessPolicy"])).await;
    let catalog = &synced.types["settingsCatalogPolicy"];
    assert_eq!((catalog.outcome, catalog.reason_code), (Some(outcome), Some(code)));
    assert_eq!(synced.types["conditionalAccessPolicy"].outcome, Some(TypeOutcome::Succeeded));
    (world, synced)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn throttling_with_and_without_a_word_on_when_is_waited_out() {
    let throttled = |retry_after: Option<&str>| FaultKind::Throttled { retry_after: retry_after.map(str::to_owned) };
    let synced = overcomes(vec![
        Fault::times("deviceManagement/", 2, throttled(None)),
        Fault::times("deviceAppManagement/", 2, throttled(Some("0.2"))),
        Fault::times("identity/", 1, throttled(Some("1"))),
    ])
    .await;
    assert!(synced.types.values().map(|one| one.throttled).sum::<u64>() >= 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn passing_faults_are_overcome() {
    overcomes(vec![
        Fault::times(CATALOG, 2, FaultKind::Unavailable),
        Fault::times(CONFIGURATIONS, 1, FaultKind::Reset),
        Fault::times("deviceAppManagement/mobileApps", 1, FaultKind::TruncatedJson),
        Fault::times("deviceManagement/intents", 1, FaultKind::SlowBody { pause_ms: 20 }),
        Fault::times("deviceManagement/assignmentFilters", 1, FaultKind::EmptyPage),
        Fault::always("deviceManagement/deviceCompliancePolicies", FaultKind::PartialCollections),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_expires_in_mid_run_is_replaced() {
    let revoked = |after| Fault::times("", 1, FaultKind::TokenRevoked).after(after);
    overcomes(vec![revoked(12), revoked(40), revoked(70)]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_expansion_is_read_item_by_item_and_gives_the_same_content() {
    let world = world(300).await;
    world.sync(&World::everything()).await;
    world.simulator.control().set_faults(vec![
        Fault::always(CONFIGURATIONS, FaultKind::ExpandRefused),
        Fault::always(CATALOG, FaultKind::ExpandRefused),
        Fault::always("deviceManagement/deviceCompliancePolicies", FaultKind::ExpandRefused),
    ]);
    let synced = world.sync(&World::everything()).await;
    assert_eq!(synced.troubles(), Vec::<String>::new());
    assert_eq!(synced.run.items_upserted_count, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_expansion_that_comes_in_part_is_followed_to_its_end() {
    let world = world(300).await;
    world.sync(&World::everything()).await;
    world.simulator.control().set_faults(vec![Fault::always("", FaultKind::PartialCollections)]);
    let synced = world.sync(&World::everything()).await;
    assert_eq!(synced.troubles(), Vec::<String>::new());
    assert_eq!(synced.run.items_upserted_count, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_that_is_refused_is_read_one_by_one() {
    overcomes(vec![Fault::always("$batch", FaultKind::BadRequest)]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_looping_or_foreign_link_fails_its_type_only() {
    ends_with(FaultKind::LoopingLink, TypeOutcome::Failed, ReasonCode::NextlinkLoop).await;
    let foreign = FaultKind::ForeignLink { host: "http://127.0.0.1:9".to_owned() };
    ends_with(foreign, TypeOutcome::Failed, ReasonCode::NextlinkForeignHost).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_permission_names_the_scope() {
    let (_, synced) = ends_with(FaultKind::Forbidden, TypeOutcome::Failed, ReasonCode::PermissionMissing).await;
    let message = synced.types["settingsCatalogPolicy"].message.clone().unwrap();
    assert!(message.contains("DeviceManagementConfiguration.Read.All"), "{message}");
    assert_eq!(synced.run.status, SyncRunStatus::Partial);
    assert_eq!(synced.run.error_codes, [ReasonCode::PermissionMissing]);
    assert_eq!(synced.operation.status, OperationStatus::CompletedWithErrors);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_segment_and_a_missing_licence_are_no_fault() {
    let (_, synced) = ends_with(FaultKind::UnknownSegment, TypeOutcome::Skipped, ReasonCode::NotFoundInCloud).await;
    assert_eq!(synced.run.status, SyncRunStatus::Success);
    ends_with(FaultKind::LicenceMissing, TypeOutcome::Skipped, ReasonCode::LicenseMissing).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenant_without_intune_skips_what_is_intune() {
    let simulated = SimTenant { intune: false, windows365: false, ..SimTenant::new("Fabrikam", 3, 200) };
    let world = World::with(TestDatabase::sqlite().await, simulated, quick()).await;
    let synced = world.sync(&World::everything()).await;
    assert_eq!(synced.run.status, SyncRunStatus::Success, "{:?}", synced.troubles());
    assert_eq!(synced.types["settingsCatalogPolicy"].outcome, Some(TypeOutcome::Skipped));
    assert_eq!(synced.types["settingsCatalogPolicy"].reason_code, Some(ReasonCode::LicenseMissing));
    assert_eq!(synced.types["conditionalAccessPolicy"].outcome, Some(TypeOutcome::Succeeded));
    assert_eq!(synced.operation.status, OperationStatus::Completed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_sign_in_fails_every_type_without_hammering() {
    let mut simulated = SimTenant::new("Contoso", 7, 100);
    simulated.client_secret = "the right one".to_owned();
    let world = World::with(TestDatabase::sqlite().await, simulated, quick()).await;
    let wrong = tenantatlas_store::tenants::TenantCredential::ClientSecret("a wrong one".to_owned().into());
    let actor = tenantatlas_engine::Actor::command_line();
    world.engine.rotate_credential(&actor, world.tenant, &wrong).await.unwrap();
    let synced = world.sync(&World::everything()).await;
    assert!(
        synced.types.values().all(|one| one.reason_code == Some(ReasonCode::AuthFailed)),
        "{:?}",
        synced.troubles()
    );
    assert_eq!(synced.types.len(), synced.operation.counters.total as usize);
    assert_eq!(synced.run.status, SyncRunStatus::Failed);
    assert_eq!(synced.operation.status, OperationStatus::Failed);
    let counts = world.simulator.control().counts();
    assert_eq!(counts.requests, 0);
    assert!(counts.tokens <= 2, "{counts:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_consent_every_type_says_so() {
    let simulated = SimTenant { consent: false, ..SimTenant::new("Contoso", 7, 100) };
    let world = World::with(TestDatabase::sqlite().await, simulated, quick()).await;
    let synced = world.sync(&World::some(&["settingsCatalogPolicy", "namedLocation"])).await;
    assert!(
        synced.types.values().all(|one| one.reason_code == Some(ReasonCode::ConsentMissing)),
        "{:?}",
        synced.troubles()
    );
    assert_eq!(synced.run.status, SyncRunStatus::Failed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_documented_throttle_slows_a_sync_but_loses_nothing() {
    let world = world(400).await;
    world.simulator.control().set_throttle(Some(Throttle { requests: 60, window_ms: 1_000 }));
    let synced = world.sync(&World::everything()).await;
    assert_eq!(synced.troubles(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn children_that_cannot_be_read_fail_their_type_and_nothing_else() {
    let world = world(400).await;
    let fault = Fault::always("termsAndConditions/", FaultKind::Forbidden);
    world.simulator.control().set_faults(vec![fault]);
    let synced = world.sync(&World::some(&["termsAndConditions", "deviceCategory"])).await;
    assert_eq!(synced.types["termsAndConditions"].outcome, Some(TypeOutcome::Failed));
    assert_eq!(synced.types["termsAndConditions"].items, 0, "a half-read item is not kept");
    assert_eq!(synced.types["deviceCategory"].outcome, Some(TypeOutcome::Succeeded));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_below_an_item_says_nothing_about_what_is_there() {
    let world = world(400).await;
    let selection = World::some(&["termsAndConditions", "deviceCategory"]);
    world.sync(&selection).await;
    let status = |status: u16| FaultKind::Status { status, code: "BadRequest".to_owned(), message: "No.".to_owned() };
    world.simulator.control().set_faults(vec![Fault::always("termsAndConditions/", status(400))]);
    let synced = world.sync(&selection).await;
    let terms = &synced.types["termsAndConditions"];
    assert_eq!((terms.outcome, terms.reason_code), (Some(TypeOutcome::Failed), Some(ReasonCode::ContractInvalid)));
    assert_eq!(synced.run.items_upserted_count, 0, "an item without its assignments is not the item");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_listing_that_breaks_off_in_the_middle_failed_whatever_the_refusal() {
    let world = world(3_000).await;
    let selection = World::some(&["settingsCatalogPolicy", "namedLocation"]);
    let whole = world.sync(&selection).await;
    assert!(whole.types["settingsCatalogPolicy"].pages > 1, "{whole:?}", whole = whole.types["settingsCatalogPolicy"]);
    for (status, code) in [(410, ReasonCode::NotFoundInCloud), (404, ReasonCode::NotFoundInCloud)] {
        let gone = FaultKind::Status { status, code: "Gone".to_owned(), message: "The token has expired.".to_owned() };
        world.simulator.control().set_faults(vec![Fault::always(CATALOG, gone).after(1)]);
        let synced = world.sync(&selection).await;
        let catalog = &synced.types["settingsCatalogPolicy"];
        assert_eq!((catalog.outcome, catalog.reason_code), (Some(TypeOutcome::Failed), Some(code)));
        assert_eq!(synced.run.status, SyncRunStatus::Partial);
        assert!(world.items(Some(StateFilter::Missing)).await.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_that_names_a_scope_is_no_success_without_a_license_and_names_no_other_scope() {
    let world = world(400).await;
    let refused = |path: &str, scopes: &str| {
        let message = format!("Application must have one of the following scopes: {scopes}");
        Fault::always(path, FaultKind::Status { status: 403, code: "Forbidden".to_owned(), message })
    };
    world.simulator.control().set_faults(vec![
        refused("virtualEndpoint/provisioningPolicies", "CloudPC.Read.All"),
        refused("conditionalAccess/namedLocations", "DeviceManagementConfiguration.Read.All"),
        refused(
            "deviceManagement/roleDefinitions",
            "DeviceManagementRBAC.ReadWrite.All, DeviceManagementRBAC.Read.All",
        ),
    ]);
    let types = [
        ("cloudPcProvisioningPolicy", "CloudPC.Read.All"),
        ("namedLocation", "DeviceManagementConfiguration.Read.All"),
        ("intuneRoleDefinition", "DeviceManagementRBAC.Read.All"),
    ];
    let synced = world.sync(&World::some(&types.map(|(key, _)| key))).await;
    for (key, scope) in types {
        let one = &synced.types[key];
        assert_eq!(
            (one.outcome, one.reason_code),
            (Some(TypeOutcome::Failed), Some(ReasonCode::PermissionMissing)),
            "{key}"
        );
        let message = one.message.clone().unwrap();
        assert!(message.starts_with(&format!("{scope} (the token carries it")), "{key}: {message}");
    }
    assert_eq!(synced.run.status, SyncRunStatus::Failed);
}

on_both_engines! {
    async fn a_retry_never_leaves_out_what_was_skipped_without_a_license_and_had_been_read(test: TestDatabase) {
        let world = World::new(test, 400).await;
        let selection = World::some(&["cloudPcProvisioningPolicy", "namedLocation"]);
        let unlicensed = vec![Fault::always("virtualEndpoint/provisioningPolicies", FaultKind::LicenceMissing)];
        let retry = async |of: &Synced| {
            let root = tenantatlas_engine::Actor::command_line();
            world.engine.runs().retry(&root, world.tenant, of.operation.id, RetryPart::Failed).await
        };
        world.simulator.control().set_faults(unlicensed.clone());
        let never = world.sync(&selection).await;
        assert!(matches!(retry(&never).await, Err(CommandError::Conflict(_))), "it was never there");
        world.simulator.control().set_faults(Vec::new());
        world.sync(&selection).await;
        world.simulator.control().set_faults(unlicensed);
        let outage = world.sync(&selection).await;
        assert_eq!(outage.types["cloudPcProvisioningPolicy"].outcome, Some(TypeOutcome::Skipped));
        world.simulator.control().set_faults(Vec::new());
        let again = retry(&outage).await.unwrap().state.id;
        world.ended(again).await;
        let healed = world.result(again).await;
        assert_eq!(healed.read(), ["cloudPcProvisioningPolicy"]);
        assert_eq!(healed.troubles(), Vec::<String>::new());
        assert!(world.items(Some(StateFilter::NotRead)).await.is_empty());
        assert!(matches!(retry(&outage).await, Err(CommandError::Conflict(_))), "it was read meanwhile");
    }

    async fn what_a_failed_type_did_not_show_is_not_read_and_never_missing(test: TestDatabase) {
        let world = World::new(test, 500).await;
        let selection = World::some(&["settingsCatalogPolicy", "deviceConfiguration"]);
        world.sync(&selection).await;
        let before = world.stored().await;
        world.simulator.control().evolve(&world.simulated.tenant_id, 1);
        world.simulator.control().set_faults(vec![Fault::always(CATALOG, FaultKind::Unavailable)]);
        let second = world.sync(&selection).await;
        assert_eq!(second.run.status, SyncRunStatus::Partial);
        assert_eq!(second.types["settingsCatalogPolicy"].outcome, Some(TypeOutcome::Failed));
        let missing = world.items(Some(StateFilter::Missing)).await;
        assert!(missing.iter().all(|row| row.item.policy_type == "deviceConfiguration"), "{missing:?}");
        let not_read = world.items(Some(StateFilter::NotRead)).await;
        assert_eq!(not_read.len(), before["settingsCatalogPolicy"].len());
        assert!(not_read.iter().all(|row| row.item.policy_type == "settingsCatalogPolicy"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_cloud_does_not_keep_a_cancelled_run_alive() {
    let world = world(400).await;
    // The answer never comes: only the cancelling can end the run.
    world.simulator.control().hold("");
    let run = world.dispatch(&World::everything()).await;
    world.held().await;
    let begun = std::time::Instant::now();
    world.engine.runs().cancel(&tenantatlas_engine::Actor::command_line(), world.tenant, run).await.unwrap();
    let state = world.ended(run).await;
    assert_eq!(state.status, OperationStatus::Aborted);
    assert!(begun.elapsed() < Timeouts::default().idle, "the wait for the cloud was cut short: {:?}", begun.elapsed());
}

/// Lets PostgreSQL take back the first three transactions that change rows of a table in which `condition` holds, as it does
/// for one of two that wait for each other. The sequence counts them, since no transaction takes it back.
async fn take_back_three(database: &TestDatabase, table: &str, condition: &str) {
    for text in [
        format!("CREATE SEQUENCE taken_back_{table}"),
        format!(
            "CREATE FUNCTION take_back_{table}() RETURNS TRIGGER LANGUAGE plpgsql AS $$
             BEGIN
                 IF nextval('taken_back_{table}') <= 3 THEN
                     RAISE EXCEPTION USING ERRCODE = 'deadlock_detected', MESSAGE = 'a fault that passes';
                 END IF;
                 RETURN NEW;
             END $$"
        ),
        format!(
            "CREATE TRIGGER take_back BEFORE UPDATE ON {table} FOR EACH ROW WHEN ({condition})
             EXECUTE FUNCTION take_back_{table}()"
        ),
    ] {
        database.execute(&text).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fault_of_the_database_that_passes_fails_no_check_and_counts_no_unit_twice() {
    let world = World::new(TestDatabase::postgres().await, 50).await;
    let database = &world.database;
    take_back_three(database, "bulk_operation_runs", "NEW.processed_items = 2 AND OLD.processed_items = 1").await;
    take_back_three(database, "tenants", "NEW.connection_checked_at IS NOT NULL").await;
    let (run, tenant) = world.check(false).await;
    assert_eq!((run.status, run.reason_code, run.attempt), (OperationStatus::Completed, None, 1));
    assert_eq!(run.counters.succeeded, run.counters.total);
    assert_eq!(tenant.connection_status, ConnectionStatus::Ok);
    for table in ["bulk_operation_runs", "tenants"] {
        let text = format!("SELECT last_value AS value FROM taken_back_{table}");
        assert_eq!(database.number(&text).await, 4, "three were taken back, and then it was done: {table}");
    }
}
