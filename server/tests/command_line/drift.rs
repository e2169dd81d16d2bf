//! From two syncs to findings, and to what is done about them.

use serde_json::{Value, json};

use super::sandbox::{Cloud, Sandbox};

#[test]
fn two_syncs_are_compared_and_what_drifted_is_accepted_and_taken_back() {
    let cloud = Cloud::start(&["--objects", "400"]);
    let sandbox = Sandbox::new();
    assert_eq!(sandbox.add_tenant("Contoso", &cloud).code, 0);
    let drift = ["drift", "--tenant", "Contoso", "--json"];
    let early = sandbox.run(&drift);
    assert_eq!(early.code, 64, "{}", early.stderr);
    let first = sandbox.run(&["sync", "--tenant", "Contoso", "--json"]).json();
    assert!(first.get("drift").is_none(), "{first}");
    let alone = sandbox.run(&[&drift[..], &["--fail-on", "low"]].concat());
    assert_eq!(alone.code, 0, "{}{}", alone.stdout, alone.stderr);
    let alone = alone.json();
    assert_eq!((&alone["findings"], &alone["baseline_run_id"]), (&json!([]), &Value::Null));
    assert_eq!(alone["not_comparable"][0]["reason_code"], "no_baseline");

    cloud.control("evolve", &json!({ "steps": 1 }));
    let second = sandbox.run(&["sync", "--tenant", "Contoso", "--json"]).json();
    assert!(second["drift"]["counts"]["found"].as_u64().expect("a number") > 5, "{second}");
    let told = sandbox.run(&[&drift[..], &["--fail-on", "medium"]].concat());
    assert_eq!(told.code, 2, "{}{}", told.stdout, told.stderr);
    let told = told.json();
    assert_eq!((&told["baseline_run_id"], &told["current_run_id"]), (&first["run_id"], &second["run_id"]));
    let found = told["findings"].as_array().expect("an array");
    for key in ["kind", "severity", "status", "policy_type", "external_id", "display_name", "fingerprint", "settings"] {
        assert!(found.iter().all(|one| !one[key].is_null()), "{key} in {}", found[0]);
    }
    assert!(found[0]["changed_by"].is_null() && found[0]["changed_by_note"].is_string());

    let fingerprints: Vec<&str> = found.iter().map(|one| one["fingerprint"].as_str().expect("text")).collect();
    let accept = ["findings", "accept", "--tenant", "Contoso", "--json", "--reason", "as agreed"];
    assert_eq!(sandbox.run(&[&accept[..], &["nonsense"]].concat()).code, 64);
    let count = fingerprints.len().to_string();
    let all = [&accept[..], &["--confirm", &count], &fingerprints].concat();
    let accepted = sandbox.run(&all);
    assert_eq!(accepted.code, 0, "{}", accepted.stderr);
    assert_eq!(accepted.json()["accepted"], fingerprints.len());
    assert_eq!(sandbox.run(&[&drift[..], &["--fail-on", "low"]].concat()).code, 0, "all of it is accepted");
    let reopen = ["findings", "reopen", "--tenant", "Contoso", "--json", fingerprints[0]];
    assert_eq!(sandbox.run(&reopen).json()["reopened"], 1);
    let new = sandbox.run(&["findings", "list", "--tenant", "Contoso", "--status", "new", "--json"]).json();
    assert_eq!(new["findings"].as_array().map(Vec::len), Some(1), "{new}");
    assert_eq!(new["findings"][0]["reopened"], "by_hand");
    // How much a change matters is a choice of the tenant, also of what was found already.
    let kind = found[0]["policy_type"].as_str().expect("text");
    let severity = |name: &str| {
        sandbox.run(&["findings", "severity", "--tenant", "Contoso", "--type", kind, "--severity", name, "--json"])
    };
    assert_eq!(severity("loud").code, 64);
    assert_eq!(severity("low").json(), json!({"policy_type": kind, "severity": "low", "usual": false}));
    let low = sandbox.run(&["findings", "list", "--tenant", "Contoso", "--type", kind, "--json"]).json();
    assert!(low["findings"].as_array().expect("an array").iter().all(|one| one["severity"] == "low"), "{low}");
    let pinned = sandbox.run(&[&drift[..], &["--baseline", first["run_id"].as_str().expect("text"), "--pin"]].concat());
    assert_eq!(pinned.json()["baseline_run_id"], first["run_id"], "{}", pinned.stderr);
    assert_eq!(sandbox.run(&[&drift[..], &["--unpin"]].concat()).code, 0);
    let wrong = sandbox.run(&[&drift[..], &["--baseline", second["run_id"].as_str().expect("text")]].concat());
    assert_eq!(wrong.code, 64, "{}", wrong.stderr);
}

#[test]
fn a_sync_is_followed_by_what_the_tenant_wants_and_findings_then_name_settings_and_actors() {
    let cloud = Cloud::start(&["--objects", "300"]);
    let sandbox = Sandbox::new();
    assert_eq!(sandbox.add_tenant("Contoso", &cloud).code, 0);
    let wanted = ["tenant", "after-sync", "Contoso", "--capture", "true", "--audit-events", "true", "--json"];
    let wanted = sandbox.run(&wanted).json();
    assert_eq!(wanted, json!({"drift": true, "capture": true, "audit_events": true}));
    let sync = ["sync", "--tenant", "Contoso", "--json"];
    let first = sandbox.run(&sync).json();
    assert!(first["capture"]["versions_created"].as_u64().expect("a number") > 0, "{first}");
    cloud.control("evolve", &json!({ "steps": 1 }));
    let second = sandbox.run(&sync).json();
    assert!(second["drift"]["counts"]["found"].as_u64().expect("a number") > 0, "{second}");
    let listed = sandbox.run(&["findings", "list", "--tenant", "Contoso", "--json"]).json();
    let found = listed["findings"].as_array().expect("an array");
    assert!(
        found.iter().any(|one| one["settings"].as_array().is_some_and(|settings| !settings.is_empty())),
        "{listed}"
    );
    let who = |one: &&Value| one["changed_by"]["actors"][0]["actor"]["user_name"].is_string();
    assert!(found.iter().any(|one| who(&one)), "{listed}");
    assert!(found.iter().all(|one| one["changed_by"].is_null() == one["changed_by_note"].is_string()), "{listed}");
}
