//! Which platform an object is for (`docs/graph.md`, section Platform derivation).

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::odata::odata_type;
use super::policy_type::PolicyType;

/// The platform of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Platform {
    /// Windows.
    Windows,
    /// macOS.
    Macos,
    /// iOS and iPadOS.
    Ios,
    /// Android in all its management modes.
    Android,
    /// Linux.
    Linux,
    /// ChromeOS.
    Chromeos,
    /// tvOS.
    Tvos,
    /// visionOS.
    Visionos,
    /// More than one, but not all.
    Mixed,
    /// All, or none in particular.
    All,
    /// Not known.
    Unknown,
}

impl Platform {
    /// Every platform.
    pub const ALL: &'static [Self] = &[
        Self::Windows,
        Self::Macos,
        Self::Ios,
        Self::Android,
        Self::Linux,
        Self::Chromeos,
        Self::Tvos,
        Self::Visionos,
        Self::Mixed,
        Self::All,
        Self::Unknown,
    ];

    /// The name as stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Windows => "windows",
            Self::Macos => "macos",
            Self::Ios => "ios",
            Self::Android => "android",
            Self::Linux => "linux",
            Self::Chromeos => "chromeos",
            Self::Tvos => "tvos",
            Self::Visionos => "visionos",
            Self::Mixed => "mixed",
            Self::All => "all",
            Self::Unknown => "unknown",
        }
    }

    /// The words for people.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Windows => "Windows",
            Self::Macos => "macOS",
            Self::Ios => "iOS/iPadOS",
            Self::Android => "Android",
            Self::Linux => "Linux",
            Self::Chromeos => "ChromeOS",
            Self::Tvos => "tvOS",
            Self::Visionos => "visionOS",
            Self::Mixed => "Several platforms",
            Self::All => "All platforms",
            Self::Unknown => "Unknown",
        }
    }
}

crate::names::named!(Platform, UnknownPlatform, "platform");

/// How the platform of an object of a type is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PlatformRule {
    /// For all platforms, or for none in particular.
    All,
    /// Always the same.
    Fixed(Platform),
    /// From this property: a name such as `windows10AndLater`, or several joined
    /// by commas (`platforms` is a flag enumeration).
    Property(&'static str),
    /// From the start of `@odata.type`.
    OdataType,
}

/// The platform of one object.
#[must_use]
pub fn platform_of(policy_type: &PolicyType, object: &Value) -> Platform {
    match policy_type.platform {
        PlatformRule::All => Platform::All,
        PlatformRule::Fixed(platform) => platform,
        PlatformRule::Property(property) => {
            let flags = object.get(property).and_then(Value::as_str).unwrap_or_default();
            let mut platforms = flags
                .split(',')
                .map(|flag| platform_of_name(flag.trim()))
                .filter(|platform| *platform != Platform::Unknown);
            let Some(first) = platforms.next() else { return Platform::Unknown };
            if platforms.all(|other| other == first) { first } else { Platform::Mixed }
        }
        PlatformRule::OdataType => odata_type(object).map_or(Platform::Unknown, platform_of_name),
    }
}

/// The platform that a name from Graph starts with. Order matters: a name that
/// starts with another must come before it.
fn platform_of_name(name: &str) -> Platform {
    const STARTS: &[(&str, Platform)] = &[
        ("windows", Platform::Windows),
        ("win32", Platform::Windows),
        ("winGet", Platform::Windows),
        ("winMobile", Platform::Windows),
        ("microsoftStore", Platform::Windows),
        ("officeSuite", Platform::Windows),
        ("mdmWindows", Platform::Windows),
        ("sharedPC", Platform::Windows),
        ("editionUpgrade", Platform::Windows),
        ("azureADWindows", Platform::Windows),
        ("activeDirectoryWindows", Platform::Windows),
        ("ios", Platform::Ios),
        ("iPad", Platform::Ios),
        ("managedIOS", Platform::Ios),
        ("depIOS", Platform::Ios),
        ("macOS", Platform::Macos),
        ("mac", Platform::Macos),
        ("depMacOS", Platform::Macos),
        ("android", Platform::Android),
        ("managedAndroid", Platform::Android),
        ("aosp", Platform::Android),
        ("linux", Platform::Linux),
        ("chromeOS", Platform::Chromeos),
        ("tvOS", Platform::Tvos),
        ("depTvOS", Platform::Tvos),
        ("visionOS", Platform::Visionos),
        ("depVisionOS", Platform::Visionos),
        ("webApp", Platform::All),
        ("all", Platform::All),
    ];
    STARTS
        .iter()
        .find(|(start, _)| name.get(..start.len()).is_some_and(|beginning| beginning.eq_ignore_ascii_case(start)))
        .map_or(Platform::Unknown, |(_, platform)| *platform)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::registry;
    use serde_json::json;

    fn platform(key: &str, object: &Value) -> Platform {
        platform_of(registry().get(key).unwrap(), object)
    }

    #[test]
    fn flags_joined_by_commas_are_understood() {
        let of = |flags: &str| platform("settingsCatalogPolicy", &json!({ "platforms": flags }));
        assert_eq!(of("windows10"), Platform::Windows);
        assert_eq!(of("windows10,windows10X"), Platform::Windows);
        assert_eq!(of("iOS, macOS"), Platform::Mixed);
        assert_eq!(of("androidEnterprise,aosp"), Platform::Android);
        assert_eq!(of("none"), Platform::Unknown);
        assert_eq!(of("unknownFutureValue,linux"), Platform::Linux);
    }

    #[test]
    fn the_subtype_tells_the_platform_of_older_types() {
        let of = |key: &str, name: &str| platform(key, &json!({ "@odata.type": format!("#microsoft.graph.{name}") }));
        assert_eq!(of("deviceConfiguration", "windows10GeneralConfiguration"), Platform::Windows);
        assert_eq!(of("deviceConfiguration", "sharedPCConfiguration"), Platform::Windows);
        assert_eq!(of("deviceConfiguration", "aospDeviceOwnerWiFiConfiguration"), Platform::Android);
        assert_eq!(of("deviceConfiguration", "macOSCustomConfiguration"), Platform::Macos);
        assert_eq!(of("mobileApp", "win32LobApp"), Platform::Windows);
        assert_eq!(of("mobileApp", "webApp"), Platform::All);
        assert_eq!(of("mobileApp", "managedIOSStoreApp"), Platform::Ios);
        assert_eq!(of("mobileApp", "somethingNew"), Platform::Unknown);
        assert_eq!(platform("mobileApp", &json!({})), Platform::Unknown);
    }
}
