//! Any number of processes may start at once, on a database that is new, or of the version before.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::Stdio;

use tenantatlas_domain::time::Timestamp;
use tenantatlas_store::Backend;
use tenantatlas_store::audit::{self, NewEntry, Outcome};
use tenantatlas_store::testing::TestDatabase;
use uuid::Uuid;

use super::sandbox::{Running, Sandbox};

/// What a server says after it began to listen: its link for the first administrator, if it made it.
fn invitation(server: &mut Running) -> Option<String> {
    let mut lines = BufReader::new(server.0.stdout.take().expect("piped")).lines().map(|line| line.expect("UTF-8"));
    let said = lines.find(|line| line.starts_with("Nobody can sign in yet.")).unwrap_or_else(|| {
        let mut why = String::new();
        let _ = server.0.stderr.take().expect("piped").read_to_string(&mut why);
        panic!("the server did not start, or somebody can sign in: {:?} {why}", server.0.wait())
    });
    if said.contains("was printed at") { None } else { lines.find(|line| line.contains("/welcome/")) }
}

/// Starts four migrations and two servers at once. All succeed, one of the servers made the link, the log is intact.
fn start_six(sandbox: &Sandbox, database: Option<&str>) {
    let spawn = |arguments: &[&str]| {
        let mut command = sandbox.command(arguments);
        if let Some(database) = database {
            command.env("TENANTATLAS_DATABASE_URL", database);
        }
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary starts")
    };
    let serve = ["serve", "--listen", "127.0.0.1:0", "--log", "off"];
    let commands: [&[&str]; 6] = [&["migrate"], &serve, &["migrate"], &["migrate"], &serve, &["migrate"]];
    let (servers, migrations): (Vec<_>, Vec<_>) =
        commands.map(|arguments| (arguments == serve, spawn(arguments))).into_iter().partition(|(serves, _)| *serves);
    let mut servers: Vec<_> = servers.into_iter().map(|(_, server)| Running(server)).collect();
    for (_, migration) in migrations {
        let ended = migration.wait_with_output().expect("it ends");
        assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    }
    let links: Vec<_> = servers.iter_mut().filter_map(invitation).collect();
    assert_eq!(links.len(), 1, "{links:?}");
    drop(servers);
    let verified = spawn(&["audit", "verify"]).wait_with_output().expect("it ends");
    let told = String::from_utf8_lossy(&verified.stdout).into_owned() + &String::from_utf8_lossy(&verified.stderr);
    assert!(verified.status.success() && told.contains("intact"), "{told}");
}

/// A database of the version before the log was keyed, with entries in it.
async fn old_database(backend: Backend) -> TestDatabase {
    let test = TestDatabase::of_version(backend, 12).await;
    for number in 0..40 {
        let entry = NewEntry {
            id: Uuid::now_v7(),
            tenant_id: None,
            actor_id: None,
            actor_kind: "system".to_owned(),
            actor_name: "TenantAtlas".to_owned(),
            actor_email: String::new(),
            action: "x.y".to_owned(),
            resource_type: "x".to_owned(),
            resource_id: number.to_string(),
            outcome: Outcome::Success,
            context: serde_json::json!({}),
        };
        let mut tx = test.db.write().await.expect("a transaction");
        audit::append_without_key(&mut tx, &entry, Timestamp::from_millis(number)).await.expect("appended");
        tx.commit().await.expect("committed");
    }
    test.db.close().await;
    test
}

#[test]
fn six_processes_that_start_at_once_make_one_new_sqlite_file() {
    for _ in 0..3 {
        start_six(&Sandbox::new(), None);
    }
}

#[tokio::test]
async fn six_processes_that_start_at_once_bring_an_old_sqlite_file_to_their_version() {
    let old = old_database(Backend::Sqlite).await;
    start_six(&Sandbox::new(), Some(&old.address));
}

#[tokio::test]
async fn six_processes_that_start_at_once_make_one_new_postgres_database() {
    for _ in 0..2 {
        let new = TestDatabase::of_version(Backend::Postgres, 0).await;
        new.db.close().await;
        start_six(&Sandbox::new(), Some(&new.address));
    }
}

#[tokio::test]
async fn six_processes_that_start_at_once_bring_an_old_postgres_database_to_their_version() {
    let old = old_database(Backend::Postgres).await;
    start_six(&Sandbox::new(), Some(&old.address));
}

#[test]
fn demos_that_start_at_once_in_one_folder_prepare_one_after_the_other() {
    let sandbox = Sandbox::new();
    let serve = ["serve", "--demo", "--demo-objects", "50", "--listen", "127.0.0.1:0", "--log", "off"];
    let spawn = || {
        let mut command = sandbox.command(&serve);
        Running(command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("it starts"))
    };
    let mut servers = [spawn(), spawn(), spawn()];
    for server in &mut servers {
        let lines = BufReader::new(server.0.stdout.take().expect("piped")).lines();
        let ready =
            lines.map(|line| line.expect("UTF-8")).any(|line| line.contains("with a simulated Microsoft cloud"));
        assert!(ready, "each demo is prepared");
    }
}
