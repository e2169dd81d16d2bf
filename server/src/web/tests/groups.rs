//! What a group gets, what files say of what was not read, and what names can do to a page.

use axum::http::{Method, StatusCode};
use futures::StreamExt as _;
use serde_json::Value;
use tenantatlas_domain::references::TargetKind;
use tenantatlas_domain::role::Role;
use tenantatlas_domain::selection::Selection;
use tenantatlas_engine::Actor;
use tenantatlas_graph_sim::{Fault, FaultKind};

use super::site::{Site, Who};

const HTML: &str = "text/html";
const READER: Who = Who::Member(Role::Readonly);

impl Site {
    /// Reads these types of the tenant, with the names of groups.
    async fn read_with_names(&self, types: &[&str]) {
        let selection = Selection {
            policy_types: types.iter().map(|key| (*key).to_owned()).collect(),
            categories: Vec::new(),
            include_foundations: false,
            include_dependencies: true,
        };
        let dispatched = self.engine.dispatch_sync(&Actor::command_line(), self.own, &selection).await.expect("a run");
        let mut states = Box::pin(self.engine.runs().follow(self.own, dispatched.run_id));
        while let Some(state) = states.next().await {
            state.expect("a state");
        }
    }

    async fn shown(&self, path: &str) -> String {
        let answer = self.ask(READER, Method::GET, &format!("/t/{}{path}", self.own), HTML, None).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.body);
        answer.body
    }

    async fn exported(&self, query: &str) -> Value {
        let file = serde_json::from_str(&self.shown(&format!("/inventory/export.json{query}")).await).expect("JSON");
        assert!(!holds_millis(&file), "every time is RFC 3339: {file}");
        file
    }
}

/// Whether a number in it can only be a time, in milliseconds since 1970.
fn holds_millis(value: &Value) -> bool {
    match value {
        Value::Object(members) => members.values().any(holds_millis),
        Value::Array(elements) => elements.iter().any(holds_millis),
        _ => value.as_i64().is_some_and(|number| (1_577_836_800_000..4_102_444_800_000).contains(&number)),
    }
}

