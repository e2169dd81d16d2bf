//! One attempt at pruning a tenant: one kind of records after the other. What is deleted stays deleted, so an attempt that takes over
//! goes on where it is.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::future::BoxFuture;
use serde_json::json;
use tenantatlas_domain::ids::SyncRunId;
use tenantatlas_domain::live::Progress;
use tenantatlas_domain::operation::ItemOutcome;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_runs::{ITEMS_OBSERVED, RunContext, Stop, Summary, Work};
use tenantatlas_store::operation_runs::{End, Settled, UnitTime, hold, keep_times};
use tenantatlas_store::retention::{self, Retention};
use tenantatlas_store::{StoreError, Tx, policies, with_retries};

/// The kinds of records, with their words.
pub(super) const UNITS: [(&str, &str); 5] = [
    ("runs", "Runs that have ended"),
    ("syncs", "Sync runs on which nothing stands"),
    ("notifications", "Notifications"),
    ("versions", "Versions of policies"),
    ("parts", "Parts of bodies that no version needs"),
];
/// The pause after each piece: whoever waits for the writer has its turn.
const BETWEEN_PIECES: Duration = Duration::from_millis(20);
/// Versions that go in one transaction, at most.
const VERSIONS_AT_ONCE: u32 = 100;
/// Sync runs that go in one transaction, at most: each has a row for every type.
const SYNCS_AT_ONCE: usize = 3;
const DAY: i64 = 24 * 3_600_000;

pub(super) fn label_of(unit: &str) -> String {
    UNITS.iter().find(|(known, _)| *known == unit).map_or(unit, |(_, words)| words).to_owned()
}

pub(super) struct PruneWork {
    context: Arc<RunContext>,
    kept: Retention,
    /// Sync runs that were found and are still to go.
    syncs: Mutex<Vec<SyncRunId>>,
    /// What this attempt deleted, of each of [`UNITS`].
    deleted: [AtomicU64; UNITS.len()],
}

impl PruneWork {
    pub(super) async fn begin(context: Arc<RunContext>) -> Result<Self, Stop> {
        let kept = retention::get(context.db()).await?;
        Ok(Self { context, kept, syncs: Mutex::default(), deleted: Default::default() })
    }

    async fn prune_all(&self) -> Result<(), Stop> {
        let run = self.context.run();
        let done = run.counters.processed as usize;
        for (position, unit) in run.item_ids.iter().enumerate().skip(done) {
            let began = self.context.now();
            while self.prune(unit).await? > 0 {
                tokio::select! {
                    () = self.context.cancellation().cancelled() => return Err(self.context.stopped().unwrap_or(Stop::Shutdown)),
                    () = tokio::time::sleep(BETWEEN_PIECES) => {}
                }
            }
            self.settle(position, unit, began).await?;
        }
        Ok(())
    }

    /// Deletes the next piece of one kind; answers how much that was, 0 when there is no more.
    async fn prune(&self, unit: &str) -> Result<u64, Stop> {
        let (tenant, now) = (self.context.run().tenant_id, self.context.now());
        let before = |days: u32| Timestamp::from_millis(now.as_millis().saturating_sub(i64::from(days) * DAY));
        // Found without holding the writer.
        let syncs = if unit == "syncs" { self.next_syncs(before(self.kept.run_days)).await? } else { Vec::new() };
        let deleted = with_retries(StoreError::is_transient, || async {
            let mut tx = self.context.db().write().await?;
            hold(&mut tx, self.context.fence()).await?;
            let deleted = match unit {
                "runs" => retention::prune_runs(&mut tx, tenant, before(self.kept.run_days)).await?,
                "syncs" => retention::remove_sync_runs(&mut tx, tenant, &syncs).await?,
                "notifications" => {
                    retention::prune_notifications(&mut tx, tenant, before(self.kept.notification_days)).await?
                }
                "versions" => {
                    let before = before(self.kept.version_days);
                    policies::remove_versions(&mut tx, tenant, before, VERSIONS_AT_ONCE, now).await?
                }
                "parts" => policies::sweep_blobs(&mut tx, tenant, now).await?,
                _ => 0,
            };
            tx.commit().await?;
            Ok(deleted)
        })
        .await?;
        let index = UNITS.iter().position(|(known, _)| *known == unit);
        if let Some(counted) = index.and_then(|index| self.deleted.get(index)) {
            counted.fetch_add(deleted, Ordering::Relaxed);
        }
        Ok(deleted.max(syncs.len() as u64))
    }

    /// The next sync runs that are to go in one transaction; none when there are no more.
    async fn next_syncs(&self, before: Timestamp) -> Result<Vec<SyncRunId>, Stop> {
        let take = |found: &mut Vec<SyncRunId>| found.split_off(found.len().saturating_sub(SYNCS_AT_ONCE));
        let next = take(&mut self.syncs.lock().unwrap_or_else(PoisonError::into_inner));
        if !next.is_empty() {
            return Ok(next);
        }
        let mut found = retention::sync_runs_to_prune(self.context.db(), self.context.run().tenant_id, before).await?;
        let next = take(&mut found);
        *self.syncs.lock().unwrap_or_else(PoisonError::into_inner) = found;
        Ok(next)
    }

    fn all_deleted(&self) -> u64 {
        self.deleted.iter().map(|count| count.load(Ordering::Relaxed)).sum()
    }

    /// Counts the kind with this index as done.
    async fn settle(&self, index: usize, unit: &str, started_at: Timestamp) -> Result<(), Stop> {
        let time = UnitTime { unit: unit.to_owned(), started_at, finished_at: self.context.now() };
        let settled = Settled { outcome: ItemOutcome::Succeeded, failure: None };
        let progress = Progress { items: self.all_deleted(), current: Vec::new() };
        let run = with_retries(StoreError::is_transient, || async {
            let mut tx = self.context.db().write().await?;
            let run = self.context.settle_unit(&mut tx, index, settled.clone()).await?;
            keep_times(&mut tx, self.context.fence(), std::slice::from_ref(&time)).await?;
            tx.commit().await?;
            Ok(run)
        })
        .await?;
        self.context.publish(Some(run), &progress);
        Ok(())
    }
}

impl Work for PruneWork {
    fn portions(&self) -> usize {
        1
    }

    fn concurrency(&self) -> usize {
        1
    }

    fn perform(&self, _portion: usize) -> BoxFuture<'_, Result<(), Stop>> {
        Box::pin(self.prune_all())
    }

    fn finish<'a>(
        &'a self,
        _tx: &'a mut Tx,
        _end: &'a End,
        _at: Timestamp,
    ) -> BoxFuture<'a, Result<Summary, StoreError>> {
        let counts = UNITS.iter().zip(&self.deleted);
        let counts = counts.map(|((unit, _), count)| ((*unit).to_owned(), json!(count.load(Ordering::Relaxed))));
        let removed = serde_json::Value::Object(counts.collect());
        let deleted = self.all_deleted();
        Box::pin(async move {
            Ok(Summary::from_iter([(ITEMS_OBSERVED.to_owned(), json!(deleted)), ("removed".to_owned(), removed)]))
        })
    }
}
