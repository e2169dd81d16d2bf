//! A cloud that answers to hurt, as a whole sync meets it: what it sends is bounded in sum, and what the run says is true.

use std::time::Duration;

use secrecy::SecretString;
use tenantatlas_domain::reason::ReasonCode;
use tenantatlas_domain::sync::{SyncRunStatus, TypeOutcome};
use tenantatlas_engine::{Actor, Engine};
use tenantatlas_graph::{GraphClient, GraphClientOptions, MemoryLimits};
use tenantatlas_graph_sim::{Fault, FaultKind, HostileBody, SimTenant, Simulator, SimulatorConfig};
use tenantatlas_store::tenants::{Cloud, Environment, TenantCredential, TenantDetails};
use tenantatlas_store::testing::TestDatabase;
use tenantatlas_store::{Vault, operation_runs, sync_runs};

use crate::support::{Synced, World, changed, graph_options};

const CATALOG: &str = "deviceManagement/configurationPolicies";

/// Reads two types with this fault in the first and expects how the first ends; the second must not suffer.
async fn ends_with(kind: FaultKind, code: ReasonCode) -> (World, Synced) {
    let world = World::new(TestDatabase::sqlite().await, 600).await;
    world.simulator.control().set_faults(vec![Fault::always(CATALOG, kind)]);
    let synced = world.sync(&World::some(&["settingsCatalogPolicy", "conditionalAccessPolicy"])).await;
    let catalog = &synced.types["settingsCatalogPolicy"];
    assert_eq!((catalog.outcome, catalog.reason_code), (Some(TypeOutcome::Failed), Some(code)), "{catalog:?}");
    assert_eq!(synced.types["conditionalAccessPolicy"].outcome, Some(TypeOutcome::Succeeded));
    (world, synced)
}

