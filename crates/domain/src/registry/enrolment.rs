//! Enrolment of devices (`docs/graph.md`, section Enrolment).

use super::category::Category;
use super::listing::Split;
use super::meta_field::MetaField;
use super::permission::{CONFIGURATION, MANAGED_DEVICES, SERVICE_CONFIG};
use super::platform::{Platform, PlatformRule};
use super::policy_type::{Assignments, PARENT_ID_PROPERTY, PolicyType, Source};
use super::reference_rule::{ReferenceRule, ReferenceTarget};

const fn row(key: &'static str, label: &'static str, path: &'static str) -> PolicyType {
    PolicyType::collection(Category::Enrolment, key, label, path, SERVICE_CONFIG)
}

const KIND_META: &[MetaField] = &[MetaField::integer("priority"), MetaField::text("deviceEnrollmentConfigurationType")];

/// The server cannot filter this collection by kind, so it is listed once and
/// split here. All of it is on by default: leaving a kind out would lose objects
/// and save nothing.
const fn kind(key: &'static str, label: &'static str, split: Split) -> PolicyType {
    PolicyType {
        query: "$expand=assignments",
        split,
        assignments: Assignments::Expand,
        meta: KIND_META,
        volatile: &["priority", "deviceEnrollmentConfigurationType", "platformType"],
        ..row(key, label, "deviceManagement/deviceEnrollmentConfigurations")
    }
}

