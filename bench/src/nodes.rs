//! A night of many tenants, read by one, two and four processes on one PostgreSQL.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use tenantatlas_domain::ids::TenantId;
use tenantatlas_domain::registry::registry;
use tenantatlas_domain::selection::Selection;
use tenantatlas_engine::{Actor, Engine, EngineConfig};
use tenantatlas_graph::{GraphClient, GraphClientOptions};
use tenantatlas_graph_sim::Simulator;
use tenantatlas_store::operation_runs::{self, QueueDepth};
use tenantatlas_store::{Db, Vault};

use crate::process::{binary, memory_kb};
use crate::{simulated, whole};

/// What every answer of the cloud is delayed by.
const LATENCY: Duration = Duration::from_millis(150);
/// After that a night is given up.
const LONGEST: Duration = Duration::from_secs(1_800);

/// Workers as a process of their own, stopped when dropped.
struct Worker(Child);

impl Worker {
    fn start(folder: &Path, database: &str) -> Result<Self> {
        let process = Command::new(binary())
            .args(["worker", "--data-dir"])
            .arg(folder)
            .env("TENANTATLAS_DATABASE_URL", database)
            .env("TENANTATLAS_ALLOWED_NETWORKS", "127.0.0.1")
            .env("TENANTATLAS_RUNS_OF_OPERATION", "48")
            .env("TENANTATLAS_LOG", "error")
            .stdout(Stdio::null())
            .stderr(Stdio::inherit())
            .spawn()
            .context("the binary is not built: run make build")?;
        Ok(Self(process))
    }

    /// The time of processors that it has taken so far, from the fields `utime` and `stime` of proc(5), which count
    /// hundredths of a second.
    fn processor_seconds(&self) -> f64 {
        let text = std::fs::read_to_string(format!("/proc/{}/stat", self.0.id())).unwrap_or_default();
        let fields = text.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace();
        fields.skip(11).take(2).filter_map(|field| field.parse::<f64>().ok()).sum::<f64>() / 100.0
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Tenants of one cloud in one database; what is dispatched here is worked on elsewhere.
struct Night {
    engine: Engine,
    cloud: Simulator,
    tenants: Vec<TenantId>,
    database: String,
    folder: tempfile::TempDir,
}

/// Reads so many tenants of so many objects for the first time, and then again with 1, 2 and 4 processes.
pub async fn measure(tenants: u64, objects: u64, postgres: &str) -> Result<()> {
    let night = Night::make(tenants, objects, postgres).await?;
    night.read("first reading", 4).await?;
    let mut alone = None;
    for processes in [1, 2, 4] {
        for tenant in &night.cloud.control().config().tenants {
            night.cloud.control().evolve(&tenant.tenant_id, 1);
        }
        let seconds = night.read("a night later", processes).await?;
        let alone = *alone.get_or_insert(seconds);
        println!("|   | ×{:.2} | | | | | | | |", alone / seconds);
    }
    night.engine.shutdown().await;
    Ok(())
}

impl Night {
    async fn make(tenants: u64, objects: u64, postgres: &str) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let database = whole::fresh_database(postgres).await?;
        let db = Db::connect(&database).await?;
        db.migrate().await?;
        let vault = Vault::open(&db, &folder.path().join("tenantatlas.key")).await?;
        let mut config = EngineConfig::default();
        config.runs.workers = 0;
        let graph =
            GraphClientOptions { allowed_networks: vec!["127.0.0.1/32".parse()?], ..GraphClientOptions::default() };
        let engine = Engine::start(config, db, vault, GraphClient::new(graph));
        let (cloud, tenants) = simulated::cloud(&engine, tenants, objects, LATENCY).await?;
        Ok(Self { engine, cloud, tenants, database, folder })
    }

    /// Prints a line; answers with the seconds from the first process to the last end.
    async fn read(&self, which: &str, processes: usize) -> Result<f64> {
        let before = self.ended().await?;
        let all = Selection::full(registry());
        for tenant in &self.tenants {
            self.engine.dispatch_sync(&Actor::command_line(), *tenant, &all).await?;
        }
        self.cloud.control().reset_counts();
        let started = Instant::now();
        let workers: Vec<Worker> =
            (0..processes).map(|_| Worker::start(self.folder.path(), &self.database)).collect::<Result<_>>()?;
        let mut peaks = vec![0; processes];
        loop {
            for (peak, worker) in peaks.iter_mut().zip(&workers) {
                *peak = memory_kb(worker.0.id(), "VmHWM:").max(*peak);
            }
            let QueueDepth { pending, running } = operation_runs::queue_depth(self.engine.reader()).await?;
            if pending + running == 0 {
                break;
            }
            if started.elapsed() > LONGEST {
                bail!("{pending} runs wait and {running} run after {LONGEST:?}");
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let seconds = started.elapsed().as_secs_f64();
        let processor: f64 = workers.iter().map(Worker::processor_seconds).sum();
        let counts = self.cloud.control().counts();
        // A sync of each tenant, and what follows it where that is on.
        let after = self.ended().await?;
        let runs = after - before;
        let (largest, sum) = (peaks.iter().max().unwrap_or(&0), peaks.iter().sum::<u64>());
        println!(
            "| {which} | {processes} | {} | {runs} | {seconds:.1} | {:.1} | {} | {} MB | {} MB | {processor:.0} s |",
            self.tenants.len(),
            runs as f64 / seconds,
            counts.requests,
            largest * 1024 / 1_000_000,
            sum * 1024 / 1_000_000,
        );
        Ok(seconds)
    }

    /// How many runs have ended well.
    async fn ended(&self) -> Result<i64> {
        let pool = sqlx::PgPool::connect(&self.database).await?;
        let text = "SELECT COUNT(*), COUNT(CASE WHEN status <> 'completed' THEN 1 END) FROM bulk_operation_runs";
        let (all, others): (i64, i64) = sqlx::query_as(text).fetch_one(&pool).await?;
        pool.close().await;
        if others > 0 {
            bail!("{others} of {all} runs did not end well");
        }
        Ok(all)
    }
}
