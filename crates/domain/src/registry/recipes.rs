//! The recipe of each type: what a restore can do with it (its class), and where its single read differs from the list.
//!
//! From what public tools do and document for each type (IntuneManagement, `EndpointManager.psm1`; IntuneCD, `update/*`;
//! terraform-provider-microsoft365, `internal/services/resources`; CIPP-API; Microsoft365DSC) and Microsoft's pages of the
//! single reads. Where a row says nothing else, the single read takes the query of the list, and what a sync reads below an
//! item is read below the object.

use super::detail::Detail;
use super::policy_type::PolicyType;
use super::recipe::RestoreClass::{Conditional, Full, PreviewOnly, UpdateOnly};
use super::recipe::{Recipe, Referenced, Script};

/// The recipe of a type.
#[must_use]
pub fn recipe(policy_type: &PolicyType) -> Option<&'static Recipe> {
    RECIPES.iter().find(|(key, _)| *key == policy_type.key).map(|(_, recipe)| recipe)
}

const FULL: Recipe = Recipe::of(Full);
const UPDATE: Recipe = Recipe::of(UpdateOnly);
const SOME: Recipe = Recipe::of(Conditional);
const SHOWN: Recipe = Recipe::of(PreviewOnly);

const fn script(property: &'static str) -> Script {
    Script { property, required: true }
}

const CONTENT: &[Script] = &[script("scriptContent")];
const FIRMWARE: &[Script] = &[script("configurationFileContent")];
const DETECTION: &[Script] = &[script("detectionScriptContent")];
/// A remediation may only detect: then its other script is null.
const REMEDIATION: &[Script] =
    &[script("detectionScriptContent"), Script { property: "remediationScriptContent", required: false }];

/// Of a certificate profile that another profile names, its id and name: its content is its own.
const NAMES: &str = "$select=id,displayName";

const fn one(property: &'static str, path: &'static str, subtypes: &'static [&'static str]) -> Detail {
    Detail::object(property, path, NAMES).of(subtypes)
}

const fn all(property: &'static str, path: &'static str, subtypes: &'static [&'static str]) -> Detail {
    Detail::collection(property, path, NAMES).of(subtypes)
}

