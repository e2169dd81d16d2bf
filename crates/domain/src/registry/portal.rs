//! Where an object of a type is shown in Microsoft's admin centers.
//!
//! Microsoft documents no addresses of single objects; these are the ones that the admin centers show in the address bar
//! and that more than one public tool links to. Where tools differ, as for update rings, or where the page of one object needs
//! what an inventory does not keep, the address is that of the list in which the object stands.

use super::policy_type::PolicyType;
use crate::path_segment::path_segment;

/// An admin center of Microsoft.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PortalSite {
    /// Microsoft Intune admin center.
    Intune,
    /// Microsoft Entra admin center.
    Entra,
}

/// The cloud whose admin centers are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PortalCloud {
    /// The global service.
    Global,
    /// US Government.
    UsGovernment,
    /// China, operated by 21Vianet.
    China,
}

impl PortalSite {
    /// What the link calls it.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Intune => "Intune",
            Self::Entra => "Entra",
        }
    }

    /// Its host (<https://learn.microsoft.com/entra/identity-platform/authentication-national-cloud>,
    /// <https://learn.microsoft.com/intune/fundamentals/china-endpoints>).
    #[must_use]
    pub const fn host(self, cloud: PortalCloud) -> &'static str {
        match (self, cloud) {
            (Self::Intune, PortalCloud::Global) => "intune.microsoft.com",
            (Self::Intune, PortalCloud::UsGovernment) => "intune.microsoft.us",
            (Self::Intune, PortalCloud::China) => "intune.microsoftonline.cn",
            (Self::Entra, PortalCloud::Global) => "entra.microsoft.com",
            (Self::Entra, PortalCloud::UsGovernment) => "entra.microsoft.us",
            (Self::Entra, PortalCloud::China) => "entra.microsoftonline.cn",
        }
    }

    /// A page of it in the directory of a tenant: whoever works for several tenants lands in the right one.
    #[must_use]
    pub fn address(self, cloud: PortalCloud, entra_tenant_id: &str, view: &str) -> String {
        format!("https://{}/{}#view/{view}", self.host(cloud), path_segment(entra_tenant_id))
    }
}

/// A page of an admin center, after `#view/`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PortalPage {
    /// The page of one object, with `{id}` and `{name}` in it.
    Object(&'static str),
    /// The list in which the object stands.
    List(&'static str),
    /// There is none, for this reason.
    None(&'static str),
}

/// Where objects of a type are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Portal {
    /// The admin center.
    pub site: PortalSite,
    /// The page in it.
    pub page: PortalPage,
}

/// A link to an admin center.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortalLink {
    /// Where it leads.
    pub address: String,
    /// Whether it opens the object itself and not the list in which it stands.
    pub exact: bool,
    /// The admin center.
    pub site: PortalSite,
}

impl Portal {
    /// The link for one object; none where there is no page.
    #[must_use]
    pub fn link(self, cloud: PortalCloud, entra_tenant_id: &str, id: &str, name: &str) -> Option<PortalLink> {
        let (view, exact) = match self.page {
            PortalPage::Object(template) => {
                (template.replace("{id}", &path_segment(id)).replace("{name}", &path_segment(name)), true)
            }
            PortalPage::List(view) => (view.to_owned(), false),
            PortalPage::None(_) => return None,
        };
        Some(PortalLink { address: self.site.address(cloud, entra_tenant_id, &view), exact, site: self.site })
    }
}

/// The page of a group of the directory.
#[must_use]
pub fn group_page(cloud: PortalCloud, entra_tenant_id: &str, id: &str) -> PortalLink {
    let view = format!("Microsoft_AAD_IAM/GroupDetailsMenuBlade/~/Overview/groupId/{}", path_segment(id));
    let site = PortalSite::Entra;
    PortalLink { address: site.address(cloud, entra_tenant_id, &view), exact: true, site }
}

/// Where objects of a type are shown; none for a type that the table below does not name.
#[must_use]
pub fn portal(policy_type: &PolicyType) -> Option<Portal> {
    PORTALS.iter().find(|(key, _)| *key == policy_type.key).map(|(_, portal)| *portal)
}

