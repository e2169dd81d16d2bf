//! Values of properties that are objects and arrays of their own.

use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::catalogue::{Field, IdForm};
use crate::identity::mix;
use crate::object::{CREDENTIAL_MARK, Object, SECRET_MARK};
use crate::tenant::GROUPS;

macro_rules! push {
    ($out:expr, $($part:tt)*) => {{ let _ = write!($out, $($part)*); }};
}

/// The setting of a Linux script that custom compliance asks; its reusable setting has a name of its own.
const DISCOVERY_SCRIPT: &str = "linux_customcompliance_discoveryscript";
/// The setting of a group of addresses for firewall rules.
const ADDRESSES: &str = "vendor_msft_firewall_mdmstore_dynamickeywords_addresses_{id}";

impl Object<'_> {
    /// Writes one of the larger values; false when the field is none.
    pub(crate) fn write_structure(
        &self,
        out: &mut Vec<u8>,
        field: Field,
        salt: u64,
        noise: u64,
        restless: u64,
    ) -> bool {
        match field {
            Field::OmaSettings => self.write_oma_settings(out, noise),
            Field::Apps => push!(
                out,
                r##"[{{"id":"com.microsoft.outlook.ios","version":"{restless}","mobileAppIdentifier":{{"@odata.type":"#microsoft.graph.iosMobileAppIdentifier","bundleId":"com.microsoft.outlook{}"}}}}]"##,
                noise % 5
            ),
            Field::ConditionalAccess => self.write_conditions(out),
            Field::PolicySetItems => self.write_policy_set_items(out, salt),
            Field::Relationships => self.write_relationships(out, noise),
            Field::ReusableSetting => self.write_reusable_setting(out, noise),
            Field::ReusableDefinition if self.is_discovery_script() => {
                push!(out, r#""{DISCOVERY_SCRIPT}_reusablesetting""#);
            }
            Field::ReusableDefinition => push!(out, r#""{ADDRESSES}""#),
            Field::LockerFiles => push!(
                out,
                r#"[{{"id":"{:x}","displayName":"Allowed","fileHash":null,"file":"{}","version":"1"}}]"#,
                noise & 0xFFFF_FFFF,
                STANDARD.encode(format!("{SECRET_MARK}-locker-{noise:x}-and-more"))
            ),
            _ => return false,
        }
        true
    }

    /// The second setting is encrypted: its value is masked and read by its reference.
    fn write_oma_settings(&self, out: &mut Vec<u8>, noise: u64) {
        push!(
            out,
            r##"[{{"@odata.type":"#microsoft.graph.omaSettingString","displayName":"Greeting","description":"","omaUri":"./Device/Vendor/MSFT/Policy/Greeting","secretReferenceValueId":null,"isEncrypted":false,"value":"{SECRET_MARK}-oma-{noise:x}"}},{{"@odata.type":"#microsoft.graph.omaSettingString","displayName":"Key","description":"","omaUri":"./Device/Vendor/MSFT/Key","secretReferenceValueId":"{}","isEncrypted":true,"value":"****"}}]"##,
            secret_reference(noise)
        );
    }

    /// What an encrypted OMA setting of this object holds, by its reference.
    #[must_use]
    pub fn oma_secret(&self, reference: &str) -> Option<String> {
        let (salt, _) =
            (100..).zip(self.kind.fields).find(|(_, (_, field))| matches!(field, Field::On(_, Field::OmaSettings)))?;
        let noise = self.noise(salt);
        (reference == secret_reference(noise)).then(|| format!("{CREDENTIAL_MARK}-oma-plain-{noise:x}"))
    }

    /// Every third reusable setting is a script of custom compliance for Linux, the others are groups of addresses.
    fn is_discovery_script(&self) -> bool {
        self.index % 3 == 1
    }

    fn write_reusable_setting(&self, out: &mut Vec<u8>, noise: u64) {
        let noise = noise.wrapping_add(u64::from(self.changes().edits));
        if self.is_discovery_script() {
            let script = STANDARD.encode(format!("{SECRET_MARK}-discovery-{noise:x}\nuname -r\n"));
            push!(
                out,
                r##"{{"@odata.type":"#microsoft.graph.deviceManagementConfigurationSimpleSettingInstance","settingDefinitionId":"{DISCOVERY_SCRIPT}_reusablesetting","settingInstanceTemplateReference":null,"simpleSettingValue":{{"@odata.type":"#microsoft.graph.deviceManagementConfigurationStringSettingValue","settingValueTemplateReference":null,"value":"{script}"}}}}"##
            );
            return;
        }
        push!(
            out,
            r##"{{"@odata.type":"#microsoft.graph.deviceManagementConfigurationGroupSettingCollectionInstance","settingDefinitionId":"{ADDRESSES}","settingInstanceTemplateReference":null,"groupSettingCollectionValue":[{{"settingValueTemplateReference":null,"children":[{{"@odata.type":"#microsoft.graph.deviceManagementConfigurationSimpleSettingInstance","settingDefinitionId":"{ADDRESSES}_keyword","settingInstanceTemplateReference":null,"simpleSettingValue":{{"@odata.type":"#microsoft.graph.deviceManagementConfigurationStringSettingValue","settingValueTemplateReference":null,"value":"host{}.example.com"}}}}]}}]}}"##,
            noise % 10_000
        );
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

/// The reference by which an encrypted OMA setting is read.
fn secret_reference(noise: u64) -> String {
    format!("a5d1c6b1-{:04x}", noise % 65_536)
}
