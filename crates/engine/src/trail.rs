//! Writing the audit.

use std::fmt::Display;

use serde_json::{Value, json};
use tenantatlas_domain::ids::TenantId;
use tenantatlas_store::audit::{self, NewEntry, Outcome};
use tenantatlas_store::{StoreError, Tx};
use uuid::Uuid;

use crate::actor::{Actor, ActorKind};
use crate::engine::Core;

/// An entry as the engine writes it, without the actor.
#[derive(Debug)]
pub(crate) struct Entry {
    id: Uuid,
    action: String,
    resource_type: &'static str,
    resource_id: String,
    tenant: Option<TenantId>,
    outcome: Outcome,
    context: Value,
}

impl Entry {
    pub(crate) fn new(action: impl Into<String>, resource_type: &'static str, resource_id: impl Display) -> Self {
        Self {
            id: Uuid::now_v7(),
            action: action.into(),
            resource_type,
            resource_id: resource_id.to_string(),
            tenant: None,
            outcome: Outcome::Success,
            context: json!({}),
        }
    }

    /// Names the tenant it concerns.
    pub(crate) fn of(mut self, tenant: TenantId) -> Self {
        self.tenant = Some(tenant);
        self
    }

    /// Adds safe facts.
    pub(crate) fn with(mut self, context: Value) -> Self {
        self.context = context;
        self
    }

    /// Takes an id made before, that other records of the transaction name.
    pub(crate) fn id(mut self, id: Uuid) -> Self {
        self.id = id;
        self
    }

    /// Whether what it tells of went well.
    pub(crate) fn outcome(mut self, success: bool) -> Self {
        self.outcome = if success { Outcome::Success } else { Outcome::Failure };
        self
    }
}

impl Core {
    /// Appends an entry; last in its transaction, because the end of the chain stays locked until the commit.
    pub(crate) async fn record(&self, tx: &mut Tx, actor: &Actor, entry: Entry) -> Result<(), StoreError> {
        let kind = match actor.kind {
            ActorKind::Person => "person",
            ActorKind::System => "system",
            ActorKind::CommandLine => "command_line",
        };
        let new = NewEntry {
            id: entry.id,
            tenant_id: entry.tenant,
            actor_id: actor.user_id,
            actor_kind: kind.to_owned(),
            actor_name: actor.name.clone(),
            actor_email: actor.email.clone(),
            action: entry.action,
            resource_type: entry.resource_type.to_owned(),
            resource_id: entry.resource_id,
            outcome: entry.outcome,
            context: entry.context,
        };
        audit::append(tx, &new, self.clock.now()).await.map(|_| ())
    }
}
