//! The engine of one process: what it stands on, and how it stops. How it starts: `start.rs`.

use std::sync::Arc;

use tenantatlas_commands::{Actor, AuditEvent, Command, Commands, Log};
use tenantatlas_domain::ids::{TenantId, UserId};
use tenantatlas_domain::role::{Action, Role};
use tenantatlas_domain::time::Timestamp;
use tenantatlas_net::Connector;
use tenantatlas_runs::Runner;
use tenantatlas_store::audit::{self, Verification};
use tenantatlas_store::members::{self, Sight};
use tenantatlas_store::{Reader, StoreError, Tx, facts};
use tokio::sync::Notify;
use tokio_util::task::TaskTracker;
use url::Url;

use crate::config::EngineConfig;
use crate::error::EngineError;
use crate::session_policy::SessionPolicy;
use crate::sign_in::SignInQueue;

/// What the commands of the engine stand on.
pub(crate) struct Core {
    pub config: EngineConfig,
    pub commands: Commands,
    pub reader: Reader,
    pub runner: Runner,
    /// The way out for messages to endpoints.
    pub connector: Connector,
    /// Those who wait to prove who they are.
    pub sign_in_queue: Arc<SignInQueue>,
    /// Wakes the housekeeping before its time: there is something to delete.
    pub clean_now: Notify,
}

/// The engine. Cheap to clone; all clones are the same engine.
#[derive(Clone)]
pub struct Engine {
    pub(crate) core: Arc<Core>,
    pub(crate) tasks: TaskTracker,
}

impl Engine {
    /// Stops gracefully: takes nothing new, stops the work, gives the leases back so that another worker goes on at
    /// once, and waits for that, at most as long as configured. Answers whether everything ended in time.
    pub async fn shutdown(&self) -> bool {
        self.core.commands.stopping.cancel();
        let stopped = self.core.runner.stopped().await;
        tokio::time::timeout(self.core.config.runs.shutdown_grace, self.tasks.wait()).await.is_ok() && stopped
    }

    /// The runner of long operations.
    #[must_use]
    pub fn runs(&self) -> &Runner {
        &self.core.runner
    }

    /// Where people find this site, if that is known.
    #[must_use]
    pub fn public_url(&self) -> Option<&Url> {
        self.core.config.outgoing.public_url.as_ref()
    }

    /// The database, to be read. What changes something is a command.
    #[must_use]
    pub fn reader(&self) -> &Reader {
        &self.core.reader
    }

    /// Writes and takes back what it wrote.
    ///
    /// # Errors
    /// Why the database takes no write.
    pub async fn probe_write(&self) -> Result<(), StoreError> {
        facts::probe_write(&self.core.commands.db).await
    }

    /// Recomputes the chain of the whole audit log: see [`audit::verify`].
    ///
    /// # Errors
    /// When the database fails, or the file with the end that was seen last cannot be read.
    pub async fn verify_audit(&self) -> Result<Verification, StoreError> {
        audit::verify(self.reader(), &self.core.commands.vault).await
    }

    /// How long sessions last, and who needs a second factor.
    #[must_use]
    pub fn session_policy(&self) -> SessionPolicy {
        self.core.config.sessions
    }

    /// The time now, by the engine's clock.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.core.commands.clock.now()
    }

    /// What a person may do in a tenant; `None` when the tenant does not exist for them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn role(&self, tenant: TenantId, user: UserId) -> Result<Option<Role>, EngineError> {
        Ok(members::effective_role(&self.core.commands.db, tenant, user).await?)
    }

    /// The tenants that exist for a person; `None` when they cannot sign in.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sight(&self, user: UserId) -> Result<Option<Sight>, EngineError> {
        Ok(members::sight(&self.core.commands.db, user).await?)
    }

    /// Lets an action pass or refuses it.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] when the tenant does not exist for the actor, [`EngineError::Forbidden`] when the role
    /// does not allow it (`docs/rules.md`, section Access).
    pub async fn authorise(&self, actor: &Actor, tenant: TenantId, action: Action) -> Result<(), EngineError> {
        Ok(self.core.commands.authorise(actor, tenant, action).await?)
    }

    /// Counts a download of a person.
    ///
    /// # Errors
    /// [`EngineError::TooMany`] when there were too many in a short time.
    pub async fn begin_download(&self, actor: &Actor) -> Result<(), EngineError> {
        Ok(self.core.commands.begin_download(actor).await?)
    }

    /// Writes an event that changed nothing into the audit log: see [`Commands::record_event`].
    ///
    /// # Errors
    /// When the database fails; only for an event that succeeded.
    pub async fn record_event(&self, actor: &Actor, event: AuditEvent) -> Result<(), StoreError> {
        self.core.commands.record_event(actor, event).await
    }
}

impl Core {
    /// Gives a command: see [`Commands::execute`].
    ///
    /// # Errors
    /// Those of [`Commands::execute`] and of `work`.
    pub(crate) async fn execute<T: Send>(
        &self,
        command: Command<'_>,
        work: impl AsyncFnOnce(&mut Tx, &mut Log) -> Result<T, EngineError> + Clone,
    ) -> Result<T, EngineError> {
        self.commands.execute(command, work).await
    }
}
