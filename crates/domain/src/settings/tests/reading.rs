//! That all settings of a body are read, and how.

use super::*;

/// Counts what a body holds of settings, by its marks alone.
fn there(value: &Value, mark: &str) -> u64 {
    match value {
        Value::Array(elements) => elements.iter().map(|element| there(element, mark)).sum(),
        Value::Object(members) => {
            u64::from(members.contains_key(mark)) + members.values().map(|member| there(member, mark)).sum::<u64>()
        }
        _ => 0,
    }
}

fn of_slot(settings: &Settings, slot: &str) -> u64 {
    let sections = settings.sections.iter().filter(|section| section.slot == slot);
    sections.flat_map(|section| &section.settings).map(Setting::count).sum()
}

fn every_kind() -> Vec<Value> {
    let rule = |name: &str| {
        vec![
            simple("rule_name", json!(name)),
            choice("rule_action", "rule_action_1", json!([texts("rule_ports", &["80"])])),
        ]
    };
    vec![
        choice("bitlocker", "bitlocker_1", json!([simple("bitlocker_value", json!(7))])),
        simple("number", json!(0)),
        simple("empty", json!(null)),
        texts("paths", &["C:\\a", "C:\\b"]),
        groups("rules", &[rule("one"), rule("two")]),
        json!({"@odata.type": format!("{GRAPH}ChoiceSettingCollectionInstance"), "settingDefinitionId": "several",
            "choiceSettingCollectionValue": [{"value": "several_1", "children": [simple("several_1_value", json!("x"))]},
                {"value": "several_2", "children": null}]}),
        json!({"@odata.type": format!("{GRAPH}GroupSettingInstance"), "settingDefinitionId": "group",
            "groupSettingValue": {"children": [choice("inner", "inner_0", json!([]))]}}),
        json!({"@odata.type": format!("{GRAPH}SettingGroupInstance"), "settingDefinitionId": "bare"}),
        json!({"@odata.type": format!("{GRAPH}TomorrowSettingInstance"), "settingDefinitionId": "tomorrow",
            "tomorrowSettingValue": {"children": [simple("below_tomorrow", json!("y"))]}}),
    ]
}

#[test]
fn settings_shown_are_the_settings_that_are_there_in_every_kind_of_instance() {
    let object = catalogue(&every_kind());
    let expected = there(&object, "settingDefinitionId");
    assert_eq!(expected, 19);
    let (settings, _) = read("settingsCatalogPolicy", object);
    assert_eq!(of_slot(&settings, "settings"), expected);
    let lines = settings.lines();
    let value = |path: &str| {
        let line = lines.iter().find(|line| line.path == path).unwrap_or_else(|| panic!("{path}"));
        line.setting.value.as_ref().map_or("-".to_owned(), SettingValue::words)
    };
    assert_eq!(value("bitlocker"), "bitlocker_1");
    assert_eq!(value("bitlocker/bitlocker_value"), "7");
    assert_eq!(value("number"), "0");
    assert_eq!(value("empty"), "-");
    assert_eq!(value("paths"), "C:\\a, C:\\b");
    assert_eq!(value("rules/[2]/rule_name"), "two");
    assert_eq!(value("rules/[1]/rule_action/rule_ports"), "80");
    assert_eq!(value("several"), "several_1, several_2");
    assert_eq!(value("several/several_1/several_1_value"), "x");
    assert_eq!(value("group/inner"), "inner_0");
    assert!(lines.iter().any(|line| line.setting.key == "below_tomorrow"));
}

#[test]
fn settings_of_intents_come_with_their_category_and_their_value_out_of_its_json() {
    let object = json!({"displayName": "Disk", "templateId": "t", "categories": [{"id": "c", "displayName": "BitLocker",
        "settings": [
            {"@odata.type": "#microsoft.graph.deviceManagementBooleanSettingInstance", "id": "1",
                "definitionId": "d_enabled", "valueJson": "true"},
            {"@odata.type": "#microsoft.graph.deviceManagementComplexSettingInstance", "id": "2", "definitionId": "d_complex",
                "valueJson": "{}", "value": [{"definitionId": "d_inner", "valueJson": "\"xtsAes256\"", "id": "3"}]},
            {"id": "4", "definitionId": "d_list", "valueJson": "[\"b\",\"a\"]"},
            {"id": "5", "definitionId": "d_none", "valueJson": "null"}]}]});
    let expected = there(&object, "definitionId");
    let (settings, _) = read("endpointSecurityIntent", object);
    assert_eq!(of_slot(&settings, "categories"), expected);
    let lines = settings.lines();
    let of = |key: &str| lines.iter().find(|line| line.setting.key == key).unwrap().setting;
    assert_eq!(of("d_enabled").value, Some(SettingValue::Flag(true)));
    assert_eq!(of("d_enabled").category.as_deref(), Some("BitLocker"));
    assert_eq!(of("d_inner").value.as_ref().unwrap().words(), "xtsAes256");
    assert_eq!(of("d_list").value.as_ref().unwrap().words(), "b, a");
    assert_eq!(of("d_none").value, None);
}

