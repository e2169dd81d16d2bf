//! Apps, their configuration and protection.

use super::*;

const DETECTION: &str = r##"[{"@odata.type":"#microsoft.graph.win32LobAppFileSystemDetection","path":"C:\\Program Files\\Vendor","fileOrFolderName":"app.exe","check32BitOn64System":false,"detectionType":"exists","operator":"notConfigured","detectionValue":null}]"##;
const MANAGED: &[&str] = &["managedIOSStoreApp", "managedAndroidStoreApp"];
const EXPERIENCE: &str = r#"{"runAsAccount":"system","deviceRestartBehavior":"suppress"}"#;
const PROTECTED_APPS: &[(&str, Field)] = &[("apps", Field::Apps)];
const LOCKER_FILES: &[(&str, Field)] =
    &[("protectedAppLockerFiles", Field::LockerFiles), ("exemptAppLockerFiles", Field::Raw("[]"))];
const MOBILE_APP: &[(&str, Field)] = &[
    ("publisher", Field::Text),
    ("isFeatured", Field::Bool),
    ("largeIcon", Field::Raw(r#"{"type":"image/png","value":"UExBTlRFRFNFQ1JFVC1pY29u"}"#)),
    ("publishingState", Field::Is("published")),
    ("uploadState", Field::Counter),
    ("dependentAppCount", Field::Raw("0")),
    ("supersedingAppCount", Field::Raw("0")),
    ("supersededAppCount", Field::Raw("0")),
    ("developer", Field::Text),
    ("owner", Field::Is("")),
    ("notes", Field::Null),
    ("informationUrl", Field::Is("https://example.com/apps")),
    ("privacyInformationUrl", Field::Null),
    ("isAssigned", Field::Bool),
    ("vppTokenId", Field::On(&["iosVppApp"], &Field::OptionalId("vppToken"))),
    ("bundleId", Field::On(&["iosVppApp", "iosStoreApp", "macOSLobApp"], &Field::Is("com.vendor.app"))),
    ("usedLicenseCount", Field::On(&["iosVppApp"], &Field::Counter)),
    ("totalLicenseCount", Field::On(&["iosVppApp"], &Field::Number(500))),
    ("fileName", Field::On(&["win32LobApp", "macOSLobApp"], &Field::Is("setup.intunewin"))),
    ("size", Field::On(&["win32LobApp", "macOSLobApp"], &Field::Counter)),
    ("committedContentVersion", Field::On(&["win32LobApp", "macOSLobApp"], &Field::Is("1"))),
    ("installCommandLine", Field::On(&["win32LobApp"], &Field::Is("setup.exe /quiet /norestart"))),
    ("uninstallCommandLine", Field::On(&["win32LobApp"], &Field::Is("setup.exe /uninstall /quiet"))),
    ("applicableArchitectures", Field::On(&["win32LobApp"], &Field::Enum(&["x64", "x86,x64"]))),
    ("detectionRules", Field::On(&["win32LobApp"], &Field::Raw(DETECTION))),
    ("installExperience", Field::On(&["win32LobApp"], &Field::Raw(EXPERIENCE))),
    ("packageIdentifier", Field::On(&["winGetApp"], &Field::Is("9NBLGGH4NNS1"))),
    ("packageId", Field::On(&["androidManagedStoreApp"], &Field::Is("com.vendor.app"))),
    ("appUrl", Field::On(&["webApp"], &Field::Is("https://intranet.example.com"))),
    ("vppTokenAppleId", Field::On(&["iosVppApp"], &Field::Person)),
    ("displayVersion", Field::On(&["win32LobApp"], &Field::Enum(&["", "1.2.3", "24.09"]))),
    ("appAvailability", Field::On(MANAGED, &Field::Enum(&["global", "lineOfBusiness"]))),
];

pub(super) fn resources() -> Vec<Resource> {
    [apps(), protection(), information_protection(), sets_and_tokens(), books_and_profiles()].concat()
}

/// Apps and their categories.
fn apps() -> Vec<Resource> {
    vec![
        v1(list(
            "deviceAppManagement/mobileApps",
            &[with!(
                kind(
                    "mobileApp",
                    &[
                        "win32LobApp",
                        "winGetApp",
                        "iosVppApp",
                        "iosStoreApp",
                        "androidManagedStoreApp",
                        "macOSLobApp",
                        "officeSuiteApp",
                        "webApp",
                        "managedIOSStoreApp",
                        "managedAndroidStoreApp"
                    ],
                    120
                ),
                tagged = false,
                fields = MOBILE_APP,
                expandable =
                    &[("categories", Field::Named("mobileAppCategory")), ("relationships", Field::Relationships)]
            )],
            &["assignments", "categories"],
            APPS,
        )),
        v1(list(
            "deviceAppManagement/mobileAppCategories",
            &[with!(bare("mobileAppCategory", 60), weight = 1)],
            &[],
            APPS,
        )),
    ]
}

/// What is set up and protected in apps.
fn protection() -> Vec<Resource> {
    vec![
        v1(list(
            "deviceAppManagement/targetedManagedAppConfigurations",
            &[with!(
                kind("mamAppConfiguration", &[], 5),
                id = IdForm::Prefixed("A_"),
                fields = &[
                    ("customSettings", Field::Raw(r#"[{"name":"com.vendor.flag","value":"1"}]"#)),
                    ("deployedAppCount", Field::Counter),
                    ("version", Field::Counter),
                ],
                expandable = PROTECTED_APPS
            )],
            &["apps"],
            APPS,
        )),
        v1(list(
            "deviceAppManagement/iosManagedAppProtections",
            &[with!(
                kind("appProtectionIos", &[], 3),
                id = IdForm::Prefixed("T_"),
                fields = APP_PROTECTION,
                expandable = PROTECTED_APPS
            )],
            &["apps", "assignments"],
            APPS,
        )),
        v1(list(
            "deviceAppManagement/androidManagedAppProtections",
            &[with!(
                kind("appProtectionAndroid", &[], 3),
                id = IdForm::Prefixed("T_"),
                fields = APP_PROTECTION,
                expandable = PROTECTED_APPS
            )],
            &["apps", "assignments"],
            APPS,
        )),
        list(
            "deviceAppManagement/windowsManagedAppProtections",
            &[with!(
                kind("appProtectionWindows", &[], 1),
                id = IdForm::Prefixed("T_"),
                fields = APP_PROTECTION,
                expandable = PROTECTED_APPS
            )],
            &["apps", "assignments"],
            APPS,
        ),
    ]
}

/// Windows Information Protection, and the default.
fn information_protection() -> Vec<Resource> {
    vec![
        v1(list(
            "deviceAppManagement/mdmWindowsInformationProtectionPolicies",
            &[with!(
                kind("wipPolicyMdm", &[], 1),
                most = 20,
                fields = &[("enforcementLevel", Field::Enum(&["noProtection", "encryptAndAuditOnly"]))],
                expandable = LOCKER_FILES
            )],
            &["protectedAppLockerFiles", "exemptAppLockerFiles"],
            APPS,
        )),
        v1(list(
            "deviceAppManagement/windowsInformationProtectionPolicies",
            &[with!(
                kind("wipPolicy", &[], 1),
                most = 20,
                fields = &[("enforcementLevel", Field::Enum(&["noProtection", "encryptAndAuditOnly"]))],
                expandable = LOCKER_FILES
            )],
            &["protectedAppLockerFiles", "exemptAppLockerFiles"],
            APPS,
        )),
        v1(list(
            "deviceAppManagement/defaultManagedAppProtections",
            &[with!(bare("appProtectionDefault", 2), fields = APP_PROTECTION, expandable = PROTECTED_APPS)],
            &["apps"],
            APPS,
        )),
    ]
}

/// Policy sets, and tokens of volume purchases.
fn sets_and_tokens() -> Vec<Resource> {
    vec![
        list(
            "deviceAppManagement/policySets",
            &[with!(
                kind("policySet", &[], 1),
                tagged = false,
                most = 500,
                fields = &[("status", Field::Is("success")), ("errorCode", Field::Is("noError"))],
                expandable = &[("items", Field::PolicySetItems)]
            )],
            &[],
            CONF,
        ),
        v1(list(
            "deviceAppManagement/vppTokens",
            &[with!(
                bare("vppToken", 6),
                name = "organizationName",
                fields = &[
                    ("appleId", Field::Person),
                    ("token", Field::Secret),
                    ("expirationDateTime", Field::Date),
                    ("lastSyncDateTime", Field::Heartbeat),
                    ("usedLicenseCount", Field::Counter),
                    ("state", Field::Is("valid")),
                    ("displayName", Field::Name),
                    ("vppTokenAccountType", Field::Is("business")),
                    ("countryOrRegion", Field::Is("de")),
                ]
            )],
            &[],
            SVC,
        )),
    ]
}

/// Books, provisioning profiles, and code integrity.
fn books_and_profiles() -> Vec<Resource> {
    vec![
        v1(list("deviceAppManagement/managedEBooks", &[with!(bare("managedEBook", 10), assigned = true)], &[], APPS)),
        list(
            "deviceAppManagement/iosLobAppProvisioningConfigurations",
            &[with!(
                kind("iosLobProvisioningProfile", &[], 1),
                most = 50,
                fields = &[
                    ("expirationDateTime", Field::Date),
                    ("payload", Field::SecretBase64),
                    ("payloadFileName", Field::Text)
                ]
            )],
            &[],
            CONF,
        ),
        list(
            "deviceAppManagement/wdacSupplementalPolicies",
            &[with!(bare("wdacSupplementalPolicy", 5), assigned = true, fields = &[("content", Field::SecretBase64)])],
            &[],
            APPS,
        ),
    ]
}