/// What device configurations have behind links: neither list nor single read tells it (IntuneManagement,
/// `Get-GraphObjectAssignment` and the export of `DeviceConfiguration`; Microsoft Graph, pages of the subtypes).
const LINKED: &[Detail] = &[
    Detail::collection(
        "privacyAccessControls",
        "microsoft.graph.windows10GeneralConfiguration/privacyAccessControls",
        "",
    )
    .of(&["windows10GeneralConfiguration"]),
    all(
        "rootCertificatesForServerValidation",
        "microsoft.graph.windowsWifiEnterpriseEAPConfiguration/rootCertificatesForServerValidation",
        &["windowsWifiEnterpriseEAPConfiguration"],
    ),
    one(
        "rootCertificateForClientValidation",
        "microsoft.graph.windowsWifiEnterpriseEAPConfiguration/rootCertificateForClientValidation",
        &["windowsWifiEnterpriseEAPConfiguration"],
    ),
    one(
        "identityCertificateForClientAuthentication",
        "microsoft.graph.windowsWifiEnterpriseEAPConfiguration/identityCertificateForClientAuthentication",
        &["windowsWifiEnterpriseEAPConfiguration"],
    ),
    all(
        "rootCertificatesForServerValidation",
        "microsoft.graph.windowsWiredNetworkConfiguration/rootCertificatesForServerValidation",
        &["windowsWiredNetworkConfiguration"],
    ),
    one(
        "rootCertificateForClientValidation",
        "microsoft.graph.windowsWiredNetworkConfiguration/rootCertificateForClientValidation",
        &["windowsWiredNetworkConfiguration"],
    ),
    one(
        "identityCertificateForClientAuthentication",
        "microsoft.graph.windowsWiredNetworkConfiguration/identityCertificateForClientAuthentication",
        &["windowsWiredNetworkConfiguration"],
    ),
    all(
        "rootCertificatesForServerValidation",
        "microsoft.graph.iosEnterpriseWiFiConfiguration/rootCertificatesForServerValidation",
        &["iosEnterpriseWiFiConfiguration"],
    ),
    one(
        "identityCertificateForClientAuthentication",
        "microsoft.graph.iosEnterpriseWiFiConfiguration/identityCertificateForClientAuthentication",
        &["iosEnterpriseWiFiConfiguration"],
    ),
    one(
        "rootCertificateForServerValidation",
        "microsoft.graph.macOSEnterpriseWiFiConfiguration/rootCertificateForServerValidation",
        &["macOSEnterpriseWiFiConfiguration"],
    ),
    one(
        "identityCertificateForClientAuthentication",
        "microsoft.graph.macOSEnterpriseWiFiConfiguration/identityCertificateForClientAuthentication",
        &["macOSEnterpriseWiFiConfiguration"],
    ),
    one(
        "rootCertificateForServerValidation",
        "microsoft.graph.macOSWiredNetworkConfiguration/rootCertificateForServerValidation",
        &["macOSWiredNetworkConfiguration"],
    ),
    one(
        "identityCertificateForClientAuthentication",
        "microsoft.graph.macOSWiredNetworkConfiguration/identityCertificateForClientAuthentication",
        &["macOSWiredNetworkConfiguration"],
    ),
    one(
        "rootCertificateForServerValidation",
        "microsoft.graph.androidEnterpriseWiFiConfiguration/rootCertificateForServerValidation",
        &["androidEnterpriseWiFiConfiguration"],
    ),
    one(
        "identityCertificateForClientAuthentication",
        "microsoft.graph.androidEnterpriseWiFiConfiguration/identityCertificateForClientAuthentication",
        &["androidEnterpriseWiFiConfiguration"],
    ),
    one(
        "rootCertificateForServerValidation",
        "microsoft.graph.androidForWorkEnterpriseWiFiConfiguration/rootCertificateForServerValidation",
        &["androidForWorkEnterpriseWiFiConfiguration"],
    ),
    one(
        "identityCertificateForClientAuthentication",
        "microsoft.graph.androidForWorkEnterpriseWiFiConfiguration/identityCertificateForClientAuthentication",
        &["androidForWorkEnterpriseWiFiConfiguration"],
    ),
    one(
        "rootCertificateForServerValidation",
        "microsoft.graph.androidDeviceOwnerEnterpriseWiFiConfiguration/rootCertificateForServerValidation",
        &["androidDeviceOwnerEnterpriseWiFiConfiguration"],
    ),
    one(
        "identityCertificateForClientAuthentication",
        "microsoft.graph.androidDeviceOwnerEnterpriseWiFiConfiguration/identityCertificateForClientAuthentication",
        &["androidDeviceOwnerEnterpriseWiFiConfiguration"],
    ),
    one(
        "rootCertificateForServerValidation",
        "microsoft.graph.androidWorkProfileEnterpriseWiFiConfiguration/rootCertificateForServerValidation",
        &["androidWorkProfileEnterpriseWiFiConfiguration"],
    ),
    one(
        "identityCertificateForClientAuthentication",
        "microsoft.graph.androidWorkProfileEnterpriseWiFiConfiguration/identityCertificateForClientAuthentication",
        &["androidWorkProfileEnterpriseWiFiConfiguration"],
    ),
    one("identityCertificate", "microsoft.graph.iosVpnConfiguration/identityCertificate", &["iosVpnConfiguration"]),
    one("identityCertificate", "microsoft.graph.macOSVpnConfiguration/identityCertificate", &["macOSVpnConfiguration"]),
    one(
        "identityCertificate",
        "microsoft.graph.windows10VpnConfiguration/identityCertificate",
        &["windows10VpnConfiguration"],
    ),
    one(
        "identityCertificate",
        "microsoft.graph.androidWorkProfileVpnConfiguration/identityCertificate",
        &["androidWorkProfileVpnConfiguration"],
    ),
    one(
        "identityCertificate",
        "microsoft.graph.androidDeviceOwnerVpnConfiguration/identityCertificate",
        &["androidDeviceOwnerVpnConfiguration"],
    ),
    one("rootCertificate", "microsoft.graph.iosScepCertificateProfile/rootCertificate", &["iosScepCertificateProfile"]),
    one(
        "rootCertificate",
        "microsoft.graph.macOSScepCertificateProfile/rootCertificate",
        &["macOSScepCertificateProfile"],
    ),
    one(
        "rootCertificate",
        "microsoft.graph.windows81SCEPCertificateProfile/rootCertificate",
        &["windows81SCEPCertificateProfile"],
    ),
    one(
        "rootCertificate",
        "microsoft.graph.androidWorkProfileScepCertificateProfile/rootCertificate",
        &["androidWorkProfileScepCertificateProfile"],
    ),
    one(
        "rootCertificate",
        "microsoft.graph.androidDeviceOwnerScepCertificateProfile/rootCertificate",
        &["androidDeviceOwnerScepCertificateProfile"],
    ),
    one(
        "rootCertificate",
        "microsoft.graph.androidWorkProfilePkcsCertificateProfile/rootCertificate",
        &["androidWorkProfilePkcsCertificateProfile"],
    ),
    one(
        "rootCertificate",
        "microsoft.graph.androidDeviceOwnerPkcsCertificateProfile/rootCertificate",
        &["androidDeviceOwnerPkcsCertificateProfile"],
    ),
];

