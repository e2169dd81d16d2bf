//! Updates of operating systems and drivers (`docs/graph.md`, section Windows updates).

use super::category::Category;
use super::listing::Split;
use super::meta_field::MetaField;
use super::permission::CONFIGURATION;
use super::platform::{Platform, PlatformRule};
use super::policy_type::{Assignments, PolicyType};

const fn row(key: &'static str, label: &'static str, path: &'static str) -> PolicyType {
    PolicyType {
        platform: PlatformRule::Fixed(Platform::Windows),
        query: "$expand=assignments",
        assignments: Assignments::Expand,
        ..PolicyType::collection(Category::Updates, key, label, path, CONFIGURATION)
    }
}

const NOISE_OF_CONTENT: &[&str] = &[
    "deployableContentDisplayName",
    "endOfSupportDate",
    "releaseDateDisplayName",
    "installLatestWindows10OnWindows11IneligibleDevice",
];

pub(super) static TYPES: &[PolicyType] = &[
    PolicyType {
        split: Split::OdataType(&["windowsUpdateForBusinessConfiguration"]),
        meta: &[
            MetaField::integer("qualityUpdatesDeferralPeriodInDays"),
            MetaField::integer("featureUpdatesDeferralPeriodInDays"),
            MetaField::boolean("qualityUpdatesPaused"),
            MetaField::boolean("featureUpdatesPaused"),
            MetaField::text("automaticUpdateMode"),
        ],
        volatile: &[
            "featureUpdatesPauseStartDate",
            "qualityUpdatesPauseStartDate",
            "*PauseExpiryDateTime",
            "*RollbackStartDateTime",
            "featureUpdatesWillBeRolledBack",
            "qualityUpdatesWillBeRolledBack",
        ],
        ..row("windowsUpdateRing", "Update rings", "deviceManagement/deviceConfigurations")
    },
    PolicyType {
        platform: PlatformRule::Fixed(Platform::Ios),
        split: Split::OdataType(&["iosUpdateConfiguration"]),
        meta: &[MetaField::text("desiredOsVersion"), MetaField::text("updateScheduleType")],
        ..row("iosUpdateConfiguration", "iOS/iPadOS updates (legacy)", "deviceManagement/deviceConfigurations")
    },
    PolicyType {
        page_size: Some(200),
        meta: &[MetaField::text("featureUpdateVersion"), MetaField::time("endOfSupportDate")],
        volatile: NOISE_OF_CONTENT,
        ..row("windowsFeatureUpdateProfile", "Feature updates", "deviceManagement/windowsFeatureUpdateProfiles")
    },
    PolicyType {
        page_size: Some(200),
        meta: &[MetaField::text("releaseDateDisplayName"), MetaField::text("deployableContentDisplayName")],
        volatile: NOISE_OF_CONTENT,
        ..row(
            "windowsQualityUpdateProfile",
            "Quality updates (expedited)",
            "deviceManagement/windowsQualityUpdateProfiles",
        )
    },
    PolicyType {
        page_size: Some(200),
        meta: &[MetaField::boolean("hotpatchEnabled")],
        volatile: NOISE_OF_CONTENT,
        ..row("windowsQualityUpdatePolicy", "Quality update policies", "deviceManagement/windowsQualityUpdatePolicies")
    },
    PolicyType {
        page_size: Some(200),
        meta: &[MetaField::text("approvalType"), MetaField::integer("deploymentDeferralInDays")],
        volatile: &["newUpdates", "inventorySyncStatus", "deviceReporting"],
        ..row("windowsDriverUpdateProfile", "Driver updates", "deviceManagement/windowsDriverUpdateProfiles")
    },
];
