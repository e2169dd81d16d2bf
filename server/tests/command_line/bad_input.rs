//! What is typed wrong or stands in the way gets one clear sentence and the documented exit code.

use std::process::Stdio;

use super::sandbox::{Cloud, Ended, Sandbox};

const GUID: &str = "11111111-2222-3333-4444-555555555555";

/// One sentence on standard error that names what was wrong, nothing on standard output.
pub fn assert_refused(ended: &Ended, code: i32, named: &[&str]) {
    assert_eq!(ended.code, code, "standard error: {}", ended.stderr);
    assert_eq!(ended.stdout, "", "nothing but the sentence");
    let lines: Vec<_> = ended.stderr.lines().collect();
    assert_eq!(lines.len(), 1, "one sentence: {}", ended.stderr);
    for name in named {
        assert!(ended.stderr.contains(name), "{name} in {}", ended.stderr);
    }
}

#[test]
fn an_unknown_tenant_is_named() {
    let sandbox = Sandbox::new();
    assert_refused(&sandbox.run(&["sync", "--tenant", "Contoso"]), 64, &["Contoso", "tenant list"]);
    assert_refused(&sandbox.run(&["items", "--tenant", "Contoso"]), 64, &["Contoso"]);
}

#[test]
fn a_malformed_guid_is_refused_and_nothing_is_kept() {
    let sandbox = Sandbox::new();
    let secret = sandbox.file("secret.txt", "s3cret-value").display().to_string();
    let ended = sandbox.run(&[
        "tenant",
        "add",
        "--name",
        "X",
        "--entra-id",
        "not-a-guid",
        "--client-id",
        GUID,
        "--client-secret-file",
        &secret,
    ]);
    assert_refused(&ended, 64, &["not-a-guid", "GUID"]);
    assert_eq!(sandbox.run(&["tenant", "list", "--json"]).json(), serde_json::json!([]));
}

#[test]
fn an_unknown_type_is_named_and_no_run_is_made() {
    let cloud = Cloud::start(&["--objects", "50"]);
    let sandbox = Sandbox::new();
    assert_eq!(sandbox.add_tenant("Contoso", &cloud).code, 0);
    let ended = sandbox.run(&["sync", "--tenant", "Contoso", "--types", "settingsCatalogPolicy,wishfulPolicy"]);
    assert_refused(&ended, 64, &["wishfulPolicy", "tenantatlas types"]);
    let ended = sandbox.run(&["sync", "--tenant", "Contoso", "--types", "all,wishfulPolicy"]);
    assert_refused(&ended, 64, &["wishfulPolicy", "tenantatlas types"]);
    assert_eq!(sandbox.run(&["runs", "--json"]).json(), serde_json::json!([]));
    let ended = sandbox.run(&["items", "--tenant", "Contoso", "--type", "wishfulPolicy"]);
    assert_refused(&ended, 64, &["wishfulPolicy"]);
}

#[test]
fn a_wrong_secret_ends_the_check_and_the_sync_and_is_never_shown() {
    let cloud = Cloud::start(&["--objects", "50"]);
    let sandbox = Sandbox::new();
    assert_eq!(sandbox.add_tenant_with_secret("Contoso", &cloud, "wrong-secret-0815").code, 0);
    let check = sandbox.run(&["tenant", "check", "Contoso"]);
    assert_eq!(check.code, 77, "{}{}", check.stdout, check.stderr);
    let sync = sandbox.run(&["sync", "--tenant", "Contoso", "--json"]);
    assert_eq!(sync.code, 1, "{}{}", sync.stdout, sync.stderr);
    assert_eq!(sync.json()["error_codes"], serde_json::json!(["auth_failed"]));
    for ended in [&check, &sync] {
        assert!(!format!("{}{}", ended.stdout, ended.stderr).contains("wrong-secret-0815"));
    }
}

