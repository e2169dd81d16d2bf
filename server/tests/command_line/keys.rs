//! `tenantatlas database check` and `tenantatlas key rotate`.

use std::fs;
use std::process::Stdio;

use serde_json::json;
use sqlx::{AssertSqlSafe, Connection as _};

use super::bad_input::assert_refused;
use super::sandbox::{Cloud, Running, Sandbox};

async fn execute(sandbox: &Sandbox, text: &str) {
    let url = format!("sqlite:{}", sandbox.path().join("data/tenantatlas.db").display());
    let mut database = sqlx::SqliteConnection::connect(&url).await.expect("a database");
    sqlx::query(AssertSqlSafe(text.to_owned())).execute(&mut database).await.expect("done");
    database.close().await.expect("closed");
}

fn lines(sandbox: &Sandbox, name: &str) -> usize {
    fs::read_to_string(sandbox.path().join("data").join(name)).expect("a key file").lines().count()
}

/// A database with a tenant whose credential is sealed.
fn with_a_tenant(cloud: &Cloud) -> Sandbox {
    let sandbox = Sandbox::new();
    let added = sandbox.add_tenant("Contoso", cloud);
    assert_eq!(added.code, 0, "{}", added.stderr);
    sandbox
}

#[tokio::test]
async fn a_check_trusts_a_sound_database_and_names_what_is_wrong_with_another() {
    let cloud = Cloud::start(&["--objects", "10"]);
    let sandbox = with_a_tenant(&cloud);
    let ended = sandbox.run(&["database", "check", "--json"]);
    assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
    let told = ended.json();
    assert_eq!((&told["trustworthy"], &told["database"]), (&json!(true), &json!("sqlite")));
    assert_eq!(
        (&told["schema"]["fits"], &told["intact"], &told["audit"]["intact"]),
        (&json!(true), &json!(true), &json!(true))
    );
    assert_eq!((&told["findings"], &told["runs"]["running"]), (&json!([]), &json!(0)));
    let sealed = told["sealed"].as_array().expect("a list");
    let credentials = sealed.iter().find(|kind| kind["kind"] == "tenant_credentials").expect("credentials");
    assert_eq!((&credentials["count"], &credentials["not_opened"]), (&json!(1), &json!(0)));
    let text = sandbox.run(&["database", "check"]);
    assert!(text.stdout.ends_with("Nothing is wrong with this database.\n"), "{}", text.stdout);
    assert!(!ended.stdout.contains(cloud.fact("/tenants/0/client_secret")));

    execute(&sandbox, "UPDATE tenants SET credential_sealed = CAST(substr(credential_sealed, 1, 40) AS BLOB)").await;
    let ended = sandbox.run(&["database", "check", "--json"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (1, ""));
    assert_eq!(ended.json()["findings"][0]["code"], "sealed_values_damaged");
    assert_eq!(ended.json()["trustworthy"], false);
    let text = sandbox.run(&["database", "check"]);
    assert_eq!(text.code, 1);
    assert!(
        text.stdout.contains("WRONG: 1 of 1 sealed tenant credentials cannot be opened: enter the"),
        "{}",
        text.stdout
    );
}

#[test]
fn a_check_makes_neither_a_database_nor_a_key() {
    let sandbox = Sandbox::new();
    assert_refused(&sandbox.run(&["database", "check"]), 78, &["tenantatlas.db", "does not exist"]);
    assert!(!sandbox.path().join("data/tenantatlas.db").exists());
    assert_eq!(sandbox.run(&["migrate"]).code, 0);
    let key = sandbox.path().join("data/tenantatlas.key");
    fs::rename(&key, sandbox.path().join("away")).expect("moved");
    let ended = sandbox.run(&["database", "check", "--json"]);
    assert_eq!((ended.code, &ended.json()["findings"][0]["code"]), (1, &json!("key_does_not_fit")));
    assert!(!key.exists());
}

#[test]
fn a_key_is_rotated_while_a_worker_runs_and_a_sync_with_the_new_one_succeeds() {
    let cloud = Cloud::start(&["--objects", "10"]);
    let sandbox = with_a_tenant(&cloud);
    let former = fs::read(sandbox.path().join("data/tenantatlas.key")).expect("a key file");
    let worker = sandbox.command(&["worker"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("a worker");
    let _worker = Running(worker);
    let prepared = sandbox.run(&["key", "rotate", "--prepare", "--json"]);
    assert_eq!(prepared.code, 0, "{}", prepared.stderr);
    assert_eq!((prepared.json()["state"].clone(), lines(&sandbox, "tenantatlas.key")), (json!("prepared"), 2));

    let rotated = sandbox.run(&["key", "rotate", "--json"]);
    assert_eq!(rotated.code, 0, "{}{}", rotated.stdout, rotated.stderr);
    let told = rotated.json();
    assert_eq!((&told["state"], &told["not_opened"], &told["resumed"]), (&json!("rotated"), &json!(0), &json!(false)));
    assert_eq!((&told["key"], &told["sealed"]["tenant_credentials"]), (&prepared.json()["key"], &json!(1)));
    let kept = told["former_key_file"].as_str().expect("a path").to_owned();
    assert_eq!((lines(&sandbox, "tenantatlas.key"), fs::read(&kept).expect("kept")), (1, former));

    let checked = sandbox.run(&["database", "check", "--json"]);
    assert_eq!((checked.code, &checked.json()["key"]), (0, &told["key"]), "{}", checked.stdout);
    assert_eq!(sandbox.run(&["audit", "verify"]).code, 0);
    let other = sandbox.run(&["--key-file", &kept, "database", "check", "--json"]);
    assert_eq!((other.code, &other.json()["findings"][0]["code"]), (1, &json!("key_does_not_fit")));
    // The worker that started with the old key may take the run, or this process.
    let synced = sandbox.run(&["sync", "--tenant", "Contoso"]);
    assert_eq!(synced.code, 0, "{}{}", synced.stdout, synced.stderr);

    let text = sandbox.run(&["key", "rotate"]);
    assert_eq!(text.code, 0, "{}{}", text.stdout, text.stderr);
    assert!(text.stdout.contains("value sealed anew") || text.stdout.contains("values sealed anew"), "{}", text.stdout);
    assert!(text.stdout.contains("Throw it away"), "{}", text.stdout);
    assert_eq!(sandbox.run(&["database", "check"]).code, 0);
}

#[tokio::test]
async fn a_log_that_is_broken_keeps_the_key_in_place() {
    let sandbox = Sandbox::new();
    let password = sandbox.file("password.txt", "correct horse battery staple").display().to_string();
    let added = sandbox.run(&["user", "add", "--email", "a@example.com", "--name", "a", "--password-file", &password]);
    assert_eq!(added.code, 0, "{}", added.stderr);
    execute(&sandbox, "DROP TRIGGER audit_logs_refuse_update").await;
    let refused = sandbox.run(&["key", "rotate", "--json"]);
    assert_eq!((refused.code, &refused.json()["state"]), (1, &json!("refused")));
    let checked = sandbox.run(&["database", "check", "--json"]);
    assert_eq!((checked.code, &checked.json()["findings"][0]["code"]), (1, &json!("audit_log_broken")));
}
