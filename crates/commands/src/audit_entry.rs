//! An entry of the audit log, as commands and events write it.

use std::borrow::Cow;
use std::fmt::Display;

use serde_json::{Value, json};
use tenantatlas_domain::ids::TenantId;
use tenantatlas_store::api_token_refusals::{CountedRefusal, TokenRefusal};
use tenantatlas_store::audit::{NewEntry, Outcome};
use uuid::Uuid;

use crate::actor::Actor;

/// What an entry tells of.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Identity {
    /// What was done or tried.
    pub action: String,
    tenant: Option<TenantId>,
    what: String,
    reason: String,
}

/// An entry without its actor.
#[derive(Debug, Clone)]
pub struct AuditEntry {
    id: Uuid,
    action: String,
    resource_type: Cow<'static, str>,
    resource_id: String,
    tenant: Option<TenantId>,
    outcome: Outcome,
    context: Value,
}

impl AuditEntry {
    /// An entry of something that went well, with an id of its own and no facts.
    #[must_use]
    pub fn new(
        action: impl Into<String>,
        resource_type: impl Into<Cow<'static, str>>,
        resource_id: impl Display,
    ) -> Self {
        Self {
            id: Uuid::now_v7(),
            action: action.into(),
            resource_type: resource_type.into(),
            resource_id: resource_id.to_string(),
            tenant: None,
            outcome: Outcome::Success,
            context: json!({}),
        }
    }

    /// Names the tenant it concerns.
    #[must_use]
    pub fn of(mut self, tenant: TenantId) -> Self {
        self.tenant = Some(tenant);
        self
    }

    /// Adds safe facts to those it has.
    #[must_use]
    pub fn with(mut self, facts: Value) -> Self {
        match (self.context.as_object_mut(), facts) {
            (Some(context), Value::Object(facts)) => context.extend(facts),
            (_, facts) => self.context = facts,
        }
        self
    }

    /// Says how it ended.
    #[must_use]
    pub fn ended(mut self, outcome: Outcome) -> Self {
        self.outcome = outcome;
        self
    }

    /// The same entry as another one, of something that happened later.
    #[must_use]
    pub fn anew(mut self) -> Self {
        self.id = Uuid::now_v7();
        self
    }

    /// What it tells of: entries that agree in this tell of the same thing.
    pub fn identity(&self) -> Identity {
        let what = format!("{} {}", self.resource_type, self.resource_id);
        Identity { action: self.action.clone(), tenant: self.tenant, what, reason: self.reason().to_owned() }
    }

    /// Why what it tells of was refused, as a stable word; empty where it says nothing of that.
    fn reason(&self) -> &str {
        let said = |key| self.context.get(key).and_then(Value::as_str);
        said("reason").or_else(|| said("error")).unwrap_or_default()
    }

    /// Whether what it tells of was not allowed.
    pub(crate) fn is_denied(&self) -> bool {
        self.outcome == Outcome::Denied
    }

    /// The refusal of a token that it tells of.
    pub(crate) fn refusal_of(&self, token: Uuid) -> TokenRefusal {
        TokenRefusal {
            token_id: token,
            tenant_id: self.tenant,
            action: self.action.clone(),
            resource_type: self.resource_type.clone().into_owned(),
            resource_id: self.resource_id.clone(),
            reason: self.reason().to_owned(),
        }
    }

    /// An entry of a refusal of a token that came so often since it was told.
    pub(crate) fn of_counted(counted: &CountedRefusal) -> Self {
        let CountedRefusal { refusal, told_at, counted } = counted;
        let TokenRefusal { token_id, tenant_id, action, resource_type, resource_id, reason } = refusal;
        let facts = json!({ "token": token_id, "reason": reason, "repeated": counted, "since": told_at.to_rfc3339() });
        let entry = Self::new(action.as_str(), resource_type.clone(), resource_id).with(facts).ended(Outcome::Denied);
        match tenant_id {
            Some(tenant) => entry.of(*tenant),
            None => entry,
        }
    }

    /// Whether it tells of somebody who signs in.
    pub(crate) fn is_about_signing_in(&self) -> bool {
        self.action.starts_with("session.")
    }

    /// Takes an id made before, that other records of the transaction name.
    #[must_use]
    pub fn id(mut self, id: Uuid) -> Self {
        self.id = id;
        self
    }

    /// Whether what it tells of went well.
    #[must_use]
    pub fn outcome(self, success: bool) -> Self {
        self.ended(if success { Outcome::Success } else { Outcome::Failure })
    }

    /// The row that is appended for an actor: with the address from which they acted.
    pub(crate) fn by(self, actor: &Actor) -> NewEntry {
        let entry = match actor.address {
            Some(address) => self.with(json!({ "address": address })),
            None => self,
        };
        NewEntry {
            id: entry.id,
            tenant_id: entry.tenant,
            actor_id: actor.user_id,
            actor_kind: actor.kind.as_str().to_owned(),
            actor_name: actor.name.clone(),
            actor_email: actor.email.clone(),
            action: entry.action,
            resource_type: entry.resource_type.into_owned(),
            resource_id: entry.resource_id,
            outcome: entry.outcome,
            context: entry.context,
        }
    }
}
