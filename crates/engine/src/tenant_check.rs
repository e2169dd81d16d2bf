//! `tenants.check`: tests the connection of a tenant. Signs in, asks whether Intune is licensed, compares the permissions of
//! the token with those that the registry needs and, on request, asks for the first page of each type.

mod permissions;
mod probe;
mod work;

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::json;
use tenantatlas_commands::{Actor, AuditEntry};
use tenantatlas_domain::audit::RunEvent;
use tenantatlas_domain::ids::TenantId;
use tenantatlas_domain::live::RunWords;
use tenantatlas_domain::registry::registry;
use tenantatlas_domain::role::Action;
use tenantatlas_graph::GraphClient;
use tenantatlas_runs::{Dispatched, Operation, OperationKind, RunContext, Stop, Summary, Work};
use tenantatlas_store::operation_runs::Limits;
use tenantatlas_store::{Vault, tenants};

use crate::engine::Engine;
use crate::error::EngineError;
use crate::tenants::connection;

/// The unit that stands for the sign-in.
const SIGN_IN: &str = "sign_in";
/// The unit that stands for the licence.
const LICENCE: &str = "licence";
/// What the name of a unit that stands for a permission begins with.
const PERMISSION: &str = "permission:";
/// What the name of a unit that stands for the first page of a type begins with.
const FIRST_PAGE: &str = "type:";

/// What a check carries with its operation run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckPayload {
    /// Whether the first page of each type of the full inventory is asked for too.
    pub types: bool,
}

/// The check of a connection.
pub struct CheckTenant {
    vault: Vault,
    graph: GraphClient,
}

impl CheckTenant {
    /// The check of a process.
    pub(crate) fn new(vault: Vault, graph: GraphClient) -> Self {
        Self { vault, graph }
    }
}

impl Operation for CheckTenant {
    const KIND: OperationKind = OperationKind { resource: "tenants", action: "check" };
    const PERMISSION: Action = Action::EditConnection;
    type Payload = CheckPayload;

    fn words() -> RunWords {
        RunWords::of("Connection check", ("check", "checks"), ("running", "done"), ("request", "requests"))
    }

    fn limits(&self) -> Limits {
        Limits { global: 8, per_tenant: 1 }
    }

    fn units(&self, payload: &CheckPayload) -> Vec<String> {
        let permissions = permissions::all().map(|permission| format!("{PERMISSION}{permission}"));
        let types = permissions::full_inventory().into_iter().filter(|_| payload.types);
        [SIGN_IN.to_owned(), LICENCE.to_owned()]
            .into_iter()
            .chain(permissions)
            .chain(types.map(|policy_type| format!("{FIRST_PAGE}{}", policy_type.key)))
            .collect()
    }

    fn unit_label(&self, unit: &str) -> String {
        label_of(unit)
    }

    fn idempotency_key(&self, payload: &CheckPayload) -> String {
        if payload.types { "types" } else { "connection" }.to_owned()
    }

    fn facts(&self, payload: &CheckPayload) -> Summary {
        Summary::from_iter([("types".to_owned(), json!(payload.types))])
    }

    async fn plan(&self, run: Arc<RunContext>, _payload: CheckPayload) -> Result<Box<dyn Work>, Stop> {
        Ok(Box::new(work::CheckWork::begin(&self.vault, &self.graph, run).await?))
    }
}

/// The name of a unit for people.
fn label_of(unit: &str) -> String {
    if let Some(permission) = unit.strip_prefix(PERMISSION) {
        return format!("Permission {permission}");
    }
    if let Some(key) = unit.strip_prefix(FIRST_PAGE) {
        let label = registry().get(key).map_or(key, |known| known.label);
        return format!("First page of {label}");
    }
    match unit {
        SIGN_IN => "Sign-in".to_owned(),
        LICENCE => "Intune license".to_owned(),
        other => other.to_owned(),
    }
}

impl Engine {
    /// Dispatches a check of the connection of a tenant; its result is kept with the tenant. With `types`, the first page of
    /// each type is asked for too. A connection that does not work is a result, not an error.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] and [`EngineError::Forbidden`] by the actor's role, [`EngineError::Invalid`] when there is
    /// no credential, [`EngineError::TooMany`] when too much is waiting already, or when the database fails.
    pub async fn check_tenant(&self, actor: &Actor, id: TenantId, types: bool) -> Result<Dispatched, EngineError> {
        let (resource, action) = (CheckTenant::KIND.resource, CheckTenant::KIND.action);
        let entry = AuditEntry::new(RunEvent::Dispatched.of(resource, action), "tenant", id).of(id);
        let ready = async {
            self.authorise(actor, id, CheckTenant::PERMISSION).await?;
            let tenant = tenants::get(self.reader(), id).await?.ok_or(EngineError::NotFound("the tenant"))?;
            tenant.credential_kind.map(drop).ok_or_else(connection::no_credential)
        };
        self.core.commands.before(actor, &entry, ready).await?;
        Ok(self.runs().dispatch::<CheckTenant>(actor, id, &CheckPayload { types }, Vec::new()).await?)
    }
}
