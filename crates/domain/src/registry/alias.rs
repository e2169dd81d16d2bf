//! Other names by which people look for a type: abbreviations, names of products, names of before.

use super::policy_type::PolicyType;

/// The other names of a type, in small letters.
#[must_use]
pub fn aliases(policy_type: &PolicyType) -> &'static [&'static str] {
    ALIASES.iter().find(|(key, _)| *key == policy_type.key).map_or(&[], |(_, aliases)| aliases)
}

const ALIASES: &[(&str, &[&str])] = &[
    ("settingsCatalogPolicy", &["catalogue", "configuration profile", "csp"]),
    ("deviceConfiguration", &["configuration profile", "wi-fi", "wifi", "vpn", "scep", "pkcs", "custom", "oma-uri"]),
    ("groupPolicyConfiguration", &["gpo", "admx", "group policy"]),
    ("groupPolicyUploadedDefinitionFile", &["admx", "gpo"]),
    ("hardwareConfiguration", &["bios", "dell", "dfci"]),
    (
        "endpointSecurityPolicy",
        &[
            "defender",
            "mde",
            "asr",
            "attack surface reduction",
            "laps",
            "bitlocker",
            "firewall",
            "antivirus",
            "edr",
            "epm",
            "disk encryption",
            "account protection",
            "app control",
            "wdac",
        ],
    ),
    ("securityBaselinePolicy", &["baseline", "defender baseline", "edge baseline"]),
    ("endpointSecurityIntent", &["defender", "asr", "antivirus", "firewall", "edr", "disk encryption", "bitlocker"]),
    ("reusablePolicySetting", &["firewall group", "device control"]),
    ("devicePreparationPolicy", &["autopilot v2", "apv2", "windows autopilot device preparation"]),
    ("linuxCompliancePolicy", &["compliance"]),
    ("deviceComplianceScript", &["discovery script", "custom compliance"]),
    ("windowsUpdateRing", &["wufb", "windows update for business", "update ring"]),
    ("windowsFeatureUpdateProfile", &["wufb", "windows 11 upgrade"]),
    ("windowsQualityUpdateProfile", &["wufb", "expedite", "patch"]),
    ("windowsQualityUpdatePolicy", &["wufb", "hotpatch", "patch"]),
    ("windowsDriverUpdateProfile", &["wufb", "firmware"]),
    ("deviceManagementScript", &["powershell"]),
    ("deviceShellScript", &["bash", "macos script"]),
    ("deviceHealthScript", &["proactive remediation", "detection script"]),
    ("enrollmentStatusPage", &["esp", "enrolment status page"]),
    ("enrollmentPlatformRestriction", &["byod", "device type restriction", "enrollment restriction"]),
    ("enrollmentLimit", &["enrollment restriction"]),
    ("windowsHelloForBusiness", &["whfb", "hello"]),
    ("comanagementSettings", &["sccm", "configmgr", "mecm", "configuration manager"]),
    ("autopilotProfile", &["oobe", "windows autopilot"]),
    ("appleEnrollmentToken", &["ade", "dep", "abm", "apple business manager", "automated device enrollment"]),
    ("appleEnrollmentProfile", &["ade", "dep", "automated device enrollment"]),
    ("androidEnrollmentProfile", &["cobo", "cosu", "cope", "aosp", "fully managed", "dedicated"]),
    ("androidManagedStore", &["android enterprise", "google play"]),
    ("applePushCertificate", &["apns", "mdm certificate"]),
    ("mobileApp", &["win32", "msi", "lob", "store app", "software"]),
    ("managedDeviceAppConfiguration", &["acp", "app config"]),
    ("mamAppConfiguration", &["mam", "app config"]),
    ("appProtectionIos", &["app", "mam"]),
    ("appProtectionAndroid", &["app", "mam"]),
    ("appProtectionWindows", &["app", "mam"]),
    ("wipPolicyMdm", &["wip", "edp"]),
    ("wipPolicy", &["wip", "edp", "mam"]),
    ("vppToken", &["vpp", "apps and books", "license", "licence"]),
    ("wdacSupplementalPolicy", &["s mode", "app control"]),
    ("assignmentFilter", &["filter"]),
    ("roleScopeTag", &["rbac"]),
    ("intuneRoleDefinition", &["rbac"]),
    ("intuneRoleAssignment", &["rbac"]),
    ("operationApprovalPolicy", &["maa"]),
    ("mobileThreatDefenseConnector", &["mtd", "defender", "mde"]),
    ("complianceManagementPartner", &["jamf"]),
    ("remoteAssistancePartner", &["teamviewer"]),
    ("ndesConnector", &["ndes", "scep", "pkcs", "certificate connector"]),
    ("cloudCertificationAuthority", &["pki", "certificate authority"]),
    ("cloudPcProvisioningPolicy", &["w365", "windows 365", "cloud pc"]),
    ("cloudPcUserSetting", &["w365", "windows 365", "cloud pc"]),
    ("cloudPcOnPremisesConnection", &["anc", "w365", "windows 365", "cloud pc"]),
    ("cloudPcDeviceImage", &["w365", "windows 365", "cloud pc"]),
    ("conditionalAccessPolicy", &["ca", "cap", "mfa"]),
    ("namedLocation", &["ca", "trusted location", "ip range"]),
    ("authenticationStrength", &["ca", "mfa", "fido2"]),
    ("authenticationContext", &["ca"]),
    ("termsOfUse", &["tou", "ca"]),
    ("authenticationMethodsPolicy", &["mfa", "fido2", "passkey", "authenticator", "sspr"]),
    ("authorizationPolicy", &["guest"]),
    ("crossTenantAccessPolicy", &["b2b", "xtap"]),
    ("crossTenantAccessDefault", &["b2b", "xtap"]),
    ("crossTenantAccessPartner", &["b2b", "xtap"]),
    ("deviceRegistrationPolicy", &["entra join", "laps"]),
    ("adminConsentRequestPolicy", &["consent"]),
    ("organizationBranding", &["company branding"]),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::registry;
    use std::collections::BTreeSet;

    #[test]
    fn every_alias_belongs_to_a_type_and_is_written_as_it_is_looked_for() {
        let keys: BTreeSet<&str> = ALIASES.iter().map(|(key, _)| *key).collect();
        assert_eq!(keys.len(), ALIASES.len(), "a type is there twice");
        for (key, aliases) in ALIASES {
            assert!(registry().get(key).is_some(), "{key}");
            let distinct: BTreeSet<&&str> = aliases.iter().collect();
            assert_eq!(distinct.len(), aliases.len(), "{key}");
            assert!(aliases.iter().all(|alias| !alias.is_empty() && alias.to_lowercase() == *alias), "{key}");
        }
    }

    #[test]
    fn the_words_of_engineers_find_their_type() {
        for (word, key) in [
            ("esp", "enrollmentStatusPage"),
            ("ca", "conditionalAccessPolicy"),
            ("defender", "endpointSecurityPolicy"),
            ("asr", "endpointSecurityPolicy"),
            ("laps", "endpointSecurityPolicy"),
            ("license", "vppToken"),
        ] {
            assert!(aliases(registry().get(key).unwrap()).contains(&word), "{word}");
        }
    }
}
