//! The one place through which every command goes.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tenantatlas_domain::audit::AuditAction;
use tenantatlas_domain::ids::{TenantId, UserId};
use tenantatlas_domain::role::{Action, Role};
use tenantatlas_store::{Db, StoreError, Tx, Vault, api_tokens, audit, members, tenants, users};
use tokio_util::sync::CancellationToken;

use crate::actor::{Actor, ActorKind};
use crate::audit_entry::AuditEntry;
use crate::audit_events::Refusals;
use crate::clock::Clock;
use crate::command::{Command, Log};
use crate::error::{CommandError, Refusal};
use crate::rate_limit::{Rate, RateLimits};
use crate::right::{require, require_confirmed};

/// Commands of one person: a burst as large as a busy administrator makes, then two a second. A person who is faster than
/// that is a script, which would fill the append-only audit log and hold up all others who write.
const COMMAND_RATE: Rate = Rate { burst: 120, every: Duration::from_millis(500) };

/// How often a command is tried that the database took back because it and another one waited for each other.
const TRIES: u32 = 4;

/// Downloads of one person. Each is written into the audit log, which is kept for ever.
const DOWNLOAD_RATE: Rate = Rate { burst: 30, every: Duration::from_secs(30) };

/// What commands stand on. Cheap to clone; all clones count the same rates and refusals.
#[derive(Clone)]
pub struct Commands {
    /// The database.
    pub db: Db,
    /// Keys the audit log, and seals what is confidential.
    pub vault: Vault,
    /// The time of day.
    pub clock: Arc<dyn Clock>,
    /// Set when the process stops.
    pub stopping: CancellationToken,
    /// How often people gave commands.
    rates: Arc<RateLimits>,
    /// Refusals of the last minute, so that a loop of them does not fill the audit log.
    pub(crate) refusals: Arc<Refusals>,
}

impl Commands {
    /// Commands on a database. `stopping` ends what waits to be written, when the process stops.
    #[must_use]
    pub fn new(db: Db, vault: Vault, clock: Arc<dyn Clock>, stopping: CancellationToken) -> Self {
        Self { db, vault, clock, stopping, rates: Arc::default(), refusals: Arc::default() }
    }

    /// Gives a command: begins a write transaction, reads the right under a lock, does `work`, appends the audit entry and
    /// commits. All of that is done again when the database took it back for a deadlock. Whatever `work` wrote is taken back
    /// when it answers an error, and the refusal or failure is written into the audit log instead.
    ///
    /// # Errors
    /// [`CommandError::NotFound`] when the tenant does not exist for the actor, [`CommandError::Forbidden`] when the role
    /// does not allow it, [`CommandError::Confirm`] when it is sensitive, [`CommandError::TooMany`] when the person gives
    /// commands too fast, those of `work`, and when the database fails.
    pub async fn execute<T: Send, E: Refusal + From<CommandError> + From<StoreError>>(
        &self,
        command: Command<'_>,
        work: impl AsyncFnOnce(&mut Tx, &mut Log) -> Result<T, E> + Clone,
    ) -> Result<T, E> {
        if !command.counted {
            self.limit(command.actor, "command", COMMAND_RATE).await?;
        }
        let mut done = self.try_execute(&command, work.clone()).await;
        for _ in 1..TRIES {
            if !done.as_ref().is_err_and(Refusal::is_deadlock) {
                break;
            }
            done = self.try_execute(&command, work.clone()).await;
        }
        if let Err(error) = &done {
            self.record_failure(command.actor, command.entry, error).await;
        }
        done
    }

    async fn try_execute<T: Send, E: From<CommandError> + From<StoreError>>(
        &self,
        command: &Command<'_>,
        work: impl AsyncFnOnce(&mut Tx, &mut Log) -> Result<T, E>,
    ) -> Result<T, E> {
        let actor = command.actor;
        let mut tx = self.db.write().await?;
        if let Some(tenant) = command.rewrites {
            tenants::lock_whole(&mut tx, tenant).await?;
        }
        require(&mut tx, actor, command.right).await?;
        if command.sensitive {
            require_confirmed(&mut tx, actor, self.clock.now()).await?;
        }
        let mut log = Log { entry: Some(command.entry.clone()), also: Vec::new() };
        let value = work(&mut tx, &mut log).await?;
        for entry in log.also.into_iter().chain(log.entry) {
            self.record(&mut tx, actor, entry).await?;
        }
        tx.commit().await?;
        Ok(value)
    }

