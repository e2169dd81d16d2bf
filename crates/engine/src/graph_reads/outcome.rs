//! How a policy type ended in a run, from what Graph answered (`docs/rules.md`, sections Inventory sync and Reason codes).

use tenantatlas_domain::operation::{Failure, FailureKind, ItemOutcome};
use tenantatlas_domain::reason::ReasonCode;
use tenantatlas_domain::registry::PolicyType;
use tenantatlas_domain::sanitise;
use tenantatlas_domain::sync::TypeOutcome;
use tenantatlas_graph::GraphError;
use tenantatlas_store::operation_runs::Settled;

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

    /// What the run counts for the unit that ended so, with the line that is kept when it did not succeed.
    pub(crate) fn settled(&self, unit: &str) -> Settled {
        let (outcome, kind) = match self.outcome {
            TypeOutcome::Succeeded => (ItemOutcome::Succeeded, FailureKind::Failed),
            TypeOutcome::Failed => (ItemOutcome::Failed, FailureKind::Failed),
            TypeOutcome::Skipped => (ItemOutcome::Skipped, FailureKind::Skipped),
        };
        let failure = self.reason.clone().map(|(reason_code, reason)| Failure {
            reason_code,
            reason,
            item_id: Some(unit.to_owned()),
            kind,
        });
        Settled { outcome, failure }
    }
}

/// What a refused listing means for one of its types. `granted` are the application permissions of the token, where it
/// shows them.
pub(crate) fn end_of(policy_type: &PolicyType, error: &GraphError, granted: Option<&[String]>) -> TypeEnd {
    let permitted = granted.map(|granted| policy_type.is_permitted_by(granted));
    match (error.reason, error.status) {
        // Only Graph's own "not there" means that there is none; an address that is unknown says nothing.
        (ReasonCode::NotFoundInCloud, _) if policy_type.absent_is_empty && error.absent => TypeEnd::succeeded(),
        (ReasonCode::ConsentMissing, _) => failed(ReasonCode::ConsentMissing, error),
        // Without the permission nothing can be said about the licence.
        (_, Some(403)) if permitted == Some(false) => permission_missing(policy_type, error, granted),
        (ReasonCode::LicenseMissing, _) => license_missing(policy_type),
        (_, Some(403)) if policy_type.licensed_feature.is_some() => license_missing(policy_type),
        (_, Some(404)) if policy_type.licensed_feature.is_some() && error.absent => license_missing(policy_type),
        (ReasonCode::PermissionMissing, _) => permission_missing(policy_type, error, granted),
        (ReasonCode::NotFoundInCloud, _) => {
            TypeEnd::skipped(ReasonCode::NotFoundInCloud, ReasonCode::NotFoundInCloud.sentence())
        }
        (code, _) => failed(code, error),
    }
}

/// What a refused log means; `permission` is the one that reading it takes.
pub(crate) fn end_of_log(permission: &str, error: &GraphError, granted: Option<&[String]>) -> TypeEnd {
    let code = ReasonCode::PermissionMissing;
    let lacks = granted.is_some_and(|granted| {
        let writes = permission.replace(".Read.", ".ReadWrite.");
        !granted.iter().any(|given| given.eq_ignore_ascii_case(permission) || given.eq_ignore_ascii_case(&writes))
    });
    match (error.reason, error.status) {
        (ReasonCode::ConsentMissing, _) => failed(ReasonCode::ConsentMissing, error),
        // Without the permission nothing can be said about the licence.
        (_, Some(403)) if lacks => TypeEnd::failed(code, format!("{permission}: {}", code.sentence())),
        (ReasonCode::LicenseMissing, _) => TypeEnd::skipped(
            ReasonCode::LicenseMissing,
            "This tenant has no license for the service that keeps this log.",
        ),
        (ReasonCode::PermissionMissing, _) => TypeEnd::failed(code, format!("{permission}: {}", code.sentence())),
        (ReasonCode::NotFoundInCloud, _) => {
            TypeEnd::skipped(ReasonCode::NotFoundInCloud, "This log does not exist in the cloud of this tenant.")
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

/// The sentence names the scope, so that a person knows what to grant: of those that the refusal names the least that the
/// token lacks, else the one that the type needs.
fn permission_missing(policy_type: &PolicyType, error: &GraphError, granted: Option<&[String]>) -> TypeEnd {
    let code = ReasonCode::PermissionMissing;
    let lacks =
        |scope: &&str| granted.is_none_or(|granted| !granted.iter().any(|given| given.eq_ignore_ascii_case(scope)));
    let named = error.scopes().into_iter().filter(lacks).min_by_key(|scope| breadth(scope, policy_type));
    TypeEnd::failed(code, format!("{}: {}", named.unwrap_or(policy_type.permission), code.sentence()))
}

/// How much a permission allows, for choosing the least of several: reading before writing, what the type is documented
/// with before others, one resource before the whole directory.
fn breadth<'a>(scope: &'a str, policy_type: &PolicyType) -> (bool, bool, bool, &'a str) {
    let writes = !scope.split('.').nth(1).is_some_and(|operation| operation.eq_ignore_ascii_case("Read"));
    let documented = scope.eq_ignore_ascii_case(policy_type.permission);
    (writes, !documented, scope.starts_with("Directory."), scope)
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

#[cfg(test)]
mod tests {
    use tenantatlas_domain::registry::registry;

    use super::*;

    fn named(key: &str, message: &str, granted: &[&str]) -> String {
        let granted: Vec<String> = granted.iter().map(|scope| (*scope).to_owned()).collect();
        let mut error = GraphError::new(ReasonCode::PermissionMissing, message);
        error.status = Some(403);
        let end = end_of(registry().get(key).unwrap(), &error, Some(&granted));
        let (_, sentence) = end.reason.unwrap();
        sentence.split(':').next().unwrap().to_owned()
    }

    #[test]
    fn the_scope_that_a_refusal_names_is_named_and_none_that_the_token_has() {
        let scopes = "Application must have one of the following scopes: DeviceManagementScripts.ReadWrite.All, \
                      DeviceManagementScripts.Read.All";
        let has = ["DeviceManagementConfiguration.Read.All"];
        assert_eq!(named("settingsCatalogPolicy", scopes, &has), "DeviceManagementScripts.Read.All");
        let among = "One of: Directory.Read.All, Policy.Read.ConditionalAccess, Policy.Read.All";
        assert_eq!(named("conditionalAccessPolicy", among, &[]), "Policy.Read.All");
        assert_eq!(named("settingsCatalogPolicy", "Forbidden", &[]), "DeviceManagementConfiguration.Read.All");
    }

    #[test]
    fn an_unknown_address_of_a_single_object_is_never_an_empty_tenant() {
        let mut error = GraphError::new(ReasonCode::NotFoundInCloud, "Resource not found for the segment 'x'.");
        error.status = Some(404);
        let of = |error: &GraphError| end_of(registry().get("applePushCertificate").unwrap(), error, None).outcome;
        assert_eq!(of(&error), TypeOutcome::Skipped);
        error.absent = true;
        assert_eq!(of(&error), TypeOutcome::Succeeded);
    }
}
