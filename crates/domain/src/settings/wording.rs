//! What Microsoft's portals call properties and values that no catalog describes: those of compliance policies, device
//! restrictions, update rings and Conditional Access (Microsoft Learn, "Device compliance settings", "Windows Update settings",
//! "Conditional Access: Grant", and their neighbors). What is not listed is called by its property, cut into words.

use crate::live::humanise;

/// Properties whose title in the portal is another one than their name in words.
const TITLES: &[(&str, &str)] = &[
    ("@odata.type", "Kind"),
    ("activeFirewallRequired", "Firewall"),
    ("allowWindows11Upgrade", "Upgrade Windows 10 devices to Latest Windows 11 release"),
    ("antiSpywareRequired", "Antispyware"),
    ("antivirusRequired", "Antivirus"),
    ("automaticUpdateMode", "Automatic update behavior"),
    ("bitLockerEnabled", "BitLocker"),
    ("builtInControls", "Grant"),
    ("clientAppTypes", "Client apps"),
    ("codeIntegrityEnabled", "Code integrity"),
    ("configurationManagerComplianceRequired", "Device compliance from Configuration Manager"),
    ("deadlineForFeatureUpdatesInDays", "Deadline for feature updates (days)"),
    ("deadlineForQualityUpdatesInDays", "Deadline for quality updates (days)"),
    ("deadlineGracePeriodInDays", "Grace period (days)"),
    ("defenderEnabled", "Microsoft Defender Antimalware"),
    ("defenderVersion", "Microsoft Defender Antimalware minimum version"),
    ("deviceThreatProtectionRequiredSecurityLevel", "Device threat level, at or under"),
    ("driversExcluded", "Windows drivers"),
    ("excludeApplications", "Excluded target resources"),
    ("featureUpdatesDeferralPeriodInDays", "Feature update deferral period (days)"),
    ("featureUpdatesRollbackWindowInDays", "Feature update uninstall period (days)"),
    ("firewallBlockAllIncoming", "Incoming connections"),
    ("firewallEnableStealthMode", "Stealth mode"),
    ("firewallEnabled", "Firewall"),
    ("gatekeeperAllowedAppSource", "Allow apps downloaded from these locations"),
    ("gracePeriodHours", "Schedule (hours after noncompliance)"),
    ("includeApplications", "Target resources"),
    ("managedEmailProfileRequired", "Managed email profile"),
    ("microsoftUpdateServiceAllowed", "Microsoft product updates"),
    ("minAndroidSecurityPatchLevel", "Minimum security patch level"),
    ("mobileOsMaximumVersion", "Maximum OS version for mobile devices"),
    ("mobileOsMinimumVersion", "Minimum OS version for mobile devices"),
    ("notificationMessageCCList", "Additional recipients"),
    ("notificationTemplateId", "Message template"),
    ("osMaximumBuildVersion", "Maximum OS build version"),
    ("osMaximumVersion", "Maximum OS version"),
    ("osMinimumBuildVersion", "Minimum OS build version"),
    ("osMinimumVersion", "Minimum OS version"),
    ("passwordBlockSimple", "Simple passwords"),
    ("passwordExpirationDays", "Password expiration (days)"),
    ("passwordMinimumLength", "Minimum password length"),
    ("passwordMinutesOfInactivityBeforeLock", "Maximum minutes of inactivity before password is required"),
    ("passwordMinutesOfInactivityBeforeScreenTimeout", "Maximum minutes of inactivity until screen locks"),
    ("passwordPreviousPasswordBlockCount", "Number of previous passwords to prevent reuse"),
    ("passwordRequired", "Require a password"),
    ("passwordRequiredToUnlockFromIdle", "Require password when device returns from idle state"),
    ("passwordRequiredType", "Password type"),
    ("passwordSignInFailureCountBeforeFactoryReset", "Number of sign-in failures before wiping device"),
    ("qualityUpdatesDeferralPeriodInDays", "Quality update deferral period (days)"),
    ("roleScopeTagIds", "Scope tags"),
    ("roleScopeTags", "Scope tags"),
    ("rtpEnabled", "Real-time protection"),
    ("scheduledActionsForRule", "Actions for noncompliance"),
    ("secureBootEnabled", "Secure Boot"),
    ("securityBlockJailbrokenDevices", "Jailbroken or rooted devices"),
    ("securityDisableUsbDebugging", "USB debugging on device"),
    ("securityPreventInstallAppsFromUnknownSources", "Apps from unknown sources"),
    ("securityRequireCompanyPortalAppIntegrity", "Company Portal app runtime integrity"),
    ("securityRequireGooglePlayServices", "Google Play Services is configured"),
    ("securityRequireUpToDateSecurityProviders", "Up-to-date security provider"),
    ("securityRequireVerifyApps", "Threat scan on apps"),
    ("signatureOutOfDate", "Microsoft Defender Antimalware security intelligence up-to-date"),
    ("storageRequireEncryption", "Encryption of data storage on device"),
    ("systemIntegrityProtectionEnabled", "System integrity protection"),
    ("tpmRequired", "Trusted Platform Module (TPM)"),
    ("userPauseAccess", "Option to pause Windows updates"),
    ("userWindowsUpdateScanAccess", "Option to check for Windows updates"),
    ("validOperatingSystemBuildRanges", "Valid operating system builds"),
];

