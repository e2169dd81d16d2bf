//! Apps, their configuration and protection (`docs/graph.md`, section Apps).

use super::category::Category;
use super::detail::Detail;
use super::listing::Split;
use super::meta_field::MetaField;
use super::permission::{APPS, CONFIGURATION, SERVICE_CONFIG};
use super::platform::{Platform, PlatformRule};
use super::policy_type::{ApiVersion, Assignments, PolicyType};
use super::reference_rule::{ReferenceRule, ReferenceTarget};
use crate::references::Relationship;

const fn row(key: &'static str, label: &'static str, path: &'static str) -> PolicyType {
    PolicyType::collection(Category::Apps, key, label, path, APPS)
}

const fn protection(key: &'static str, label: &'static str, path: &'static str, platform: Platform) -> PolicyType {
    PolicyType {
        platform: PlatformRule::Fixed(platform),
        query: "$expand=apps,assignments",
        assignments: Assignments::Expand,
        meta: PROTECTION_META,
        volatile: PROTECTION_NOISE,
        ..row(key, label, path)
    }
}

const PROTECTION_META: &[MetaField] =
    &[MetaField::text("appGroupType"), MetaField::boolean("pinRequired"), MetaField::count("apps")];

const PROTECTION_NOISE: &[&str] = &["deployedAppCount", "isAssigned"];

const TARGETED_APPS: &[ReferenceRule] =
    &[ReferenceRule::uses("targetedMobileApps", ReferenceTarget::Type("mobileApp"))];

const INFORMATION_PROTECTION_META: &[MetaField] =
    &[MetaField::text("enforcementLevel"), MetaField::text("enterpriseDomain")];

const fn information_protection(key: &'static str, label: &'static str, path: &'static str) -> PolicyType {
    PolicyType {
        platform: PlatformRule::Fixed(Platform::Windows),
        query: "$expand=protectedAppLockerFiles,exemptAppLockerFiles",
        assignments: Assignments::Child,
        meta: INFORMATION_PROTECTION_META,
        volatile: PROTECTION_NOISE,
        ..row(key, label, path)
    }
}

