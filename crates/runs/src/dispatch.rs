//! Dispatch: right, run, audit entry and notification in one transaction (`docs/rules.md`, section Operation runs).

use serde_json::{Value, json};
use tenantatlas_commands::{Actor, AuditEntry, Command, CommandError, Right, require};
use tenantatlas_domain::audit::RunEvent;
use tenantatlas_domain::ids::{CorrelationId, OperationRunId, TenantId};
use tenantatlas_domain::live::RunState;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_store::operation_runs::{self, Created, FollowUp, NewOperationRun};
use tenantatlas_store::{Access, Tx};
use uuid::Uuid;

use crate::core::Core;
use crate::notification::RUN_QUEUED;
use crate::operation::{Operation, Summary};
use crate::registry::{AnyOperation, to_value};
use crate::runner::Runner;
use crate::{completion, follow_up};

/// What became of a dispatch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dispatched {
    /// The state of the run as dispatched: the new one, or the one that does the same already.
    pub state: RunState,
    /// Whether the same work was active already, so that nothing was created.
    pub already_running: bool,
}

/// Why a run is started, and what is to follow it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cause {
    /// The run that it tries again.
    pub retry_of: Option<OperationRunId>,
    /// The run after whose good end it is started.
    pub follows: Option<OperationRunId>,
    /// What is started when it ends well.
    pub follow_ups: Vec<FollowUp>,
}

impl Runner {
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
}

/// The run that is to be created, and what the audit log says of it.
pub(crate) fn prepare(
    operation: &dyn AnyOperation,
    actor: &Actor,
    tenant: TenantId,
    payload: Value,
    cause: Cause,
) -> Result<(NewOperationRun, AuditEntry), CommandError> {
    let (kind, prepared) = (operation.kind(), operation.prepare(&payload)?);
    let audit_log_id = Uuid::now_v7();
    let new = NewOperationRun {
        id: OperationRunId::from_uuid(Uuid::now_v7()),
        tenant_id: tenant,
        user_id: actor.user_id,
        initiator: actor.name.clone(),
        resource: kind.resource.to_owned(),
        action: kind.action.to_owned(),
        idempotency_key: prepared.idempotency_key,
        correlation_id: CorrelationId::from_uuid(Uuid::now_v7()),
        payload,
        item_ids: prepared.units,
        audit_log_id,
        retry_of: cause.retry_of,
        follows: cause.follows,
        follow_ups: cause.follow_ups,
    };
    let context = json!({
        "correlation_id": new.correlation_id,
        "retry_of": new.retry_of,
        "follows": new.follows,
        "follow_ups": new.follow_ups.iter().map(|one| format!("{}.{}", one.resource, one.action)).collect::<Vec<_>>(),
    });
    let entry = AuditEntry::new(RunEvent::Dispatched.of(kind.resource, kind.action), "operation_run", new.id)
        .of(tenant)
        .with(context)
        .with(Value::Object(prepared.facts))
        .id(audit_log_id);
    Ok((new, entry))
}

/// Creates a run unless the same work is active already, with what the operation writes of it and the notification.
pub(crate) async fn create(
    core: &Core,
    tx: &mut Tx,
    operation: &dyn AnyOperation,
    actor: &Actor,
    new: &NewOperationRun,
    at: Timestamp,
) -> Result<Created, CommandError> {
    let created = operation_runs::create(tx, new, at).await?;
    if let Created::New(run) = &created {
        // Counted with the new run: without it the transaction is taken back.
        core.check_room(&mut *tx, actor, new.tenant_id, 1).await?;
        completion::notify(core, tx, run, RUN_QUEUED, Summary::new(), at).await?;
    }
    operation.dispatched(tx, new, at).await?;
    Ok(created)
}

impl Core {
    pub(crate) async fn dispatch(
        &self,
        operation: &dyn AnyOperation,
        actor: &Actor,
        tenant: TenantId,
        payload: Value,
        cause: Cause,
    ) -> Result<Dispatched, CommandError> {
        if self.commands.stopping.is_cancelled() {
            return Err(CommandError::Stopping);
        }
        follow_up::check(self, &cause.follow_ups)?;
        let (new, entry) = prepare(operation, actor, tenant, payload, cause)?;
        self.refuse_early(operation, actor, &new, &entry).await?;
        let right = Right::Tenant(tenant, operation.permission());
        let created = self
            .commands
            .execute(Command::new(actor, right, entry), async |tx, log| {
                for one in &new.follow_ups {
                    let action = self.operations.permission(&one.resource, &one.action);
                    require(tx, actor, Right::Tenant(tenant, action.ok_or(CommandError::Forbidden)?)).await?;
                }
                let created = create(self, tx, operation, actor, &new, self.commands.clock.now()).await?;
                if matches!(created, Created::AlreadyActive(_)) {
                    log.unchanged();
                }
                Ok::<_, CommandError>(created)
            })
            .await?;
        let run = match created {
            Created::AlreadyActive(run) => {
                return Ok(Dispatched { state: self.state_of(&run), already_running: true });
            }
            Created::New(run) => run,
        };
        metrics::counter!("runs_dispatched_total").increment(1);
        self.wake_workers();
        self.publish_runs([&run]);
        self.publish_unread_of([&run]).await;
        Ok(Dispatched { state: self.state_of(&run), already_running: false })
    }

    /// Keeps whoever may not, or asks for too much, out of the line of writers. All of it is asked again inside of the
    /// transaction.
    async fn refuse_early(
        &self,
        operation: &dyn AnyOperation,
        actor: &Actor,
        new: &NewOperationRun,
        entry: &AuditEntry,
    ) -> Result<(), CommandError> {
        let asked = async {
            self.commands.authorise(actor, new.tenant_id, operation.permission()).await?;
            let db = &self.commands.db;
            if operation_runs::find_active(db, new.tenant_id, &new.idempotency_key).await?.is_some() {
                return Ok(());
            }
            self.check_room(db, actor, new.tenant_id, 0).await
        };
        let asked = asked.await;
        if let Err(error) = &asked {
            self.commands.record_failure(actor, entry.clone(), error).await;
        }
        asked
    }

    /// Refuses one more run where too many wait. `counted` says how many of those that wait are the new one.
    async fn check_room(
        &self,
        on: impl Access,
        actor: &Actor,
        tenant: TenantId,
        counted: u32,
    ) -> Result<(), CommandError> {
        let waiting = operation_runs::waiting(on, tenant, actor.user_id).await?;
        let beyond = |waiting: u32, limit: u32| waiting.saturating_sub(counted) >= limit;
        if beyond(waiting.of_tenant, self.config.waiting_per_tenant) {
            return Err(CommandError::TooMany(format!(
                "{} runs of this tenant are waiting already. Wait until some have ended, or cancel some, and try again.",
                self.config.waiting_per_tenant
            )));
        }
        if beyond(waiting.of_person, self.config.waiting_per_person) {
            return Err(CommandError::TooMany(format!(
                "{} runs that you started are waiting already. Wait until some have ended, or cancel some, and try again.",
                self.config.waiting_per_person
            )));
        }
        Ok(())
    }
}
