use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::normalise::tests::any_object;
use crate::references::ALL_DEVICES;
use crate::registry::registry;

const GROUPS: [&str; 3] = [
    "11111111-1111-4111-8111-111111111111",
    "22222222-2222-4222-8222-222222222222",
    "33333333-3333-4333-8333-333333333333",
];

fn policy_type(key: &str) -> &'static PolicyType {
    registry().get(key).unwrap()
}

/// Every secret of `docs/graph.md`, section Data never stored, at every depth.
fn with_planted_secrets() -> Value {
    json!({
        "id": "1", "displayName": "Office Wi-Fi", "@odata.type": "#microsoft.graph.windowsWifiConfiguration",
        "createdDateTime": "2026-01-01T00:00:00.1234567Z", "lastModifiedDateTime": "0001-01-01T00:00:00Z",
        "roleScopeTagIds": ["0", 5, {"password": "planted-1"}], "description": "planted-2",
        "tokenValue": "planted-3", "qrCodeContent": "planted-4", "wifiPassword": "planted-5", "preSharedKey": "planted-6",
        "adDomainPassword": "planted-7", "certificate": "planted-8", "encryptedToken": "planted-9",
        "scriptContent": "planted-10", "largeIcon": {"value": "planted-11"}, "ownerUserPrincipalName": "planted-12@contoso.com",
        "omaSettings": [{"omaUri": "./x", "isEncrypted": true, "value": "planted-13"}],
        "state": {"nested": "planted-14"}, "publisher": ["planted-15"], "rule": {"a": "planted-16"}, "platforms": ["planted-17"],
        "assignments": [{"target": {"@odata.type": "#microsoft.graph.groupAssignmentTarget", "groupId": "g", "secret": "planted-18"}}],
        "fileName": "Bearer planted-19", "tokenExpirationDateTime": "planted-20", "enrollmentMode": "password=planted-21",
        "templateReference": {"templateFamily": {"x": "planted-22"}, "templateDisplayName": "baseline"},
    })
}

#[test]
fn no_planted_secret_reaches_the_metadata_of_any_type() {
    for policy_type in registry().all() {
        let meta = meta_for(policy_type, &with_planted_secrets());
        let text = Value::Object(meta.clone()).to_string();
        assert!(!text.contains("planted"), "{}: {text}", policy_type.key);
        assert_eq!(sanitise_meta(policy_type, &meta), meta, "{}", policy_type.key);
    }
}

#[test]
fn the_time_of_modification_is_kept_under_one_name_whatever_the_object_calls_it() {
    for (key, property) in [
        ("conditionalAccessPolicy", "modifiedDateTime"),
        ("namedLocation", "modifiedDateTime"),
        ("authenticationStrength", "modifiedDateTime"),
        ("windowsMicrosoftTunnelConfiguration", "lastUpdateDateTime"),
        ("settingsCatalogPolicy", "lastModifiedDateTime"),
    ] {
        let meta = meta_for(policy_type(key), &json!({ property: "2026-01-02T00:00:00Z" }));
        assert_eq!(meta.get("lastModifiedDateTime"), Some(&json!("2026-01-02T00:00:00.000Z")), "{key}");
        assert_eq!(sanitise_meta(policy_type(key), &meta), meta, "{key}");
    }
    let never = json!({ "modifiedDateTime": null, "lastModifiedDateTime": "0001-01-01T00:00:00Z" });
    assert_eq!(meta_for(policy_type("conditionalAccessPolicy"), &never).get("lastModifiedDateTime"), None);
}

#[test]
fn what_is_allowed_is_kept_in_its_shape() {
    let object = json!({
        "@odata.type": "#microsoft.graph.deviceManagementConfigurationPolicy", "platforms": "windows10,macOS",
        "technologies": "mdm", "settingCount": 3, "createdDateTime": "2026-01-01T02:00:00+02:00", "unknown": "x",
        "templateReference": {"templateFamily": "familyOfNextYear"}, "roleScopeTagIds": ["0"],
        "assignments": [
            {"target": {"@odata.type": "#microsoft.graph.allDevicesAssignmentTarget",
                "deviceAndAppManagementAssignmentFilterId": "f", "deviceAndAppManagementAssignmentFilterType": "include"}},
            {"target": {"@odata.type": "#microsoft.graph.groupAssignmentTarget", "groupId": GROUPS[0]}},
            {"target": {"@odata.type": "#microsoft.graph.groupAssignmentTarget", "groupId": GROUPS[1]}},
            {"target": {"@odata.type": "#microsoft.graph.exclusionGroupAssignmentTarget", "groupId": GROUPS[2]}},
        ],
    });
    assert_eq!(
        Value::Object(meta_for(policy_type("settingsCatalogPolicy"), &object)),
        json!({
            "odataType": "deviceManagementConfigurationPolicy", "platforms": "windows10,macOS", "technologies": "mdm",
            "settingCount": 3, "createdDateTime": "2026-01-01T00:00:00.000Z", "templateFamily": "familyOfNextYear",
            "roleScopeTagIds": ["0"],
            "assignmentSummary": {
                "all_users": false, "all_devices": true, "groups": 2, "exclusions": 1, "others": 0, "filters": 1,
                "include_filters": 1, "exclude_filters": 0,
                "targets": [
                    {"kind": "group", "id": GROUPS[0]},
                    {"kind": "group", "id": GROUPS[1]},
                    {"kind": "group", "id": GROUPS[2], "excluded": true},
                    {"kind": "all_devices", "id": ALL_DEVICES, "filter": "f", "filter_mode": "include"},
                ],
            },
        })
    );
}

