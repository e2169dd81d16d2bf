//! Microsoft Entra (`docs/graph.md`, section Microsoft Entra).

use super::category::Category;
use super::meta_field::MetaField;
use super::permission::{
    AGREEMENT, DIRECTORY, ORGANIZATION, POLICY, POLICY_CONDITIONAL_ACCESS, POLICY_DEVICE, SHAREPOINT,
};
use super::policy_type::{ApiVersion, Assignments, Feature, PolicyType, Source};
use super::reference_rule::{ReferenceRule, ReferenceTarget};
use crate::references::Relationship;

const fn row(key: &'static str, label: &'static str, path: &'static str) -> PolicyType {
    PolicyType { api_version: ApiVersion::V1, ..PolicyType::collection(Category::Entra, key, label, path, POLICY) }
}

const fn singleton(key: &'static str, label: &'static str, path: &'static str) -> PolicyType {
    PolicyType { api_version: ApiVersion::V1, ..PolicyType::singleton(Category::Entra, key, label, path, POLICY) }
}

/// What the conditions and controls of Conditional Access point to. They are
/// its assignments too.
const CONDITIONS: &[ReferenceRule] = &[
    ReferenceRule::of(Relationship::AssignedTo, "conditions.users.includeGroups", ReferenceTarget::Group),
    ReferenceRule::of(Relationship::ExcludedFrom, "conditions.users.excludeGroups", ReferenceTarget::Group),
    ReferenceRule::of(Relationship::AssignedTo, "conditions.users.includeUsers", ReferenceTarget::User),
    ReferenceRule::of(Relationship::ExcludedFrom, "conditions.users.excludeUsers", ReferenceTarget::User),
    ReferenceRule::of(
        Relationship::AssignedTo,
        "conditions.users.includeGuestsOrExternalUsers",
        ReferenceTarget::Guests,
    ),
    ReferenceRule::of(
        Relationship::ExcludedFrom,
        "conditions.users.excludeGuestsOrExternalUsers",
        ReferenceTarget::Guests,
    ),
    ReferenceRule::of(
        Relationship::AssignedTo,
        "conditions.clientApplications.includeServicePrincipals",
        ReferenceTarget::ServicePrincipal,
    ),
    ReferenceRule::of(
        Relationship::ExcludedFrom,
        "conditions.clientApplications.excludeServicePrincipals",
        ReferenceTarget::ServicePrincipal,
    ),
    ReferenceRule::of(Relationship::AssignedTo, "conditions.users.includeRoles", ReferenceTarget::DirectoryRole),
    ReferenceRule::of(Relationship::ExcludedFrom, "conditions.users.excludeRoles", ReferenceTarget::DirectoryRole),
    ReferenceRule::uses("grantControls.authenticationStrength.id", ReferenceTarget::Type("authenticationStrength")),
    ReferenceRule::uses("grantControls.termsOfUse", ReferenceTarget::Type("termsOfUse")),
    ReferenceRule::uses("conditions.locations.includeLocations", ReferenceTarget::Type("namedLocation")),
    ReferenceRule::uses("conditions.locations.excludeLocations", ReferenceTarget::Type("namedLocation")),
    ReferenceRule::uses(
        "conditions.applications.includeAuthenticationContextClassReferences",
        ReferenceTarget::Type("authenticationContext"),
    ),
    ReferenceRule::of(
        Relationship::AssignedTo,
        "conditions.applications.includeApplications",
        ReferenceTarget::Application,
    ),
    ReferenceRule::of(
        Relationship::ExcludedFrom,
        "conditions.applications.excludeApplications",
        ReferenceTarget::Application,
    ),
];

