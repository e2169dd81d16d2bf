//! What a process holds at most while many tenants answer with fat pages. A program of its own, since the most memory a
//! process ever had is what counts.
#![allow(clippy::print_stdout, reason = "the figure is for people")]

use std::time::Duration;

use secrecy::SecretString;
use tenantatlas_domain::registry::registry;
use tenantatlas_domain::selection::Selection;
use tenantatlas_engine::{Actor, Engine, EngineConfig};
use tenantatlas_graph::{GraphClient, GraphClientOptions};
use tenantatlas_graph_sim::{Fault, FaultKind, HostileBody, SimTenant, Simulator, SimulatorConfig};
use tenantatlas_store::tenants::{Cloud, Environment, TenantCredential, TenantDetails};
use tenantatlas_store::testing::TestDatabase;
use tenantatlas_store::{Vault, operation_runs};

/// The allocator that the product has: that of the C library keeps what one case left behind, at times a hundred megabytes, so
/// that the next seems to need it.
#[cfg(all(unix, not(target_env = "musl")))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Tenants that are read at the same time.
const TENANTS: u64 = 6;
/// The most memory that this process may ever have, in kilobytes.
const MOST: u64 = 500_000;
/// After this something waits for ever: it is a minute of one core, of which other tests leave little.
const PATIENCE: Duration = Duration::from_secs(1_800);

/// The most memory that this process ever had, in kilobytes (`proc(5)`).
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// Reads some types of all tenants, whose every listing is such a page.
async fn read_all(page: HostileBody, types: usize) {
    let tenants: Vec<_> = (0..TENANTS).map(|number| SimTenant::new(&format!("T{number}"), number + 1, 50)).collect();
    let config = SimulatorConfig { tenants: tenants.clone(), ..SimulatorConfig::default() };
    let simulator = Simulator::start(config, ([127, 0, 0, 1], 0).into()).await.unwrap();
    simulator.control().set_faults(vec![Fault::always("", FaultKind::Hostile(page))]);
    let database = TestDatabase::sqlite().await;
    let keys = tempfile::tempdir().unwrap();
    let vault = Vault::open(&database.db, &keys.path().join("key")).await.unwrap();
    let allowed_networks = vec!["127.0.0.0/8".parse().unwrap()];
    let client = GraphClient::new(GraphClientOptions { allowed_networks, ..GraphClientOptions::default() });
    let engine = Engine::start(EngineConfig::default(), database.db.clone(), vault, client);
    let selection = Selection {
        policy_types: registry().default_on().take(types).map(|policy_type| policy_type.key.to_owned()).collect(),
        categories: Vec::new(),
        include_foundations: false,
        include_dependencies: false,
    };
    let mut runs = Vec::new();
    for tenant in &tenants {
        let details = TenantDetails {
            name: tenant.name.clone(),
            entra_tenant_id: tenant.tenant_id.clone(),
            cloud: Cloud::Custom,
            login_url: Some(simulator.login_url()),
            graph_url: Some(simulator.graph_url()),
            environment: Environment::Other,
            client_id: tenant.client_id.clone(),
        };
        let credential = TenantCredential::ClientSecret(SecretString::from(tenant.client_secret.clone()));
        let id = engine.add_tenant(&Actor::command_line(), &details, &credential).await.unwrap();
        runs.push((id, engine.dispatch_sync(&Actor::command_line(), id, &selection).await.unwrap().run_id));
    }
    let ended = async {
        for (tenant, run) in runs {
            while !operation_runs::get(&database.db, tenant, run).await.unwrap().unwrap().status.is_terminal() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    };
    tokio::time::timeout(PATIENCE, ended).await.expect("all runs end");
    engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn six_tenants_with_fat_pages_or_with_many_small_values_stay_below_half_a_gigabyte() {
    // More than is read of a page, and then just below it.
    read_all(HostileBody::FatPage { megabytes: 60 }, 6).await;
    let refused = peak();
    read_all(HostileBody::FatPage { megabytes: 15 }, 4).await;
    let read = peak();
    // An object of which each byte becomes ninety: more than is held; as much as is held; and small enough to be read
    // without being counted.
    let mut small = [0; 3];
    for (peak_kilobytes, (items, kilobytes)) in small.iter_mut().zip([(1, 15_000), (10, 600), (100, 60)]) {
        read_all(HostileBody::SmallValues { items, kilobytes }, 1).await;
        *peak_kilobytes = peak();
    }
    println!(
        "peak in kB: {refused} when pages are refused, {read} when they are read, {small:?} with many small values"
    );
    assert!(refused < MOST && read < MOST && small.iter().all(|peak| *peak < MOST), "{refused}, {read}, {small:?} kB");
}
