//! `inventory.sync`: reads a tenant through Microsoft Graph (`docs/rules.md`, section Inventory sync).
//!
//! Readers ([`reading`], [`page`]) take pages from Graph, several listings at a time; what they saw is
//! computed off the threads that wait ([`observed`]); one writer ([`writer`]) commits it in batches. All three overlap,
//! and the bytes between them are bounded.

mod config;
mod dispatch;
mod names;
mod observed;
mod page;
mod payload;
mod reading;
mod tally;
mod vanished;
mod work;
mod writer;

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tenantatlas_commands::{Clock, CommandError};
use tenantatlas_domain::ids::SyncRunId;
use tenantatlas_domain::live::RunWords;
use tenantatlas_domain::reason::ReasonCode;
use tenantatlas_domain::registry::registry;
use tenantatlas_domain::role::Action;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_graph::GraphClient;
use tenantatlas_runs::{ITEMS_OBSERVED, Operation, OperationKind, RetryPart, RunContext, Stop, Summary, Work};
use tenantatlas_store::operation_runs::{End, Limits, NewOperationRun, OperationRun};
use tenantatlas_store::sync_runs::{self, Continuation, NewSyncRun, Started, SyncRun};
use tenantatlas_store::{Db, StoreError, Tx, Vault, preferences, with_retries};
use tokio::sync::Semaphore;
use tokio::time::Instant;
use uuid::Uuid;

pub use config::SyncConfig;
pub use dispatch::DispatchOutcome;
pub use payload::SyncPayload;

/// How often a held lock is asked for again.
const LOCK_PAUSE: Duration = Duration::from_millis(250);

/// What every sync of a process stands on.
pub(crate) struct Sources {
    pub db: Db,
    pub vault: Vault,
    pub graph: GraphClient,
    pub clock: Arc<dyn Clock>,
    pub config: SyncConfig,
    /// Computing tasks of the process.
    pub processors: Arc<Semaphore>,
    /// Bulk transactions: one at a time on SQLite, so that whoever dispatches waits for one of them at most.
    pub bulk: Semaphore,
}

/// The inventory sync.
pub struct InventorySync {
    sources: Arc<Sources>,
}

impl InventorySync {
    /// The inventory sync of a process.
    pub(crate) fn new(db: Db, vault: Vault, graph: GraphClient, clock: Arc<dyn Clock>, config: SyncConfig) -> Self {
        let processors = std::thread::available_parallelism().map_or(2, usize::from);
        // SQLite has one writer; on PostgreSQL a few do not stand in each other's way.
        let bulk_writers = if db.backend() == tenantatlas_store::Backend::Sqlite { 1 } else { 4 };
        let processors = Arc::new(Semaphore::new(processors));
        let bulk = Semaphore::new(bulk_writers);
        Self { sources: Arc::new(Sources { db, vault, graph, clock, config, processors, bulk }) }
    }
}

impl Operation for InventorySync {
    const KIND: OperationKind = OperationKind { resource: "inventory", action: "sync" };
    const PERMISSION: Action = Action::Sync;
    type Payload = SyncPayload;

    fn words() -> RunWords {
        RunWords::of("Inventory sync", ("type", "types"), ("reading", "read"), ("item", "items"))
    }

    fn name(payload: &SyncPayload) -> String {
        match payload.continuation.as_ref().map(|continuation| continuation.reads.as_slice()) {
            None => payload.selection.name(),
            Some([one]) => format!("Retry of {}", label_of(one)),
            Some(reads) => format!("Retry of {} types", reads.len()),
        }
    }

    fn limits(&self) -> Limits {
        self.sources.config.limits
    }

    fn units(&self, payload: &SyncPayload) -> Vec<String> {
        match &payload.continuation {
            Some(continuation) => continuation.reads.clone(),
            None => planned(payload),
        }
    }

    fn unit_label(&self, unit: &str) -> String {
        label_of(unit)
    }

    fn idempotency_key(&self, payload: &SyncPayload) -> String {
        payload.selection_hash.to_string()
    }

    fn facts(&self, payload: &SyncPayload) -> Summary {
        object(json!({
            "selection": payload.selection,
            "selection_hash": payload.selection_hash,
            "types": self.units(payload).len(),
            "continues": payload.continuation.as_ref().map(|continuation| continuation.run),
        }))
    }

    async fn dispatched(
        &self,
        tx: &mut Tx,
        new: &NewOperationRun,
        payload: &SyncPayload,
        _at: Timestamp,
    ) -> Result<(), StoreError> {
        match new.user_id {
            // What is tried again or follows was not chosen anew.
            Some(user) if new.retry_of.is_none() && new.follows.is_none() => {
                preferences::record_selection(tx, user, new.tenant_id, &payload.selection).await
            }
            _ => Ok(()),
        }
    }