pub(super) static TYPES: &[PolicyType] = &[
    PolicyType {
        platform: PlatformRule::OdataType,
        query: "$expand=assignments",
        assignments: Assignments::Expand,
        details: &[
            // The list does not return the scope tags and categories of apps.
            Detail::merge("$select=id,roleScopeTagIds&$expand=categories"),
            Detail {
                when_positive: &["dependentAppCount", "supersedingAppCount", "supersededAppCount"],
                ..Detail::collection("relationships", "relationships", "")
            },
        ],
        meta: &[
            MetaField::text("publisher"),
            MetaField::text("publishingState"),
            MetaField::text("displayVersion"),
            MetaField::text("bundleId"),
            MetaField::text("packageId"),
            MetaField::text("packageIdentifier"),
            MetaField::text("fileName"),
            MetaField::integer("size"),
            MetaField::text("appAvailability"),
            MetaField::integer("totalLicenseCount"),
            MetaField::integer("usedLicenseCount"),
            MetaField::text("vppTokenId"),
        ],
        volatile: &[
            "uploadState",
            "publishingState",
            "dependentAppCount",
            "supersedingAppCount",
            "supersededAppCount",
            "committedContentVersion",
            "isFeatured",
            "size",
            "largeIcon",
            "usedLicenseCount",
        ],
        references: &[
            ReferenceRule::of(Relationship::DependsOn, "relationships", ReferenceTarget::AppRelationships),
            ReferenceRule::uses("vppTokenId", ReferenceTarget::Type("vppToken")),
            ReferenceRule::uses("categories.id", ReferenceTarget::Type("mobileAppCategory")),
        ],
        ..row("mobileApp", "Apps", "deviceAppManagement/mobileApps")
    },
    PolicyType {
        api_version: ApiVersion::V1,
        foundation: true,
        ..row("mobileAppCategory", "App categories", "deviceAppManagement/mobileAppCategories")
    },
    PolicyType {
        platform: PlatformRule::OdataType,
        query: "$expand=assignments",
        split: Split::Remainder,
        assignments: Assignments::Expand,
        meta: &[MetaField::text("packageId"), MetaField::text("profileApplicability")],
        references: TARGETED_APPS,
        ..row(
            "managedDeviceAppConfiguration",
            "App configuration (devices)",
            "deviceAppManagement/mobileAppConfigurations",
        )
    },
    PolicyType {
        query: "$expand=apps",
        assignments: Assignments::Child,
        meta: &[MetaField::text("appGroupType"), MetaField::count("apps")],
        volatile: PROTECTION_NOISE,
        ..row("mamAppConfiguration", "App configuration (apps)", "deviceAppManagement/targetedManagedAppConfigurations")
    },
    protection(
        "appProtectionIos",
        "App protection (iOS/iPadOS)",
        "deviceAppManagement/iosManagedAppProtections",
        Platform::Ios,
    ),
    protection(
        "appProtectionAndroid",
        "App protection (Android)",
        "deviceAppManagement/androidManagedAppProtections",
        Platform::Android,
    ),
    PolicyType {
        query: "$expand=assignments",
        ..protection(
            "appProtectionWindows",
            "App protection (Windows)",
            "deviceAppManagement/windowsManagedAppProtections",
            Platform::Windows,
        )
    },
    information_protection(
        "wipPolicyMdm",
        "Windows Information Protection, enrolled (legacy)",
        "deviceAppManagement/mdmWindowsInformationProtectionPolicies",
    ),
    information_protection(
        "wipPolicy",
        "Windows Information Protection, not enrolled (legacy)",
        "deviceAppManagement/windowsInformationProtectionPolicies",
    ),
    PolicyType {
        default_on: false,
        meta: PROTECTION_META,
        volatile: PROTECTION_NOISE,
        ..row("appProtectionDefault", "Default app protection", "deviceAppManagement/defaultManagedAppProtections")
    },
    PolicyType {
        permission: CONFIGURATION,
        // The list refuses $expand; the single read brings items and assignments.
        assignments: Assignments::Inline,
        details: &[Detail::merge("$expand=items,assignments")],
        meta: &[MetaField::text("status"), MetaField::count("items")],
        volatile: &["status", "errorCode"],
        references: &[
            ReferenceRule::of(Relationship::ScopedBy, "roleScopeTags", ReferenceTarget::Type("roleScopeTag")),
            ReferenceRule::uses("items", ReferenceTarget::PolicySetItems),
        ],
        ..row("policySet", "Policy sets", "deviceAppManagement/policySets")
    },
    PolicyType {
        platform: PlatformRule::Fixed(Platform::Ios),
        permission: SERVICE_CONFIG,
        foundation: true,
        meta: &[
            MetaField::time("expirationDateTime"),
            MetaField::text("vppTokenAccountType"),
            MetaField::text("state"),
            MetaField::text("lastSyncStatus"),
            MetaField::text("countryOrRegion"),
            MetaField::boolean("automaticallyUpdateApps"),
        ],
        volatile: &[
            "state",
            "tokenActionResults",
            "usedLicenseCount",
            "totalLicenseCount",
            "lastSync*",
            "expirationDateTime",
        ],
        ..row("vppToken", "Apple VPP tokens", "deviceAppManagement/vppTokens")
    },
    PolicyType {
        platform: PlatformRule::OdataType,
        default_on: false,
        assignments: Assignments::Child,
        meta: &[MetaField::text("publisher"), MetaField::time("publishedDateTime")],
        volatile: &["largeCover", "usedLicenseCount"],
        ..row("managedEBook", "E-books", "deviceAppManagement/managedEBooks")
    },
    PolicyType {
        platform: PlatformRule::Fixed(Platform::Ios),
        permission: CONFIGURATION,
        alternative_permissions: &[APPS],
        default_on: false,
        assignments: Assignments::Child,
        meta: &[MetaField::text("payloadFileName"), MetaField::time("expirationDateTime")],
        ..row(
            "iosLobProvisioningProfile",
            "iOS app provisioning profiles",
            "deviceAppManagement/iosLobAppProvisioningConfigurations",
        )
    },
    PolicyType {
        platform: PlatformRule::Fixed(Platform::Windows),
        default_on: false,
        assignments: Assignments::Child,
        meta: &[MetaField::text("contentFileName")],
        ..row(
            "wdacSupplementalPolicy",
            "S mode supplemental policies (WDAC)",
            "deviceAppManagement/wdacSupplementalPolicies",
        )
    },
];
