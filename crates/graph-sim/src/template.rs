//! The legacy endpoint security: templates with their categories, and the settings of the intents that were made of them.

use std::io::Write as _;

use serde_json::{Value, json};

use crate::catalogue::INTENT_TEMPLATES;
use crate::identity::{guid_of, mix};
use crate::object::Object;

/// A template with the names of its categories.
pub struct Template {
    /// The id, the same in every tenant.
    pub id: &'static str,
    name: &'static str,
    subtype: &'static str,
    /// The prefix of its definitions.
    prefix: &'static str,
    categories: &'static [&'static str],
}

/// A definition of a setting, without the prefix of its template.
struct Definition {
    name: &'static str,
    /// What the portal calls it.
    display: &'static str,
    /// The type of instance.
    kind: &'static str,
    /// Values as JSON.
    values: &'static [&'static str],
    /// The texts that it may be, with what the portal calls them.
    options: &'static [(&'static str, &'static str)],
    /// The properties of its value: the ends of the ids of their definitions.
    properties: &'static [&'static str],
}

const DEFINITION: Definition =
    Definition { name: "", display: "", kind: "Boolean", values: &["true", "false"], options: &[], properties: &[] };

const USAGE: &[(&str, &str)] = &[("blocked", "Do not allow"), ("required", "Require"), ("allowed", "Allow")];

