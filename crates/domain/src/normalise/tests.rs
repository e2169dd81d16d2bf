use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::registry::{attach_parent, registry};

mod by_itself;

fn normaliser() -> Normaliser {
    Normaliser::new(&[7; 32])
}

fn policy_type(key: &str) -> &'static PolicyType {
    registry().get(key).unwrap()
}

fn hash(key: &str, object: &Value) -> ContentHash {
    normaliser().content_hash(policy_type(key), object)
}

#[track_caller]
fn same(key: &str, left: &Value, right: &Value) {
    let content = |object| normaliser().normalise(policy_type(key), object);
    assert_eq!(content(left), content(right));
    assert_eq!(hash(key, left), hash(key, right));
}

#[track_caller]
fn different(key: &str, left: &Value, right: &Value) {
    assert_ne!(hash(key, left), hash(key, right));
}

#[test]
fn null_empty_and_absent_are_the_same_and_zero_and_false_are_not() {
    for nothing in [json!(null), json!(""), json!([]), json!([null]), json!({"id": ""}), json!({"a": null})] {
        same("deviceConfiguration", &json!({"x": nothing, "y": 1}), &json!({"y": 1}));
    }
    for something in [json!(0), json!(false), json!("0"), json!([0]), json!([{}])] {
        different("deviceConfiguration", &json!({"x": something, "y": 1}), &json!({"y": 1}));
    }
}

#[test]
fn annotations_and_times_do_not_count_and_the_type_does() {
    let plain =
        json!({"@odata.type": "#microsoft.graph.a", "displayName": "n", "target": {"@odata.type": "#b", "x": 1}});
    let noisy = json!({
        "@odata.type": "#microsoft.graph.a", "@odata.context": "c", "@odata.etag": "e", "displayName": "n",
        "settings@odata.context": "c", "@microsoft.graph.tips": "t", "#microsoft.graph.assign": {"target": "u"},
        "createdDateTime": "2026-01-01T00:00:00Z", "lastModifiedDateTime": "2026-01-02T00:00:00Z", "version": 4,
        "modifiedDateTime": "2026-01-02T00:00:00Z", "lastUpdateDateTime": "2026-01-02T00:00:00Z",
        "id": "1", "target": {"@odata.type": "#b", "id": "7", "x": 1, "y@odata.navigationLink": "u"},
    });
    same("deviceConfiguration", &plain, &noisy);
    different(
        "deviceConfiguration",
        &plain,
        &json!({"@odata.type": "#microsoft.graph.z", "displayName": "n",
        "target": {"@odata.type": "#b", "x": 1}}),
    );
    different(
        "deviceConfiguration",
        &plain,
        &json!({"@odata.type": "#microsoft.graph.a", "displayName": "n",
        "target": {"@odata.type": "#c", "x": 1}}),
    );
    different(
        "deviceConfiguration",
        &plain,
        &json!({"@odata.type": "#microsoft.graph.a", "displayName": "renamed",
        "target": {"@odata.type": "#b", "x": 1}}),
    );
}

#[test]
fn sets_have_no_order_and_lists_have() {
    same("deviceConfiguration", &json!({"roleScopeTagIds": ["0", "1"]}), &json!({"roleScopeTagIds": ["1", "0"]}));
    same(
        "conditionalAccessPolicy",
        &json!({"conditions": {"users": {"includeGroups": ["a", "b"]}}}),
        &json!({"conditions": {"users": {"includeGroups": ["b", "a"]}}}),
    );
    let setting = |definition: &str, row: &str| json!({"id": row, "settingInstance": {"settingDefinitionId": definition, "simpleSettingValue": {"value": 1}}});
    same(
        "settingsCatalogPolicy",
        &json!({"settings": [setting("a", "0"), setting("b", "1")]}),
        &json!({"settings": [setting("b", "0"), setting("a", "1")]}),
    );
    for collection in ["choiceSettingCollectionValue", "groupSettingCollectionValue", "simpleSettingCollectionValue"] {
        let of = |values: [&str; 2]| {
            let values: Vec<Value> = values.iter().map(|value| json!({"value": value})).collect();
            json!({"settings": [{"settingInstance": {"settingDefinitionId": "a", collection: values}}]})
        };
        same("settingsCatalogPolicy", &of(["x", "y"]), &of(["y", "x"]));
        different("settingsCatalogPolicy", &of(["x", "y"]), &of(["x", "z"]));
    }
    different("deviceConfiguration", &json!({"urls": ["a", "b"]}), &json!({"urls": ["b", "a"]}));
    different("deviceConfiguration", &json!({"roleScopeTagIds": ["0"]}), &json!({"roleScopeTagIds": ["0", "0"]}));
}

