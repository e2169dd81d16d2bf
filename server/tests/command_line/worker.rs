//! Workers without pages beside a server without work, on one database.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;
use tenantatlas_domain::ids::OperationRunId;
use tenantatlas_domain::operation::OperationStatus;
use tenantatlas_store::operation_runs::{self, OperationRun};
use tenantatlas_store::{Db, tenants};

use super::bad_input::assert_refused;
use super::sandbox::{Cloud, Running, Sandbox};
use super::together::{SYNC, leave_behind};

/// How long is waited for what must come.
const PATIENCE: Duration = Duration::from_secs(120);

fn start(sandbox: &Sandbox, arguments: &[&str]) -> (Running, String) {
    let mut process =
        sandbox.command(arguments).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("it starts");
    let mut said = String::new();
    BufReader::new(process.stdout.take().expect("piped")).read_line(&mut said).expect("it says what it does");
    (Running(process), said)
}

/// Sends SIGTERM and waits for the end.
fn stop(mut process: Running) -> Option<i32> {
    let told = Command::new("kill").args(["-TERM", &process.0.id().to_string()]).status().expect("kill is there");
    assert!(told.success());
    process.0.wait().expect("it ends").code()
}

async fn opened(sandbox: &Sandbox) -> Db {
    let address = format!("sqlite:{}", sandbox.path().join("data/tenantatlas.db").display());
    Db::connect(&address).await.expect("the database of the sandbox")
}

/// Waits until a run is so.
async fn until(db: &Db, id: OperationRunId, is_so: impl Fn(&OperationRun) -> bool) -> OperationRun {
    let tenant = tenants::list(db).await.expect("the tenants").remove(0).id;
    let began = Instant::now();
    loop {
        let run = operation_runs::get(db, tenant, id).await.expect("the run").expect("the run");
        if is_so(&run) {
            return run;
        }
        assert!(began.elapsed() < PATIENCE, "{run:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_worker_that_is_told_to_stop_hands_its_run_to_another_at_once() {
    let cloud = Cloud::start(&["--objects", "100"]);
    let sandbox = Sandbox::new();
    assert_eq!(sandbox.add_tenant("Contoso", &cloud).code, 0);
    assert_eq!(sandbox.run(&SYNC).code, 0);
    let (server, _) = start(&sandbox, &["serve", "--no-work", "--listen", "127.0.0.1:0"]);
    cloud.control("hold", &json!({ "path": "deviceCompliancePolicies" }));
    let id = leave_behind(&sandbox, Duration::ZERO, None).await;
    let db = opened(&sandbox).await;
    // So long a lease that nobody could wait for its end here.
    let (first, said) = start(&sandbox, &["worker", "--lease", "120", "--workers", "2"]);
    assert!(said.contains("works on up to 2 runs"), "{said}");
    until(&db, id, |run| run.lease_owner.is_some()).await;
    assert_eq!(stop(first), Some(0));
    let given_back = until(&db, id, |_| true).await;
    assert_eq!((given_back.lease_owner, given_back.attempt, given_back.lost_leases), (None, 1, 0));
    cloud.control("release", &json!({}));
    let (second, _) = start(&sandbox, &["worker", "--lease", "120"]);
    let ended = until(&db, id, |run| run.status.is_terminal()).await;
    assert_eq!((ended.status, ended.attempt, ended.lost_leases), (OperationStatus::Completed, 2, 0));
    assert_eq!((stop(second), stop(server)), (Some(0), Some(0)));
    db.close().await;
}

fn ask(address: &str, path: &str, header: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("it listens");
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{header}\r\n");
    stream.write_all(request.as_bytes()).expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("answered");
    answer
}

#[test]
fn a_worker_answers_what_watches_it_by_the_rules_of_the_server_and_nothing_else() {
    let sandbox = Sandbox::new();
    let arguments = ["worker", "--listen", "127.0.0.1:0", "--metrics-token", "a-token-of-the-test"];
    let (worker, said) = start(&sandbox, &arguments);
    let address = said.trim_end_matches(['.', '\n']).rsplit("http://").next().expect("an address");
    let status = |path: &str, header: &str| ask(address, path, header).split(' ').nth(1).map(str::to_owned);
    assert_eq!(status("/healthz", "").as_deref(), Some("200"));
    assert_eq!(status("/readyz", "").as_deref(), Some("200"));
    assert_eq!(status("/metrics", "").as_deref(), Some("404"));
    assert!(ask(address, "/metrics", "Authorization: Bearer a-token-of-the-test\r\n").contains("run_workers_busy"));
    for path in ["/", "/sign-in", "/api/v1/tenants", "/pkg/x"] {
        assert_eq!(status(path, "").as_deref(), Some("404"), "{path}");
    }
    assert_eq!(stop(worker), Some(0));
}

#[test]
fn lengths_and_numbers_that_cannot_be_are_refused_with_what_can() {
    let sandbox = Sandbox::new();
    for (arguments, named) in [(["worker", "--lease", "1"], "2..=120"), (["worker", "--workers", "0"], "1..=64")] {
        let ended = sandbox.run(&arguments);
        assert!(ended.code == 64 && ended.stderr.contains(named), "{} {}", ended.code, ended.stderr);
    }
    let ended = sandbox.run(&["serve", "--demo", "--no-work"]);
    assert!(ended.code == 64 && ended.stderr.contains("--no-work"), "{} {}", ended.code, ended.stderr);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("its address").to_string();
    assert_refused(&sandbox.run(&["worker", "--listen", &address]), 69, &[&address, "another port"]);
}
