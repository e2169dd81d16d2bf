//! Assignments, and the actions of compliance policies.

use crate::{
    catalogue::IdForm,
    object::Object,
    tenant::{GROUPS, number_of},
};
use std::io::Write as _;

macro_rules! push {
    ($out:expr, $($part:tt)*) => {{ let _ = write!($out, $($part)*); }};
}

impl Object<'_> {
    /// `assignments`.
    pub fn write_assignments(&self, out: &mut Vec<u8>) {
        let turn = u64::from(self.changes().assignments);
        let shape = (self.noise(30) + turn) % 7;
        out.push(b'[');
        let groups = self.tenant.groups();
        let intent = match (self.kind.key, self.noise(33) % 3) {
            ("mobileApp", 0) => "available",
            ("mobileApp", _) => "required",
            _ => "apply",
        };
        let filters = self.tenant.first_extent(number_of("assignmentFilter").unwrap_or(0)).max(1);
        let mut assignment = |nth: u64, target: &str, group: bool, filter: &str| {
            if nth > 0 {
                out.push(b',');
            }
            out.extend_from_slice(br#"{"id":""#);
            self.tenant.write_id(out, self.number, IdForm::Guid, self.index);
            push!(
                out,
                r##"_{nth}_{turn}","source":"direct","sourceId":"","intent":"{intent}","target":{{"@odata.type":"#microsoft.graph.{target}""##
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
            3 => {
                for nth in 0..3 {
                    assignment(nth, "groupAssignmentTarget", true, if nth == 0 { "exclude" } else { "none" });
                }
            }
            4 => {
                assignment(0, "allDevicesAssignmentTarget", false, "include");
                assignment(1, "exclusionGroupAssignmentTarget", true, "none");
            }
            5 => assignment(0, "groupAssignmentTarget", true, "none"),
            _ => assignment(0, "allLicensedUsersAssignmentTarget", false, "exclude"),
        }
        out.push(b']');
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
                r#"{{"id":"{:x}","gracePeriodHours":0,"actionType":"block","notificationTemplateId":"","notificationMessageCCList":[]}},"#,
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
