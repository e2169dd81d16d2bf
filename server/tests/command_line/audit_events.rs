//! From the audit logs of Microsoft to a list of who changed what.

use serde_json::json;
use tenantatlas_store::testing::found_in;

use super::sandbox::{Cloud, Sandbox};

#[test]
fn one_command_reads_the_logs_and_another_lists_who_changed_what() {
    let cloud = Cloud::start(&["--objects", "300"]);
    let sandbox = Sandbox::new();
    assert_eq!(sandbox.add_tenant("Contoso", &cloud).code, 0);
    let early = sandbox.run(&["audit-events", "list", "--tenant", "Contoso", "--json"]);
    assert_eq!((early.code, early.json()), (0, json!({"events": [], "sources": {}})));
    let mut command = sandbox.command(&["audit-events", "--tenant", "Contoso", "--json"]);
    let output = command.env("TENANTATLAS_LOG", "trace").output().expect("runs");
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!((&report["status"], &report["sources"]["entra"]["status"]), (&json!("completed"), &json!("succeeded")));
    let new = report["new"].as_u64().expect("a number");
    assert!(new > 10 && report["requests"].as_u64() >= Some(2), "{report}");
    let listed = sandbox.run(&["audit-events", "list", "--tenant", "Contoso", "--json"]).json();
    let events = listed["events"].as_array().expect("an array");
    assert_eq!(events.len() as u64, new);
    assert!(listed["sources"]["intune"]["read_to"].is_string());
    let object = events[0]["objects"][0]["id"].as_str().expect("an id");
    let of = ["audit-events", "list", "--tenant", "Contoso", "--object", object, "--since", "90d", "--json"];
    let some = sandbox.run(&of).json();
    let some = some["events"].as_array().expect("an array");
    assert!(!some.is_empty() && some.iter().all(|event| event["objects"][0]["id"] == object));
    let text = sandbox.run(&["audit-events", "list", "--tenant", "Contoso"]);
    assert!(text.stdout.contains("@simulated.example"), "{}", text.stdout);
    let again = sandbox.run(&["audit-events", "--tenant", "Contoso", "--json"]).json();
    assert_eq!(again["new"], 0, "{again}");
    assert_eq!(sandbox.run(&["audit-events"]).code, 64);
    assert_eq!(sandbox.run(&["audit-events", "list", "--tenant", "Contoso", "--since", "x"]).code, 64);

    let mut haystacks = vec![output.stdout, output.stderr, listed.to_string().into_bytes()];
    for entry in std::fs::read_dir(sandbox.path().join("data")).expect("the data folder") {
        haystacks.push(std::fs::read(entry.expect("an entry").path()).expect("readable"));
    }
    for haystack in &haystacks {
        assert_eq!(found_in(haystack, &["PLANTEDSECRET", "UExBTlRFRFNFQ1JFV", "203.0.113.9"]), None);
    }
}