/// The settings of intents.
const DEFINITIONS: [Definition; 6] = [
    Definition {
        name: "allowStandardUserEncryption",
        display: "Allow standard users to enable encryption during Azure AD Join",
        ..DEFINITION
    },
    Definition {
        name: "recoveryPasswordRotation",
        display: "Configure client-driven recovery password rotation",
        kind: "String",
        values: &[r#""notConfigured""#, r#""enabledForAzureAd""#],
        options: &[
            ("notConfigured", "Not configured"),
            ("enabledForAzureAd", "Enable rotation on Azure AD-joined devices"),
        ],
        ..DEFINITION
    },
    Definition {
        name: "inactivityTimeoutInMinutes",
        display: "Minutes of lock screen inactivity until screen saver activates",
        kind: "Integer",
        values: &["5", "10", "30"],
        ..DEFINITION
    },
    Definition {
        name: "exclusions",
        display: "Files and folders to exclude",
        kind: "Collection",
        values: &[r#"["C:\\Temp"]"#, "[]"],
        ..DEFINITION
    },
    Definition { name: "startupAuthenticationRequired", display: "Startup authentication required", ..DEFINITION },
    Definition {
        name: "systemDrivePolicy",
        display: "BitLocker system drive policy",
        kind: "Complex",
        values: &[
            r#"{"startupTpmUsage":"required","minimumPinLength":null,"recoveryOptions":{"recoveryKeyUsage":"allowed","blockDataRecoveryAgent":true}}"#,
            r#"{"startupTpmUsage":"blocked","minimumPinLength":8,"recoveryOptions":{"recoveryKeyUsage":"required","blockDataRecoveryAgent":false}}"#,
        ],
        properties: &[
            "systemDrivePolicy_startupTpmUsage",
            "systemDrivePolicy_minimumPinLength",
            "systemDrivePolicy_recoveryOptions",
        ],
        ..DEFINITION
    },
];

/// What stands in the values of settings only.
const WITHIN: [Definition; 5] = [
    Definition {
        name: "systemDrivePolicy_startupTpmUsage",
        display: "Compatible TPM startup",
        kind: "String",
        options: USAGE,
        ..DEFINITION
    },
    Definition {
        name: "systemDrivePolicy_minimumPinLength",
        display: "Minimum PIN length",
        kind: "Integer",
        ..DEFINITION
    },
    Definition {
        name: "systemDrivePolicy_recoveryOptions",
        display: "System drive recovery",
        kind: "Complex",
        properties: &["recoveryOptions_recoveryKeyUsage", "recoveryOptions_blockDataRecoveryAgent"],
        ..DEFINITION
    },
    Definition {
        name: "recoveryOptions_recoveryKeyUsage",
        display: "User creation of recovery key",
        kind: "String",
        options: USAGE,
        ..DEFINITION
    },
    Definition {
        name: "recoveryOptions_blockDataRecoveryAgent",
        display: "Block the use of certificate-based data recovery agent (DRA)",
        ..DEFINITION
    },
];

/// The template with an id.
#[must_use]
pub fn template(id: &str) -> Option<&'static Template> {
    INTENT_TEMPLATES.iter().position(|known| known.eq_ignore_ascii_case(id)).map(|at| &TEMPLATES[at])
}

/// In the order of [`INTENT_TEMPLATES`].
pub static TEMPLATES: [Template; 4] = [
    Template {
        id: INTENT_TEMPLATES[0],
        name: "BitLocker",
        subtype: "diskEncryption",
        prefix: "deviceConfiguration--windows10EndpointProtectionConfiguration_bitLocker",
        categories: &["BitLocker - Base settings", "BitLocker - Fixed drive settings", "BitLocker - OS drive settings"],
    },
    Template {
        id: INTENT_TEMPLATES[1],
        name: "Microsoft Defender Firewall rules",
        subtype: "firewall",
        prefix: "deviceConfiguration--windows10EndpointProtectionConfiguration_firewall",
        categories: &["Microsoft Defender Firewall Rules"],
    },
    Template {
        id: INTENT_TEMPLATES[2],
        name: "Account protection",
        subtype: "accountProtection",
        prefix: "deviceConfiguration--windowsIdentityProtectionConfiguration_account",
        categories: &["Account Protection", "Credential Guard"],
    },
    Template {
        id: INTENT_TEMPLATES[3],
        name: "Microsoft Defender Antivirus",
        subtype: "antivirus",
        prefix: "deviceConfiguration--windows10GeneralConfiguration_defender",
        categories: &["Cloud protection", "Microsoft Defender Antivirus Exclusions", "Real-time protection"],
    },
];

impl Template {
    /// The template as Graph tells it, without its categories.
    #[must_use]
    pub fn json(&self) -> Value {
        json!({
            "id": self.id, "displayName": self.name, "description": format!("Settings of {}", self.name),
            "versionInfo": "2", "isDeprecated": true, "intentCount": 0, "templateType": "securityTemplate",
            "platformType": "windows10AndLater", "templateSubtype": self.subtype,
            "publishedDateTime": "2020-10-22T00:00:00Z",
        })
    }

    /// The id of a category: the same for the template and for every intent made of it.
    fn category(&self, name: &str) -> String {
        guid_of(&["category", self.id, name])
    }

    /// The categories, on request with the definitions of their settings.
    #[must_use]
    pub fn categories(&self, with_definitions: bool) -> Vec<Value> {
        let category = |(at, name): (usize, &&str)| {
            let mut row = json!({
                "id": self.category(name), "displayName": name, "description": null, "hasRequiredSetting": false,
            });
            if with_definitions {
                row["settingDefinitions"] = self.definitions(at).into();
            }
            row
        };
        self.categories.iter().enumerate().map(category).collect()
    }

    /// The definitions of the settings of the category with this id.
    #[must_use]
    pub fn definitions_of(&self, category: &str) -> Option<Vec<Value>> {
        let at = self.categories.iter().position(|name| self.category(name).eq_ignore_ascii_case(category))?;
        Some(self.definitions(at))
    }

    fn definitions(&self, category: usize) -> Vec<Value> {
        let all = DEFINITIONS.iter().map(|of| (of, true)).chain(WITHIN.iter().map(|of| (of, false)));
        all.map(|(of, top)| self.definition(category, of, top)).collect()
    }

    fn definition(&self, category: usize, of: &Definition, top: bool) -> Value {
        let id = |name: &str| format!("{}{}{name}", self.prefix, category + 1);
        let value_type = of.kind.to_lowercase();
        let kind = if matches!(of.kind, "Complex" | "Collection") { of.kind } else { "" };
        let mut definition = json!({
            "@odata.type": format!("#microsoft.graph.deviceManagement{kind}SettingDefinition"),
            "id": id(of.name), "valueType": value_type, "displayName": of.display, "isTopLevel": top,
            "description": null, "placeholderText": null, "documentationUrl": null, "headerTitle": null,
            "headerSubtitle": null, "keywords": [], "constraints": [], "dependencies": [],
        });
        if !of.options.is_empty() {
            let values = of.options.iter().map(|(value, name)| json!({"value": value, "displayName": name}));
            definition["constraints"] = json!([{
                "@odata.type": "#microsoft.graph.deviceManagementEnumConstraint", "values": values.collect::<Vec<_>>(),
            }]);
        }
        if !of.properties.is_empty() {
            definition["propertyDefinitionIds"] = of.properties.iter().map(|name| id(name)).collect();
        }
        definition
    }

    /// Writes the categories as an array.
    pub fn write_categories(&self, out: &mut Vec<u8>) {
        let _ = write!(out, "{}", Value::Array(self.categories(false)));
    }

    /// Writes the settings of an intent: of one category, or of all. False when the template has no such category.
    #[must_use]
    pub fn write_settings(&self, out: &mut Vec<u8>, intent: &Object<'_>, category: Option<&str>) -> bool {
        let wanted: Vec<usize> = (0..self.categories.len())
            .filter(|at| category.is_none_or(|category| category == self.category(self.categories[*at])))
            .collect();
        if wanted.is_empty() {
            return false;
        }
        let settings: Vec<Value> =
            wanted.into_iter().flat_map(|at| (0..2).map(move |row| self.setting(intent, at, row))).collect();
        let _ = write!(out, "{}", Value::Array(settings));
        true
    }

    fn setting(&self, intent: &Object<'_>, category: usize, row: usize) -> Value {
        let noise = mix(intent.noise(21), category as u64, row as u64);
        let Definition { name, kind, values, .. } = DEFINITIONS[(category + row * 3) % DEFINITIONS.len()];
        // An edit changes the first setting.
        let edits = if (category, row) == (0, 0) { u64::from(intent.changes().edits) } else { 0 };
        let value = values[((noise >> 8).wrapping_add(edits) % values.len() as u64) as usize];
        json!({
            "@odata.type": format!("#microsoft.graph.deviceManagement{kind}SettingInstance"),
            "id": guid_of(&["setting", &noise.to_string()]),
            "definitionId": format!("{}{}{name}", self.prefix, category + 1),
            "valueJson": value,
        })
    }
}
