//! When the names of settings are read without anybody asking for it (`docs/rules.md`, section Names of settings).

use serde_json::json;
use tenantatlas_commands::Actor;
use tenantatlas_domain::ids::TenantId;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_runs::{DueClaim, DueWork, Operation as _, Started};
use tenantatlas_store::{StoreError, Tx, operation_runs, setting_catalog};

use super::RefreshSettingCatalog;
use super::collection::COLLECTIONS;
use crate::engine::Core;
use crate::error::EngineError;

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;
/// After all names were read, at least so long none is read by itself.
const AFTER_ALL: i64 = DAY;
/// After a reading that did not read all, and twice as long after each further one.
const AFTER_FAILURE: i64 = HOUR;
/// The longest pause.
const LONGEST: i64 = 7 * DAY;
/// Names that are older are read again, where something was captured since.
const OLD: i64 = 7 * DAY;
/// Tenants through which it is tried, one after the other.
const TENANTS: u32 = 20;

fn later(at: Timestamp, millis: i64) -> Timestamp {
    Timestamp::from_millis(at.as_millis().saturating_add(millis))
}

/// How long the next reading waits where this one, after so many others, comes to nothing.
fn pause(attempts: u32) -> i64 {
    AFTER_FAILURE.saturating_mul(1 << attempts.min(20)).min(LONGEST)
}

/// Starts a reading of the names of settings where one is wanted: a policy has a definition that is not known and that no reading has
/// looked for, or all were last read long ago and something was captured since.
pub(crate) async fn read_by_itself(core: &Core) -> Result<(), EngineError> {
    let (db, now) = (&core.reader, core.commands.clock.now());
    let due = setting_catalog::reading_due(db).await?;
    if due.due_at > now || core.commands.stopping.is_cancelled() {
        return Ok(());
    }
    let has_unknown = setting_catalog::has_unknown(db).await?;
    let captured_after = match due.completed_at.filter(|_| !has_unknown) {
        None => Timestamp::from_millis(0),
        Some(at) if later(at, OLD) <= now => at,
        Some(_) => return Ok(()),
    };
    let tenants = setting_catalog::tenants_to_ask(db, captured_after, TENANTS).await?;
    // After a failure through another one.
    let Some(tenant) = tenants.get(due.attempts as usize % tenants.len().max(1)) else { return Ok(()) };
    let kind = RefreshSettingCatalog::KIND;
    if operation_runs::is_active_anywhere(db, kind.resource, kind.action).await? {
        return Ok(());
    }
    start(core, *tenant, DueClaim::SettingNames(due.due_at, later(now, pause(due.attempts)))).await;
    Ok(())
}

async fn start(core: &Core, tenant: TenantId, claim: DueClaim) {
    let kind = RefreshSettingCatalog::KIND;
    let work = DueWork {
        tenant,
        resource: kind.resource.to_owned(),
        action: kind.action.to_owned(),
        payload: json!({}),
        follow_ups: Vec::new(),
        owner: Actor::system(),
        initiator: Actor::system().name,
        claim,
        last: None,
    };
    match core.runner.dispatch_due(work).await {
        Ok(Started::Run(_) | Started::TakenAlready) => {}
        Err(error) => tracing::warn!(%error, %tenant, "the reading of the names of settings could not be started"),
    }
}

/// Notes that a reading has come to its end which began at a moment, whoever asked for it. One through a cloud that lacks a collection
/// which others have has not read all.
pub(super) async fn completed(tx: &mut Tx, began: Timestamp, at: Timestamp) -> Result<(), StoreError> {
    for collection in COLLECTIONS.iter().filter(|collection| collection.required) {
        let read = setting_catalog::last_reading(&mut *tx, collection.name).await?;
        if read.is_none_or(|read| read.read_at < began) {
            return Ok(());
        }
    }
    setting_catalog::complete_reading(tx, began, at, later(at, AFTER_ALL)).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_grows_with_each_failure_and_ends_growing() {
        assert_eq!((pause(0), pause(1), pause(5)), (HOUR, 2 * HOUR, 32 * HOUR));
        assert_eq!((pause(8), pause(63), pause(64), pause(u32::MAX)), (LONGEST, LONGEST, LONGEST, LONGEST));
    }
}