#[test]
fn intents_are_told_by_the_words_that_their_template_has_for_settings_and_values() {
    let intent = |usage: &str| {
        json!({"displayName": "Disk", "categories": [{"id": "c", "displayName": "Drives", "settings": [
            {"id": "1", "definitionId": "d_rotation", "valueJson": "\"enabled\""},
            {"id": "2", "definitionId": "d_free", "valueJson": "\"enabled\""},
            {"id": "3", "definitionId": "d_list", "valueJson": "[\"enabled\",\"other\"]"},
            {"id": "4", "definitionId": "D_Drive", "valueJson":
                format!("{{\"tpmUsage\":\"{usage}\",\"pin\":null,\"recovery\":{{\"agent\":true}}}}")}]}]})
    };
    let (mut settings, _) = read("endpointSecurityIntent", intent("blocked"));
    let ids = settings.definition_ids();
    for id in ["d_drive", "d_drive/tpmusage", "d_drive/recovery", "d_drive/recovery/agent", "d_rotation"] {
        assert!(ids.iter().any(|known| known == id), "{id} in {ids:?}");
    }
    let known = |id: &str, name: &str| {
        let options = [("enabled", "On"), ("blocked", "Do not allow")];
        let options = options.map(|(id, name)| (id.to_owned(), name.to_owned())).into();
        (id.to_owned(), DefinitionName { name: name.to_owned(), category: vec!["Template".to_owned()], options })
    };
    let plain = settings.clone();
    let mut glossary = Glossary::default();
    glossary.definitions.extend([
        known("d_rotation", "Rotation"),
        known("d_list", "Several"),
        known("d_drive/tpmusage", "Startup"),
        known("d_drive/recovery/agent", "Block the agent"),
    ]);
    settings.name_by(&glossary);
    let lines = settings.lines();
    let told: Vec<(String, String)> = lines
        .iter()
        .filter(|line| line.slot == "categories")
        .filter_map(|line| Some((line.setting.title()?, line.setting.value.as_ref()?.words())))
        .collect();
    let expected = [
        ("Rotation", "On"),
        ("d_free", "enabled"),
        ("Several", "On, other"),
        ("Block the agent", "Yes"),
        ("Startup", "Do not allow"),
    ];
    for (name, value) in expected {
        assert!(told.contains(&(name.to_owned(), value.to_owned())), "{name} in {told:?}");
    }
    let categories = lines.iter().filter(|line| line.depth == 0 && line.slot == "categories");
    assert!(categories.clone().all(|line| line.setting.category.as_deref() == Some("Drives")), "that of the intent");
    // Another name is no other value.
    let same = difference((&plain, &[]), (&settings, &[]));
    assert!(same.is_same() && same.notes.is_empty(), "{same:?}");
    let (mut other, _) = read("endpointSecurityIntent", intent("enabled"));
    other.name_by(&glossary);
    let changed: Vec<_> = difference((&settings, &[]), (&other, &[])).changes().map(|row| row.path.clone()).collect();
    assert_eq!(changed, ["D_Drive/tpmUsage"]);
}

#[test]
fn administrative_templates_are_called_by_their_definitions_and_fields() {
    let object = json!({"displayName": "Edge", "definitionValues": [{"id": "v", "enabled": true, "configurationType": "policy",
        "definition": {"id": "def", "displayName": "Home page", "classType": "user",
            "categoryPath": "\\Microsoft Edge\\Startup"},
        "presentationValues": [
            {"@odata.type": "#microsoft.graph.groupPolicyPresentationValueText", "id": "p", "value": "https://example.com",
                "presentation": {"id": "pres", "label": "Address: "}},
            {"id": "q", "values": [{"name": "a", "value": "1"}, {"name": "b", "value": null}],
                "presentation": {"id": "pairs", "label": "Sites"}},
            {"id": "r", "values": ["x", "y"], "presentation": {"id": "list", "label": null}}]}]});
    let (settings, _) = read("groupPolicyConfiguration", object);
    let lines = settings.lines();
    let found: Vec<String> = lines
        .iter()
        .filter(|line| line.slot == "definitionValues")
        .map(|line| {
            let value = line.setting.value.as_ref().map_or("-".to_owned(), SettingValue::words);
            format!("{}{} = {value}", "  ".repeat(line.depth), line.setting.title().unwrap())
        })
        .collect();
    assert_eq!(
        found,
        [
            "Home page (User) = Enabled",
            "  Address = https://example.com",
            "  Sites = -",
            "    A = 1",
            "    B = -",
            "  list = x, y"
        ]
    );
    assert_eq!(
        lines.iter().find(|line| line.path == "def").unwrap().setting.category.as_deref(),
        Some("Microsoft Edge › Startup")
    );
}

