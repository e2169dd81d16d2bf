//! Starting the engine: its runner with every operation, and the housekeeping.

use std::sync::Arc;
use std::time::Duration;

use tenantatlas_commands::{Clock, Commands, SystemClock};
use tenantatlas_graph::GraphClient;
use tenantatlas_net::{Connector, ConnectorOptions, Networks};
use tenantatlas_runs::{Operations, Runner};
use tenantatlas_store::{Db, Vault};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::{EngineConfig, OutgoingConfig};
use crate::endpoints::sender;
use crate::engine::{Core, Engine};
use crate::{housekeeping, operations, schedules};

impl Engine {
    /// Starts the runner and the housekeeping. The database must be migrated.
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
        let commands = Commands::new(db, vault, clock, CancellationToken::new());
        let operations = operations::all(&config, &commands, graph);
        Self::start_with_operations(config, commands, operations)
    }

    /// The same with a choice of operations.
    #[must_use]
    pub fn start_with_operations(config: EngineConfig, commands: Commands, operations: Operations) -> Self {
        let runner = Runner::start(config.runs.clone(), commands.clone(), operations);
        let reader = commands.db.clone().into();
        let connector = connector(&config.outgoing);
        let core = Arc::new(Core {
            config,
            commands,
            reader,
            runner,
            connector,
            sign_in_queue: Arc::default(),
            clean_now: Notify::new(),
        });
        let tasks = TaskTracker::new();
        if core.config.runs.workers > 0 {
            tasks.spawn(housekeeping::clean(Arc::clone(&core)));
            let senders = sender::Senders::new();
            for _ in 0..sender::SENDERS {
                tasks.spawn(sender::send(Arc::clone(&core), Arc::clone(&senders)));
            }
        }
        if !core.config.schedule_interval.is_zero() {
            tasks.spawn(schedules::keep(Arc::clone(&core)));
        }
        tasks.close();
        Self { core, tasks }
    }

    /// Another engine on the same database, such as one with workers beside one without.
    #[must_use]
    pub fn beside(&self, config: EngineConfig, graph: GraphClient) -> Self {
        Self::start(config, self.core.commands.db.clone(), self.core.commands.vault.clone(), graph)
    }
}

/// How long a connection to an endpoint may take to be made, and how long an answer may stand still.
const PATIENCE: Duration = Duration::from_secs(10);

fn connector(config: &OutgoingConfig) -> Connector {
    Connector::new(ConnectorOptions {
        user_agent: concat!("TenantAtlas/", env!("CARGO_PKG_VERSION")).to_owned(),
        connect_timeout: PATIENCE,
        read_timeout: PATIENCE,
        networks: Networks::new(&config.allowed_networks),
        proxies: config.proxies.clone(),
        authorities: config.authorities.clone(),
    })
}