    async fn retry(
        &self,
        db: &Db,
        run: &OperationRun,
        payload: SyncPayload,
        part: RetryPart,
    ) -> Result<Option<SyncPayload>, CommandError> {
        // Types may have gone since then.
        let resolved = payload.selection.resolve().map_err(|error| CommandError::Conflict(error.to_string()))?;
        let whole = SyncPayload::new(&resolved);
        let continued = match part {
            RetryPart::Whole => None,
            RetryPart::Failed => sync_runs::find_by_operation(db, run.tenant_id, run.id).await?,
        };
        // What never began has nothing to be continued. Nor has another selection: what a run of it read tells of it alone.
        let Some(continued) = continued.filter(|continued| continued.selection_hash == whole.selection_hash) else {
            return Ok(Some(whole));
        };
        let reads = sync_runs::unread_since(db, &continued, planned(&whole)).await?;
        let continuation = Continuation { run: continued.id, reads };
        let is_left = !continuation.reads.is_empty();
        Ok(Some(SyncPayload { continuation: Some(continuation), ..whole }).filter(|_| is_left))
    }

    async fn plan(&self, run: Arc<RunContext>, payload: SyncPayload) -> Result<Box<dyn Work>, Stop> {
        let operation_run = run.run();
        let sync_run = self.take_lock(&run, &operation_run, &payload).await?;
        let sources = Arc::clone(&self.sources);
        let work = work::SyncWork::begin(sources, run, &operation_run, sync_run, &payload).await?;
        Ok(Box::new(work))
    }

    async fn close(
        &self,
        tx: &mut Tx,
        run: &OperationRun,
        payload: Option<SyncPayload>,
        end: &End,
        at: Timestamp,
    ) -> Result<Summary, StoreError> {
        let reason = end.reason_code.unwrap_or(ReasonCode::Internal);
        if let Some(closed) = sync_runs::abandon(tx, run.id, reason, at).await? {
            return Ok(summary(&closed));
        }
        let never_started = matches!(reason, ReasonCode::LockHeld | ReasonCode::ConcurrencyLimit);
        match payload {
            Some(payload) if never_started => {
                let new = new_run(run, &payload);
                Ok(summary(&sync_runs::record_skipped(tx, run.id, &new, reason, at).await?))
            }
            _ => Ok(Summary::new()),
        }
    }
}

/// The name of a type for people.
fn label_of(key: &str) -> String {
    registry().get(key).map_or_else(|| tenantatlas_domain::live::humanise(key), |known| known.label.to_owned())
}

/// The types of a selection, by key.
fn planned(payload: &SyncPayload) -> Vec<String> {
    payload.selection.resolve().map_or_else(
        |_| Vec::new(),
        |resolved| resolved.plan.iter().map(|policy_type| policy_type.key.to_owned()).collect(),
    )
}

fn new_run(run: &OperationRun, payload: &SyncPayload) -> NewSyncRun {
    NewSyncRun {
        id: SyncRunId::from_uuid(Uuid::now_v7()),
        tenant_id: run.tenant_id,
        user_id: run.user_id,
        selection: payload.selection.clone(),
        selection_hash: payload.selection_hash.clone(),
        correlation_id: run.correlation_id,
        continuation: payload.continuation.clone(),
    }
}

impl InventorySync {
    /// Takes the lock of (tenant, selection) by starting the sync run, waiting a bounded time for whoever holds it.
    async fn take_lock(
        &self,
        context: &RunContext,
        run: &OperationRun,
        payload: &SyncPayload,
    ) -> Result<SyncRun, Stop> {
        let give_up = Instant::now() + self.sources.config.lock_wait;
        loop {
            let started = with_retries(StoreError::is_transient, || async {
                let mut tx = context.db().write().await?;
                let started = sync_runs::start(&mut tx, context.fence(), &new_run(run, payload), context.now()).await?;
                match started {
                    Started::New(_) | Started::Resumed(_) => tx.commit().await?,
                    Started::LockHeld(_) => tx.rollback().await?,
                }
                Ok(started)
            });
            match started.await? {
                Started::New(sync_run) | Started::Resumed(sync_run) => return Ok(sync_run),
                Started::LockHeld(_) => {}
            }
            if Instant::now() >= give_up {
                return Err(Stop::aborted(ReasonCode::LockHeld));
            }
            tokio::time::sleep(LOCK_PAUSE).await;
        }
    }
}

/// What the terminal records say about a sync run.
fn summary(run: &SyncRun) -> Summary {
    object(json!({
        "sync_run_id": run.id,
        "sync_status": run.status,
        "selection_hash": run.selection_hash,
        ITEMS_OBSERVED: run.items_observed_count,
        "items_upserted": run.items_upserted_count,
        "errors": run.errors_count,
        "error_codes": run.error_codes,
    }))
}

fn object(facts: Value) -> Summary {
    match facts {
        Value::Object(facts) => facts,
        _ => Summary::new(),
    }
}
