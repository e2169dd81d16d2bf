//! From an empty folder to an inventory that can be queried.

use serde_json::{Value, json};
use tenantatlas_store::testing::found_in;

use super::sandbox::{Cloud, Sandbox};

#[test]
fn one_command_reads_a_whole_tenant_and_another_queries_it() {
    let cloud = Cloud::start(&["--objects", "600"]);
    let sandbox = Sandbox::new();
    assert_eq!(sandbox.add_tenant("Contoso", &cloud).code, 0);
    let check = sandbox.run(&["tenant", "check", "contoso", "--json"]);
    assert_eq!(check.code, 0, "{}{}", check.stdout, check.stderr);
    assert_eq!(check.json()["missing_permissions"], json!([]));

    let sync = sandbox.run(&["sync", "--tenant", "Contoso", "--json"]);
    assert_eq!(sync.code, 0, "{}{}", sync.stdout, sync.stderr);
    let report = sync.json();
    assert_eq!(report["status"], "success");
    assert_eq!(report["had_errors"], false);
    for key in [
        "run_id",
        "operation_run_id",
        "error_codes",
        "selection_hash",
        "items_upserted_count",
        "errors_count",
        "duration_ms",
        "requests",
        "retries",
    ] {
        assert!(!report[key].is_null(), "{key} in {report}");
    }
    let observed = report["items_observed_count"].as_u64().expect("a number");
    assert!(observed >= 500, "{observed}");
    let by_type = report["types"].as_object().expect("an object");
    assert!(by_type.len() >= 60, "{} types", by_type.len());
    let summed: u64 = by_type.values().map(|row| row["items"].as_u64().expect("a number")).sum();
    assert_eq!(summed, observed);

    let items = sandbox.run(&["items", "--tenant", "Contoso", "--json"]).json();
    assert_eq!(items["not_read"], json!([]));
    let items = items["items"].as_array().expect("an array");
    assert_eq!(items.len() as u64, observed);
    assert!(items.iter().all(|item| item["state"] == "present"), "{:?}", items.first());

    let one = &items[0];
    let found = sandbox.run(&[
        "items",
        "--tenant",
        "Contoso",
        "--search",
        one["external_id"].as_str().expect("text"),
        "--json",
    ]);
    assert!(found.json()["items"].as_array().expect("an array").iter().any(|item| item["id"] == one["id"]));

    let runs = sandbox.run(&["runs", "--tenant", "Contoso", "--json"]).json();
    assert_eq!(runs[0]["id"], report["operation_run_id"]);
    let audit = sandbox.run(&["audit", "verify", "--json"]);
    assert_eq!((audit.code, &audit.json()["intact"]), (0, &json!(true)));

    let again = sandbox.run(&["sync", "--tenant", "Contoso", "--json"]).json();
    assert_eq!(again["selection_hash"], report["selection_hash"]);
    assert_eq!(again["items_observed_count"], report["items_observed_count"]);
    assert_eq!(again["items_upserted_count"], 0, "nothing had changed");
}

#[test]
fn a_list_that_broke_off_is_named_beside_the_items_with_the_reason() {
    let cloud = Cloud::start(&["--objects", "6000"]);
    let sandbox = Sandbox::new();
    assert_eq!(sandbox.add_tenant("Contoso", &cloud).code, 0);
    let kind = json!({ "status": { "status": 403, "code": "Forbidden", "message": "no" } });
    let fault =
        json!({ "path": "deviceManagement/configurationPolicies", "within": "requests", "skip": 2, "kind": kind });
    cloud.control("faults", &json!({ "faults": [fault] }));
    let types = ["--types", "settingsCatalogPolicy,namedLocation", "--no-foundations"];
    let sync = sandbox.run(&[&["sync", "--tenant", "Contoso", "--json"][..], &types].concat());
    assert_eq!(sync.json()["types"]["settingsCatalogPolicy"]["status"], "failed", "{}", sync.stdout);

    let items = sandbox.run(&["items", "--tenant", "Contoso", "--json"]).json();
    let told = &items["not_read"][0];
    assert_eq!((&told["policy_type"], &told["outcome"]), (&json!("settingsCatalogPolicy"), &json!("failed")), "{told}");
    assert!(told["reason_code"].is_string() && !items["items"].as_array().expect("an array").is_empty(), "{told}");
    let text = sandbox.run(&["items", "--tenant", "Contoso"]).stdout;
    let (_, after) = text.split_once("Not read to the end, so that items may be lacking above:").expect("the note");
    assert!(after.contains("settingsCatalogPolicy"), "{after}");
}

