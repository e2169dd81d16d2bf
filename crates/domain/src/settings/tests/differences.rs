//! What a difference tells, and what it must not.

use super::*;

fn assigned(rows: impl Into<Value>) -> Value {
    let rows = rows.into();
    json!({"displayName": "n", "assignments": rows})
}

fn group(id: &str, filter: Option<(&str, &str)>) -> Value {
    json!({"id": "row", "source": "direct", "sourceId": "p", "target": {
        "@odata.type": "#microsoft.graph.groupAssignmentTarget", "groupId": id,
        "deviceAndAppManagementAssignmentFilterId": filter.map(|filter| filter.0),
        "deviceAndAppManagementAssignmentFilterType": filter.map_or("none", |filter| filter.1)}})
}

#[test]
fn a_change_deep_in_a_group_is_that_setting_and_not_the_whole_policy() {
    let rule = |port: &str| {
        catalogue(&[
            choice("other", "other_0", json!([])),
            groups(
                "rules",
                &[vec![simple("name", json!("a"))], vec![simple("name", json!("b")), texts("ports", &[port])]],
            ),
        ])
    };
    let difference = differs("settingsCatalogPolicy", rule("80"), rule("443"));
    assert_eq!(told(&difference), ["changed rules/[2]/ports: 80 > 443"]);
    assert_eq!(difference.changes().next().unwrap().definition_id.as_deref(), Some("ports"));
    // Name of the policy, the choice, the collection, two names, the ports.
    assert_eq!(difference.compared, 6);
}

#[test]
fn rows_of_settings_numbered_anew_and_in_another_order_are_no_change() {
    let (one, other) = (choice("a", "a_1", json!([])), simple("b", json!("x")));
    let difference =
        differs("settingsCatalogPolicy", catalogue(&[one.clone(), other.clone()]), catalogue(&[other, one]));
    assert!(difference.is_same() && difference.notes.is_empty());
    assert_eq!(difference.compared, 3);
}

#[test]
fn values_of_a_collection_in_another_order_are_a_note_and_no_change() {
    let difference =
        differs("settingsCatalogPolicy", catalogue(&[texts("a", &["1", "2"])]), catalogue(&[texts("a", &["2", "1"])]));
    assert!(difference.is_same());
    assert_eq!(difference.notes.len(), 1, "{:?}", difference.notes);
    let group = |names: [&str; 2]| catalogue(&[groups("g", &names.map(|name| vec![simple("n", json!(name))]))]);
    let difference = differs("settingsCatalogPolicy", group(["1", "2"]), group(["2", "1"]));
    assert!(difference.is_same());
    assert_eq!(difference.notes[0].path, "g");
}

#[test]
fn one_value_more_in_a_collection_with_twins_is_a_change() {
    let difference = differs(
        "settingsCatalogPolicy",
        catalogue(&[texts("a", &["1", "1", "2"])]),
        catalogue(&[texts("a", &["1", "2", "2"])]),
    );
    assert_eq!(told(&difference), ["changed a: 1, 1, 2 > 1, 2, 2"]);
}

#[test]
fn another_option_takes_what_stood_below_the_one_before_with_it() {
    let old = catalogue(&[choice("a", "a_1", json!([simple("a_value", json!("7"))]))]);
    let new = catalogue(&[choice("a", "a_0", json!([]))]);
    assert_eq!(told(&differs("settingsCatalogPolicy", old, new)), ["changed a: a_1 > a_0", "removed a/a_value: 7 > -"]);
}

#[test]
fn a_group_that_went_is_its_settings_and_the_others_are_found_again() {
    let row = |name: &str| vec![simple("n", json!(name)), simple("v", json!("same"))];
    let old = catalogue(&[groups("g", &[row("1"), row("2"), row("3")])]);
    let new = catalogue(&[groups("g", &[row("1"), row("3")])]);
    assert_eq!(
        told(&differs("settingsCatalogPolicy", old, new)),
        ["removed g/[2]/n: 2 > -", "removed g/[2]/v: same > -"]
    );
}

#[test]
fn null_empty_absent_and_the_default_word_are_the_same_and_zero_and_false_are_not() {
    let old = json!({"displayName": "n", "a": null, "b": "", "c": [], "language": "os-default"});
    let difference = differs("autopilotProfile", old, json!({"displayName": "n"}));
    assert!(difference.is_same() && difference.compared == 1, "{difference:?}");
    let difference = differs("deviceConfiguration", json!({"n": 0, "f": false}), json!({}));
    assert_eq!(told(&difference), ["removed f: No > -", "removed n: 0 > -"]);
}

