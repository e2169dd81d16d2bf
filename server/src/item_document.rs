//! Items as documents for programs: what the command line and the downloads write, by the names of the API.

use serde_json::{Value, json};
use tenantatlas_domain::presence::Presence;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_store::inventory::{FirstRead, ItemRow, NotRead};

/// An item.
pub fn item(row: &ItemRow) -> Value {
    let item = &row.item;
    let mut document = json!({
        "id": item.id, "policy_type": item.policy_type, "external_id": item.external_id,
        "display_name": item.display_name, "category": item.category, "platform": item.platform, "meta": item.meta,
        "assigned": item.assigned, "assignments": row.assignments,
        "content_hash": item.content_hash.to_string(), "first_seen_at": item.first_seen_at.to_rfc3339(),
        "last_seen_at": item.last_seen_at.to_rfc3339(), "last_seen_run_id": item.last_seen_run_id,
        "changed_at": item.changed_at.to_rfc3339(),
        "changed_in_last_run": row.changed_in_last_run, "state": row.state(), "seen_since": row.seen_since,
    });
    // What belongs to the state: confidence, or the reason and the last full read.
    if let (Value::Object(document), Ok(Value::Object(presence))) = (&mut document, serde_json::to_value(row.presence))
        && !row.newer_than_scope
    {
        document.extend(presence);
    }
    if let Presence::NotRead { last_full_read: Some(read), .. } = row.presence
        && let Some(told) = document.get_mut("last_full_read").filter(|told| told.is_object())
    {
        told["at"] = json!(read.at.to_rfc3339());
    }
    document
}

/// A type that was first read to its end only after the time from which changes are asked for.
pub fn first_read(one: &FirstRead) -> Value {
    json!({ "policy_type": one.policy_type, "first_read_at": one.at.to_rfc3339() })
}

/// A type that was not read to the end.
pub fn not_read(one: &NotRead) -> Value {
    json!({
        "policy_type": one.policy_type, "outcome": one.outcome, "reason_code": one.reason_code, "reason": one.reason,
        "known": one.known, "last_full_read_at": one.last_full_read_at.map(Timestamp::to_rfc3339),
    })
}
