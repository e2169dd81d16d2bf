//! One round: a cloud, a database, processes, and what happens to them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use secrecy::SecretString;
use tempfile::TempDir;
use tenantatlas_domain::endpoint::DeliveryStatus;
use tenantatlas_domain::ids::{EndpointId, TenantId};
use tenantatlas_domain::operation::OperationStatus;
use tenantatlas_domain::registry::registry;
use tenantatlas_engine::{Actor, Engine, EngineConfig, RunnerConfig};
use tenantatlas_graph::{GraphClient, GraphClientOptions};
use tenantatlas_graph_sim::{Fault, FaultKind, SimTenant, Simulator, SimulatorConfig};
use tenantatlas_store::audit::Verification;
use tenantatlas_store::inventory::{ItemFilter, ItemQuery, ScopeView, StateFilter, list};
use tenantatlas_store::operation_runs::{self, OperationRun};
use tenantatlas_store::tenants::{Cloud, Environment, TenantCredential, TenantDetails};
use tenantatlas_store::{Db, Vault};
use tokio_util::sync::CancellationToken;

use crate::checks::Watch;
use crate::fleet::{Fleet, LEASE, Role};
use crate::hooks::{Receiver, every_delivery};
use crate::postgres::Postgres;
use crate::random::Random;
use crate::traffic::{Told, Traffic, some};

/// Tenants of a round.
const TENANTS: u64 = 5;
/// Objects of each.
const OBJECTS: u64 = 40;
/// How long is waited at the end for what was begun.
const PATIENCE: Duration = Duration::from_secs(240);

/// What happens.
pub struct Story {
    pub seed: u64,
    pub faults: u32,
}

/// How often what happened.
#[derive(Debug, Default)]
struct Tally {
    kills: u64,
    stops: u64,
    pauses: u64,
    connections_dropped: u64,
    restarts: u64,
    faults_of_the_cloud: u64,
    ended_by_themselves: u64,
}

/// What a round stands on. What is dropped first stands first.
pub struct Round {
    name: &'static str,
    seed: u64,
    faults: u32,
    fleet: Fleet,
    engine: Engine,
    tenants: Vec<(TenantId, SimTenant)>,
    endpoints: Vec<(TenantId, EndpointId)>,
    receiver: Receiver,
    cloud: Simulator,
    postgres: Option<Postgres>,
    tally: Tally,
    wrong: Vec<String>,
    folder: TempDir,
}

impl Round {
    /// Starts everything. Without a PostgreSQL server the database is a SQLite file.
    pub async fn begin(story: &Story, roles: &[Role], postgres: Option<Postgres>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let data = folder.path().join("data");
        DirBuilder::new().mode(0o700).create(&data).expect("the data folder");
        let file = format!("sqlite:{}", data.join("tenantatlas.db").display());
        let address = |name: &str| postgres.as_ref().map_or_else(|| file.clone(), |server| server.address(name));
        let db = Db::connect(&address("traffic")).await.expect("the database");
        db.migrate().await.expect("migrated");
        if let Some(postgres) = &postgres {
            postgres.note_writes().await;
        }
        let simulated: Vec<_> = (0..TENANTS)
            .map(|number| SimTenant::new(&format!("Tenant {number}"), story.seed + number, OBJECTS))
            .collect();
        let config = SimulatorConfig {
            tenants: simulated.clone(),
            latency: Duration::from_millis(5),
            ..SimulatorConfig::default()
        };
        let cloud = Simulator::start(config, ([127, 0, 0, 1], 0).into()).await.expect("the cloud");
        let engine = engine(&db, &data).await;
        let receiver = Receiver::start(Random::new(story.seed, 3)).await;
        let (mut tenants, mut endpoints) = (Vec::new(), Vec::new());
        for tenant in simulated {
            let id = add(&engine, &cloud, &tenant).await;
            endpoints.push((id, receiver.listen_to(&engine, id).await));
            tenants.push((id, tenant));
        }
        let addresses: Vec<String> = (0..=story.faults + 100).map(|number| address(&format!("p{number}"))).collect();
        let address_of = move |name: &str| addresses[name[1..].parse::<usize>().expect("a number")].clone();
        let name = if postgres.is_some() { "PostgreSQL" } else { "SQLite" };
        println!("chaos on {name}: seed {}, {} faults, {} processes", story.seed, story.faults, roles.len());
        Self {
            name,
            seed: story.seed,
            faults: story.faults,
            fleet: Fleet::start(folder.path().to_owned(), roles, address_of),
            engine,
            tenants,
            endpoints,
            receiver,
            cloud,
            postgres,
            tally: Tally::default(),
            wrong: Vec::new(),
            folder,
        }
    }

