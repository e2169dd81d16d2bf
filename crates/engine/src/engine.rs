//! The engine of one process: what it stands on, how it starts and how it stops.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tenantatlas_domain::ids::{OperationRunId, TenantId, UserId};
use tenantatlas_domain::role::{Action, Role};
use tenantatlas_domain::time::Timestamp;
use tenantatlas_graph::GraphClient;
use tenantatlas_store::operation_runs::OperationRun;
use tenantatlas_store::{Db, Vault, members, tenants, users};
use tokio::sync::{Notify, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::actor::{Actor, ActorKind};
use crate::audit_events::Refusals;
use crate::clock::{Clock, SystemClock};
use crate::config::EngineConfig;
use crate::error::EngineError;
use crate::events::Events;
use crate::operation::{Operation, Stop};
use crate::rate_limit::RateLimits;
use crate::relay::{self, Outbox, Word};
use crate::run_context::RunContext;
use crate::run_state::RunState;
use crate::session_policy::SessionPolicy;
use crate::stats::{Stats, StatsSnapshot};
use crate::sync::InventorySync;
use crate::{sweeper, worker};

/// What every part of the engine stands on.
pub(crate) struct Core {
    pub config: EngineConfig,
    pub db: Db,
    pub vault: Vault,
    pub graph: GraphClient,
    pub clock: Arc<dyn Clock>,
    pub events: Events,
    pub stats: Stats,
    /// Names this process in leases; new at every start.
    pub owner: String,
    /// Every kind of long operation this process can work on.
    pub operations: Vec<Arc<dyn Operation>>,
    /// Computing tasks of this process.
    pub processors: Arc<Semaphore>,
    /// Wakes the idle worker that looks for runs.
    pub wake: Notify,
    /// Wakes the sweeper before its time: there is something to delete.
    pub sweep_now: Notify,
    /// Held by that worker.
    pub looking: tokio::sync::Mutex<()>,
    /// Bulk transactions: one at a time, so that whoever dispatches waits for one of them at most.
    pub bulk: Semaphore,
    /// Word for other processes on the same database.
    pub outbox: Outbox,
    /// Set when the process stops.
    pub stopping: CancellationToken,
    /// How often people gave commands.
    pub rates: RateLimits,
    /// Refusals of the last minute, so that a loop of them does not fill the audit log.
    pub refusals: Refusals,
    /// The runs this process works on.
    pub working: Mutex<HashMap<OperationRunId, Arc<RunContext>>>,
}

/// The engine. Cheap to clone; all clones are the same engine.
#[derive(Clone)]
pub struct Engine {
    pub(crate) core: Arc<Core>,
    tasks: TaskTracker,
}

impl Engine {
    /// Starts workers, sweeper and event relay. The database must be migrated.
    #[must_use]
    pub fn start(config: EngineConfig, db: Db, vault: Vault, graph: GraphClient) -> Self {
        Self::start_with_clock(config, db, vault, graph, Arc::new(SystemClock))
    }

    /// The same with another clock, for tests.
    #[must_use]
    pub fn start_with_clock(
        config: EngineConfig,
        db: Db,
        vault: Vault,
        graph: GraphClient,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self::start_with_operations(config, db, vault, graph, clock, vec![Arc::new(InventorySync)])
    }

    /// The same with a choice of operations.
    #[must_use]
    pub fn start_with_operations(
        config: EngineConfig,
        db: Db,
        vault: Vault,
        graph: GraphClient,
        clock: Arc<dyn Clock>,
        operations: Vec<Arc<dyn Operation>>,
    ) -> Self {
        let processors = std::thread::available_parallelism().map_or(2, usize::from);
        // SQLite has one writer; on PostgreSQL a few do not stand in each other's way.
        let bulk_writers = if db.engine() == tenantatlas_store::Engine::Sqlite { 1 } else { 4 };
        let core = Arc::new(Core {
            config,
            db,
            vault,
            graph,
            clock,
            events: Events::new(),
            stats: Stats::default(),
            owner: format!("{}-{}", std::process::id(), Uuid::new_v4().simple()),
            operations,
            processors: Arc::new(Semaphore::new(processors)),
            wake: Notify::new(),
            sweep_now: Notify::new(),
            looking: tokio::sync::Mutex::new(()),
            bulk: Semaphore::new(bulk_writers),
            outbox: Outbox::default(),
            stopping: CancellationToken::new(),
            rates: RateLimits::default(),
            refusals: Refusals::default(),
            working: Mutex::new(HashMap::new()),
        });
        let tasks = TaskTracker::new();
        for _ in 0..core.config.workers {
            tasks.spawn(worker::work(Arc::clone(&core)));
        }
        if core.config.workers > 0 {
            tasks.spawn(sweeper::sweep(Arc::clone(&core)));
        }
        tasks.spawn(relay::listen(Arc::clone(&core)));
        tasks.spawn(relay::send(Arc::clone(&core)));
        tasks.close();
        Self { core, tasks }
    }

    /// Stops gracefully: takes nothing new, stops the work, gives the leases back so that another worker goes on at
    /// once, and waits for that, at most as long as configured. Answers whether everything ended in time.
    pub async fn shutdown(&self) -> bool {
        self.core.stopping.cancel();
        tokio::time::timeout(self.core.config.shutdown_grace, self.tasks.wait()).await.is_ok()
    }

    /// The operations that this process can run: what each works on and what it does, `inventory` and `sync`.
    #[must_use]
    pub fn operation_kinds(&self) -> Vec<(&'static str, &'static str)> {
        self.core.operations.iter().map(|operation| (operation.resource(), operation.action())).collect()
    }

    /// The event bus of this process.
    #[must_use]
    pub fn events(&self) -> &Events {
        &self.core.events
    }

    /// The database.
    #[must_use]
    pub fn db(&self) -> &Db {
        &self.core.db
    }

    /// The vault.
    #[must_use]
    pub fn vault(&self) -> &Vault {
        &self.core.vault
    }

    /// How long sessions last, and who needs a second factor.
    #[must_use]
    pub fn session_policy(&self) -> SessionPolicy {
        self.core.config.sessions
    }

    /// The counters of this process.
    #[must_use]
    pub fn stats(&self) -> StatsSnapshot {
        self.core.stats.snapshot()
    }

    /// The time now, by the engine's clock.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.core.clock.now()
    }

    /// What a person may do in a tenant; `None` when the tenant does not exist for them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn role(&self, tenant: TenantId, user: UserId) -> Result<Option<Role>, EngineError> {
        Ok(members::effective_role(&self.core.db, tenant, user).await?)
    }

    /// Lets an action pass or refuses it.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] when the tenant does not exist for the actor, [`EngineError::Forbidden`] when the role
    /// does not allow it (product rules, section Access).
    pub async fn authorise(&self, actor: &Actor, tenant: TenantId, action: Action) -> Result<(), EngineError> {
        self.core.authorise(actor, tenant, action).await
    }
}