/// Switches that the portal shows as something else than yes and no: the property, what `true` and what `false` is called.
const SWITCHES: &[(&str, &str, &str)] = &[
    ("activeFirewallRequired", "Require", "Not configured"),
    ("antiSpywareRequired", "Require", "Not configured"),
    ("antivirusRequired", "Require", "Not configured"),
    ("bitLockerEnabled", "Require", "Not configured"),
    ("codeIntegrityEnabled", "Require", "Not configured"),
    ("configurationManagerComplianceRequired", "Require", "Not configured"),
    ("defenderEnabled", "Require", "Not configured"),
    ("driversExcluded", "Block", "Allow"),
    ("firewallBlockAllIncoming", "Block", "Not configured"),
    ("firewallEnableStealthMode", "Enable", "Not configured"),
    ("firewallEnabled", "Enable", "Not configured"),
    ("managedEmailProfileRequired", "Require", "Not configured"),
    ("microsoftUpdateServiceAllowed", "Allow", "Block"),
    ("passwordBlockSimple", "Block", "Not configured"),
    ("passwordRequired", "Require", "Not configured"),
    ("passwordRequiredToUnlockFromIdle", "Require", "Not configured"),
    ("rtpEnabled", "Require", "Not configured"),
    ("secureBootEnabled", "Require", "Not configured"),
    ("securityBlockJailbrokenDevices", "Block", "Not configured"),
    ("securityDisableUsbDebugging", "Block", "Not configured"),
    ("securityPreventInstallAppsFromUnknownSources", "Block", "Not configured"),
    ("securityRequireCompanyPortalAppIntegrity", "Require", "Not configured"),
    ("securityRequireGooglePlayServices", "Require", "Not configured"),
    ("securityRequireUpToDateSecurityProviders", "Require", "Not configured"),
    ("securityRequireVerifyApps", "Require", "Not configured"),
    ("signatureOutOfDate", "Require", "Not configured"),
    ("storageRequireEncryption", "Require", "Not configured"),
    ("systemIntegrityProtectionEnabled", "Require", "Not configured"),
    ("tpmRequired", "Require", "Not configured"),
];

/// Members of an enumeration that the portal calls something else than their name in words: the property, the member, its words.
const MEMBERS: &[(&str, &str, &str)] = &[
    ("actionType", "block", "Mark device noncompliant"),
    ("actionType", "notification", "Send email to end user"),
    ("actionType", "pushNotification", "Send push notification to end user"),
    ("actionType", "remoteLock", "Remotely lock the noncompliant device"),
    ("actionType", "retire", "Retire the noncompliant device"),
    ("actionType", "wipe", "Wipe the noncompliant device"),
    ("automaticUpdateMode", "autoInstallAndRebootAtMaintenanceTime", "Auto install and restart at maintenance time"),
    ("automaticUpdateMode", "autoInstallAndRebootAtScheduledTime", "Auto install and restart at scheduled time"),
    (
        "automaticUpdateMode",
        "autoInstallAndRebootWithoutEndUserControl",
        "Auto install and reboot without end-user control",
    ),
    ("automaticUpdateMode", "autoInstallAtMaintenanceTime", "Auto install at maintenance time"),
    ("automaticUpdateMode", "notifyDownload", "Notify download"),
    ("automaticUpdateMode", "userDefined", "Not configured"),
    ("automaticUpdateMode", "windowsDefault", "Reset to default"),
    ("builtInControls", "approvedApplication", "Require approved client app"),
    ("builtInControls", "block", "Block access"),
    ("builtInControls", "compliantApplication", "Require app protection policy"),
    ("builtInControls", "compliantDevice", "Require device to be marked as compliant"),
    ("builtInControls", "domainJoinedDevice", "Require Microsoft Entra hybrid joined device"),
    ("builtInControls", "mfa", "Require multifactor authentication"),
    ("builtInControls", "passwordChange", "Require password change"),
    ("clientAppTypes", "all", "All client apps"),
    ("clientAppTypes", "browser", "Browser"),
    ("clientAppTypes", "easSupported", "Exchange ActiveSync clients, supported platforms"),
    ("clientAppTypes", "exchangeActiveSync", "Exchange ActiveSync clients"),
    ("clientAppTypes", "mobileAppsAndDesktopClients", "Mobile apps and desktop clients"),
    ("clientAppTypes", "other", "Other clients"),
    ("passwordRequiredType", "alphanumeric", "Alphanumeric"),
    ("passwordRequiredType", "numeric", "Numeric"),
    ("state", "disabled", "Off"),
    ("state", "enabled", "On"),
    ("state", "enabledForReportingButNotEnforced", "Report-only"),
];

