//! Scripts and remediations.

use super::*;

pub(super) fn resources() -> Vec<Resource> {
    vec![
        list(
            "deviceManagement/deviceManagementScripts",
            &[with!(kind("deviceManagementScript", &[], 12), fields = SCRIPT)],
            ASG,
            SCR,
        ),
        list(
            "deviceManagement/deviceShellScripts",
            &[with!(kind("deviceShellScript", &[], 5), fields = SCRIPT)],
            ASG,
            SCR,
        ),
        list(
            "deviceManagement/deviceCustomAttributeShellScripts",
            &[with!(kind("deviceCustomAttributeShellScript", &[], 2), fields = SCRIPT)],
            &[],
            SCR,
        ),
        list(
            "deviceManagement/deviceHealthScripts",
            &[with!(
                kind("deviceHealthScript", &[], 10),
                fields = &[
                    ("publisher", Field::Text),
                    ("isGlobalScript", Field::Raw("false")),
                    ("highestAvailableVersion", Field::Null),
                    ("detectionScriptContent", Field::Null),
                    ("remediationScriptContent", Field::Null),
                    ("version", Field::Counter),
                ]
            )],
            ASG,
            SCR,
        ),
    ]
}
