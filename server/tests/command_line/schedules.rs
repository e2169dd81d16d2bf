//! Schedules and how long things are kept, on the command line.

use super::bad_input::assert_refused;
use super::sandbox::{Cloud, Sandbox};

#[test]
fn a_schedule_is_added_shown_paused_resumed_and_removed() {
    let cloud = Cloud::start(&["--objects", "50"]);
    let sandbox = Sandbox::new();
    assert_eq!(sandbox.add_tenant("Contoso", &cloud).code, 0);
    assert_eq!(sandbox.add_tenant("Fabrikam", &cloud).code, 0);
    let add = [
        "schedule",
        "add",
        "--tenant",
        "Contoso",
        "--name",
        "Nightly",
        "--at",
        "02:30",
        "--on",
        "mon,thu",
        "--zone",
        "Europe/Berlin",
        "--then",
        "capture,drift",
        "--json",
    ];
    let added = sandbox.run(&add);
    assert_eq!(added.code, 0, "{}", added.stderr);
    let added = added.json();
    let schedule = &added[0];
    assert_eq!((schedule["cron"].as_str(), schedule["state"].as_str()), (Some("30 2 * * 1,4"), Some("active")));
    assert_eq!(
        (schedule["options"]["capture"].as_bool(), schedule["options"]["drift"].as_bool()),
        (Some(true), Some(true))
    );
    let id = schedule["id"].as_str().expect("an id").to_owned();
    assert_refused(&sandbox.run(&add[..14]), 64, &["name"]);
    let shown = sandbox.run(&["schedule", "show", &id, "--json"]).json();
    assert_eq!(shown["next"].as_array().map(Vec::len), Some(5));
    assert!(shown["words"].is_string() && shown["clock_changes"].is_string(), "{shown}");
    let changed = sandbox.run(&["schedule", "change", &id, "--at", "03:15", "--then", "none", "--json"]);
    assert_eq!(changed.code, 0, "{}", changed.stderr);
    let changed = changed.json();
    assert_eq!((changed["cron"].as_str(), changed["revision"].as_u64()), (Some("15 3 * * *"), Some(2)));
    assert_eq!((changed["zone"].as_str(), changed["name"].as_str()), (Some("Europe/Berlin"), Some("Nightly")));
    assert_eq!(changed["options"]["drift"].as_bool(), Some(false));
    assert_eq!(changed["next"].as_array().map(Vec::len), Some(5));
    assert_refused(&sandbox.run(&["schedule", "change", &id]), 64, &["--name", "--cron"]);
    assert_refused(&sandbox.run(&["schedule", "change", &id, "--cron", "0 0 31 2 *"]), 64, &["cron", "never"]);
    assert_refused(&sandbox.run(&["schedule", "change", &id, "--at", "25:00"]), 64, &["25:00", "nothing was changed"]);
    for (deed, state) in [("pause", "paused"), ("resume", "active"), ("remove", "removed")] {
        let done = sandbox.run(&["schedule", deed, &id, "--json"]);
        assert_eq!(done.json()["state"], state, "{}", done.stderr);
    }
    assert_refused(&sandbox.run(&["schedule", "pause", &id]), 64, &[&id, "schedule list"]);
    let many = [
        "schedule",
        "add",
        "--tenant",
        "Contoso",
        "--tenant",
        "Fabrikam",
        "--name",
        "Weekly",
        "--cron",
        "0 3 * * 0",
        "--spread",
        "30",
        "--json",
    ];
    let many = sandbox.run(&many);
    assert_eq!(many.code, 0, "{}", many.stderr);
    let listed = sandbox.run(&["schedule", "list", "--json"]).json();
    let groups: Vec<_> = listed.as_array().expect("a list").iter().map(|one| one["group_id"].clone()).collect();
    assert_eq!(groups.len(), 2);
    assert!(groups[0].is_string() && groups[0] == groups[1], "{listed}");
    let spread = listed[0]["id"].as_str().expect("an id");
    let spread = sandbox.run(&["schedule", "show", spread]);
    assert!(
        spread.stdout.contains("Between 03:00 and 03:30") && !spread.stdout.contains("At 03:00"),
        "{}",
        spread.stdout
    );
    assert_refused(
        &sandbox.run(&["runs", "--operation", "inventory.delete"]),
        64,
        &["inventory.sync", "retention.prune"],
    );
    let by = |who: &str| sandbox.run(&["runs", "--by", who, "--json"]);
    let id = listed[0]["id"].as_str().expect("an id");
    assert_refused(&by("schedule:weekly"), 64, &["2 are called so", "--tenant", id, "Contoso", "Fabrikam"]);
    let narrowed = ["runs", "--by", "schedule:weekly", "--tenant", "Fabrikam", "--json"];
    assert_eq!(sandbox.run(&narrowed).json(), serde_json::json!([]));
    for who in [&format!("schedule:{id}"), &format!("schedule-{id}"), "schedule", "token", "person", "nobody"] {
        assert_eq!((by(who).code, by(who).json()), (0, serde_json::json!([])), "{who}");
    }
    assert_refused(&by("schedule:Never"), 64, &["schedule:Never", "schedule list"]);
    assert_refused(&by("token:Never"), 64, &["token:Never", "token list"]);
    assert_refused(&by("zoe@example.com"), 64, &["zoe@example.com", "schedule:NAME", "token:NAME", "nobody"]);
    let table = sandbox.run(&["schedule", "list", "--tenant", "Fabrikam"]);
    assert!(table.stdout.contains("Weekly") && !table.stdout.contains("Contoso"), "{}", table.stdout);
}

