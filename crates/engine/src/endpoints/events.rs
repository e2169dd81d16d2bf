//! What operations tell endpoints besides that they have ended, in the transaction that finds it.

use serde_json::json;
use tenantatlas_domain::endpoint::EventKind;
use tenantatlas_domain::ids::{OperationRunId, TenantId};
use tenantatlas_domain::time::Timestamp;
use tenantatlas_store::deliveries::{self, Event};
use tenantatlas_store::schedules::Schedule;
use tenantatlas_store::{StoreError, Tx};

/// Tells of findings that are new, and of accepted ones that are new again; of nothing when there are none.
pub(crate) async fn tell_findings(
    tx: &mut Tx,
    tenant: TenantId,
    run: OperationRunId,
    found: u64,
    reopened: u64,
    at: Timestamp,
) -> Result<(), StoreError> {
    if found + reopened == 0 {
        return Ok(());
    }
    let payload = json!({
        "findings": { "new": found, "new_again": reopened },
        "path": format!("/t/{tenant}/findings"),
    });
    tell(tx, tenant, EventKind::FindingsNew, Some(run), payload.to_string(), at).await
}

/// Tells of permissions that the application had at the check before; of nothing when there are none.
pub(crate) async fn tell_lost_permissions(
    tx: &mut Tx,
    tenant: TenantId,
    run: OperationRunId,
    lost: &[&str],
    at: Timestamp,
) -> Result<(), StoreError> {
    if lost.is_empty() {
        return Ok(());
    }
    let payload = json!({ "permissions": lost, "path": format!("/t/{tenant}/settings") });
    tell(tx, tenant, EventKind::PermissionLost, Some(run), payload.to_string(), at).await
}

/// Tells of a schedule that has not succeeded for twice its period.
pub(crate) async fn tell_overdue(tx: &mut Tx, schedule: &Schedule, at: Timestamp) -> Result<(), StoreError> {
    let tenant = schedule.tenant_id;
    let payload = json!({
        "schedule": {
            "id": schedule.id,
            "name": schedule.name,
            "last_succeeded_at": schedule.last_succeeded_at.map(Timestamp::to_rfc3339),
        },
        "path": format!("/t/{tenant}/schedules"),
    });
    tell(tx, tenant, EventKind::ScheduleOverdue, None, payload.to_string(), at).await
}

/// Tells of a schedule that stopped by itself. `reason` is one of `told::STOPPED`: nobody is named to endpoints.
pub(crate) async fn tell_stopped(
    tx: &mut Tx,
    schedule: &Schedule,
    reason: &str,
    at: Timestamp,
) -> Result<(), StoreError> {
    let tenant = schedule.tenant_id;
    let payload = json!({
        "schedule": { "id": schedule.id, "name": schedule.name, "reason": reason },
        "path": format!("/t/{tenant}/schedules"),
    });
    tell(tx, tenant, EventKind::ScheduleStopped, None, payload.to_string(), at).await
}

async fn tell(
    tx: &mut Tx,
    tenant: TenantId,
    kind: EventKind,
    run_id: Option<OperationRunId>,
    payload: String,
    at: Timestamp,
) -> Result<(), StoreError> {
    let event = Event { kind, run_id, run: None, payload };
    deliveries::enqueue(tx, tenant, &event, at).await.map(|_| ())
}
