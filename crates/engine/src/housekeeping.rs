//! Housekeeping: forgets what has ended, and deletes what is left of tenants that were removed.

use std::sync::Arc;
use std::time::Duration;

use tenantatlas_domain::time::Timestamp;
use tenantatlas_store::{
    StoreError, api_answers, deliveries, endpoints, known_browsers, one_time_links, pending_certificates,
    pending_sign_ins, retention, second_factors, sessions, sign_in_attempts, tenants,
};
use tokio::time::Instant;

use crate::api_answers::ANSWERS_ARE_KEPT;
use crate::engine::Core;
use crate::expiries;
use crate::second_factor::SET_UP_LASTS;
use crate::setting_search;
use crate::sign_in::{BROWSER_IS_KNOWN, LONGEST_WINDOW};

/// The pause between two pieces of a large deletion.
const BETWEEN_PIECES: Duration = Duration::from_millis(2);
/// What has ended is forgotten so often.
const FORGET_INTERVAL: Duration = Duration::from_secs(600);

/// Deliveries that go in one transaction, at most.
const DELIVERIES_AT_ONCE: u32 = 500;

/// Cleans until the process stops.
pub(crate) async fn clean(core: Arc<Core>) {
    let mut forgotten = None;
    loop {
        if let Err(error) = clean_once(&core, &mut forgotten).await {
            tracing::warn!(%error, "housekeeping failed");
        }
        tokio::select! {
            () = core.commands.stopping.cancelled() => return,
            () = core.clean_now.notified() => {}
            () = tokio::time::sleep(core.config.runs.sweep_interval) => {}
        }
    }
}

async fn clean_once(core: &Core, forgotten: &mut Option<Instant>) -> Result<(), StoreError> {
    if pending_sign_ins::has_ended(&core.commands.db, core.commands.clock.now()).await? {
        tell_of_unfinished_sign_ins(core).await?;
    }
    core.commands.tell_counted_refusals().await?;
    // Last: nobody may wait for a large deletion, nor for one that fails.
    if forgotten.is_none_or(|at| at.elapsed() >= FORGET_INTERVAL) {
        forget_ended(core).await?;
        *forgotten = Some(Instant::now());
        prune_account_notifications(core).await?;
        forget_deliveries(core).await?;
        forget_names_of_settings(core).await?;
        expiries::tell_of_ends(core).await?;
    }
    purge_tenants(core).await?;
    make_searchable(core).await
}

/// Makes settings searchable that are not yet, a few policies at a time, for as long as the next sweep may wait; the rest comes
/// with that.
async fn make_searchable(core: &Core) -> Result<(), StoreError> {
    let began = Instant::now();
    while !core.commands.stopping.is_cancelled() {
        let now = core.commands.clock.now();
        if !setting_search::index_due(&core.commands.db, &core.commands.vault, now).await? {
            return Ok(());
        }
        if began.elapsed() >= core.config.runs.sweep_interval {
            core.clean_now.notify_one();
            return Ok(());
        }
        // Whoever waits for the writer has its turn now.
        tokio::time::sleep(BETWEEN_PIECES).await;
    }
    Ok(())
}

/// Deletes what is left of tenants that were removed, a piece at a time, for as long as the next sweep may wait; the rest
/// comes with that.
async fn purge_tenants(core: &Core) -> Result<(), StoreError> {
    let began = Instant::now();
    while let Some(tenant) = tenants::retired(&core.commands.db).await? {
        loop {
            if core.commands.stopping.is_cancelled() {
                return Ok(());
            }
            if began.elapsed() >= core.config.runs.sweep_interval {
                core.clean_now.notify_one();
                return Ok(());
            }
            let mut tx = core.commands.db.write().await?;
            let more = tenants::purge_piece(&mut tx, tenant).await?;
            tx.commit().await?;
            if !more {
                break;
            }
            // Whoever waits for the writer has its turn now.
            tokio::time::sleep(BETWEEN_PIECES).await;
        }
    }
    Ok(())
}

