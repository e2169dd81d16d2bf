//! What the search keeps of a setting, and what of that anybody may read.

use serde_json::json;

use super::*;

fn lines(key: &str, body: &Value, glossary: &Glossary) -> Vec<SearchLine> {
    let policy_type = registry().get(key).unwrap();
    search_lines(&Settings::of(policy_type, recipe(policy_type).unwrap(), body), glossary)
}

#[test]
fn the_key_of_a_setting_holds_names_of_microsoft_alone() {
    let body = json!({"id": "1", "displayName": "x", "omaSettings": [
        {"@odata.type": "#microsoft.graph.omaSettingString", "displayName": "Secret Project", "omaUri": "./Vendor/Secret", "value": "of the house"}]});
    let found = lines("deviceConfiguration", &body, &Glossary::default());
    let value = found.iter().find(|line| line.entry.path.ends_with("/value")).unwrap();
    assert_eq!(value.key, "omaSettings/value");
    assert!(value.entry.path.contains("./Vendor/Secret"));
    assert!(found.iter().all(|line| !line.key.contains("Secret")), "{found:?}");
    assert!(value.words.is_empty(), "a payload is not searched");
    let strange = json!({"id": "1", "displayName": "x", "a name that no property has": {"inner": 5}});
    let strange = lines("deviceConfiguration", &strange, &Glossary::default());
    let inner = strange.iter().find(|line| line.entry.path.ends_with("inner")).unwrap();
    assert_eq!((inner.key.as_str(), inner.words.as_slice()), ("inner", ["5".to_owned()].as_slice()));
}

#[test]
fn what_stands_in_the_value_of_an_intent_is_found_and_named_below_its_definition() {
    let setting = json!({"id": "1", "definitionId": "D_Drive",
        "valueJson": "{\"tpmUsage\":\"blocked\",\"rules\":[{\"action\":\"allow\"}],\"my text\":{\"inner\":1}}"});
    let body = json!({"id": "1", "categories": [{"id": "c", "displayName": "Drives", "settings": [setting]}]});
    let known = |name: &str, options: &[(&str, &str)]| DefinitionName {
        name: name.to_owned(),
        options: options.iter().map(|(id, name)| ((*id).to_owned(), (*name).to_owned())).collect(),
        ..DefinitionName::default()
    };
    let definitions = [
        ("d_drive/tpmusage".to_owned(), known("Startup", &[("blocked", "Do not allow")])),
        ("d_drive/rules/action".to_owned(), known("Action", &[("allow", "Let through")])),
        ("d_drive".to_owned(), known("Drive policy", &[])),
    ];
    let glossary = Glossary { definitions: definitions.into(), ..Glossary::default() };
    let lines = lines("endpointSecurityIntent", &body, &glossary);
    let of = |key: &str| lines.iter().find(|line| line.key == key).unwrap_or_else(|| panic!("{key} in {lines:?}"));
    let told = |key: &str| {
        let setting = of(key).entry.named(key, &glossary, None);
        (of(key).entry.title(&setting), of(key).entry.value_words(&setting))
    };
    assert_eq!(told("d_drive/tpmusage"), ("Startup".to_owned(), "Do not allow".to_owned()));
    assert_eq!(told("d_drive/rules/action"), ("Action".to_owned(), "Let through".to_owned()));
    assert_eq!(of("d_drive/tpmusage").words, ["allow", "blocked", "do", "not"]);
    assert!(lines.iter().all(|line| !line.key.contains("text")), "a key of a person: {lines:?}");
}

#[test]
fn an_option_is_found_by_its_id_and_by_its_name_and_content_by_nothing() {
    let instance = |id: &str, option: &str| {
        json!({"settingInstance": {
            "@odata.type": "#microsoft.graph.deviceManagementConfigurationChoiceSettingInstance",
            "settingDefinitionId": id, "choiceSettingValue": {"value": option, "children": []}}})
    };
    let body = json!({"id": "1", "settings": [instance("Device_A", "device_a_1")]});
    let known = DefinitionName {
        name: "Allow A".to_owned(),
        category: Vec::new(),
        options: [("device_a_1".to_owned(), "Not Configured".to_owned())].into(),
    };
    let glossary = Glossary { definitions: [("device_a".to_owned(), known)].into(), ..Glossary::default() };
    let found = lines("settingsCatalogPolicy", &body, &glossary);
    let line = found.iter().find(|line| line.key == "device_a").unwrap();
    assert_eq!(line.words, ["configured", "device_a_1", "not"]);
    assert!(line.names.is_empty(), "what a catalogue calls it is not kept");
    assert_eq!(line.entry.named(&line.key, &glossary, None).title().as_deref(), Some("Allow A"));
    let unnamed = lines("settingsCatalogPolicy", &body, &Glossary::default());
    assert_eq!(
        unnamed.iter().find(|one| one.key == "device_a").unwrap().held,
        line.held,
        "another name is no other value"
    );

    let script = json!({"id": "1", "displayName": "x", "scriptContent": "V3JpdGUtSG9zdCBzZWNyZXQ="});
    let script = lines("deviceManagementScript", &script, &Glossary::default());
    let line = script.iter().find(|line| line.key.ends_with("scriptContent")).unwrap();
    assert!(line.words.is_empty() && line.entry.value.is_none() && line.entry.content.is_some());
}

#[test]
fn an_element_that_moved_is_the_same_one() {
    let body = |rules: &[&str]| {
        let rules: Vec<_> = rules.iter().map(|rule| json!({"a": rule, "b": 1})).collect();
        json!({"id": "1", "displayName": "x", "someRules": rules})
    };
    let held = |rules: &[&str]| {
        let mut held: Vec<String> = lines("deviceConfiguration", &body(rules), &Glossary::default())
            .into_iter()
            .map(|line| line.held)
            .collect();
        held.sort();
        held
    };
    assert_eq!(held(&["x", "y"]), held(&["y", "x"]));
    assert_ne!(held(&["x", "y"]), held(&["x", "z"]));
}

#[test]
fn words_are_cut_where_neither_letters_digits_nor_underscores_stand() {
    assert_eq!(words_of("https://VPN.contoso.com/x_1"), ["com", "contoso", "https", "vpn", "x_1"]);
    assert_eq!(words_of("-- … "), [] as [&str; 0]);
    assert_eq!(words_of(&"a".repeat(100)), ["a".repeat(64)]);
}
