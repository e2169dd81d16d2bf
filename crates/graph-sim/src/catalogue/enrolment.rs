//! Enrolment.

use super::*;

pub(super) fn resources() -> Vec<Resource> {
    [configurations(), profiles(), tokens(), terms_and_categories(), services()].concat()
}

/// Configurations of enrolment.
fn configurations() -> Vec<Resource> {
    let kinds = [limits(), others()].concat();
    vec![v1(list("deviceManagement/deviceEnrollmentConfigurations", &kinds, ASG, SVC))]
}

/// Who and what may enrol, and what is seen meanwhile.
fn limits() -> Vec<Kind> {
    vec![
        with!(
            kind("enrollmentStatusPage", &["windows10EnrollmentCompletionPageConfiguration"], 4),
            id = IdForm::Suffixed("_Windows10EnrollmentCompletionPageConfiguration"),
            fields = &[
                ("priority", Field::Counter),
                ("showInstallationProgress", Field::Bool),
                ("installProgressTimeoutInMinutes", Field::Number(120)),
                ("selectedMobileAppIds", Field::Ids("mobileApp")),
            ]
        ),
        with!(
            kind("enrollmentLimit", &["deviceEnrollmentLimitConfiguration"], 1),
            id = IdForm::Suffixed("_Limit"),
            fields = &[("limit", Field::Number(15)), ("priority", Field::Counter)]
        ),
        with!(
            kind(
                "enrollmentPlatformRestriction",
                &[
                    "deviceEnrollmentPlatformRestrictionConfiguration",
                    "deviceEnrollmentPlatformRestrictionsConfiguration"
                ],
                2
            ),
            id = IdForm::Suffixed("_SinglePlatformRestriction"),
            fields = &[("platformType", Field::Enum(&["ios", "windows", "mac"])), ("priority", Field::Counter)]
        ),
    ]
}

/// The other kinds of configuration.
fn others() -> Vec<Kind> {
    vec![
        with!(
            kind("enrollmentNotification", &["deviceEnrollmentNotificationConfiguration"], 1),
            id = IdForm::Suffixed("_EnrollmentNotificationsConfiguration"),
            fields = &[
                ("defaultLocale", Field::Is("en-us")),
                ("templateType", Field::Enum(&["email", "push"])),
                ("notificationTemplates", Field::NotificationTemplates),
                ("priority", Field::Counter)
            ]
        ),
        with!(
            kind("windowsHelloForBusiness", &["deviceEnrollmentWindowsHelloForBusinessConfiguration"], 1),
            most = 3,
            id = IdForm::Suffixed("_DefaultWindowsHelloForBusiness"),
            fields = &[("pinMinimumLength", Field::Number(12)), ("state", Field::Enum(&["enabled", "notConfigured"]))]
        ),
        with!(
            kind("comanagementSettings", &["deviceComanagementAuthorityConfiguration"], 1),
            most = 20,
            id = IdForm::Suffixed("_Windows10EnrollmentComanagement"),
            fields = &[("managedDeviceAuthority", Field::Number(2))]
        ),
        with!(
            kind("windowsRestore", &["windowsRestoreDeviceEnrollmentConfiguration"], 1),
            most = 5,
            id = IdForm::Suffixed("_WindowsRestore"),
            fields = &[("state", Field::Enum(&["enabled", "disabled"]))]
        ),
    ]
}

/// Profiles of Windows and Apple.
fn profiles() -> Vec<Resource> {
    vec![
        list(
            "deviceManagement/windowsAutopilotDeploymentProfiles",
            &[with!(
                kind(
                    "autopilotProfile",
                    &["azureADWindowsAutopilotDeploymentProfile", "activeDirectoryWindowsAutopilotDeploymentProfile"],
                    4
                ),
                fields = &[
                    ("deviceNameTemplate", Field::Is("PC-%SERIAL%")),
                    ("locale", Field::Is("os-default")),
                    ("preprovisioningAllowed", Field::Bool),
                    ("managementServiceAppId", Field::Null),
                ]
            )],
            &[],
            SVC,
        ),
        list(
            "deviceManagement/appleUserInitiatedEnrollmentProfiles",
            &[with!(
                kind("appleUserEnrollmentProfile", &[], 1),
                tagged = false,
                fields = &[("priority", Field::Counter), ("platform", Field::Is("iOS"))]
            )],
            &[],
            SVC,
        ),
    ]
}

