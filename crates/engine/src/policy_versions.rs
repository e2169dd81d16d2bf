//! Looking at the body of a version.

use serde_json::{Value, json};
use tenantatlas_commands::{Actor, AuditEvent};
use tenantatlas_domain::audit::AuditAction;
use tenantatlas_domain::body::put_together;
use tenantatlas_domain::ids::TenantId;
use tenantatlas_domain::registry::{recipe, registry};
use tenantatlas_domain::role::Action;
use tenantatlas_store::audit::Outcome;
use tenantatlas_store::policies::{self, TenantKey, Version};

use crate::engine::Engine;
use crate::error::EngineError;

/// A version with its body.
#[derive(Debug, Clone, PartialEq)]
pub struct OpenVersion {
    /// What is known of it.
    pub version: Version,
    /// The object with all that was read of it. In place of credentials stands a mark, see
    /// [`tenantatlas_domain::normalise::Withheld`].
    pub body: Value,
    /// The properties with bodies of scripts that were left out.
    pub left_out: Vec<String>,
}

impl Engine {
    /// Opens a version of an object by its number. Bodies of scripts are left out unless they are asked for; each time they
    /// are, that is written into the audit log.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] and [`EngineError::Forbidden`] by the actor's role and where there is no such version, or when
    /// the database fails or a body does not open.
    pub async fn open_version(
        &self,
        actor: &Actor,
        tenant: TenantId,
        (policy_type, external_id): (&str, &str),
        number: u64,
        scripts: bool,
    ) -> Result<OpenVersion, EngineError> {
        const MISSING: EngineError = EngineError::NotFound("the version");
        self.authorise(actor, tenant, Action::SeeBodies).await?;
        let db = self.reader();
        let found = policies::find_version(db, tenant, policy_type, external_id, number).await?;
        let version = found.ok_or(MISSING)?;
        let key = TenantKey::open(db, &self.core.commands.vault, tenant).await?.ok_or(MISSING)?;
        let mut slots = policies::open_slots(db, &key, tenant, version.id).await?;
        let recipe = registry().get(policy_type).and_then(recipe);
        let is_script = |name: &str| recipe.is_some_and(|recipe| recipe.is_script(name));
        let held: Vec<String> = slots.iter().map(|slot| slot.name.clone()).filter(|name| is_script(name)).collect();
        let left_out = if scripts {
            if !held.is_empty() {
                self.record_look(actor, &version, &held).await?;
            }
            Vec::new()
        } else {
            slots.retain(|slot| !held.contains(&slot.name));
            held
        };
        let body = put_together(slots.into_iter().map(|slot| (slot.name, slot.value)));
        Ok(OpenVersion { version, body, left_out })
    }

    async fn record_look(&self, actor: &Actor, version: &Version, scripts: &[String]) -> Result<(), EngineError> {
        let event = AuditEvent {
            action: AuditAction::ScriptSeen,
            tenant: Some(version.tenant_id),
            resource_type: "version",
            resource_id: version.id.to_string(),
            outcome: Outcome::Success,
            facts: json!({
                "policy_type": version.policy_type,
                "external_id": version.external_id,
                "number": version.number,
                "scripts": scripts,
            }),
        };
        Ok(self.record_event(actor, event).await?)
    }
}
