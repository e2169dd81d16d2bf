//! Dispatch: permission, hash, run, audit and notification in one transaction (product rules, section Inventory sync).

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::Serialize;
use serde_json::json;
use tenantatlas_domain::audit::AuditAction;
use tenantatlas_domain::ids::{CorrelationId, OperationRunId, TenantId};
use tenantatlas_domain::role::Action;
use tenantatlas_domain::selection::{DroppedType, ResolvedSelection, Selection};
use tenantatlas_domain::sync::TypeOutcome;
use tenantatlas_store::operation_runs::{self, CancelOutcome, Created, NewOperationRun, OperationRun};
use tenantatlas_store::{Access, sync_runs};
use uuid::Uuid;

use crate::actor::Actor;
use crate::command::{Command, Right};
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
    /// known type is left, [`EngineError::TooMany`] when too much is waiting already, [`EngineError::Stopping`], or when
    /// the database fails. Nothing is dispatched then.
    pub async fn dispatch_sync(
        &self,
        actor: &Actor,
        tenant: TenantId,
        selection: &Selection,
    ) -> Result<DispatchOutcome, EngineError> {
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
        self: &Arc<Self>,
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
        let context = json!({
            "selection": resolved.selection,
            "selection_hash": resolved.hash,
            "types": new.item_ids.len(),
            "dropped": resolved.dropped,
            "correlation_id": new.correlation_id,
            "retry_of": retry_of,
        });
        let entry =
            Entry::new("inventory.sync.dispatched", "operation_run", new.id).of(tenant).with(context).id(audit_log_id);
        if let Some(run) = self.active_or_room(actor, &new, &entry).await? {
            return Ok(outcome(&run, true, resolved));
        }
        let right = Right::Tenant(tenant, Action::Sync);
        let created = self
            .command(Command::new(actor, right, entry), async |tx, log| {
                let at = self.clock.now();
                let created = operation_runs::create(tx, &new, at).await?;
                match &created {
                    Created::AlreadyActive(_) => log.unchanged(),
                    Created::New(run) => {
                        // Counted with the new run: without it the transaction is taken back.
                        self.check_room(&mut *tx, actor, tenant, 1).await?;
                        ending::notify(tx, run, RUN_QUEUED, Summary::new(), at).await?;
                    }
                }
                Ok(created)
            })
            .await?;
        let run = match created {
            Created::AlreadyActive(run) => return Ok(outcome(&run, true, resolved)),
            Created::New(run) => run,
        };
        self.stats.add(Count::Dispatched, 1);
        self.wake.notify_one();
        self.relay_queue();
        self.publish_run(&RunState::of(&run));
        self.publish_unread_of(&run).await;
        Ok(outcome(&run, false, resolved))
    }

    /// The run that does the same already, or nothing when there is room for another one. All of this is asked again inside
    /// of the transaction; asked before, it keeps whoever may not, or asks for too much, out of the line of writers.
    async fn active_or_room(
        self: &Arc<Self>,
        actor: &Actor,
        new: &NewOperationRun,
        entry: &Entry,
    ) -> Result<Option<OperationRun>, EngineError> {
        let asked = async {
            self.authorise(actor, new.tenant_id, Action::Sync).await?;
            if let Some(run) = operation_runs::find_active(&self.db, new.tenant_id, &new.idempotency_key).await? {
                return Ok(Some(run));
            }
            self.check_room(&self.db, actor, new.tenant_id, 0).await?;
            Ok(None)
        };
        let asked = asked.await;
        if let Err(error) = &asked {
            self.record_failure(actor, entry.clone(), error).await;
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
    ) -> Result<(), EngineError> {
        let waiting = operation_runs::waiting(on, tenant, actor.user_id).await?;
        let beyond = |waiting: u32, limit: u32| waiting.saturating_sub(counted) >= limit;
        if beyond(waiting.of_tenant, self.config.waiting_per_tenant) {
            return Err(EngineError::TooMany(format!(
                "{} runs of this tenant are waiting already. Wait until some have ended, or cancel some, and try again.",
                self.config.waiting_per_tenant
            )));
        }
        if beyond(waiting.of_person, self.config.waiting_per_person) {
            return Err(EngineError::TooMany(format!(
                "{} runs that you started are waiting already. Wait until some have ended, or cancel some, and try again.",
                self.config.waiting_per_person
            )));
        }
        Ok(())
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

    async fn cancel(
        self: &Arc<Self>,
        actor: &Actor,
        tenant: TenantId,
        id: OperationRunId,
    ) -> Result<Cancelled, EngineError> {
        let entry = Entry::new(AuditAction::CancelRequested, "operation_run", id).of(tenant);
        let right = Right::Tenant(tenant, Action::CancelRun);
        let (run, result) = self
            .command(Command::new(actor, right, entry), async |tx, log| {
                let at = self.clock.now();
                let (run, result) = match operation_runs::request_cancel(tx, tenant, id, &actor.name, at).await? {
                    CancelOutcome::NotFound => return Err(EngineError::NotFound("the run")),
                    CancelOutcome::AlreadyEnded(run) => {
                        log.unchanged();
                        return Ok((run, Cancelled::AlreadyEnded));
                    }
                    CancelOutcome::Aborted(run) => {
                        if let Some(end) = Stop::Cancelled.end() {
                            sweeper::close(self, tx, &run, &end, at).await?;
                        }
                        (run, Cancelled::Done)
                    }
                    CancelOutcome::Requested(run) => (run, Cancelled::Requested),
                };
                let action = format!("{}.{}.cancel_requested", run.resource, run.action);
                log.replace(Entry::new(action, "operation_run", id).of(tenant));
                Ok((run, result))
            })
            .await?;
        match result {
            Cancelled::AlreadyEnded => return Ok(result),
            Cancelled::Done => {
                self.publish_run(&RunState::of(&run));
                self.publish_unread_of(&run).await;
            }
            Cancelled::Requested => {
                self.publish_run(&RunState::of(&run));
                self.cancel_here(id);
                self.outbox.put(Word::Cancel(id));
            }
        }
        Ok(result)
    }
}

fn outcome(run: &OperationRun, already_running: bool, resolved: &ResolvedSelection) -> DispatchOutcome {
    DispatchOutcome { run_id: run.id, already_running, dropped: resolved.dropped.clone(), state: RunState::of(run) }
}
