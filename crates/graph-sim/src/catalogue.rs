//! What the simulated Graph offers: collections with their limits and permissions, and the kinds of objects in them.
//!
//! Written from Microsoft's documentation and the published metadata, not from the client's registry.

use std::sync::LazyLock;

/// How an object is identified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdForm {
    /// A GUID.
    Guid,
    /// A prefix and a GUID, such as `T_`.
    Prefixed(&'static str),
    /// A GUID and a suffix, such as `_Windows10EnrollmentCompletionPageConfiguration`.
    Suffixed(&'static str),
    /// `0`, `1`, `2` …
    Integer,
    /// `c1`, `c2` …
    Context,
    /// Always the same text.
    Fixed(&'static str),
}

/// What a property holds.
#[derive(Debug, Clone, Copy)]
pub enum Field {
    /// A short text that an edit changes.
    Text,
    /// A fixed text.
    Is(&'static str),
    /// True or false.
    Bool,
    /// A number below this that an edit changes.
    Number(u64),
    /// One of these.
    Enum(&'static [&'static str]),
    /// An instant of the past.
    Date,
    /// An instant that moves without meaning (heartbeats, last syncs).
    Heartbeat,
    /// A number that moves without meaning.
    Counter,
    /// Something that must never be stored.
    Secret,
    /// The same as base64.
    SecretBase64,
    /// A person's address: personal data.
    Person,
    /// The ids of one to three objects of the kind with this key.
    Ids(&'static str),
    /// The id of one object of the kind with this key.
    Id(&'static str),
    /// The ids of groups.
    Groups,
    /// JSON as it stands.
    Raw(&'static str),
    /// OMA settings, the second of them encrypted.
    OmaSettings,
    /// A list of apps as app protection has it.
    Apps,
    /// The conditions and controls of a conditional access policy.
    ConditionalAccess,
    /// A null.
    Null,
}

/// A kind of object: what our users call a policy type.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    /// The key under which expectations are told.
    pub key: &'static str,
    /// Subtypes without `#microsoft.graph.`; empty when the objects carry none.
    pub odata: &'static [&'static str],
    /// The property with the name.
    pub name: &'static str,
    /// How its objects are identified.
    pub id: IdForm,
    /// Its share of all objects.
    pub weight: u64,
    /// It never has more than this.
    pub most: u64,
    /// Whether its objects have assignments.
    pub assigned: bool,
    /// `templateFamily` of settings catalogue policies.
    pub family: Option<&'static str>,
    /// Whether its objects carry `roleScopeTagIds`.
    pub tagged: bool,
    /// Further properties.
    pub fields: &'static [(&'static str, Field)],
}

/// A collection or a single object.
#[derive(Debug, Clone)]
pub struct Resource {
    /// The path below the version, in the documentation's case.
    pub path: &'static str,
    /// Its kinds; objects come in this order.
    pub kinds: Vec<Kind>,
    /// What `$expand` takes on the list.
    pub expand: &'static [&'static str],
    /// Objects in a page when `$top` is not given.
    pub page: u64,
    /// The largest `$top`; more is clamped.
    pub most: u64,
    /// Any of these permissions lets it be read.
    pub permissions: &'static [&'static str],
    /// Whether it is one object and not a collection.
    pub single: bool,
    /// Whether v1.0 has it.
    pub v1: bool,
}

const CONF: &[&str] = &["DeviceManagementConfiguration.Read.All"];
const APPS: &[&str] = &["DeviceManagementApps.Read.All"];
const SVC: &[&str] = &["DeviceManagementServiceConfig.Read.All"];
const RBAC: &[&str] = &["DeviceManagementRBAC.Read.All"];
const SCR: &[&str] = &["DeviceManagementScripts.Read.All", "DeviceManagementConfiguration.Read.All"];
const POL: &[&str] = &["Policy.Read.All"];
const CPC: &[&str] = &["CloudPC.Read.All"];
const ASG: &[&str] = &["assignments"];

