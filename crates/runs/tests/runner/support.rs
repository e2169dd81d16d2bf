//! A runner with one operation on an empty database, a tenant and people.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use tempfile::TempDir;
use tenantatlas_commands::{Actor, Commands, SystemClock};
use tenantatlas_domain::ids::{OperationRunId, TenantId, UserId};
use tenantatlas_domain::live::RunState;
use tenantatlas_domain::role::Role;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_runs::{Operations, Runner, RunnerConfig};
use tenantatlas_store::operation_runs::{self, Limits, OperationRun};
use tenantatlas_store::tenants::{self, Cloud, Environment, TenantDetails};
use tenantatlas_store::testing::TestDatabase;
use tenantatlas_store::{Db, Vault, audit, members, users};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::counting::{Counting, Numbers};

/// How long a test waits for what must come, however busy the machine is.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// Everything a test needs; the database goes last.
pub struct World {
    pub runner: Runner,
    /// Lets so many numbers be counted.
    pub gate: Arc<Semaphore>,
    pub tenant: TenantId,
    pub user: UserId,
    pub olga: Actor,
    pub database: TestDatabase,
    keys: TempDir,
}

impl World {
    /// A runner that counts whatever it is given at once.
    pub async fn new(database: TestDatabase) -> Self {
        Self::with(database, Semaphore::MAX_PERMITS / 2, Limits { global: 4, per_tenant: 4 }).await
    }

    pub async fn with(database: TestDatabase, permits: usize, limits: Limits) -> Self {
        Self::with_workers(database, permits, limits, 3).await
    }

    pub async fn with_workers(database: TestDatabase, permits: usize, limits: Limits, workers: usize) -> Self {
        let keys = TempDir::new().unwrap();
        let gate = Arc::new(Semaphore::new(permits));
        let operations = Operations::default().with(Counting { gate: Arc::clone(&gate), limits });
        let config = RunnerConfig {
            workers,
            // Neither renewed nor lost while a test waits.
            lease: PATIENCE * 10,
            sweep_interval: Duration::from_millis(200),
            poll_interval: Duration::from_millis(100),
            ..RunnerConfig::default()
        };
        let (tenant, user) = (TenantId::from_uuid(Uuid::now_v7()), UserId::from_uuid(Uuid::now_v7()));
        let at = Timestamp::from_millis(1);
        let mut tx = database.db.write().await.unwrap();
        tenants::create(&mut tx, tenant, &details(), at).await.unwrap();
        let new = users::NewUser {
            id: user,
            email: "olga@example.com".to_owned(),
            name: "Olga".to_owned(),
            platform_admin: false,
        };
        users::create(&mut tx, &new, at).await.unwrap();
        members::set(&mut tx, tenant, user, Role::Operator, at).await.unwrap();
        tx.commit().await.unwrap();
        let commands = commands(&database.db, &keys).await;
        let runner = Runner::start(config, commands, operations);
        let olga = Actor::person(user, "Olga", "olga@example.com");
        Self { runner, gate, tenant, user, olga, database, keys }
    }

    /// Another process on the same database, by an address of its own, which dispatches and does no work.
    pub async fn beside(&self, address: &str) -> Runner {
        let db = Db::connect(address).await.unwrap();
        let gate = Arc::clone(&self.gate);
        let operations = Operations::default().with(Counting { gate, limits: Limits { global: 4, per_tenant: 4 } });
        let config = RunnerConfig { workers: 0, ..RunnerConfig::default() };
        Runner::start(config, commands(&db, &self.keys).await, operations)
    }

    /// Another process on the same database, by an address of its own, with one worker and leases of this length.
    pub async fn worker_by(&self, address: &str, lease: Duration) -> Runner {
        let db = Db::connect(address).await.unwrap();
        let operations = Operations::default()
            .with(Counting { gate: Arc::clone(&self.gate), limits: Limits { global: 4, per_tenant: 4 } });
        let config = RunnerConfig {
            workers: 1,
            poll_interval: Duration::from_millis(50),
            ..RunnerConfig::default().with_lease(lease)
        };
        Runner::start(config, commands(&db, &self.keys).await, operations)
    }

    pub async fn count(&self, numbers: &Numbers) -> OperationRunId {
        let dispatched = self.runner.dispatch::<Counting>(&self.olga, self.tenant, numbers, Vec::new()).await.unwrap();
        assert!(!dispatched.already_running);
        dispatched.state.id
    }

    /// Waits for the end of a run.
    pub async fn ended(&self, run: OperationRunId) -> RunState {
        self.until(run, RunState::ended).await
    }

    /// Waits until a run is in a state like this, which must be one that stays.
    pub async fn until(&self, run: OperationRunId, reached: impl Fn(&RunState) -> bool) -> RunState {
        let mut states = std::pin::pin!(self.runner.follow(self.tenant, run));
        let wait = async {
            loop {
                let state = states.next().await.expect("the state waited for comes before the end").unwrap();
                assert!(state.counters.is_consistent(), "{state:?}");
                if reached(&state) {
                    return state;
                }
            }
        };
        tokio::time::timeout(PATIENCE, wait).await.expect("it comes in time")
    }

    /// What the audit log says of the refusal of something that concerns a run.
    pub async fn refusal(&self, run: OperationRunId) -> audit::Entry {
        let filter = audit::Filter { resource_id: Some(run.to_string()), limit: 10, ..Default::default() };
        let entries = audit::list(&self.database.db, &filter).await.unwrap();
        entries.into_iter().find(|entry| entry.context.get("error").is_some()).expect("it is written down")
    }

    /// The runs that were started because another one ended well.
    pub async fn following(&self, run: OperationRunId) -> Vec<OperationRun> {
        let filter = operation_runs::Filter {
            tenant_id: Some(self.tenant),
            follows: Some(run),
            limit: 10,
            ..operation_runs::Filter::default()
        };
        operation_runs::list(&self.database.db, &filter).await.unwrap()
    }
}

async fn commands(db: &Db, keys: &TempDir) -> Commands {
    let vault = Vault::open(db, &keys.path().join("key")).await.unwrap();
    Commands::new(db.clone(), vault, Arc::new(SystemClock), CancellationToken::new())
}

fn details() -> TenantDetails {
    TenantDetails {
        name: "Contoso".to_owned(),
        entra_tenant_id: Uuid::from_u128(1).to_string(),
        cloud: Cloud::Global,
        login_url: None,
        graph_url: None,
        environment: Environment::Dev,
        client_id: Uuid::from_u128(2).to_string(),
    }
}
