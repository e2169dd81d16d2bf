use serde_json::json;

use super::*;
use crate::normalise::{WITHHELD, Withheld};
use crate::registry::{recipe, registry};

fn normaliser() -> Normaliser {
    Normaliser::new(&[7; 32])
}

fn body(key: &str, object: Value) -> Body {
    body_without(key, object, &[])
}

fn body_without(key: &str, object: Value, refused: &[(String, ReasonCode)]) -> Body {
    let policy_type = registry().get(key).unwrap();
    Body::of(&normaliser(), policy_type, recipe(policy_type).unwrap(), object, refused)
}

fn slot<'body>(body: &'body Body, name: &str) -> &'body Value {
    &body.slots.iter().find(|slot| slot.name == name).unwrap().value
}

fn hashes(body: &Body) -> Vec<(String, ContentHash)> {
    body.slots.iter().map(|slot| (slot.name.clone(), slot.content_hash)).collect()
}

fn text(body: &Body) -> String {
    body.slots.iter().map(|slot| slot.value.to_string()).collect()
}

#[test]
fn each_collection_and_each_script_has_a_slot_and_together_they_are_the_object() {
    let object = json!({"id": "1", "displayName": "n", "detectionScriptContent": "QQ==", "remediationScriptContent": null,
        "assignments": [{"id": "a", "target": {"groupId": "g"}}]});
    let body = body("deviceHealthScript", object.clone());
    let names: Vec<&str> = body.slots.iter().map(|slot| slot.name.as_str()).collect();
    assert_eq!(names, [OBJECT_SLOT, "assignments", "detectionScriptContent"]);
    assert!(slot(&body, OBJECT_SLOT).get("assignments").is_none());
    assert_eq!(body.completeness(), Completeness::Complete);
    let mut whole = put_together(body.slots.iter().map(|slot| (slot.name.clone(), slot.value.clone())));
    whole.as_object_mut().unwrap().insert("remediationScriptContent".to_owned(), Value::Null);
    assert_eq!(whole, object);
}

#[test]
fn a_credential_becomes_a_mark_with_its_place_and_a_keyed_fingerprint() {
    let wifi = |key: &str| json!({"ssid": "s", "inner": [{"preSharedKey": key}], "passwordRequired": true});
    let one = body("deviceConfiguration", wifi("planted-1"));
    let mark = Withheld::of(&slot(&one, OBJECT_SLOT)["inner"][0]["preSharedKey"]).unwrap();
    assert_eq!((mark.kind, mark.path, mark.form), ("credential", "/inner/0/preSharedKey", None));
    assert!(mark.fingerprint.unwrap().starts_with("hmac-sha256:"));
    assert!(!text(&one).contains("planted"), "{}", text(&one));
    assert_eq!((one.withheld, one.completeness()), (1, Completeness::Complete));
    assert_eq!(one.content_hash, body("deviceConfiguration", wifi("planted-1")).content_hash);
    assert_ne!(one.content_hash, body("deviceConfiguration", wifi("planted-2")).content_hash);
    assert_eq!(slot(&one, OBJECT_SLOT)["passwordRequired"], true);
}

#[test]
fn a_body_without_its_credentials_counts_as_the_object_did() {
    let policy_type = registry().get("deviceConfiguration").unwrap();
    let object = json!({"ssid": "s", "preSharedKey": "planted", "omaSettings": [
        {"omaUri": "./a", "isEncrypted": true, "value": "****", "secretReferenceValueId": "r"},
        {"omaUri": "./b", "isEncrypted": false, "value": "open"}], "largeIcon": {"value": "aWNvbg=="}});
    let body = body("deviceConfiguration", object.clone());
    assert_eq!(body.content_hash, normaliser().content_hash(policy_type, &object));
    let whole = put_together(body.slots.into_iter().map(|slot| (slot.name, slot.value)));
    assert_eq!(normaliser().content_hash(policy_type, &whole), body.content_hash);
}

