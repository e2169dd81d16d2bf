//! Dispatch: permission, hash, run, audit and notification in one transaction (product rules, section Inventory sync).

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::json;
use tenantatlas_domain::ids::{CorrelationId, OperationRunId, TenantId};
use tenantatlas_domain::role::Action;
use tenantatlas_domain::selection::{DroppedType, ResolvedSelection, Selection};
use tenantatlas_domain::sync::TypeOutcome;
use tenantatlas_store::operation_runs::{self, CancelOutcome, Created, NewOperationRun, OperationRun};
use tenantatlas_store::sync_runs;
use uuid::Uuid;

use crate::actor::Actor;
use crate::ending;
use crate::engine::{Core, Engine};
use crate::error::EngineError;
use crate::notice::RUN_QUEUED;
use crate::operation::{Stop, Summary};
use crate::relay::Word;
use crate::run_state::RunState;
use crate::stats::Count;
use crate::sweeper;
use crate::sync::{ACTION, RESOURCE, SyncPayload};
use crate::trail::Entry;

/// What became of a dispatch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DispatchOutcome {
    /// The run: the new one, or the one that does the same already.
    pub run_id: OperationRunId,
    /// Whether the same work was active already, so that nothing was created.
    pub already_running: bool,
    /// Parts of the selection that were dropped, with the reason.
    pub dropped: Vec<DroppedType>,
    /// The state of the run as dispatched.
    pub state: RunState,
}

/// What became of the wish to cancel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Cancelled {
    /// It is `aborted`.
    Done,
    /// Its worker was told and ends it within moments.
    Requested,
    /// It had ended before.
    AlreadyEnded,
}

impl Engine {
    /// Dispatches an inventory sync. Returns at once; a worker does the rest.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] and [`EngineError::Forbidden`] by the actor's role, [`EngineError::Selection`] when no
    /// known type is left, [`EngineError::Stopping`], or when the database fails. Nothing is written then.
    pub async fn dispatch_sync(
        &self,
        actor: &Actor,
        tenant: TenantId,
        selection: &Selection,
    ) -> Result<DispatchOutcome, EngineError> {
        self.core.authorise(actor, tenant, Action::Sync).await?;
        let resolved = selection.resolve()?;
        self.core.dispatch_sync(actor, tenant, &resolved, None).await
    }

    /// Starts a run that has ended once more, with the same selection.
    ///
    /// # Errors
    /// As [`Engine::dispatch_sync`]; [`EngineError::NotFound`] for the run, [`EngineError::Conflict`] when it has not
    /// ended.
    pub async fn retry(
        &self,
        actor: &Actor,
        tenant: TenantId,
        run: OperationRunId,
    ) -> Result<DispatchOutcome, EngineError> {
        self.core.authorise(actor, tenant, Action::Sync).await?;
        let (run, payload) = self.core.ended_sync(tenant, run).await?;
        let resolved = payload.selection.resolve()?;
        self.core.dispatch_sync(actor, tenant, &resolved, Some(run.id)).await
    }

    /// Starts a run over what failed in one that has ended, and over what it never came to.
    ///
    /// # Errors
    /// As [`Engine::retry`]; [`EngineError::Conflict`] when nothing failed.
    pub async fn retry_failed(
        &self,
        actor: &Actor,
        tenant: TenantId,
        run: OperationRunId,
    ) -> Result<DispatchOutcome, EngineError> {
        let core = &self.core;
        core.authorise(actor, tenant, Action::Sync).await?;
        let (run, payload) = core.ended_sync(tenant, run).await?;
        let read: BTreeSet<String> = match sync_runs::find_by_operation(&core.db, tenant, run.id).await? {
            None => BTreeSet::new(),
            Some(sync_run) => sync_runs::list_types(&core.db, tenant, sync_run.id)
                .await?
                .into_iter()
                .filter(|one| matches!(one.outcome, Some(TypeOutcome::Succeeded | TypeOutcome::Skipped)))
                .map(|one| one.policy_type)
                .collect(),
        };
        let failed: Vec<String> = run.item_ids.iter().filter(|key| !read.contains(*key)).cloned().collect();
        if failed.is_empty() {
            return Err(EngineError::Conflict("nothing failed in this run".to_owned()));
        }
        let selection = Selection {
            policy_types: failed,
            categories: Vec::new(),
            include_foundations: false,
            include_dependencies: payload.selection.include_dependencies,
        };
        core.dispatch_sync(actor, tenant, &selection.resolve()?, Some(run.id)).await
    }

    /// Cancels a run: at once when nobody works on it, else by telling its worker.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] and [`EngineError::Forbidden`], or when the database fails.
    pub async fn cancel(&self, actor: &Actor, tenant: TenantId, run: OperationRunId) -> Result<Cancelled, EngineError> {
        self.core.authorise(actor, tenant, Action::CancelRun).await?;
        self.core.cancel(actor, tenant, run).await
    }

