//! In which tenants somebody may search.

use tenantatlas_commands::{Actor, ActorKind};
use tenantatlas_domain::ids::TenantId;
use tenantatlas_domain::role::Action;
use tenantatlas_domain::setting_query::{QueryError, SettingQuery, unknown_tenant};
use tenantatlas_store::api_tokens;
use tenantatlas_store::tenants::{self, Tenant};

use crate::engine::Engine;
use crate::error::EngineError;

/// The tenants of whoever asks, by name.
#[derive(Debug, Clone)]
pub(super) struct Reach {
    /// Those in which they may see bodies.
    pub searched: Vec<Tenant>,
    /// The others.
    pub refused: Vec<Tenant>,
}

/// The tenants of an actor, of these alone where some are named. A tenant that is not theirs does not exist.
pub(super) async fn reach(engine: &Engine, actor: &Actor, only: &[TenantId]) -> Result<Reach, EngineError> {
    let db = engine.reader();
    let mut known: Vec<(Tenant, bool)> = match (actor.kind, actor.user_id) {
        (ActorKind::CommandLine | ActorKind::System, _) => {
            tenants::list(db).await?.into_iter().map(|tenant| (tenant, true)).collect()
        }
        (ActorKind::Person, Some(user)) => {
            let visible = tenants::list_visible(db, user).await?.into_iter();
            visible.map(|one| (one.tenant, one.role.allows(Action::SeeBodies))).collect()
        }
        (ActorKind::Token, _) => {
            let token = match actor.token {
                Some(token) => api_tokens::get(db, token).await?,
                None => None,
            };
            let token = token.filter(|token| token.stands(engine.now())).ok_or(EngineError::Forbidden)?;
            let visible = api_tokens::visible(db, &token).await?.into_iter();
            visible.map(|(tenant, role)| (tenant, role.allows(Action::SeeBodies))).collect()
        }
        _ => return Err(EngineError::Forbidden),
    };
    if let Some(missing) = only.iter().find(|id| !known.iter().any(|(tenant, _)| tenant.id == **id)) {
        tracing::debug!(%missing, "a tenant of another");
        return Err(EngineError::NotFound("the tenant"));
    }
    known.retain(|(tenant, _)| only.is_empty() || only.contains(&tenant.id));
    known.sort_by_cached_key(|(tenant, _)| (tenant.name.to_lowercase(), tenant.id));
    let (searched, refused): (Vec<_>, Vec<_>) = known.into_iter().partition(|(_, allowed)| *allowed);
    let tenants = |of: Vec<(Tenant, bool)>| of.into_iter().map(|(tenant, _)| tenant).collect();
    Ok(Reach { searched: tenants(searched), refused: tenants(refused) })
}

impl Reach {
    /// Those of the tenants that a query names; all where it names none.
    pub(super) fn narrowed(mut self, query: &SettingQuery) -> Result<Self, QueryError> {
        if query.tenants.is_empty() {
            return Ok(self);
        }
        let is = |tenant: &Tenant, text: &str| {
            tenant.name.trim().to_lowercase() == text.to_lowercase()
                || tenant.entra_tenant_id.eq_ignore_ascii_case(text)
                || tenant.id.to_string().eq_ignore_ascii_case(text)
        };
        for text in &query.tenants {
            if !self.searched.iter().chain(&self.refused).any(|tenant| is(tenant, text)) {
                let names: Vec<String> =
                    self.searched.iter().chain(&self.refused).map(|tenant| tenant.name.clone()).collect();
                return Err(unknown_tenant(text, &names));
            }
        }
        let is_named = |tenant: &Tenant| query.tenants.iter().any(|text| is(tenant, text));
        self.searched.retain(is_named);
        self.refused.retain(is_named);
        Ok(self)
    }

    /// The name of a tenant.
    pub(super) fn name(&self, id: TenantId) -> String {
        self.searched.iter().find(|tenant| tenant.id == id).map(|tenant| tenant.name.clone()).unwrap_or_default()
    }
}
