//! `tenantatlas items --assigned-to`

use serde_json::Value;

use super::sandbox::{Cloud, Ended, Sandbox};

/// Whether an item names a group on a side.
fn names(item: &Value, id: &str, side: &str) -> bool {
    let mut assignments = item["assignments"].as_array().expect("assignments").iter();
    assignments.any(|one| one["target_id"] == id && one["relationship"] == side)
}

fn ids(list: &Value) -> Vec<String> {
    let mut ids: Vec<String> =
        list.as_array().expect("items").iter().map(|item| item["id"].as_str().expect("an id").to_owned()).collect();
    ids.sort();
    ids
}

#[test]
fn whom_items_are_assigned_to_is_found_by_name_and_id_and_exclusion_is_told_apart() {
    let cloud = Cloud::start(&["--objects", "600"]);
    let sandbox = Sandbox::new();
    assert_eq!(sandbox.add_tenant("Contoso", &cloud).code, 0);
    assert_eq!(sandbox.run(&["sync", "--tenant", "Contoso", "--json"]).code, 0);
    let asked =
        |whom: &str| -> Ended { sandbox.run(&["items", "--tenant", "Contoso", "--assigned-to", whom, "--json"]) };
    let all = sandbox.run(&["items", "--tenant", "Contoso", "--json"]).json();
    let items = all["items"].as_array().expect("items");
    let expected = |id: &str, side: &str| {
        let found = items.iter().filter(|item| names(item, id, side)).cloned().collect::<Vec<_>>();
        ids(&Value::Array(found))
    };
    // A group that is included somewhere and excluded somewhere else.
    let assignments = items.iter().flat_map(|item| item["assignments"].as_array().expect("assignments"));
    let mut groups = assignments.filter(|one| one["target_kind"] == "group" && one["name"].is_string());
    let group = groups
        .find(|one| {
            let id = one["target_id"].as_str().expect("an id");
            !expected(id, "assigned_to").is_empty() && !expected(id, "excluded_from").is_empty()
        })
        .expect("a group on both sides");
    let (id, name) = (group["target_id"].as_str().expect("an id"), group["name"].as_str().expect("a name"));
    let by_id = asked(id).json();
    assert_eq!(ids(&by_id["items"]), expected(id, "assigned_to"));
    assert_eq!(ids(&by_id["excluded"]), expected(id, "excluded_from"));
    assert_eq!(by_id["assigned_to"], serde_json::json!({ "kind": "group", "id": id, "name": name, "direct": true }));
    assert_eq!(by_id["not_read"], serde_json::json!([]));
    let by_name = asked(&name.to_uppercase()).json();
    assert_eq!(by_name["items"], by_id["items"]);

    let nobody = asked("nobody").json();
    assert!(nobody["items"].as_array().is_some_and(|found| !found.is_empty()));
    assert!(nobody["items"].as_array().expect("items").iter().all(|item| item["assigned"] == false));
    assert!(nobody.get("excluded").is_none(), "nobody can be excluded from nobody");
    for everybody in ["all-users", "all-devices"] {
        let told = asked(everybody).json();
        assert!(told["items"].as_array().is_some_and(|found| !found.is_empty()), "{everybody}: {told}");
    }

    let text = sandbox.run(&["items", "--tenant", "Contoso", "--assigned-to", name]);
    assert!(text.stdout.contains(&format!("Assigned directly to {name}")), "{}", text.stdout);
    assert!(text.stdout.contains(&format!("Excludes {name}, which is no assignment to it:")), "{}", text.stdout);

    let part: String = name.chars().take(name.chars().count() - 1).collect();
    let refused = asked(&part);
    assert_eq!(refused.code, 64, "{}", refused.stdout);
    for said in ["no group that was read is called", id, "all-users"] {
        assert!(refused.stderr.contains(said), "{said}: {}", refused.stderr);
    }
    let refused = asked("No such group at all");
    assert!(refused.code == 64 && refused.stderr.contains("nobody"), "{}", refused.stderr);
    // An id that nothing names is answered: nothing is assigned to it, as far as was read.
    let unknown = asked("99999999-9999-4999-8999-999999999999").json();
    assert_eq!((ids(&unknown["items"]).len(), &unknown["assigned_to"]["name"]), (0, &Value::Null));
}
