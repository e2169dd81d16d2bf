//! Objects as JSON, written straight into a buffer: the simulator must never be what a benchmark measures.

use crate::{
    catalogue::{Field, IdForm, Kind},
    identity::mix,
    tenant::{Changes, GROUPS, KindNumber, TenantState, number_of},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use std::io::Write as _;

/// The mark of everything that must never be stored.
pub const SECRET_MARK: &str = "PLANTEDSECRET";

/// What comes along with an object.
#[derive(Debug, Clone, Copy, Default)]
pub struct Along {
    /// `assignments`
    pub assignments: bool,
    /// `settings`
    pub settings: bool,
    /// `scheduledActionsForRule`
    pub actions: bool,
    /// What only a single read tells: script bodies, scope tags of apps, items of policy sets.
    pub detail: bool,
    /// Expanded collections come in part, with a next link.
    pub partial: bool,
}

/// One object of one tenant.
#[derive(Clone, Copy)]
pub struct Object<'a> {
    /// Its tenant.
    pub tenant: &'a TenantState,
    /// Its kind.
    pub kind: &'static Kind,
    /// The number of its kind.
    pub number: KindNumber,
    /// Its index within the kind.
    pub index: u64,
}

macro_rules! push {
    ($out:expr, $($part:tt)*) => {{ let _ = write!($out, $($part)*); }};
}

const NOUNS: [&str; 12] = [
    "Baseline",
    "Pilot",
    "Production",
    "Kiosk",
    "Finance",
    "Field service",
    "Shared device",
    "Executive",
    "Classroom",
    "Warehouse",
    "Contractor",
    "Headquarters",
];
const TOPICS: [&str; 10] =
    ["BitLocker", "Firewall", "Password", "Updates", "Edge", "Defender", "Wi-Fi", "VPN", "Restrictions", "Browser"];

