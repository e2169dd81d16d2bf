//! A tenant of the simulated cloud, an empty database and an engine on them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures::StreamExt;
use secrecy::SecretString;
use tenantatlas_domain::body::put_together;
use tenantatlas_domain::ids::{OperationRunId, TenantId};
use tenantatlas_domain::live::RunState;
use tenantatlas_domain::registry::registry;
use tenantatlas_domain::selection::Selection;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_engine::{Actor, CaptureOf, Engine, EngineConfig};
use tenantatlas_graph::{GraphClient, GraphClientOptions, RetryBudget};
use tenantatlas_graph_sim::{SimTenant, Simulator, SimulatorConfig};
use tenantatlas_store::inventory::{ItemFilter, ItemQuery, ItemRow, ScopeView, StateFilter, list};
use tenantatlas_store::policies::{self, Capture, CaptureTypeRun, TenantKey, Version};
use tenantatlas_store::sessions::{self, NewSession};
use tenantatlas_store::sync_runs::{self, SyncRun, TypeRun};
use tenantatlas_store::tenants::{self, Cloud, Environment, Tenant, TenantCredential, TenantDetails};
use tenantatlas_store::testing::TestDatabase;
use tenantatlas_store::{Vault, operation_runs};

/// Everything a test needs; the database goes last.
pub struct World {
    pub engine: Engine,
    pub simulator: Simulator,
    pub simulated: SimTenant,
    pub tenant: TenantId,
    pub vault: Vault,
    pub database: TestDatabase,
    _keys: tempfile::TempDir,
}

/// How long a test waits for what must come, however busy the machine is.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// A listing that a test may hold back while all others are read.
pub const HELD_LISTING: &str = "deviceManagement/configurationPolicies";

/// Settings with which a test does not wait long. A lease outlasts every stall of the machine: a test that needs a lost
/// one ends it by itself.
pub fn quick() -> EngineConfig {
    let mut config = EngineConfig::default();
    config.runs.workers = 3;
    config.runs.lease = PATIENCE;
    config.runs.sweep_interval = Duration::from_millis(200);
    config.runs.poll_interval = Duration::from_millis(100);
    config.runs.queue_wait = Duration::from_secs(2);
    config.sync.lock_wait = Duration::from_secs(2);
    config
}

/// The same with a change.
pub fn changed(change: impl FnOnce(&mut EngineConfig)) -> EngineConfig {
    let mut config = quick();
    change(&mut config);
    config
}

/// The same without workers: what is dispatched waits.
pub fn idle() -> EngineConfig {
    changed(|config| config.runs.workers = 0)
}

/// A client that gives up soon.
pub fn graph() -> GraphClient {
    GraphClient::new(graph_options())
}

/// Its options: as the product has them, but for the patience and this machine's network.
pub fn graph_options() -> GraphClientOptions {
    GraphClientOptions {
        retry: RetryBudget {
            attempts_when_busy: 4,
            attempts_when_broken: 3,
            elapsed: Duration::from_secs(20),
            backoff_base: Duration::from_millis(20),
            backoff_cap: Duration::from_millis(200),
            retry_after_cap: Duration::from_secs(2),
        },
        allowed_networks: vec!["127.0.0.0/8".parse().unwrap()],
        ..GraphClientOptions::default()
    }
}

/// What must come comes, or the test fails.
pub async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, what).await.expect("it comes in time")
}

impl World {
    pub async fn new(database: TestDatabase, objects: u64) -> Self {
        Self::with(database, SimTenant::new("Contoso", 7, objects), quick()).await
    }

    pub async fn with(database: TestDatabase, simulated: SimTenant, config: EngineConfig) -> Self {
        let simulation = SimulatorConfig { tenants: vec![simulated.clone()], ..SimulatorConfig::default() };
        let simulator = Simulator::start(simulation, ([127, 0, 0, 1], 0).into()).await.unwrap();
        let keys = tempfile::tempdir().unwrap();
        let vault = Vault::open(&database.db, &keys.path().join("key")).await.unwrap();
        let engine = Engine::start(config, database.db.clone(), vault.clone(), graph());
        let details = TenantDetails {
            name: simulated.name.clone(),
            entra_tenant_id: simulated.tenant_id.clone(),
            cloud: Cloud::Custom,
            login_url: Some(simulator.login_url()),
            graph_url: Some(simulator.graph_url()),
            environment: Environment::Dev,
            client_id: simulated.client_id.clone(),
        };
        let credential = TenantCredential::ClientSecret(SecretString::from(simulated.client_secret.clone()));
        let tenant = engine.add_tenant(&Actor::command_line(), &details, &credential).await.unwrap();
        Self { engine, simulator, simulated, tenant, vault, database, _keys: keys }
    }