/// Removes sign-ins whose second step did not come, and tells their people: somebody else may know the password.
async fn tell_of_unfinished_sign_ins(core: &Core) -> Result<(), StoreError> {
    let at = core.commands.clock.now();
    let mut tx = core.commands.db.write().await?;
    let ended = pending_sign_ins::remove_ended(&mut tx, at).await?;
    let told = core.tell_of_unfinished(&mut tx, ended, at).await?;
    tx.commit().await?;
    for user in told {
        core.runner.publish_unread(user).await;
    }
    Ok(())
}

/// Forgets what has ended and is of no use any more: sessions, one-time links, certificates without a tenant, set-ups that nobody
/// finished, failed sign-ins, browsers that were not used for long.
async fn forget_ended(core: &Core) -> Result<(), StoreError> {
    let at = core.commands.clock.now();
    let mut tx = core.commands.db.write().await?;
    sessions::remove_ended(&mut tx, at).await?;
    second_factors::remove_unconfirmed(&mut tx, before(at, SET_UP_LASTS)).await?;
    known_browsers::remove_old(&mut tx, before(at, BROWSER_IS_KNOWN)).await?;
    one_time_links::remove_ended(&mut tx, at).await?;
    pending_certificates::remove_ended(&mut tx, at).await?;
    sign_in_attempts::remove_old(&mut tx, LONGEST_WINDOW, at).await?;
    endpoints::forget_former_secrets(&mut tx, at).await?;
    api_answers::remove_old(&mut tx, before(at, ANSWERS_ARE_KEPT)).await?;
    tx.commit().await
}

/// Forgets what was sent to endpoints, a piece at a time.
async fn forget_deliveries(core: &Core) -> Result<(), StoreError> {
    let days = retention::get(&core.commands.db).await?.delivery_days;
    let kept = Duration::from_secs(u64::from(days) * 24 * 3_600);
    while !core.commands.stopping.is_cancelled() {
        let mut tx = core.commands.db.write().await?;
        let old = before(core.commands.clock.now(), kept);
        let forgotten = deliveries::forget(&mut tx, old, DELIVERIES_AT_ONCE).await?;
        tx.commit().await?;
        if forgotten == 0 {
            return Ok(());
        }
        // Whoever waits for the writer has its turn now.
        tokio::time::sleep(BETWEEN_PIECES).await;
    }
    Ok(())
}

/// Deletes old notifications about people's own accounts; those about a tenant go with its pruning.
async fn prune_account_notifications(core: &Core) -> Result<(), StoreError> {
    let days = retention::get(&core.commands.db).await?.notification_days;
    let kept = Duration::from_secs(u64::from(days) * 24 * 3_600);
    while !core.commands.stopping.is_cancelled() {
        let mut tx = core.commands.db.write().await?;
        let deleted = retention::prune_account_notifications(&mut tx, before(core.commands.clock.now(), kept)).await?;
        tx.commit().await?;
        if deleted == 0 {
            return Ok(());
        }
        // Whoever waits for the writer has its turn now.
        tokio::time::sleep(BETWEEN_PIECES).await;
    }
    Ok(())
}

/// Forgets names of settings that no policy has any more, a piece at a time.
async fn forget_names_of_settings(core: &Core) -> Result<(), StoreError> {
    while !core.commands.stopping.is_cancelled() && setting_search::forget_names(&core.commands.db).await? {
        // Whoever waits for the writer has its turn now.
        tokio::time::sleep(BETWEEN_PIECES).await;
    }
    Ok(())
}

/// The moment that lies so long before another.
fn before(at: Timestamp, length: Duration) -> Timestamp {
    Timestamp::from_millis(at.as_millis().saturating_sub(i64::try_from(length.as_millis()).unwrap_or(i64::MAX)))
}
