//! From an inventory to versions that can be looked at.

use serde_json::{Value, json};
use tenantatlas_store::testing::found_in;

use super::sandbox::{Cloud, Sandbox};

fn ids(sandbox: &Sandbox, key: &str) -> Vec<String> {
    let items = sandbox.run(&["items", "--tenant", "Contoso", "--type", key, "--json"]).json();
    let items = items["items"].as_array().expect("an array").iter();
    items.map(|item| item["external_id"].as_str().expect("text").to_owned()).collect()
}

#[test]
fn one_command_captures_a_tenant_and_another_shows_a_version() {
    let cloud = Cloud::start(&["--objects", "200"]);
    let sandbox = Sandbox::new();
    assert_eq!(sandbox.add_tenant("Contoso", &cloud).code, 0);
    let early = sandbox.run(&["capture", "--tenant", "Contoso"]);
    assert_eq!(early.code, 64, "{}", early.stderr);
    assert!(early.stderr.contains("tenantatlas sync"), "{}", early.stderr);
    assert_eq!(sandbox.run(&["sync", "--tenant", "Contoso", "--json"]).code, 0);
    let captured = sandbox.run(&["capture", "--tenant", "Contoso", "--json"]);
    assert_eq!(captured.code, 0, "{}{}", captured.stdout, captured.stderr);
    let report = captured.json();
    assert_eq!(report["status"], "success");
    for key in ["run_id", "operation_run_id", "partial", "requests", "retries", "duration_ms"] {
        assert!(!report[key].is_null(), "{key} in {report}");
    }
    let created = report["versions_created"].as_u64().expect("a number");
    assert!(created >= 150 && report["unchanged"] == 0, "{report}");
    let by_type = report["types"].as_object().expect("an object");
    let sum: u64 = by_type.values().map(|row| row["captured"].as_u64().expect("a number")).sum();
    assert_eq!(sum, created);
    let script_type = &by_type["deviceManagementScript"];
    assert_eq!((&script_type["status"], &script_type["reason_code"]), (&json!("succeeded"), &Value::Null));
    let again = sandbox.run(&["capture", "--tenant", "Contoso", "--changed", "--json"]).json();
    assert_eq!((&again["captured"], &again["requests"]), (&json!(0), &json!(0)), "{again}");

    let script = ids(&sandbox, "deviceManagementScript").remove(0);
    let of = ["--tenant", "Contoso", "--type", "deviceManagementScript", "--id", &script, "--json"];
    let listed = sandbox.run(&[&["versions"][..], &of].concat()).json();
    assert_eq!(listed["versions"][0]["number"], 1);
    let shown = sandbox.run(&[&["versions", "show"][..], &of].concat()).json();
    assert_eq!(shown["left_out"], json!(["scriptContent"]));
    assert!(shown["body"]["assignments"].is_array() && shown["body"].get("scriptContent").is_none(), "{shown}");
    let scripts = sandbox.run(&[&["versions", "show", "--scripts"][..], &of].concat()).json();
    assert!(scripts["body"]["scriptContent"].is_string(), "{scripts}");
    let first = sandbox.run(&[&["versions", "diff"][..], &of].concat());
    assert_eq!(first.code, 64, "{}", first.stderr);
    let same = sandbox.run(&[&["versions", "diff", "--from", "1", "--to", "1"][..], &of].concat()).json();
    assert_eq!((&same["same"], &same["settings"], &same["not_comparable"]), (&json!(true), &json!([]), &json!([])));
    assert!(same["compared"].as_u64().expect("a number") > 2, "{same}");
    let path = sandbox.path().join("body.json");
    let file = path.to_str().expect("text");
    let told = sandbox.run(&[&["versions", "export", "--to", file][..], &of].concat());
    assert_eq!((told.code, &told.json()["file"], &told.json()["left_out"]), (0, &json!(file), &shown["left_out"]));
    assert_eq!(told.json()["bytes"], std::fs::metadata(&path).expect("a file").len());
    let written: Value = serde_json::from_slice(&std::fs::read(&path).expect("a file")).expect("JSON");
    assert_eq!(written, shown["body"]);
    assert_eq!(sandbox.run(&[&["versions", "export", "--to", file][..], &of].concat()).code, 74, "written over");
    let exported = sandbox.run(&[&["versions", "export", "--scripts"][..], &of].concat()).json();
    assert_eq!(exported, scripts["body"]);
    let names = sandbox.run(&["versions", "names", "--tenant", "Contoso", "--json"]);
    assert_eq!((names.code, &names.json()["status"]), (0, &json!("completed")), "{}{}", names.stdout, names.stderr);
    assert!(names.json()["entries"].as_u64().expect("a number") > 400, "{}", names.stdout);
    let wrong = sandbox.run(&["versions", "--tenant", "Contoso", "--type", "deviceManagementScript", "--id", "none"]);
    assert_eq!(wrong.code, 64);
    let verified = sandbox.run(&["audit", "verify", "--json"]);
    assert_eq!(verified.json()["intact"], true);
    assert_eq!(sandbox.run(&["capture", "--tenant", "Contoso", "--types", "nothing"]).code, 64);
    let both = sandbox.run(&["sync", "--tenant", "Contoso", "--capture", "--json"]);
    assert_eq!((both.code, &both.json()["capture"]["status"]), (0, &json!("success")), "{}", both.stdout);
}

#[test]
fn not_one_planted_secret_of_a_body_reaches_the_disk_the_output_or_the_log() {
    let cloud = Cloud::start(&["--objects", "400"]);
    let sandbox = Sandbox::new();
    assert_eq!(sandbox.add_tenant("Contoso", &cloud).code, 0);
    assert_eq!(sandbox.run(&["sync", "--tenant", "Contoso", "--json"]).code, 0);
    let mut command = sandbox.command(&["capture", "--tenant", "Contoso", "--json"]);
    let output = command.env("TENANTATLAS_LOG", "trace").output().expect("runs");
    let mut haystacks = vec![output.stdout, output.stderr];
    for entry in std::fs::read_dir(sandbox.path().join("data")).expect("the data folder") {
        haystacks.push(std::fs::read(entry.expect("an entry").path()).expect("readable"));
    }
    // A body that is shown holds what an administrator wrote, and no credential.
    let mut shown = 0;
    for key in ["deviceConfiguration", "oemConfigPolicy", "androidEnrollmentProfile", "settingsCatalogPolicy"] {
        for id in ids(&sandbox, key).iter().take(12) {
            let of = ["--tenant", "Contoso", "--type", key, "--id", id, "--json"];
            let body = sandbox.run(&[&["versions", "show", "--scripts"][..], &of].concat());
            assert_eq!(body.code, 0, "{}", body.stderr);
            for needle in ["PLANTEDSECRET-CREDENTIAL", "UExBTlRFRFNFQ1JFVC1DUkVERU5USUFM"] {
                assert!(!body.stdout.contains(needle), "{key} {id}");
            }
            shown += usize::from(body.stdout.contains("@tenantatlas.withheld"));
        }
    }
    assert!(shown > 3, "{shown} bodies with a mark");
    for haystack in &haystacks {
        let needles = ["PLANTEDSECRET", "UExBTlRFRFNFQ1JFV", "settingInstanceTemplateReference"];
        assert_eq!(found_in(haystack, &needles), None);
    }
}
