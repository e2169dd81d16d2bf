//! `setting_catalog.refresh`: reads the definitions and categories of settings, those of the settings catalogue and those of the
//! templates of endpoint security, by which bodies are shown with names instead of ids. Microsoft publishes the same ones to
//! every tenant, so they are kept once, and any tenant that is connected can be asked for them. What was read stays when a
//! reading breaks off, and what Microsoft removes stays too.

mod by_itself;
mod collection;
mod template;
mod work;

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tenantatlas_commands::{Actor, AuditEntry};
use tenantatlas_domain::audit::RunEvent;
use tenantatlas_domain::ids::TenantId;
use tenantatlas_domain::live::RunWords;
use tenantatlas_domain::role::Action;
use tenantatlas_domain::settings::{DefinitionName, Glossary};
use tenantatlas_graph::GraphClient;
use tenantatlas_runs::{Dispatched, Operation, OperationKind, RunContext, Stop, Work};
use tenantatlas_store::operation_runs::Limits;
use tenantatlas_store::setting_catalog::{self, KnownDefinition};
use tenantatlas_store::{Access, StoreError, Vault, tenants};

use crate::engine::Engine;
use crate::error::EngineError;
use crate::tenants::connection;
use collection::COLLECTIONS;

pub(crate) use by_itself::read_by_itself;

/// What a reading of the catalogue carries with its operation run: nothing, since it always reads all of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefreshPayload {}

/// The reading of the catalogue.
pub struct RefreshSettingCatalog {
    vault: Vault,
    graph: GraphClient,
}

impl RefreshSettingCatalog {
    /// The reading of a process.
    pub(crate) fn new(vault: Vault, graph: GraphClient) -> Self {
        Self { vault, graph }
    }
}

impl Operation for RefreshSettingCatalog {
    const KIND: OperationKind = OperationKind { resource: "setting_catalog", action: "refresh" };
    const PERMISSION: Action = Action::Capture;
    type Payload = RefreshPayload;

    fn words() -> RunWords {
        RunWords::of("Names of settings", ("collection", "collections"), ("reading", "read"), ("entry", "entries"))
    }

    fn limits(&self) -> Limits {
        // All tenants have the same catalogue.
        Limits { global: 1, per_tenant: 1 }
    }

    fn units(&self, _payload: &RefreshPayload) -> Vec<String> {
        COLLECTIONS.iter().map(|collection| collection.name.to_owned()).collect()
    }

    fn unit_label(&self, unit: &str) -> String {
        collection::label_of(unit)
    }

    fn idempotency_key(&self, _payload: &RefreshPayload) -> String {
        "all".to_owned()
    }

    async fn plan(&self, run: Arc<RunContext>, _payload: RefreshPayload) -> Result<Box<dyn Work>, Stop> {
        Ok(Box::new(work::RefreshWork::begin(&self.vault, &self.graph, run).await?))
    }
}

impl Engine {
    /// Dispatches a reading of the definitions and categories of settings through the connection of a tenant.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] and [`EngineError::Forbidden`] by the actor's role, [`EngineError::Invalid`] when there is
    /// no credential, [`EngineError::TooMany`] when too much is waiting already, or when the database fails.
    pub async fn refresh_setting_catalog(&self, actor: &Actor, tenant: TenantId) -> Result<Dispatched, EngineError> {
        let (resource, action) = (RefreshSettingCatalog::KIND.resource, RefreshSettingCatalog::KIND.action);
        let entry = AuditEntry::new(RunEvent::Dispatched.of(resource, action), "tenant", tenant).of(tenant);
        let ready = async {
            self.authorise(actor, tenant, RefreshSettingCatalog::PERMISSION).await?;
            let tenant = tenants::get(self.reader(), tenant).await?.ok_or(EngineError::NotFound("the tenant"))?;
            tenant.credential_kind.map(drop).ok_or_else(connection::no_credential)
        };
        self.core.commands.before(actor, &entry, ready).await?;
        Ok(self.runs().dispatch::<RefreshSettingCatalog>(actor, tenant, &RefreshPayload {}, Vec::new()).await?)
    }

    /// The names of definitions by their ids, with their categories and options, as far as they are known.
    pub(crate) async fn names_of_definitions(&self, ids: &[String]) -> Result<Glossary, EngineError> {
        Ok(glossary_of(self.reader(), ids).await?)
    }
}

/// The names of definitions by their ids, with their categories and options, as far as they are known.
pub(crate) async fn glossary_of(on: impl Access, ids: &[String]) -> Result<Glossary, StoreError> {
    let known = setting_catalog::definitions(on, ids).await?;
    let named = known.into_iter().map(|KnownDefinition { id, name, categories, options }| {
        (id, DefinitionName { name, category: categories, options })
    });
    Ok(Glossary { definitions: named.collect(), ..Glossary::default() })
}
