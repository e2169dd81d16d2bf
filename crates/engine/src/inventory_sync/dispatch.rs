//! Dispatching an inventory sync.

use serde::Serialize;
use tenantatlas_commands::Actor;
use tenantatlas_domain::ids::{OperationRunId, TenantId};
use tenantatlas_domain::live::RunState;
use tenantatlas_domain::selection::{DroppedType, Selection};
use tenantatlas_runs::follow_up;
use tenantatlas_store::operation_runs::FollowUp;
use tenantatlas_store::{scopes, tenants};

use super::{InventorySync, SyncPayload};
use crate::audit_reading::{AuditReadPayload, ReadAuditEvents};
use crate::drift::{DriftPayload, GenerateDrift};
use crate::engine::Engine;
use crate::error::EngineError;
use crate::policy_capture::{CapturePayload, CapturePolicies};

/// What became of the dispatch of a sync.
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

impl Engine {
    /// Dispatches an inventory sync, and remembers the selection as the last one of the person. Returns at once; a worker
    /// does the rest.
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
        self.dispatch_reading(actor, tenant, selection, false).await
    }

    /// The same, and a capture of what the sync finds new or changed, which follows when anything was read. A sync that is under
    /// way already is not followed by another one's capture.
    ///
    /// # Errors
    /// As [`Engine::dispatch_sync`].
    pub async fn dispatch_sync_and_capture(
        &self,
        actor: &Actor,
        tenant: TenantId,
        selection: &Selection,
    ) -> Result<DispatchOutcome, EngineError> {
        self.dispatch_reading(actor, tenant, selection, true).await
    }

    async fn dispatch_reading(
        &self,
        actor: &Actor,
        tenant: TenantId,
        selection: &Selection,
        capture: bool,
    ) -> Result<DispatchOutcome, EngineError> {
        let resolved = selection.resolve()?;
        let payload = SyncPayload::new(&resolved);
        let types = resolved.plan.iter().map(|policy_type| policy_type.key.to_owned()).collect();
        let follow_ups = self.follow_ups(tenant, &payload, types, capture).await?;
        let dispatched = self.runs().dispatch::<InventorySync>(actor, tenant, &payload, follow_ups).await?;
        Ok(DispatchOutcome {
            run_id: dispatched.state.id,
            already_running: dispatched.already_running,
            dropped: resolved.dropped,
            state: dispatched.state,
        })
    }

    /// What is to follow a sync: what the tenant wants, and a capture where that was asked for. The comparison comes first: what
    /// cannot be read meanwhile does not keep anybody from being told what drifted.
    async fn follow_ups(
        &self,
        tenant: TenantId,
        payload: &SyncPayload,
        types: Vec<String>,
        capture: bool,
    ) -> Result<Vec<FollowUp>, EngineError> {
        let Some(tenant) = tenants::get(self.reader(), tenant).await? else { return Ok(Vec::new()) };
        let (wanted, mut follow_ups) = (tenant.after_sync, Vec::new());
        let scope = scopes::find(self.reader(), tenant.id, &payload.selection_hash).await?;
        // The first run of a selection has nothing to be compared with.
        if wanted.drift && scope.is_some_and(|scope| scope.latest.is_some()) {
            let selection_hash = Some(payload.selection_hash.clone());
            follow_ups.push(follow_up::<GenerateDrift>(&DriftPayload { selection_hash, baseline: None })?);
        }
        if wanted.capture || capture {
            let payload = CapturePayload { types, changed: true, ..CapturePayload::default() };
            follow_ups.push(follow_up::<CapturePolicies>(&payload)?);
        }
        if wanted.audit_events {
            follow_ups.push(follow_up::<ReadAuditEvents>(&AuditReadPayload::default())?);
        }
        Ok(follow_ups)
    }
}
