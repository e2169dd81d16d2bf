use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::*;
use crate::sanitise::{is_secret_key, meta_fields};

/// The listing that serves a type.
fn listing(key: &str) -> Listing {
    let policy_type = registry().get(key).unwrap();
    registry().listings_for(&[policy_type]).remove(0)
}

#[track_caller]
fn classified(listing: &Listing, properties: &Value) -> &'static str {
    listing.classify(properties).unwrap().key
}

#[test]
fn the_keys_are_those_of_the_golden_file() {
    let keys: String = registry()
        .all()
        .iter()
        .map(|policy_type| {
            let mut line = format!("{} {}", policy_type.category, policy_type.key);
            if policy_type.foundation {
                line.push_str(" foundation");
            }
            if !policy_type.default_on {
                line.push_str(" off");
            }
            line + "\n"
        })
        .collect();
    // A key is stored in databases and in hashes: it may be added, never renamed.
    assert_eq!(keys, include_str!("keys.golden"));
}

#[test]
fn there_are_enough_types_and_what_only_metadata_vouches_for_is_off() {
    assert!(registry().all().len() >= 65);
    assert!(registry().default_on().count() >= 60);
    for key in [
        "deviceInventoryPolicy",
        "windowsMicrosoftTunnelConfiguration",
        "windowsMicrosoftTunnelSite",
        "zebraFotaDeployment",
        "wdacSupplementalPolicy",
        "managedEBook",
        "resourceAccessProfile",
        "cloudCertificationAuthority",
    ] {
        assert!(!registry().get(key).unwrap().default_on, "{key}");
    }
}

