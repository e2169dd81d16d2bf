//! The values of properties.

use crate::{
    catalogue::{Field, IdForm},
    identity::mix,
    instant::write_time,
    object::{Object, SECRET_MARK, TOPICS},
    tenant::{GROUPS, form_of, kind_of, number_of},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use std::io::Write as _;

macro_rules! push {
    ($out:expr, $($part:tt)*) => {{ let _ = write!($out, $($part)*); }};
}

impl Object<'_> {
    /// The object of another kind that a property of this one speaks of.
    fn referred(&self, key: &str, salt: u64) -> Option<Self> {
        let number = number_of(key)?;
        let index = self.noise(salt) % self.tenant.first_extent(number).max(1);
        Some(Self { tenant: self.tenant, kind: kind_of(number)?, number, index })
    }

    /// Writes the id of one object of a kind.
    pub fn write_reference(&self, out: &mut Vec<u8>, key: &str, salt: u64) {
        let Some(number) = number_of(key) else { return };
        let extent = self.tenant.first_extent(number).max(1);
        self.tenant.write_id(out, number, form_of(number), self.noise(salt) % extent);
    }

    fn write_named(&self, out: &mut Vec<u8>, key: &str, salt: u64) {
        let Some(other) = self.referred(key, salt) else { return };
        out.extend_from_slice(br#"{"id":""#);
        self.tenant.write_id(out, other.number, other.kind.id, other.index);
        out.extend_from_slice(br#"","displayName":""#);
        other.write_name(out);
        out.extend_from_slice(b"\"}");
    }

    fn write_group(&self, out: &mut Vec<u8>, noise: u64) {
        self.tenant.write_id(out, GROUPS, IdForm::Guid, noise % self.tenant.groups());
    }

    /// Writes a value. `detail`: on a single read, which tells what a list leaves out.
    pub fn write_field(&self, out: &mut Vec<u8>, field: Field, salt: u64, detail: bool) {
        // Only the first property of a kind follows its edits: one edit is one changed field.
        let changes = self.changes();
        let edits = if salt == 100 { u64::from(changes.edits) } else { 0 };
        let noise = self.noise(salt).wrapping_add(edits);
        let restless = noise % 9_000 + self.tenant.step() * 17 + u64::from(changes.volatile);
        match field {
            Field::Text => {
                push!(out, r#""Value {} of {}""#, noise % 9_973, TOPICS[(noise >> 9) as usize % TOPICS.len()]);
            }
            Field::Is(text) => {
                let _ = serde_json::to_writer(&mut *out, text);
            }
            Field::Bool => out.extend_from_slice(if noise.is_multiple_of(2) { b"true" } else { b"false" }),
            Field::Number(below) => push!(out, "{}", noise % below),
            Field::Enum(values) => push!(out, r#""{}""#, values[noise as usize % values.len()]),
            Field::Date => {
                out.push(b'"');
                write_time(out, 1_800_000_000 + noise % 20_000_000);
                out.push(b'"');
            }
            Field::Heartbeat => {
                out.push(b'"');
                write_time(out, 1_790_000_000 + restless * 61);
                out.push(b'"');
            }
            Field::Counter => push!(out, "{restless}"),
            Field::Secret => push!(out, r#""{SECRET_MARK}-{noise:x}""#),
            Field::SecretBase64 => {
                push!(out, r#""{}""#, STANDARD.encode(format!("{SECRET_MARK}-{noise:x}-and-some-more-bytes")));
            }
            Field::Person => push!(out, r#""{SECRET_MARK}-person-{:x}@example.com""#, noise % 4_096),
            Field::Null if detail && self.kind.fields.iter().any(|(name, _)| name.ends_with("riptContent")) => {
                push!(
                    out,
                    r#""{}""#,
                    STANDARD.encode(format!("## {SECRET_MARK}-script-{:x} revision {}", noise, changes.edits))
                );
            }
            Field::Null => out.extend_from_slice(b"null"),
            Field::Ids(key) => {
                out.push(b'[');
                for nth in 0..=(noise % 3) {
                    if nth > 0 {
                        out.push(b',');
                    }
                    out.push(b'"');
                    self.write_reference(out, key, salt + 1_000 * (nth + 1));
                    out.push(b'"');
                }
                out.push(b']');
            }
            Field::Groups => {
                out.extend_from_slice(b"[\"");
                self.write_group(out, noise);
                out.extend_from_slice(b"\"]");
            }
            Field::Raw(json) => out.extend_from_slice(json.as_bytes()),
            Field::OmaSettings => push!(
                out,
                r##"[{{"@odata.type":"#microsoft.graph.omaSettingString","displayName":"Greeting","description":"","omaUri":"./Device/Vendor/MSFT/Policy/Greeting","secretReferenceValueId":null,"isEncrypted":false,"value":"{SECRET_MARK}-oma-{noise:x}"}},{{"@odata.type":"#microsoft.graph.omaSettingString","displayName":"Key","description":"","omaUri":"./Device/Vendor/MSFT/Key","secretReferenceValueId":"a5d1c6b1-{:04x}","isEncrypted":true,"value":"****"}}]"##,
                noise % 65_536
            ),
            Field::Apps => push!(
                out,
                r##"[{{"id":"com.microsoft.outlook.ios","version":"{restless}","mobileAppIdentifier":{{"@odata.type":"#microsoft.graph.iosMobileAppIdentifier","bundleId":"com.microsoft.outlook{}"}}}}]"##,
                noise % 5
            ),
            Field::ConditionalAccess => self.write_conditions(out),
            Field::OptionalId(_) if noise.is_multiple_of(3) => out.extend_from_slice(b"null"),
            Field::OptionalId(key) => {
                out.push(b'"');
                self.write_reference(out, key, salt);
                out.push(b'"');
            }
            Field::Named(key) => {
                out.push(b'[');
                if !noise.is_multiple_of(3) {
                    self.write_named(out, key, salt);
                }
                out.push(b']');
            }
            Field::NamedOne(key) => self.write_named(out, key, salt),
            Field::NotificationTemplates => {
                for (before, salt) in [("[\"email_", salt), ("\",\"push_", salt + 1_000)] {
                    out.extend_from_slice(before.as_bytes());
                    self.write_reference(out, "notificationMessageTemplate", salt);
                }
                out.extend_from_slice(b"\"]");
            }
            Field::ComplianceScript if !noise.is_multiple_of(4) => out.extend_from_slice(b"null"),
            Field::ComplianceScript => {
                out.extend_from_slice(br#"{"deviceComplianceScriptId":""#);
                self.write_reference(out, "deviceComplianceScript", salt);
                push!(
                    out,
                    r#"","rulesContent":"{}"}}"#,
                    STANDARD.encode(format!("{SECRET_MARK}-rules-{noise:x}-and-more"))
                );
            }
            Field::PolicySetItems => self.write_policy_set_items(out, salt),
            Field::Relationships => self.write_relationships(out, noise),
            Field::ReusableSetting => push!(
                out,
                r##"{{"@odata.type":"#microsoft.graph.deviceManagementConfigurationGroupSettingCollectionInstance","settingDefinitionId":"vendor_msft_firewall_mdmstore_dynamickeywords_addresses_{{id}}","settingInstanceTemplateReference":null,"groupSettingCollectionValue":[{{"settingValueTemplateReference":null,"children":[{{"@odata.type":"#microsoft.graph.deviceManagementConfigurationSimpleSettingInstance","settingDefinitionId":"vendor_msft_firewall_mdmstore_dynamickeywords_addresses_{{id}}_keyword","settingInstanceTemplateReference":null,"simpleSettingValue":{{"@odata.type":"#microsoft.graph.deviceManagementConfigurationStringSettingValue","settingValueTemplateReference":null,"value":"host{}.example.com"}}}}]}}]}}"##,
                noise.wrapping_add(u64::from(changes.edits)) % 10_000
            ),
            Field::LockerFiles => push!(
                out,
                r#"[{{"id":"{:x}","displayName":"Allowed","fileHash":null,"file":"{}","version":"1"}}]"#,
                noise & 0xFFFF_FFFF,
                STANDARD.encode(format!("{SECRET_MARK}-locker-{noise:x}-and-more"))
            ),
            // Resolved where the property is written.
            Field::On(_, field) => self.write_field(out, *field, salt, detail),
        }
    }

    fn write_policy_set_items(&self, out: &mut Vec<u8>, salt: u64) {
        const ITEMS: [(&str, &str); 4] = [
            ("mobileApp", "mobileAppPolicySetItem"),
            ("deviceConfiguration", "deviceConfigurationPolicySetItem"),
            ("enrollmentStatusPage", "windows10EnrollmentCompletionPageConfigurationPolicySetItem"),
            ("autopilotProfile", "windowsAutopilotDeploymentProfilePolicySetItem"),
        ];
        out.push(b'[');
        for (nth, (key, item)) in ITEMS.iter().enumerate().take(1 + (self.noise(salt) % 4) as usize) {
            let comma = if nth > 0 { "," } else { "" };
            push!(out, r##"{comma}{{"@odata.type":"#microsoft.graph.{item}","id":"item-{nth}","payloadId":""##);
            self.write_reference(out, key, salt + nth as u64);
            push!(out, r#"","itemType":"{item}","displayName":null,"status":"success","errorCode":"noError"}}"#);
        }
        out.push(b']');
    }

    /// Every ninth app supersedes another one.
    fn write_relationships(&self, out: &mut Vec<u8>, noise: u64) {
        out.push(b'[');
        if noise.is_multiple_of(9) {
            let other = mix(noise, 1, 1) % self.tenant.first_extent(self.number).max(1);
            let mut target = Vec::with_capacity(36);
            self.tenant.write_id(&mut target, self.number, IdForm::Guid, other);
            let target = String::from_utf8_lossy(&target);
            push!(
                out,
                r##"{{"@odata.type":"#microsoft.graph.mobileAppSupersedence","id":"{}_{target}","targetId":"{target}","targetDisplayName":"An earlier app","targetType":"child","supersedenceType":"update"}}"##,
                self.tenant.id(self.number, IdForm::Guid, self.index)
            );
        }
        out.push(b']');
    }

    fn write_conditions(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(br#"{"clientAppTypes":["all"],"applications":{"includeApplications":["All"],"excludeApplications":[],"includeAuthenticationContextClassReferences":["c1"]},"users":{"includeUsers":["All"],"excludeUsers":[],"includeGroups":[],"excludeGroups":[""#);
        self.tenant.write_id(
            out,
            GROUPS,
            IdForm::Guid,
            (self.noise(50) + u64::from(self.changes().assignments)) % self.tenant.groups(),
        );
        out.extend_from_slice(
            br#""],"includeRoles":[],"excludeRoles":[]},"locations":{"includeLocations":["All"],"excludeLocations":[""#,
        );
        self.write_reference(out, "namedLocation", 51);
        out.extend_from_slice(
            br#""]},"platforms":null},"grantControls":{"operator":"OR","builtInControls":["mfa"],"termsOfUse":[""#,
        );
        self.write_reference(out, "termsOfUse", 52);
        out.extend_from_slice(br#""],"authenticationStrength":{"id":""#);
        self.write_reference(out, "authenticationStrength", 53);
        out.extend_from_slice(br#"","displayName":"Phishing-resistant MFA"}},"sessionControls":null"#);
    }
}
