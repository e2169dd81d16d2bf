use crate::support::*;
use tenantatlas_engine::*;
use tenantatlas_graph_sim::SimTenant;
use tenantatlas_store::testing::TestDatabase;
fn rss() -> u64 {
    std::fs::read_to_string("/proc/self/status")
        .unwrap()
        .lines()
        .find(|l| l.starts_with("VmHWM"))
        .unwrap()
        .split_whitespace()
        .nth(1)
        .unwrap()
        .parse::<u64>()
        .unwrap()
        / 1024
}
async fn big(database: TestDatabase, n: u64) {
    let world = World::with(database, SimTenant::new("Contoso", 7, n), EngineConfig::default()).await;
    for _ in 0..2 {
        let t = std::time::Instant::now();
        let s = world.sync(&World::everything()).await;
        eprintln!(
            "SCRATCH {} items {:?} in {:?} requests {} peak {} MB {:?}",
            s.run.items_observed_count,
            s.run.status,
            t.elapsed(),
            s.run.error_context,
            rss(),
            s.troubles()
        );
    }
}
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scratch_sqlite() {
    big(TestDatabase::sqlite().await, std::env::var("N").unwrap().parse().unwrap()).await
}
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scratch_postgres() {
    big(TestDatabase::postgres().await, std::env::var("N").unwrap().parse().unwrap()).await
}
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scratch_dispatch() {
    let config = EngineConfig { tenant_sync_limit: 12, ..EngineConfig::default() };
    let world = World::with(TestDatabase::sqlite().await, SimTenant::new("Contoso", 7, 20_000), config).await;
    let keys: Vec<_> = tenantatlas_domain::registry::registry().all().iter().map(|p| p.key).collect();
    for i in 0..10 {
        let mut s = World::everything();
        s.policy_types.retain(|k| k != keys[i]);
        s.include_foundations = false;
        world.dispatch(&s).await;
    }
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    let mut times = vec![];
    for i in 0..60 {
        let t = std::time::Instant::now();
        let mut s = World::everything();
        s.policy_types.retain(|k| k != keys[i + 12] && k != keys[0]);
        s.include_foundations = false;
        world.dispatch(&s).await;
        times.push(t.elapsed());
        tokio::time::sleep(std::time::Duration::from_millis(30)).await;
    }
    times.sort();
    eprintln!(
        "SCRATCH working {} p50 {:?} p95 {:?} max {:?}",
        world.engine.stats().working,
        times[30],
        times[57],
        times[59]
    );
}