fn page(items: &str) -> FaultKind {
    let body = format!(r#"{{"@odata.context":"x","value":[{items}]}}"#);
    FaultKind::Raw { status: 200, content_type: "application/json".into(), body }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_item_that_is_none_fails_its_type_and_leaves_no_hole_unsaid() {
    for items in [
        "7",
        "null",
        "\"text\"",
        "[]",
        r#"{"name":"without an id"}"#,
        r#"{"id":"","name":"empty"}"#,
        r#"{"id":7,"name":"a number"}"#,
        r#"{"id":null,"name":"null"}"#,
        r#"{"id":"1","name":"cut \ud83d"}"#,
    ] {
        ends_with(page(items), ReasonCode::ContractInvalid).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nesting_within_an_item_fails_its_type_and_overflows_no_stack() {
    ends_with(FaultKind::Hostile(HostileBody::Deep { levels: 10_000 }), ReasonCode::ContractInvalid).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn odd_items_are_stored_once_and_as_they_may_be_shown() {
    let world = World::new(TestDatabase::sqlite().await, 50).await;
    let long = "n".repeat(100_000);
    let items = format!(
        r#"{{"id":"twice","name":"first"}},{{"id":"twice","name":"second"}},
           {{"id":"nul","name":"a\u0000b\u001b[31mc"}},{{"id":"long","name":"{long}"}},
           {{"id":"keys","id":"other","name":"one","name":"two"}}"#
    );
    // Whole otherwise: what the list was asked to expand is there.
    let items = items.replace(r#"{"id""#, r#"{"assignments":[],"settings":[],"id""#);
    world.simulator.control().set_faults(vec![Fault::always(CATALOG, page(&items))]);
    let synced = world.sync(&World::some(&["settingsCatalogPolicy"])).await;
    let stored = world.items(None).await;
    assert_eq!(synced.troubles(), Vec::<String>::new());
    let mut ids: Vec<_> = stored.iter().map(|row| row.item.external_id.as_str()).collect();
    ids.sort_unstable();
    assert_eq!(ids, ["long", "nul", "other", "twice"]);
    for row in &stored {
        assert!(!row.item.display_name.contains('\0'), "{:?}", row.item.display_name);
        assert!(row.item.display_name.chars().count() <= 512, "{}", row.item.display_name.len());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_id_of_any_length_ends_truthfully() {
    let world = World::new(TestDatabase::sqlite().await, 50).await;
    let item = format!(r#"{{"id":"{}","name":"huge"}}"#, "i".repeat(1_000_000));
    world.simulator.control().set_faults(vec![Fault::always(CATALOG, page(&item))]);
    let synced = world.sync(&World::some(&["settingsCatalogPolicy", "conditionalAccessPolicy"])).await;
    assert_eq!(synced.types["conditionalAccessPolicy"].outcome, Some(TypeOutcome::Succeeded));
    let catalog = &synced.types["settingsCatalogPolicy"];
    let stored = world.stored().await.get("settingsCatalogPolicy").map_or(0, std::collections::BTreeSet::len);
    assert_eq!(stored, usize::from(catalog.outcome == Some(TypeOutcome::Succeeded)), "{catalog:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_that_is_too_large_fails_its_type_and_names_the_limit() {
    let world = World::new(TestDatabase::sqlite().await, 3_000).await;
    let fat = FaultKind::Hostile(HostileBody::FatPage { megabytes: 20 });
    // The first page is in order, so that this is known for a Graph; the second is not.
    world.simulator.control().set_faults(vec![Fault::always(CATALOG, fat).after(1)]);
    let synced = world.sync(&World::some(&["settingsCatalogPolicy", "conditionalAccessPolicy"])).await;
    let catalog = &synced.types["settingsCatalogPolicy"];
    assert_eq!((catalog.outcome, catalog.reason_code), (Some(TypeOutcome::Failed), Some(ReasonCode::ParseFailed)));
    assert!(catalog.message.as_deref().unwrap_or_default().contains("larger than 17 MB"), "{catalog:?}");
    assert_eq!(synced.types["conditionalAccessPolicy"].outcome, Some(TypeOutcome::Succeeded));
    assert!(!world.stored().await["settingsCatalogPolicy"].is_empty(), "what was read before stays");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn syncs_of_many_tenants_with_little_room_are_all_read_to_their_end() {
    // Memory for two of the pages that this cloud sends, and for a few items with what lies below them.
    let memory = MemoryLimits { body: 2_000_000, pages: 600_000, workbenches: 400_000, workbench: 8_000_000 };
    let tenants: Vec<SimTenant> =
        (0..4).map(|number| SimTenant::new(&format!("T{number}"), number + 1, 1_500)).collect();
    let simulation = SimulatorConfig { tenants: tenants.clone(), ..SimulatorConfig::default() };
    let simulator = Simulator::start(simulation, ([127, 0, 0, 1], 0).into()).await.unwrap();
    let database = TestDatabase::sqlite().await;
    let keys = tempfile::tempdir().unwrap();
    let vault = Vault::open(&database.db, &keys.path().join("key")).await.unwrap();
    let client = GraphClient::new(GraphClientOptions { memory, ..graph_options() });
    let config = changed(|config| config.runs.workers = 4);
    let engine = Engine::start(config, database.db.clone(), vault, client);
    let mut runs = Vec::new();
    for tenant in &tenants {
        let details = TenantDetails {
            name: tenant.name.clone(),
            entra_tenant_id: tenant.tenant_id.clone(),
            cloud: Cloud::Custom,
            login_url: Some(simulator.login_url()),
            graph_url: Some(simulator.graph_url()),
            environment: Environment::Dev,
            client_id: tenant.client_id.clone(),
        };
        let credential = TenantCredential::ClientSecret(SecretString::from(tenant.client_secret.clone()));
        let id = engine.add_tenant(&Actor::command_line(), &details, &credential).await.unwrap();
        let run = engine.dispatch_sync(&Actor::command_line(), id, &World::everything()).await.unwrap().run_id;
        runs.push((id, run));
    }
    for (tenant, run) in runs {
        let ended = async {
            loop {
                let operation = operation_runs::get(&database.db, tenant, run).await.unwrap().unwrap();
                if operation.status.is_terminal() {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(300), ended).await.expect("nobody waits for ever");
        let sync = sync_runs::find_by_operation(&database.db, tenant, run).await.unwrap().unwrap();
        assert_eq!(sync.status, SyncRunStatus::Success, "{sync:?}");
    }
}
