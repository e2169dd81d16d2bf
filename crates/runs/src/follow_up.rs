//! Follow-ups: a run that is started when another ends well, and names the one it follows.
//!
//! They are written with the run that is dispatched, so nothing is forgotten when a process ends, and started in the
//! transaction that ends it, so none is started twice. Several follow each other in the order in which they were named.

use serde_json::json;
use tenantatlas_commands::{Actor, AuditEntry, CommandError, Refusal as _, Right, require};
use tenantatlas_domain::audit::RunEvent;
use tenantatlas_domain::operation::OperationStatus;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_store::audit::Outcome;
use tenantatlas_store::operation_runs::{self, Created, FollowUp, OperationRun};
use tenantatlas_store::{StoreError, Tx, api_tokens};

use crate::completion;
use crate::core::Core;
use crate::dispatch::{self, Cause};
use crate::operation::Operation;
use crate::registry::to_value;

/// A run of an operation that is to follow another one.
///
/// # Errors
/// When the payload cannot be written as JSON.
pub fn follow_up<O: Operation>(payload: &O::Payload) -> Result<FollowUp, CommandError> {
    Ok(FollowUp {
        resource: O::KIND.resource.to_owned(),
        action: O::KIND.action.to_owned(),
        payload: to_value(payload)?,
    })
}

/// What is to follow a run that ends, and whether its initiator may still start it.
pub(crate) struct FollowUps {
    next: Option<FollowUp>,
    rest: Vec<FollowUp>,
    actor: Actor,
    allowed: Result<(), CommandError>,
}

impl FollowUps {
    /// Reads who would start what follows, and keeps the right until the transaction ends.
    pub(crate) async fn read(core: &Core, tx: &mut Tx, run: &OperationRun) -> Result<Self, StoreError> {
        let mut follow_ups = run.follow_ups.clone().into_iter();
        let next = follow_ups.next();
        let rest = follow_ups.collect();
        let Some(first) = &next else {
            return Ok(Self { next, rest, actor: Actor::system(), allowed: Ok(()) });
        };
        let actor = completion::initiator(tx, run).await?;
        let ended = match run.token_id {
            Some(token) => {
                let token = api_tokens::get(&mut *tx, token).await?;
                !token.is_some_and(|token| token.stands(core.commands.clock.now()))
            }
            None => false,
        };
        let allowed = match core.operations.permission(&first.resource, &first.action) {
            _ if ended => Err(CommandError::NotFound("the tenant")),
            Some(action) => require(tx, &actor, Right::Tenant(run.tenant_id, action)).await,
            None => Err(CommandError::Conflict("this version of the program does not know the operation".to_owned())),
        };
        match allowed {
            Err(CommandError::Store(error)) => Err(error),
            allowed => Ok(Self { next, rest, actor, allowed }),
        }
    }

    /// Whether the first of what follows is started after an end like this although the run did not end well.
    pub(crate) fn follow_partial(&self, core: &Core, status: OperationStatus) -> bool {
        let next = self.next.as_ref().and_then(|next| core.operations.find(&next.resource, &next.action));
        status == OperationStatus::CompletedWithErrors && next.is_some_and(|operation| operation.follows_partial())
    }

    /// Starts the first of what follows a run that has ended well, which carries the rest. What cannot be started ends the
    /// chain and is written into the audit log (`docs/rules.md`, section Follow-ups).
    pub(crate) async fn start(
        self,
        core: &Core,
        tx: &mut Tx,
        ended: &OperationRun,
        at: Timestamp,
    ) -> Result<Option<OperationRun>, StoreError> {
        let Some(next) = self.next else { return Ok(None) };
        let left_out = json!({ "follows": ended.id, "left_out": dispatch::names(&self.rest) });
        let refused = AuditEntry::new(RunEvent::Dispatched.of(&next.resource, &next.action), "operation_run", ended.id)
            .of(ended.tenant_id)
            .with(left_out);
        let created = match self.allowed {
            Ok(()) => {
                let cause = Cause {
                    follows: Some(ended.id),
                    follow_ups: self.rest,
                    schedule: ended.schedule_id,
                    ..Cause::default()
                };
                Self::create(core, tx, &self.actor, ended, next, cause, at).await
            }
            Err(error) => Err(error),
        };
        let refused = match created {
            Ok(Created::New(run)) => return Ok(Some(run)),
            Ok(Created::AlreadyActive(active)) => {
                refused.ended(Outcome::Failure).with(json!({ "error": "already_active", "active": active.id }))
            }
            Err(CommandError::Store(error)) => return Err(error),
            Err(error) => {
                tracing::warn!(%error, "what was to follow a run was not started");
                let (outcome, word) = error.audited().unwrap_or((Outcome::Failure, "internal"));
                refused.ended(outcome).with(json!({ "error": word }))
            }
        };
        core.commands.record(tx, &self.actor, refused).await?;
        Ok(None)
    }

    async fn create(
        core: &Core,
        tx: &mut Tx,
        actor: &Actor,
        ended: &OperationRun,
        next: FollowUp,
        cause: Cause,
        at: Timestamp,
    ) -> Result<Created, CommandError> {
        let operation = core
            .operations
            .find(&next.resource, &next.action)
            .ok_or_else(|| CommandError::Conflict("the operation is not known".to_owned()))?;
        let (new, entry) = dispatch::prepare(operation.as_ref(), actor, ended.tenant_id, next.payload, cause)?;
        if let Some(active) = operation_runs::find_active(&mut *tx, new.tenant_id, &new.idempotency_key).await? {
            return Ok(Created::AlreadyActive(active));
        }
        // Before the run is created: the end of the run that it follows stands whether the limits allow it or not.
        core.check_waiting(&mut *tx, actor, new.tenant_id, 0).await?;
        let created = dispatch::create(core, tx, operation.as_ref(), &new, at).await?;
        if matches!(created, Created::New(_)) {
            core.commands.record(tx, actor, entry).await?;
        }
        Ok(created)
    }
}

/// Tells of a run that was started because another ended well, after the commit.
pub(crate) fn announce(core: &Core, started: Option<&OperationRun>) {
    if let Some(run) = started {
        metrics::counter!("runs_dispatched_total").increment(1);
        core.publish_runs([run]);
        core.wake_workers();
    }
}
