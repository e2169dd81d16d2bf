//! Windows updates.

use super::*;

pub(super) fn resources() -> Vec<Resource> {
    vec![
        strict(paged(
            list(
                "deviceManagement/windowsFeatureUpdateProfiles",
                &[with!(kind("windowsFeatureUpdateProfile", &[], 3), fields = UPDATE)],
                ASG,
                CONF,
            ),
            50,
            200,
        )),
        strict(paged(
            list(
                "deviceManagement/windowsQualityUpdateProfiles",
                &[with!(kind("windowsQualityUpdateProfile", &[], 2), fields = UPDATE)],
                ASG,
                CONF,
            ),
            50,
            200,
        )),
        strict(paged(
            list(
                "deviceManagement/windowsQualityUpdatePolicies",
                &[with!(kind("windowsQualityUpdatePolicy", &[], 1), fields = &[("hotpatchEnabled", Field::Bool)])],
                ASG,
                CONF,
            ),
            50,
            200,
        )),
        strict(paged(
            list(
                "deviceManagement/windowsDriverUpdateProfiles",
                &[with!(
                    kind("windowsDriverUpdateProfile", &[], 3),
                    fields = &[
                        ("approvalType", Field::Enum(&["manual", "automatic"])),
                        ("newUpdates", Field::Counter),
                        ("deploymentDeferralInDays", Field::Number(14)),
                        ("deviceReporting", Field::Counter),
                        (
                            "inventorySyncStatus",
                            Field::Raw(
                                r#"{"lastSuccessfulSyncDateTime":"2026-01-01T00:00:00Z","driverInventorySyncState":"success"}"#
                            )
                        ),
                    ]
                )],
                ASG,
                CONF,
            ),
            50,
            200,
        )),
    ]
}
