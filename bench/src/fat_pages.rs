//! Tenants whose every listing answers with pages of many megabytes: what the server holds at most.

use std::time::Duration;

use anyhow::{Context as _, Result};
use secrecy::SecretString;
use serde_json::json;
use tenantatlas_domain::registry::registry;
use tenantatlas_domain::selection::Selection;
use tenantatlas_engine::{Actor, Engine, EngineConfig};
use tenantatlas_graph::{GraphClient, GraphClientOptions};
use tenantatlas_store::tenants::{self, Cloud as CloudKind, Environment, TenantCredential, TenantDetails};
use tenantatlas_store::{Db, Vault, operation_runs};

use crate::process::Cloud;
use crate::site::Server;
use crate::whole::database;

/// Tenants that are read at the same time, each in a cloud of its own.
const TENANTS: usize = 6;
/// How long all syncs may take.
const PATIENCE: Duration = Duration::from_secs(600);

/// Prints a line for pages of so many megabytes.
pub async fn measure(megabytes: u64) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let database = database(folder.path(), None).await?;
    let db = Db::connect(&database).await?;
    db.migrate().await?;
    // It only dispatches: the server works, and its memory is what is measured.
    let vault = Vault::open(&db, &folder.path().join("tenantatlas.key")).await?;
    let config = {
        let mut config = EngineConfig::default();
        config.runs.workers = 0;
        config
    };
    let desk = Engine::start(config, db.clone(), vault, GraphClient::new(GraphClientOptions::default()));
    let fault = json!({"faults": [{"path": "", "kind": {"hostile": {"fat_page": {"megabytes": megabytes}}}}]});
    let mut clouds = Vec::new();
    for index in 0..TENANTS {
        let cloud = Cloud::start(&["--objects", "100", "--seed", &(index + 1).to_string()])?;
        cloud.tell("faults", &fault).await?;
        let details = TenantDetails {
            name: format!("Fat {index}"),
            entra_tenant_id: cloud.fact("/tenants/0/tenant_id"),
            cloud: CloudKind::Custom,
            login_url: Some(cloud.fact("/login_url")),
            graph_url: Some(cloud.fact("/graph_url")),
            environment: Environment::Other,
            client_id: cloud.fact("/tenants/0/client_id"),
        };
        let credential = TenantCredential::ClientSecret(SecretString::from(cloud.fact("/tenants/0/client_secret")));
        desk.add_tenant(&Actor::command_line(), &details, &credential).await?;
        clouds.push(cloud);
    }
    let mut runs = Vec::new();
    for tenant in tenants::list(&db).await? {
        let run = desk.dispatch_sync(&Actor::command_line(), tenant.id, &Selection::full(registry())).await?;
        runs.push((tenant.id, run.run_id));
    }
    let server = Server::start(folder.path(), &database)?;
    let started = std::time::Instant::now();
    for (tenant, run) in runs {
        loop {
            let state = operation_runs::get(&db, tenant, run).await?.context("the run is there")?;
            if state.status.is_terminal() {
                break;
            }
            anyhow::ensure!(started.elapsed() < PATIENCE, "the syncs did not end");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
    let seconds = started.elapsed().as_secs_f64();
    let peak = server.peak_kb() * 1024 / 1_000_000;
    println!("| {TENANTS} | {megabytes} MB | {seconds:.1} | {peak} MB | under 500 MB |");
    desk.shutdown().await;
    drop(clouds);
    Ok(())
}
