//! The one place through which every command goes: the right to give it is read inside the write transaction that uses
//! it up, what was done is written into the audit log in the same transaction, and a command that was refused or failed
//! is written down as well.
//!
//! A right that is read before the transaction may be gone when the transaction begins: a request that waits for the
//! single writer of SQLite, or for a row lock of PostgreSQL, would then act on a right that was taken away meanwhile
//! (OWASP ASVS 4.0.3, requirements 4.1.2 and 11.1.6). Here the rows that carry the right are locked first and stay locked
//! until the commit, so whoever takes the right away waits for the command, or the command waits and finds it gone.
//!
//! Rows are locked in one order, so that two commands cannot block each other: the tenant, as strongly as the command will
//! need it, since a lock that becomes stronger later waits for those who hold the weaker one; then all who administer the
//! platform; then the person; then the membership. Where two commands still meet crosswise, as two tenants that swap their
//! names, PostgreSQL takes one of them back, and it is tried again.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tenantatlas_domain::ids::{TenantId, UserId};
use tenantatlas_domain::role::{Action, Role};
use tenantatlas_domain::time::Timestamp;
use tenantatlas_store::audit::Outcome;
use tenantatlas_store::{Access, StoreError, Tx, members, sessions, tenants, users};

use crate::actor::{Actor, ActorKind};
use crate::engine::Core;
use crate::error::EngineError;
use crate::rate_limit::Rate;
use crate::trail::Entry;

/// Commands of one person: a burst as large as a busy administrator makes, then two a second. A person who is faster than
/// that is a script, which would fill the append-only audit log and stand in the line of all writers.
pub(crate) const COMMAND_RATE: Rate = Rate { burst: 120, every: Duration::from_millis(500) };

/// How often a command is tried that the database took back because it and another one waited for each other.
const TRIES: u32 = 4;

/// What an actor must be allowed to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Right {
    /// Administer the platform: tenants and users.
    Platform,
    /// Act in a tenant.
    Tenant(TenantId, Action),
    /// Be signed in: for what people change about themselves.
    SignedIn,
}

/// A command that is about to be given.
#[derive(Debug)]
pub(crate) struct Command<'a> {
    actor: &'a Actor,
    right: Right,
    entry: Entry,
    sensitive: bool,
    rewrites: Option<TenantId>,
}

impl<'a> Command<'a> {
    /// `entry` is what the audit log says when the command succeeds; the same entry with another outcome is written when
    /// it is refused or fails.
    pub(crate) const fn new(actor: &'a Actor, right: Right, entry: Entry) -> Self {
        Self { actor, right, entry, sensitive: false, rewrites: None }
    }

    /// It changes who may do what, or where a credential goes: a person in a browser must have proved who they are within
    /// [`CONFIRMATION_LASTS`] (product rules, section Access; OWASP ASVS 4.0.3, requirements 3.7.1 and 4.3.3).
    pub(crate) const fn sensitive(mut self) -> Self {
        self.sensitive = true;
        self
    }

    /// It changes the row of a tenant, although its right is not one in that tenant.
    pub(crate) const fn rewrites(mut self, tenant: TenantId) -> Self {
        self.rewrites = Some(tenant);
        self
    }
}

/// What the audit log will say of a command that succeeds.
#[derive(Debug)]
pub(crate) struct Log {
    entry: Option<Entry>,
    also: Vec<Entry>,
}

impl Log {
    /// Adds an entry, written before that of the command.
    pub(crate) fn also(&mut self, entry: Entry) {
        self.also.push(entry);
    }

    /// Replaces the entry of the command.
    pub(crate) fn replace(&mut self, entry: Entry) {
        self.entry = Some(entry);
    }

    /// Nothing was changed, so nothing is written.
    pub(crate) fn unchanged(&mut self) {
        self.entry = None;
    }
}