#[test]
fn counters_clocks_and_row_ids_are_no_change() {
    let old = json!({"displayName": "n", "version": 1, "lastModifiedDateTime": "2026-01-01T00:00:00Z", "isAssigned": true,
        "x@odata.context": "a", "when": "2026-03-01T12:00:00.1234567Z"});
    let new = json!({"displayName": "n", "version": 2, "lastModifiedDateTime": "2026-02-01T00:00:00Z", "isAssigned": false,
        "x@odata.context": "b", "when": "2026-03-01T12:00:00Z"});
    assert!(differs("deviceConfiguration", old, new).is_same());
}

#[test]
fn a_list_whose_order_means_something_keeps_it_and_a_set_does_not() {
    let list = |key: &str, values: &[&str]| json!({key: values});
    assert!(
        differs("deviceConfiguration", list("roleScopeTagIds", &["1", "0"]), list("roleScopeTagIds", &["0", "1"]))
            .is_same()
    );
    let difference = differs("deviceConfiguration", list("servers", &["a", "b"]), list("servers", &["b", "a"]));
    assert_eq!(told(&difference), ["changed servers: a, b > b, a"]);
    let rules =
        |ports: &[u16]| json!({"firewallRules": ports.iter().map(|port| json!({"port": port})).collect::<Vec<_>>()});
    let difference = differs("deviceConfiguration", rules(&[1, 2, 3]), rules(&[1, 3, 2]));
    assert_eq!(told(&difference), ["changed firewallRules/[2]/port: 2 > 3", "changed firewallRules/[3]/port: 3 > 2"]);
    let difference = differs("deviceConfiguration", rules(&[1, 2, 3]), rules(&[2, 3]));
    assert_eq!(told(&difference), ["removed firewallRules/[1]/port: 1 > -"]);
}

#[test]
fn a_new_reference_of_a_masked_secret_is_a_note_and_no_change() {
    let token = |reference: &str| {
        catalogue(&[json!({"@odata.type": format!("{GRAPH}SimpleSettingInstance"), "settingDefinitionId": "secret",
            "simpleSettingValue": {"@odata.type": format!("{GRAPH}SecretSettingValue"), "value": reference,
                "valueState": "encryptedValueToken"}})])
    };
    let difference = differs("settingsCatalogPolicy", token("one"), token("two"));
    assert!(difference.is_same());
    assert!(difference.notes[0].words.contains("entered anew"));
    assert_eq!(difference.not_comparable[0].reason_code, ReasonCode::SecretNeeded);
    assert!(differs("settingsCatalogPolicy", token("one"), token("one")).notes.is_empty());
    let oma = |reference: &str| json!({"omaSettings": [{"omaUri": "./k", "isEncrypted": true, "value": "****", "secretReferenceValueId": reference}]});
    let difference = differs("deviceConfiguration", oma("one"), oma("two"));
    assert!(difference.is_same() && difference.notes.len() == 1, "{difference:?}");
}

#[test]
fn another_credential_is_a_change_that_shows_neither() {
    let difference =
        differs("deviceConfiguration", json!({"preSharedKey": "planted-1"}), json!({"preSharedKey": "planted-2"}));
    let told = told(&difference);
    assert_eq!(told.len(), 1);
    assert!(!format!("{difference:?}{told:?}").contains("planted"));
}

#[test]
fn settings_that_did_not_come_are_not_removed() {
    let (one, other) = (choice("a", "a_1", json!([])), choice("b", "b_1", json!([])));
    let mut short = catalogue(std::slice::from_ref(&one));
    short["settingCount"] = json!(2);
    let difference = differs("settingsCatalogPolicy", catalogue(&[one, other]), short);
    assert!(difference.is_same());
    assert_eq!(difference.compared, 2);
    let [lacking] = difference.not_comparable.as_slice() else { panic!("{difference:?}") };
    assert_eq!((lacking.path.as_str(), lacking.reason_code), ("settings", ReasonCode::BodyIncomplete));
    assert!(lacking.reason.contains("newer version 1 of 2 settings"), "{}", lacking.reason);
}

#[test]
fn assignments_that_were_refused_are_not_removed() {
    let old = read("deviceConfiguration", assigned(json!([group("g1", None)])));
    let refused = [("assignments".to_owned(), ReasonCode::GraphThrottled)];
    let new = read_without("deviceConfiguration", json!({"displayName": "n"}), &refused);
    let difference = compared(&old, &new);
    assert!(difference.is_same());
    assert_eq!(difference.not_comparable[0].reason_code, ReasonCode::GraphThrottled);
    let gone = compared(&old, &read("deviceConfiguration", assigned(json!([]))));
    assert_eq!(gone.changed_assignments().next().unwrap().change, Some(ChangeKind::Removed));
}

