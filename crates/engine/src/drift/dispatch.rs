//! Dispatching a comparison.

use tenantatlas_commands::{Actor, AuditEntry};
use tenantatlas_domain::audit::RunEvent;
use tenantatlas_domain::ids::{SyncRunId, TenantId};
use tenantatlas_domain::selection::SelectionHash;
use tenantatlas_runs::{Dispatched, Operation as _};
use tenantatlas_store::findings::{self, PlanError};
use tenantatlas_store::scopes;

use super::{DriftPayload, GenerateDrift};
use crate::engine::Engine;
use crate::error::EngineError;

impl Engine {
    /// Dispatches a comparison of the latest completed run of a selection (that of the main scope when none is named) with the
    /// completed run before it, or with the sync run `baseline`. Returns at once; a worker does the rest.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] and [`EngineError::Forbidden`] by the actor's role, [`EngineError::Invalid`] when the
    /// baseline cannot be one, [`EngineError::TooMany`] when too much is waiting already, or when the database
    /// fails. Nothing is dispatched then.
    pub async fn dispatch_drift(
        &self,
        actor: &Actor,
        tenant: TenantId,
        selection_hash: Option<SelectionHash>,
        baseline: Option<SyncRunId>,
    ) -> Result<Dispatched, EngineError> {
        let kind = GenerateDrift::KIND;
        let entry = AuditEntry::new(RunEvent::Dispatched.of(kind.resource, kind.action), "tenant", tenant).of(tenant);
        let ready = async {
            self.authorise(actor, tenant, GenerateDrift::PERMISSION).await?;
            let scope = match &selection_hash {
                Some(hash) => scopes::find(self.reader(), tenant, hash).await?,
                None => scopes::main_of(self.reader(), tenant).await?,
            };
            // Where nothing was read yet the run says so.
            let Some(scope) = scope.filter(|scope| scope.latest.is_some()) else {
                return Ok(DriftPayload { selection_hash: selection_hash.clone(), baseline });
            };
            match findings::plan(self.reader(), tenant, &scope, baseline).await {
                Ok(_) => Ok(DriftPayload { selection_hash: Some(scope.selection_hash), baseline }),
                Err(PlanError::NoBaseline) => Err(EngineError::invalid(
                    "baseline",
                    "must be the id of a sync run of the same selection that came to its own end, from before the latest one",
                )),
                Err(PlanError::NothingRead) => {
                    Ok(DriftPayload { selection_hash: Some(scope.selection_hash), baseline })
                }
                Err(PlanError::Store(error)) => Err(error.into()),
            }
        };
        let payload = self.core.commands.before(actor, &entry, ready).await?;
        Ok(self.runs().dispatch::<GenerateDrift>(actor, tenant, &payload, Vec::new()).await?)
    }
}
