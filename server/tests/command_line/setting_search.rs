//! Which policies set what, over all tenants.

use serde_json::json;

use super::sandbox::{Cloud, Sandbox};

#[test]
fn settings_are_found_over_all_tenants_with_what_was_not_searched() {
    let cloud = Cloud::start(&["--objects", "200"]);
    let sandbox = Sandbox::new();
    assert_eq!(sandbox.add_tenant("Contoso", &cloud).code, 0);
    let search = |arguments: &[&str]| sandbox.run(&[&["settings", "search"][..], arguments, &["--json"]].concat());
    let nothing = search(&["BitLocker"]).json();
    assert_eq!((&nothing["policies"], &nothing["more"]), (&json!([]), &json!(false)));
    assert_eq!(nothing["coverage"]["left_out"][0]["tenant"], "Contoso");

    assert_eq!(sandbox.run(&["sync", "--tenant", "Contoso"]).code, 0);
    let captured = sandbox.run(&["capture", "--tenant", "Contoso", "--types", "settingsCatalogPolicy", "--json"]);
    assert_eq!(captured.code, 0, "{}", captured.stderr);
    let all = search(&["type:settingsCatalogPolicy", "--tenant", "contoso"]).json();
    let first = &all["policies"][0];
    for key in ["tenant", "policy_type", "external_id", "display_name", "version", "included", "excluded", "item_id"] {
        assert!(!first[key].is_null(), "{key} in {first}");
    }
    let setting = &first["settings"][0];
    for key in ["key", "name", "path", "words", "since", "since_version"] {
        assert!(!setting[key].is_null(), "{key} in {setting}");
    }
    let lacking = all["coverage"]["not_searched"].as_array().expect("an array");
    assert!(lacking.iter().all(|one| one["policy_type"] == "settingsCatalogPolicy"), "{lacking:?}");
    let few = search(&["type:settingsCatalogPolicy", "--limit", "2"]).json();
    let shown = few["policies"].as_array().expect("an array").iter();
    let shown: usize = shown.map(|policy| policy["settings"].as_array().map_or(0, Vec::len)).sum();
    assert_eq!((shown, &few["more"]), (2, &json!(true)));

    let of_all = all["policies"].as_array().expect("an array").iter();
    let mut settings = of_all.flat_map(|policy| policy["settings"].as_array().expect("an array"));
    let named = settings.find(|setting| !setting["definition_id"].is_null()).expect("one with a definition");
    let key = named["key"].as_str().expect("text");
    let by_id = search(&[key]).json();
    let found = by_id["policies"][0]["settings"].as_array().expect("an array");
    assert!(found.iter().any(|setting| setting["key"] == key), "{key}: {found:?}");
    let pivot = search(&["type:settingsCatalogPolicy", "--pivot", key]).json();
    assert_eq!((&pivot["key"], &pivot["rows"][0]["tenant"]), (&named["key"], &json!("Contoso")));
    assert_eq!(pivot["values"].as_array().map(Vec::len), pivot["rows"][0]["policies"].as_array().map(Vec::len));

    let text = sandbox.run(&["settings", "search", "type:settingsCatalogPolicy"]);
    assert!(text.stdout.contains("Contoso") && text.stdout.contains("Searched:"), "{}", text.stdout);
    for (query, expected) in [
        ("", "Expected something to look for"),
        ("vlaue:x", "no filter \"vlaue:\""),
        ("type:setingsCatalogPolicy", "did you mean settingsCatalogPolicy"),
        ("tenant:Contosso", "did you mean Contoso"),
        ("\"x", "quotation mark"),
    ] {
        let refused = sandbox.run(&["settings", "search", query]);
        assert_eq!(refused.code, 64, "{query}");
        assert!(refused.stderr.contains(expected), "{query}: {}", refused.stderr);
    }
    assert_eq!(search(&["x", "--tenant", "Nobody"]).code, 64);
}