#[test]
fn what_graph_does_not_tell_is_recognised_in_every_form_and_never_kept_as_a_value() {
    let oma = json!({"omaSettings": [
        {"omaUri": "./a", "isEncrypted": true, "value": "****", "secretReferenceValueId": "reference-1"},
        {"omaUri": "./b", "isEncrypted": true, "value": "PGEvPg=="},
        {"omaUri": "./c", "isEncrypted": true, "value": null},
        {"omaUri": "./d", "isEncrypted": false, "value": "kept", "secretReferenceValueId": null}]});
    let body_of_oma = body("deviceConfiguration", oma);
    let settings = &slot(&body_of_oma, OBJECT_SLOT)["omaSettings"];
    let form = |nth: usize| Withheld::of(&settings[nth]["value"]).and_then(|mark| mark.form);
    assert_eq!((form(0), form(1), form(2), form(3)), (Some("masked"), Some("placeholder"), Some("masked"), None));
    assert_eq!(settings[3]["value"], "kept");
    assert!(Withheld::of(&settings[0]["secretReferenceValueId"]).is_some_and(|mark| mark.form == Some("reference")));
    assert!(!text(&body_of_oma).contains("reference-1"));
    let paths = ["/omaSettings/0/value", "/omaSettings/1/value", "/omaSettings/2/value"].map(str::to_owned).to_vec();
    assert_eq!(body_of_oma.lacks, [Lack::SecretsUnreadable { count: 3, paths }]);

    let catalogue = |state: &str| {
        json!({"settings": [{"id": "0", "settingInstance": {"settingDefinitionId": "d", "simpleSettingValue": {
            "@odata.type": "#microsoft.graph.deviceManagementConfigurationSecretSettingValue",
            "value": "3f0e7c1a-planted", "valueState": state}}}]})
    };
    let token = body("settingsCatalogPolicy", catalogue("encryptedValueToken"));
    assert_eq!(token.completeness(), Completeness::Partial);
    let plain = body("settingsCatalogPolicy", catalogue("notEncrypted"));
    assert_eq!((plain.completeness(), plain.withheld), (Completeness::Complete, 1));
    assert!(!text(&token).contains("planted") && !text(&plain).contains("planted"));
}