/// Members of enumerations that are called the same wherever they stand. None of them is a word that a text of a person would be.
const MEMBERS_ANYWHERE: &[&str] = &[
    "allowFromAnywhere",
    "alphanumericWithSymbols",
    "atLeastAlphabetic",
    "atLeastAlphanumeric",
    "atLeastNumeric",
    "autoInstallAtMaintenanceTime",
    "deviceDefault",
    "enforceHttps",
    "lowSecurityBiometric",
    "macAppStore",
    "macAppStoreAndIdentifiedDevelopers",
    "noPassword",
    "notApplicable",
    "notConfigured",
    "numericComplex",
    "unavailable",
    "userDefined",
    "windowsDefault",
];

/// Names that are written in one way, and abbreviations: as a property has them in small letters, as they are.
const SPELLINGS: &[(&str, &str)] = &[
    ("active sync", "ActiveSync"),
    ("api", "API"),
    ("app locker", "AppLocker"),
    ("bit locker", "BitLocker"),
    ("dns", "DNS"),
    ("dma", "DMA"),
    ("eap", "EAP"),
    ("exchange", "Exchange"),
    ("face id", "Face ID"),
    ("guid", "GUID"),
    ("http", "HTTP"),
    ("https", "HTTPS"),
    ("i cloud", "iCloud"),
    ("id", "ID"),
    ("ids", "IDs"),
    ("ios", "iOS"),
    ("ip", "IP"),
    ("mac os", "macOS"),
    ("mdm", "MDM"),
    ("nfc", "NFC"),
    ("oma", "OMA"),
    ("one drive", "OneDrive"),
    ("os", "OS"),
    ("pin", "PIN"),
    ("secure boot", "Secure Boot"),
    ("sms", "SMS"),
    ("smart screen", "SmartScreen"),
    ("ssid", "SSID"),
    ("touch id", "Touch ID"),
    ("tpm", "TPM"),
    ("uri", "URI"),
    ("url", "URL"),
    ("urls", "URLs"),
    ("usb", "USB"),
    ("vpn", "VPN"),
    ("wi fi", "Wi-Fi"),
    ("windows", "Windows"),
];

/// The title of a property in the portal, where it is another one than its name in words.
pub(super) fn listed_title(property: &str) -> Option<&'static str> {
    TITLES.iter().find(|(name, _)| *name == property).map(|(_, title)| *title)
}

/// What a property is called.
#[must_use]
pub fn property_title(property: &str) -> String {
    listed_title(property).map_or_else(|| spelled(&humanise(&lower_abbreviations(property))), str::to_owned)
}

/// The properties whose title in the portal, other than their name, holds a text in small letters.
pub fn properties_titled<'text>(text: &'text str) -> impl Iterator<Item = &'static str> + 'text {
    TITLES.iter().filter(move |(_, title)| title.to_lowercase().contains(text)).map(|(name, _)| *name)
}

/// What a switch is called that the portal shows as something else than yes and no.
#[must_use]
pub fn switch_words(property: &str, on: bool) -> Option<&'static str> {
    SWITCHES.iter().find(|(name, ..)| *name == property).map(|(_, yes, no)| if on { *yes } else { *no })
}

/// What a text is called that is the member of an enumeration, or how long a duration of ISO 8601 is; `None` for any other.
#[must_use]
pub fn member_words(property: Option<&str>, text: &str) -> Option<String> {
    let listed = MEMBERS.iter().find(|(name, member, _)| Some(*name) == property && *member == text);
    if let Some((.., words)) = listed {
        return Some((*words).to_owned());
    }
    let anywhere = MEMBERS_ANYWHERE.contains(&text).then(|| spelled(&humanise(text)));
    anywhere.or_else(|| duration_words(text))
}

