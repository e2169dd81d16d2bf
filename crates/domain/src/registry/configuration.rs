//! Device configuration (Graph notes, section Configuration).

use super::listing::Split;
use super::platform::PlatformRule;
use super::policy_type::{Assignments, Category, PolicyType};

const CONF: &str = "DeviceManagementConfiguration.Read.All";

pub(super) static TYPES: &[PolicyType] = &[PolicyType {
    platform: PlatformRule::Property("platforms"),
    page_size: Some(100),
    query: "$expand=assignments,settings",
    name_property: "name",
    split: Split::Remainder,
    assignments: Assignments::Expand,
    ..PolicyType::collection(
        Category::Configuration,
        "settingsCatalogPolicy",
        "Settings catalogue",
        "deviceManagement/configurationPolicies",
        CONF,
    )
}];
