//! How long a dispatch takes while somebody else dispatches as fast as they can.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use tenantatlas_domain::ids::{TenantId, UserId};
use tenantatlas_domain::registry::registry;
use tenantatlas_domain::role::Role;
use tenantatlas_domain::selection::Selection;
use tenantatlas_engine::{Actor, Engine, EngineConfig, EngineError};
use tenantatlas_graph::{GraphClient, GraphClientOptions};
use tenantatlas_store::users::{self, NewUser};
use tenantatlas_store::{Db, Vault, members};
use uuid::Uuid;

use crate::simulated;
use crate::spread::Spread;
use crate::whole::database;

/// Dispatches of the one who is too fast, and how many of them are under way at a time.
const FLOOD: usize = 2_500;
const AT_ONCE: usize = 12;
/// The others: people, and dispatches of each.
const OTHERS: usize = 4;
const EACH: usize = 50;

/// Prints the spread of the others' times, alone and beside the flood, and how much of the flood was refused.
pub async fn measure(name: &str, postgres: Option<&str>) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let db = Db::connect(&database(folder.path(), postgres).await?).await?;
    db.migrate().await?;
    let vault = Vault::open(&db, &folder.path().join("key")).await?;
    let graph = GraphClientOptions { allowed_networks: vec!["127.0.0.1/32".parse()?], ..GraphClientOptions::default() };
    let engine = Engine::start(EngineConfig::default(), db.clone(), vault, GraphClient::new(graph));
    let (_cloud, tenants) = simulated::cloud(&engine, OTHERS as u64 + 1, 2_000, Duration::from_millis(50)).await?;
    let mut people = Vec::new();
    for tenant in tenants {
        people.push((tenant, operator(&engine, &db, tenant, people.len()).await?));
    }
    let (fast, others) = people.split_first().context("there are people")?;

    let alone = dispatches_of(&engine, others).await?;
    let (taken, beside, began) = (AtomicUsize::new(0), AtomicUsize::new(0), Instant::now());
    let flood = async {
        let next = AtomicUsize::new(0);
        let one = async || -> Result<(), EngineError> {
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                if index >= FLOOD {
                    return Ok(());
                }
                match engine.dispatch_sync(&fast.1, fast.0, &selection(index)).await {
                    Ok(_) => taken.fetch_add(1, Ordering::Relaxed),
                    Err(EngineError::TooMany(_)) => beside.fetch_add(1, Ordering::Relaxed),
                    Err(error) => return Err(error),
                };
                // As often as a person's browser could ask over a network.
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        futures::future::try_join_all((0..AT_ONCE).map(|_| one())).await.map(|_| began.elapsed())
    };
    let (flooded, took) = tokio::join!(dispatches_of(&engine, others), flood);
    let (flooded, took) = (flooded?, took?);
    for (case, spread) in [("alone", &alone), ("beside the flood", &flooded)] {
        println!(
            "| {name} | {case} | {} | {:.1} ms | {:.1} ms | {:.1} ms | p95 below 100 ms |",
            OTHERS * EACH,
            spread.at(0.5),
            spread.at(0.95),
            spread.at(1.0)
        );
    }
    println!(
        "| {name} | the flood itself: {} taken, {} refused in {:.1} s | {FLOOD} | | | | |",
        taken.load(Ordering::Relaxed),
        beside.load(Ordering::Relaxed),
        took.as_secs_f64()
    );
    engine.shutdown().await;
    Ok(())
}

async fn operator(engine: &Engine, db: &Db, tenant: TenantId, index: usize) -> Result<Actor> {
    let id = UserId::from_uuid(Uuid::new_v4());
    let email = format!("operator{index}@example.com");
    let user = NewUser { id, email: email.clone(), name: format!("Operator {index}"), platform_admin: false };
    let mut tx = db.write().await?;
    users::create(&mut tx, &user, engine.now()).await?;
    members::set(&mut tx, tenant, id, Role::Operator, engine.now()).await?;
    tx.commit().await?;
    Ok(Actor::person(id, user.name, email))
}

/// The times of the dispatches of people who each start something and cancel it again, a few a second.
async fn dispatches_of(engine: &Engine, people: &[(TenantId, Actor)]) -> Result<Spread> {
    let each = people.iter().map(async |(tenant, actor)| -> Result<Vec<Duration>, EngineError> {
        let mut times = Vec::with_capacity(EACH);
        for index in 0..EACH {
            let began = Instant::now();
            let outcome = engine.dispatch_sync(actor, *tenant, &selection(index)).await?;
            times.push(began.elapsed());
            engine.runs().cancel(&Actor::command_line(), *tenant, outcome.run_id).await?;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Ok(times)
    });
    let times = futures::future::try_join_all(each).await?;
    Ok(Spread::of(times.into_iter().flatten().collect()))
}

/// A selection of its own for each index, so that each makes a run.
fn selection(index: usize) -> Selection {
    let keys: Vec<&str> = registry().default_on().map(|policy_type| policy_type.key).collect();
    let chosen = [keys[index % keys.len()], keys[(index / keys.len() + index + 1) % keys.len()]];
    Selection {
        policy_types: chosen.iter().map(|key| (*key).to_owned()).collect(),
        categories: Vec::new(),
        include_foundations: false,
        include_dependencies: false,
    }
}