pub(super) static TYPES: &[PolicyType] = &[
    PolicyType {
        alternative_permissions: &[POLICY_CONDITIONAL_ACCESS],
        assignments: Assignments::Inline,
        meta: &[MetaField::text("state")],
        volatile: &["templateId"],
        references: CONDITIONS,
        ..row("conditionalAccessPolicy", "Conditional Access", "identity/conditionalAccess/policies")
    },
    PolicyType {
        alternative_permissions: &[POLICY_CONDITIONAL_ACCESS],
        foundation: true,
        meta: &[
            MetaField::boolean("isTrusted"),
            MetaField::count("ipRanges"),
            MetaField::count("countriesAndRegions"),
            MetaField::boolean("includeUnknownCountriesAndRegions"),
        ],
        ..row("namedLocation", "Named locations", "identity/conditionalAccess/namedLocations")
    },
    PolicyType {
        foundation: true,
        meta: &[
            MetaField::text("policyType"),
            MetaField::text("requirementsSatisfied"),
            MetaField::texts("allowedCombinations"),
        ],
        ..row("authenticationStrength", "Authentication strengths", "policies/authenticationStrengthPolicies")
    },
    PolicyType {
        foundation: true,
        alternative_permissions: &[POLICY_CONDITIONAL_ACCESS],
        meta: &[MetaField::boolean("isAvailable")],
        ..row(
            "authenticationContext",
            "Authentication contexts",
            "identity/conditionalAccess/authenticationContextClassReferences",
        )
    },
    PolicyType {
        query: "$expand=files",
        permission: AGREEMENT,
        foundation: true,
        meta: &[
            MetaField::boolean("isPerDeviceAcceptanceRequired"),
            MetaField::boolean("isViewingBeforeAcceptanceRequired"),
            MetaField::text("userReacceptRequiredFrequency"),
        ],
        ..row("termsOfUse", "Terms of use", "identityGovernance/termsOfUse/agreements")
    },
    PolicyType {
        meta: &[MetaField::text("policyVersion"), MetaField::count("authenticationMethodConfigurations")],
        volatile: &["policyMigrationState", "numberMatchingRequiredState"],
        references: &[
            ReferenceRule::of(
                Relationship::AssignedTo,
                "authenticationMethodConfigurations.includeTargets.id",
                ReferenceTarget::Group,
            ),
            ReferenceRule::of(
                Relationship::ExcludedFrom,
                "authenticationMethodConfigurations.excludeTargets.id",
                ReferenceTarget::Group,
            ),
        ],
        ..singleton("authenticationMethodsPolicy", "Authentication methods", "policies/authenticationMethodsPolicy")
    },
    PolicyType {
        meta: &[MetaField::text("allowInvitesFrom"), MetaField::text("guestUserRoleId")],
        ..singleton("authorizationPolicy", "Authorization policy", "policies/authorizationPolicy")
    },
    singleton("crossTenantAccessPolicy", "Cross-tenant access", "policies/crossTenantAccessPolicy"),
    PolicyType {
        meta: &[MetaField::boolean("isServiceDefault")],
        ..singleton(
            "crossTenantAccessDefault",
            "Cross-tenant access: default",
            "policies/crossTenantAccessPolicy/default",
        )
    },
    PolicyType {
        name_property: "tenantId",
        id_property: "tenantId",
        meta: &[MetaField::boolean("isServiceProvider"), MetaField::boolean("isInMultiTenantOrganization")],
        ..row("crossTenantAccessPartner", "Cross-tenant access: partners", "policies/crossTenantAccessPolicy/partners")
    },
    PolicyType {
        permission: POLICY_DEVICE,
        meta: &[MetaField::integer("userDeviceQuota"), MetaField::text("multiFactorAuthConfiguration")],
        ..singleton("deviceRegistrationPolicy", "Device registration", "policies/deviceRegistrationPolicy")
    },
    PolicyType {
        meta: &[MetaField::boolean("isEnabled")],
        volatile: &["securityDefaultsUpsell"],
        ..singleton("securityDefaults", "Security defaults", "policies/identitySecurityDefaultsEnforcementPolicy")
    },
    PolicyType {
        meta: &[MetaField::boolean("isEnabled"), MetaField::integer("requestDurationInDays")],
        ..singleton("adminConsentRequestPolicy", "Admin consent requests", "policies/adminConsentRequestPolicy")
    },
    PolicyType {
        api_version: ApiVersion::V1,
        alternative_permissions: &[DIRECTORY],
        absent_is_empty: true,
        name_property: "id",
        ..PolicyType::children(
            Category::Entra,
            "organizationBranding",
            "Sign-in branding",
            Source::ChildrenOf {
                parent_path: "organization",
                parent_query: "$select=id",
                child_path: "branding/localizations",
            },
            ORGANIZATION,
        )
    },
    PolicyType {
        permission: SHAREPOINT,
        default_on: false,
        licensed_feature: Some(Feature::SharePoint),
        meta: &[MetaField::text("sharingCapability")],
        ..singleton("sharePointSettings", "SharePoint tenant settings", "admin/sharepoint/settings")
    },
];
