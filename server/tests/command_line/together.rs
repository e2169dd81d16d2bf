//! Several processes want the same sync: one reads, the others are told; what a dead one left behind is taken up.

use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::Value;
use tenantatlas_domain::ids::{CorrelationId, OperationRunId};
use tenantatlas_domain::time::Timestamp;
use tenantatlas_store::Db;
use tenantatlas_store::operation_runs::{self, Claim, Created, Filter, KindLimits, Limits, NewOperationRun};
use uuid::Uuid;

use super::sandbox::{Cloud, Sandbox};

const SYNC: [&str; 6] = ["sync", "--tenant", "Contoso", "--types", "deviceCompliancePolicy", "--no-foundations"];

fn begin(sandbox: &Sandbox, types: &str) -> Child {
    sandbox
        .command(&["sync", "--tenant", "Contoso", "--types", types, "--no-foundations"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("starts")
}

/// Waits until so many runs are in this state.
fn wait_for(sandbox: &Sandbox, status: &str, count: usize) {
    let limit = Instant::now() + Duration::from_secs(120);
    loop {
        let runs = sandbox.run(&["runs", "--json"]).json();
        let found = runs.as_array().expect("an array").iter().filter(|run| run["status"] == status).count();
        if found == count {
            return;
        }
        assert!(Instant::now() < limit, "{count} {status} in {runs}");
        sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_sync_that_runs_or_waits_already_is_told_and_left_alone() {
    // So slow that nothing ends meanwhile.
    let cloud = Cloud::start(&["--objects", "100", "--latency", "600000"]);
    let sandbox = Sandbox::new();
    assert_eq!(sandbox.add_tenant("Contoso", &cloud).code, 0);
    let mut processes = vec![begin(&sandbox, "deviceCompliancePolicy"), begin(&sandbox, "conditionalAccessPolicy")];
    wait_for(&sandbox, "running", 2);
    // The tenant is at its limit: this one waits.
    processes.push(begin(&sandbox, "deviceConfiguration"));
    wait_for(&sandbox, "pending", 1);
    for types in ["deviceConfiguration", "deviceCompliancePolicy"] {
        let told = sandbox.run(&["sync", "--tenant", "Contoso", "--types", types, "--no-foundations", "--json"]);
        assert_eq!(told.code, 3, "{types}: {}{}", told.stdout, told.stderr);
        assert_eq!(told.json()["status"], "already_running");
    }
    assert_eq!(sandbox.run(&["runs", "--json"]).json().as_array().map(Vec::len), Some(3));
    for process in &mut processes {
        let _ = process.kill();
        let _ = process.wait();
    }
}

/// Dispatches the newest run once more, as a process would that dies before it does anything else; or, with a lease,
/// after it had begun.
async fn leave_behind(sandbox: &Sandbox, age: Duration, lease: Option<Duration>) -> OperationRunId {
    let db = Db::connect(&format!("sqlite:{}", sandbox.path().join("data/tenantatlas.db").display())).await;
    let db = db.expect("the database of the sandbox");
    let known = operation_runs::list(&db, &Filter { limit: 1, ..Filter::default() }).await.expect("the runs").remove(0);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    let at = Timestamp::from_millis(i64::try_from((now - age).as_millis()).expect("a time"));
    let new = NewOperationRun {
        id: OperationRunId::from_uuid(Uuid::now_v7()),
        tenant_id: known.tenant_id,
        user_id: None,
        token_id: None,
        initiator: known.initiator,
        resource: known.resource,
        action: known.action,
        idempotency_key: known.idempotency_key,
        correlation_id: CorrelationId::from_uuid(Uuid::now_v7()),
        payload: known.payload,
        item_ids: known.item_ids,
        audit_log_id: Uuid::now_v7(),
        retry_of: None,
        follows: None,
        follow_ups: Vec::new(),
        schedule_id: None,
    };
    let mut tx = db.write().await.expect("a transaction");
    let created = operation_runs::create(&mut tx, &new, at).await.expect("created");
    assert!(matches!(created, Created::New(_)), "{created:?}");
    if let Some(lease) = lease {
        let limits = Limits { global: 10, per_tenant: 10 };
        let limits = [KindLimits { resource: "inventory", action: "sync", limits }];
        let claim = Claim { owner: "dead", lease, limits: &limits };
        operation_runs::claim(&mut tx, &claim, at).await.expect("claimed").expect("a run");
    }
    tx.commit().await.expect("committed");
    db.close().await;
    new.id
}

#[tokio::test]
async fn what_a_dead_process_left_behind_is_taken_up() {
    let cloud = Cloud::start(&["--objects", "100"]);
    let sandbox = Sandbox::new();
    assert_eq!(sandbox.add_tenant("Contoso", &cloud).code, 0);
    assert_eq!(sandbox.run(&SYNC).code, 0);
    let minute = Duration::from_secs(60);
    for (age, lease) in [(minute, None), (minute, Some(Duration::from_millis(1))), (Duration::from_secs(7), None)] {
        let left = leave_behind(&sandbox, age, lease).await;
        let sync = sandbox.run(&[SYNC.as_slice(), ["--json"].as_slice()].concat());
        assert_eq!(sync.code, 0, "{}{}", sync.stdout, sync.stderr);
        assert_eq!(sync.json()["operation_run_id"], Value::from(left.to_string()));
    }
}
