//! Configuration and endpoint security.

use super::*;

const WIFI: &[&str] = &["windowsWifiConfiguration", "androidWorkProfileWiFiConfiguration"];
const ROOT: &[&str] = &["windows81TrustedRootCertificate"];
const GENERAL: &[&str] = &[
    "windows10GeneralConfiguration",
    "iosGeneralDeviceConfiguration",
    "macOSGeneralDeviceConfiguration",
    "androidDeviceOwnerGeneralDeviceConfiguration",
];
const VPN_SERVER: &str = r#"{"description":"Gateway","address":"vpn.example.com","isDefaultServer":true}"#;
/// Templates of the legacy endpoint security: BitLocker, firewall rules, account protection, antivirus.
pub const INTENT_TEMPLATES: [&str; 4] = [
    "d1174162-1dd2-4976-affc-6667049ab0ae",
    "4356d05c-a4ab-4a07-9ece-739f7c792910",
    "0f2b5d70-d4e9-4156-8c16-1397eb6c54a5",
    "804339ad-1553-4478-a742-138fb5807418",
];
const DEVICE_CONFIGURATION: &[(&str, Field)] = &[
    ("passwordRequired", Field::Bool),
    ("passwordMinimumLength", Field::Number(16)),
    ("passwordMinutesOfInactivityBeforeScreenTimeout", Field::Number(30)),
    ("omaSettings", Field::On(&["windows10CustomConfiguration"], &Field::OmaSettings)),
    ("preSharedKey", Field::On(WIFI, &Field::Secret)),
    ("ssid", Field::On(WIFI, &Field::Text)),
    ("connectAutomatically", Field::On(WIFI, &Field::Bool)),
    ("sharedSecret", Field::On(&["iosVpnConfiguration"], &Field::Secret)),
    ("server", Field::On(&["iosVpnConfiguration"], &Field::Raw(VPN_SERVER))),
    ("trustedRootCertificate", Field::On(ROOT, &Field::SecretBase64)),
    ("certFileName", Field::On(ROOT, &Field::Is("root.cer"))),
    ("payload", Field::On(&["macOSCustomConfiguration"], &Field::SecretBase64)),
    ("payloadFileName", Field::On(&["macOSCustomConfiguration"], &Field::Is("custom.mobileconfig"))),
    ("licenseType", Field::On(&["editionUpgradeConfiguration"], &Field::Is("productKey"))),
    ("productKey", Field::On(&["editionUpgradeConfiguration"], &Field::Secret)),
    ("cameraBlocked", Field::On(GENERAL, &Field::Bool)),
    ("screenCaptureBlocked", Field::On(GENERAL, &Field::Bool)),
    ("factoryResetBlocked", Field::On(GENERAL, &Field::Bool)),
    ("bluetoothBlocked", Field::On(GENERAL, &Field::Bool)),
    ("deviceManagementApplicabilityRuleOsEdition", Field::Null),
    ("deviceManagementApplicabilityRuleOsVersion", Field::Null),
    ("deviceManagementApplicabilityRuleDeviceMode", Field::Null),
    ("version", Field::Counter),
    ("supportsScopeTags", Field::Bool),
];

pub(super) fn resources() -> Vec<Resource> {
    [
        settings_catalogue(),
        device_configurations(),
        templates_and_hardware(),
        app_configurations(),
        further(),
        endpoint_security(),
    ]
    .concat()
}

/// The settings catalogue with all its families.
fn settings_catalogue() -> Vec<Resource> {
    vec![paged(
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
    )]
}

/// Device configurations.
fn device_configurations() -> Vec<Resource> {
    vec![v1(list(
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
                        "windows10EndpointProtectionConfiguration",
                        "sharedPCConfiguration",
                        "editionUpgradeConfiguration",
                        "windows81TrustedRootCertificate",
                        "macOSCustomConfiguration",
                        "androidWorkProfileWiFiConfiguration",
                    ],
                    90
                ),
                fields = DEVICE_CONFIGURATION
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
    ))]
}

/// Administrative templates and firmware.
fn templates_and_hardware() -> Vec<Resource> {
    vec![
        list(
            "deviceManagement/groupPolicyConfigurations",
            &[with!(
                kind("groupPolicyConfiguration", &[], 12),
                fields = &[("policyConfigurationIngestionType", Field::UnknownAlone(&["builtIn", "custom"]))]
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
    ]
}

/// The configuration of managed apps.
fn app_configurations() -> Vec<Resource> {
    vec![v1(list(
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
                    ("payloadJson", Field::SecretJson),
                    ("targetedMobileApps", Field::Ids("mobileApp")),
                ]
            ),
        ],
        ASG,
        APPS,
    ))]
}

/// What few tenants have.
fn further() -> Vec<Resource> {
    vec![
        list(
            "deviceManagement/inventoryPolicies",
            &[with!(bare("deviceInventoryPolicy", 5), name = "name")],
            &[],
            CONF,
        ),
        list(
            "deviceManagement/resourceAccessProfiles",
            &[with!(bare("resourceAccessProfile", 5), assigned = true)],
            &[],
            CONF,
        ),
        list(
            "deviceManagement/microsoftTunnelConfigurations",
            &[bare("windowsMicrosoftTunnelConfiguration", 5)],
            &[],
            CONF,
        ),
        list("deviceManagement/microsoftTunnelSites", &[bare("windowsMicrosoftTunnelSite", 5)], &[], CONF),
        list("deviceManagement/zebraFotaDeployments", &[bare("zebraFotaDeployment", 5)], &[], CONF),
    ]
}

/// The legacy endpoint security, and reusable settings.
fn endpoint_security() -> Vec<Resource> {
    vec![
        list(
            "deviceManagement/intents",
            &[with!(
                kind("endpointSecurityIntent", &[], 8),
                fields = &[
                    ("templateId", Field::Enum(&INTENT_TEMPLATES)),
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
                    ("settingDefinitionId", Field::ReusableDefinition),
                    ("referencingConfigurationPolicyCount", Field::Counter),
                    ("version", Field::Counter),
                ],
                selectable = &[("settingInstance", Field::ReusableSetting)]
            )],
            &[],
            CONF,
        ),
    ]
}
