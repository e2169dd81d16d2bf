//! Dispatching an inventory sync.

use serde::Serialize;
use tenantatlas_commands::Actor;
use tenantatlas_domain::ids::{OperationRunId, TenantId};
use tenantatlas_domain::live::RunState;
use tenantatlas_domain::selection::{DroppedType, Selection};
use tenantatlas_runs::follow_up;
use tenantatlas_store::{scopes, tenants};

use super::{InventorySync, SyncPayload};
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

    /// The same, and a capture of what the sync finds new or changed, which follows when it ends well. A sync that is under
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
        let follower = CapturePayload { types, changed: true, ..CapturePayload::default() };
        let mut follow_ups = if capture { vec![follow_up::<CapturePolicies>(&follower)?] } else { Vec::new() };
        if self.is_compared(tenant, &payload).await? {
            let selection_hash = Some(payload.selection_hash.clone());
            follow_ups.push(follow_up::<GenerateDrift>(&DriftPayload { selection_hash, baseline: None })?);
        }
        let dispatched = self.runs().dispatch::<InventorySync>(actor, tenant, &payload, follow_ups).await?;
        Ok(DispatchOutcome {
            run_id: dispatched.state.id,
            already_running: dispatched.already_running,
            dropped: resolved.dropped,
            state: dispatched.state,
        })
    }

    /// Whether a sync is to be followed by a comparison: the tenant wants that, and there is a run to compare with.
    async fn is_compared(&self, tenant: TenantId, payload: &SyncPayload) -> Result<bool, EngineError> {
        let wanted = tenants::get(self.reader(), tenant).await?.is_some_and(|tenant| tenant.drift_after_sync);
        let scope = scopes::find(self.reader(), tenant, &payload.selection_hash).await?;
        Ok(wanted && scope.is_some_and(|scope| scope.latest.is_some()))
    }
}