#[test]
fn an_unreachable_cloud_is_told_from_a_wrong_secret() {
    let sandbox = Sandbox::new();
    let secret = sandbox.file("secret.txt", "s3cret-value").display().to_string();
    // Port 1 of loopback: nothing listens there.
    let url = "http://127.0.0.1:1";
    let added = sandbox.run(&[
        "tenant",
        "add",
        "--name",
        "Nowhere",
        "--entra-id",
        GUID,
        "--client-id",
        GUID,
        "--client-secret-file",
        &secret,
        "--cloud",
        "custom",
        "--login-url",
        url,
        "--graph-url",
        url,
    ]);
    assert_eq!(added.code, 0, "{}", added.stderr);
    let check = sandbox.run(&["tenant", "check", "Nowhere"]);
    assert_eq!(check.code, 69, "{}{}", check.stdout, check.stderr);
}

#[test]
fn an_unwritable_folder_is_named() {
    let sandbox = Sandbox::new();
    let file = sandbox.file("occupied", "a file, not a folder").display().to_string();
    let ended = sandbox.run(&["tenant", "list", "--data-dir", &file]);
    assert_refused(&ended, 74, &[&file]);
}

#[test]
fn a_key_file_that_does_not_fit_the_data_is_refused() {
    let cloud = Cloud::start(&["--objects", "50"]);
    let sandbox = Sandbox::new();
    assert_eq!(sandbox.add_tenant("Contoso", &cloud).code, 0);
    let other = Sandbox::new();
    assert_eq!(other.run(&["tenant", "list"]).code, 0);
    let foreign = other.path().join("data/tenantatlas.key").display().to_string();
    let ended = sandbox.run(&["tenant", "list", "--key-file", &foreign]);
    assert_refused(&ended, 78, &["key file"]);
    // The right key still fits.
    assert_eq!(sandbox.run(&["tenant", "check", "Contoso"]).code, 0);
}

