//! Findings as documents for programs: what the command line and the downloads write.

use serde_json::{Value, json};
use tenantatlas_domain::audit_event::{Actors, Attribution};
use tenantatlas_domain::drift::GapNow;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_engine::{Explained, Explanations};
use tenantatlas_store::findings::Finding;

/// What is known of findings: the settings that changed, and who changed them.
pub fn known(known: &Explanations) -> Vec<Value> {
    let document = |one: &Explained| {
        let actors = match &one.changed_by {
            Attribution::Found { actors, certainty } => {
                json!({ "actors": actors.iter().map(actor).collect::<Vec<_>>(), "certainty": certainty })
            }
            _ => Value::Null,
        };
        let mut document = one.settings.document(&known.names);
        if let Value::Object(document) = &mut document {
            let since = one.since_accepted.as_ref().map(|since| since.document(&known.names));
            document.insert("since_accepted".to_owned(), json!(since));
            document.insert("changed_by".to_owned(), actors);
            document.insert("changed_by_note".to_owned(), json!(one.changed_by.note()));
        }
        document
    };
    known.of.iter().map(document).collect()
}

/// Somebody who changed an object, with the time as RFC 3339.
fn actor(one: &Actors) -> Value {
    let mut document = json!(one);
    document["at"] = json!(one.at.to_rfc3339());
    document
}

/// A finding as JSON, with what is [`known`] of it.
pub fn finding(now: Timestamp, finding: &Finding, told: &Value) -> Value {
    let evidence = &finding.evidence;
    json!({
        "id": finding.id,
        "kind": finding.kind,
        "severity": finding.severity,
        "status": finding.status_at(now),
        "reopened": finding.reopened,
        "policy_type": finding.subject_type,
        "external_id": finding.subject_external_id,
        "display_name": finding.display_name,
        "fingerprint": finding.fingerprint,
        "facts": evidence.facts,
        "settings": told["settings"],
        "settings_left_out": told["settings_left_out"],
        "assignments": told["assignments"],
        "versions": told["versions"],
        "settings_note": told["note"],
        "name_before": evidence.name_before,
        "name_now": evidence.name_now,
        "content_before": evidence.content_before,
        "content_now": evidence.content_now,
        "content_accepted": finding.accepted_evidence.as_ref().and_then(|evidence| evidence.content_now),
        "facts_accepted": finding.accepted_evidence.as_ref().map(|evidence| &evidence.facts),
        "since_accepted": told["since_accepted"],
        "accepted_until": finding.accepted_until.map(Timestamp::to_rfc3339),
        "acknowledged_by": finding.acknowledged_by_name,
        "acknowledged_reason": finding.acknowledged_reason,
        "baseline_run_id": finding.baseline_run_id,
        "current_run_id": finding.current_run_id,
        "since": finding.since_at.to_rfc3339(),
        "resolved_at": finding.resolved_at.map(Timestamp::to_rfc3339),
        "changed_by": told["changed_by"],
        "changed_by_note": told["changed_by_note"],
    })
}

/// What could not be compared, and whether that still is so.
pub fn gap(now: &GapNow) -> Value {
    let gap = &now.gap;
    json!({
        "policy_type": gap.policy_type, "reason_code": gap.reason_code(), "reason": gap.because(), "items": gap.items,
        "still_so": now.is_still_so(), "now": now.now(), "read_at": now.read_at.map(Timestamp::to_rfc3339),
    })
}