    /// Takes one from the budget of a person for one kind of thing, such as `command`; whoever is no person has none. The
    /// budget is kept in memory and per process, so that it costs nothing to refuse, and a refusal names the budget in the
    /// audit log and not what was asked for: one entry for each budget of a person in a minute, however much they ask for.
    ///
    /// # Errors
    /// [`CommandError::TooMany`] with the time to wait.
    pub async fn limit(&self, actor: &Actor, budget: &'static str, rate: Rate) -> Result<(), CommandError> {
        // A token has a budget of its own: what a program does too fast holds up no person.
        let whose = match actor.kind {
            ActorKind::Person => actor.user_id,
            ActorKind::Token => actor.token.map(UserId::from_uuid),
            ActorKind::System | ActorKind::CommandLine | ActorKind::Anonymous => None,
        };
        let Some(whose) = whose else { return Ok(()) };
        let taken = self.take_rate((budget, whose), rate);
        if let Err(error) = &taken {
            self.record_failure(actor, AuditEntry::new(AuditAction::RateLimited, "budget", budget), error).await;
        }
        taken
    }

    /// The same without an entry in the audit log, for what is told there in another way or is no refusal.
    ///
    /// # Errors
    /// [`CommandError::TooMany`] with the time to wait.
    pub fn take_rate(&self, key: (&'static str, UserId), rate: Rate) -> Result<(), CommandError> {
        self.rates.take(key, rate)
    }

    /// Counts many things that somebody asks for at once as one command; how many they may be is for the caller to bound.
    ///
    /// # Errors
    /// [`CommandError::TooMany`] when the person gives commands too fast.
    pub async fn begin_many(&self, actor: &Actor) -> Result<(), CommandError> {
        self.limit(actor, "command", COMMAND_RATE).await
    }

    /// Counts a download of a person.
    ///
    /// # Errors
    /// [`CommandError::TooMany`] when there were too many in a short time.
    pub async fn begin_download(&self, actor: &Actor) -> Result<(), CommandError> {
        self.limit(actor, "download", DOWNLOAD_RATE).await
    }

    /// Appends an entry to the audit log; last in its transaction, because the end of the chain stays locked until the
    /// commit.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn record(&self, tx: &mut Tx, actor: &Actor, entry: AuditEntry) -> Result<(), StoreError> {
        audit::append(tx, &self.vault, &entry.by(actor), self.clock.now()).await.map(|_| ())
    }

    /// Writes a command that was refused or failed into the audit log.
    pub async fn record_failure(&self, actor: &Actor, entry: AuditEntry, error: &impl Refusal) {
        if let Some((outcome, error)) = error.audited() {
            self.record_refusal(actor, entry.with(json!({ "error": error })).ended(outcome)).await;
        }
    }

    /// Does what comes before a command because it costs much or tells what the command is to do, such as a first look at
    /// the right. Its refusal is written into the audit log like that of the command, whose entry this is.
    ///
    /// # Errors
    /// Those of `work`.
    pub async fn before<T, E: Refusal>(
        &self,
        actor: &Actor,
        entry: &AuditEntry,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let done = work.await;
        if let Err(error) = &done {
            self.record_failure(actor, entry.clone(), error).await;
        }
        done
    }

    /// Lets an action pass or refuses it. Before work that costs much; the command asks again.
    ///
    /// # Errors
    /// [`CommandError::NotFound`] when the tenant does not exist for the actor, [`CommandError::Forbidden`] when the role
    /// does not allow it.
    pub async fn authorise(&self, actor: &Actor, tenant: TenantId, action: Action) -> Result<(), CommandError> {
        let role = match (actor.kind, actor.user_id) {
            (ActorKind::Person, Some(user)) => members::effective_role(&self.db, tenant, user).await?,
            (ActorKind::Person, None) | (ActorKind::Anonymous, _) => None,
            (ActorKind::Token, _) => match actor.token {
                Some(token) => match api_tokens::get(&self.db, token).await? {
                    Some(token) if token.stands(self.clock.now()) => {
                        api_tokens::role_in(&self.db, &token, tenant).await?
                    }
                    _ => None,
                },
                None => None,
            },
            (ActorKind::System | ActorKind::CommandLine, _) => {
                tenants::get(&self.db, tenant).await?.map(|_| Role::Owner)
            }
        };
        match role {
            None => Err(CommandError::NotFound("the tenant")),
            Some(role) if role.allows(action) => Ok(()),
            Some(_) => Err(CommandError::Forbidden),
        }
    }

    /// Lets only those pass who manage tenants and users. Before work that costs much; the command asks again.
    ///
    /// # Errors
    /// [`CommandError::Forbidden`].
    pub async fn authorise_platform(&self, actor: &Actor) -> Result<(), CommandError> {
        let may = match (actor.kind, actor.user_id) {
            (ActorKind::System | ActorKind::CommandLine, _) => true,
            (ActorKind::Person, Some(user)) => {
                let person = users::get(&self.db, user).await?;
                person.is_some_and(|person| person.platform_admin && person.disabled_at.is_none())
            }
            (ActorKind::Person | ActorKind::Anonymous | ActorKind::Token, _) => false,
        };
        if may { Ok(()) } else { Err(CommandError::Forbidden) }
    }
}