#[test]
fn settings_sort_by_their_definition_first() {
    let content = normaliser().normalise(
        policy_type("settingsCatalogPolicy"),
        &json!({"settings": [
            {"settingInstance": {"settingDefinitionId": "b", "@odata.type": "#a"}},
            {"settingInstance": {"settingDefinitionId": "a", "@odata.type": "#b"}},
        ]}),
    );
    assert_eq!(content["settings"][0]["settingInstance"]["settingDefinitionId"], "a");
}

#[test]
fn of_an_assignment_the_target_counts_and_its_own_id_does_not() {
    let zero = "00000000-0000-0000-0000-000000000000";
    let assigned = |id: &str, group: &str, filter: Option<&str>, mode: &str, source: &str| {
        json!({"assignments": [{"id": id, "source": source, "sourceId": id, "target": {
            "@odata.type": "#microsoft.graph.groupAssignmentTarget", "groupId": group,
            "deviceAndAppManagementAssignmentFilterId": filter, "deviceAndAppManagementAssignmentFilterType": mode}}]})
    };
    let base = assigned("1", "g", None, "none", "direct");
    same("deviceConfiguration", &base, &assigned("2", "g", Some(zero), "none", "policySets"));
    different("deviceConfiguration", &base, &assigned("1", "h", None, "none", "direct"));
    different("deviceConfiguration", &base, &assigned("1", "g", Some("f"), "include", "direct"));
    different(
        "deviceConfiguration",
        &assigned("1", "g", Some("f"), "exclude", "direct"),
        &assigned("1", "g", Some("f"), "include", "direct"),
    );
    different("deviceConfiguration", &base, &json!({"assignments": []}));
    // An id that is none makes no filter, whatever its type says; nor does a filter of the type for none.
    same("deviceConfiguration", &base, &assigned("1", "g", Some(zero), "include", "direct"));
    same("deviceConfiguration", &base, &assigned("1", "g", Some(""), "exclude", "direct"));
    same("deviceConfiguration", &base, &assigned("1", "g", Some("f"), "none", "direct"));
}

#[test]
fn what_is_volatile_for_a_type_does_not_count_there_and_counts_elsewhere() {
    let paused = json!({"displayName": "r", "qualityUpdatesPauseExpiryDateTime": "2026-05-01T00:00:00Z"});
    same("windowsUpdateRing", &paused, &json!({"displayName": "r"}));
    different("deviceConfiguration", &paused, &json!({"displayName": "r"}));
    same(
        "policySet",
        &json!({"items": [{"payloadId": "p", "status": "success", "errorCode": "noError"}]}),
        &json!({"items": [{"payloadId": "p", "status": "error"}]}),
    );
    same("autopilotProfile", &json!({"locale": "os-default", "a": 1}), &json!({"locale": null, "a": 1}));
    different("appleEnrollmentToken", &json!({"tokenName": "a"}), &json!({"tokenName": "b"}));
}

