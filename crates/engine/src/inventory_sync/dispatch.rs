//! Dispatching an inventory sync.

use serde::Serialize;
use tenantatlas_commands::Actor;
use tenantatlas_domain::ids::{OperationRunId, TenantId};
use tenantatlas_domain::live::RunState;
use tenantatlas_domain::selection::{DroppedType, Selection};

use super::{InventorySync, SyncPayload};
use crate::engine::Engine;
use crate::error::EngineError;

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
        let resolved = selection.resolve()?;
        let payload = SyncPayload::new(&resolved);
        let dispatched = self.runs().dispatch::<InventorySync>(actor, tenant, &payload, Vec::new()).await?;
        Ok(DispatchOutcome {
            run_id: dispatched.state.id,
            already_running: dispatched.already_running,
            dropped: resolved.dropped,
            state: dispatched.state,
        })
    }
}
