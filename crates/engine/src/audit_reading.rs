//! `audit_events.read`: reads what the audit logs of Intune and of Entra tell of who changed what, from where the last reading
//! ended, and keeps facts alone (`docs/rules.md`, section Who changed it).

mod reading;
mod work;

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tenantatlas_commands::Actor;
use tenantatlas_domain::audit_event::AuditSource;
use tenantatlas_domain::ids::TenantId;
use tenantatlas_domain::live::RunWords;
use tenantatlas_domain::operation::OperationStatus;
use tenantatlas_domain::role::Action;
use tenantatlas_graph::GraphClient;
use tenantatlas_runs::{Dispatched, Operation, OperationKind, RunContext, Stop, Work};
use tenantatlas_store::operation_runs::Limits;
use tenantatlas_store::{Db, Vault};

use crate::engine::Engine;
use crate::error::EngineError;

/// What a reading carries with its operation run: nothing. Where it begins is known from the readings before it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditReadPayload {}

/// What every reading of a process stands on.
pub(crate) struct Sources {
    pub db: Db,
    pub vault: Vault,
    pub graph: GraphClient,
}

/// The reading of audit events.
pub struct ReadAuditEvents {
    sources: Arc<Sources>,
}

impl ReadAuditEvents {
    /// The readings of a process.
    pub(crate) fn new(db: Db, vault: Vault, graph: GraphClient) -> Self {
        Self { sources: Arc::new(Sources { db, vault, graph }) }
    }
}

impl Operation for ReadAuditEvents {
    const KIND: OperationKind = OperationKind { resource: "audit_events", action: "read" };
    const PERMISSION: Action = Action::Sync;
    const QUIET_AFTER_ANOTHER: bool = true;
    const FOLLOWS_PARTIAL: bool = true;
    type Payload = AuditReadPayload;

    fn words() -> RunWords {
        RunWords::of("Audit events", ("log", "logs"), ("reading", "read"), ("event", "events"))
    }

    fn limits(&self) -> Limits {
        Limits { global: 8, per_tenant: 1 }
    }

    fn units(&self, _payload: &AuditReadPayload) -> Vec<String> {
        AuditSource::ALL.iter().map(|source| source.as_str().to_owned()).collect()
    }

    fn unit_label(&self, unit: &str) -> String {
        unit.parse::<AuditSource>().map_or_else(|_| unit.to_owned(), |source| source.label().to_owned())
    }

    fn idempotency_key(&self, _payload: &AuditReadPayload) -> String {
        "all".to_owned()
    }

    async fn plan(&self, run: Arc<RunContext>, _payload: AuditReadPayload) -> Result<Box<dyn Work>, Stop> {
        Ok(Box::new(work::AuditReadWork::begin(Arc::clone(&self.sources), run).await?))
    }

    /// What follows does not depend on the logs.
    fn ended_well(&self, status: OperationStatus) -> bool {
        matches!(status, OperationStatus::Completed | OperationStatus::CompletedWithErrors)
    }
}

impl Engine {
    /// Dispatches a reading of the audit logs of a tenant, from where the last one ended. Returns at once; a worker does the
    /// rest. A log that is refused is a result, not an error.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] and [`EngineError::Forbidden`] by the actor's role, [`EngineError::TooMany`] when too much is
    /// waiting already, [`EngineError::Stopping`], or when the database fails. Nothing is dispatched then.
    pub async fn read_audit_events(&self, actor: &Actor, tenant: TenantId) -> Result<Dispatched, EngineError> {
        Ok(self.runs().dispatch::<ReadAuditEvents>(actor, tenant, &AuditReadPayload::default(), Vec::new()).await?)
    }
}
