//! How a policy type ended in a run, from what Graph answered (`docs/rules.md`, sections Inventory sync and Reason codes).

use tenantatlas_domain::reason::ReasonCode;
use tenantatlas_domain::registry::PolicyType;
use tenantatlas_domain::sanitise;
use tenantatlas_domain::sync::TypeOutcome;
use tenantatlas_graph::GraphError;

/// The end of one type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TypeEnd {
    pub outcome: TypeOutcome,
    /// Why it did not succeed, with the sentence for the person.
    pub reason: Option<(ReasonCode, String)>,
}

impl TypeEnd {
    pub(crate) fn succeeded() -> Self {
        Self { outcome: TypeOutcome::Succeeded, reason: None }
    }

    pub(crate) fn failed(code: ReasonCode, sentence: impl Into<String>) -> Self {
        Self { outcome: TypeOutcome::Failed, reason: Some((code, sentence.into())) }
    }

    pub(crate) fn skipped(code: ReasonCode, sentence: impl Into<String>) -> Self {
        Self { outcome: TypeOutcome::Skipped, reason: Some((code, sentence.into())) }
    }
}

/// What a refused listing means for one of its types. `granted` are the application permissions of the token, where it
/// shows them.
pub(crate) fn end_of(policy_type: &PolicyType, error: &GraphError, granted: Option<&[String]>) -> TypeEnd {
    let permitted = granted.map(|granted| policy_type.is_permitted_by(granted));
    match (error.reason, error.status) {
        (ReasonCode::NotFoundInCloud, _) if policy_type.absent_is_empty => TypeEnd::succeeded(),
        (ReasonCode::ConsentMissing, _) => failed(ReasonCode::ConsentMissing, error),
        // Without the permission nothing can be said about the licence.
        (_, Some(403)) if permitted == Some(false) => permission_missing(policy_type),
        (ReasonCode::LicenseMissing, _) => license_missing(policy_type),
        (_, Some(403 | 404)) if policy_type.licensed_feature.is_some() => license_missing(policy_type),
        (ReasonCode::PermissionMissing, _) => permission_missing(policy_type),
        (ReasonCode::NotFoundInCloud, _) => {
            TypeEnd::skipped(ReasonCode::NotFoundInCloud, ReasonCode::NotFoundInCloud.sentence())
        }
        (code, _) => failed(code, error),
    }
}

fn license_missing(policy_type: &PolicyType) -> TypeEnd {
    let sentence = ReasonCode::LicenseMissing.sentence();
    match policy_type.licensed_feature {
        Some(feature) => TypeEnd::skipped(ReasonCode::LicenseMissing, format!("{}: {sentence}", feature.label())),
        None => TypeEnd::skipped(ReasonCode::LicenseMissing, sentence),
    }
}

/// The sentence names the scope, so that a person knows what to grant.
fn permission_missing(policy_type: &PolicyType) -> TypeEnd {
    let sentence = ReasonCode::PermissionMissing.sentence();
    TypeEnd::failed(ReasonCode::PermissionMissing, format!("{}: {sentence}", policy_type.permission))
}

fn failed(code: ReasonCode, error: &GraphError) -> TypeEnd {
    let mut text = format!("{} {}", code.sentence(), error.message);
    if let Some(request_id) = &error.request_id {
        text.push_str(&format!(" (request id {request_id})"));
    }
    TypeEnd::failed(code, bounded(&text))
}

/// Longest sentence kept with a failure, in characters.
const MAX_SENTENCE: usize = 500;

/// A sanitised sentence of bounded length.
pub(crate) fn bounded(text: &str) -> String {
    let clean = sanitise::redact(text);
    if clean.chars().count() <= MAX_SENTENCE {
        clean
    } else {
        clean.chars().take(MAX_SENTENCE - 1).chain(['…']).collect()
    }
}
