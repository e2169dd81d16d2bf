//! The runner of one process: how it starts, what can be asked of it, and how it stops.

use std::sync::Arc;

use tenantatlas_commands::{Actor, CommandError, Commands};
use tenantatlas_domain::ids::{NotificationId, OperationRunId, TenantId, UserId};
use tenantatlas_domain::live::{RunState, Snapshot};
use tenantatlas_store::operation_runs::{FollowUp, OperationRun};
use tenantatlas_store::{notifications, operation_runs};
use tokio::sync::{Mutex, Notify};
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::bus::{Events, Subscription, Topic};
use crate::config::RunnerConfig;
use crate::core::Core;
use crate::dispatch::{Cause, Dispatched};
use crate::operation::Operation;
use crate::registry::{Operations, to_value};
use crate::{notifier, sweeper, worker};

/// The runner. Cheap to clone; all clones are the same runner.
#[derive(Clone)]
pub struct Runner {
    pub(crate) core: Arc<Core>,
    tasks: TaskTracker,
}

impl Runner {
    /// Starts workers, sweeper and notifier. The database must be migrated.
    #[must_use]
    pub fn start(config: RunnerConfig, commands: Commands, operations: Operations) -> Self {
        let core = Arc::new(Core {
            commands,
            config,
            operations,
            live: Arc::default(),
            working: Arc::default(),
            owner: format!("{}-{}", std::process::id(), Uuid::new_v4().simple()),
            wake: Notify::new(),
            looking: Mutex::new(()),
        });
        let tasks = TaskTracker::new();
        for _ in 0..core.config.workers {
            tasks.spawn(worker::work(Arc::clone(&core)));
        }
        if core.config.workers > 0 {
            tasks.spawn(sweeper::sweep(Arc::clone(&core)));
        }
        tasks.spawn(notifier::listen(Arc::clone(&core)));
        tasks.spawn(notifier::send(Arc::clone(&core)));
        tasks.close();
        Self { core, tasks }
    }

    /// Dispatches a run of an operation. Returns at once; a worker does the rest. `follow_ups` are started one after the
    /// other when it ends well: see [`crate::follow_up()`].
    ///
    /// # Errors
    /// [`CommandError::NotFound`] and [`CommandError::Forbidden`] by the actor's role, [`CommandError::TooMany`] when too
    /// much is waiting already, [`CommandError::Stopping`], or when the database fails. Nothing is dispatched then.
    pub async fn dispatch<O: Operation>(
        &self,
        actor: &Actor,
        tenant: TenantId,
        payload: &O::Payload,
        follow_ups: Vec<FollowUp>,
    ) -> Result<Dispatched, CommandError> {
        let operation = self.core.operations.find(O::KIND.resource, O::KIND.action);
        let operation = operation.ok_or_else(|| CommandError::Internal(format!("{} is not registered", O::KIND)))?;
        let cause = Cause { follow_ups, ..Cause::default() };
        self.core.dispatch(operation.as_ref(), actor, tenant, to_value(payload)?, cause).await
    }

    /// Waits until the work was given back, after [`Commands::stopping`] was set, at most as long as configured. Answers
    /// whether everything ended in time.
    pub async fn stopped(&self) -> bool {
        tokio::time::timeout(self.core.config.shutdown_grace, self.tasks.wait()).await.is_ok()
    }

    /// How many runs this process works on.
    #[must_use]
    pub fn working(&self) -> u64 {
        self.core.working.count()
    }

    /// The operations of this process.
    #[must_use]
    pub fn operations(&self) -> &Operations {
        &self.core.operations
    }

    /// The settings.
    #[must_use]
    pub fn config(&self) -> &RunnerConfig {
        &self.core.config
    }

    /// The live events of this process.
    #[must_use]
    pub fn events(&self) -> &Events {
        &self.core.live.events
    }

    /// Opens the live events of the runs of a tenant, whoever started them. Take the snapshot after this, so that nothing
    /// falls between.
    #[must_use]
    pub fn subscribe(&self, tenant: TenantId) -> Subscription {
        self.core.live.events.subscribe(Topic::Tenant(tenant))
    }

