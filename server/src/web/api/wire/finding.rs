//! Findings, settings and the audit log.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tenantatlas_store::{audit, findings};
use utoipa::ToSchema;

use super::time::time;

/// A finding: one way in which an object differs from its baseline.
#[derive(Debug, Serialize, ToSchema)]
pub struct Finding {
    /// Its id.
    #[schema(format = "uuid")]
    pub id: String,
    /// added, removed, modified, reassigned, renamed or migrated.
    pub kind: String,
    /// low, medium, high or critical.
    pub severity: String,
    /// new or acknowledged.
    pub status: String,
    /// The key of the type of the object.
    pub policy_type: String,
    /// The id that Microsoft gave it.
    pub external_id: String,
    /// The object in the inventory.
    #[schema(format = "uuid")]
    pub item_id: String,
    /// Its name.
    pub display_name: String,
    /// Who accepted it, by the name they had then.
    pub accepted_by: Option<String>,
    /// Why.
    pub accepted_reason: Option<String>,
    /// When.
    #[schema(format = DateTime)]
    pub accepted_at: Option<String>,
    /// When the acceptance ends.
    #[schema(format = DateTime)]
    pub accepted_until: Option<String>,
    /// When it was first found.
    #[schema(format = DateTime)]
    pub created_at: String,
}

impl From<&findings::Finding> for Finding {
    fn from(one: &findings::Finding) -> Self {
        Self {
            id: one.id.to_string(),
            kind: one.kind.to_string(),
            severity: one.severity.to_string(),
            status: one.status.to_string(),
            policy_type: one.subject_type.clone(),
            external_id: one.subject_external_id.clone(),
            item_id: one.item_id.to_string(),
            display_name: one.display_name.clone(),
            accepted_by: one.acknowledged_by_name.clone(),
            accepted_reason: one.acknowledged_reason.clone(),
            accepted_at: one.acknowledged_at.map(time),
            accepted_until: one.accepted_until.map(time),
            created_at: time(one.created_at),
        }
    }
}

/// A page of findings of the main scope.
#[derive(Debug, Serialize, ToSchema)]
pub struct Findings {
    /// The findings.
    pub items: Vec<Finding>,
    /// Where the next page begins; null on the last one.
    pub next: Option<String>,
}

/// Findings that are to be accepted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AcceptFindings {
    /// Their ids.
    #[schema(min_items = 1, max_items = 500)]
    pub findings: Vec<String>,
    /// Why.
    #[schema(min_length = 1, max_length = 1000)]
    pub reason: String,
    /// When the acceptance ends: a day, or a time as in RFC 3339.
    pub until: Option<String>,
    /// Of more than 100 at once their number, so that nobody accepts many by mistake.
    pub confirm: Option<u64>,
}

/// Findings whose acceptance is to be taken back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReopenFindings {
    /// Their ids.
    #[schema(min_items = 1, max_items = 500)]
    pub findings: Vec<String>,
}

/// How many were changed.
#[derive(Debug, Serialize, ToSchema)]
pub struct Changed {
    /// Those that are gone were not.
    pub count: u64,
}

/// What a search of settings found.
#[derive(Debug, Serialize, ToSchema)]
pub struct FoundSettings {
    /// The query as it was understood, what was searched and what not, and the policies with their settings.
    #[schema(value_type = Object)]
    pub found: Value,
    /// Where the next page begins; null on the last one.
    pub next: Option<String>,
}

/// An entry of the audit log.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditEntry {
    /// Its number.
    pub seq: i64,
    /// When.
    #[schema(format = DateTime)]
    pub at: String,
    /// What kind of actor: person, token, system, command_line or anonymous.
    pub actor_kind: String,
    /// The name of who acted, as it was then.
    pub actor_name: String,
    /// Their e-mail then; empty for what is no person.
    pub actor_email: String,
    /// What was done.
    pub action: String,
    /// What kind of thing it concerns.
    pub resource_type: String,
    /// Which one.
    pub resource_id: String,
    /// success, failure or denied.
    pub outcome: String,
    /// Facts.
    #[schema(value_type = Object)]
    pub context: Value,
    /// The hash that chains it to the entry before it.
    pub hash: String,
}

impl From<&audit::Entry> for AuditEntry {
    fn from(entry: &audit::Entry) -> Self {
        Self {
            seq: entry.seq,
            at: time(entry.at),
            actor_kind: entry.actor_kind.clone(),
            actor_name: entry.actor_name.clone(),
            actor_email: entry.actor_email.clone(),
            action: entry.action.clone(),
            resource_type: entry.resource_type.clone(),
            resource_id: entry.resource_id.clone(),
            outcome: entry.outcome.as_str().to_owned(),
            context: entry.context.clone(),
            hash: entry.hash.to_string(),
        }
    }
}

/// A page of the audit log of a tenant.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditEntries {
    /// Newest first.
    pub items: Vec<AuditEntry>,
    /// Where the next page begins; null on the last one.
    pub next: Option<String>,
}
