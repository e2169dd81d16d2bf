"""What the backup of IntuneCD covers: its folders, the list in Graph, and the keys of the simulator's expectations.

A folder that ends in `/*` stands for the folders in it.
"""

LISTS = [
    ("Settings Catalog", "beta/deviceManagement/configurationPolicies", [
        "settingsCatalogPolicy", "endpointSecurityPolicy", "securityBaselinePolicy", "linuxScriptPolicy",
        "devicePreparationPolicy", "appQuietTimePolicy", "companyPortalPolicy", "windowsOsRecoveryPolicy",
        "windowsRecoveryPolicy", "maintenanceWindowPolicy",
    ]),
    ("Device Configurations", "beta/deviceManagement/deviceConfigurations", [
        "deviceConfiguration", "windowsUpdateRing", "iosUpdateConfiguration",
    ]),
    ("Group Policy Configurations", "beta/deviceManagement/groupPolicyConfigurations", ["groupPolicyConfiguration"]),
    ("App Configuration", "beta/deviceAppManagement/mobileAppConfigurations", [
        "managedDeviceAppConfiguration", "oemConfigPolicy",
    ]),
    ("App Protection", "beta/deviceAppManagement/managedAppPolicies", [
        "appProtectionIos", "appProtectionAndroid", "appProtectionWindows", "wipPolicyMdm", "wipPolicy",
        "appProtectionDefault", "mamAppConfiguration",
    ]),
    ("Applications/*", "beta/deviceAppManagement/mobileApps", ["mobileApp"]),
    ("Compliance Policies/Policies", "beta/deviceManagement/deviceCompliancePolicies", ["deviceCompliancePolicy"]),
    ("Compliance Policies/Policies", "beta/deviceManagement/compliancePolicies", ["linuxCompliancePolicy"]),
    ("Compliance Policies/Scripts", "beta/deviceManagement/deviceComplianceScripts", ["deviceComplianceScript"]),
    ("Compliance Policies/Scripts", "beta/deviceManagement/reusablePolicySettings", ["reusablePolicySetting"]),
    ("Compliance Policies/Message Templates", "beta/deviceManagement/notificationMessageTemplates", [
        "notificationMessageTemplate",
    ]),
    ("Custom Attributes", "beta/deviceManagement/deviceCustomAttributeShellScripts", [
        "deviceCustomAttributeShellScript",
    ]),
    ("Device Categories", "beta/deviceManagement/deviceCategories", ["deviceCategory"]),
    ("Enrollment Profiles/Windows/ESP", "beta/deviceManagement/deviceEnrollmentConfigurations", [
        "enrollmentStatusPage",
    ]),
    ("Enrollment Configurations", "beta/deviceManagement/deviceEnrollmentConfigurations", [
        "enrollmentLimit", "enrollmentPlatformRestriction", "enrollmentNotification", "windowsHelloForBusiness",
        "comanagementSettings", "windowsRestore",
    ]),
    ("Enrollment Profiles/Windows", "beta/deviceManagement/windowsAutopilotDeploymentProfiles", ["autopilotProfile"]),
    ("Filters", "beta/deviceManagement/assignmentFilters", ["assignmentFilter"]),
    ("Managed Google Play", "beta/deviceManagement/androidManagedStoreAccountEnterpriseSettings", [
        "androidManagedStore",
    ]),
    ("Management Intents/*", "beta/deviceManagement/intents", ["endpointSecurityIntent"]),
    ("Partner Connections/Compliance", "beta/deviceManagement/complianceManagementPartners", [
        "complianceManagementPartner",
    ]),
    ("Partner Connections/Management", "beta/deviceManagement/deviceManagementPartners", ["deviceManagementPartner"]),
    ("Partner Connections/Remote Assistance", "beta/deviceManagement/remoteAssistancePartners", [
        "remoteAssistancePartner",
    ]),
    ("Proactive Remediations", "beta/deviceManagement/deviceHealthScripts", ["deviceHealthScript"]),
    ("Roles", "beta/deviceManagement/roleDefinitions", ["intuneRoleDefinition"]),
    ("Scope Tags", "beta/deviceManagement/roleScopeTags", ["roleScopeTag"]),
    ("Scripts/Powershell", "beta/deviceManagement/deviceManagementScripts", ["deviceManagementScript"]),
    ("Scripts/Shell", "beta/deviceManagement/deviceShellScripts", ["deviceShellScript"]),
    ("Driver Updates", "beta/deviceManagement/windowsDriverUpdateProfiles", ["windowsDriverUpdateProfile"]),
    ("Feature Updates", "beta/deviceManagement/windowsFeatureUpdateProfiles", ["windowsFeatureUpdateProfile"]),
    ("Quality Updates", "beta/deviceManagement/windowsQualityUpdateProfiles", ["windowsQualityUpdateProfile"]),
    ("Apple VPP Tokens", "beta/deviceAppManagement/vppTokens", ["vppToken"]),
    ("Conditional Access", "beta/identity/conditionalAccess/policies", ["conditionalAccessPolicy"]),
]

# Below another object: the profiles of a token.
CHILDREN = [("Enrollment Profiles/Apple", "appleEnrollmentProfile")]

# One object without an id in the name of its file.
SINGLE = [
    ("Apple Push Notification", "beta/deviceManagement/applePushNotificationCertificate"),
    ("Device Management Settings", "beta/deviceManagement/settings"),
]

# What IntuneCD writes anew, from further requests or with names in the place of ids.
REWRITTEN = {
    "assignments", "description", "roleScopeTagIds", "scheduledActionsForRule", "targetedMobileApps",
    "selectedMobileAppIds", "payloadJson", "omaSettings", "scriptContent", "detectionScriptContent",
    "remediationScriptContent",
}


def is_left_out(key, thing):
    """What IntuneCD leaves out: built-in roles, public apps that nobody was given, partners that nobody set up."""
    if key == "intuneRoleDefinition":
        return thing["isBuiltIn"]
    if key == "mobileApp":
        return thing.get("appAvailability") == "global" and not thing["isAssigned"]
    if key == "deviceManagementPartner":
        return not thing["isConfigured"]
    return False
