//! Settings of the settings catalogue: trees of instances, named by definition.

use std::io::Write as _;

use crate::context::Collection;
use crate::identity::mix;
use crate::object::{CREDENTIAL_MARK, Object};
use crate::tenant::{form_of, number_of};

macro_rules! push {
    ($out:expr, $($part:tt)*) => {{ let _ = write!($out, $($part)*); }};
}

pub(crate) const WINDOWS: &[&str] = &[
    "device_vendor_msft_policy_config_defender_allowarchivescanning",
    "device_vendor_msft_policy_config_defender_allowbehaviormonitoring",
    "device_vendor_msft_policy_config_defender_cloudblocklevel",
    "device_vendor_msft_policy_config_defender_puaprotection",
    "device_vendor_msft_policy_config_defender_submitsamplesconsent",
    "device_vendor_msft_policy_config_devicelock_devicepasswordenabled",
    "device_vendor_msft_policy_config_devicelock_mindevicepasswordlength",
    "device_vendor_msft_policy_config_browser_allowpasswordmanager",
    "device_vendor_msft_policy_config_update_allowautoupdate",
    "device_vendor_msft_policy_config_update_deferqualityupdatesperiodindays",
    "device_vendor_msft_policy_config_privacy_letappsaccesslocation",
    "device_vendor_msft_policy_config_experience_allowcortana",
    "device_vendor_msft_bitlocker_requiredeviceencryption",
    "device_vendor_msft_bitlocker_systemdrivesrecoveryoptions",
    "device_vendor_msft_bitlocker_allowwarningforotherdiskencryption",
    "vendor_msft_firewall_mdmstore_domainprofile_enablefirewall",
    "vendor_msft_firewall_mdmstore_publicprofile_enablefirewall",
    "device_vendor_msft_policy_config_localpoliciessecurityoptions_accounts_enableguestaccountstatus",
    "device_vendor_msft_laps_policies_passwordcomplexity",
    "device_vendor_msft_laps_policies_backupdirectory",
];
pub(crate) const APPLE: &[&str] = &[
    "com.apple.applicationaccess_allowcamera",
    "com.apple.applicationaccess_allowairdrop",
    "com.apple.applicationaccess_allowcloudbackup",
    "com.apple.applicationaccess_forceencryptedbackup",
    "com.apple.mcx.filevault2_enable",
    "com.apple.mcx.filevault2_defer",
    "com.apple.mobiledevice.passwordpolicy_minlength",
    "com.apple.mobiledevice.passwordpolicy_forcepin",
    "com.apple.systempolicy.control_enableassessment",
    "com.apple.softwareupdate_automaticdownload",
];
pub(crate) const LINUX: &[&str] = &[
    "linux_customconfig_executioncontext",
    "linux_customconfig_executionfrequency",
    "linux_customconfig_executionretries",
    "linux_distribution_alloweddistros",
    "linux_encryption_deviceencryptionrequired",
    "linux_passwordpolicy_minimumlength",
];
/// A firewall rule's setting that refers to a reusable group.
pub(crate) const REUSABLE: &str =
    "vendor_msft_firewall_mdmstore_firewallrules_{firewallrulename}_remoteaddressdynamickeywords";