    /// Opens the live events of a person.
    #[must_use]
    pub fn subscribe_user(&self, user: UserId) -> Subscription {
        self.core.live.events.subscribe(Topic::User(user))
    }

    /// Opens the live events of the runs of all tenants. Whoever reads them leaves out what their person may not see.
    #[must_use]
    pub fn subscribe_all(&self) -> Subscription {
        self.core.live.events.subscribe(Topic::AllRuns)
    }

    /// What a live view begins with: the active runs of a person in every tenant that is theirs, those of everybody in the
    /// tenant that is looked at, and how much the person has not read.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn snapshot(&self, tenant: Option<TenantId>, user: UserId) -> Result<Snapshot, CommandError> {
        Ok(self.active_seen(tenant, user).await?.1)
    }

    /// The same with the runs as they are stored, which know besides by what name somebody started them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn active_seen(
        &self,
        tenant: Option<TenantId>,
        user: UserId,
    ) -> Result<(Vec<OperationRun>, Snapshot), CommandError> {
        let core = &self.core;
        let db = &core.commands.db;
        let runs = async {
            match tenant {
                Some(tenant) => operation_runs::active_seen(db, user, tenant).await,
                None => operation_runs::active_of_person(db, user).await,
            }
        };
        let (runs, unread) = futures::try_join!(runs, notifications::unread_count(db, user, None))?;
        let states = runs.iter().map(|run| core.state_of(run)).collect();
        let snapshot = Snapshot { runs: states, unread, now: core.commands.clock.now() };
        Ok((runs, snapshot))
    }

    /// The live state of a stored run.
    #[must_use]
    pub fn state_of(&self, run: &OperationRun) -> RunState {
        self.core.state_of(run)
    }

    /// The state of one run of a tenant.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn run_state(&self, tenant: TenantId, run: OperationRunId) -> Result<Option<RunState>, CommandError> {
        let run = operation_runs::get(&self.core.commands.db, tenant, run).await?;
        Ok(run.map(|run| self.core.state_of(&run)))
    }

    /// The states of those of these runs that a person started, in tenants that are still theirs.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn states_of_person(&self, user: UserId, runs: &[OperationRunId]) -> Result<Vec<RunState>, CommandError> {
        let runs = operation_runs::of_person(&self.core.commands.db, user, runs).await?;
        Ok(runs.iter().map(|run| self.core.state_of(run)).collect())
    }

    /// Tells a person's readers, here and in other processes, how much is unread.
    pub async fn publish_unread(&self, user: UserId) {
        self.core.live.publish_unread(&self.core.commands.db, user).await;
    }

    /// Marks one notification of a person as read, and tells their open pages.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn mark_read(&self, user: UserId, notification: NotificationId) -> Result<bool, CommandError> {
        let commands = &self.core.commands;
        let mut tx = commands.db.write().await?;
        let changed = notifications::mark_read(&mut tx, user, notification, commands.clock.now()).await?;
        tx.commit().await?;
        if changed {
            self.publish_unread(user).await;
        }
        Ok(changed)
    }

    /// Marks these notifications of a person as read, and tells their open pages. Answers how many were unread.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn mark_these_read(&self, user: UserId, these: &[NotificationId]) -> Result<u64, CommandError> {
        let commands = &self.core.commands;
        let mut tx = commands.db.write().await?;
        let changed = notifications::mark_these_read(&mut tx, user, these, commands.clock.now()).await?;
        tx.commit().await?;
        if changed > 0 {
            self.publish_unread(user).await;
        }
        Ok(changed)
    }

    /// Marks all notifications of a person as read, in one tenant or in all, and tells their open pages. Answers how many
    /// were unread.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn mark_all_read(&self, user: UserId, tenant: Option<TenantId>) -> Result<u64, CommandError> {
        let commands = &self.core.commands;
        let mut tx = commands.db.write().await?;
        let changed = notifications::mark_all_read(&mut tx, user, tenant, commands.clock.now()).await?;
        tx.commit().await?;
        if changed > 0 {
            self.publish_unread(user).await;
        }
        Ok(changed)
    }
}