pub(super) static TYPES: &[PolicyType] = &[
    PolicyType {
        platform: PlatformRule::Fixed(Platform::Windows),
        references: &[ReferenceRule::uses("selectedMobileAppIds", ReferenceTarget::Type("mobileApp"))],
        ..kind(
            "enrollmentStatusPage",
            "Enrollment status pages",
            Split::OdataType(&["windows10EnrollmentCompletionPageConfiguration"]),
        )
    },
    PolicyType {
        meta: &[MetaField::integer("priority"), MetaField::integer("limit")],
        ..kind(
            "enrollmentLimit",
            "Device limit restrictions",
            Split::OdataType(&["deviceEnrollmentLimitConfiguration"]),
        )
    },
    PolicyType {
        meta: &[MetaField::integer("priority"), MetaField::text("platformType")],
        ..kind(
            "enrollmentPlatformRestriction",
            "Platform restrictions",
            Split::OdataType(&[
                "deviceEnrollmentPlatformRestrictionsConfiguration",
                "deviceEnrollmentPlatformRestrictionConfiguration",
            ]),
        )
    },
    PolicyType {
        meta: &[MetaField::integer("priority"), MetaField::text("platformType"), MetaField::text("templateType")],
        references: &[ReferenceRule::uses(
            "notificationTemplates",
            ReferenceTarget::PrefixedType("notificationMessageTemplate"),
        )],
        ..kind(
            "enrollmentNotification",
            "Enrollment notifications",
            Split::OdataType(&["deviceEnrollmentNotificationConfiguration"]),
        )
    },
    PolicyType {
        platform: PlatformRule::Fixed(Platform::Windows),
        meta: &[MetaField::integer("priority"), MetaField::text("state")],
        ..kind(
            "windowsHelloForBusiness",
            "Windows Hello for Business (tenant)",
            Split::OdataType(&["deviceEnrollmentWindowsHelloForBusinessConfiguration"]),
        )
    },
    PolicyType {
        platform: PlatformRule::Fixed(Platform::Windows),
        ..kind(
            "comanagementSettings",
            "Co-management settings",
            Split::OdataType(&["deviceComanagementAuthorityConfiguration"]),
        )
    },
    PolicyType {
        platform: PlatformRule::Fixed(Platform::Windows),
        meta: &[MetaField::integer("priority"), MetaField::text("state")],
        ..kind("windowsRestore", "Windows Restore", Split::OdataType(&["windowsRestoreDeviceEnrollmentConfiguration"]))
    },
    kind("enrollmentConfiguration", "Other enrollment configurations", Split::Remainder),
    PolicyType {
        platform: PlatformRule::Fixed(Platform::Windows),
        assignments: Assignments::Child,
        meta: &[MetaField::text("deviceType"), MetaField::text("locale"), MetaField::boolean("preprovisioningAllowed")],
        volatile: &["managementServiceAppId"],
        ..row(
            "autopilotProfile",
            "Autopilot deployment profiles",
            "deviceManagement/windowsAutopilotDeploymentProfiles",
        )
    },
    PolicyType {
        platform: PlatformRule::Property("platform"),
        assignments: Assignments::Child,
        meta: &[MetaField::integer("priority"), MetaField::text("platform"), MetaField::text("defaultEnrollmentType")],
        volatile: &["priority"],
        ..row(
            "appleUserEnrollmentProfile",
            "Apple enrollment type profiles",
            "deviceManagement/appleUserInitiatedEnrollmentProfiles",
        )
    },
    PolicyType {
        platform: PlatformRule::Fixed(Platform::Ios),
        page_size: Some(100),
        name_property: "tokenName",
        foundation: true,
        meta: &[
            MetaField::time("tokenExpirationDateTime"),
            MetaField::time("lastSuccessfulSyncDateTime"),
            MetaField::integer("lastSyncErrorCode"),
            MetaField::integer("syncedDeviceCount"),
            MetaField::text("tokenType"),
        ],
        volatile: &[
            "tokenExpirationDateTime",
            "tokenType",
            "lastSyncTriggeredDateTime",
            "lastSyncErrorCode",
            "syncedDeviceCount",
            "isDefault",
        ],
        ..row("appleEnrollmentToken", "Apple enrollment tokens (ADE)", "deviceManagement/depOnboardingSettings")
    },
    PolicyType {
        platform: PlatformRule::OdataType,
        meta: &[MetaField::boolean("isDefault"), MetaField::boolean("requiresUserAuthentication")],
        volatile: &["isDefault"],
        references: &[ReferenceRule::of(
            crate::references::Relationship::DependsOn,
            PARENT_ID_PROPERTY,
            ReferenceTarget::Type("appleEnrollmentToken"),
        )],
        ..PolicyType::children(
            Category::Enrolment,
            "appleEnrollmentProfile",
            "Apple enrollment profiles (ADE)",
            Source::ChildrenOf {
                parent_path: "deviceManagement/depOnboardingSettings",
                parent_query: "$top=100",
                child_path: "enrollmentProfiles",
            },
            SERVICE_CONFIG,
        )
    },
    PolicyType {
        platform: PlatformRule::Fixed(Platform::Android),
        permission: CONFIGURATION,
        meta: &[
            MetaField::text("enrollmentMode"),
            MetaField::text("enrollmentTokenType"),
            MetaField::time("tokenExpirationDateTime"),
            MetaField::integer("enrolledDeviceCount"),
        ],
        volatile: &[
            "tokenValue",
            "tokenCreationDateTime",
            "tokenExpirationDateTime",
            "qrCode*",
            "enrolledDeviceCount",
            "enrollmentTokenUsageCount",
        ],
        ..row(
            "androidEnrollmentProfile",
            "Android corporate enrollment profiles",
            "deviceManagement/androidDeviceOwnerEnrollmentProfiles",
        )
    },
    PolicyType {
        platform: PlatformRule::Fixed(Platform::Android),
        foundation: true,
        absent_is_empty: true,
        meta: &[
            MetaField::text("bindStatus"),
            MetaField::time("lastAppSyncDateTime"),
            MetaField::text("lastAppSyncStatus"),
            MetaField::text("enrollmentTarget"),
            MetaField::boolean("deviceOwnerManagementEnabled"),
        ],
        volatile: &["lastAppSyncDateTime", "lastAppSyncStatus"],
        ..PolicyType::singleton(
            Category::Enrolment,
            "androidManagedStore",
            "Managed Google Play",
            "deviceManagement/androidManagedStoreAccountEnterpriseSettings",
            CONFIGURATION,
        )
    },
    PolicyType {
        platform: PlatformRule::Fixed(Platform::Ios),
        api_version: super::policy_type::ApiVersion::V1,
        alternative_permissions: &[MANAGED_DEVICES],
        foundation: true,
        absent_is_empty: true,
        meta: &[MetaField::time("expirationDateTime"), MetaField::text("certificateUploadStatus")],
        volatile: &["expirationDateTime", "certificateUploadStatus"],
        ..PolicyType::singleton(
            Category::Enrolment,
            "applePushCertificate",
            "Apple push certificate (APNs)",
            "deviceManagement/applePushNotificationCertificate",
            CONFIGURATION,
        )
    },
    PolicyType {
        foundation: true,
        assignments: Assignments::Child,
        meta: &[MetaField::text("title")],
        ..row("termsAndConditions", "Terms and conditions", "deviceManagement/termsAndConditions")
    },
    PolicyType {
        page_size: Some(500),
        permission: CONFIGURATION,
        alternative_permissions: &[MANAGED_DEVICES],
        foundation: true,
        ..row("deviceCategory", "Device categories", "deviceManagement/deviceCategories")
    },
];