const fn kind(key: &'static str, odata: &'static [&'static str], weight: u64) -> Kind {
    Kind {
        key,
        odata,
        name: "displayName",
        id: IdForm::Guid,
        weight,
        most: u64::MAX,
        assigned: true,
        family: None,
        tagged: true,
        fields: &[],
    }
}

const fn bare(key: &'static str, most: u64) -> Kind {
    let mut kind = kind(key, &[], 1);
    kind.most = most;
    kind.assigned = false;
    kind.tagged = false;
    kind
}

const fn catalogue_policy(key: &'static str, family: &'static str, weight: u64) -> Kind {
    let mut kind = kind(key, &[], weight);
    kind.name = "name";
    kind.family = Some(family);
    kind
}

macro_rules! with {
    ($kind:expr, $($field:ident = $value:expr),+ $(,)?) => {{
        let mut kind = $kind;
        $(kind.$field = $value;)+
        kind
    }};
}

fn list(
    path: &'static str,
    kinds: &[Kind],
    expand: &'static [&'static str],
    permissions: &'static [&'static str],
) -> Resource {
    Resource { path, kinds: kinds.to_vec(), expand, page: 100, most: 1_000, permissions, single: false, v1: false }
}

fn paged(mut resource: Resource, page: u64, most: u64) -> Resource {
    resource.page = page;
    resource.most = most;
    resource
}

fn v1(mut resource: Resource) -> Resource {
    resource.v1 = true;
    resource
}

