//! Endpoint security, baselines and the newer families of the settings
//! catalogue (`docs/graph.md`, section Endpoint security and baselines).

use super::category::Category;
use super::detail::Detail;
use super::listing::Split;
use super::meta_field::MetaField;
use super::permission::CONFIGURATION;
use super::platform::PlatformRule;
use super::policy_type::{Assignments, PolicyType};
use super::reference_rule::{ReferenceRule, ReferenceTarget};

const fn row(key: &'static str, label: &'static str, path: &'static str) -> PolicyType {
    PolicyType::collection(Category::EndpointSecurity, key, label, path, CONFIGURATION)
}

/// The collection of settings catalogue policies holds every family below. The
/// settings come with the list: they are what the policy *is*, and reading them
/// one policy at a time would cost a request each. With settings in it, a page
/// of 1,000 is too heavy for the endpoint; 100 is what practice settled on.
pub(super) const SETTINGS_CATALOGUE: PolicyType = PolicyType {
    platform: PlatformRule::Property("platforms"),
    page_size: Some(100),
    query: "$expand=assignments,settings",
    name_property: "name",
    assignments: Assignments::Expand,
    meta: &[
        MetaField::text("platforms"),
        MetaField::text("technologies"),
        MetaField::text("templateFamily").at("templateReference.templateFamily"),
        MetaField::text("templateDisplayName").at("templateReference.templateDisplayName"),
        MetaField::text("templateDisplayVersion").at("templateReference.templateDisplayVersion"),
        MetaField::integer("settingCount"),
    ],
    references: &[
        ReferenceRule::uses("templateReference.templateId", ReferenceTarget::AnyItem),
        ReferenceRule::uses("settings", ReferenceTarget::SettingReferences(None)),
    ],
    ..row("", "", "deviceManagement/configurationPolicies")
};

const REUSABLE: &[ReferenceRule] = &[
    ReferenceRule::uses("templateReference.templateId", ReferenceTarget::AnyItem),
    ReferenceRule::uses("settings", ReferenceTarget::SettingReferences(Some("reusablePolicySetting"))),
];

/// A family of the settings catalogue, from the list that is read anyway: on by
/// default, because leaving it out would lose objects and save nothing.
const fn family(key: &'static str, label: &'static str, family: &'static str) -> PolicyType {
    PolicyType { key, label, split: Split::TemplateFamily(family), ..SETTINGS_CATALOGUE }
}

static INTENT_SETTINGS: Detail = Detail::collection("settings", "settings", "");

pub(super) static TYPES: &[PolicyType] = &[
    PolicyType {
        key: "endpointSecurityPolicy",
        label: "Endpoint security",
        split: Split::TemplateFamilyPrefix("endpointSecurity"),
        references: REUSABLE,
        ..SETTINGS_CATALOGUE
    },
    family("securityBaselinePolicy", "Security baselines", "baseline"),
    PolicyType {
        query: "$expand=assignments",
        assignments: Assignments::Expand,
        details: &[Detail { each: Some(&INTENT_SETTINGS), ..Detail::collection("categories", "categories", "") }],
        meta: &[MetaField::text("templateId"), MetaField::boolean("isMigratingToConfigurationPolicy")],
        references: &[ReferenceRule::uses("templateId", ReferenceTarget::AnyItem)],
        ..row("endpointSecurityIntent", "Endpoint security (legacy intents)", "deviceManagement/intents")
    },
    PolicyType {
        query: "$select=id,displayName,description,settingDefinitionId,settingInstance,version,createdDateTime,lastModifiedDateTime",
        foundation: true,
        meta: &[MetaField::text("settingDefinitionId")],
        volatile: &["referencingConfigurationPolicyCount"],
        ..row("reusablePolicySetting", "Reusable settings", "deviceManagement/reusablePolicySettings")
    },
    family("appQuietTimePolicy", "App quiet time", "appQuietTime"),
    family("companyPortalPolicy", "Company Portal policies", "companyPortal"),
    family("windowsOsRecoveryPolicy", "Windows recovery", "windowsOsRecoveryPolicies"),
    family("windowsRecoveryPolicy", "Windows recovery and remediation", "windowsRecoveryAndRemediationConfiguration"),
    family("maintenanceWindowPolicy", "Maintenance windows", "maintenanceWindows"),
    PolicyType {
        category: Category::Scripts,
        key: "linuxScriptPolicy",
        label: "Linux scripts",
        split: Split::TemplateFamilyOnPlatform("deviceConfigurationScripts", "linux"),
        references: REUSABLE,
        ..SETTINGS_CATALOGUE
    },
    PolicyType {
        category: Category::Enrolment,
        ..family("devicePreparationPolicy", "Device preparation", "enrollmentConfiguration")
    },
];