#[test]
fn the_same_choice_in_any_order_is_the_same_selection() {
    let cloud = Cloud::start(&["--objects", "100"]);
    let sandbox = Sandbox::new();
    assert_eq!(sandbox.add_tenant("Contoso", &cloud).code, 0);
    let hash = |types: &str| {
        let report =
            sandbox.run(&["sync", "--tenant", "Contoso", "--types", types, "--no-foundations", "--json"]).json();
        assert_eq!(report["types"].as_object().map(serde_json::Map::len), Some(2), "{report}");
        report["selection_hash"].clone()
    };
    assert_eq!(
        hash("deviceConfiguration,conditionalAccessPolicy"),
        hash("conditionalAccessPolicy,deviceConfiguration")
    );
}

#[test]
fn not_one_planted_secret_reaches_the_disk_or_the_output() {
    let cloud = Cloud::start(&["--objects", "800"]);
    let sandbox = Sandbox::new();
    assert_eq!(sandbox.add_tenant("Contoso", &cloud).code, 0);
    let mut command = sandbox.command(&["sync", "--tenant", "Contoso", "--types", "all", "--json"]);
    let output = command.env("TENANTATLAS_LOG", "trace").output().expect("runs");
    let items = sandbox.run(&["items", "--tenant", "Contoso", "--json"]);
    let secret = cloud.facts["tenants"][0]["client_secret"].as_str().expect("text");
    let mut haystacks = vec![output.stdout, output.stderr, items.stdout.into_bytes()];
    for entry in std::fs::read_dir(sandbox.path().join("data")).expect("the data folder") {
        haystacks.push(std::fs::read(entry.expect("an entry").path()).expect("readable"));
    }
    assert!(haystacks.len() >= 5, "the database and the key file are there");
    for haystack in &haystacks {
        assert_eq!(found_in(haystack, &["PLANTEDSECRET", secret, "eyJ0eXAiOiJKV1Qi", "eyJhbGciOi"]), None);
    }
}

#[test]
fn people_are_added_listed_and_given_roles() {
    let cloud = Cloud::start(&["--objects", "50"]);
    let sandbox = Sandbox::new();
    assert_eq!(sandbox.add_tenant("Contoso", &cloud).code, 0);
    let password = sandbox.file("password.txt", "correct horse battery staple\n").display().to_string();
    let added = sandbox.run(&[
        "user",
        "add",
        "--email",
        "Ada@Example.com",
        "--name",
        "Ada",
        "--member",
        "Contoso=operator",
        "--password-file",
        &password,
    ]);
    assert_eq!(added.code, 0, "{}", added.stderr);
    let again =
        sandbox.run(&["user", "add", "--email", "ada@example.com", "--name", "Eve", "--password-file", &password]);
    assert_eq!(again.code, 64, "{}", again.stderr);
    let listed: Value = sandbox.run(&["user", "list", "--json"]).json();
    assert_eq!(listed.as_array().map(Vec::len), Some(1));
    assert_eq!(listed[0]["name"], "Ada");
    assert_eq!(sandbox.run(&["user", "passwd", "ada@example.com", "--password-file", &password]).code, 0);
    let short = sandbox.file("short.txt", "short").display().to_string();
    assert_eq!(sandbox.run(&["user", "passwd", "ada@example.com", "--password-file", &short]).code, 64);
}
