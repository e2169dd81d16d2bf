//! Compliance (`docs/graph.md`, section Compliance).

use super::category::Category;
use super::detail::Detail;
use super::meta_field::MetaField;
use super::permission::{CONFIGURATION, SCRIPTS, SERVICE_CONFIG};
use super::platform::{Platform, PlatformRule};
use super::policy_type::{Assignments, PolicyType};
use super::reference_rule::{ReferenceRule, ReferenceTarget};

const fn row(key: &'static str, label: &'static str, path: &'static str) -> PolicyType {
    PolicyType::collection(Category::Compliance, key, label, path, CONFIGURATION)
}

const NOTIFICATIONS: [ReferenceRule; 2] = [
    ReferenceRule::uses(
        "scheduledActionsForRule.scheduledActionConfigurations.notificationTemplateId",
        ReferenceTarget::Type("notificationMessageTemplate"),
    ),
    ReferenceRule::uses(
        "scheduledActionsForRule.scheduledActionConfigurations.notificationMessageCCList",
        ReferenceTarget::Group,
    ),
];

pub(super) static TYPES: &[PolicyType] = &[
    PolicyType {
        platform: PlatformRule::OdataType,
        query: "$expand=assignments,scheduledActionsForRule($expand=scheduledActionConfigurations)",
        assignments: Assignments::Expand,
        references: &[
            NOTIFICATIONS[0],
            NOTIFICATIONS[1],
            ReferenceRule::uses(
                "deviceCompliancePolicyScript.deviceComplianceScriptId",
                ReferenceTarget::Type("deviceComplianceScript"),
            ),
        ],
        ..row("deviceCompliancePolicy", "Compliance policies", "deviceManagement/deviceCompliancePolicies")
    },
    PolicyType {
        platform: PlatformRule::Property("platforms"),
        name_property: "name",
        assignments: Assignments::Child,
        details: &[
            Detail::collection("settings", "settings", "$top=1000"),
            Detail::collection(
                "scheduledActionsForRule",
                "scheduledActionsForRule",
                "$expand=scheduledActionConfigurations",
            ),
        ],
        meta: &[MetaField::text("platforms"), MetaField::text("technologies"), MetaField::integer("settingCount")],
        references: &[
            NOTIFICATIONS[0],
            NOTIFICATIONS[1],
            ReferenceRule::uses("settings", ReferenceTarget::SettingReferences(Some("reusablePolicySetting"))),
        ],
        ..row("linuxCompliancePolicy", "Compliance policies (Linux)", "deviceManagement/compliancePolicies")
    },
    PolicyType {
        platform: PlatformRule::Fixed(Platform::Windows),
        permission: SCRIPTS,
        alternative_permissions: &[CONFIGURATION],
        foundation: true,
        assignments: Assignments::Child,
        details: &[Detail::bodies(&["detectionScriptContent"])],
        meta: &[
            MetaField::text("publisher"),
            MetaField::text("runAsAccount"),
            MetaField::boolean("runAs32Bit"),
            MetaField::boolean("enforceSignatureCheck"),
        ],
        ..row("deviceComplianceScript", "Custom compliance scripts", "deviceManagement/deviceComplianceScripts")
    },
    PolicyType {
        query: "$expand=localizedNotificationMessages",
        permission: SERVICE_CONFIG,
        alternative_permissions: &[CONFIGURATION],
        foundation: true,
        meta: &[
            MetaField::text("defaultLocale"),
            MetaField::text("brandingOptions"),
            MetaField::count("localizedNotificationMessages"),
        ],
        ..row(
            "notificationMessageTemplate",
            "Compliance notification templates",
            "deviceManagement/notificationMessageTemplates",
        )
    },
];