#[test]
fn properties_are_told_by_their_path_and_what_counts_for_nothing_is_left_out() {
    let (settings, _) = read(
        "deviceConfiguration",
        json!({"@odata.type": "#microsoft.graph.windows10GeneralConfiguration", "id": "1", "displayName": "n", "version": 3,
            "createdDateTime": "2026-01-01T00:00:00Z", "passwordRequired": false, "cellularBlockDataRoaming": 0,
            "emptyText": "", "emptyList": [], "nothing": null, "defenderSchedule": {"day": "monday", "hours": [1, 2]},
            "omaSettings": [{"@odata.type": "#microsoft.graph.omaSettingString", "displayName": "A", "omaUri": "./a",
                "isEncrypted": false, "value": "<enabled/>"}]}),
    );
    let lines = settings.lines();
    let counted: Vec<&str> = lines.iter().filter(|line| line.setting.counts).map(|line| line.path.as_str()).collect();
    assert_eq!(
        counted,
        [
            "@odata.type",
            "cellularBlockDataRoaming",
            "defenderSchedule/day",
            "defenderSchedule/hours",
            "displayName",
            "omaSettings/./a/@odata.type",
            "omaSettings/./a/displayName",
            "omaSettings/./a/omaUri",
            "omaSettings/./a/value",
            "passwordRequired"
        ]
    );
    assert_eq!(settings.count(), counted.len() as u64);
}

#[test]
fn scripts_payloads_and_secrets_are_told_without_their_content() {
    let (script, _) = read("deviceHealthScript", json!({"displayName": "n", "detectionScriptContent": "cGxhbnRlZA=="}));
    let value = script.lines().into_iter().find(|line| line.path == "detectionScriptContent").unwrap();
    let value = value.setting.value.clone().unwrap();
    assert_eq!(value.words(), "content of 12 bytes");
    assert!(!value.to_json(false).to_string().contains("cGxh") && value.to_json(true) == json!("cGxhbnRlZA=="));
    let (secrets, _) = read(
        "deviceConfiguration",
        json!({"preSharedKey": "planted", "payload": "planted", "omaSettings": [
            {"omaUri": "./k", "isEncrypted": true, "value": "****", "secretReferenceValueId": "planted-reference"}]}),
    );
    let words: Vec<String> =
        secrets.lines().iter().filter_map(|line| Some(line.setting.value.as_ref()?.words())).collect();
    assert!(!words.concat().contains("planted"), "{words:?}");
    assert!(words.iter().any(|words| words.contains("does not tell")), "{words:?}");
}

#[test]
fn a_catalogue_names_definitions_options_and_categories_and_the_unknown_keeps_its_id() {
    let (mut settings, _) = read(
        "settingsCatalogPolicy",
        catalogue(&[choice("known", "known_1", json!([])), choice("unknown", "unknown_1", json!([]))]),
    );
    let name = DefinitionName {
        name: "Require encryption".to_owned(),
        category: vec!["BitLocker".to_owned(), "OS drives".to_owned()],
        options: [("known_1".to_owned(), "Enabled".to_owned())].into(),
    };
    settings.name_by(&Glossary { definitions: [("known".to_owned(), name)].into(), ..Glossary::default() });
    let lines = settings.lines();
    let of = |key: &str| lines.iter().find(|line| line.setting.key == key).unwrap().setting;
    let known = of("known");
    assert_eq!(known.title().as_deref(), Some("Require encryption"));
    assert_eq!(known.category.as_deref(), Some("BitLocker › OS drives"));
    assert_eq!(known.value.as_ref().unwrap().words(), "Enabled");
    let unknown = of("unknown");
    assert!(unknown.is_unnamed() && !known.is_unnamed());
    assert_eq!(
        (unknown.title().as_deref(), unknown.value.as_ref().unwrap().words().as_str()),
        (Some("unknown"), "unknown_1")
    );
}

#[test]
fn what_values_name_by_ids_is_called_by_its_name_and_stays_the_same_value() {
    let (group, place) = ("0f8fad5b-d9cb-469f-a165-70867728950e", "7C9E6679-7425-40DE-944B-E07FC1F90AE7");
    let body = json!({"conditions": {
        "users": {"includeGroups": [group, "All"]},
        "locations": {"includeLocations": [place, "11111111-1111-4111-8111-111111111111"]},
    }});
    let policy_type = registry().get("conditionalAccessPolicy").unwrap();
    let plain = Settings::of(policy_type, recipe(policy_type).unwrap(), &body);
    assert_eq!(plain.object_ids().len(), 3);
    let objects = [(group, "Pilot"), ("7c9e6679-7425-40de-944b-e07fc1f90ae7", "Head office")];
    let objects = objects.map(|(id, name)| (id.to_owned(), name.to_owned())).into();
    let mut named = plain.clone();
    named.name_by(&Glossary { objects, ..Glossary::default() });
    let words: Vec<String> =
        named.lines().iter().filter_map(|line| line.setting.value.as_ref()).map(SettingValue::words).collect();
    assert!(words.contains(&"Pilot, All".to_owned()), "{words:?}");
    assert!(words.contains(&"Head office, 11111111-1111-4111-8111-111111111111".to_owned()), "{words:?}");
    let compared = difference((&plain, &[]), (&named, &[]));
    assert!(compared.is_same() && compared.notes.is_empty(), "{compared:?}");
}
