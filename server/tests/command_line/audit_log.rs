//! The proof of the audit log from the command line: anchors, what this machine has seen, restored backups.

use std::fs;
use std::path::PathBuf;

use serde_json::json;
use sqlx::Connection as _;

use super::bad_input::assert_refused;
use super::sandbox::Sandbox;

/// A person, and so an entry in the log.
fn add_person(sandbox: &Sandbox, name: &str) {
    let password = sandbox.file("password.txt", "correct horse battery staple");
    let (email, file) = (format!("{name}@example.com"), password.display().to_string());
    let ended = sandbox.run(&["user", "add", "--email", &email, "--name", name, "--password-file", &file]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
}

/// The files of the database, beside those of their backup.
fn files(sandbox: &Sandbox) -> Vec<(PathBuf, PathBuf)> {
    ["tenantatlas.db", "tenantatlas.db-wal"]
        .map(|name| (sandbox.path().join("data").join(name), sandbox.path().join(format!("{name}.backup"))))
        .into()
}

fn back_up(sandbox: &Sandbox) {
    for (file, backup) in files(sandbox).iter().filter(|(file, _)| file.exists()) {
        fs::copy(file, backup).expect("copied");
    }
}

fn restore(sandbox: &Sandbox) {
    let _ = fs::remove_file(sandbox.path().join("data/tenantatlas.db-shm"));
    for (file, backup) in files(sandbox) {
        if backup.exists() {
            fs::copy(backup, file).expect("copied");
        } else if file.exists() {
            fs::remove_file(file).expect("removed");
        }
    }
}

#[test]
fn a_database_that_is_older_than_what_was_seen_is_told_until_it_is_accepted() {
    let sandbox = Sandbox::new();
    let anchors = sandbox.path().join("anchors.jsonl").display().to_string();
    add_person(&sandbox, "ada");
    assert_eq!(sandbox.run(&["audit", "anchor", "--to", &anchors]).code, 0);
    back_up(&sandbox);
    add_person(&sandbox, "bea");
    add_person(&sandbox, "cleo");
    assert_eq!(sandbox.run(&["audit", "anchor", "--to", &anchors]).code, 0);
    let verified = sandbox.run(&["audit", "verify", "--anchor", &anchors, "--json"]);
    assert_eq!(verified.code, 0, "{}", verified.stderr);
    let entries = verified.json()["entries"].as_i64().expect("a number");
    assert_eq!((verified.json()["intact"].clone(), verified.json()["anchors"].clone()), (json!(true), json!(2)));

    restore(&sandbox);
    let verified = sandbox.run(&["audit", "verify", "--json"]);
    assert_eq!(verified.code, 1);
    let told = verified.json();
    assert_eq!(told["intact"], json!(false));
    let problems = told["problems"].as_array().expect("an array");
    assert_eq!(problems.len(), 1, "{told}");
    let sentence = problems[0]["problem"].as_str().expect("text");
    assert!(sentence.contains("the database is older than what this machine has seen"), "{sentence}");
    assert!(sentence.contains(&format!("to {entries} are gone")), "{sentence}");
    // Further commands do not make it forget.
    add_person(&sandbox, "dora");
    assert_eq!(sandbox.run(&["audit", "verify"]).code, 1);

    let accepted = sandbox.run(&["audit", "verify", "--accept-restored"]);
    assert_eq!(accepted.code, 0, "{}{}", accepted.stdout, accepted.stderr);
    assert_eq!(sandbox.run(&["audit", "verify"]).code, 0);
    // The anchors still tell what is gone.
    let verified = sandbox.run(&["audit", "verify", "--anchor", &anchors]);
    assert_eq!(verified.code, 1);
    assert!(verified.stdout.contains("up to the anchored entry") || verified.stdout.contains("was anchored"));
}

#[test]
fn a_database_that_was_thrown_away_is_told_by_what_lies_beside_the_key() {
    let sandbox = Sandbox::new();
    add_person(&sandbox, "ada");
    for (file, _) in files(&sandbox).iter().filter(|(file, _)| file.exists()) {
        fs::remove_file(file).expect("removed");
    }
    let _ = fs::remove_file(sandbox.path().join("data/tenantatlas.db-shm"));
    let verified = sandbox.run(&["audit", "verify"]);
    assert_eq!(verified.code, 1, "{}", verified.stdout);
    assert!(verified.stdout.contains("that of another database"), "{}", verified.stdout);
}

#[test]
fn an_anchor_is_one_line_that_is_printed_or_appended_and_one_that_was_changed_is_told() {
    let sandbox = Sandbox::new();
    add_person(&sandbox, "ada");
    let printed = sandbox.run(&["audit", "anchor"]);
    assert_eq!((printed.code, printed.stdout.lines().count()), (0, 1), "{}", printed.stderr);
    let anchor: serde_json::Value = serde_json::from_str(&printed.stdout).expect("JSON");
    for field in ["at", "installation", "seq", "hash", "mac"] {
        assert!(!anchor[field].is_null(), "{field} in {anchor}");
    }
    let good = sandbox.file("good.jsonl", &printed.stdout).display().to_string();
    assert_eq!(sandbox.run(&["audit", "verify", "--anchor", &good]).code, 0);
    let mut changed = anchor;
    changed["seq"] = json!(0);
    let bad = sandbox.file("bad.jsonl", &changed.to_string()).display().to_string();
    let verified = sandbox.run(&["audit", "verify", "--anchor", &bad]);
    assert_eq!(verified.code, 1);
    assert!(verified.stdout.contains("was changed, or made with another key"), "{}", verified.stdout);
    for (name, text) in [("none.jsonl", ""), ("other.jsonl", "a line of something else\n")] {
        let file = sandbox.file(name, text).display().to_string();
        assert_refused(&sandbox.run(&["audit", "verify", "--anchor", &file]), 64, &[name, "audit anchor"]);
    }
}

#[test]
fn a_folder_of_the_key_that_cannot_be_written_does_not_stop_the_program() {
    let sandbox = Sandbox::new();
    add_person(&sandbox, "ada");
    // In the place of the file there is something that it cannot replace.
    let seen = sandbox.path().join("data/tenantatlas.audit");
    fs::remove_file(&seen).expect("it was written");
    fs::create_dir(&seen).expect("a folder");
    let ended = sandbox.run(&["tenant", "list", "--json"]);
    assert_eq!((ended.code, ended.json()), (0, json!([])));
    add_person(&sandbox, "bea");
}

#[tokio::test]
async fn a_replaced_root_key_lets_the_log_go_on_as_the_documents_say() {
    let sandbox = Sandbox::new();
    add_person(&sandbox, "ada");
    let data = sandbox.path().join("data");
    let former = sandbox.path().join("former.key").display().to_string();
    fs::rename(data.join("tenantatlas.key"), &former).expect("moved");
    fs::remove_file(data.join("tenantatlas.audit")).expect("removed");
    let url = format!("sqlite:{}", data.join("tenantatlas.db").display());
    let mut database = sqlx::SqliteConnection::connect(&url).await.expect("a database");
    sqlx::query("DELETE FROM schema_facts WHERE name = 'vault_key_check'").execute(&mut database).await.expect("done");
    database.close().await.expect("closed");

    let refused = sandbox.run(&["audit", "reseal"]);
    assert!(refused.code == 64 && refused.stderr.contains("--former-key"), "{} {}", refused.code, refused.stderr);
    let missing = sandbox.path().join("missing.key").display().to_string();
    assert_ne!(sandbox.run(&["audit", "reseal", "--former-key", &missing]).code, 0);
    let broken = sandbox.run(&["audit", "verify"]);
    assert_eq!(broken.code, 1);
    assert!(broken.stdout.contains("audit reseal"), "{}", broken.stdout);
    assert_eq!(sandbox.run(&["audit", "anchor"]).code, 1);

    let resealed = sandbox.run(&["audit", "reseal", "--former-key", &former, "--json"]);
    assert_eq!(resealed.code, 0, "{}{}", resealed.stdout, resealed.stderr);
    assert_eq!(resealed.json(), json!({"resealed": true, "verified": true}));
    add_person(&sandbox, "bea");
    let verified = sandbox.run(&["audit", "verify"]);
    assert_eq!(verified.code, 0, "{}", verified.stdout);
    assert_eq!(sandbox.run(&["audit", "anchor"]).code, 0);
}