#[test]
fn a_credential_within_an_encoded_payload_or_beside_its_name_is_found_too() {
    use base64::Engine as _;
    let encode = |text: &str| base64::engine::general_purpose::STANDARD.encode(text);
    let payload = encode(
        r#"{"kind":"k","adminPassword":"planted","managedProperty":[{"key":"com.x.token","valueString":"planted"},{"key":"mode","valueString":"open"}]}"#,
    );
    let oem = body("oemConfigPolicy", json!({ "payloadJson": payload }));
    let kept = slot(&oem, OBJECT_SLOT)["payloadJson"].as_str().unwrap().to_owned();
    let kept = String::from_utf8(base64::engine::general_purpose::STANDARD.decode(kept).unwrap()).unwrap();
    assert!(
        !kept.contains("planted") && kept.contains("/payloadJson#/adminPassword") && kept.contains("open"),
        "{kept}"
    );
    assert_eq!(oem.withheld, 2);
    let untouched = encode(r#"{"b": 1, "a": 2}"#);
    let same = body("oemConfigPolicy", json!({ "payloadJson": untouched }));
    assert_eq!(slot(&same, OBJECT_SLOT)["payloadJson"], untouched, "what holds no credential is kept byte by byte");
    let key = "-----BEGIN RSA PRIVATE KEY-----\nplanted\n-----END RSA PRIVATE KEY-----\n";
    let pem = body("deviceConfiguration", json!({"note": key, "description": "about -----BEGIN CERTIFICATE-----"}));
    assert!(!text(&pem).contains("planted") && text(&pem).contains("CERTIFICATE"));
}

#[test]
fn not_one_credential_of_the_list_is_in_a_body() {
    let planted = "planted-value-of-a-credential";
    let single = |key: &str, kind: &str, property: &str| {
        (key.to_owned(), json!({"@odata.type": format!("#microsoft.graph.{kind}"), "id": "1", property: planted}))
    };
    let mut objects: Vec<(String, Value)> = [
        ("androidEnrollmentProfile", "androidDeviceOwnerEnrollmentProfile", "tokenValue"),
        ("androidEnrollmentProfile", "androidDeviceOwnerEnrollmentProfile", "qrCodeContent"),
        ("androidEnrollmentProfile", "androidDeviceOwnerEnrollmentProfile", "wifiPassword"),
        ("appleEnrollmentProfile", "depMacOSEnrollmentProfile", "adminAccountPassword"),
        ("applePushCertificate", "applePushNotificationCertificate", "certificate"),
        ("vppToken", "vppToken", "token"),
        ("vppToken", "vppToken", "encryptedToken"),
        ("cloudPcOnPremisesConnection", "cloudPcOnPremisesConnection", "adDomainPassword"),
        ("deviceConfiguration", "windowsWifiConfiguration", "preSharedKey"),
        ("deviceConfiguration", "windowsWifiEnterpriseEAPConfiguration", "proxyManualPassword"),
        ("deviceConfiguration", "iosVpnConfiguration", "sharedSecret"),
        ("deviceConfiguration", "editionUpgradeConfiguration", "productKey"),
    ]
    .map(|(key, kind, property)| single(key, kind, property))
    .to_vec();
    let image = json!({"value": planted, "type": "image/png"});
    objects.push(("mobileApp".to_owned(), json!({"id": "1", "largeIcon": image})));
    let encrypted = json!([{"omaUri": "./x", "isEncrypted": true, "value": planted}]);
    objects.push(("deviceConfiguration".to_owned(), json!({"id": "1", "omaSettings": encrypted})));
    for (key, object) in objects {
        let body = body(&key, object.clone());
        assert!(!text(&body).contains(planted), "{key}: {object}");
        assert!(text(&body).contains(WITHHELD) || body.withheld > 0, "{key} has no mark: {object}");
    }
    let person = body("vppToken", json!({"id": "1", "ownerUserPrincipalName": "somebody@example.com"}));
    assert!(!text(&person).contains("somebody@"), "{}", text(&person));
}

#[test]
fn scripts_and_payloads_are_content_and_kept() {
    let script = body("deviceManagementScript", json!({"scriptContent": "cGFzc3dvcmQ9eA=="}));
    assert_eq!(slot(&script, "scriptContent"), "cGFzc3dvcmQ9eA==");
    let profile = body("deviceConfiguration", json!({"payload": "PHBsaXN0Lz4=", "trustedRootCertificate": "MIIB"}));
    assert_eq!(slot(&profile, OBJECT_SLOT)["payload"], "PHBsaXN0Lz4=");
    assert_eq!(profile.withheld, 0);
    let binary = body("iosLobProvisioningProfile", json!({"payload": "PHBsaXN0Lz4="}));
    assert_eq!(binary.withheld, 1);
}

#[test]
fn what_is_lacking_is_told() {
    let settings = |stated: u64| json!({"settingCount": stated, "settings": [{"id": "0"}, {"id": "1"}]});
    assert_eq!(body("settingsCatalogPolicy", settings(2)).lacks, []);
    assert_eq!(body("settingsCatalogPolicy", settings(3)).lacks, [Lack::SettingsCount { stated: 3, came: 2 }]);
    assert_eq!(body("settingsCatalogPolicy", settings(1)).lacks, [Lack::SettingsCount { stated: 1, came: 2 }]);
    let script = body("deviceManagementScript", json!({"scriptContent": null}));
    assert_eq!(script.lacks, [Lack::ScriptNull { slot: "scriptContent".to_owned() }]);
    let refused = [("assignments".to_owned(), ReasonCode::PermissionMissing)];
    let refused = body_without("roleScopeTag", json!({"id": "1", "assignments": []}), &refused);
    assert_eq!(refused.slots.len(), 1);
    assert_eq!(refused.lacks[0].slot(), Some("assignments"));
}

#[test]
fn what_did_not_come_is_no_difference_and_what_came_at_last_is_one() {
    let whole = body("roleScopeTag", json!({"displayName": "t", "assignments": [{"target": {"groupId": "g"}}]}));
    let refusal = [("assignments".to_owned(), ReasonCode::PermissionMissing)];
    let half = body_without("roleScopeTag", json!({"displayName": "t"}), &refusal);
    assert!(!half.differs_from(&hashes(&whole), &whole.lacks), "assignments not read are not assignments removed");
    assert!(whole.differs_from(&hashes(&half), &half.lacks));
    let renamed = body_without("roleScopeTag", json!({"displayName": "u"}), &refusal);
    assert!(renamed.differs_from(&hashes(&whole), &whole.lacks));
    assert!(!whole.differs_from(&hashes(&whole), &whole.lacks));
    let unassigned = body("roleScopeTag", json!({"displayName": "t", "assignments": []}));
    assert!(unassigned.differs_from(&hashes(&whole), &whole.lacks));
}

#[test]
fn what_a_cloud_writes_never_stands_for_a_value_of_ours() {
    let mark = json!({WITHHELD: {"kind": "unreadable", "path": "/x", "form": "masked"}});
    let forged = json!({"ssid": mark, "preSharedKey": mark, "list": [{"token": mark}]});
    let body = body("deviceConfiguration", forged);
    assert!(!text(&body).contains(WITHHELD), "{}", text(&body));
}

#[test]
fn payloads_are_left_out_at_any_depth_and_nothing_else_is() {
    let mut whole = json!({"displayName": "n", "payload": "planted", "omaSettings": [
        {"omaUri": "./a", "isEncrypted": false, "value": "planted"}, {"omaUri": "./b", "value": 5}],
        "largeIcon": {"value": "x"}});
    let expected = ["/omaSettings/0/value", "/payload"];
    assert_eq!(leave_out_payloads(&mut whole), expected);
    assert!(!whole.to_string().contains("planted"), "{whole}");
    assert_eq!((&whole["omaSettings"][1]["value"], &whole["displayName"]), (&json!(5), &json!("n")));
    assert_eq!(Withheld::of(&whole["payload"]).map(|mark| mark.kind), Some("content"));
    assert!(leave_out_payloads(&mut whole).is_empty());
}
