//! `inventory.sync`: reads a tenant through Microsoft Graph (product rules, section Inventory sync).
//!
//! Readers ([`reading`], [`page`], [`below`]) take pages from Graph, several listings at a time; what they saw is
//! computed off the threads that wait ([`observed`]); one writer ([`writer`]) commits it in batches. All three overlap,
//! and the bytes between them are bounded.

mod below;
mod names;
mod observed;
mod outcome;
mod page;
mod payload;
mod query;
mod reading;
mod work;
mod writer;

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use serde::Deserialize;
use serde_json::json;
use tenantatlas_domain::ids::SyncRunId;
use tenantatlas_domain::reason::ReasonCode;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_store::operation_runs::{End, OperationRun};
use tenantatlas_store::sync_runs::{self, NewSyncRun, Started, SyncRun};
use tenantatlas_store::{StoreError, Tx};
use tokio::time::Instant;
use uuid::Uuid;

use crate::operation::{Operation, Stop, Summary, Work};
use crate::run_context::RunContext;

pub(crate) use outcome::bounded;
pub use payload::SyncPayload;

/// What an inventory sync works on.
pub const RESOURCE: &str = "inventory";
/// What it does there.
pub const ACTION: &str = "sync";

/// How often a held lock is asked for again.
const LOCK_PAUSE: Duration = Duration::from_millis(250);

/// The inventory sync.
pub struct InventorySync;

impl Operation for InventorySync {
    fn resource(&self) -> &'static str {
        RESOURCE
    }

    fn action(&self) -> &'static str {
        ACTION
    }

    fn plan<'a>(&'a self, run: &'a Arc<RunContext>) -> BoxFuture<'a, Result<Box<dyn Work>, Stop>> {
        Box::pin(async move {
            let operation_run = run.run();
            let payload = payload_of(&operation_run)?;
            let sync_run = take_lock(run, &operation_run, &payload).await?;
            let work = work::SyncWork::begin(Arc::clone(run), &operation_run, sync_run, &payload).await?;
            Ok(Box::new(work) as Box<dyn Work>)
        })
    }

    fn close<'a>(
        &'a self,
        tx: &'a mut Tx,
        run: &'a OperationRun,
        end: &'a End,
        at: Timestamp,
    ) -> BoxFuture<'a, Result<Summary, StoreError>> {
        Box::pin(async move {
            let reason = end.reason_code.unwrap_or(ReasonCode::Internal);
            if let Some(closed) = sync_runs::abandon(tx, run.id, reason, at).await? {
                return Ok(summary(&closed));
            }
            let never_started = matches!(reason, ReasonCode::LockHeld | ReasonCode::ConcurrencyLimit);
            match payload_of(run) {
                Ok(payload) if never_started => {
                    let new = new_run(run, &payload);
                    Ok(summary(&sync_runs::record_skipped(tx, run.id, &new, reason, at).await?))
                }
                _ => Ok(Summary::new()),
            }
        })
    }
}

fn payload_of(run: &OperationRun) -> Result<SyncPayload, Stop> {
    SyncPayload::deserialize(&run.payload)
        .map_err(|_| Stop::failed(ReasonCode::Internal, "What the run is to read cannot be understood."))
}

fn new_run(run: &OperationRun, payload: &SyncPayload) -> NewSyncRun {
    NewSyncRun {
        id: SyncRunId::from_uuid(Uuid::now_v7()),
        tenant_id: run.tenant_id,
        user_id: run.user_id,
        selection: payload.selection.clone(),
        selection_hash: payload.selection_hash.clone(),
        correlation_id: run.correlation_id,
    }
}

/// Takes the lock of (tenant, selection) by starting the sync run, waiting a bounded time for whoever holds it.
async fn take_lock(context: &RunContext, run: &OperationRun, payload: &SyncPayload) -> Result<SyncRun, Stop> {
    let give_up = Instant::now() + context.core.config.lock_wait;
    loop {
        let mut tx = context.core.db.write().await?;
        let started = sync_runs::start(&mut tx, &context.fence, &new_run(run, payload), context.now()).await?;
        match started {
            Started::New(sync_run) | Started::Resumed(sync_run) => {
                tx.commit().await?;
                return Ok(sync_run);
            }
            Started::LockHeld(_) => tx.rollback().await?,
        }
        if Instant::now() >= give_up {
            return Err(Stop::aborted(ReasonCode::LockHeld));
        }
        tokio::time::sleep(LOCK_PAUSE).await;
    }
}

/// What the terminal records say about a sync run.
fn summary(run: &SyncRun) -> Summary {
    let facts = json!({
        "sync_run_id": run.id,
        "sync_status": run.status,
        "selection_hash": run.selection_hash,
        "items_observed": run.items_observed_count,
        "items_upserted": run.items_upserted_count,
        "errors": run.errors_count,
        "error_codes": run.error_codes,
    });
    facts.as_object().cloned().unwrap_or_default()
}
