//! Runs that the clock starts: the due time of a schedule is taken in the transaction that dispatches the run, so that of
//! several processes one starts it (`docs/rules.md`, section Schedules).

use std::fmt::Debug;
use std::sync::Arc;

use futures::future::BoxFuture;
use serde_json::Value;
use tenantatlas_commands::{Actor, AuditEntry, Command, CommandError, Right, require};
use tenantatlas_domain::ids::{OperationRunId, ScheduleId, TenantId, UserId};
use tenantatlas_domain::time::Timestamp;
use tenantatlas_store::operation_runs::{Created, FollowUp};
use tenantatlas_store::retention::{self, DueTenant};
use tenantatlas_store::schedules::{self, Claim};
use tenantatlas_store::{StoreError, Tx, setting_catalog};

use crate::core::Core;
use crate::dispatch::{Cause, Dispatched, check_follow_ups, create, prepare};
use crate::runner::Runner;

/// What is said of a schedule whose work was active already.
const ALREADY_ACTIVE: &str = "The same work was under way already, so no second run was started.";

/// The due time that is taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DueClaim {
    /// That of a schedule.
    Schedule(Claim),
    /// That of the daily pruning of a tenant, with the next one.
    Retention(DueTenant, Timestamp),
    /// That of the reading of the names of settings, with the one that follows where it comes to nothing.
    SettingNames(Timestamp, Timestamp),
}

impl DueClaim {
    fn schedule(&self) -> Option<ScheduleId> {
        match self {
            Self::Schedule(claim) => Some(claim.schedule),
            Self::Retention(..) | Self::SettingNames(..) => None,
        }
    }

    async fn take(&self, tx: &mut Tx, at: Timestamp) -> Result<bool, StoreError> {
        match self {
            Self::Schedule(claim) => schedules::claim(tx, claim, at).await,
            Self::Retention(due, next) => retention::claim(tx, *due, *next).await,
            Self::SettingNames(due_at, next) => setting_catalog::claim_reading(tx, *due_at, *next).await,
        }
    }

    async fn started(
        &self,
        tx: &mut Tx,
        run: OperationRunId,
        trouble: Option<&str>,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        match self {
            Self::Schedule(claim) => schedules::started(tx, claim.schedule, run, trouble, at).await,
            Self::Retention(..) | Self::SettingNames(..) => Ok(()),
        }
    }
}

/// What is told when the time that is taken was the last one: in the same transaction, so that a process which ends right after
/// it loses nothing.
pub trait LastTime: Debug + Send + Sync {
    /// The entry for the audit log.
    fn entry(&self) -> AuditEntry;

    /// Writes what people and others are told. Answers which people.
    fn tell<'a>(&'a self, tx: &'a mut Tx, at: Timestamp) -> BoxFuture<'a, Result<Vec<UserId>, StoreError>>;
}

/// What is started by the clock.
#[derive(Debug, Clone)]
pub struct DueWork {
    /// The tenant.
    pub tenant: TenantId,
    /// What the operation works on.
    pub resource: String,
    /// What it does.
    pub action: String,
    /// What the run carries.
    pub payload: Value,
    /// What is to follow it.
    pub follow_ups: Vec<FollowUp>,
    /// Who answers for it: what they may do now counts.
    pub owner: Actor,
    /// What the run says who started it.
    pub initiator: String,
    /// The due time that is taken.
    pub claim: DueClaim,
    /// Told when there is none after it.
    pub last: Option<Arc<dyn LastTime>>,
}

/// What became of a due time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Started {
    /// It was started, or the same work was active already.
    Run(Box<Dispatched>),
    /// Another process took it, or the schedule was changed meanwhile.
    TakenAlready,
}

impl Runner {
    /// Starts what is due. The run has no person; the owner must be allowed to start it and what follows it.
    ///
    /// # Errors
    /// As [`Runner::dispatch`], for the owner; the due time stays then.
    pub async fn dispatch_due(&self, due: DueWork) -> Result<Started, CommandError> {
        self.core.dispatch_due(due).await
    }
}

impl Core {
    async fn dispatch_due(&self, due: DueWork) -> Result<Started, CommandError> {
        let DueWork { tenant, resource, action, payload, follow_ups, owner, initiator, claim, last } = due;
        if self.commands.stopping.is_cancelled() {
            return Err(CommandError::Stopping);
        }
        let operation = self.operations.find(&resource, &action);
        let operation =
            operation.ok_or_else(|| CommandError::Conflict(format!("there is no operation {resource}.{action}")))?;
        check_follow_ups(self, &follow_ups)?;
        let actor = Actor { name: initiator, ..Actor::system() };
        let cause = Cause { follow_ups, schedule: claim.schedule(), ..Cause::default() };
        let (new, entry) = prepare(operation.as_ref(), &actor, tenant, payload, cause)?;
        let right = Right::Tenant(tenant, operation.permission());
        let created = self
            .commands
            .execute(Command::new(&actor, right, entry), async |tx, log| {
                require(tx, &owner, right).await?;
                for one in &new.follow_ups {
                    let action = self.operations.permission(&one.resource, &one.action);
                    require(tx, &owner, Right::Tenant(tenant, action.ok_or(CommandError::Forbidden)?)).await?;
                }
                let at = self.commands.clock.now();
                if !claim.take(tx, at).await? {
                    log.unchanged();
                    return Ok(None);
                }
                let created = create(self, tx, operation.as_ref(), &new, at).await?;
                let (run, trouble) = match &created {
                    Created::New(run) => {
                        self.check_waiting(&mut *tx, &actor, tenant, 1).await?;
                        (run, None)
                    }
                    Created::AlreadyActive(run) => {
                        log.unchanged();
                        (run, Some(ALREADY_ACTIVE))
                    }
                };
                claim.started(tx, run.id, trouble, at).await?;
                let told = match &last {
                    Some(last) => {
                        log.also(last.entry());
                        last.tell(tx, at).await?
                    }
                    None => Vec::new(),
                };
                Ok::<_, CommandError>(Some((created, told)))
            })
            .await?;
        let Some((created, told)) = created else { return Ok(Started::TakenAlready) };
        for user in told {
            self.live.publish_unread(&self.commands.db, user).await;
        }
        let (run, already_running) = match created {
            Created::AlreadyActive(run) => (run, true),
            Created::New(run) => {
                metrics::counter!("runs_dispatched_total").increment(1);
                self.wake_workers();
                self.publish_runs([&run]);
                (run, false)
            }
        };
        Ok(Started::Run(Box::new(Dispatched { state: self.state_of(&run), already_running })))
    }
}