#[test]
fn permissions_count_for_custom_roles_and_not_for_built_in_ones() {
    let role = |built_in: bool, action: &str| json!({"displayName": "r", "isBuiltIn": built_in, "rolePermissions": [{"resourceActions": [action]}]});
    same("intuneRoleDefinition", &role(true, "a"), &role(true, "b"));
    different("intuneRoleDefinition", &role(false, "a"), &role(false, "b"));
}

#[test]
fn dates_are_compared_as_moments() {
    let at = |text: &str| json!({ "startDateTime": text });
    same("deviceConfiguration", &at("2026-03-01T12:00:00Z"), &at("2026-03-01T14:00:00.0000000+02:00"));
    different("deviceConfiguration", &at("2026-03-01T12:00:00Z"), &at("2026-03-01T12:00:01Z"));
}

#[test]
fn a_date_without_a_zone_is_a_text_and_claims_no_moment() {
    let at = |text: &str| json!({ "startDateTime": text });
    for (left, right) in [
        ("2026-03-01T12:00:00", "2026-03-01T12:00:00Z"),
        ("2026-03-01T12:00:00.000", "2026-03-01T12:00:00.000Z"),
        ("2026-03-01T12:00:00.0000000", "2026-03-01T12:00:00.000"),
    ] {
        different("deviceConfiguration", &at(left), &at(right));
        same("deviceConfiguration", &at(left), &at(left));
    }
}

#[test]
fn a_number_beyond_64_bits_fails_nothing_and_is_the_same_each_time() {
    let read = |number: &str| serde_json::from_str::<Value>(&format!("{{\"limit\":{number}}}")).unwrap();
    // Beyond 64 bits it is what a floating point number holds of it, however it is written.
    same("deviceConfiguration", &read("36893488147419103232"), &read("3.6893488147419103232e19"));
    same("deviceConfiguration", &read("36893488147419103232"), &read("36893488147419103233"));
    different("deviceConfiguration", &read("36893488147419103232"), &read("46893488147419103232"));
    // Within them no digit is lost, not even where a floating point number would lose it.
    different("deviceConfiguration", &read("18446744073709551615"), &read("18446744073709551614"));
    different("deviceConfiguration", &read("9007199254740993"), &read("9007199254740992"));
}