impl Core {
    /// Gives a command: begins a write transaction, reads the right under a lock, does `work`, appends the audit entry and
    /// commits. All of that is done again when the database took it back for a deadlock. Whatever `work` wrote is taken back
    /// when it answers an error, and the refusal or failure is written into the audit log instead.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] when the tenant does not exist for the actor, [`EngineError::Forbidden`] when the role
    /// does not allow it, [`EngineError::Confirm`] when it is sensitive, [`EngineError::TooMany`] when the person gives
    /// commands too fast, those of `work`, and when the database fails.
    pub(crate) async fn command<T: Send>(
        self: &Arc<Self>,
        command: Command<'_>,
        work: impl AsyncFnOnce(&mut Tx, &mut Log) -> Result<T, EngineError> + Clone,
    ) -> Result<T, EngineError> {
        self.check_rate(command.actor)?;
        let mut done = self.try_command(&command, work.clone()).await;
        for _ in 1..TRIES {
            if !matches!(done, Err(EngineError::Store(StoreError::Deadlock))) {
                break;
            }
            done = self.try_command(&command, work.clone()).await;
        }
        if let Err(error) = &done {
            self.record_failure(command.actor, command.entry, error).await;
        }
        done
    }

    /// Refuses a person who gives commands too fast. In memory and per process: it costs nothing to refuse.
    pub(crate) fn check_rate(&self, actor: &Actor) -> Result<(), EngineError> {
        let (ActorKind::Person, Some(user)) = (actor.kind, actor.user_id) else { return Ok(()) };
        self.rates.take(("command", user), COMMAND_RATE)
    }