#[test]
fn no_filter_written_three_ways_and_rows_made_anew_are_no_change_of_assignments() {
    let zero = "00000000-0000-0000-0000-000000000000";
    let rows = |filter| assigned(json!([group("G1", filter), group("g2", None)]));
    for filter in [Some((zero, "none")), Some((zero, "include")), Some(("f", "none"))] {
        let mut new = assigned(json!([group("g2", None), group("g1", None)]));
        new["assignments"][1]["id"] = json!("another row");
        new["assignments"][0]["source"] = json!("policySets");
        let difference = differs("deviceConfiguration", rows(filter), new);
        assert!(difference.is_same(), "{difference:?}");
        assert_eq!(difference.assignments.len(), 2);
    }
}

#[test]
fn an_exclusion_or_another_filter_is_a_change_of_the_row_and_not_a_row_that_came_and_one_that_went() {
    let excluded =
        json!({"target": {"@odata.type": "#microsoft.graph.exclusionGroupAssignmentTarget", "groupId": "g1"}});
    let difference = differs("deviceConfiguration", assigned(json!([group("g1", None)])), assigned(json!([excluded])));
    let [row] = difference.assignments.as_slice() else { panic!("{difference:?}") };
    assert_eq!(row.change, Some(ChangeKind::Changed));
    assert!(!row.old.as_ref().unwrap().excluded && row.new.as_ref().unwrap().excluded);
    let difference = differs(
        "deviceConfiguration",
        assigned(json!([group("g1", Some(("f1", "include")))])),
        assigned(json!([group("g1", Some(("f1", "exclude")))])),
    );
    assert_eq!(difference.changed_assignments().count(), 1);
}

#[test]
fn of_two_rows_of_one_target_the_one_that_stayed_is_no_change() {
    let rows = |one: &str, other: &str| {
        assigned(json!([group("g1", Some((one, "include"))), group("g1", Some((other, "include")))]))
    };
    let difference = differs("deviceConfiguration", rows("f1", "f2"), rows("f2", "f3"));
    assert_eq!(difference.changed_assignments().count(), 1, "{difference:?}");
}

#[test]
fn an_app_that_a_group_must_have_and_may_have_is_two_rows() {
    let row = |intent: &str| {
        let mut row = group("g1", None);
        row["intent"] = json!(intent);
        row
    };
    let difference =
        differs("mobileApp", assigned(json!([row("required")])), assigned(json!([row("available"), row("required")])));
    let changed: Vec<_> = difference.changed_assignments().collect();
    assert_eq!((changed.len(), changed[0].change), (1, Some(ChangeKind::Added)));
    assert_eq!(changed[0].intent.as_deref(), Some("available"));
}

#[test]
fn blobs_made_for_one_tenant_are_no_change() {
    let blob = |value: &str| {
        catalogue(&[simple(
            "device_vendor_msft_windowsadvancedthreatprotection_onboarding_fromconnector",
            json!(value),
        )])
    };
    let difference = differs("settingsCatalogPolicy", blob("planted-1"), blob("planted-2"));
    assert!(difference.is_same(), "{difference:?}");
    assert!(!told(&difference).concat().contains("planted"));
}

#[test]
fn another_template_reference_is_a_note_so_that_a_version_without_a_change_is_explained() {
    let with = |id: &str| {
        let mut instance = choice("a", "a_1", json!([]));
        instance["settingInstanceTemplateReference"] = json!({"settingInstanceTemplateId": id});
        catalogue(&[instance])
    };
    let difference = differs("settingsCatalogPolicy", with("t1"), with("t2"));
    assert!(difference.is_same());
    assert!(difference.notes[0].words.contains("template"));
}

#[test]
fn a_body_compared_with_itself_is_the_same_and_says_how_much_that_is() {
    let object = json!({"displayName": "n", "definitionValues": [{"id": "1", "enabled": true, "definition": {"id": "d"},
        "presentationValues": [{"id": "p", "value": 4, "presentation": {"id": "x"}}]}], "assignments": [group("g", None)]});
    let one = read("groupPolicyConfiguration", object);
    let difference = compared(&one, &one);
    assert!(difference.is_same() && difference.not_comparable.is_empty());
    assert_eq!(difference.compared, one.0.count());
}
