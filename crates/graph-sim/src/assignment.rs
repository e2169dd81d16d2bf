//! Assignments, and the actions of compliance policies.

use std::io::Write as _;

use crate::catalogue::IdForm;
use crate::object::Object;
use crate::tenant::{GROUPS, number_of};

macro_rules! push {
    ($out:expr, $($part:tt)*) => {{ let _ = write!($out, $($part)*); }};
}

impl Object<'_> {
    /// `assignments`.
    pub fn write_assignments(&self, out: &mut Vec<u8>) {
        let turn = u64::from(self.changes().assignments);
        let (all_devices, group, exclusion) =
            ("allDevicesAssignmentTarget", "groupAssignmentTarget", "exclusionGroupAssignmentTarget");
        let targets: &[(&str, &str)] = match (self.noise(30) + turn) % 8 {
            0 => &[],
            1 => &[(all_devices, "none")],
            2 => &[(group, "include"), (exclusion, "none")],
            3 => &[(group, "exclude"), (group, "none"), (group, "none")],
            4 => &[(all_devices, "include"), (exclusion, "none")],
            5 => &[(group, "none")],
            6 => &[("configurationManagerCollectionAssignmentTarget", "none")],
            _ => &[("allLicensedUsersAssignmentTarget", "exclude")],
        };
        let config = &self.tenant.config;
        let in_large_group = self.noise(34) % config.objects.max(1) < config.large_group;
        let others = targets.iter().map(|target| (*target, None));
        let large = in_large_group.then_some(((group, "none"), Some(0)));
        out.push(b'[');
        for (nth, (target, to)) in (0..).zip(others.chain(large)) {
            if nth > 0 {
                out.push(b',');
            }
            self.write_assignment(out, nth, turn, target, to);
        }
        out.push(b']');
    }

    /// Writes one assignment: to a target with what the filter does, and to which group if not to one by chance.
    fn write_assignment(
        &self,
        out: &mut Vec<u8>,
        nth: u64,
        turn: u64,
        (target, filter): (&str, &str),
        group: Option<u64>,
    ) {
        let intent = match (self.kind.key, self.noise(33) % 3) {
            ("mobileApp", 0) => "available",
            ("mobileApp", _) => "required",
            _ => "apply",
        };
        out.extend_from_slice(br#"{"id":""#);
        self.tenant.write_id(out, self.number, IdForm::Guid, self.index);
        push!(
            out,
            r##"_{nth}_{turn}","source":"direct","sourceId":"","intent":"{intent}","target":{{"@odata.type":"#microsoft.graph.{target}","deviceAndAppManagementAssignmentFilterId":"##
        );
        if filter == "none" {
            out.extend_from_slice(b"null");
        } else {
            let number = number_of("assignmentFilter").unwrap_or(0);
            let filters = self.tenant.first_extent(number).max(1);
            out.push(b'"');
            self.tenant.write_id(out, number, IdForm::Guid, self.noise(31) % filters);
            out.push(b'"');
        }
        push!(out, r#","deviceAndAppManagementAssignmentFilterType":"{filter}""#);
        if target.starts_with("configurationManagerCollection") {
            push!(out, r#","collectionId":"SMS{:05}""#, (self.noise(32) + turn) % 100_000);
        }
        if target.ends_with("roupAssignmentTarget") {
            out.extend_from_slice(br#","groupId":""#);
            let chance = (self.noise(32) + nth * 7 + turn) % self.tenant.groups();
            self.tenant.write_id(out, GROUPS, IdForm::Guid, group.unwrap_or(chance));
            out.push(b'"');
        }
        out.extend_from_slice(b"}}");
    }

    /// Writes `scheduledActionsForRule`, with ids that a re-read may change.
    pub fn write_actions(&self, out: &mut Vec<u8>, with_configurations: bool) {
        let volatile = self.changes().volatile;
        out.extend_from_slice(br#"[{"id":""#);
        self.tenant.write_id(out, self.number, IdForm::Guid, self.index);
        push!(out, r#"-{volatile}","ruleName":"PasswordRequired""#);
        if with_configurations {
            out.extend_from_slice(br#","scheduledActionConfigurations":["#);
            push!(
                out,
                r#"{{"id":"{:x}","gracePeriodHours":0,"actionType":"block","notificationTemplateId":"00000000-0000-0000-0000-000000000000","notificationMessageCCList":[]}},"#,
                self.noise(44) ^ u64::from(volatile)
            );
            push!(
                out,
                r#"{{"id":"{:x}","gracePeriodHours":{},"actionType":"notification","notificationTemplateId":""#,
                self.noise(40) ^ u64::from(volatile),
                24 * (1 + self.noise(41) % 3)
            );
            self.write_reference(out, "notificationMessageTemplate", 42);
            out.extend_from_slice(br#"","notificationMessageCCList":[""#);
            self.tenant.write_id(out, GROUPS, IdForm::Guid, self.noise(43) % self.tenant.groups());
            out.extend_from_slice(br#""]}]"#);
        }
        out.extend_from_slice(b"}]");
    }
}