#[test]
fn the_folder_of_the_key_file_is_made() {
    let sandbox = Sandbox::new();
    let key = sandbox.path().join("keys/of/atlas.key");
    let ended = sandbox.run(&["tenant", "list", "--key-file", &key.display().to_string()]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(key.is_file());
    let file = sandbox.file("occupied", "a file, not a folder");
    let ended = Sandbox::new().run(&["migrate", "--key-file", &file.join("atlas.key").display().to_string()]);
    assert_refused(&ended, 74, &[&file.display().to_string(), "TENANTATLAS_KEY_FILE"]);
}

#[test]
fn the_demo_does_not_take_real_records() {
    let sandbox = Sandbox::new();
    let real = format!("sqlite:{}", sandbox.path().join("real.db").display());
    let ended = sandbox.run(&["serve", "--demo", "--database-url", &real]);
    assert_refused(&ended, 78, &["TENANTATLAS_DATABASE_URL", "--demo"]);
    assert!(!sandbox.path().join("real.db").exists());
}

#[test]
fn a_reader_that_has_gone_changes_nothing_about_how_a_command_ends() {
    let cloud = Cloud::start(&["--objects", "50"]);
    let sandbox = Sandbox::new();
    assert_eq!(sandbox.add_tenant_with_secret("Contoso", &cloud, "wrong-secret-0815").code, 0);
    for (arguments, code) in [
        (["sync", "--tenant", "Contoso", "--json"].as_slice(), 1),
        (["sync", "--tenant", "Contoso"].as_slice(), 1),
        (["tenant", "check", "Contoso"].as_slice(), 77),
        (["items", "--tenant", "Contoso"].as_slice(), 0),
    ] {
        let mut process =
            sandbox.command(arguments).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the binary starts");
        drop(process.stdout.take());
        assert_eq!(process.wait().expect("it ends").code(), Some(code), "{arguments:?}");
    }
}

#[test]
fn a_wrong_setting_is_named_with_what_was_expected() {
    let sandbox = Sandbox::new();
    assert_refused(
        &sandbox.run(&["tenant", "list", "--database-url", "mysql://x"]),
        78,
        &["TENANTATLAS_DATABASE_URL", "sqlite:"],
    );
    assert_refused(&sandbox.run(&["serve", "--listen", "somewhere"]), 78, &["TENANTATLAS_LISTEN", "127.0.0.1:3000"]);
    assert_refused(
        &sandbox.run(&["tenant", "list", "--database-url", "postgres://nobody@127.0.0.1:1/none"]),
        69,
        &["database", "127.0.0.1:1", "refused", "30 seconds"],
    );
}

#[test]
fn wrong_usage_never_looks_like_a_partial_sync() {
    let sandbox = Sandbox::new();
    assert_eq!(sandbox.run(&["sync"]).code, 64);
    assert_eq!(sandbox.run(&["frobnicate"]).code, 64);
    let help = sandbox.run(&["--help"]);
    assert_eq!(help.code, 0);
    assert!(help.stdout.contains("Exit codes"));
}

#[test]
fn wrong_usage_is_told_to_a_program_as_json_with_what_was_expected() {
    let sandbox = Sandbox::new();
    let tenant = ["--tenant", "Contoso"];
    for (command, arguments, words) in [
        ("runs", ["--foo", "bar"].as_slice(), "--foo"),
        ("drift", &["--baseline", "friday"], "expected the id of a sync run"),
        ("drift", &["--fail-on", "worst"], "expected low"),
        ("findings", &["list", "--limit", "0"], "1..=10000"),
    ] {
        let typed: Vec<&str> = [&[command], arguments, &tenant, &["--json"]].concat();
        let told = sandbox.run(&typed);
        assert_eq!((told.code, told.stderr.lines().count()), (64, 1), "{typed:?}: {}", told.stderr);
        let document: serde_json::Value = serde_json::from_str(&told.stderr).expect("JSON");
        assert_eq!(document["exit_code"], 64, "{typed:?}");
        assert!(document["error"].as_str().is_some_and(|error| error.contains(words)), "{typed:?}: {document}");
    }
}

#[tokio::test]
async fn what_nobody_expected_is_told_with_an_id_that_its_lines_in_the_log_carry_too() {
    use sqlx::Connection as _;
    let sandbox = Sandbox::new();
    assert_eq!(sandbox.run(&["user", "list"]).code, 0);
    let url = format!("sqlite:{}", sandbox.path().join("data/tenantatlas.db").display());
    let mut database = sqlx::SqliteConnection::connect(&url).await.expect("a database");
    sqlx::query("ALTER TABLE users RENAME COLUMN name TO another").execute(&mut database).await.expect("done");
    database.close().await.expect("closed");
    let ended = sandbox.run(&["user", "list"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (1, ""), "{}", ended.stderr);
    let (_, id) = ended.stderr.split_once("give the error ID ").expect("an id");
    let id = id.split_once(',').expect("a sentence").0;
    let lines: Vec<&str> = ended.stderr.lines().filter(|line| line.contains("ERROR") && line.contains(id)).collect();
    assert!(lines.iter().any(|line| line.contains("the store failed")), "{}", ended.stderr);
    let ended = sandbox.run(&["user", "list", "--json"]);
    let document = ended.stderr.lines().last().expect("a line");
    let document: serde_json::Value = serde_json::from_str(document).expect("JSON");
    assert_eq!((ended.code, document["exit_code"].as_i64()), (1, Some(1)));
    assert!(document["error_id"].as_str().is_some_and(|id| ended.stderr.matches(id).count() > 1), "{}", ended.stderr);
    // What a person can mend has a sentence and no id.
    let refused = sandbox.run(&["sync", "--tenant", "Nobody", "--json"]);
    let document: serde_json::Value = serde_json::from_str(refused.stderr.trim()).expect("JSON");
    assert_eq!((refused.code, document["error_id"].is_null()), (64, true));
    assert!(document["error"].as_str().is_some_and(|words| words.contains("Nobody")), "{document}");
}