impl Core {
    pub(crate) async fn authorise(&self, actor: &Actor, tenant: TenantId, action: Action) -> Result<(), EngineError> {
        let role = match (actor.kind, actor.user_id) {
            (ActorKind::Person, Some(user)) => members::effective_role(&self.db, tenant, user).await?,
            (ActorKind::Person, None) | (ActorKind::Anonymous, _) => None,
            (ActorKind::System | ActorKind::CommandLine, _) => {
                tenants::get(&self.db, tenant).await?.map(|_| Role::Owner)
            }
        };
        match role {
            None => Err(EngineError::NotFound("the tenant")),
            Some(role) if role.allows(action) => Ok(()),
            Some(_) => Err(EngineError::Forbidden),
        }
    }

    /// Lets only those pass who manage tenants and users. Before work that is dear; the command asks again.
    pub(crate) async fn authorise_platform(&self, actor: &Actor) -> Result<(), EngineError> {
        let may = match (actor.kind, actor.user_id) {
            (ActorKind::System | ActorKind::CommandLine, _) => true,
            (ActorKind::Person, Some(user)) => {
                let person = users::get(&self.db, user).await?;
                person.is_some_and(|person| person.platform_admin && person.disabled_at.is_none())
            }
            (ActorKind::Person | ActorKind::Anonymous, _) => false,
        };
        if may { Ok(()) } else { Err(EngineError::Forbidden) }
    }

    /// Cancels a run when this process works on it.
    pub(crate) fn cancel_here(&self, run: OperationRunId) {
        let context = self.working.lock().unwrap_or_else(PoisonError::into_inner).get(&run).cloned();
        if let Some(context) = context {
            context.stop(Stop::Cancelled);
        }
    }

    /// How many runs this process works on.
    pub(crate) fn working_here(&self) -> u64 {
        self.working.lock().unwrap_or_else(PoisonError::into_inner).len() as u64
    }

    /// Tells readers here and in other processes the newest state of a run.
    pub(crate) fn publish_run(&self, state: &RunState) {
        self.events.publish_run(state);
        self.outbox.put(Word::Run(state.tenant_id, state.id));
    }

    /// Tells a person's readers here and in other processes how much is unread.
    pub(crate) async fn publish_unread_of(&self, run: &OperationRun) {
        if let Some(user) = run.user_id {
            self.publish_unread(user).await;
        }
    }

    /// The same for a person.
    pub(crate) async fn publish_unread(&self, user: UserId) {
        relay::tell_unread(self, user).await;
        self.outbox.put(Word::Unread(user));
    }

    /// Tells other processes that there is work.
    pub(crate) fn relay_queue(&self) {
        self.outbox.put(Word::Queue);
    }

    pub(crate) fn operation(&self, resource: &str, action: &str) -> Option<Arc<dyn Operation>> {
        self.operations.iter().find(|one| one.resource() == resource && one.action() == action).cloned()
    }
}
