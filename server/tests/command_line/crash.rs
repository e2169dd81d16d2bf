//! Killed at any moment, nothing is stuck, doubled or lost.

use std::collections::HashSet;
use std::process::Stdio;
use std::thread::sleep;
use std::time::Duration;

use super::sandbox::{Cloud, Sandbox};

#[test]
fn a_sync_killed_at_random_moments_is_taken_up_again() {
    let cloud = Cloud::start(&["--objects", "2000", "--latency", "5"]);
    let sandbox = Sandbox::new();
    assert_eq!(sandbox.add_tenant("Contoso", &cloud).code, 0);
    // Moments spread over the length of a sync; a fixed list, so that a failure can be repeated.
    for milliseconds in [40, 900, 130, 1700, 350, 2600, 600, 90, 1200] {
        let mut process = sandbox
            .command(&["sync", "--tenant", "Contoso", "--json"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("starts");
        sleep(Duration::from_millis(milliseconds));
        let _ = process.kill();
        let _ = process.wait();
    }
    // Whoever comes next finishes what was left behind, then reads once more.
    let report = sandbox.run(&["sync", "--tenant", "Contoso", "--json"]);
    assert!([0, 3].contains(&report.code), "{}{}", report.stdout, report.stderr);
    let report = sandbox.run(&["sync", "--tenant", "Contoso", "--json"]);
    assert_eq!(report.code, 0, "{}{}", report.stdout, report.stderr);
    let report = report.json();

    let runs = sandbox.run(&["runs", "--tenant", "Contoso", "--limit", "100", "--json"]).json();
    for run in runs.as_array().expect("an array") {
        let status = run["status"].as_str().expect("text");
        assert!(!["pending", "running"].contains(&status), "no run is stuck: {run}");
    }
    let items = sandbox.run(&["items", "--tenant", "Contoso", "--json"]).json();
    let items = items["items"].as_array().expect("an array");
    assert_eq!(items.len() as u64, report["items_observed_count"].as_u64().expect("a number"), "nothing is lost");
    let distinct: HashSet<_> =
        items.iter().map(|item| (item["policy_type"].as_str(), item["external_id"].as_str())).collect();
    assert_eq!(distinct.len(), items.len(), "nothing is doubled");
    assert_eq!(sandbox.run(&["audit", "verify"]).code, 0);
}
