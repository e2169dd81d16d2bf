//! How long a dispatch takes while ten syncs keep the database busy.

use std::time::{Duration, Instant};

use anyhow::Result;
use tenantatlas_domain::registry::registry;
use tenantatlas_domain::selection::Selection;
use tenantatlas_engine::{Actor, Engine, EngineConfig};
use tenantatlas_graph::{GraphClient, GraphClientOptions};
use tenantatlas_store::{Db, Vault};

use crate::simulated;
use crate::spread::Spread;
use crate::whole::database;

const SYNCS: usize = 10;
const DISPATCHES: usize = 200;

/// Prints the spread of the times.
pub async fn measure(name: &str, postgres: Option<&str>) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let database = database(folder.path(), postgres).await?;
    let db = Db::connect(&database).await?;
    db.migrate().await?;
    let vault = Vault::open(&db, &folder.path().join("key")).await?;
    // More wait in one tenant than a server takes, so that each dispatch makes a run.
    let config = {
        let mut config = EngineConfig::default();
        config.runs.waiting_per_tenant = u32::MAX;
        config
    };
    let graph = GraphClientOptions { allowed_networks: vec!["127.0.0.1/32".parse()?], ..GraphClientOptions::default() };
    let engine = Engine::start(config, db, vault, GraphClient::new(graph));
    let (_cloud, ids) = simulated::cloud(&engine, SYNCS as u64 + 1, 20_000, Duration::from_millis(20)).await?;
    let actor = Actor::command_line();
    for tenant in &ids[..SYNCS] {
        engine.dispatch_sync(&actor, *tenant, &Selection::full(registry())).await?;
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    let keys: Vec<&str> = registry().default_on().map(|policy_type| policy_type.key).collect();
    let mut times = Vec::with_capacity(DISPATCHES);
    for index in 0..DISPATCHES {
        // Each a selection of its own, so that each creates a run.
        let chosen = [keys[index % keys.len()], keys[(index / keys.len() + index + 1) % keys.len()]];
        let selection = Selection {
            policy_types: chosen.iter().map(|key| (*key).to_owned()).collect(),
            categories: Vec::new(),
            include_foundations: false,
            include_dependencies: index % 2 == 0,
        };
        let started = Instant::now();
        engine.dispatch_sync(&actor, ids[SYNCS], &selection).await?;
        times.push(started.elapsed());
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    let spread = Spread::of(times);
    println!(
        "| {name} | {DISPATCHES} | {:.1} ms | {:.1} ms | {:.1} ms | p95 below 100 ms |",
        spread.at(0.5),
        spread.at(0.95),
        spread.at(1.0)
    );
    engine.shutdown().await;
    Ok(())
}
