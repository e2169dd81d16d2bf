//! `retention.prune`: deletes what has ended and is older than it is kept (`docs/rules.md`, section Retention), a few hundred rows in
//! one transaction and with a pause after each, so that a sync that waits for the writer has its turn.

mod work;

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::json;
use tenantatlas_commands::{Actor, AuditEntry, Command, Right};
use tenantatlas_domain::audit::AuditAction;
use tenantatlas_domain::ids::TenantId;
use tenantatlas_domain::live::RunWords;
use tenantatlas_domain::role::Action;
use tenantatlas_runs::{Dispatched, Operation, OperationKind, RunContext, Stop, Work};
use tenantatlas_store::operation_runs::Limits;
use tenantatlas_store::retention::{self, Retention};

use crate::engine::Engine;
use crate::error::EngineError;

/// How long things are kept at least and at most, in days.
pub const RETENTION_DAYS: std::ops::RangeInclusive<u32> = 1..=3_650;

/// What a pruning carries with its operation run: nothing. How long things are kept is read when it begins.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrunePayload {}

/// The pruning of a tenant.
pub struct PruneTenant;

impl Operation for PruneTenant {
    const KIND: OperationKind = OperationKind { resource: "retention", action: "prune" };
    const PERMISSION: Action = Action::ManageMembers;
    type Payload = PrunePayload;

    fn words() -> RunWords {
        RunWords::of("Retention", ("kind of records", "kinds of records"), ("pruning", "pruned"), ("record", "records"))
    }

    fn limits(&self) -> Limits {
        Limits { global: 4, per_tenant: 1 }
    }

    fn units(&self, _payload: &PrunePayload) -> Vec<String> {
        work::UNITS.iter().map(|(unit, _)| (*unit).to_owned()).collect()
    }

    fn unit_label(&self, unit: &str) -> String {
        work::label_of(unit)
    }

    fn idempotency_key(&self, _payload: &PrunePayload) -> String {
        "all".to_owned()
    }

    async fn plan(&self, run: Arc<RunContext>, _payload: PrunePayload) -> Result<Box<dyn Work>, Stop> {
        Ok(Box::new(work::PruneWork::begin(run).await?))
    }
}

impl Engine {
    /// Dispatches the pruning of a tenant, as it is done daily by itself.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] and [`EngineError::Forbidden`] by the actor's role, [`EngineError::TooMany`] when too much is
    /// waiting already, or when the database fails.
    pub async fn prune_tenant(&self, actor: &Actor, tenant: TenantId) -> Result<Dispatched, EngineError> {
        Ok(self.runs().dispatch::<PruneTenant>(actor, tenant, &PrunePayload::default(), Vec::new()).await?)
    }

    /// Says how long things are kept, in every tenant, from the next pruning on.
    ///
    /// # Errors
    /// [`EngineError::Invalid`] for the field `runs`, `notifications`, `versions` or `deliveries`, [`EngineError::Forbidden`] for all but
    /// platform administrators.
    pub async fn set_retention(&self, actor: &Actor, wanted: Retention) -> Result<(), EngineError> {
        let Retention { run_days, notification_days, version_days, delivery_days } = wanted;
        for (field, days) in [
            ("runs", run_days),
            ("notifications", notification_days),
            ("versions", version_days),
            ("deliveries", delivery_days),
        ] {
            if !RETENTION_DAYS.contains(&days) {
                return Err(EngineError::invalid(field, "must be kept for 1 to 3650 days"));
            }
        }
        let entry = AuditEntry::new(AuditAction::RetentionChanged, "retention", "all").with(json!(wanted));
        self.core
            .execute(Command::new(actor, Right::Platform, entry.clone()), async |tx, log| {
                let before = retention::get(&mut *tx).await?;
                if before == wanted {
                    log.unchanged();
                    return Ok(());
                }
                log.replace(entry.with(json!({ "before": before })));
                Ok(retention::set(tx, wanted).await?)
            })
            .await
    }
}
