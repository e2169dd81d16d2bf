//! Device configuration (`docs/graph.md`, section Configuration).

use super::category::Category;
use super::detail::Detail;
use super::endpoint_security::SETTINGS_CATALOGUE;
use super::listing::Split;
use super::meta_field::MetaField;
use super::permission::{APPS, CONFIGURATION};
use super::platform::{Platform, PlatformRule};
use super::policy_type::{Assignments, PolicyType};
use super::reference_rule::{ReferenceRule, ReferenceTarget};

const fn row(key: &'static str, label: &'static str, path: &'static str) -> PolicyType {
    PolicyType::collection(Category::Configuration, key, label, path, CONFIGURATION)
}

/// Certificate profiles that a Wi-Fi, VPN or certificate profile names, where
/// Graph gives the object and not only a link to it.
pub(super) const CERTIFICATE_PROFILES: &[ReferenceRule] = &[
    ReferenceRule::uses("rootCertificate.id", ReferenceTarget::Type("deviceConfiguration")),
    ReferenceRule::uses("rootCertificateForServerValidation.id", ReferenceTarget::Type("deviceConfiguration")),
    ReferenceRule::uses("rootCertificatesForServerValidation.id", ReferenceTarget::Type("deviceConfiguration")),
    ReferenceRule::uses("rootCertificateForClientValidation.id", ReferenceTarget::Type("deviceConfiguration")),
    ReferenceRule::uses("identityCertificate.id", ReferenceTarget::Type("deviceConfiguration")),
    ReferenceRule::uses("identityCertificateForClientAuthentication.id", ReferenceTarget::Type("deviceConfiguration")),
];

/// Each value of an administrative template is below its definition; the two
/// reads together are the most throttled of all, so they are made only for
/// policies that changed.
static PRESENTATION_VALUES: Detail =
    Detail::collection("presentationValues", "presentationValues", "$expand=presentation");

pub(super) static TYPES: &[PolicyType] = &[
    PolicyType {
        category: Category::Configuration,
        key: "settingsCatalogPolicy",
        label: "Settings catalog",
        split: Split::Remainder,
        ..SETTINGS_CATALOGUE
    },
    PolicyType {
        platform: PlatformRule::OdataType,
        query: "$expand=assignments",
        split: Split::Remainder,
        assignments: Assignments::Expand,
        references: CERTIFICATE_PROFILES,
        ..row("deviceConfiguration", "Device configuration", "deviceManagement/deviceConfigurations")
    },
    PolicyType {
        platform: PlatformRule::Fixed(Platform::Windows),
        query: "$expand=assignments",
        assignments: Assignments::Expand,
        details: &[Detail {
            each: Some(&PRESENTATION_VALUES),
            ..Detail::collection("definitionValues", "definitionValues", "$expand=definition")
        }],
        meta: &[MetaField::text("policyConfigurationIngestionType"), MetaField::count("definitionValues")],
        volatile: &["languageCodes", "targetPrefix", "targetNamespace", "policyType", "revision", "uploadDateTime"],
        references: &[ReferenceRule::uses(
            "definitionValues.definition.definitionFile.id",
            ReferenceTarget::Type("groupPolicyUploadedDefinitionFile"),
        )],
        ..row("groupPolicyConfiguration", "Administrative templates", "deviceManagement/groupPolicyConfigurations")
    },
    PolicyType {
        platform: PlatformRule::Fixed(Platform::Windows),
        name_property: "fileName",
        foundation: true,
        meta: &[MetaField::text("status"), MetaField::text("defaultLanguageCode"), MetaField::time("uploadDateTime")],
        volatile: &[
            "languageCodes",
            "targetPrefix",
            "targetNamespace",
            "policyType",
            "revision",
            "status",
            "uploadDateTime",
        ],
        ..row(
            "groupPolicyUploadedDefinitionFile",
            "Imported ADMX files",
            "deviceManagement/groupPolicyUploadedDefinitionFiles",
        )
    },
    PolicyType {
        platform: PlatformRule::Fixed(Platform::Windows),
        assignments: Assignments::Child,
        meta: &[
            MetaField::text("fileName"),
            MetaField::text("hardwareConfigurationFormat"),
            MetaField::boolean("perDevicePasswordDisabled"),
        ],
        ..row("hardwareConfiguration", "BIOS configurations", "deviceManagement/hardwareConfigurations")
    },
    PolicyType {
        platform: PlatformRule::Fixed(Platform::Android),
        query: "$expand=assignments",
        permission: APPS,
        split: Split::Flag("appSupportsOemConfig"),
        assignments: Assignments::Expand,
        meta: &[MetaField::text("packageId"), MetaField::text("profileApplicability")],
        references: &[ReferenceRule::uses("targetedMobileApps", ReferenceTarget::Type("mobileApp"))],
        ..row("oemConfigPolicy", "Android OEMConfig", "deviceAppManagement/mobileAppConfigurations")
    },
    PolicyType {
        platform: PlatformRule::Property("platforms"),
        name_property: "name",
        default_on: false,
        meta: &[MetaField::text("platforms"), MetaField::text("technologies")],
        ..row("deviceInventoryPolicy", "Device inventory", "deviceManagement/inventoryPolicies")
    },
    PolicyType {
        platform: PlatformRule::OdataType,
        default_on: false,
        assignments: Assignments::Child,
        ..row("resourceAccessProfile", "Resource access profiles (legacy)", "deviceManagement/resourceAccessProfiles")
    },
    PolicyType {
        default_on: false,
        ..row(
            "windowsMicrosoftTunnelConfiguration",
            "Tunnel configurations",
            "deviceManagement/microsoftTunnelConfigurations",
        )
    },
    PolicyType {
        default_on: false,
        references: &[ReferenceRule::uses(
            "microsoftTunnelConfiguration.id",
            ReferenceTarget::Type("windowsMicrosoftTunnelConfiguration"),
        )],
        ..row("windowsMicrosoftTunnelSite", "Tunnel sites", "deviceManagement/microsoftTunnelSites")
    },
    PolicyType {
        platform: PlatformRule::Fixed(Platform::Android),
        default_on: false,
        references: &[ReferenceRule::of(
            crate::references::Relationship::AssignedTo,
            "deploymentAssignments",
            ReferenceTarget::AssignmentTargets,
        )],
        volatile: &["deploymentStatus", "state"],
        ..row("zebraFotaDeployment", "Zebra LifeGuard deployments", "deviceManagement/zebraFotaDeployments")
    },
];
