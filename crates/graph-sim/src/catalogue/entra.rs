//! Microsoft Entra.

use super::*;

pub(super) fn resources() -> Vec<Resource> {
    [conditional_access(), conditions(), policies(), access_across_tenants(), settings()].concat()
}

/// Conditional access.
fn conditional_access() -> Vec<Resource> {
    vec![
        v1(strict(paged(
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
        ))),
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
    ]
}

/// What conditional access refers to.
fn conditions() -> Vec<Resource> {
    vec![
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
                fields = &[("isPerDeviceAcceptanceRequired", Field::Bool)],
                expandable = &[(
                    "files",
                    Field::Raw(r#"[{"id":"f1","fileName":"terms.pdf","language":"en","isDefault":true}]"#)
                )]
            )],
            &["files"],
            &["Agreement.Read.All"],
        )),
    ]
}

/// Policies of the directory.
fn policies() -> Vec<Resource> {
    vec![
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
    ]
}

/// Access across tenants.
fn access_across_tenants() -> Vec<Resource> {
    vec![
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
    ]
}

/// Settings of devices, security and sharing.
fn settings() -> Vec<Resource> {
    vec![
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
}
