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

/// Names of definitions without their prefix, with the type of instance and the JSON of a value.
const DEFINITIONS: [(&str, &str, &[&str]); 5] = [
    ("allowStandardUserEncryption", "Boolean", &["true", "false"]),
    ("recoveryPasswordRotation", "String", &[r#""notConfigured""#, r#""enabledForAzureAd""#]),
    ("inactivityTimeoutInMinutes", "Integer", &["5", "10", "30"]),
    ("exclusions", "Collection", &[r#"["C:\\Temp"]"#, "[]"]),
    ("startupAuthenticationRequired", "Boolean", &["true", "false"]),
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

    /// Writes the categories as an array.
    pub fn write_categories(&self, out: &mut Vec<u8>) {
        let categories: Vec<Value> = self
            .categories
            .iter()
            .map(|name| json!({"id": self.category(name), "displayName": name, "description": null, "hasRequiredSetting": false}))
            .collect();
        let _ = write!(out, "{}", Value::Array(categories));
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
        let (name, kind, values) = DEFINITIONS[(category + row * 2) % DEFINITIONS.len()];
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
