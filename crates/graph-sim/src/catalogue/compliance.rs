//! Compliance.

use super::*;

pub(super) fn resources() -> Vec<Resource> {
    [policies(), scripts_and_messages()].concat()
}

/// Policies.
fn policies() -> Vec<Resource> {
    vec![
        v1(list(
            "deviceManagement/deviceCompliancePolicies",
            &[with!(
                kind(
                    "deviceCompliancePolicy",
                    &[
                        "windows10CompliancePolicy",
                        "iosCompliancePolicy",
                        "macOSCompliancePolicy",
                        "androidDeviceOwnerCompliancePolicy"
                    ],
                    30
                ),
                fields = &[
                    ("passwordRequired", Field::Bool),
                    ("osMinimumVersion", Field::Enum(&["10.0.19045.0", "17.1", "14.2"])),
                    ("passwordMinimumLength", Field::Number(16)),
                    ("version", Field::Counter),
                    (
                        "deviceCompliancePolicyScript",
                        Field::On(&["windows10CompliancePolicy"], &Field::ComplianceScript)
                    ),
                    ("bitLockerEnabled", Field::On(&["windows10CompliancePolicy"], &Field::Bool)),
                    ("secureBootEnabled", Field::On(&["windows10CompliancePolicy"], &Field::Bool)),
                    ("securityBlockJailbrokenDevices", Field::On(&["iosCompliancePolicy"], &Field::Bool)),
                    ("storageRequireEncryption", Field::Bool),
                    ("passwordRequiredType", Field::Enum(&["deviceDefault", "alphanumeric", "numeric"])),
                    ("passwordPreviousPasswordBlockCount", Field::Null),
                    ("validOperatingSystemBuildRanges", Field::Raw("[]")),
                ]
            )],
            &["assignments", "scheduledActionsForRule"],
            CONF,
        )),
        // The same service as the settings catalogue.
        paged(
            list(
                "deviceManagement/compliancePolicies",
                &[with!(
                    kind("linuxCompliancePolicy", &[], 3),
                    name = "name",
                    fields = &[
                        ("platforms", Field::Is("linux")),
                        ("technologies", Field::Is("linuxMdm")),
                        ("settingCount", Field::SettingCount)
                    ]
                )],
                &["settings"],
                CONF,
            ),
            25,
            1_000,
        ),
    ]
}

/// Their scripts, and what people are told.
fn scripts_and_messages() -> Vec<Resource> {
    vec![
        list(
            "deviceManagement/deviceComplianceScripts",
            &[with!(
                kind("deviceComplianceScript", &[], 2),
                most = 1_000,
                fields = &[
                    ("publisher", Field::Text),
                    ("runAsAccount", Field::Enum(&["system", "user"])),
                    ("detectionScriptContent", Field::Null),
                    ("version", Field::Counter),
                ]
            )],
            &[],
            SCR,
        ),
        v1(list(
            "deviceManagement/notificationMessageTemplates",
            &[with!(
                kind("notificationMessageTemplate", &[], 1),
                assigned = false,
                most = 300,
                fields = &[
                    ("defaultLocale", Field::Is("en-us")),
                    ("brandingOptions", Field::Enum(&["includeCompanyLogo", "none"])),
                ],
                expandable = &[(
                    "localizedNotificationMessages",
                    Field::Raw(
                        r#"[{"id":"0e9c9d4b-1b80-4c52-8fd2-f6c5a9cbd1a1_en-us","locale":"en-us","subject":"Your device","messageTemplate":"Please update.","isDefault":true}]"#
                    )
                ),]
            )],
            &["localizedNotificationMessages"],
            SVC,
        )),
    ]
}