impl Object<'_> {
    fn platform(&self) -> &'static str {
        match (self.kind.family, self.noise(6) % 4) {
            (Some("deviceConfigurationScripts"), _) => "linux",
            _ if self.kind.key == "linuxCompliancePolicy" => "linux",
            (Some("none"), 1) => "iOS",
            (Some("none"), 2) => "macOS",
            _ => "windows10",
        }
    }

    /// The template family; endpoint security comes in several.
    fn family(&self) -> &'static str {
        match (self.kind.family.unwrap_or("none"), self.noise(7) % 4) {
            ("endpointSecurityAntivirus", 1) => "endpointSecurityFirewall",
            ("endpointSecurityAntivirus", 2) => "endpointSecurityDiskEncryption",
            ("endpointSecurityAntivirus", 3) => "endpointSecurityAttackSurfaceReduction",
            (family, _) => family,
        }
    }

    /// How many settings the policy has: a few, and now and then more than one default page of them.
    #[must_use]
    pub fn setting_count(&self) -> u64 {
        let noise = self.noise(20);
        if noise.is_multiple_of(97) { 60 } else { 3 + noise % 5 }
    }

    /// Writes what is between the head of a settings catalogue policy and its settings.
    pub fn write_policy_head(&self, out: &mut Vec<u8>, kind_family: &str) {
        let platform = self.platform();
        let technologies = match (platform, kind_family) {
            (_, "enrollmentConfiguration") => "enrollment",
            ("linux", _) => "linuxMdm",
            ("windows10", family) if family.starts_with("endpointSecurity") => "mdm,microsoftSense",
            ("iOS" | "macOS", _) => "mdm,appleRemoteManagement",
            _ => "mdm",
        };
        push!(
            out,
            r#","platforms":"{platform}","technologies":"{technologies}","isAssigned":{},"creationSource":null,"priorityMetaData":null,"settingCount":{},"templateReference":{{"templateId":"{}","templateFamily":"{}","templateDisplayName":null,"templateDisplayVersion":null}}"#,
            self.noise(30).is_multiple_of(2),
            self.setting_count(),
            if kind_family == "none" { "" } else { "2d345ec2-c817-49e5-9156-3ed416dc972a_1" },
            self.family(),
        );
    }

    /// Writes one page of the settings; returns the row with which the next page begins.
    pub fn write_settings(&self, out: &mut Vec<u8>, from: u64, most: u64) -> Option<u64> {
        let count = self.setting_count();
        let until = count.min(from.saturating_add(most));
        out.push(b'[');
        for row in from..until {
            if row > from {
                out.push(b',');
            }
            self.write_setting(out, row);
        }
        out.push(b']');
        (until < count).then_some(until)
    }

    fn write_setting(&self, out: &mut Vec<u8>, row: u64) {
        let definitions = match self.platform() {
            "linux" => LINUX,
            "iOS" | "macOS" => APPLE,
            _ => WINDOWS,
        };
        let at = (self.noise(22) % definitions.len() as u64 + row) as usize;
        let definition = definitions[at % definitions.len()];
        // A long policy goes through the definitions more than once: the round keeps its settings apart.
        let round = row as usize / definitions.len();
        let round = if round == 0 { String::new() } else { format!("_{round}") };
        let noise = mix(self.noise(21), row, 0);
        // An edit changes the first setting.
        let edits = if row == 0 { u64::from(self.changes().edits) } else { 0 };
        push!(
            out,
            r##"{{"id":"{row}","settingInstance":{{"@odata.type":"#microsoft.graph.deviceManagementConfiguration"##
        );
        if row == 1 && self.write_referring_setting(out) {
            return;
        }
        self.write_plain_setting(out, &format!("{definition}{round}"), noise, edits, row > 0);
    }

    /// Writes a setting that refers to a reusable one, where the policy has such a setting; false where it has none.
    fn write_referring_setting(&self, out: &mut Vec<u8>) -> bool {
        if self.family() == "endpointSecurityFirewall" {
            push!(
                out,
                r##"SimpleSettingCollectionInstance","settingDefinitionId":"{REUSABLE}","settingInstanceTemplateReference":null,"simpleSettingCollectionValue":[{{"@odata.type":"#microsoft.graph.deviceManagementConfigurationReferenceSettingValue","settingValueTemplateReference":null,"note":null,"value":""##
            );
            self.write_reusable_reference(out, 0);
            out.extend_from_slice(br#""}]}}"#);
            return true;
        }
        // The first script is the second reusable setting.
        let has_script = number_of("reusablePolicySetting").is_some_and(|number| self.tenant.first_extent(number) > 1);
        if self.kind.key != "linuxCompliancePolicy" || !has_script || self.noise(24).is_multiple_of(2) {
            return false;
        }
        out.extend_from_slice(br##"ChoiceSettingInstance","settingDefinitionId":"linux_customcompliance_required","settingInstanceTemplateReference":null,"choiceSettingValue":{"settingValueTemplateReference":null,"value":"linux_customcompliance_required_true","children":[{"@odata.type":"#microsoft.graph.deviceManagementConfigurationSimpleSettingInstance","settingDefinitionId":"linux_customcompliance_discoveryscript","settingInstanceTemplateReference":null,"simpleSettingValue":{"@odata.type":"#microsoft.graph.deviceManagementConfigurationReferenceSettingValue","settingValueTemplateReference":null,"note":null,"value":""##);
        self.write_reusable_reference(out, 1);
        out.extend_from_slice(br#""}}]}}}"#);
        true
    }

    /// Writes the id of a reusable setting: one of the scripts (1), or one of the groups of addresses (0).
    fn write_reusable_reference(&self, out: &mut Vec<u8>, remainder: u64) {
        let Some(number) = number_of("reusablePolicySetting") else { return };
        // Of three neighbours, the second is a script.
        let all = self.tenant.first_extent(number);
        let choices = (all + 2 - remainder) / 3;
        let index = self.noise(23) % choices.max(1) * 3 + remainder;
        self.tenant.write_id(out, number, form_of(number), index);
    }

    fn write_plain_setting(&self, out: &mut Vec<u8>, definition: &str, noise: u64, edits: u64, may_be_secret: bool) {
        match noise % 12 {
            // A secret that was entered comes back as a token (Microsoft Graph, deviceManagementConfigurationSecretSettingValue).
            0 if may_be_secret && noise & 0x10 == 0 => push!(
                out,
                r##"SimpleSettingInstance","settingDefinitionId":"{definition}","settingInstanceTemplateReference":null,"simpleSettingValue":{{"@odata.type":"#microsoft.graph.deviceManagementConfigurationSecretSettingValue","settingValueTemplateReference":null,"value":"{:08x}-5ec3-4e70-8a1d-{:012x}","valueState":"encryptedValueToken"}}}}}}"##,
                noise as u32,
                noise & 0xFFFF_FFFF_FFFF
            ),
            0 if may_be_secret => push!(
                out,
                r##"SimpleSettingInstance","settingDefinitionId":"{definition}","settingInstanceTemplateReference":null,"simpleSettingValue":{{"@odata.type":"#microsoft.graph.deviceManagementConfigurationSecretSettingValue","settingValueTemplateReference":null,"value":"{CREDENTIAL_MARK}-setting-{noise:x}","valueState":"notEncrypted"}}}}}}"##
            ),
            1 | 2 => push!(
                out,
                r##"SimpleSettingInstance","settingDefinitionId":"{definition}","settingInstanceTemplateReference":{{"settingInstanceTemplateId":"4eaa6fb5-6b2b-4a6e-a04f-3ba5c3a10000"}},"simpleSettingValue":{{"@odata.type":"#microsoft.graph.deviceManagementConfigurationIntegerSettingValue","settingValueTemplateReference":null,"value":{}}}}}}}"##,
                (noise >> 8) % 1_000 + edits
            ),
            3 => push!(
                out,
                r##"SimpleSettingCollectionInstance","settingDefinitionId":"{definition}","settingInstanceTemplateReference":null,"simpleSettingCollectionValue":[{{"@odata.type":"#microsoft.graph.deviceManagementConfigurationStringSettingValue","settingValueTemplateReference":null,"value":"C:\\Program Files\\Vendor\\{}"}},{{"@odata.type":"#microsoft.graph.deviceManagementConfigurationStringSettingValue","settingValueTemplateReference":null,"value":"*.example.com"}}]}}}}"##,
                (noise >> 8) % 1_000 + edits
            ),
            4 => push!(
                out,
                r##"GroupSettingCollectionInstance","settingDefinitionId":"{definition}","settingInstanceTemplateReference":null,"groupSettingCollectionValue":[{{"settingValueTemplateReference":null,"children":[{{"@odata.type":"#microsoft.graph.deviceManagementConfigurationChoiceSettingInstance","settingDefinitionId":"{definition}_enabled","settingInstanceTemplateReference":null,"choiceSettingValue":{{"settingValueTemplateReference":null,"value":"{definition}_enabled_{}","children":[]}}}}]}}]}}}}"##,
                (noise >> 8).wrapping_add(edits) % 2
            ),
            5..8 => push!(
                out,
                r##"ChoiceSettingInstance","settingDefinitionId":"{definition}","settingInstanceTemplateReference":{{"settingInstanceTemplateId":"4eaa6fb5-6b2b-4a6e-a04f-3ba5c3a10000"}},"choiceSettingValue":{{"settingValueTemplateReference":null,"value":"{definition}_1","children":[{{"@odata.type":"#microsoft.graph.deviceManagementConfigurationSimpleSettingInstance","settingDefinitionId":"{definition}_value","settingInstanceTemplateReference":null,"simpleSettingValue":{{"@odata.type":"#microsoft.graph.deviceManagementConfigurationIntegerSettingValue","settingValueTemplateReference":null,"value":{}}}}}]}}}}}}"##,
                (noise >> 8) % 1_000 + edits
            ),
            _ => push!(
                out,
                r##"ChoiceSettingInstance","settingDefinitionId":"{definition}","settingInstanceTemplateReference":null,"choiceSettingValue":{{"settingValueTemplateReference":{{"settingValueTemplateId":"ea7a7ed4-1d25-4f3b-92c4-5b1b1a1b0000","useTemplateDefault":false}},"value":"{definition}_{}","children":[]}}}}}}"##,
                (noise >> 8).wrapping_add(edits) % 4
            ),
        }
    }

    /// Writes the expanded `settings`; in part when that is wished for.
    pub fn write_settings_property(&self, out: &mut Vec<u8>, partial: bool, collection: Collection<'_>) {
        out.extend_from_slice(br#","settings":"#);
        if let Some(next) = self.write_settings(out, 0, if partial { 1 } else { u64::MAX }) {
            push!(out, r#","settings@odata.nextLink":"{}/{}/"#, collection.base, collection.path);
            self.write_own_id(out);
            push!(out, r#"/settings?$skiptoken={next}""#);
        }
    }
}