/// The number of items that the head of the list tells.
fn count_of(page: &str) -> usize {
    let told =
        page.split("list-total").nth(1).and_then(|rest| rest.split_once('>')).map(|(_, told)| told).expect("a total");
    let digits: String = told.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().expect("a number")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_leads_to_its_policies_and_a_policy_to_its_groups() {
    let site = Site::start().await;
    site.read_with_names(&[
        "settingsCatalogPolicy",
        "deviceConfiguration",
        "conditionalAccessPolicy",
        "assignmentFilter",
    ])
    .await;
    let all = site.exported("").await;
    let items = all["items"].as_array().expect("items").clone();
    let group_of = |item: &Value| {
        let mut assignments = item["assignments"].as_array().expect("assignments").clone().into_iter();
        assignments.find(|one| one["target_kind"] == TargetKind::Group.as_str())
    };
    let (item, assignment) =
        items.iter().find_map(|item| Some((item, group_of(item)?))).expect("an item that is assigned to a group");
    let (group, name) =
        (assignment["target_id"].as_str().expect("an id"), assignment["name"].as_str().expect("a name"));
    let item_id = item["id"].as_str().expect("an id");
    let page = site.shown(&format!("/inventory/{item_id}")).await;
    assert!(page.contains(&format!("/groups/{group}\"")), "the item leads to its group");
    let page = site.shown(&format!("/groups/{group}")).await;
    assert!(page.contains(&format!("/inventory/{item_id}\"")), "the group leads to the item");
    assert!(page.contains(name) && page.contains("not read to the end"), "its name, and what was not read");

    let side_of = |item: &Value, group: &str, side: &str| {
        let mut assignments = item["assignments"].as_array().expect("assignments").iter();
        assignments.any(|one| one["target_id"] == group && one["relationship"] == side)
    };
    for (parameter, side) in [("assigned", "assigned_to"), ("excluded", "excluded_from")] {
        let excluded_somewhere =
            |one: &Value| one["relationship"] == "excluded_from" && one["target_kind"] == TargetKind::Group.as_str();
        let assignments = items.iter().flat_map(|item| item["assignments"].as_array().expect("assignments"));
        let excluded = assignments.filter(|one| excluded_somewhere(one)).find_map(|one| one["target_id"].as_str());
        for group in [group, excluded.expect("a group that is excluded")] {
            let expected = items.iter().filter(|item| side_of(item, group, side)).count();
            let found = site.exported(&format!("?{parameter}={group}")).await["items"].clone();
            assert_eq!(found.as_array().map(Vec::len), Some(expected), "{parameter} {group}");
            let page = site.shown(&format!("/inventory?{parameter}={group}")).await;
            assert!(page.contains("not read to the end"), "what was not read is part of the answer");
            let list = count_of(&page);
            assert_eq!(list, expected, "{parameter} {group}");
        }
    }
    let page = site.shown(&format!("/inventory?assigned={group}")).await;
    assert!(
        page.contains(&format!("Assigned to {name}")) && page.contains("Assigned directly to"),
        "the chip, the note"
    );
    let page = site.shown(&format!("/inventory?excluded={group}")).await;
    assert!(page.contains(&format!("Excludes {name}")) && page.contains("no assignment to it"), "the chip, the note");
    assert!(page.contains(&format!("name=\"excluded\" value=\"{group}\"")), "other filters keep it: {page}");
    assert!(
        site.shown(&format!("/inventory?q={}", name.replace(' ', "+"))).await.contains(&format!("/groups/{group}\""))
    );

    for built_in in ["all-users", "all-devices", "nobody", "none"] {
        site.shown(&format!("/groups/{built_in}")).await;
    }
    let nobody = site.exported("?assigned=nobody").await;
    assert_eq!(nobody["items"], site.exported("?assigned=none").await["items"], "an address of before");
    let nobody = nobody["items"].as_array().expect("items");
    assert!(!nobody.is_empty() && nobody.iter().all(|item| item["assigned"] == false), "{nobody:?}");
    for unknown in ["11111111-1111-4111-8111-111111111111", "everybody"] {
        let path = format!("/t/{}/groups/{unknown}", site.own);
        assert_eq!(site.ask(READER, Method::GET, &path, HTML, None).await.status, StatusCode::NOT_FOUND, "{unknown}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_broke_off_makes_no_file_that_looks_whole() {
    let site = Site::start().await;
    let foreign = FaultKind::ForeignLink { host: "http://127.0.0.1:9".to_owned() };
    site.cloud.control().set_faults(vec![Fault::always("deviceManagement/deviceConfigurations", foreign)]);
    site.read_with_names(&["deviceConfiguration", "namedLocation"]).await;
    let file = site.exported("?type=deviceConfiguration").await;
    let told = &file["not_read"][0];
    assert_eq!((&told["policy_type"], &told["outcome"]), (&"deviceConfiguration".into(), &"failed".into()), "{file}");
    assert_eq!(told["reason_code"], "nextlink_foreign_host", "{told}");
    let first = &file["items"][0];
    for name in ["first_seen_at", "last_seen_at", "changed_at"] {
        assert!(first[name].as_str().is_some_and(|at| at.ends_with('Z')), "{name}: {first}");
    }
    assert!(first["state"].is_string() && first["id"].is_string() && first.get("item").is_none(), "{first}");
    assert!(!file["items"].as_array().expect("items").is_empty(), "what was read before is in it");
    assert_eq!(site.exported("?type=namedLocation").await["not_read"].as_array().map(Vec::len), Some(0));

    let csv = site.shown("/inventory/export.csv?type=deviceConfiguration").await;
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let head = reader.headers().expect("a head").clone();
    let column = |name: &str| head.iter().position(|one| one == name).unwrap_or_else(|| panic!("{name} in {head:?}"));
    let records: Vec<csv::StringRecord> = reader.records().map(|record| record.expect("a record")).collect();
    let first = records.first().expect("a row");
    assert_eq!((&first[column("kind")], &first[column("type_key")]), ("not_read", "deviceConfiguration"));
    assert_eq!((&first[column("state")], &first[column("reason_code")]), ("failed", "nextlink_foreign_host"));
    assert!(!first[column("reason")].is_empty() && first[column("name")].is_empty());
    assert!(records.len() > 1 && records[1..].iter().all(|record| &record[column("kind")] == "item"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_is_exact_in_files_defused_for_spreadsheets_and_visible_on_pages() {
    let site = Site::start().await;
    let id = "0b7e3b3e-1111-4000-8000-0000000a8e5f";
    let body = serde_json::json!({ "value": [
        { "@odata.type": "#microsoft.graph.ipNamedLocation", "id": id, "displayName": "  x;=1+1\u{1b}[2J\u{202e}\nend" },
        { "@odata.type": "#microsoft.graph.ipNamedLocation", "id": id.replace('b', "c"), "displayName": null },
    ] });
    let answer = FaultKind::Raw { status: 200, content_type: "application/json".to_owned(), body: body.to_string() };
    site.cloud.control().set_faults(vec![Fault::always("conditionalAccess/namedLocations", answer)]);
    site.read_with_names(&["namedLocation", "securityDefaults"]).await;
    let items = site.exported("?type=namedLocation").await["items"].clone();
    assert_eq!(items[0]["display_name"], "  x;=1+1\u{1b}[2J\u{202e}\nend", "{items}");
    assert_eq!(items[1]["display_name"], "", "the one without a name comes last");
    let csv = site.shown("/inventory/export.csv?type=namedLocation").await;
    assert!(csv.contains("\"  x;'=1+1\u{1b}[2J\u{202e}\nend\""), "{csv}");
    let page = site.shown("/inventory?type=namedLocation").await;
    assert!(page.contains("x;=1+1\\u{1b}[2J\\u{202e}\\nend") && !page.contains(['\u{1b}', '\u{202e}']), "{page}");
    assert!(page.contains("(no name) …8e5f"));
    let item = items[0]["id"].as_str().expect("an id");
    let page = site.shown(&format!("/inventory/{item}")).await;
    assert!(page.contains("\\u{202e}") && !page.contains(['\u{1b}', '\u{202e}']), "{page}");
}
