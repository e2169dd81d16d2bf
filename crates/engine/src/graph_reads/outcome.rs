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
        (_, Some(403)) if permitted == Some(false) => permission_missing(policy_type.permission, error, granted),
        (ReasonCode::LicenseMissing, _) => license_missing(policy_type),
        // Who names a permission says nothing about a licence.
        (_, Some(403)) if !error.scopes().is_empty() => permission_missing(policy_type.permission, error, granted),
        (_, Some(403)) if policy_type.licensed_feature.is_some() => license_missing(policy_type),
        (_, Some(404)) if policy_type.licensed_feature.is_some() && error.absent => license_missing(policy_type),
        (ReasonCode::PermissionMissing, _) => permission_missing(policy_type.permission, error, granted),
        (ReasonCode::NotFoundInCloud, _) => {
            TypeEnd::skipped(ReasonCode::NotFoundInCloud, ReasonCode::NotFoundInCloud.sentence())
        }
        (code, _) => failed(code, error),
    }
}

/// What a refused log means; `permission` is the one that reading it takes.
pub(crate) fn end_of_log(permission: &str, error: &GraphError, granted: Option<&[String]>) -> TypeEnd {
    let lacks = granted.is_some() && !carries(granted, permission);
    match (error.reason, error.status) {
        (ReasonCode::ConsentMissing, _) => failed(ReasonCode::ConsentMissing, error),
        // Without the permission nothing can be said about the licence.
        (_, Some(403)) if lacks => permission_missing(permission, error, granted),
        (ReasonCode::LicenseMissing, _) => TypeEnd::skipped(
            ReasonCode::LicenseMissing,
            "This tenant has no license for the service that keeps this log.",
        ),
        (ReasonCode::PermissionMissing, _) => permission_missing(permission, error, granted),
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

/// The sentence names the scope, so that a person knows what to grant: of those that the refusal names, else of what reading is
/// known to take, the least that the token lacks. One that allows writing is named only where none does with reading. Where the
/// token carries all of them that is said too, since granting alone is no help then.
fn permission_missing(own: &str, error: &GraphError, granted: Option<&[String]>) -> TypeEnd {
    let code = ReasonCode::PermissionMissing;
    let mut named = error.scopes();
    let any_reads = named.iter().any(|scope| !writes(scope));
    named.retain(|scope| !any_reads || !writes(scope));
    let least = |lacking: bool| {
        let fits = named.iter().copied().filter(|scope| !lacking || !carries(granted, scope));
        fits.min_by_key(|scope| breadth(scope, own))
    };
    let scope = least(true).or_else(|| least(false)).unwrap_or(own);
    let still = if carries(granted, scope) { STILL_REFUSED } else { "" };
    TypeEnd::failed(code, format!("{scope}{still}: {}", code.sentence()))
}

/// What is said behind a permission that the token has.
const STILL_REFUSED: &str = " (the token carries it, and Microsoft Graph still refuses)";

/// Whether a token shows this permission, or the one to write that includes it.
fn carries(granted: Option<&[String]>, scope: &str) -> bool {
    let includes = |given: &String| {
        given.eq_ignore_ascii_case(scope) || given.replacen(".ReadWrite", ".Read", 1).eq_ignore_ascii_case(scope)
    };
    granted.is_some_and(|granted| granted.iter().any(includes))
}

/// Whether a permission allows writing.
fn writes(scope: &str) -> bool {
    scope.split('.').nth(1).is_some_and(|operation| operation.to_ascii_lowercase().starts_with("readwrite"))
}

/// How much a permission allows, for choosing the least of several: what reading is documented with before others, one
/// resource before the whole directory.
fn breadth<'a>(scope: &'a str, own: &str) -> (bool, bool, bool, &'a str) {
    (writes(scope), !scope.eq_ignore_ascii_case(own), scope.starts_with("Directory."), scope)
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
    fn a_refusal_that_names_a_scope_is_never_told_as_a_missing_license() {
        let scopes = "Application is not authorized. It must have one of the following scopes: CloudPC.Read.All";
        for granted in [None, Some(vec!["CloudPC.Read.All".to_owned()]), Some(Vec::new())] {
            let mut error = GraphError::new(ReasonCode::PermissionMissing, scopes);
            error.status = Some(403);
            let cloud_pc = registry().get("cloudPcProvisioningPolicy").unwrap();
            assert!(cloud_pc.licensed_feature.is_some());
            let (code, sentence) = end_of(cloud_pc, &error, granted.as_deref()).reason.unwrap();
            assert_eq!((code, sentence.starts_with("CloudPC.Read.All")), (ReasonCode::PermissionMissing, true));
            error.message = "Forbidden".to_owned();
            let unnamed = end_of(cloud_pc, &error, Some(&["CloudPC.Read.All".to_owned()]));
            assert_eq!(unnamed.outcome, TypeOutcome::Skipped);
        }
    }

    #[test]
    fn no_permission_to_write_is_named_while_one_to_read_is() {
        let scopes = "One of: DeviceManagementRBAC.ReadWrite.All, DeviceManagementRBAC.Read.All";
        let has = ["DeviceManagementRBAC.Read.All"];
        let told = "DeviceManagementRBAC.Read.All (the token carries it, and Microsoft Graph still refuses)";
        assert_eq!(named("intuneRoleDefinition", scopes, &has), told);
        assert_eq!(named("intuneRoleDefinition", scopes, &["DeviceManagementRBAC.ReadWrite.All"]), told);
        assert_eq!(named("intuneRoleDefinition", scopes, &[]), "DeviceManagementRBAC.Read.All");
        let only = "One of: DeviceManagementRBAC.ReadWrite.All";
        assert_eq!(named("intuneRoleDefinition", only, &has), "DeviceManagementRBAC.ReadWrite.All");
    }

    #[test]
    fn a_scope_that_the_refusal_does_not_name_never_stands_for_one_that_it_does() {
        let scopes = "One of: DeviceManagementConfiguration.Read.All";
        let has = ["Policy.Read.All", "DeviceManagementConfiguration.Read.All"];
        let told = named("namedLocation", scopes, &has);
        assert!(told.starts_with("DeviceManagementConfiguration.Read.All (the token carries it"), "{told}");
        let log = |message: &str, has: &[&str]| {
            let granted: Vec<String> = has.iter().map(|scope| (*scope).to_owned()).collect();
            let mut error = GraphError::new(ReasonCode::PermissionMissing, message);
            error.status = Some(403);
            end_of_log("AuditLog.Read.All", &error, Some(&granted)).reason.unwrap().1
        };
        assert!(log("One of: Directory.Read.All", &[]).starts_with("Directory.Read.All: "));
        assert!(log("Forbidden", &[]).starts_with("AuditLog.Read.All: "));
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
