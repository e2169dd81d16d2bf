//! Tenant administration and foundations (`docs/graph.md`, section Tenant administration).

use super::category::Category;
use super::detail::Detail;
use super::meta_field::MetaField;
use super::permission::{APPS, CONFIGURATION, MANAGED_DEVICES, RBAC, SERVICE_CONFIG};
use super::platform::{Platform, PlatformRule};
use super::policy_type::{ApiVersion, Assignments, Feature, PolicyType};
use super::reference_rule::{ReferenceRule, ReferenceTarget};
use crate::references::Relationship;

const fn row(key: &'static str, label: &'static str, path: &'static str, permission: &'static str) -> PolicyType {
    PolicyType::collection(Category::Administration, key, label, path, permission)
}

const fn partner(key: &'static str, label: &'static str, path: &'static str) -> PolicyType {
    PolicyType { api_version: ApiVersion::V1, foundation: true, ..row(key, label, path, SERVICE_CONFIG) }
}

pub(super) static TYPES: &[PolicyType] = &[
    PolicyType {
        platform: PlatformRule::Property("platform"),
        foundation: true,
        meta: &[
            MetaField::text("platform"),
            MetaField::text("rule"),
            MetaField::text("assignmentFilterManagementType"),
        ],
        volatile: &["payloads", "platform"],
        ..row("assignmentFilter", "Assignment filters", "deviceManagement/assignmentFilters", CONFIGURATION)
    },
    PolicyType {
        alternative_permissions: &[CONFIGURATION],
        foundation: true,
        assignments: Assignments::Child,
        meta: &[MetaField::boolean("isBuiltIn")],
        ..row("roleScopeTag", "Scope tags", "deviceManagement/roleScopeTags", RBAC)
    },
    PolicyType {
        foundation: true,
        meta: &[MetaField::boolean("isBuiltIn")],
        // Microsoft changes what its own roles may do; nobody in the tenant did.
        built_in_volatile: &["permissions", "rolePermissions"],
        ..row("intuneRoleDefinition", "Intune roles", "deviceManagement/roleDefinitions", RBAC)
    },
    PolicyType {
        foundation: true,
        details: &[Detail::merge("$expand=roleDefinition"), Detail::collection("roleScopeTags", "roleScopeTags", "")],
        meta: &[MetaField::text("scopeType"), MetaField::count("members"), MetaField::count("resourceScopes")],
        references: &[
            ReferenceRule::uses("roleDefinition.id", ReferenceTarget::Type("intuneRoleDefinition")),
            ReferenceRule::of(Relationship::AssignedTo, "members", ReferenceTarget::Group),
            ReferenceRule::of(Relationship::ScopedBy, "resourceScopes", ReferenceTarget::Group),
            ReferenceRule::of(Relationship::ScopedBy, "roleScopeTags.id", ReferenceTarget::Type("roleScopeTag")),
        ],
        ..row("intuneRoleAssignment", "Intune role assignments", "deviceManagement/roleAssignments", RBAC)
    },
    PolicyType {
        name_property: "profileName",
        assignments: Assignments::Child,
        meta: &[MetaField::boolean("isDefaultProfile")],
        volatile: &["isDefaultProfile", "disableClientTelemetry"],
        ..row("intuneBrandingProfile", "Company Portal branding", "deviceManagement/intuneBrandingProfiles", APPS)
    },
    PolicyType {
        alternative_permissions: &[RBAC],
        meta: &[MetaField::text("policyType"), MetaField::text("policyPlatform")],
        references: &[ReferenceRule::uses("approverGroupIds", ReferenceTarget::Group)],
        ..row(
            "operationApprovalPolicy",
            "Multi-admin approval policies",
            "deviceManagement/operationApprovalPolicies",
            CONFIGURATION,
        )
    },
    PolicyType {
        platform: PlatformRule::Property("deviceCleanupRulePlatformType"),
        alternative_permissions: &[MANAGED_DEVICES],
        meta: &[
            MetaField::text("deviceCleanupRulePlatformType"),
            MetaField::integer("deviceInactivityBeforeRetirementInDays"),
        ],
        ..row("deviceCleanupRule", "Device cleanup rules", "deviceManagement/managedDeviceCleanupRules", CONFIGURATION)
    },
    PolicyType {
        meta: &[
            MetaField::text("partnerState"),
            MetaField::time("lastHeartbeatDateTime"),
            MetaField::boolean("androidEnabled"),
            MetaField::boolean("iosEnabled"),
            MetaField::boolean("windowsEnabled"),
            MetaField::boolean("macEnabled"),
        ],
        volatile: &["lastHeartbeatDateTime"],
        ..partner(
            "mobileThreatDefenseConnector",
            "Mobile Threat Defense connectors",
            "deviceManagement/mobileThreatDefenseConnectors",
        )
    },
    PolicyType {
        assignments: Assignments::Inline,
        meta: &[MetaField::text("partnerState"), MetaField::time("lastHeartbeatDateTime")],
        volatile: &["lastHeartbeatDateTime"],
        references: &[
            ReferenceRule::of(Relationship::AssignedTo, "iosEnrollmentAssignments", ReferenceTarget::AssignmentTargets),
            ReferenceRule::of(
                Relationship::AssignedTo,
                "androidEnrollmentAssignments",
                ReferenceTarget::AssignmentTargets,
            ),
            ReferenceRule::of(
                Relationship::AssignedTo,
                "macOsEnrollmentAssignments",
                ReferenceTarget::AssignmentTargets,
            ),
        ],
        ..partner("complianceManagementPartner", "Compliance partners", "deviceManagement/complianceManagementPartners")
    },
    PolicyType {
        meta: &[
            MetaField::text("partnerState"),
            MetaField::text("partnerAppType"),
            MetaField::boolean("isConfigured"),
            MetaField::time("lastHeartbeatDateTime"),
        ],
        volatile: &["lastHeartbeatDateTime"],
        references: &[ReferenceRule::of(
            Relationship::AssignedTo,
            "groupsRequiringPartnerEnrollment",
            ReferenceTarget::AssignmentTargets,
        )],
        ..partner("deviceManagementPartner", "Device management partners", "deviceManagement/deviceManagementPartners")
    },
    PolicyType {
        meta: &[MetaField::text("onboardingStatus"), MetaField::time("lastConnectionDateTime")],
        volatile: &["lastConnectionDateTime"],
        ..partner("remoteAssistancePartner", "Remote assistance partners", "deviceManagement/remoteAssistancePartners")
    },
    PolicyType {
        platform: PlatformRule::Fixed(Platform::Windows),
        foundation: true,
        meta: &[
            MetaField::text("state"),
            MetaField::time("lastConnectionDateTime"),
            MetaField::text("connectorVersion"),
        ],
        volatile: &["lastConnectionDateTime", "state", "connectorVersion"],
        ..row("ndesConnector", "Certificate connectors", "deviceManagement/ndesConnectors", CONFIGURATION)
    },
    PolicyType {
        platform: PlatformRule::Fixed(Platform::Windows),
        foundation: true,
        default_on: false,
        meta: &[MetaField::text("state"), MetaField::time("lastConnectionDateTime")],
        volatile: &["lastConnectionDateTime", "state"],
        ..row("domainJoinConnector", "Hybrid join connectors", "deviceManagement/domainJoinConnectors", CONFIGURATION)
    },
    PolicyType {
        default_on: false,
        meta: &[MetaField::text("issuer"), MetaField::text("notificationType")],
        ..row("derivedCredential", "Derived credentials", "deviceManagement/derivedCredentials", CONFIGURATION)
    },
    PolicyType {
        default_on: false,
        licensed_feature: Some(Feature::CloudPki),
        meta: &[
            MetaField::text("certificationAuthorityStatus"),
            MetaField::text("cloudCertificationAuthorityType"),
            MetaField::time("validityEndDateTime"),
        ],
        volatile: &["eTag", "certificationAuthorityStatus"],
        ..row(
            "cloudCertificationAuthority",
            "Cloud PKI authorities",
            "deviceManagement/cloudCertificationAuthority",
            CONFIGURATION,
        )
    },
    PolicyType {
        meta: &[
            MetaField::boolean("secureByDefault"),
            MetaField::integer("deviceComplianceCheckinThresholdDays"),
            MetaField::boolean("isScheduledActionEnabled"),
        ],
        ..PolicyType::singleton(
            Category::Administration,
            "deviceManagementSettings",
            "Tenant compliance settings",
            "deviceManagement/settings",
            CONFIGURATION,
        )
    },
];