#[test]
fn every_row_is_complete_and_its_key_is_its_own() {
    let mut keys = BTreeSet::new();
    for policy_type in registry().all() {
        let key = policy_type.key;
        assert!(keys.insert(key), "{key} is there twice");
        assert!(key.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{key}");
        assert!(!policy_type.label.is_empty() && !policy_type.name_property.is_empty(), "{key}");
        assert!(policy_type.permission.contains(".Read."), "{key}");
        assert!(!policy_type.alternative_permissions.contains(&policy_type.permission), "{key}");
        let paths = match policy_type.source {
            Source::Collection { path } | Source::Singleton { path } => vec![path],
            Source::ChildrenOf { parent_path, child_path, .. } => vec![parent_path, child_path],
        };
        for path in paths {
            assert!(!path.is_empty() && !path.starts_with('/') && !path.ends_with('/') && !path.contains('?'), "{key}");
        }
        assert!(!policy_type.query.contains("$top") && !policy_type.query.starts_with('?'), "{key}");
        let expands = policy_type.query.contains("assignments");
        assert_eq!(expands, policy_type.assignments == Assignments::Expand, "{key}");
        assert_eq!(registry().get(key).map(|found| found.key), Some(key));
    }
    assert!(registry().get("nothing").is_none());
}

#[test]
fn labels_are_told_apart_by_people() {
    let labels: BTreeSet<_> = registry().all().iter().map(|policy_type| policy_type.label).collect();
    assert_eq!(labels.len(), registry().all().len());
}

#[test]
fn no_secret_is_on_a_list_of_metadata() {
    for policy_type in registry().all() {
        let mut keys = BTreeSet::new();
        for field in meta_fields(policy_type) {
            assert!(!is_secret_key(field.key), "{} keeps {}", policy_type.key, field.key);
            assert!(field.path.split('.').all(|segment| !is_secret_key(segment)), "{}", policy_type.key);
            assert!(!matches!(field.key, "value" | "id" | "description"), "{}", policy_type.key);
            assert!(keys.insert(field.key), "{} keeps {} twice", policy_type.key, field.key);
        }
    }
}

#[test]
fn a_shared_collection_has_one_type_for_the_rest_and_no_type_is_shadowed() {
    let every: Vec<_> = registry().all().to_vec();
    let mut served = BTreeMap::new();
    for listing in registry().listings_for(&every) {
        for policy_type in &listing.types {
            *served.entry(policy_type.key).or_insert(0) += 1;
        }
        let rest = listing.types.iter().filter(|policy_type| policy_type.split == Split::Remainder).count();
        if listing.types.len() == 1 {
            assert_eq!(listing.types[0].split, Split::Whole, "{}", listing.types[0].key);
        } else {
            assert_eq!(rest, 1, "{:?}", listing.source);
            assert!(listing.types.iter().all(|policy_type| policy_type.split != Split::Whole));
        }
        assert!(listing.classify(&json!({})).is_some());
    }
    assert_eq!(served.len(), every.len());
    assert!(served.values().all(|count| *count == 1));
}

#[test]
fn types_of_one_path_share_one_listing() {
    let mut paths = BTreeMap::new();
    let every: Vec<_> = registry().all().to_vec();
    for listing in registry().listings_for(&every) {
        let path = format!("{} {}", listing.api_version.as_str(), listing.path(Some("PARENT")));
        assert_eq!(paths.insert(path.clone(), ()), None, "{path} would be read twice");
    }
}

#[test]
fn the_settings_catalogue_is_split_by_template_family() {
    let listing = listing("settingsCatalogPolicy");
    assert_eq!(listing.full_query(), "$expand=assignments,settings&$top=100");
    let family = |name: &str| json!({"platforms": "windows10", "templateReference": {"templateFamily": name}});
    for (name, key) in [
        ("none", "settingsCatalogPolicy"),
        ("", "settingsCatalogPolicy"),
        ("deviceConfigurationPolicies", "settingsCatalogPolicy"),
        ("unknownFutureValue", "settingsCatalogPolicy"),
        ("somethingOfNextYear", "settingsCatalogPolicy"),
        ("endpointSecurityAntivirus", "endpointSecurityPolicy"),
        ("endpointSecurityEndpointPrivilegeManagement", "endpointSecurityPolicy"),
        ("baseline", "securityBaselinePolicy"),
        ("appQuietTime", "appQuietTimePolicy"),
        ("companyPortal", "companyPortalPolicy"),
        ("windowsOsRecoveryPolicies", "windowsOsRecoveryPolicy"),
        ("windowsRecoveryAndRemediationConfiguration", "windowsRecoveryPolicy"),
        ("maintenanceWindows", "maintenanceWindowPolicy"),
        ("enrollmentConfiguration", "devicePreparationPolicy"),
        ("deviceConfigurationScripts", "settingsCatalogPolicy"),
    ] {
        assert_eq!(classified(&listing, &family(name)), key, "{name}");
    }
    let linux = json!({"platforms": "linux", "templateReference": {"templateFamily": "deviceConfigurationScripts"}});
    assert_eq!(classified(&listing, &linux), "linuxScriptPolicy");
    assert_eq!(classified(&listing, &json!({"templateReference": null})), "settingsCatalogPolicy");
}

#[test]
fn older_collections_are_split_by_subtype() {
    let subtype = |name: &str| json!({"@odata.type": format!("#microsoft.graph.{name}")});
    let devices = listing("deviceConfiguration");
    assert_eq!(classified(&devices, &subtype("windowsUpdateForBusinessConfiguration")), "windowsUpdateRing");
    assert_eq!(classified(&devices, &subtype("iosUpdateConfiguration")), "iosUpdateConfiguration");
    assert_eq!(classified(&devices, &subtype("iosUpdateConfigurationOfNextYear")), "deviceConfiguration");
    assert_eq!(classified(&devices, &json!({})), "deviceConfiguration");

    let enrolment = listing("enrollmentLimit");
    for (name, key) in [
        ("windows10EnrollmentCompletionPageConfiguration", "enrollmentStatusPage"),
        ("deviceEnrollmentLimitConfiguration", "enrollmentLimit"),
        ("deviceEnrollmentPlatformRestrictionConfiguration", "enrollmentPlatformRestriction"),
        ("deviceEnrollmentPlatformRestrictionsConfiguration", "enrollmentPlatformRestriction"),
        ("deviceEnrollmentNotificationConfiguration", "enrollmentNotification"),
        ("deviceEnrollmentWindowsHelloForBusinessConfiguration", "windowsHelloForBusiness"),
        ("deviceComanagementAuthorityConfiguration", "comanagementSettings"),
        ("windowsRestoreDeviceEnrollmentConfiguration", "windowsRestore"),
        ("somethingOfNextYear", "enrollmentConfiguration"),
    ] {
        assert_eq!(classified(&enrolment, &subtype(name)), key, "{name}");
    }

    let apps = listing("oemConfigPolicy");
    assert_eq!(classified(&apps, &json!({"appSupportsOemConfig": true})), "oemConfigPolicy");
    assert_eq!(classified(&apps, &json!({"appSupportsOemConfig": false})), "managedDeviceAppConfiguration");
}

#[test]
fn one_listing_serves_several_chosen_types_and_is_split_over_all_of_them() {
    let chosen = ["windowsUpdateRing", "iosUpdateConfiguration"].map(|key| registry().get(key).unwrap());
    let listings = registry().listings_for(&chosen);
    assert_eq!(listings.len(), 1);
    assert_eq!(classified(&listings[0], &json!({"@odata.type": "#microsoft.graph.other"})), "deviceConfiguration");
}

#[test]
fn references_point_to_types_that_exist_and_parents_are_read_too() {
    for policy_type in registry().all() {
        for rule in policy_type.references {
            if let ReferenceTarget::Type(key)
            | ReferenceTarget::PrefixedType(key)
            | ReferenceTarget::SettingReferences(Some(key)) = rule.target
            {
                assert!(registry().get(key).is_some(), "{} points to {key}", policy_type.key);
            }
        }
    }
}

#[test]
fn an_alternative_or_writing_permission_is_enough() {
    let script = registry().get("deviceHealthScript").unwrap();
    assert!(script.is_permitted_by(&["DeviceManagementScripts.Read.All"]));
    assert!(script.is_permitted_by(&["DeviceManagementScripts.ReadWrite.All"]));
    assert!(script.is_permitted_by(&["DeviceManagementConfiguration.Read.All"]));
    assert!(!script.is_permitted_by(&["DeviceManagementApps.Read.All"]));
    assert!(!script.is_permitted_by(&[] as &[&str]));
}

#[test]
fn missing_permissions_name_the_types_that_need_them() {
    let wanted: Vec<_> =
        ["deviceHealthScript", "mobileApp", "appProtectionIos"].map(|key| registry().get(key).unwrap()).to_vec();
    let missing = registry().missing_permissions(&wanted, &["DeviceManagementConfiguration.Read.All"]);
    let keys: Vec<_> = missing["DeviceManagementApps.Read.All"].iter().map(|policy_type| policy_type.key).collect();
    assert_eq!(missing.len(), 1);
    assert_eq!(keys, ["mobileApp", "appProtectionIos"]);
}

#[test]
fn addresses_are_put_together_from_the_row() {
    let template = registry().get("groupPolicyConfiguration").unwrap();
    let item = template.item_path(None, "a b/c").unwrap();
    assert_eq!(item, "deviceManagement/groupPolicyConfigurations/a%20b%2Fc");
    let detail = &template.details[0];
    assert_eq!(detail.url(&item), format!("{item}/definitionValues?$expand=definition"));
    let profile = registry().get("appleEnrollmentProfile").unwrap();
    assert_eq!(profile.item_path(None, "p"), None);
    assert_eq!(
        profile.item_path(Some("t"), "p").unwrap(),
        "deviceManagement/depOnboardingSettings/t/enrollmentProfiles/p"
    );
    assert_eq!(
        listing("appleEnrollmentProfile").path(Some("t")),
        "deviceManagement/depOnboardingSettings/t/enrollmentProfiles"
    );
    assert_eq!(
        registry().get("mobileApp").unwrap().details[0].url("x"),
        "x?$select=id,roleScopeTagIds&$expand=categories"
    );
}

#[test]
fn relationships_are_read_only_where_the_app_has_some() {
    let detail = &registry().get("mobileApp").unwrap().details[1];
    assert!(!detail.is_wanted(&json!({"dependentAppCount": 0})));
    assert!(detail.is_wanted(&json!({"supersedingAppCount": 1})));
}

#[test]
fn the_revision_is_what_the_row_states() {
    let revision = |row: Value| revision_of(&row);
    assert_eq!(revision(json!({"id": "1"})), None);
    assert_eq!(revision(json!({"lastModifiedDateTime": "0001-01-01T00:00:00Z"})), None);
    let first = revision(json!({"lastModifiedDateTime": "2026-01-01T00:00:00Z", "version": 1}));
    assert!(first.is_some());
    assert_ne!(first, revision(json!({"lastModifiedDateTime": "2026-01-01T00:00:00Z", "version": 2})));
}

#[test]
fn expansions_that_were_cut_short_are_found() {
    let row = json!({"settings": [], "settings@odata.nextLink": "https://x/next", "@odata.nextLink": "no"});
    assert_eq!(continuations(&row).collect::<Vec<_>>(), [("settings", "https://x/next")]);
}

#[test]
fn foundations_are_on_by_default() {
    let keys: BTreeSet<_> = registry().foundations().map(|policy_type| policy_type.key).collect();
    for key in [
        "assignmentFilter",
        "roleScopeTag",
        "intuneRoleDefinition",
        "notificationMessageTemplate",
        "namedLocation",
        "vppToken",
    ] {
        assert!(keys.contains(key), "{key}");
    }
    assert!(!keys.contains("domainJoinConnector"));
}

#[test]
fn requests_that_several_types_share_count_once() {
    let shared = registry()
        .all()
        .iter()
        .find_map(|one| {
            let listing = registry().listing_of(one)?;
            let other = registry()
                .all()
                .iter()
                .find(|other| other.key != one.key && registry().listing_of(other) == Some(listing))?;
            Some((one.key, other.key))
        })
        .expect("some types share a listing");
    assert_eq!(registry().sum_over_listings([(shared.0, 7), (shared.1, 7)]), 7);
    assert_eq!(registry().sum_over_listings([(shared.0, 7), ("a type that has gone", 2)]), 9);
}