#[test]
fn what_cannot_be_a_schedule_is_told_in_one_sentence() {
    let cloud = Cloud::start(&["--objects", "50"]);
    let sandbox = Sandbox::new();
    assert_eq!(sandbox.add_tenant("Contoso", &cloud).code, 0);
    let add = |more: &[&str]| {
        let arguments = ["schedule", "add", "--tenant", "Contoso", "--name", "Nightly"];
        sandbox.run(&[&arguments[..], more].concat())
    };
    assert_refused(&add(&["--cron", "0 0 31 2 *"]), 64, &["cron", "never"]);
    assert_refused(&add(&["--cron", "nonsense"]), 64, &["cron", "five fields"]);
    assert_refused(&add(&["--at", "25:00"]), 64, &["25:00", "02:30"]);
    assert_refused(&add(&["--at", "02:30", "--on", "someday"]), 64, &["someday", "mon"]);
    assert_refused(&add(&["--at", "02:30", "--zone", "Europe/Atlantis"]), 64, &["zone", "Europe/Berlin"]);
    assert_refused(&add(&["--at", "02:30", "--then", "restore"]), 64, &["restore", "capture"]);
    assert_refused(&add(&["--at", "02:30", "--types", "wishfulPolicy"]), 64, &["wishfulPolicy"]);
    let types = ["--at", "02:30", "--operation", "drift.generate", "--types", "all"];
    assert_refused(&add(&types), 64, &["--types", "inventory.sync", "drift.generate"]);
    assert_refused(&add(&["--at", "02:30", "--operation", "inventory.delete"]), 64, &["operation", "inventory.sync"]);
    assert_refused(&add(&["--at", "02:30", "--spread", "721"]), 64, &["spread", "720"]);
    assert_eq!(sandbox.run(&["schedule", "list", "--json"]).json(), serde_json::json!([]));
}

#[test]
fn how_long_things_are_kept_is_shown_and_changed() {
    let sandbox = Sandbox::new();
    let shown = sandbox.run(&["retention", "show", "--json"]).json();
    assert_eq!(
        shown,
        serde_json::json!({"run_days": 180, "notification_days": 90, "version_days": 365, "delivery_days": 30})
    );
    assert_eq!(sandbox.run(&["retention", "set", "--runs", "30"]).code, 0);
    assert_eq!(sandbox.run(&["retention", "show", "--json"]).json()["run_days"], 30);
    assert_refused(&sandbox.run(&["retention", "set", "--versions", "0"]), 64, &["--versions", "3650"]);
    assert_eq!(sandbox.run(&["retention", "set", "--deliveries", "7", "--json"]).json()["delivery_days"], 7);
    assert_refused(&sandbox.run(&["retention", "set"]), 64, &["--runs"]);
}
