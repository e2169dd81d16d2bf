//! What the command line writes into the audit log by itself, beside the entries of commands.

use serde_json::json;
use tenantatlas_domain::audit::AuditAction;
use tenantatlas_engine::Actor;
use tenantatlas_store::audit::{NewEntry, Outcome};
use uuid::Uuid;

/// An entry about something that belongs to no tenant, such as the key or the log itself.
pub(super) fn own_entry(action: AuditAction, resource_type: &str) -> NewEntry {
    let actor = Actor::command_line();
    NewEntry {
        id: Uuid::now_v7(),
        tenant_id: None,
        actor_id: None,
        actor_kind: "command_line".to_owned(),
        actor_name: actor.name,
        actor_email: actor.email,
        action: action.into(),
        resource_type: resource_type.to_owned(),
        resource_id: String::new(),
        outcome: Outcome::Success,
        context: json!({}),
    }
}