impl Object<'_> {
    fn noise(&self, salt: u64) -> u64 {
        mix(self.tenant.config.seed.wrapping_add(salt), u64::from(self.number), self.index)
    }

    fn changes(&self) -> Changes {
        self.tenant.changes(self.number, self.index)
    }

    /// The path of the object below the version.
    pub fn write(&self, out: &mut Vec<u8>, along: Along, link: &str) {
        let changes = self.changes();
        out.push(b'{');
        if let Some(odata) = self.subtype() {
            push!(out, r##""@odata.type":"#microsoft.graph.{odata}","##);
        }
        if self.kind.id != IdForm::Fixed("") {
            out.extend_from_slice(br#""id":""#);
            self.tenant.write_id(out, self.number, self.kind.id, self.index);
            out.extend_from_slice(b"\",");
        }
        if self.kind.key == "crossTenantAccessPartner" {
            out.extend_from_slice(br#""tenantId":""#);
            self.tenant.write_id(out, self.number, self.kind.id, self.index);
            out.extend_from_slice(b"\",");
        }
        if !self.kind.name.is_empty() {
            let noise = self.noise(1);
            push!(
                out,
                r#""{}":"{} {} {:05}"#,
                self.kind.name,
                NOUNS[noise as usize % NOUNS.len()],
                TOPICS[(noise >> 8) as usize % TOPICS.len()],
                self.index
            );
            if changes.renames > 0 {
                push!(out, " (renamed {})", changes.renames);
            }
            out.extend_from_slice(b"\",");
        }
        push!(out, r#""description":"Managed by the endpoint team, revision {}","#, changes.edits);
        let created = self.noise(2) % 80_000_000;
        out.extend_from_slice(br#""createdDateTime":""#);
        write_time(out, 1_700_000_000 + created);
        out.extend_from_slice(br#"","lastModifiedDateTime":""#);
        let touches = u64::from(changes.edits + changes.renames) * 86_400 + u64::from(changes.volatile) * 61;
        write_time(out, 1_700_000_000 + created + 3_600 + touches);
        out.push(b'"');
        if self.kind.tagged || (along.detail && self.kind.key == "mobileApp") {
            let tags = self.tenant.first_extent(number_of("roleScopeTag").unwrap_or(0)).max(1);
            match self.noise(3) % 4 {
                0 => push!(out, r#","roleScopeTagIds":["0","{}"]"#, self.noise(4) % tags),
                _ => push!(out, r#","roleScopeTagIds":["0"]"#),
            }
        }
        if let Some(family) = self.kind.family {
            self.write_policy_head(out, family);
        }
        for (salt, (name, field)) in (100..).zip(self.kind.fields) {
            push!(out, r#","{name}":"#);
            self.write_field(out, *field, salt, changes, along);
        }
        if along.settings {
            self.write_settings_property(out, along.partial, link);
        }
        if along.actions {
            out.extend_from_slice(br#","scheduledActionsForRule":"#);
            self.write_actions(out);
        }
        if along.assignments {
            out.extend_from_slice(br#","assignments":"#);
            self.write_assignments(out);
        }
        if along.detail && self.kind.key == "policySet" {
            out.extend_from_slice(
                br##","items":[{"@odata.type":"#microsoft.graph.mobileAppPolicySetItem","id":"item-1","payloadId":""##,
            );
            self.write_reference(out, "mobileApp", 7);
            push!(out, r#"","itemType":"mobileApp","status":"success","errorCode":"noError","intent":"required"}}]"#);
        }
        if along.detail && self.kind.key == "intuneRoleAssignment" {
            out.extend_from_slice(br#","roleDefinition":{"id":""#);
            self.write_reference(out, "intuneRoleDefinition", 8);
            out.extend_from_slice(br#"","displayName":"A role"}"#);
        }
        out.push(b'}');
    }

    /// `settings` of a settings catalogue or compliance policy, one page of them.
    pub fn write_settings(&self, out: &mut Vec<u8>, from: u64, most: u64) -> Option<u64> {
        let count = 3 + self.noise(20) % 7;
        let edits = self.changes().edits;
        out.push(b'[');
        let until = count.min(from.saturating_add(most));
        for row in from..until {
            if row > from {
                out.push(b',');
            }
            let noise = mix(self.noise(21), row, u64::from(edits) * u64::from(row == 0));
            let area = TOPICS[(self.noise(22) + row) as usize % TOPICS.len()].to_ascii_lowercase();
            if noise.is_multiple_of(11) {
                push!(
                    out,
                    r##"{{"id":"{row}","settingInstance":{{"@odata.type":"#microsoft.graph.deviceManagementConfigurationSimpleSettingInstance","settingDefinitionId":"device_vendor_msft_policy_config_{area}_sharedsecret{row}","settingInstanceTemplateReference":null,"simpleSettingValue":{{"@odata.type":"#microsoft.graph.deviceManagementConfigurationSecretSettingValue","settingValueTemplateReference":null,"value":"{SECRET_MARK}-{noise:x}","valueState":"notEncrypted"}}}}}}"##
                );
            } else {
                push!(
                    out,
                    r##"{{"id":"{row}","settingInstance":{{"@odata.type":"#microsoft.graph.deviceManagementConfigurationChoiceSettingInstance","settingDefinitionId":"device_vendor_msft_policy_config_{area}_setting{row}","settingInstanceTemplateReference":{{"settingInstanceTemplateId":"4eaa6fb5-6b2b-4a6e-a04f-3ba5c3a10000"}},"choiceSettingValue":{{"settingValueTemplateReference":null,"value":"device_vendor_msft_policy_config_{area}_setting{row}_{}","children":[{{"@odata.type":"#microsoft.graph.deviceManagementConfigurationSimpleSettingInstance","settingDefinitionId":"device_vendor_msft_policy_config_{area}_setting{row}_value","settingInstanceTemplateReference":null,"simpleSettingValue":{{"@odata.type":"#microsoft.graph.deviceManagementConfigurationIntegerSettingValue","settingValueTemplateReference":null,"value":{}}}}}]}}}}}}"##,
                    noise % 4,
                    noise % 1_000
                );
            }
        }
        out.push(b']');
        (until < count).then_some(until)
    }

    /// `assignments`.
    pub fn write_assignments(&self, out: &mut Vec<u8>) {
        let turn = u64::from(self.changes().assignments);
        let shape = (self.noise(30) + turn) % 5;
        out.push(b'[');
        let groups = self.tenant.groups();
        let filters = self.tenant.first_extent(number_of("assignmentFilter").unwrap_or(0)).max(1);
        let mut assignment = |nth: u64, target: &str, group: bool, filter: &str| {
            if nth > 0 {
                out.push(b',');
            }
            out.extend_from_slice(br#"{"id":""#);
            self.tenant.write_id(out, self.number, IdForm::Guid, self.index);
            push!(
                out,
                r##"_{nth}_{turn}","source":"direct","sourceId":"","intent":"apply","target":{{"@odata.type":"#microsoft.graph.{target}""##
            );
            if filter == "none" {
                push!(
                    out,
                    r#","deviceAndAppManagementAssignmentFilterId":null,"deviceAndAppManagementAssignmentFilterType":"none""#
                );
            } else {
                out.extend_from_slice(br#","deviceAndAppManagementAssignmentFilterId":""#);
                self.tenant.write_id(
                    out,
                    number_of("assignmentFilter").unwrap_or(0),
                    IdForm::Guid,
                    self.noise(31) % filters,
                );
                push!(out, r#"","deviceAndAppManagementAssignmentFilterType":"{filter}""#);
            }
            if group {
                out.extend_from_slice(br#","groupId":""#);
                self.tenant.write_id(out, GROUPS, IdForm::Guid, (self.noise(32) + nth * 7 + turn) % groups);
                out.push(b'"');
            }
            out.extend_from_slice(b"}}");
        };
        match shape {
            0 => {}
            1 => assignment(0, "allDevicesAssignmentTarget", false, "none"),
            2 => {
                assignment(0, "groupAssignmentTarget", true, "include");
                assignment(1, "exclusionGroupAssignmentTarget", true, "none");
            }
            3 => assignment(0, "groupAssignmentTarget", true, "none"),
            _ => assignment(0, "allLicensedUsersAssignmentTarget", false, "exclude"),
        }
        out.push(b']');
    }

    /// `scheduledActionsForRule`, with ids that a re-read may change.
    pub fn write_actions(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(br#"[{"id":""#);
        self.tenant.write_id(out, self.number, IdForm::Guid, self.index);
        push!(
            out,
            r#"-{}","ruleName":"PasswordRequired","scheduledActionConfigurations":[{{"id":"{:x}","gracePeriodHours":{},"actionType":"notification","notificationTemplateId":""#,
            self.changes().volatile,
            self.noise(40) ^ u64::from(self.changes().volatile),
            24 * (1 + self.noise(41) % 3)
        );
        self.write_reference(out, "notificationMessageTemplate", 42);
        out.extend_from_slice(br#"","notificationMessageCCList":[""#);
        self.tenant.write_id(out, GROUPS, IdForm::Guid, self.noise(43) % self.tenant.groups());
        out.extend_from_slice(br#""]}]}]"#);
    }

    fn subtype(&self) -> Option<&'static str> {
        let subtypes = self.kind.odata;
        (!subtypes.is_empty()).then(|| subtypes[self.noise(5) as usize % subtypes.len()])
    }

    fn write_policy_head(&self, out: &mut Vec<u8>, family: &str) {
        let platform = match (family, self.noise(6) % 4) {
            ("deviceConfigurationScripts", _) => "linux",
            ("none", 1) => "iOS",
            ("none", 2) => "macOS",
            _ => "windows10",
        };
        // Endpoint security comes in several families.
        let family = match (family, self.noise(7) % 4) {
            ("endpointSecurityAntivirus", 1) => "endpointSecurityFirewall",
            ("endpointSecurityAntivirus", 2) => "endpointSecurityDiskEncryption",
            ("endpointSecurityAntivirus", 3) => "endpointSecurityAttackSurfaceReduction",
            _ => family,
        };
        push!(
            out,
            r#","platforms":"{platform}","technologies":"{}","isAssigned":{},"creationSource":null,"priorityMetaData":null,"settingCount":{},"templateReference":{{"templateId":"{}","templateFamily":"{family}","templateDisplayName":null,"templateDisplayVersion":null}}"#,
            if platform == "linux" { "linuxMdm" } else { "mdm" },
            self.noise(30).is_multiple_of(2),
            3 + self.noise(20) % 7,
            if family == "none" { "" } else { "2d345ec2-c817-49e5-9156-3ed416dc972a_1" }
        );
    }

    fn write_settings_property(&self, out: &mut Vec<u8>, partial: bool, link: &str) {
        out.extend_from_slice(br#","settings":"#);
        let most = if partial { 1 } else { u64::MAX };
        if let Some(next) = self.write_settings(out, 0, most) {
            push!(out, r#","settings@odata.nextLink":"{link}/"#);
            self.tenant.write_id(out, self.number, self.kind.id, self.index);
            push!(out, r#"/settings?$skiptoken={next}""#);
        }
    }

    fn write_reference(&self, out: &mut Vec<u8>, key: &str, salt: u64) {
        let Some(number) = number_of(key) else { return };
        let form = crate::tenant::kinds().nth(usize::from(number)).map_or(IdForm::Guid, |(_, _, kind)| kind.id);
        let extent = self.tenant.first_extent(number).max(1);
        self.tenant.write_id(out, number, form, self.noise(salt) % extent);
    }

    fn write_field(&self, out: &mut Vec<u8>, field: Field, salt: u64, changes: Changes, along: Along) {
        // Only the first property of a kind follows its edits: one edit is one changed field.
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
            Field::Null
                if along.detail
                    && matches!(self.kind.fields, fields if fields.iter().any(|(name, _)| name.ends_with("riptContent"))) =>
            {
                push!(
                    out,
                    r#""{}""#,
                    STANDARD.encode(format!("# {SECRET_MARK}-script-{:x} revision {}", noise, changes.edits))
                );
            }
            Field::Null => out.extend_from_slice(b"null"),
            Field::Id(key) => {
                out.push(b'"');
                self.write_reference(out, key, salt);
                out.push(b'"');
            }
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
                self.tenant.write_id(out, GROUPS, IdForm::Guid, noise % self.tenant.groups());
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
        }
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

/// Writes seconds since 1970 as `2026-11-20T22:00:00Z` (days to civil date after Howard Hinnant's algorithm).
fn write_time(out: &mut Vec<u8>, seconds: u64) {
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let day_of_era = shifted % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_shifted + 2) / 5 + 1;
    let month = if month_shifted < 10 { month_shifted + 3 } else { month_shifted - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    push!(out, "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", rest / 3_600, rest / 60 % 60, rest % 60);
}

#[cfg(test)]
mod tests {
    use super::write_time;

    #[test]
    fn instants_are_written_as_graph_writes_them() {
        let mut out = Vec::new();
        write_time(&mut out, 1_700_000_000);
        assert_eq!(String::from_utf8(out).as_deref(), Ok("2023-11-14T22:13:20Z"));
    }
}