#[test]
fn of_a_name_that_stands_twice_in_an_object_the_last_value_counts() {
    let read = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    same("deviceConfiguration", &read(r#"{"limit":1,"limit":2}"#), &read(r#"{"limit":2}"#));
}

#[test]
fn secrets_count_by_fingerprint_and_are_not_in_the_content() {
    let wifi =
        |secret: &str| json!({"@odata.type": "#microsoft.graph.windowsWifiConfiguration", "preSharedKey": secret});
    let oma = |secret: &str| json!({"omaSettings": [{"omaUri": "./x", "isEncrypted": true, "value": secret}]});
    let catalogue = |secret: &str| {
        json!({"settings": [{"settingInstance": {"settingDefinitionId": "d", "simpleSettingValue": {
            "@odata.type": "#microsoft.graph.deviceManagementConfigurationSecretSettingValue", "value": secret}}}]})
    };
    let script = |secret: &str| json!({ "scriptContent": secret });
    for make in [&wifi as &dyn Fn(&str) -> Value, &oma, &catalogue, &script] {
        same("deviceConfiguration", &make("planted-one"), &make("planted-one"));
        different("deviceConfiguration", &make("planted-one"), &make("planted-two"));
        let content = normaliser().normalise(policy_type("deviceConfiguration"), &make("planted-one")).to_string();
        assert!(content.contains("hmac-sha256:") && !content.contains("planted"), "{content}");
        let other_key = Normaliser::new(&[8; 32]);
        assert_ne!(
            other_key.content_hash(policy_type("deviceConfiguration"), &make("planted-one")),
            hash("deviceConfiguration", &make("planted-one"))
        );
    }
}

#[test]
fn a_masked_secret_and_its_reference_say_nothing() {
    let oma = |value: &str, reference: &str| json!({"omaSettings": [{"omaUri": "./x", "isEncrypted": true, "value": value, "secretReferenceValueId": reference}]});
    same("deviceConfiguration", &oma("****", "a"), &oma("****", "b"));
    same("deviceConfiguration", &oma("****", "a"), &oma("PGEvPg==", "a"));
    different("deviceConfiguration", &oma("****", "a"), &oma("known", "a"));
    let token = |token: &str| {
        json!({"settings": [{"settingInstance": {"settingDefinitionId": "d", "simpleSettingValue": {
            "@odata.type": "#microsoft.graph.deviceManagementConfigurationSecretSettingValue",
            "valueState": "encryptedValueToken", "value": token}}}]})
    };
    same("settingsCatalogPolicy", &token("a"), &token("b"));
    same("deviceConfiguration", &json!({"preSharedKey": "****", "ssid": "s"}), &json!({"ssid": "s"}));
}

#[test]
fn blobs_made_for_one_tenant_do_not_count() {
    let onboarding = |blob: &str| {
        json!({"settings": [{"settingInstance": {
            "settingDefinitionId": "device_vendor_msft_windowsadvancedthreatprotection_onboarding",
            "simpleSettingValue": {"value": blob}}}]})
    };
    same("endpointSecurityPolicy", &onboarding("a"), &onboarding("b"));
}

#[test]
fn a_pointer_is_its_id() {
    let strength = |id: &str| json!({"grantControls": {"authenticationStrength": {"id": id, "createdDateTime": "x"}}});
    different("conditionalAccessPolicy", &strength("a"), &strength("b"));
    let target = |id: &str| json!({"includeTargets": [{"id": id, "targetType": "group"}]});
    different("authenticationMethodsPolicy", &target("a"), &target("b"));
}

#[test]
fn the_note_of_the_parent_does_not_count() {
    let mut child = json!({"displayName": "p"});
    let before = child.clone();
    attach_parent(&mut child, "parent");
    assert_ne!(child, before);
    same("appleEnrollmentProfile", &child, &before);
}

#[test]
fn the_version_is_raised_when_this_hash_changes() {
    let object = json!({
        "@odata.type": "#microsoft.graph.windows10GeneralConfiguration", "displayName": "Größe ✓", "count": 0, "ratio": 1.5,
        "roleScopeTagIds": ["1", "0"], "preSharedKey": "k", "at": "2026-03-01T14:00:00+02:00", "list": [1, null, {"b": 1, "a": 2}],
    });
    let expected = r##"{"@odata.type":"#microsoft.graph.windows10GeneralConfiguration","at":"2026-03-01T12:00:00Z","count":0,"displayName":"Größe ✓","list":[1,{"a":2,"b":1}],"preSharedKey":"hmac-sha256:FINGERPRINT","ratio":1.5,"roleScopeTagIds":["0","1"]}"##;
    // Python: hmac.new(bytes([7] * 32), b'"k"', "sha256").hexdigest()[:32]
    let expected = expected.replace("FINGERPRINT", "b8883acbc40ce84c50408600f28d24f6");
    let content = normaliser().normalise(policy_type("deviceConfiguration"), &object);
    assert_eq!(crate::canonical::to_canonical_string(&content), expected);
    assert_eq!(hash("deviceConfiguration", &object), observation_hash(expected.as_bytes()));
    assert_eq!(NORMALISER_VERSION, 3);
}

#[test]
fn a_hash_reads_back_from_its_text() {
    let hash = observation_hash(b"x");
    assert_eq!(hash.to_string().parse(), Ok(hash));
    assert!("xyz".parse::<ContentHash>().is_err());
    assert!("é".repeat(32).parse::<ContentHash>().is_err());
}

/// Any JSON, with names that the rules know among the keys.
pub(crate) fn any_object() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        any::<i16>().prop_map(|number| Value::from(f64::from(number) / 8.0)),
        "[a-z]{0,6}".prop_map(Value::from),
        proptest::sample::select(
            &["", "2026-03-01T12:00:00.123Z", "00000000-0000-0000-0000-000000000000", "\u{1F600}\u{FF5E}\"\\\n"][..]
        )
        .prop_map(Value::from),
    ];
    let key = prop_oneof![
        "[a-z]{1,4}",
        proptest::sample::select(
            &[
                "id",
                "@odata.type",
                "x@odata.context",
                "version",
                "assignments",
                "settings",
                "roleScopeTagIds",
                "password",
                "omaSettings",
                "value",
                "omaUri",
                "isEncrypted",
                "settingDefinitionId",
                "target",
                "groupId",
                "displayName",
                "createdDateTime",
                "platforms",
                "templateReference",
                "templateFamily",
                "isBuiltIn",
                "targetType",
                "items",
                "scheduledActionsForRule",
                "children",
                "apps",
                "conditions",
                "users",
                "includeGroups",
                "state",
                "publisher",
            ][..]
        )
        .prop_map(str::to_owned),
    ];
    let value = leaf.prop_recursive(4, 48, 6, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            proptest::collection::btree_map(key.clone(), inner, 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    });
    proptest::collection::btree_map(
        "[a-z]{1,3}|assignments|settings|displayName|roleScopeTagIds|platforms",
        value,
        0..8,
    )
    .prop_map(|members| Value::Object(members.into_iter().collect()))
}

