//! Starting an ended run again: the whole of it, or what failed.

use std::sync::Arc;

use serde_json::Value;
use tenantatlas_commands::{Actor, AuditEntry, CommandError};
use tenantatlas_domain::audit::AuditAction;
use tenantatlas_domain::ids::{OperationRunId, TenantId};
use tenantatlas_domain::role::Action;
use tenantatlas_store::operation_runs;

use crate::core::Core;
use crate::dispatch::{Cause, Dispatched};
use crate::operation::RetryPart;
use crate::registry::AnyOperation;
use crate::runner::Runner;

impl Runner {
    /// Starts a run that has ended once more: all of it, or what failed and what it never came to. What was to follow it
    /// follows the new one.
    ///
    /// # Errors
    /// As [`Runner::dispatch`]; [`CommandError::NotFound`] for the run, [`CommandError::Conflict`] when it has not ended,
    /// nothing failed, or its operation is not known.
    pub async fn retry(
        &self,
        actor: &Actor,
        tenant: TenantId,
        run: OperationRunId,
        part: RetryPart,
    ) -> Result<Dispatched, CommandError> {
        self.core.retry(actor, tenant, run, part, Reason::default()).await
    }
}

/// Why a run is tried again.
#[derive(Clone, Copy, Default)]
pub(crate) struct Reason<'a> {
    /// In the words of whoever wants it.
    pub why: Option<&'a str>,
    /// Whether it is one of many that were asked for at once.
    pub of_many: bool,
}

/// What is dispatched to try a run again.
struct Again {
    operation: Arc<dyn AnyOperation>,
    payload: Value,
    cause: Cause,
}

impl Core {
    /// Starts a run that has ended once more, for the reason that the audit log is to tell.
    pub(crate) async fn retry(
        &self,
        actor: &Actor,
        tenant: TenantId,
        run: OperationRunId,
        part: RetryPart,
        reason: Reason<'_>,
    ) -> Result<Dispatched, CommandError> {
        let entry = AuditEntry::new(AuditAction::RetryRequested, "operation_run", run).of(tenant);
        let mut again = self.commands.before(actor, &entry, self.again(actor, tenant, run, part)).await?;
        again.cause.why = reason.why.map(str::to_owned);
        again.cause.of_many = reason.of_many;
        self.dispatch(again.operation.as_ref(), actor, tenant, again.payload, again.cause).await
    }

    async fn again(
        &self,
        actor: &Actor,
        tenant: TenantId,
        run: OperationRunId,
        part: RetryPart,
    ) -> Result<Again, CommandError> {
        let db = &self.commands.db;
        let found = operation_runs::get(db, tenant, run).await?;
        let operation = found.as_ref().and_then(|run| self.operations.find(&run.resource, &run.action));
        // Whoever may see nothing of the tenant learns nothing of its runs.
        let permission = operation.map_or(Action::View, |operation| operation.permission());
        self.commands.authorise(actor, tenant, permission).await?;
        let run = found.ok_or(CommandError::NotFound("the run"))?;
        let operation = operation.ok_or_else(|| {
            CommandError::Conflict("this version of the program does not know what the run was to do".to_owned())
        })?;
        if !run.status.is_terminal() {
            return Err(CommandError::Conflict("the run has not ended yet".to_owned()));
        }
        let payload = operation.retry(db, &run, part).await?;
        let payload = payload.ok_or_else(|| {
            CommandError::Conflict(
                "nothing is left to be tried again: nothing failed, or it succeeded since".to_owned(),
            )
        })?;
        let cause =
            Cause { retry_of: Some(run.id), follows: run.follows, follow_ups: run.follow_ups, ..Cause::default() };
        Ok(Again { operation: Arc::clone(operation), payload, cause })
    }
}