    /// Lets everything happen, and looks at what comes of it.
    pub async fn play(mut self) {
        let began = Instant::now();
        let (told, ended) = (Arc::new(Mutex::new(Told::default())), CancellationToken::new());
        let traffic = Traffic {
            engine: self.engine.clone(),
            tenants: self.tenants.iter().map(|(id, _)| *id).collect(),
            told: Arc::clone(&told),
        };
        let traffic = tokio::spawn(traffic.flow(Random::new(self.seed, 1), ended.clone()));
        let watch = tokio::spawn(watch(self.engine.clone(), ended.clone()));
        let mut random = Random::new(self.seed, 2);
        for _ in 0..self.faults {
            self.fault(&mut random).await;
            tokio::time::sleep(Duration::from_millis(200 + random.below(400))).await;
            self.fleet.wake(false).await;
            self.tally.ended_by_themselves += self.fleet.revive();
        }
        ended.cancel();
        traffic.await.expect("the traffic ends");
        let mut watch = watch.await.expect("the watch ends");
        self.cloud.control().set_faults(Vec::new());
        self.fleet.wake(true).await;
        self.until_quiet().await;
        self.read_all_again().await;
        self.until_quiet().await;
        let told = std::mem::take(&mut *told.lock().unwrap_or_else(PoisonError::into_inner));
        let runs = watch.conclude(self.engine.reader(), &told.runs).await;
        self.compare_inventories().await;
        self.compare_messages(&runs).await;
        self.verify().await;
        self.report(&told, &watch, &runs, began.elapsed());
        self.wrong.extend(watch.wrong);
        self.wrong.extend(told.wrong);
        let folder = self.folder;
        if !self.wrong.is_empty() {
            let kept = folder.keep();
            panic!("seed {}: {}\nthe logs of the processes: {}", self.seed, self.wrong.join("\n"), kept.display());
        }
    }

    /// Lets one thing go wrong.
    async fn fault(&mut self, random: &mut Random) {
        let one = random.index(self.fleet.len());
        match random.below(20) {
            0..=6 => {
                self.fleet.kill(one).await;
                self.tally.kills += 1;
            }
            7..=8 => {
                self.wrong.extend(self.fleet.stop(one).await);
                self.tally.stops += 1;
            }
            9..=12 => {
                let longer = Duration::from_millis(500 + random.below(2_500));
                self.tally.pauses += u64::from(self.fleet.pause(one, LEASE + longer).await);
            }
            13..=16 if self.postgres.is_some() => {
                let server = self.postgres.as_ref().expect("it is there");
                // The server may be about to start.
                self.tally.connections_dropped += server.drop_connections(1 + random.below(6)).await.unwrap_or(0);
            }
            17 if self.postgres.is_some() => {
                let server = self.postgres.as_ref().expect("it is there");
                server.restart(random.below(2) == 0).await;
                self.tally.restarts += 1;
            }
            _ => self.cloud_fault(random),
        }
    }

    /// Lets the cloud fail for a while, or move on.
    fn cloud_fault(&mut self, random: &mut Random) {
        self.tally.faults_of_the_cloud += 1;
        let count = u32::try_from(3 + random.below(20)).expect("a small number");
        let kind = match random.below(7) {
            0 => FaultKind::Unavailable,
            1 => FaultKind::Reset,
            2 => FaultKind::CutBody,
            3 => FaultKind::Throttled { retry_after: Some("1".to_owned()) },
            4 => FaultKind::Stall { pause_ms: 1_500 },
            5 => FaultKind::TokenRevoked,
            _ => {
                let tenant = &self.tenants[random.index(self.tenants.len())].1;
                self.cloud.control().evolve(&tenant.tenant_id, 1);
                return;
            }
        };
        self.cloud.control().add_fault(Fault::times("", count, kind).for_share(0.5));
    }

