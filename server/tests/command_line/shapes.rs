//! What programs read of `--json`: members that are there are neither renamed nor lost, and keep their kind.

use serde_json::{Value, json};

use super::sandbox::{Cloud, Sandbox};

/// Each member with its kind: `text`, `number`, `flag`, `list` or `object`; one that may be null ends in `?`.
#[track_caller]
fn is_of(value: &Value, members: &[(&str, &str)]) {
    assert!(value.is_object(), "no object: {value}");
    for (name, kind) in members {
        let Some(member) = value.get(name) else { panic!("no {name} in {value}") };
        let (kind, optional) = kind.strip_suffix('?').map_or((*kind, false), |kind| (kind, true));
        let fits = match kind {
            "text" => member.is_string(),
            "number" => member.is_u64(),
            "flag" => member.is_boolean(),
            "list" => member.is_array(),
            "object" => member.is_object(),
            _ => panic!("there is no kind {kind}"),
        };
        assert!(fits || (optional && member.is_null()), "{name} is no {kind}: {member}");
    }
}

#[track_caller]
fn list<'value>(value: &'value Value, name: &str) -> &'value Vec<Value> {
    value[name].as_array().unwrap_or_else(|| panic!("{name} in {value}"))
}

/// A tenant that was read and captured twice, with a change in between.
fn moved_on() -> (Cloud, Sandbox) {
    let cloud = Cloud::start(&["--objects", "400"]);
    let sandbox = Sandbox::new();
    assert_eq!(sandbox.add_tenant("Contoso", &cloud).code, 0);
    for round in 0..2 {
        if round == 1 {
            cloud.evolve();
        }
        assert_eq!(sandbox.run(&["sync", "--tenant", "Contoso", "--json"]).code, 0);
        let captured = sandbox.run(&["capture", "--tenant", "Contoso", "--changed", "--json"]);
        assert_eq!(captured.code, 0, "{}{}", captured.stdout, captured.stderr);
        capture_is_of(&captured.json());
    }
    (cloud, sandbox)
}

fn capture_is_of(report: &Value) {
    is_of(
        report,
        &[
            ("run_id", "text"),
            ("operation_run_id", "text"),
            ("status", "text"),
            ("versions_created", "number"),
            ("unchanged", "number"),
            ("partial", "number"),
            ("requests", "number"),
            ("retries", "number"),
            ("duration_ms", "number"),
            ("types", "object"),
        ],
    );
    let types = report["types"].as_object().expect("types");
    assert!(!types.is_empty());
    for row in types.values() {
        is_of(
            row,
            &[
                ("status", "text"),
                ("captured", "number"),
                ("unchanged", "number"),
                ("partial", "number"),
                ("requests", "number"),
                ("reason_code", "text?"),
            ],
        );
    }
}

/// A difference: of two versions, or of a finding.
fn settings_are_of(settings: &[Value], assignments: &[Value]) {
    for setting in settings {
        is_of(setting, &[("change", "text"), ("path", "text"), ("definition_id", "text?"), ("name", "text?")]);
        assert!(setting.get("old").is_some() && setting.get("new").is_some(), "{setting}");
        assert!(["added", "removed", "changed"].contains(&setting["change"].as_str().expect("text")), "{setting}");
    }
    for assignment in assignments {
        is_of(assignment, &[("change", "text"), ("target", "text"), ("id", "text"), ("name", "text?")]);
        is_of(assignment, &[("old", "object?"), ("new", "object?"), ("intent", "text?")]);
    }
}

fn finding_is_of(finding: &Value) {
    is_of(
        finding,
        &[
            ("kind", "text"),
            ("severity", "text"),
            ("status", "text"),
            ("policy_type", "text"),
            ("external_id", "text"),
            ("display_name", "text"),
            ("fingerprint", "text"),
            ("settings", "list"),
            ("assignments", "list"),
            ("changed_by", "object?"),
            ("changed_by_note", "text?"),
        ],
    );
    assert_ne!(finding["changed_by"].is_null(), finding["changed_by_note"].is_null(), "one of both: {finding}");
    settings_are_of(list(finding, "settings"), list(finding, "assignments"));
}