    /// Cancels everything active in a tenant and waits a moment for its workers.
    pub(crate) async fn stop_work_of(&self, tenant: TenantId) -> Result<(), EngineError> {
        let core = &self.core;
        for _ in 0..50 {
            let active = operation_runs::active(&core.db, Some(tenant), None).await?;
            if active.is_empty() {
                return Ok(());
            }
            for run in active {
                core.cancel(&Actor::system(), tenant, run.id).await?;
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        Err(EngineError::Conflict("a run of this tenant has not ended yet: try again in a moment".to_owned()))
    }
}

impl Core {
    async fn dispatch_sync(
        &self,
        actor: &Actor,
        tenant: TenantId,
        resolved: &ResolvedSelection,
        retry_of: Option<OperationRunId>,
    ) -> Result<DispatchOutcome, EngineError> {
        if self.stopping.is_cancelled() {
            return Err(EngineError::Stopping);
        }
        let payload = SyncPayload::new(resolved);
        let audit_log_id = Uuid::now_v7();
        let new = NewOperationRun {
            id: OperationRunId::from_uuid(Uuid::now_v7()),
            tenant_id: tenant,
            user_id: actor.user_id,
            initiator: actor.name.clone(),
            resource: RESOURCE.to_owned(),
            action: ACTION.to_owned(),
            idempotency_key: payload.idempotency_key(),
            correlation_id: CorrelationId::from_uuid(Uuid::now_v7()),
            payload: serde_json::to_value(&payload).map_err(|error| EngineError::Internal(error.to_string()))?,
            item_ids: resolved.plan.iter().map(|policy_type| policy_type.key.to_owned()).collect(),
            audit_log_id,
            retry_of,
        };
        let at = self.clock.now();
        let mut tx = self.db.write().await?;
        let run = match operation_runs::create(&mut tx, &new, at).await? {
            Created::AlreadyActive(run) => {
                tx.rollback().await?;
                return Ok(outcome(&run, true, resolved));
            }
            Created::New(run) => run,
        };
        ending::notify(&mut tx, &run, RUN_QUEUED, Summary::new(), at).await?;
        let context = json!({
            "selection": resolved.selection,
            "selection_hash": resolved.hash,
            "types": run.counters.total,
            "dropped": resolved.dropped,
            "correlation_id": run.correlation_id,
            "retry_of": retry_of,
        });
        let entry =
            Entry::new("inventory.sync.dispatched", "operation_run", run.id).of(tenant).with(context).id(audit_log_id);
        self.record(&mut tx, actor, entry).await?;
        tx.commit().await?;
        self.stats.add(Count::Dispatched, 1);
        self.wake.notify_one();
        self.relay_queue();
        self.publish_run(&RunState::of(&run));
        self.publish_unread_of(&run).await;
        Ok(outcome(&run, false, resolved))
    }

    /// An ended sync of a tenant, with what it was to read.
    async fn ended_sync(
        &self,
        tenant: TenantId,
        run: OperationRunId,
    ) -> Result<(OperationRun, SyncPayload), EngineError> {
        let run = operation_runs::get(&self.db, tenant, run).await?.ok_or(EngineError::NotFound("the run"))?;
        if (run.resource.as_str(), run.action.as_str()) != (RESOURCE, ACTION) {
            return Err(EngineError::Conflict("only an inventory sync can be started again".to_owned()));
        }
        if !run.status.is_terminal() {
            return Err(EngineError::Conflict("the run has not ended yet".to_owned()));
        }
        let payload = serde_json::from_value(run.payload.clone())
            .map_err(|_| EngineError::Internal("the payload of a run is not understood".to_owned()))?;
        Ok((run, payload))
    }

    async fn cancel(&self, actor: &Actor, tenant: TenantId, id: OperationRunId) -> Result<Cancelled, EngineError> {
        let at = self.clock.now();
        let mut tx = self.db.write().await?;
        let cancelled = operation_runs::request_cancel(&mut tx, tenant, id, &actor.name, at).await?;
        let (run, result) = match cancelled {
            CancelOutcome::NotFound => return Err(EngineError::NotFound("the run")),
            CancelOutcome::AlreadyEnded(_) => return Ok(Cancelled::AlreadyEnded),
            CancelOutcome::Aborted(run) => {
                if let Some(end) = Stop::Cancelled.end() {
                    sweeper::close(self, &mut tx, &run, &end, at).await?;
                }
                (run, Cancelled::Done)
            }
            CancelOutcome::Requested(run) => (run, Cancelled::Requested),
        };
        let action = format!("{}.{}.cancel_requested", run.resource, run.action);
        self.record(&mut tx, actor, Entry::new(action, "operation_run", id).of(tenant)).await?;
        tx.commit().await?;
        self.publish_run(&RunState::of(&run));
        if result == Cancelled::Done {
            self.publish_unread_of(&run).await;
        } else {
            self.cancel_here(id);
            self.outbox.put(Word::Cancel(id));
        }
        Ok(result)
    }
}

fn outcome(run: &OperationRun, already_running: bool, resolved: &ResolvedSelection) -> DispatchOutcome {
    DispatchOutcome { run_id: run.id, already_running, dropped: resolved.dropped.clone(), state: RunState::of(run) }
}