const fn intune(page: PortalPage) -> Portal {
    Portal { site: PortalSite::Intune, page }
}

const fn object(view: &'static str) -> Portal {
    intune(PortalPage::Object(view))
}

const fn list(view: &'static str) -> Portal {
    intune(PortalPage::List(view))
}

const fn entra(view: &'static str) -> Portal {
    Portal { site: PortalSite::Entra, page: PortalPage::List(view) }
}

/// Policies that are built of settings of the catalog have one page for all their families.
const SETTINGS: Portal = object("Microsoft_Intune_Workflows/PolicySummaryBlade/policyId/{id}");
const CONFIGURATION: Portal = list("Microsoft_Intune_DeviceSettings/DevicesMenu/~/configuration");
const DEVICES: Portal = list("Microsoft_Intune_DeviceSettings/DevicesMenu/~/overview");
const SECURITY: Portal = list("Microsoft_Intune_Workflows/SecurityManagementMenu/~/overview");
const COMPLIANCE: Portal = list("Microsoft_Intune_DeviceSettings/DevicesComplianceMenu/~/policies");
const UPDATES: Portal = list("Microsoft_Intune_DeviceSettings/DevicesMenu/~/windows10Update");
const WINDOWS_ENROLLMENT: Portal = list("Microsoft_Intune_DeviceSettings/DevicesEnrollmentMenu/~/windowsEnrollment");
const APPS: Portal = list("Microsoft_Intune_DeviceSettings/AppsMenu/~/overview");
const ROLES: Portal = list("Microsoft_Intune_DeviceSettings/RolesLandingMenuBlade/~/roles");
const CONNECTORS: Portal = list("Microsoft_Intune_DeviceSettings/TenantAdminMenu/~/connectorsAndTokens");
const CONDITIONAL_ACCESS: Portal = entra("Microsoft_AAD_ConditionalAccess/ConditionalAccessBlade/~/Policies");
const CROSS_TENANT: Portal = entra("Microsoft_AAD_IAM/CompanyRelationshipsMenuBlade/~/CrossTenantAccessSettings");
const DIRECTORY: Portal = entra("Microsoft_AAD_IAM/TenantOverview.ReactView");