/// An object of which two versions are kept: its type and id.
fn with_two_versions(sandbox: &Sandbox) -> (String, String) {
    let items = sandbox.run(&["items", "--tenant", "Contoso", "--json"]).json();
    let since = sandbox.run(&["items", "--tenant", "Contoso", "--changed-since", "1d", "--json"]).json();
    is_of(&items, &[("items", "list"), ("not_read", "list")]);
    for item in list(&since, "items") {
        is_of(item, &[("id", "text"), ("policy_type", "text"), ("external_id", "text"), ("display_name", "text")]);
        is_of(item, &[("state", "text"), ("assignments", "list"), ("last_seen_at", "text"), ("meta", "object")]);
        let (key, id) = (item["policy_type"].as_str().expect("text"), item["external_id"].as_str().expect("text"));
        let listed = sandbox.run(&["versions", "--tenant", "Contoso", "--type", key, "--id", id, "--json"]);
        if listed.code == 0 && list(&listed.json(), "versions").len() > 1 {
            return (key.to_owned(), id.to_owned());
        }
    }
    panic!("nothing has two versions: {since}");
}

#[test]
fn programs_find_what_they_read_under_the_names_that_they_know() {
    let (_cloud, sandbox) = moved_on();
    let (key, id) = with_two_versions(&sandbox);
    let of = ["--tenant", "Contoso", "--type", &key, "--id", &id, "--json"];
    let listed = sandbox.run(&[&["versions"][..], &of].concat()).json();
    is_of(&listed, &[("policy_type", "text"), ("external_id", "text"), ("versions", "list")]);
    let version = &list(&listed, "versions")[0];
    let facts = [("number", "number"), ("read_at", "text"), ("completeness", "text"), ("lacks", "list")];
    is_of(version, &facts);
    is_of(version, &[("run_id", "text"), ("content_hash", "text"), ("settings", "number?")]);
    let shown = sandbox.run(&[&["versions", "show"][..], &of].concat()).json();
    is_of(&shown, &facts);
    is_of(&shown, &[("body", "object"), ("left_out", "list")]);
    assert!(sandbox.run(&[&["versions", "export"][..], &of].concat()).json().is_object());

    let differs = sandbox.run(&[&["versions", "diff"][..], &of].concat()).json();
    is_of(&differs, &[("from", "object"), ("to", "object"), ("compared", "number"), ("same", "flag")]);
    is_of(&differs, &[("settings", "list"), ("assignments", "list"), ("notes", "list"), ("not_comparable", "list")]);
    assert_eq!((&differs["from"]["number"], &differs["to"]["number"]), (&json!(1), &json!(2)));
    settings_are_of(list(&differs, "settings"), list(&differs, "assignments"));
    for part in list(&differs, "not_comparable") {
        is_of(part, &[("path", "text"), ("reason_code", "text"), ("reason", "text")]);
    }

    let drift = sandbox.run(&["drift", "--tenant", "Contoso", "--json"]);
    assert_eq!(drift.code, 0, "without --fail-on nothing is judged: {}", drift.stderr);
    let drift = drift.json();
    is_of(
        &drift,
        &[("baseline_run_id", "text?"), ("current_run_id", "text"), ("findings", "list"), ("counts", "object")],
    );
    assert!(!list(&drift, "findings").is_empty());
    list(&drift, "findings").iter().for_each(finding_is_of);
    for gap in list(&drift, "not_comparable") {
        is_of(
            gap,
            &[
                ("policy_type", "text"),
                ("reason_code", "text"),
                ("reason", "text"),
                ("still_so", "flag"),
                ("now", "text"),
            ],
        );
        is_of(gap, &[("read_at", "text?")]);
    }
    let findings = sandbox.run(&["findings", "list", "--tenant", "Contoso", "--json"]).json();
    is_of(&findings, &[("findings", "list"), ("more", "flag")]);
    list(&findings, "findings").iter().for_each(finding_is_of);
    assert_eq!(sandbox.run(&["drift", "--tenant", "Contoso", "--fail-on", "low", "--json"]).code, 2);

    let found = sandbox.run(&["settings", "search", "tenant:Contoso", "--tenant", "Contoso", "--json"]).json();
    is_of(&found, &[("policies", "list"), ("coverage", "object"), ("more", "flag")]);
    let policy = &list(&found, "policies")[0];
    is_of(policy, &[("tenant", "text"), ("policy_type", "text"), ("external_id", "text"), ("settings", "list")]);
    is_of(&list(policy, "settings")[0], &[("key", "text"), ("path", "text"), ("words", "text"), ("since", "text")]);
    let nobody = sandbox.run(&["items", "--tenant", "Contoso", "--assigned-to", "nobody", "--json"]).json();
    is_of(&nobody, &[("assigned_to", "object"), ("items", "list"), ("not_read", "list")]);
}