    /// Every type that the registry knows, on by default or not.
    pub fn everything() -> Selection {
        Selection {
            policy_types: registry().all().iter().map(|policy_type| policy_type.key.to_owned()).collect(),
            categories: Vec::new(),
            include_foundations: true,
            include_dependencies: true,
        }
    }

    pub fn some(types: &[&str]) -> Selection {
        Selection {
            policy_types: types.iter().map(|key| (*key).to_owned()).collect(),
            categories: Vec::new(),
            include_foundations: false,
            include_dependencies: false,
        }
    }

    /// The same person in a session that has just begun.
    pub async fn in_session(&self, actor: Actor) -> Actor {
        let now = self.engine.now();
        let later = Timestamp::from_millis(now.as_millis() + 3_600_000);
        let session = NewSession {
            id: uuid::Uuid::now_v7(),
            user_id: actor.user_id.unwrap(),
            idle_expires_at: later,
            expires_at: later,
            user_agent: String::new(),
            address: String::new(),
        };
        let mut tx = self.database.db.write().await.unwrap();
        sessions::create(&mut tx, &tenantatlas_engine::new_token().1, &session, now).await.unwrap();
        tx.commit().await.unwrap();
        actor.in_session(session.id)
    }

    pub async fn dispatch(&self, selection: &Selection) -> OperationRunId {
        self.engine.dispatch_sync(&Actor::command_line(), self.tenant, selection).await.unwrap().run_id
    }

    /// A run of any operation, with items named by their position.
    pub fn raw_run(&self, resource: &str, action: &str, items: usize) -> operation_runs::NewOperationRun {
        operation_runs::NewOperationRun {
            id: OperationRunId::from_uuid(uuid::Uuid::now_v7()),
            tenant_id: self.tenant,
            user_id: None,
            token_id: None,
            initiator: "a test".to_owned(),
            resource: resource.to_owned(),
            action: action.to_owned(),
            idempotency_key: format!("{resource}.{action}"),
            correlation_id: uuid::Uuid::now_v7().into(),
            payload: serde_json::json!({}),
            item_ids: (0..items).map(|item| item.to_string()).collect(),
            audit_log_id: uuid::Uuid::now_v7(),
            retry_of: None,
            follows: None,
            follow_ups: Vec::new(),
            schedule_id: None,
        }
    }

    /// Checks the connection and answers the tenant with what was found.
    pub async fn check(&self, types: bool) -> (operation_runs::OperationRun, Tenant) {
        let dispatched = self.engine.check_tenant(&Actor::command_line(), self.tenant, types).await.unwrap();
        self.ended(dispatched.state.id).await;
        let db = &self.database.db;
        let run = operation_runs::get(db, self.tenant, dispatched.state.id).await.unwrap().unwrap();
        (run, tenants::get(db, self.tenant).await.unwrap().unwrap())
    }

    /// Waits for the end of a run.
    pub async fn ended(&self, run: OperationRunId) -> RunState {
        self.until(run, |state| state.status.is_terminal()).await
    }

    /// Waits until a run is in a state like this. The newest states are told and not every one: it must be a state that
    /// stays, at the end or while an answer of the cloud is held back.
    pub async fn until(&self, run: OperationRunId, reached: impl Fn(&RunState) -> bool) -> RunState {
        let mut states = std::pin::pin!(self.engine.runs().follow(self.tenant, run));
        let wait = async {
            loop {
                let state = states.next().await.expect("the state waited for comes before the end").unwrap();
                assert!(state.counters.is_consistent(), "{state:?}");
                if reached(&state) {
                    return state;
                }
            }
        };
        soon(wait).await
    }

    /// Starts a run over everything and waits until it is in its middle: types have been read, and one cannot be read to
    /// its end before [`World::release`].
    pub async fn dispatch_and_hold(&self) -> OperationRunId {
        self.simulator.control().hold(HELD_LISTING);
        let run = self.dispatch(&Self::everything()).await;
        self.in_the_middle(run).await;
        run
    }

    /// Waits until a run of which [`HELD_LISTING`] is held back is in its middle.
    pub async fn in_the_middle(&self, run: OperationRunId) {
        self.held().await;
        self.until(run, |state| state.counters.processed > 0).await;
    }

    /// Waits until an answer of the cloud is held back.
    pub async fn held(&self) {
        soon(self.simulator.control().held(1)).await;
    }

    /// Lets the cloud answer again.
    pub fn release(&self) {
        self.simulator.control().release();
    }

    pub async fn sync(&self, selection: &Selection) -> Synced {
        let run = self.dispatch(selection).await;
        self.ended(run).await;
        self.result(run).await
    }

