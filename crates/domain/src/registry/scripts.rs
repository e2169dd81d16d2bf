//! Scripts and remediations (`docs/graph.md`, section Scripts). The list leaves the
//! bodies out, so each changed script is read once more: its body counts in the
//! content hash and is stored nowhere.

use super::category::Category;
use super::detail::Detail;
use super::meta_field::MetaField;
use super::permission::{CONFIGURATION, SCRIPTS};
use super::platform::{Platform, PlatformRule};
use super::policy_type::{Assignments, PolicyType};

const BODY: &[Detail] = &[Detail::bodies(&["scriptContent"])];
/// A remediation may detect and remedy nothing; without a script that detects there is none.
const DETECTION: &[Detail] = &[Detail::bodies(&["detectionScriptContent"])];

const META: &[MetaField] = &[MetaField::text("fileName"), MetaField::text("runAsAccount")];

const fn row(key: &'static str, label: &'static str, path: &'static str, platform: Platform) -> PolicyType {
    PolicyType {
        platform: PlatformRule::Fixed(platform),
        query: "$expand=assignments",
        alternative_permissions: &[CONFIGURATION],
        assignments: Assignments::Expand,
        details: BODY,
        meta: META,
        ..PolicyType::collection(Category::Scripts, key, label, path, SCRIPTS)
    }
}

pub(super) static TYPES: &[PolicyType] = &[
    PolicyType {
        meta: &[
            MetaField::text("fileName"),
            MetaField::text("runAsAccount"),
            MetaField::boolean("runAs32Bit"),
            MetaField::boolean("enforceSignatureCheck"),
        ],
        ..row(
            "deviceManagementScript",
            "Platform scripts (Windows)",
            "deviceManagement/deviceManagementScripts",
            Platform::Windows,
        )
    },
    row("deviceShellScript", "Shell scripts (macOS)", "deviceManagement/deviceShellScripts", Platform::Macos),
    PolicyType {
        query: "",
        assignments: Assignments::Child,
        meta: &[
            MetaField::text("fileName"),
            MetaField::text("runAsAccount"),
            MetaField::text("customAttributeName"),
            MetaField::text("customAttributeType"),
        ],
        ..row(
            "deviceCustomAttributeShellScript",
            "Custom attributes (macOS)",
            "deviceManagement/deviceCustomAttributeShellScripts",
            Platform::Macos,
        )
    },
    PolicyType {
        details: DETECTION,
        meta: &[
            MetaField::text("publisher"),
            MetaField::boolean("isGlobalScript"),
            MetaField::text("runAsAccount"),
            MetaField::boolean("runAs32Bit"),
            MetaField::boolean("enforceSignatureCheck"),
            MetaField::text("deviceHealthScriptType"),
        ],
        ..row("deviceHealthScript", "Remediations", "deviceManagement/deviceHealthScripts", Platform::Windows)
    },
];
