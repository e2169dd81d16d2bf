//! What the product starts daily by itself: the pruning of each tenant.

use serde_json::json;
use tenantatlas_commands::Actor;
use tenantatlas_runs::{DueClaim, DueWork, Operation as _, Started};
use tenantatlas_store::retention;

use super::commands::offset;
use super::scheduler::later;
use crate::engine::Core;
use crate::error::EngineError;
use crate::retention::PruneTenant;

/// Tenants that are looked at in one go.
const AT_ONCE: u32 = 20;
const DAY: i64 = 24 * 3_600_000;
const MINUTES_OF_DAY: u32 = 24 * 60;

/// Starts the pruning of tenants that are due. Each has its own time of the day, so that they do not wait for each other.
pub(super) async fn prune(core: &Core) -> Result<(), EngineError> {
    let now = core.commands.clock.now();
    let new = retention::without_due(&core.reader, AT_ONCE).await?;
    if !new.is_empty() {
        let mut tx = core.commands.db.write().await?;
        for tenant in new {
            retention::set_first_due(&mut tx, tenant, later(now, offset(tenant, "retention", MINUTES_OF_DAY))).await?;
        }
        tx.commit().await?;
    }
    for due in retention::due(&core.reader, now, AT_ONCE).await? {
        if core.commands.stopping.is_cancelled() {
            return Ok(());
        }
        // One for all days that were missed, at the same time of the day.
        let missed = now.as_millis().saturating_sub(due.due_at.as_millis()) / DAY;
        let work = DueWork {
            tenant: due.tenant_id,
            resource: PruneTenant::KIND.resource.to_owned(),
            action: PruneTenant::KIND.action.to_owned(),
            payload: json!({}),
            follow_ups: Vec::new(),
            owner: Actor::system(),
            initiator: Actor::system().name,
            claim: DueClaim::Retention(due, later(due.due_at, (missed + 1) * DAY)),
            last: None,
        };
        match core.runner.dispatch_due(work).await {
            Ok(Started::Run(_) | Started::TakenAlready) => {}
            Err(error) => tracing::warn!(%error, tenant = %due.tenant_id, "the pruning could not be started"),
        }
    }
    Ok(())
}