    async fn try_command<T: Send>(
        &self,
        command: &Command<'_>,
        work: impl AsyncFnOnce(&mut Tx, &mut Log) -> Result<T, EngineError>,
    ) -> Result<T, EngineError> {
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

    /// Writes a command that was refused or failed into the audit log. What the database itself could not do is left to
    /// the log lines, since it would hardly take an entry then.
    pub(crate) async fn record_failure(self: &Arc<Self>, actor: &Actor, entry: Entry, error: &EngineError) {
        let (outcome, error) = match error {
            EngineError::Forbidden | EngineError::NotFound("the tenant") => (Outcome::Denied, "forbidden"),
            EngineError::NotFound(_) => (Outcome::Failure, "not_found"),
            EngineError::Confirm => (Outcome::Denied, "confirm"),
            EngineError::Invalid { field, .. } => (Outcome::Failure, *field),
            EngineError::Conflict(_) => (Outcome::Failure, "conflict"),
            EngineError::TooMany(_) => (Outcome::Denied, "too_many"),
            EngineError::Selection(_) => (Outcome::Failure, "selection"),
            EngineError::Graph(_) => (Outcome::Failure, "graph"),
            EngineError::Store(_) | EngineError::Stopping | EngineError::Internal(_) => return,
        };
        self.record_refusal(actor, entry.with(json!({ "error": error })).ended(outcome)).await;
    }
}

/// Reads the right of an actor and keeps it until the transaction ends: the rows that carry it cannot change meanwhile.
///
/// # Errors
/// [`EngineError::NotFound`] when the tenant does not exist for the actor, [`EngineError::Forbidden`].
async fn require(tx: &mut Tx, actor: &Actor, right: Right) -> Result<(), EngineError> {
    match (actor.kind, actor.user_id) {
        (ActorKind::System | ActorKind::CommandLine, _) => match right {
            Right::Tenant(tenant, action) => {
                if held_tenant(tx, tenant, action).await? {
                    Ok(())
                } else {
                    Err(EngineError::NotFound("the tenant"))
                }
            }
            Right::Platform | Right::SignedIn => Ok(()),
        },
        (ActorKind::Person, Some(user)) => match right {
            Right::Platform => {
                users::lock_platform_admins(tx).await?;
                let person = users::lock(tx, user).await?.ok_or(EngineError::Forbidden)?;
                if person.platform_admin { Ok(()) } else { Err(EngineError::Forbidden) }
            }
            Right::SignedIn => users::lock(tx, user).await?.map(|_| ()).ok_or(EngineError::Forbidden),
            Right::Tenant(tenant, action) => match held_role(tx, tenant, user, action).await? {
                None => Err(EngineError::NotFound("the tenant")),
                Some(role) if role.allows(action) => Ok(()),
                Some(_) => Err(EngineError::Forbidden),
            },
        },
        (ActorKind::Person | ActorKind::Anonymous, _) => match right {
            Right::Tenant(..) => Err(EngineError::NotFound("the tenant")),
            Right::Platform | Right::SignedIn => Err(EngineError::Forbidden),
        },
    }
}

/// How long a person who proved who they are may change what is sensitive (product rules, section Access).
pub const CONFIRMATION_LASTS: Duration = Duration::from_secs(600);

/// Whether what was proved at one time still counts at another. A clock that was set back makes nothing last longer.
#[must_use]
pub fn is_confirmed(verified_at: Timestamp, now: Timestamp) -> bool {
    let age = now.as_millis().saturating_sub(verified_at.as_millis());
    u64::try_from(age).is_ok_and(|age| u128::from(age) <= CONFIRMATION_LASTS.as_millis())
}

/// Refuses a person who has not proved lately, in the session in which they act, who they are. The command line and the
/// product itself have nobody to ask.
///
/// # Errors
/// [`EngineError::Confirm`], and when the database fails.
pub(crate) async fn require_confirmed(on: impl Access, actor: &Actor, now: Timestamp) -> Result<(), EngineError> {
    match (actor.kind, actor.user_id, actor.session) {
        (ActorKind::System | ActorKind::CommandLine, _, _) => Ok(()),
        (ActorKind::Person, Some(user), Some(session)) => {
            let verified_at = sessions::verified_at(on, user, session, now).await?;
            if verified_at.is_some_and(|at| is_confirmed(at, now)) { Ok(()) } else { Err(EngineError::Confirm) }
        }
        (ActorKind::Person | ActorKind::Anonymous, _, _) => Err(EngineError::Confirm),
    }
}

/// Lets only those go on who administer the platform, within a command whose right was another one. Their row is locked
/// already, so nobody else's has to be.
///
/// # Errors
/// [`EngineError::Forbidden`].
pub(crate) async fn require_administrator(tx: &mut Tx, actor: &Actor) -> Result<(), EngineError> {
    match (actor.kind, actor.user_id) {
        (ActorKind::System | ActorKind::CommandLine, _) => Ok(()),
        (ActorKind::Person, Some(user)) => {
            let person = users::lock(tx, user).await?;
            if person.is_some_and(|person| person.platform_admin) { Ok(()) } else { Err(EngineError::Forbidden) }
        }
        (ActorKind::Person | ActorKind::Anonymous, _) => Err(EngineError::Forbidden),
    }
}

/// Locks a tenant as strongly as an action in it needs. Answers whether there is one.
async fn held_tenant(tx: &mut Tx, tenant: TenantId, action: Action) -> Result<bool, EngineError> {
    Ok(match action {
        // Name and directory may change: nobody may even refer to the tenant meanwhile, as a run does that begins.
        Action::EditConnection => tenants::lock_whole(tx, tenant).await?.is_some(),
        Action::ManageMembers => tenants::lock(tx, tenant).await?.is_some(),
        Action::View | Action::Sync | Action::AcknowledgeFindings | Action::CancelRun | Action::EditSchedules => {
            tenants::hold(tx, tenant).await?.is_some()
        }
    })
}

/// The role of a person in a tenant, locked until the transaction ends.
async fn held_role(tx: &mut Tx, tenant: TenantId, user: UserId, action: Action) -> Result<Option<Role>, EngineError> {
    if !held_tenant(tx, tenant, action).await? {
        return Ok(None);
    }
    let Some(person) = users::lock(tx, user).await? else { return Ok(None) };
    if person.platform_admin {
        return Ok(Some(Role::Owner));
    }
    Ok(members::lock_role(tx, tenant, user).await?)
}
