//! Tenant administration.

use super::*;

pub(super) fn resources() -> Vec<Resource> {
    [scopes(), roles(), rules(), partners(), connectors(), certificates_and_settings()].concat()
}

/// Filters and scope tags.
fn scopes() -> Vec<Resource> {
    vec![
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
                assigned = true,
                id = IdForm::Integer,
                weight = 1,
                fields = &[("isBuiltIn", Field::Raw("false"))]
            )],
            &[],
            &["DeviceManagementRBAC.Read.All", "DeviceManagementConfiguration.Read.All"],
        ),
    ]
}

/// Roles and who has them.
fn roles() -> Vec<Resource> {
    vec![
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
                    ("resourceScopes", Field::Groups),
                    ("scopeMembers", Field::Groups)
                ],
                expandable = &[
                    ("roleDefinition", Field::NamedOne("intuneRoleDefinition")),
                    ("roleScopeTags", Field::Named("roleScopeTag"))
                ]
            )],
            &[],
            RBAC,
        )),
    ]
}

/// Branding and rules of the tenant.
fn rules() -> Vec<Resource> {
    vec![
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
    ]
}

/// Services of others.
fn partners() -> Vec<Resource> {
    vec![
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
    ]
}

/// Connectors and credentials.
fn connectors() -> Vec<Resource> {
    vec![
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
    ]
}

/// Cloud PKI, and the settings of all.
fn certificates_and_settings() -> Vec<Resource> {
    vec![
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
    ]
}