/// The group that devices join while they are prepared (terraform-provider-microsoft365, Windows device preparation).
const DEVICE_PREPARATION: &[Detail] =
    &[Detail::object("enrollmentTimeDeviceMembershipTarget", "retrieveEnrollmentTimeDeviceMembershipTarget", "")];

const RELATIONSHIPS: &[Detail] = &[Detail {
    when_positive: &["dependentAppCount", "supersedingAppCount", "supersededAppCount"],
    ..Detail::collection("relationships", "relationships", "")
}];

/// Settings are below it, as below other policies of the catalogue (IntuneManagement, `InventoryPolicies`).
const INVENTORY_SETTINGS: &[Detail] = &[Detail::collection("settings", "settings", "$top=1000")];

/// What an enrolment notification says is in templates of its own, which no list of templates shows.
const NOTIFICATIONS: Referenced = Referenced {
    property: "notificationTemplates",
    path: "deviceManagement/notificationMessageTemplates",
    query: "$expand=localizedNotificationMessages",
    becomes: "notificationMessageTemplates",
};

static RECIPES: &[(&str, Recipe)] = &[
    // Configuration
    ("settingsCatalogPolicy", FULL),
    ("deviceConfiguration", FULL.reads(LINKED)),
    // The single read calls every kind of ingestion "unknown" (IntuneManagement).
    ("groupPolicyConfiguration", FULL.told_by_list(&["policyConfigurationIngestionType"])),
    ("groupPolicyUploadedDefinitionFile", SOME),
    ("hardwareConfiguration", FULL.scripts(FIRMWARE)),
    ("oemConfigPolicy", SOME),
    ("deviceInventoryPolicy", SOME.reads(INVENTORY_SETTINGS)),
    ("resourceAccessProfile", SHOWN),
    ("windowsMicrosoftTunnelConfiguration", SHOWN),
    ("windowsMicrosoftTunnelSite", SHOWN),
    ("zebraFotaDeployment", SHOWN),
    // Endpoint security
    ("endpointSecurityPolicy", FULL),
    ("securityBaselinePolicy", FULL),
    ("endpointSecurityIntent", SOME),
    ("reusablePolicySetting", FULL),
    ("appQuietTimePolicy", FULL),
    ("companyPortalPolicy", FULL),
    ("windowsOsRecoveryPolicy", FULL),
    ("windowsRecoveryPolicy", FULL),
    ("maintenanceWindowPolicy", FULL),
    ("linuxScriptPolicy", FULL),
    ("devicePreparationPolicy", SOME.reads(DEVICE_PREPARATION)),
    // Compliance
    ("deviceCompliancePolicy", FULL),
    ("linuxCompliancePolicy", FULL),
    ("deviceComplianceScript", FULL.scripts(DETECTION)),
    ("notificationMessageTemplate", FULL),
    // Updates
    ("windowsUpdateRing", FULL),
    ("iosUpdateConfiguration", FULL),
    ("windowsFeatureUpdateProfile", FULL),
    ("windowsQualityUpdateProfile", FULL),
    ("windowsQualityUpdatePolicy", FULL),
    // Approvals of drivers are no part of the profile: they are below it, and follow what devices report.
    ("windowsDriverUpdateProfile", SOME),
    // Scripts
    ("deviceManagementScript", FULL.scripts(CONTENT)),
    ("deviceShellScript", FULL.scripts(CONTENT)),
    ("deviceCustomAttributeShellScript", FULL.scripts(CONTENT)),
    ("deviceHealthScript", FULL.scripts(REMEDIATION)),
    // Enrolment
    ("enrollmentStatusPage", FULL),
    ("enrollmentLimit", FULL),
    ("enrollmentPlatformRestriction", FULL),
    ("enrollmentNotification", SOME.referenced(NOTIFICATIONS)),
    ("windowsHelloForBusiness", FULL),
    ("comanagementSettings", FULL),
    ("windowsRestore", UPDATE),
    // Of kinds that nobody knows nothing is known about writing them either.
    ("enrollmentConfiguration", SHOWN),
    ("autopilotProfile", FULL),
    ("appleUserEnrollmentProfile", FULL),
    ("appleEnrollmentToken", SHOWN),
    ("appleEnrollmentProfile", SOME),
    ("androidEnrollmentProfile", SOME),
    ("androidManagedStore", SHOWN),
    ("applePushCertificate", SHOWN),
    ("termsAndConditions", FULL),
    ("deviceCategory", FULL),
    // Apps
    ("mobileApp", SOME.query("$expand=categories,assignments").reads(RELATIONSHIPS)),
    ("mobileAppCategory", FULL),
    ("managedDeviceAppConfiguration", SOME),
    ("mamAppConfiguration", FULL),
    ("appProtectionIos", FULL),
    ("appProtectionAndroid", FULL),
    ("appProtectionWindows", FULL.query("$expand=apps,assignments")),
    ("wipPolicyMdm", SOME),
    ("wipPolicy", SOME),
    ("appProtectionDefault", SHOWN.query("$expand=apps")),
    ("policySet", FULL.query("$expand=items,assignments")),
    ("vppToken", SHOWN),
    ("managedEBook", SHOWN),
    ("iosLobProvisioningProfile", SHOWN.binaries(&["payload"])),
    ("wdacSupplementalPolicy", SHOWN.binaries(&["content"])),
    // Administration
    ("assignmentFilter", FULL),
    ("roleScopeTag", FULL),
    ("intuneRoleDefinition", FULL),
    ("intuneRoleAssignment", FULL.query("$expand=roleDefinition")),
    ("intuneBrandingProfile", FULL),
    ("operationApprovalPolicy", SHOWN),
    ("deviceCleanupRule", FULL),
    ("mobileThreatDefenseConnector", UPDATE),
    ("complianceManagementPartner", SHOWN),
    ("deviceManagementPartner", SHOWN),
    ("remoteAssistancePartner", SHOWN),
    ("ndesConnector", SHOWN),
    ("domainJoinConnector", SHOWN),
    ("derivedCredential", SHOWN),
    ("cloudCertificationAuthority", SHOWN),
    ("deviceManagementSettings", UPDATE),
    // Windows 365
    ("cloudPcProvisioningPolicy", FULL),
    ("cloudPcUserSetting", FULL),
    ("cloudPcOnPremisesConnection", SOME),
    ("cloudPcDeviceImage", SHOWN),
    // Microsoft Entra
    ("conditionalAccessPolicy", FULL),
    ("namedLocation", FULL),
    ("authenticationStrength", FULL),
    ("authenticationContext", FULL),
    ("termsOfUse", SOME),
    ("authenticationMethodsPolicy", UPDATE),
    ("authorizationPolicy", UPDATE),
    ("crossTenantAccessPolicy", FULL),
    ("crossTenantAccessDefault", UPDATE),
    ("crossTenantAccessPartner", FULL),
    ("deviceRegistrationPolicy", UPDATE),
    ("securityDefaults", UPDATE),
    ("adminConsentRequestPolicy", UPDATE),
    ("organizationBranding", UPDATE),
    ("sharePointSettings", UPDATE),
];