    /// Waits until nothing is under way.
    async fn until_quiet(&mut self) {
        let began = Instant::now();
        loop {
            match operation_runs::queue_depth(self.engine.reader()).await {
                Ok(depth) if depth.pending + depth.running == 0 => return,
                Ok(_) => {}
                Err(error) => println!("the database does not answer yet: {error}"),
            }
            if began.elapsed() > PATIENCE {
                // Told as stuck by whoever looks at the runs.
                return;
            }
            self.tally.ended_by_themselves += self.fleet.revive();
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Has every tenant read to the end, now that nothing goes wrong.
    async fn read_all_again(&mut self) {
        let keys: Vec<&str> = registry().all().iter().map(|one| one.key).collect();
        for (tenant, _) in &self.tenants {
            let dispatched = self.engine.dispatch_sync(&Actor::command_line(), *tenant, &some(&keys)).await;
            let run = dispatched.expect("dispatched").run_id;
            let began = Instant::now();
            let ended = loop {
                let found = operation_runs::get(self.engine.reader(), *tenant, run).await.expect("read");
                match found {
                    Some(run) if run.status.is_terminal() => break run,
                    _ if began.elapsed() > PATIENCE => return,
                    _ => tokio::time::sleep(Duration::from_millis(100)).await,
                }
            };
            if ended.status != OperationStatus::Completed {
                self.wrong.push(format!("the last reading of a tenant is {}: {:?}", ended.status, ended.failures));
            }
        }
    }

    /// What is known of each tenant is what the cloud has.
    async fn compare_inventories(&mut self) {
        for (tenant, simulated) in &self.tenants {
            let expected: BTreeMap<String, BTreeSet<String>> = (self.cloud.control().expected(&simulated.tenant_id))
                .into_iter()
                .filter(|(_, ids)| !ids.is_empty())
                .map(|(key, ids)| (key, ids.into_iter().collect()))
                .collect();
            let stored = stored(&self.engine, *tenant).await;
            for key in expected.keys().chain(stored.keys()).collect::<BTreeSet<_>>() {
                if expected.get(key) != stored.get(key) {
                    self.wrong.push(format!(
                        "{key} of {}: {:?} is {:?}",
                        simulated.name,
                        expected.get(key),
                        stored.get(key)
                    ));
                }
            }
        }
    }

    /// Every end of a run was told once, and taken at least once.
    async fn compare_messages(&mut self, runs: &[OperationRun]) {
        let began = Instant::now();
        let mut all = Vec::new();
        for (tenant, endpoint) in &self.endpoints {
            let told = loop {
                let told = every_delivery(self.engine.reader(), *tenant, *endpoint).await.expect("the messages");
                // The lease of a sender that was killed is a minute.
                let waiting = told.iter().any(|delivery| delivery.status == DeliveryStatus::Waiting);
                if !waiting || began.elapsed() > PATIENCE {
                    break told;
                }
                self.tally.ended_by_themselves += self.fleet.revive();
                tokio::time::sleep(Duration::from_millis(100)).await;
            };
            let runs: Vec<_> = runs.iter().filter(|run| run.tenant_id == *tenant).collect();
            self.wrong.extend(self.receiver.wrong(&told, &runs));
            all.extend(told);
        }
        self.wrong.extend(self.receiver.unknown(&all));
        let (messages, received) = self.receiver.counts();
        println!("  {messages} messages came {received} times");
    }

    /// The audit log is whole, and nobody wrote for a lease that was gone.
    async fn verify(&mut self) {
        let verified = self.engine.verify_audit().await.expect("the audit log is read");
        if !matches!(verified, Verification::Intact { .. }) {
            self.wrong.push(format!("the audit log: {verified:?}"));
        }
        if let Some(postgres) = &self.postgres {
            self.wrong.extend(postgres.wrong_writes().await);
            println!("  {} writes of workers were looked at", postgres.noted().await);
        }
    }

    fn report(&self, told: &Told, watch: &Watch, runs: &[OperationRun], took: Duration) {
        let mut ends: BTreeMap<String, usize> = BTreeMap::new();
        for run in runs {
            let reason = run.reason_code.map_or_else(String::new, |reason| format!(" {}", reason.as_str()));
            *ends.entry(format!("{}{reason}", run.status)).or_default() += 1;
        }
        let attempts: u64 = runs.iter().map(|run| u64::from(run.attempt)).sum();
        let leases: u64 = runs.iter().map(|run| u64::from(run.lost_leases)).sum();
        let wrong = |word: &str| watch.wrong.iter().filter(|one| one.starts_with(word)).count();
        let Tally { kills, stops, pauses, connections_dropped, restarts, faults_of_the_cloud, ended_by_themselves } =
            &self.tally;
        println!(
            "  {}: {} runs in {} s, {attempts} attempts, {leases} leases lost; ends {ends:?}\n  \
             {kills} kills, {stops} stops, {pauses} pauses, {connections_dropped} connections dropped, {restarts} restarts, \
             {faults_of_the_cloud} faults of the cloud, {ended_by_themselves} processes ended by themselves\n  \
             {} cancelled, {} retried, {} active already, {} refused, {} commands without an answer, {} looks\n  \
             {} lost, {} doubled, {} stuck",
            self.name,
            runs.len(),
            took.as_secs(),
            told.cancelled,
            told.retried,
            told.active_already,
            told.refused,
            told.unanswered,
            watch.looks,
            wrong("lost"),
            wrong("doubled"),
            wrong("stuck"),
        );
    }
}

/// An engine that dispatches and does no work.
async fn engine(db: &Db, data: &Path) -> Engine {
    let vault = Vault::open(db, &data.join("tenantatlas.key")).await.expect("the key");
    let options = GraphClientOptions {
        allowed_networks: vec!["127.0.0.0/8".parse().expect("a network")],
        ..GraphClientOptions::default()
    };
    let mut config =
        EngineConfig { runs: RunnerConfig { workers: 0, ..RunnerConfig::default() }, ..EngineConfig::default() };
    config.outgoing.allowed_networks = options.allowed_networks.clone();
    Engine::start(config, db.clone(), vault, GraphClient::new(options))
}

async fn add(engine: &Engine, cloud: &Simulator, simulated: &SimTenant) -> TenantId {
    let details = TenantDetails {
        name: simulated.name.clone(),
        entra_tenant_id: simulated.tenant_id.clone(),
        cloud: Cloud::Custom,
        login_url: Some(cloud.login_url()),
        graph_url: Some(cloud.graph_url()),
        environment: Environment::Dev,
        client_id: simulated.client_id.clone(),
    };
    let credential = TenantCredential::ClientSecret(SecretString::from(simulated.client_secret.clone()));
    engine.add_tenant(&Actor::command_line(), &details, &credential).await.expect("the tenant")
}

/// Looks at the runs all the time.
async fn watch(engine: Engine, ended: CancellationToken) -> Watch {
    let mut watch = Watch::default();
    while !ended.is_cancelled() {
        // The database may be away.
        let _ = watch.look(engine.reader()).await;
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    watch
}

/// Ids by type of what the latest run of a tenant saw.
async fn stored(engine: &Engine, tenant: TenantId) -> BTreeMap<String, BTreeSet<String>> {
    let db = engine.reader();
    let view = ScopeView::load(db, tenant, None).await.expect("the view");
    let mut stored: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut after = None;
    loop {
        let filter = ItemFilter { state: Some(StateFilter::Present), ..ItemFilter::default() };
        let query = ItemQuery { filter, after, limit: 500, ..ItemQuery::default() };
        let page = list(db, &view, &query).await.expect("the items");
        for row in page.rows {
            stored.entry(row.item.policy_type).or_default().insert(row.item.external_id);
        }
        after = page.next;
        if after.is_none() {
            return stored;
        }
    }
}