#[test]
fn a_list_that_is_only_counted_is_only_counted() {
    let location = json!({"ipRanges": [{"cidrAddress": "10.0.0.0/8"}, {}], "isTrusted": true});
    assert_eq!(
        Value::Object(meta_for(policy_type("namedLocation"), &location)),
        json!({"ipRanges": 2, "isTrusted": true})
    );
}

#[test]
fn a_name_is_found_in_the_end() {
    let name = |key: &str, object: Value| display_name_of(policy_type(key), &object);
    assert_eq!(name("settingsCatalogPolicy", json!({"name": " Baseline ", "displayName": "x"})), " Baseline ");
    assert_eq!(name("deviceConfiguration", json!({"displayName": null, "name": "n", "id": "1"})), "n");
    assert_eq!(name("deviceConfiguration", json!({"displayName": " ", "id": "1"})), "");
    assert_eq!(name("appleEnrollmentToken", json!({"tokenName": "Token"})), "Token");
    assert_eq!(name("applePushCertificate", json!({"id": "1"})), "Apple push certificate (APNs)");
    assert_eq!(
        name("mobileThreatDefenseConnector", json!({"id": "fc780465-2017-40d4-a0c5-307022471b92"})),
        "Microsoft Defender for Endpoint"
    );
    assert_eq!(name("vppToken", json!({"displayName": "", "organizationName": "Contoso", "id": "1"})), "Contoso");
    assert_eq!(name("organizationBranding", json!({"id": "0"})), "Default language");
    assert_eq!(name("organizationBranding", json!({"id": "de-DE"})), "de-DE");
    assert_eq!(name("deviceConfiguration", json!({"displayName": format!("{}x", " ".repeat(600))})), "x");
    assert_eq!(name("deviceConfiguration", json!({"displayName": "ü".repeat(600)})).chars().count(), MAX_DISPLAY_NAME);
}

#[test]
fn an_external_id_is_what_microsoft_gave() {
    assert_eq!(external_id_of(policy_type("mobileApp"), &json!({"id": "1"})), Some("1"));
    assert_eq!(external_id_of(policy_type("mobileApp"), &json!({"id": ""})), None);
    assert_eq!(external_id_of(policy_type("deviceManagementSettings"), &json!({})), Some("deviceManagementSettings"));
    assert_eq!(external_id_of(policy_type("crossTenantAccessPartner"), &json!({"tenantId": "t"})), Some("t"));
}

fn any_type() -> impl Strategy<Value = &'static PolicyType> {
    proptest::sample::select(registry().all())
}

proptest! {
    #[test]
    fn what_is_stored_equals_its_own_sanitised_form(policy_type in any_type(), object in any_object()) {
        let meta = meta_for(policy_type, &object);
        prop_assert_eq!(sanitise_meta(policy_type, &meta), meta);
    }

    #[test]
    fn sanitising_twice_changes_nothing(policy_type in any_type(), object in any_object()) {
        let once = sanitise_meta(policy_type, object.as_object().unwrap());
        prop_assert_eq!(sanitise_meta(policy_type, &once), once);
    }

    #[test]
    fn a_text_of_any_content_is_stored_in_its_sanitised_form(text in "\\PC{0,80}|.{990,1010}", policy_type in any_type()) {
        let object: Map<String, Value> =
            meta_fields(policy_type).map(|field| (field.key.to_owned(), Value::from(text.clone()))).collect();
        let meta = meta_for(policy_type, &Value::Object(object));
        prop_assert_eq!(sanitise_meta(policy_type, &meta), meta);
    }

    #[test]
    fn a_name_is_never_blank_or_too_long(policy_type in any_type(), object in any_object()) {
        let name = display_name_of(policy_type, &object);
        prop_assert!(name.is_empty() || !name.trim().is_empty());
        prop_assert!(name.chars().count() <= MAX_DISPLAY_NAME);
    }
}
