//! `tenantatlas items show`

use serde_json::Value;

use super::sandbox::{Cloud, Sandbox};

#[test]
fn an_item_is_shown_with_its_relations_in_both_directions() {
    let cloud = Cloud::start(&["--objects", "600"]);
    let sandbox = Sandbox::new();
    assert_eq!(sandbox.add_tenant("Contoso", &cloud).code, 0);
    assert_eq!(sandbox.run(&["sync", "--tenant", "Contoso", "--json"]).code, 0);
    let show = |key: &str, id: &str| {
        sandbox.run(&["items", "show", "--tenant", "Contoso", "--type", key, "--id", id, "--json"])
    };
    let items = sandbox.run(&["items", "--tenant", "Contoso", "--json"]).json()["items"].clone();
    let items = items.as_array().expect("items");
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let mut followed = 0;
    for item in items.iter().filter(|item| item["policy_type"] == "conditionalAccessPolicy") {
        let source = show("conditionalAccessPolicy", &text(&item["external_id"])).json();
        assert_eq!((&source["id"], &source["state"]), (&item["id"], &item["state"]));
        assert_eq!(source["not_read"], serde_json::json!([]));
        for reference in source["references"].as_array().expect("references") {
            let state = text(&reference["state"]);
            assert!(["present", "missing", "not_known", "outside"].contains(&&*state), "{reference}");
            let Some(target) = reference["target_item_id"].as_str() else { continue };
            let found = items.iter().find(|one| one["id"] == target).expect("the target is an item");
            let shown = show(&text(&found["policy_type"]), &text(&found["external_id"])).json();
            let names =
                |list: &Value, key: &str| list.as_array().expect("a list").iter().any(|one| one[key] == item["id"]);
            assert!(shown["referenced_by_count"].as_u64().is_some_and(|count| count > 0), "{shown}");
            assert!(names(&shown["referenced_by"], "source_item_id"), "{shown}");
            let stands = &shown["stands_on_this"];
            assert!(names(&stands["items"], "item_id") && names(&stands["references"], "from"), "{stands}");
            assert!(stands["more"].is_boolean() && stands["deeper"].is_boolean(), "{stands}");
            followed += 1;
        }
        if followed > 3 {
            break;
        }
    }
    assert!(followed > 0, "conditional access refers to objects that were read");

    let tag = sandbox.run(&["items", "show", "--tenant", "Contoso", "--type", "roleScopeTag", "--id", "0"]);
    assert_eq!(tag.code, 0, "{}", tag.stderr);
    for told in ["References:", "Referenced by:", "What stands on this:", "is scoped by it"] {
        assert!(tag.stdout.contains(told), "{told}: {}", tag.stdout);
    }
    for (key, id, said) in
        [("roleScopeTag", "none such", "`tenantatlas items` lists the ids"), ("wishful", "0", "`tenantatlas types`")]
    {
        let refused = show(key, id);
        assert!(refused.code == 64 && refused.stderr.contains(said), "{}", refused.stderr);
    }
}