/// Every type of the registry.
const PORTALS: &[(&str, Portal)] = &[
    ("settingsCatalogPolicy", SETTINGS),
    (
        "deviceConfiguration",
        object(
            "Microsoft_Intune_DeviceSettings/PolicySummaryReportBlade/policyId/{id}/policyName/{name}/policyJourneyState~/0/policyType~/90/isAssigned~/true",
        ),
    ),
    ("groupPolicyConfiguration", CONFIGURATION),
    ("groupPolicyUploadedDefinitionFile", CONFIGURATION),
    ("hardwareConfiguration", CONFIGURATION),
    ("oemConfigPolicy", CONFIGURATION),
    ("deviceInventoryPolicy", CONFIGURATION),
    ("resourceAccessProfile", CONFIGURATION),
    ("windowsMicrosoftTunnelConfiguration", intune(PortalPage::None("the page of Microsoft Tunnel has no address"))),
    ("windowsMicrosoftTunnelSite", intune(PortalPage::None("the page of Microsoft Tunnel has no address"))),
    ("zebraFotaDeployment", intune(PortalPage::None("the page of firmware updates for Zebra has no address"))),
    ("endpointSecurityPolicy", SETTINGS),
    ("securityBaselinePolicy", SETTINGS),
    ("endpointSecurityIntent", SECURITY),
    ("reusablePolicySetting", SECURITY),
    ("appQuietTimePolicy", SETTINGS),
    ("companyPortalPolicy", SETTINGS),
    ("windowsOsRecoveryPolicy", SETTINGS),
    ("windowsRecoveryPolicy", SETTINGS),
    ("maintenanceWindowPolicy", SETTINGS),
    ("linuxScriptPolicy", SETTINGS),
    ("devicePreparationPolicy", WINDOWS_ENROLLMENT),
    (
        "deviceCompliancePolicy",
        object(
            "Microsoft_Intune_DeviceSettings/CompliancePolicyOverview.ReactView/policyId/{id}/policyName/{name}/platform~/0/policyType~/0",
        ),
    ),
    ("linuxCompliancePolicy", COMPLIANCE),
    ("deviceComplianceScript", COMPLIANCE),
    ("notificationMessageTemplate", COMPLIANCE),
    ("windowsUpdateRing", list("Microsoft_Intune_DeviceSettings/DevicesMenu/~/windows10UpdateRings")),
    ("iosUpdateConfiguration", DEVICES),
    ("windowsFeatureUpdateProfile", UPDATES),
    ("windowsQualityUpdateProfile", UPDATES),
    ("windowsQualityUpdatePolicy", UPDATES),
    ("windowsDriverUpdateProfile", UPDATES),
    (
        "deviceManagementScript",
        object("Microsoft_Intune_DeviceSettings/ConfigureWMPolicyMenuBlade/~/overview/policyId/{id}/policyType~/0"),
    ),
    (
        "deviceShellScript",
        object("Microsoft_Intune_DeviceSettings/ConfigureWMPolicyMenuBlade/~/overview/policyId/{id}/policyType~/1"),
    ),
    (
        "deviceCustomAttributeShellScript",
        object(
            "Microsoft_Intune_DeviceSettings/ConfigureCustomAttributesPolicyMenuBladeViewModel/~/overview/id/{id}/displayName/{name}",
        ),
    ),
    (
        "deviceHealthScript",
        object(
            "Microsoft_Intune_Enrollment/UXAnalyticsScriptMenu/~/overview/id/{id}/scriptName/{name}/isFirstParty~/false",
        ),
    ),
    (
        "enrollmentStatusPage",
        object("Microsoft_Intune_Enrollment/EnrollmentStatusPageMenuBlade/~/overview/profileId/{id}"),
    ),
    ("enrollmentLimit", WINDOWS_ENROLLMENT),
    (
        "enrollmentPlatformRestriction",
        list("Microsoft_Intune_DeviceSettings/DevicesEnrollmentMenu/~/deviceTypeEnrollmentRestrictions"),
    ),
    ("enrollmentNotification", WINDOWS_ENROLLMENT),
    ("windowsHelloForBusiness", WINDOWS_ENROLLMENT),
    ("comanagementSettings", WINDOWS_ENROLLMENT),
    ("windowsRestore", WINDOWS_ENROLLMENT),
    ("enrollmentConfiguration", WINDOWS_ENROLLMENT),
    ("autopilotProfile", object("Microsoft_Intune_Enrollment/AutopilotMenuBlade/~/overview/apProfileId/{id}")),
    ("appleUserEnrollmentProfile", DEVICES),
    ("appleEnrollmentToken", DEVICES),
    ("appleEnrollmentProfile", DEVICES),
    ("androidEnrollmentProfile", DEVICES),
    ("androidManagedStore", DEVICES),
    ("applePushCertificate", DEVICES),
    ("termsAndConditions", list("Microsoft_Intune_DeviceSettings/TenantAdminMenu/~/termsAndConditions")),
    ("deviceCategory", list("Microsoft_Intune_DeviceSettings/DevicesMenu/~/deviceCategories")),
    ("mobileApp", object("Microsoft_Intune_Apps/SettingsMenu/~/0/appId/{id}")),
    ("mobileAppCategory", APPS),
    (
        "managedDeviceAppConfiguration",
        object("Microsoft_Intune_Apps/AppConfigPolicySettingsMenu/~/2/appConfigPolicyId/{id}"),
    ),
    (
        "mamAppConfiguration",
        object("Microsoft_Intune/TargetedAppConfigInstanceBlade/~/fullscreensummary/id/{id}/odataType/undefined"),
    ),
    (
        "appProtectionIos",
        object(
            "Microsoft_Intune/PolicyInstanceMenuBlade/~/0/policyId/{id}/policyOdataType/%23microsoft.graph.iosManagedAppProtection/policyName/{name}",
        ),
    ),
    (
        "appProtectionAndroid",
        object(
            "Microsoft_Intune/PolicyInstanceMenuBlade/~/0/policyId/{id}/policyOdataType/%23microsoft.graph.androidManagedAppProtection/policyName/{name}",
        ),
    ),
    (
        "appProtectionWindows",
        object(
            "Microsoft_Intune/PolicyInstanceMenuBlade/~/0/policyId/{id}/policyOdataType/%23microsoft.graph.windowsManagedAppProtection/policyName/{name}",
        ),
    ),
    (
        "wipPolicyMdm",
        object(
            "Microsoft_Intune/PolicyInstanceMenuBlade/~/7/policyId/{id}/policyOdataType/%23microsoft.graph.mdmWindowsInformationProtectionPolicy/policyName/{name}",
        ),
    ),
    ("wipPolicy", list("Microsoft_Intune_DeviceSettings/AppsMenu/~/protection")),
    ("appProtectionDefault", list("Microsoft_Intune_DeviceSettings/AppsMenu/~/protection")),
    ("policySet", DEVICES),
    ("vppToken", list("Microsoft_Intune_DeviceSettings/TenantAdminConnectorsMenu/~/appleVpp")),
    ("managedEBook", APPS),
    ("iosLobProvisioningProfile", APPS),
    ("wdacSupplementalPolicy", APPS),
    (
        "assignmentFilter",
        object("Microsoft_Intune_DeviceSettings/AssignmentFilterSummaryBlade/assignmentFilterId/{id}/filterType~/2"),
    ),
    ("roleScopeTag", list("Microsoft_Intune_DeviceSettings/RolesLandingMenuBlade/~/scopeTags")),
    ("intuneRoleDefinition", ROLES),
    ("intuneRoleAssignment", ROLES),
    ("intuneBrandingProfile", list("Microsoft_Intune_DeviceSettings/TenantAdminMenu/~/companyPortalBranding")),
    ("operationApprovalPolicy", list("Microsoft_Intune_DeviceSettings/TenantAdminMenu/~/multiAdminApproval")),
    ("deviceCleanupRule", list("Microsoft_Intune_DeviceSettings/DevicesMenu/~/deviceCleanUp")),
    ("mobileThreatDefenseConnector", CONNECTORS),
    ("complianceManagementPartner", CONNECTORS),
    ("deviceManagementPartner", CONNECTORS),
    ("remoteAssistancePartner", CONNECTORS),
    ("ndesConnector", list("Microsoft_Intune_DeviceSettings/TenantAdminConnectorsMenu/~/certConnectors")),
    ("domainJoinConnector", WINDOWS_ENROLLMENT),
    ("derivedCredential", CONNECTORS),
    ("cloudCertificationAuthority", list("Microsoft_Intune_DeviceSettings/TenantAdminMenu/~/caManagement")),
    ("deviceManagementSettings", COMPLIANCE),
    ("cloudPcProvisioningPolicy", DEVICES),
    ("cloudPcUserSetting", DEVICES),
    ("cloudPcOnPremisesConnection", DEVICES),
    ("cloudPcDeviceImage", DEVICES),
    (
        "conditionalAccessPolicy",
        Portal {
            site: PortalSite::Entra,
            page: PortalPage::Object("Microsoft_AAD_ConditionalAccess/PolicyBlade/policyId/{id}"),
        },
    ),
    ("namedLocation", entra("Microsoft_AAD_ConditionalAccess/ConditionalAccessBlade/~/NamedLocations")),
    ("authenticationStrength", entra("Microsoft_AAD_IAM/AuthenticationMethodsMenuBlade/~/AuthStrengths")),
    ("authenticationContext", entra("Microsoft_AAD_ConditionalAccess/ConditionalAccessBlade/~/AuthenticationContext")),
    ("termsOfUse", CONDITIONAL_ACCESS),
    ("authenticationMethodsPolicy", entra("Microsoft_AAD_IAM/AuthenticationMethodsMenuBlade/~/AdminAuthMethods")),
    ("authorizationPolicy", entra("Microsoft_AAD_IAM/CompanyRelationshipsMenuBlade/~/Settings")),
    ("crossTenantAccessPolicy", CROSS_TENANT),
    ("crossTenantAccessDefault", CROSS_TENANT),
    ("crossTenantAccessPartner", CROSS_TENANT),
    ("deviceRegistrationPolicy", entra("Microsoft_AAD_Devices/DevicesMenuBlade/~/DeviceSettings/menuId/")),
    ("securityDefaults", DIRECTORY),
    ("adminConsentRequestPolicy", entra("Microsoft_AAD_IAM/ConsentPoliciesMenuBlade/~/AdminConsentSettings")),
    ("organizationBranding", DIRECTORY),
    (
        "sharePointSettings",
        Portal {
            site: PortalSite::Entra,
            page: PortalPage::None("the address of the SharePoint admin center holds a name that is not read"),
        },
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::{Category, registry};

    const TENANT: &str = "11111111-2222-3333-4444-555555555555";

    fn link(key: &str, id: &str, name: &str) -> Option<PortalLink> {
        portal(registry().get(key)?)?.link(PortalCloud::Global, TENANT, id, name)
    }

    #[test]
    fn every_type_has_one_page_in_an_admin_center_or_a_reason_why_not() {
        assert_eq!(PORTALS.len(), registry().all().len());
        for policy_type in registry().all() {
            let entries = PORTALS.iter().filter(|(key, _)| *key == policy_type.key).count();
            assert_eq!(entries, 1, "{}", policy_type.key);
            let portal = portal(policy_type).unwrap();
            let site = if policy_type.category == Category::Entra { PortalSite::Entra } else { PortalSite::Intune };
            assert_eq!(portal.site, site, "{}", policy_type.key);
            match portal.page {
                PortalPage::Object(view) => {
                    assert!(view.starts_with("Microsoft_") && view.matches("{id}").count() == 1, "{view}");
                    assert!(!view.replace("{id}", "").replace("{name}", "").contains(['{', '}', ' ', '#']), "{view}");
                }
                PortalPage::List(view) => {
                    assert!(view.starts_with("Microsoft_") && !view.contains(['{', '}', ' ', '#']), "{view}");
                }
                PortalPage::None(reason) => assert!(reason.len() > 20, "{reason}"),
            }
        }
    }

    #[test]
    fn a_group_opens_in_the_cloud_and_the_directory_of_its_tenant() {
        assert_eq!(
            group_page(PortalCloud::UsGovernment, TENANT, "0a1b").address,
            format!(
                "https://entra.microsoft.us/{TENANT}#view/Microsoft_AAD_IAM/GroupDetailsMenuBlade/~/Overview/groupId/0a1b"
            )
        );
    }

    #[test]
    fn a_link_opens_the_directory_of_the_tenant_and_says_whether_it_is_the_object_itself() {
        let policy = link("conditionalAccessPolicy", "0a1b", "MFA").unwrap();
        assert_eq!(
            policy.address,
            format!(
                "https://entra.microsoft.com/{TENANT}#view/Microsoft_AAD_ConditionalAccess/PolicyBlade/policyId/0a1b"
            )
        );
        assert!(policy.exact);
        assert!(!link("namedLocation", "0a1b", "Office").unwrap().exact);
        assert_eq!(link("sharePointSettings", "0a1b", "x"), None);
        let government = portal(registry().get("mobileApp").unwrap())
            .and_then(|portal| portal.link(PortalCloud::UsGovernment, TENANT, "1", ""))
            .unwrap();
        assert!(government.address.starts_with("https://intune.microsoft.us/"));
    }

    #[test]
    fn neither_an_id_nor_a_name_can_lead_elsewhere() {
        let hostile = link("appProtectionIos", "a/../b#c", "x\" onclick=y {id}").unwrap().address;
        assert!(hostile.ends_with("policyName/x%22%20onclick=y%20%7Bid%7D"), "{hostile}");
        assert!(hostile.contains("/policyId/a%2F..%2Fb%23c/"), "{hostile}");
        assert_eq!(hostile.matches('#').count(), 1);
    }
}