    pub async fn result(&self, run: OperationRunId) -> Synced {
        let db = &self.database.db;
        let operation = operation_runs::get(db, self.tenant, run).await.unwrap().unwrap();
        let sync = sync_runs::find_by_operation(db, self.tenant, run).await.unwrap().unwrap();
        let types = sync_runs::list_types(db, self.tenant, sync.id).await.unwrap();
        let types = types.into_iter().map(|one| (one.policy_type.clone(), one)).collect();
        Synced { operation, run: sync, types }
    }

    /// Captures, and waits for the end.
    pub async fn capture(&self, what: &CaptureOf, changed: bool) -> Captured {
        let outcome = self.engine.dispatch_capture(&Actor::command_line(), self.tenant, what, changed).await.unwrap();
        self.ended(outcome.run_id).await;
        self.captured(outcome.run_id).await
    }

    /// The same of all that the inventory knows.
    pub async fn capture_all(&self) -> Captured {
        self.capture(&CaptureOf::Types(Vec::new()), false).await
    }

    pub async fn captured(&self, run: OperationRunId) -> Captured {
        let db = &self.database.db;
        let operation = operation_runs::get(db, self.tenant, run).await.unwrap().unwrap();
        let capture = policies::get_by_operation(db, self.tenant, run).await.unwrap().unwrap();
        let types = policies::list_types(db, self.tenant, capture.id).await.unwrap();
        let types = types.into_iter().map(|one| (one.policy_type.clone(), one)).collect();
        Captured { operation, capture, types }
    }

    /// The versions of an object, newest first.
    pub async fn versions(&self, policy_type: &str, id: &str) -> Vec<Version> {
        policies::versions_of(&self.database.db, self.tenant, policy_type, id, None, 100).await.unwrap()
    }

    /// A version put together again.
    pub async fn body(&self, version: &Version) -> serde_json::Value {
        let db = &self.database.db;
        let key = TenantKey::open(db, &self.vault, self.tenant).await.unwrap().unwrap();
        let slots = policies::open_slots(db, &key, self.tenant, version.id).await.unwrap();
        put_together(slots.into_iter().map(|slot| (slot.name, slot.value)))
    }

    pub async fn items(&self, state: Option<StateFilter>) -> Vec<ItemRow> {
        let db = &self.database.db;
        let view = ScopeView::load(db, self.tenant, None).await.unwrap();
        let mut rows = Vec::new();
        let mut after = None;
        loop {
            let filter = ItemFilter { state, ..ItemFilter::default() };
            let query = ItemQuery { filter, after, limit: 500, ..ItemQuery::default() };
            let page = list(db, &view, &query).await.unwrap();
            rows.extend(page.rows);
            after = page.next;
            if after.is_none() {
                return rows;
            }
        }
    }

    /// Ids by type of what the database holds.
    pub async fn stored(&self) -> BTreeMap<String, BTreeSet<String>> {
        let mut stored: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for row in self.items(None).await {
            stored.entry(row.item.policy_type).or_default().insert(row.item.external_id);
        }
        stored
    }

    /// Ids by type of what the cloud has.
    pub fn expected(&self) -> BTreeMap<String, BTreeSet<String>> {
        self.simulator
            .control()
            .expected(&self.simulated.tenant_id)
            .into_iter()
            .map(|(key, ids)| (key, ids.into_iter().collect()))
            .collect()
    }
}

/// A capture that has ended.
pub struct Captured {
    pub operation: operation_runs::OperationRun,
    pub capture: Capture,
    pub types: BTreeMap<String, CaptureTypeRun>,
}

impl Captured {
    /// A count over all types.
    pub fn sum(&self, of: fn(&CaptureTypeRun) -> u64) -> u64 {
        self.types.values().map(of).sum()
    }

    /// The types that did not succeed, with the reason.
    pub fn troubles(&self) -> Vec<String> {
        self.types
            .values()
            .filter(|one| one.outcome != Some(tenantatlas_domain::sync::TypeOutcome::Succeeded))
            .map(|one| format!("{} {:?} {:?} {:?}", one.policy_type, one.outcome, one.reason_code, one.message))
            .collect()
    }
}

/// A run that has ended.
pub struct Synced {
    pub operation: operation_runs::OperationRun,
    pub run: SyncRun,
    pub types: BTreeMap<String, TypeRun>,
}

impl Synced {
    /// The types that the run read itself, by key.
    pub fn read(&self) -> Vec<&str> {
        self.types.values().filter(|one| one.carried_from.is_none()).map(|one| one.policy_type.as_str()).collect()
    }

    /// The types that did not succeed, with the reason.
    pub fn troubles(&self) -> Vec<String> {
        self.types
            .values()
            .filter(|one| one.outcome != Some(tenantatlas_domain::sync::TypeOutcome::Succeeded))
            .map(|one| format!("{} {:?} {:?} {:?}", one.policy_type, one.outcome, one.reason_code, one.message))
            .collect()
    }
}
