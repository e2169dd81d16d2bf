//! Dispatch: right, run, audit entry and notification in one transaction (`docs/rules.md`, section Operation runs).

use serde_json::{Value, json};
use tenantatlas_commands::{Actor, AuditEntry, Command, CommandError, Right, require};
use tenantatlas_domain::audit::RunEvent;
use tenantatlas_domain::ids::{CorrelationId, OperationRunId, ScheduleId, TenantId};
use tenantatlas_domain::live::RunState;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_store::operation_runs::{self, Created, FollowUp, NewOperationRun};
use tenantatlas_store::{Access, Tx};
use uuid::Uuid;

use crate::completion;
use crate::core::Core;
use crate::notification::RUN_QUEUED;
use crate::operation::Summary;
use crate::registry::AnyOperation;

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
    /// Why somebody wants it, in their words.
    pub why: Option<String>,
    /// The schedule that starts it, or has started what it follows.
    pub schedule: Option<ScheduleId>,
    /// Whether it is one of many that were asked for at once, and counted as one command.
    pub of_many: bool,
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
        // What a program starts is its own: its person is not told of it, and it is not counted as theirs.
        user_id: actor.user_id.filter(|_| actor.token.is_none()),
        token_id: actor.token,
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
        schedule_id: cause.schedule,
    };
    let mut context = json!({
        "correlation_id": new.correlation_id,
        "retry_of": new.retry_of,
        "follows": new.follows,
        "follow_ups": names(&new.follow_ups),
    });
    if let Some(schedule) = cause.schedule {
        context["schedule"] = schedule.to_string().into();
    }
    if let Some(why) = cause.why {
        context["why"] = why.into();
    }
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
    new: &NewOperationRun,
    at: Timestamp,
) -> Result<Created, CommandError> {
    let created = operation_runs::create(tx, new, at).await?;
    if let Created::New(run) = &created
        && !completion::is_quiet(core, &run.resource, &run.action, run.follows)
    {
        completion::notify(core, tx, run, RUN_QUEUED, Summary::new(), at).await?;
    }
    operation.dispatched(tx, new, at).await?;
    Ok(created)
}

/// The names of the operations that are to follow.
pub(crate) fn names(follow_ups: &[FollowUp]) -> Vec<String> {
    follow_ups.iter().map(|one| format!("{}.{}", one.resource, one.action)).collect()
}

/// Refuses follow-ups that could never be started.
pub(crate) fn check_follow_ups(core: &Core, follow_ups: &[FollowUp]) -> Result<(), CommandError> {
    for one in follow_ups {
        let operation = core.operations.find(&one.resource, &one.action).ok_or_else(|| {
            CommandError::Conflict(format!("there is no operation {}.{} that could follow", one.resource, one.action))
        })?;
        operation.prepare(&one.payload)?;
    }
    Ok(())
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
        let of_many = cause.of_many;
        let (new, entry) = prepare(operation, actor, tenant, payload, cause)?;
        self.refuse_early(operation, actor, &new, &entry).await?;
        let right = Right::Tenant(tenant, operation.permission());
        let created = self
            .commands
            .execute(Command::new(actor, right, entry).of_many(of_many), async |tx, log| {
                for one in &new.follow_ups {
                    let action = self.operations.permission(&one.resource, &one.action);
                    require(tx, actor, Right::Tenant(tenant, action.ok_or(CommandError::Forbidden)?)).await?;
                }
                let created = create(self, tx, operation, &new, self.commands.clock.now()).await?;
                match created {
                    // Counted with the new run: beyond a limit the transaction is taken back.
                    Created::New(_) => self.check_waiting(&mut *tx, actor, tenant, 1).await?,
                    Created::AlreadyActive(_) => log.unchanged(),
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

    /// Keeps whoever may not, or asks for too much, out of the queue of writers. All of it is asked again inside of the
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
            check_follow_ups(self, &new.follow_ups)?;
            let db = &self.commands.db;
            if operation_runs::find_active(db, new.tenant_id, &new.idempotency_key).await?.is_some() {
                return Ok(());
            }
            self.check_waiting(db, actor, new.tenant_id, 0).await
        };
        self.commands.before(actor, entry, asked).await
    }

    /// Refuses one more run where too many wait. `counted` says how many of those that wait are the new one.
    pub(crate) async fn check_waiting(
        &self,
        on: impl Access,
        actor: &Actor,
        tenant: TenantId,
        counted: u32,
    ) -> Result<(), CommandError> {
        let waiting = operation_runs::waiting(on, tenant, actor.user_id.filter(|_| actor.token.is_none())).await?;
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
