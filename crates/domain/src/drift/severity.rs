//! How much a change of a type matters.

use crate::registry::{Category, PolicyType};

crate::names::named! {
    /// How much a change matters. A tenant may say otherwise for each of its types.
    #[derive(PartialOrd, Ord)]
    pub enum Severity: UnknownSeverity, "severity" {
        /// Cosmetic, or about something that stands beside policies.
        Low = "low",
        /// It changes what devices or people get.
        Medium = "medium",
        /// It changes what protects devices.
        High = "high",
        /// It changes who gets in, or who administers.
        Critical = "critical",
    }
}

impl Severity {
    /// The word for people.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Low => "Low",
            Self::Medium => "Medium",
            Self::High => "High",
            Self::Critical => "Critical",
        }
    }
}

/// Types about who gets in or who administers.
const CRITICAL: &[&str] = &[
    "conditionalAccessPolicy",
    "authenticationMethodsPolicy",
    "authenticationStrength",
    "authorizationPolicy",
    "crossTenantAccessPolicy",
    "crossTenantAccessDefault",
    "securityDefaults",
    "intuneRoleDefinition",
    "intuneRoleAssignment",
    "operationApprovalPolicy",
];

/// What a change of a type counts as where the tenant says nothing else.
#[must_use]
pub fn default_severity(policy_type: &PolicyType) -> Severity {
    if CRITICAL.contains(&policy_type.key) {
        return Severity::Critical;
    }
    match policy_type.category {
        Category::EndpointSecurity | Category::Compliance => Severity::High,
        Category::Entra | Category::Scripts => Severity::High,
        Category::Configuration | Category::Updates | Category::Enrolment | Category::Apps | Category::CloudPc => {
            Severity::Medium
        }
        Category::Administration => Severity::Low,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::registry;

    #[test]
    fn every_type_named_here_exists_and_what_opens_doors_is_critical() {
        for key in CRITICAL {
            let policy_type = registry().get(key).unwrap_or_else(|| panic!("{key} is no type"));
            assert_eq!(default_severity(policy_type), Severity::Critical);
        }
        let of = |key: &str| default_severity(registry().get(key).unwrap());
        assert_eq!(of("endpointSecurityPolicy"), Severity::High);
        assert_eq!(of("settingsCatalogPolicy"), Severity::Medium);
        assert!(Severity::High > Severity::Medium && Severity::Critical > Severity::High);
    }
}