/// Tokens and profiles that hold one.
fn tokens() -> Vec<Resource> {
    vec![
        list(
            "deviceManagement/depOnboardingSettings",
            &[with!(
                bare("appleEnrollmentToken", 5),
                name = "tokenName",
                fields = &[
                    ("appleIdentifier", Field::Person),
                    ("tokenExpirationDateTime", Field::Date),
                    ("lastSuccessfulSyncDateTime", Field::Heartbeat),
                    ("lastSyncErrorCode", Field::Counter),
                    ("syncedDeviceCount", Field::Counter),
                    ("tokenType", Field::Is("dep")),
                ]
            )],
            &[],
            SVC,
        ),
        list(
            "deviceManagement/androidDeviceOwnerEnrollmentProfiles",
            &[with!(
                bare("androidEnrollmentProfile", 300),
                weight = 2,
                tagged = true,
                fields = &[
                    ("enrollmentMode", Field::Enum(&["corporateOwnedDedicatedDevice", "corporateOwnedFullyManaged"])),
                    ("tokenValue", Field::Secret),
                    ("qrCodeContent", Field::Secret),
                    ("qrCodeImage", Field::Raw(r#"{"type":"image/png","value":"UExBTlRFRFNFQ1JFVC1xcg=="}"#)),
                    ("wifiPassword", Field::Secret),
                    ("wifiSsid", Field::Text),
                    ("tokenExpirationDateTime", Field::Date),
                    ("enrolledDeviceCount", Field::Counter),
                    ("enrollmentTokenUsageCount", Field::Counter),
                ]
            )],
            &[],
            CONF,
        ),
    ]
}

/// What people agree to and choose.
fn terms_and_categories() -> Vec<Resource> {
    vec![
        v1(list(
            "deviceManagement/termsAndConditions",
            &[with!(
                kind("termsAndConditions", &[], 1),
                most = 100,
                fields = &[
                    ("title", Field::Text),
                    ("bodyText", Field::Text),
                    ("acceptanceStatement", Field::Text),
                    ("version", Field::Counter)
                ]
            )],
            &[],
            SVC,
        )),
        v1(paged(
            list(
                "deviceManagement/deviceCategories",
                &[with!(bare("deviceCategory", 100), weight = 1, tagged = true)],
                &[],
                CONF,
            ),
            100,
            500,
        )),
    ]
}

/// The services of Google and Apple.
fn services() -> Vec<Resource> {
    vec![
        single(
            "deviceManagement/androidManagedStoreAccountEnterpriseSettings",
            &[with!(
                bare("androidManagedStore", 1),
                id = IdForm::Fixed("androidManagedStoreAccountEnterpriseSettings"),
                name = "ownerOrganizationName",
                fields = &[
                    ("bindStatus", Field::Is("boundAndValidated")),
                    ("ownerUserPrincipalName", Field::Person),
                    ("lastAppSyncDateTime", Field::Heartbeat),
                    ("companyCodes", Field::Raw("[]")),
                ]
            )],
            CONF,
        ),
        single(
            "deviceManagement/applePushNotificationCertificate",
            &[with!(
                bare("applePushCertificate", 1),
                name = "topicIdentifier",
                fields = &[
                    ("appleIdentifier", Field::Person),
                    ("expirationDateTime", Field::Date),
                    ("certificate", Field::SecretBase64),
                    ("certificateSerialNumber", Field::Text),
                ]
            )],
            CONF,
        ),
    ]
}