fn single(path: &'static str, kinds: &[Kind], permissions: &'static [&'static str]) -> Resource {
    let mut resource = list(path, kinds, &[], permissions);
    resource.single = true;
    resource.v1 = true;
    resource
}

const APP_PROTECTION: &[(&str, Field)] = &[
    ("periodOfflineBeforeAccessCheck", Field::Enum(&["PT12H", "PT24H"])),
    ("allowedInboundDataTransferSources", Field::Enum(&["allApps", "managedApps", "none"])),
    ("pinRequired", Field::Bool),
    ("maximumPinRetries", Field::Number(10)),
    ("deployedAppCount", Field::Counter),
    ("isAssigned", Field::Bool),
    ("version", Field::Counter),
    ("apps", Field::Apps),
];
const UPDATE: &[(&str, Field)] = &[
    ("featureUpdateVersion", Field::Enum(&["Windows 11, version 24H2", "Windows 11, version 25H2"])),
    ("deployableContentDisplayName", Field::Text),
    ("endOfSupportDate", Field::Heartbeat),
];
const SCRIPT: &[(&str, Field)] = &[
    ("runAsAccount", Field::Enum(&["system", "user"])),
    ("fileName", Field::Is("configure.ps1")),
    ("scriptContent", Field::Null),
];

/// Everything that the simulated Graph offers besides groups, the organization and `$batch`.
pub static RESOURCES: LazyLock<Vec<Resource>> = LazyLock::new(|| {
    vec![
        paged(
            list(
                "deviceManagement/configurationPolicies",
                &[
                    catalogue_policy("settingsCatalogPolicy", "none", 110),
                    catalogue_policy("endpointSecurityPolicy", "endpointSecurityAntivirus", 30),
                    catalogue_policy("securityBaselinePolicy", "baseline", 6),
                    with!(catalogue_policy("linuxScriptPolicy", "deviceConfigurationScripts", 2), most = 400),
                    with!(catalogue_policy("devicePreparationPolicy", "enrollmentConfiguration", 1), most = 200),
                    with!(catalogue_policy("appQuietTimePolicy", "appQuietTime", 1), most = 50),
                    with!(catalogue_policy("companyPortalPolicy", "companyPortal", 1), most = 50),
                    with!(catalogue_policy("windowsOsRecoveryPolicy", "windowsOsRecoveryPolicies", 1), most = 50),
                    with!(
                        catalogue_policy("windowsRecoveryPolicy", "windowsRecoveryAndRemediationConfiguration", 1),
                        most = 50
                    ),
                    with!(catalogue_policy("maintenanceWindowPolicy", "maintenanceWindows", 1), most = 50),
                ],
                &["assignments", "settings"],
                CONF,
            ),
            25,
            1_000,
        ),
        v1(list(
            "deviceManagement/deviceConfigurations",
            &[
                with!(
                    kind(
                        "deviceConfiguration",
                        &[
                            "windows10CustomConfiguration",
                            "windows10GeneralConfiguration",
                            "iosGeneralDeviceConfiguration",
                            "macOSGeneralDeviceConfiguration",
                            "androidDeviceOwnerGeneralDeviceConfiguration",
                            "windowsWifiConfiguration",
                            "iosVpnConfiguration",
                        ],
                        90
                    ),
                    fields = &[
                        ("passwordRequired", Field::Bool),
                        ("passwordMinimumLength", Field::Number(16)),
                        ("omaSettings", Field::OmaSettings),
                        ("preSharedKey", Field::Secret),
                        ("sharedSecret", Field::Secret),
                        ("version", Field::Counter),
                        ("supportsScopeTags", Field::Bool),
                    ]
                ),
                with!(
                    kind("windowsUpdateRing", &["windowsUpdateForBusinessConfiguration"], 6),
                    fields = &[
                        ("qualityUpdatesDeferralPeriodInDays", Field::Number(30)),
                        ("featureUpdatesDeferralPeriodInDays", Field::Number(180)),
                        ("qualityUpdatesPauseExpiryDateTime", Field::Heartbeat),
                        ("featureUpdatesRollbackStartDateTime", Field::Heartbeat),
                    ]
                ),
                with!(
                    kind("iosUpdateConfiguration", &["iosUpdateConfiguration"], 2),
                    fields = &[("enforcedSoftwareUpdateDelayInDays", Field::Number(30))]
                ),
            ],
            ASG,
            CONF,
        )),
        list(
            "deviceManagement/groupPolicyConfigurations",
            &[with!(
                kind("groupPolicyConfiguration", &[], 12),
                fields = &[("policyConfigurationIngestionType", Field::Enum(&["builtIn", "custom"]))]
            )],
            ASG,
            CONF,
        ),
        list(
            "deviceManagement/groupPolicyUploadedDefinitionFiles",
            &[with!(
                bare("groupPolicyUploadedDefinitionFile", 40),
                name = "fileName",
                fields = &[
                    ("status", Field::Enum(&["available"])),
                    ("targetPrefix", Field::Text),
                    ("targetNamespace", Field::Text),
                    ("revision", Field::Is("1.0")),
                    ("content", Field::SecretBase64),
                ]
            )],
            &[],
            CONF,
        ),
        list(
            "deviceManagement/hardwareConfigurations",
            &[with!(
                kind("hardwareConfiguration", &[], 2),
                fields = &[
                    ("fileName", Field::Text),
                    ("hardwareConfigurationFormat", Field::Enum(&["dell"])),
                    ("configurationFileContent", Field::SecretBase64),
                ]
            )],
            &[],
            CONF,
        ),
        v1(list(
            "deviceAppManagement/mobileAppConfigurations",
            &[
                with!(
                    kind(
                        "managedDeviceAppConfiguration",
                        &["iosMobileAppConfiguration", "androidManagedStoreAppConfiguration"],
                        12
                    ),
                    fields = &[
                        ("targetedMobileApps", Field::Ids("mobileApp")),
                        ("encodedSettingXml", Field::SecretBase64),
                        ("appSupportsOemConfig", Field::Raw("false")),
                        ("version", Field::Counter),
                    ]
                ),
                with!(
                    kind("oemConfigPolicy", &["androidManagedStoreAppConfiguration"], 2),
                    fields = &[
                        ("packageId", Field::Is("app:com.vendor.oemconfig")),
                        ("appSupportsOemConfig", Field::Raw("true")),
                        ("payloadJson", Field::SecretBase64),
                        ("targetedMobileApps", Field::Ids("mobileApp")),
                    ]
                ),
            ],
            ASG,
            APPS,
        )),
        list(
            "deviceManagement/inventoryPolicies",
            &[with!(bare("deviceInventoryPolicy", 5), name = "name")],
            &[],
            CONF,
        ),
        list("deviceManagement/resourceAccessProfiles", &[bare("resourceAccessProfile", 5)], &[], CONF),
        list(
            "deviceManagement/microsoftTunnelConfigurations",
            &[bare("windowsMicrosoftTunnelConfiguration", 5)],
            &[],
            CONF,
        ),
        list("deviceManagement/microsoftTunnelSites", &[bare("windowsMicrosoftTunnelSite", 5)], &[], CONF),
        list("deviceManagement/zebraFotaDeployments", &[bare("zebraFotaDeployment", 5)], &[], CONF),
        list(
            "deviceManagement/intents",
            &[with!(
                kind("endpointSecurityIntent", &[], 8),
                fields = &[
                    ("templateId", Field::Id("endpointSecurityIntent")),
                    ("isMigratingToConfigurationPolicy", Field::Bool)
                ]
            )],
            ASG,
            CONF,
        ),
        list(
            "deviceManagement/reusablePolicySettings",
            &[with!(
                kind("reusablePolicySetting", &[], 3),
                assigned = false,
                tagged = false,
                most = 2_000,
                fields = &[
                    ("settingDefinitionId", Field::Is("vendor_msft_firewall_mdmstore_dynamickeywords_addresses_{id}")),
                    ("referencingConfigurationPolicyCount", Field::Counter),
                    ("version", Field::Counter),
                ]
            )],
            &[],
            CONF,
        ),
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
                ]
            )],
            &["assignments", "scheduledActionsForRule"],
            CONF,
        )),
        list(
            "deviceManagement/compliancePolicies",
            &[with!(
                kind("linuxCompliancePolicy", &[], 3),
                name = "name",
                fields = &[
                    ("platforms", Field::Is("linux")),
                    ("technologies", Field::Is("linuxMdm")),
                    ("settingCount", Field::Counter)
                ]
            )],
            &[],
            CONF,
        ),
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
                    (
                        "localizedNotificationMessages",
                        Field::Raw(
                            r#"[{"id":"0e9c9d4b-1b80-4c52-8fd2-f6c5a9cbd1a1_en-us","locale":"en-us","subject":"Your device","messageTemplate":"Please update.","isDefault":true}]"#
                        )
                    ),
                ]
            )],
            &["localizedNotificationMessages"],
            SVC,
        )),
        paged(
            list(
                "deviceManagement/windowsFeatureUpdateProfiles",
                &[with!(kind("windowsFeatureUpdateProfile", &[], 3), fields = UPDATE)],
                ASG,
                CONF,
            ),
            50,
            200,
        ),
        paged(
            list(
                "deviceManagement/windowsQualityUpdateProfiles",
                &[with!(kind("windowsQualityUpdateProfile", &[], 2), fields = UPDATE)],
                ASG,
                CONF,
            ),
            50,
            200,
        ),
        paged(
            list(
                "deviceManagement/windowsQualityUpdatePolicies",
                &[with!(kind("windowsQualityUpdatePolicy", &[], 1), fields = &[("hotpatchEnabled", Field::Bool)])],
                ASG,
                CONF,
            ),
            50,
            200,
        ),
        paged(
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
        ),
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
        v1(list(
            "deviceManagement/deviceEnrollmentConfigurations",
            &[
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
                with!(
                    kind("enrollmentNotification", &["deviceEnrollmentNotificationConfiguration"], 1),
                    id = IdForm::Suffixed("_EnrollmentNotificationsConfiguration"),
                    fields =
                        &[("defaultLocale", Field::Is("en-us")), ("templateType", Field::Enum(&["email", "push"]))]
                ),
                with!(
                    kind("windowsHelloForBusiness", &["deviceEnrollmentWindowsHelloForBusinessConfiguration"], 1),
                    most = 3,
                    id = IdForm::Suffixed("_DefaultWindowsHelloForBusiness"),
                    fields = &[
                        ("pinMinimumLength", Field::Number(12)),
                        ("state", Field::Enum(&["enabled", "notConfigured"]))
                    ]
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
            ],
            ASG,
            SVC,
        )),
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
                        "webApp"
                    ],
                    120
                ),
                tagged = false,
                fields = &[
                    ("publisher", Field::Text),
                    ("isFeatured", Field::Bool),
                    ("largeIcon", Field::Raw(r#"{"type":"image/png","value":"UExBTlRFRFNFQ1JFVC1pY29u"}"#)),
                    ("publishingState", Field::Is("published")),
                    ("uploadState", Field::Counter),
                    ("dependentAppCount", Field::Raw("0")),
                    ("supersedingAppCount", Field::Raw("0")),
                    ("supersededAppCount", Field::Raw("0")),
                    ("developer", Field::Text),
                ]
            )],
            ASG,
            APPS,
        )),
        v1(list(
            "deviceAppManagement/mobileAppCategories",
            &[with!(bare("mobileAppCategory", 60), weight = 1)],
            &[],
            APPS,
        )),
        v1(list(
            "deviceAppManagement/targetedManagedAppConfigurations",
            &[with!(
                kind("mamAppConfiguration", &[], 5),
                id = IdForm::Prefixed("A_"),
                fields = &[
                    ("customSettings", Field::Raw(r#"[{"name":"com.vendor.flag","value":"1"}]"#)),
                    ("deployedAppCount", Field::Counter),
                    ("version", Field::Counter),
                    ("apps", Field::Apps)
                ]
            )],
            &["apps"],
            APPS,
        )),
        v1(list(
            "deviceAppManagement/iosManagedAppProtections",
            &[with!(kind("appProtectionIos", &[], 3), id = IdForm::Prefixed("T_"), fields = APP_PROTECTION)],
            &["apps", "assignments"],
            APPS,
        )),
        v1(list(
            "deviceAppManagement/androidManagedAppProtections",
            &[with!(kind("appProtectionAndroid", &[], 3), id = IdForm::Prefixed("T_"), fields = APP_PROTECTION)],
            &["apps", "assignments"],
            APPS,
        )),
        list(
            "deviceAppManagement/windowsManagedAppProtections",
            &[with!(kind("appProtectionWindows", &[], 1), id = IdForm::Prefixed("T_"), fields = APP_PROTECTION)],
            &["apps", "assignments"],
            APPS,
        ),
        v1(list(
            "deviceAppManagement/mdmWindowsInformationProtectionPolicies",
            &[with!(
                kind("wipPolicyMdm", &[], 1),
                most = 20,
                fields = &[("enforcementLevel", Field::Enum(&["noProtection", "encryptAndAuditOnly"]))]
            )],
            &["protectedAppLockerFiles", "exemptAppLockerFiles"],
            APPS,
        )),
        v1(list(
            "deviceAppManagement/windowsInformationProtectionPolicies",
            &[with!(
                kind("wipPolicy", &[], 1),
                most = 20,
                fields = &[("enforcementLevel", Field::Enum(&["noProtection", "encryptAndAuditOnly"]))]
            )],
            &["protectedAppLockerFiles", "exemptAppLockerFiles"],
            APPS,
        )),
        v1(list(
            "deviceAppManagement/defaultManagedAppProtections",
            &[with!(bare("appProtectionDefault", 2), fields = APP_PROTECTION)],
            &["apps"],
            APPS,
        )),
        list(
            "deviceAppManagement/policySets",
            &[with!(
                kind("policySet", &[], 1),
                tagged = false,
                most = 500,
                fields = &[("status", Field::Is("success")), ("errorCode", Field::Is("noError"))]
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
                ]
            )],
            &[],
            SVC,
        )),
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
        list(
            "deviceManagement/assignmentFilters",
            &[with!(
                kind("assignmentFilter", &[], 3),
                assigned = false,
                most = 200,
                fields = &[
                    ("platform", Field::Enum(&["windows10AndLater", "iOS", "androidForWork", "macOS"])),
                    ("rule", Field::Is("(device.deviceOwnership -eq \"Corporate\")")),
                    ("assignmentFilterManagementType", Field::Enum(&["devices", "apps"])),
                    ("payloads", Field::Raw("[]")),
                ]
            )],
            &[],
            CONF,
        ),
        list(
            "deviceManagement/roleScopeTags",
            &[with!(
                bare("roleScopeTag", 40),
                id = IdForm::Integer,
                weight = 1,
                fields = &[("isBuiltIn", Field::Raw("false"))]
            )],
            &[],
            &["DeviceManagementRBAC.Read.All", "DeviceManagementConfiguration.Read.All"],
        ),
        v1(list(
            "deviceManagement/roleDefinitions",
            &[with!(
                bare("intuneRoleDefinition", 60),
                weight = 1,
                tagged = true,
                fields = &[
                    ("isBuiltIn", Field::Bool),
                    (
                        "rolePermissions",
                        Field::Raw(
                            r#"[{"resourceActions":[{"allowedResourceActions":["Microsoft.Intune_ManagedDevices_Read"],"notAllowedResourceActions":[]}]}]"#
                        )
                    ),
                ]
            )],
            &[],
            RBAC,
        )),
        v1(list(
            "deviceManagement/roleAssignments",
            &[with!(
                bare("intuneRoleAssignment", 100),
                weight = 1,
                fields = &[
                    ("scopeType", Field::Enum(&["resourceScope", "allDevices"])),
                    ("members", Field::Groups),
                    ("resourceScopes", Field::Groups)
                ]
            )],
            &[],
            RBAC,
        )),
        list(
            "deviceManagement/intuneBrandingProfiles",
            &[with!(
                kind("intuneBrandingProfile", &[], 1),
                name = "profileName",
                most = 20,
                fields = &[
                    ("isDefaultProfile", Field::Bool),
                    ("privacyUrl", Field::Is("https://example.com/privacy")),
                    ("lightBackgroundLogo", Field::Raw(r#"{"type":"image/png","value":"UExBTlRFRFNFQ1JFVC1sb2dv"}"#)),
                ]
            )],
            &[],
            APPS,
        ),
        list(
            "deviceManagement/operationApprovalPolicies",
            &[with!(
                bare("operationApprovalPolicy", 20),
                fields = &[("approverGroupIds", Field::Groups), ("policyType", Field::Is("app"))]
            )],
            &[],
            CONF,
        ),
        list(
            "deviceManagement/managedDeviceCleanupRules",
            &[with!(
                bare("deviceCleanupRule", 8),
                fields = &[
                    ("deviceCleanupRulePlatformType", Field::Enum(&["windows", "ios"])),
                    ("deviceInactivityBeforeRetirementInDays", Field::Number(180))
                ]
            )],
            &[],
            CONF,
        ),
        v1(list(
            "deviceManagement/mobileThreatDefenseConnectors",
            &[with!(
                bare("mobileThreatDefenseConnector", 3),
                name = "",
                fields = &[
                    ("partnerState", Field::Is("enabled")),
                    ("lastHeartbeatDateTime", Field::Heartbeat),
                    ("iosEnabled", Field::Bool)
                ]
            )],
            &[],
            SVC,
        )),
        v1(list(
            "deviceManagement/complianceManagementPartners",
            &[with!(
                bare("complianceManagementPartner", 3),
                fields = &[
                    ("partnerState", Field::Is("enabled")),
                    ("lastHeartbeatDateTime", Field::Heartbeat),
                    ("iosOnboarded", Field::Bool)
                ]
            )],
            &[],
            SVC,
        )),
        v1(list(
            "deviceManagement/deviceManagementPartners",
            &[with!(
                bare("deviceManagementPartner", 3),
                fields = &[
                    ("partnerState", Field::Is("enabled")),
                    ("lastHeartbeatDateTime", Field::Heartbeat),
                    ("isConfigured", Field::Bool)
                ]
            )],
            &[],
            SVC,
        )),
        v1(list(
            "deviceManagement/remoteAssistancePartners",
            &[with!(
                bare("remoteAssistancePartner", 3),
                fields = &[("onboardingStatus", Field::Is("onboarded")), ("lastConnectionDateTime", Field::Heartbeat)]
            )],
            &[],
            SVC,
        )),
        list(
            "deviceManagement/ndesConnectors",
            &[with!(
                bare("ndesConnector", 6),
                fields = &[
                    ("state", Field::Is("active")),
                    ("lastConnectionDateTime", Field::Heartbeat),
                    ("connectorVersion", Field::Is("6.2406.0.1001")),
                    ("machineName", Field::Text)
                ]
            )],
            &[],
            CONF,
        ),
        list(
            "deviceManagement/domainJoinConnectors",
            &[with!(
                bare("domainJoinConnector", 4),
                fields = &[
                    ("state", Field::Is("active")),
                    ("lastConnectionDateTime", Field::Heartbeat),
                    ("version", Field::Counter)
                ]
            )],
            &[],
            CONF,
        ),
        list(
            "deviceManagement/derivedCredentials",
            &[with!(
                bare("derivedCredential", 3),
                fields = &[("helpUrl", Field::Is("https://example.com/help")), ("issuer", Field::Is("purebred"))]
            )],
            &[],
            CONF,
        ),
        list(
            "deviceManagement/cloudCertificationAuthority",
            &[with!(
                bare("cloudCertificationAuthority", 4),
                fields = &[
                    ("eTag", Field::Counter),
                    ("certificationAuthorityStatus", Field::Is("active")),
                    ("validityPeriodInYears", Field::Number(10))
                ]
            )],
            &[],
            CONF,
        ),
        single(
            "deviceManagement/settings",
            &[with!(
                bare("deviceManagementSettings", 1),
                id = IdForm::Fixed(""),
                name = "",
                fields = &[
                    ("secureByDefault", Field::Bool),
                    ("deviceComplianceCheckinThresholdDays", Field::Number(30)),
                    ("isScheduledActionEnabled", Field::Bool)
                ]
            )],
            CONF,
        ),
        v1(list(
            "deviceManagement/virtualEndpoint/provisioningPolicies",
            &[with!(
                kind("cloudPcProvisioningPolicy", &[], 2),
                tagged = false,
                most = 300,
                fields = &[("provisioningType", Field::Is("dedicated")), ("imageType", Field::Is("gallery"))]
            )],
            ASG,
            CPC,
        )),
        v1(list(
            "deviceManagement/virtualEndpoint/userSettings",
            &[with!(
                kind("cloudPcUserSetting", &[], 1),
                tagged = false,
                most = 100,
                fields = &[("selfServiceEnabled", Field::Bool), ("localAdminEnabled", Field::Bool)]
            )],
            ASG,
            CPC,
        )),
        v1(list(
            "deviceManagement/virtualEndpoint/onPremisesConnections",
            &[with!(
                bare("cloudPcOnPremisesConnection", 10),
                fields = &[
                    ("healthCheckStatus", Field::Counter),
                    ("adDomainName", Field::Is("corp.example.com")),
                    ("adDomainPassword", Field::Secret),
                    ("adDomainUsername", Field::Person)
                ]
            )],
            &[],
            CPC,
        )),
        v1(list(
            "deviceManagement/virtualEndpoint/deviceImages",
            &[with!(
                bare("cloudPcDeviceImage", 10),
                fields = &[
                    ("operatingSystem", Field::Is("Windows 11 Enterprise")),
                    ("status", Field::Is("ready")),
                    ("version", Field::Is("1.0.0"))
                ]
            )],
            &[],
            CPC,
        )),
        v1(paged(
            list(
                "identity/conditionalAccess/policies",
                &[with!(
                    kind("conditionalAccessPolicy", &[], 12),
                    assigned = false,
                    tagged = false,
                    most = 5_000,
                    fields = &[
                        ("state", Field::Enum(&["enabled", "disabled", "enabledForReportingButNotEnforced"])),
                        ("templateId", Field::Null),
                        ("conditions", Field::ConditionalAccess)
                    ]
                )],
                &[],
                POL,
            ),
            100,
            999,
        )),
        v1(list(
            "identity/conditionalAccess/namedLocations",
            &[with!(
                kind("namedLocation", &["ipNamedLocation", "countryNamedLocation"], 2),
                assigned = false,
                tagged = false,
                most = 500,
                fields = &[
                    ("isTrusted", Field::Bool),
                    ("countriesAndRegions", Field::Raw(r#"["DE","AT","CH"]"#)),
                    (
                        "ipRanges",
                        Field::Raw(
                            r##"[{"@odata.type":"#microsoft.graph.iPv4CidrRange","cidrAddress":"203.0.113.0/24"}]"##
                        )
                    )
                ]
            )],
            &[],
            POL,
        )),
        v1(list(
            "policies/authenticationStrengthPolicies",
            &[with!(
                bare("authenticationStrength", 6),
                fields = &[
                    ("policyType", Field::Is("builtIn")),
                    ("allowedCombinations", Field::Raw(r#"["fido2","windowsHelloForBusiness"]"#))
                ]
            )],
            &[],
            POL,
        )),
        v1(list(
            "identity/conditionalAccess/authenticationContextClassReferences",
            &[with!(
                bare("authenticationContext", 20),
                id = IdForm::Context,
                weight = 1,
                fields = &[("isAvailable", Field::Bool)]
            )],
            &[],
            POL,
        )),
        v1(list(
            "identityGovernance/termsOfUse/agreements",
            &[with!(
                bare("termsOfUse", 6),
                fields = &[
                    ("isPerDeviceAcceptanceRequired", Field::Bool),
                    ("files", Field::Raw(r#"[{"id":"f1","fileName":"terms.pdf","language":"en","isDefault":true}]"#))
                ]
            )],
            &["files"],
            &["Agreement.Read.All"],
        )),
        single(
            "policies/authenticationMethodsPolicy",
            &[with!(
                bare("authenticationMethodsPolicy", 1),
                id = IdForm::Fixed("authenticationMethodsPolicy"),
                fields = &[("policyMigrationState", Field::Counter), ("reconfirmationInDays", Field::Number(90))]
            )],
            POL,
        ),
        single(
            "policies/authorizationPolicy",
            &[with!(
                bare("authorizationPolicy", 1),
                id = IdForm::Fixed("authorizationPolicy"),
                fields = &[
                    ("allowInvitesFrom", Field::Enum(&["adminsAndGuestInviters", "everyone"])),
                    ("blockMsolPowerShell", Field::Bool)
                ]
            )],
            POL,
        ),
        single(
            "policies/crossTenantAccessPolicy",
            &[with!(
                bare("crossTenantAccessPolicy", 1),
                id = IdForm::Fixed("crossTenantAccessPolicy"),
                fields = &[("allowedCloudEndpoints", Field::Raw("[]"))]
            )],
            POL,
        ),
        single(
            "policies/crossTenantAccessPolicy/default",
            &[with!(
                bare("crossTenantAccessDefault", 1),
                id = IdForm::Fixed(""),
                name = "",
                fields = &[("isServiceDefault", Field::Bool)]
            )],
            POL,
        ),
        v1(list(
            "policies/crossTenantAccessPolicy/partners",
            &[with!(
                bare("crossTenantAccessPartner", 20),
                name = "",
                id = IdForm::Guid,
                fields = &[("isServiceProvider", Field::Bool)]
            )],
            &[],
            POL,
        )),
        single(
            "policies/deviceRegistrationPolicy",
            &[with!(
                bare("deviceRegistrationPolicy", 1),
                id = IdForm::Fixed("deviceRegistrationPolicy"),
                fields = &[
                    ("userDeviceQuota", Field::Number(50)),
                    ("multiFactorAuthConfiguration", Field::Is("notRequired"))
                ]
            )],
            &["Policy.Read.DeviceConfiguration"],
        ),
        single(
            "policies/identitySecurityDefaultsEnforcementPolicy",
            &[with!(
                bare("securityDefaults", 1),
                id = IdForm::Fixed("00000000-0000-0000-0000-000000000005"),
                fields = &[("isEnabled", Field::Bool), ("securityDefaultsUpsell", Field::Heartbeat)]
            )],
            POL,
        ),
        single(
            "policies/adminConsentRequestPolicy",
            &[with!(
                bare("adminConsentRequestPolicy", 1),
                id = IdForm::Fixed(""),
                name = "",
                fields = &[("isEnabled", Field::Bool), ("requestDurationInDays", Field::Number(60))]
            )],
            POL,
        ),
        single(
            "admin/sharepoint/settings",
            &[with!(
                bare("sharePointSettings", 1),
                id = IdForm::Fixed(""),
                name = "",
                fields = &[("sharingCapability", Field::Enum(&["disabled", "externalUserSharingOnly"]))]
            )],
            &["SharePointTenantSettings.Read.All"],
        ),
    ]
});

/// Everything that any resource asks for, and what groups and the organization ask for.
#[must_use]
pub fn all_permissions() -> Vec<String> {
    let mut permissions: Vec<String> = RESOURCES
        .iter()
        .flat_map(|resource| resource.permissions.iter().map(|permission| (*permission).to_owned()))
        .collect();
    permissions.extend(
        ["GroupMember.Read.All", "Organization.Read.All", "DeviceManagementManagedDevices.Read.All"].map(str::to_owned),
    );
    permissions.sort_unstable();
    permissions.dedup();
    permissions
}
