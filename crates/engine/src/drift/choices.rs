//! What people choose about comparisons: what follows each sync, how much a change of a type matters, and which run is the
//! baseline.

use serde_json::json;
use tenantatlas_commands::{Actor, AuditEntry, Command, Right};
use tenantatlas_domain::audit::AuditAction;
use tenantatlas_domain::drift::{Severity, default_severity};
use tenantatlas_domain::ids::{SyncRunId, TenantId};
use tenantatlas_domain::registry::registry;
use tenantatlas_domain::role::Action;
use tenantatlas_store::findings;
use tenantatlas_store::tenants::{self, AfterSync};
use tenantatlas_store::{scopes, sync_runs};

use crate::engine::Engine;
use crate::error::EngineError;

impl Engine {
    /// Says what is to follow each sync of a tenant.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] and [`EngineError::Forbidden`] by the actor's role; when the database fails.
    pub async fn set_after_sync(&self, actor: &Actor, tenant: TenantId, wanted: AfterSync) -> Result<(), EngineError> {
        let entry = changed(tenant).with(json!({ "after_sync": wanted }));
        let right = Right::Tenant(tenant, Action::EditSchedules);
        let at = self.now();
        self.core
            .execute(Command::new(actor, right, entry), async |tx, _log| {
                Ok(tenants::set_after_sync(tx, tenant, wanted, at).await?)
            })
            .await
    }

    /// Says how much a change of a type matters in a tenant, also of what was found already; as much as by itself when no
    /// severity is given.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] and [`EngineError::Forbidden`] by the actor's role, [`EngineError::Invalid`] for a type that is not
    /// known; when the database fails.
    pub async fn set_drift_severity(
        &self,
        actor: &Actor,
        tenant: TenantId,
        policy_type: &str,
        severity: Option<Severity>,
    ) -> Result<(), EngineError> {
        let entry = changed(tenant).with(json!({ "policy_type": policy_type, "severity": severity }));
        let right = Right::Tenant(tenant, Action::EditSchedules);
        let checked = async {
            self.authorise(actor, tenant, Action::EditSchedules).await?;
            let known = registry().get(policy_type);
            known.ok_or_else(|| EngineError::invalid("policy_type", "must be the key of a policy type"))
        };
        let known = self.core.commands.before(actor, &entry, checked).await?;
        self.core
            .execute(Command::new(actor, right, entry), async |tx, _log| {
                Ok(findings::set_severity(tx, tenant, known.key, severity, default_severity(known)).await?)
            })
            .await
    }

    /// Says with which sync run the selection of that run is compared from now on, with the run before the latest when none is given:
    /// then of the main scope.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] and [`EngineError::Forbidden`] by the actor's role, [`EngineError::NotFound`] where there is no such
    /// run, [`EngineError::Invalid`] when it did not come to its own end; when the database fails.
    pub async fn pin_drift_baseline(
        &self,
        actor: &Actor,
        tenant: TenantId,
        run: Option<SyncRunId>,
    ) -> Result<(), EngineError> {
        let entry = changed(tenant).with(json!({ "drift_baseline": run }));
        let right = Right::Tenant(tenant, Action::EditSchedules);
        let checked = async {
            self.authorise(actor, tenant, Action::EditSchedules).await?;
            let Some(run) = run else {
                return Ok(scopes::main_of(self.reader(), tenant).await?.map(|scope| scope.id));
            };
            let run = sync_runs::get(self.reader(), tenant, run).await?.ok_or(EngineError::NotFound("the run"))?;
            if run.is_completed() {
                return Ok(Some(run.scope_id));
            }
            Err(EngineError::invalid("baseline", "must be a sync run that came to its own end"))
        };
        let scope = self.core.commands.before(actor, &entry, checked).await?;
        self.core
            .execute(Command::new(actor, right, entry), async |tx, _log| {
                // Where nothing was read there is nothing to take back.
                match scope {
                    Some(scope) => Ok(scopes::set_drift_baseline(tx, tenant, scope, run).await?),
                    None => Ok(()),
                }
            })
            .await
    }
}

fn changed(tenant: TenantId) -> AuditEntry {
    AuditEntry::new(AuditAction::TenantUpdated, "tenant", tenant).of(tenant)
}
