//! Windows 365 (`docs/graph.md`, section Windows 365): skipped without a licence.

use super::category::Category;
use super::meta_field::MetaField;
use super::permission::CLOUD_PC;
use super::platform::{Platform, PlatformRule};
use super::policy_type::{Assignments, Feature, PolicyType};
use super::reference_rule::{ReferenceRule, ReferenceTarget};

const fn row(key: &'static str, label: &'static str, path: &'static str) -> PolicyType {
    PolicyType {
        platform: PlatformRule::Fixed(Platform::Windows),
        licensed_feature: Some(Feature::Windows365),
        ..PolicyType::collection(Category::CloudPc, key, label, path, CLOUD_PC)
    }
}

pub(super) static TYPES: &[PolicyType] = &[
    PolicyType {
        query: "$expand=assignments",
        assignments: Assignments::Expand,
        meta: &[
            MetaField::text("provisioningType"),
            MetaField::text("managedBy"),
            MetaField::text("imageType"),
            MetaField::text("imageDisplayName"),
        ],
        references: &[
            ReferenceRule::uses(
                "domainJoinConfigurations.onPremisesConnectionId",
                ReferenceTarget::Type("cloudPcOnPremisesConnection"),
            ),
            ReferenceRule::uses("onPremisesConnectionId", ReferenceTarget::Type("cloudPcOnPremisesConnection")),
            ReferenceRule::uses("imageId", ReferenceTarget::Type("cloudPcDeviceImage")),
        ],
        ..row(
            "cloudPcProvisioningPolicy",
            "Provisioning policies",
            "deviceManagement/virtualEndpoint/provisioningPolicies",
        )
    },
    PolicyType {
        query: "$expand=assignments",
        assignments: Assignments::Expand,
        meta: &[MetaField::boolean("localAdminEnabled"), MetaField::boolean("resetEnabled")],
        ..row("cloudPcUserSetting", "User settings", "deviceManagement/virtualEndpoint/userSettings")
    },
    PolicyType {
        meta: &[MetaField::text("healthCheckStatus"), MetaField::text("connectionType")],
        volatile: &["healthCheckStatus*", "inUse", "inUseByCloudPc"],
        ..row(
            "cloudPcOnPremisesConnection",
            "Azure network connections",
            "deviceManagement/virtualEndpoint/onPremisesConnections",
        )
    },
    PolicyType {
        meta: &[
            MetaField::text("status"),
            MetaField::text("osBuildNumber"),
            MetaField::text("osStatus"),
            MetaField::time("expirationDate"),
        ],
        ..row("cloudPcDeviceImage", "Custom images", "deviceManagement/virtualEndpoint/deviceImages")
    },
];