fn any_type() -> impl Strategy<Value = &'static PolicyType> {
    proptest::sample::select(registry().all())
}

/// The same value with the members of every object and the elements of every set in another order.
fn shuffled(key: &str, value: &Value) -> Value {
    match value {
        Value::Array(elements) => {
            let mut elements: Vec<_> = elements.iter().map(|element| shuffled(key, element)).collect();
            if noise::is_set(key) {
                elements.reverse();
            }
            Value::Array(elements)
        }
        Value::Object(members) => {
            Value::Object(members.iter().rev().map(|(key, value)| (key.clone(), shuffled(key, value))).collect())
        }
        other => other.clone(),
    }
}

proptest! {
    #[test]
    fn any_order_gives_the_same_hash(policy_type in any_type(), object in any_object()) {
        let normaliser = normaliser();
        let other = shuffled("", &object);
        prop_assert_eq!(normaliser.content_hash(policy_type, &object), normaliser.content_hash(policy_type, &other));
    }

    #[test]
    fn the_hash_is_that_of_the_canonical_text_of_the_content(policy_type in any_type(), object in any_object()) {
        let normaliser = normaliser();
        let text = crate::canonical::to_canonical_string(&normaliser.normalise(policy_type, &object));
        prop_assert_eq!(normaliser.content_hash(policy_type, &object), observation_hash(text.as_bytes()));
    }

    #[test]
    fn noise_at_any_level_changes_nothing(policy_type in any_type(), object in any_object(), noise in "[a-z]{1,5}") {
        fn with_noise(value: &Value, noise: &str) -> Value {
            match value {
                Value::Array(elements) => elements.iter().map(|element| with_noise(element, noise)).collect(),
                Value::Object(members) if !members.is_empty() => {
                    let mut noisy: serde_json::Map<_, _> =
                        members.iter().map(|(key, value)| (key.clone(), with_noise(value, noise))).collect();
                    for key in ["lastModifiedDateTime", "x@odata.navigationLink", "@odata.etag", "isAssigned"] {
                        noisy.insert(key.to_owned(), Value::from(noise));
                    }
                    Value::Object(noisy)
                }
                other => other.clone(),
            }
        }
        let normaliser = normaliser();
        prop_assert_eq!(
            normaliser.content_hash(policy_type, &object),
            normaliser.content_hash(policy_type, &with_noise(&object, &noise))
        );
    }
}