/// `PT1H30M`: "1 hour 30 minutes". Years and months, which have no length, are left as they are.
fn duration_words(text: &str) -> Option<String> {
    const UNITS: [(char, bool, &str); 5] =
        [('W', false, "week"), ('D', false, "day"), ('H', true, "hour"), ('M', true, "minute"), ('S', true, "second")];
    let mut rest = text.strip_prefix('P')?;
    let (mut words, mut in_time) = (Vec::new(), false);
    while !rest.is_empty() {
        if let Some(time) = rest.strip_prefix('T') {
            if in_time || time.is_empty() {
                return None;
            }
            (rest, in_time) = (time, true);
        }
        let digits = rest.find(|character: char| !character.is_ascii_digit())?;
        let (number, unit) = rest.split_at(digits);
        let number: u64 = number.parse().ok()?;
        let unit = unit.chars().next()?;
        let (.., name) = UNITS.iter().find(|(letter, timed, _)| *letter == unit && *timed == in_time)?;
        words.push(format!("{number} {name}{}", if number == 1 { "" } else { "s" }));
        rest = &rest[digits + 1..];
    }
    (!words.is_empty()).then(|| words.join(" "))
}

/// `omaURIValue` as `omaUriValue`: letters of an abbreviation are no words of one letter.
fn lower_abbreviations(property: &str) -> String {
    let letters: Vec<char> = property.chars().collect();
    let is_upper = |at: usize| letters.get(at).is_some_and(char::is_ascii_uppercase);
    let next_is_lower = |at: usize| letters.get(at + 1).is_some_and(char::is_ascii_lowercase);
    let kept = |at: usize| !is_upper(at) || at == 0 || !is_upper(at - 1) || next_is_lower(at);
    let lowered = |(at, letter): (usize, &char)| if kept(at) { *letter } else { letter.to_ascii_lowercase() };
    letters.iter().enumerate().map(lowered).collect()
}

/// A sentence of words in small letters with names as they are written.
fn spelled(sentence: &str) -> String {
    let lower = format!(" {} ", sentence.to_lowercase());
    let mut text = format!(" {sentence} ");
    for (small, spelling) in SPELLINGS {
        let sought = format!(" {small} ");
        if lower.contains(&sought) {
            let at = text.to_lowercase().find(&sought);
            if let Some(at) = at {
                text.replace_range(at + 1..at + 1 + small.len(), spelling);
            }
        }
    }
    text.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn properties_are_called_as_the_portal_calls_them_and_others_by_their_words() {
        assert_eq!(property_title("passwordMinimumLength"), "Minimum password length");
        assert_eq!(property_title("cellularBlockDataRoaming"), "Cellular block data roaming");
        assert_eq!(property_title("bitLockerSystemDrivePolicy"), "BitLocker system drive policy");
        assert_eq!(property_title("wiFiBlockAutomaticConnectHotspots"), "Wi-Fi block automatic connect hotspots");
        assert_eq!(property_title("omaURIValue"), "OMA URI value");
        assert_eq!(property_title("iCloudBlockBackup"), "iCloud block backup");
        assert_eq!(property_title("pinnedTiles"), "Pinned tiles", "a part of a word is no abbreviation");
        assert_eq!(property_title("vpnDNSServer"), "VPN DNS server");
    }

    #[test]
    fn values_are_called_as_the_portal_calls_them_and_a_text_of_a_person_stays_as_it_is() {
        assert_eq!(member_words(Some("builtInControls"), "mfa").as_deref(), Some("Require multifactor authentication"));
        assert_eq!(member_words(Some("displayName"), "mfa"), None);
        assert_eq!(member_words(None, "deviceDefault").as_deref(), Some("Device default"));
        for text in ["homeNet", "block", "P", "PT", "P1M", "PT5", "PM", "P1DT", "Patrick", "PT-1H"] {
            assert_eq!(member_words(None, text), None, "{text}");
        }
        assert_eq!(switch_words("securityBlockJailbrokenDevices", true), Some("Block"));
        assert_eq!(switch_words("isDefault", true), None);
    }

    #[test]
    fn durations_are_told_in_words() {
        for (text, words) in [
            ("PT15M", "15 minutes"),
            ("P1D", "1 day"),
            ("PT1H30M", "1 hour 30 minutes"),
            ("P2W", "2 weeks"),
            ("P1DT12H", "1 day 12 hours"),
            ("PT0S", "0 seconds"),
        ] {
            assert_eq!(member_words(None, text).as_deref(), Some(words), "{text}");
        }
    }

    #[test]
    fn lists_are_in_order_and_every_switch_has_a_title() {
        assert!(TITLES.is_sorted() && SWITCHES.is_sorted() && MEMBERS.is_sorted());
        assert!(SWITCHES.iter().all(|(name, ..)| TITLES.iter().any(|(titled, _)| titled == name)));
    }
}
