//! What an attempt at a run has in hand: the run, the right to write for it, and the way to be stopped.

use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use tenantatlas_domain::time::Timestamp;
use tenantatlas_store::operation_runs::{self, Fence, OperationRun, Settled};
use tenantatlas_store::{Db, StoreError, Tx};
use tokio_util::sync::CancellationToken;

use crate::engine::Core;
use crate::operation::Stop;
use crate::run_state::{CurrentItem, RunState};

/// How far a run is within its items, as stored with it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Objects seen so far.
    #[serde(default)]
    pub items: u64,
    /// What is being worked on now.
    #[serde(default)]
    pub current: Vec<CurrentItem>,
}

/// An attempt at a run.
pub struct RunContext {
    pub(crate) core: Arc<Core>,
    pub(crate) fence: Fence,
    /// Ends everything the attempt does.
    pub(crate) cancellation: CancellationToken,
    stopped: Mutex<Option<Stop>>,
    run: Mutex<OperationRun>,
}

impl RunContext {
    pub(crate) fn new(core: Arc<Core>, run: OperationRun, fence: Fence) -> Self {
        let cancellation = CancellationToken::new();
        Self { core, fence, cancellation, stopped: Mutex::new(None), run: Mutex::new(run) }
    }

    /// The run as last known.
    #[must_use]
    pub fn run(&self) -> OperationRun {
        self.run.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The database.
    #[must_use]
    pub fn db(&self) -> &Db {
        &self.core.db
    }

    /// The time now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.core.clock.now()
    }

    /// The right to write for the run; names it in every write.
    #[must_use]
    pub fn fence(&self) -> &Fence {
        &self.fence
    }

    /// Stops the attempt. The first reason counts.
    pub fn stop(&self, stop: Stop) {
        let mut stopped = self.stopped.lock().unwrap_or_else(PoisonError::into_inner);
        stopped.get_or_insert(stop);
        drop(stopped);
        self.cancellation.cancel();
    }

    /// Why the attempt stops, once it does.
    #[must_use]
    pub fn stopped(&self) -> Option<Stop> {
        self.stopped.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Counts items that ended, in a transaction that may also record what the operation keeps of them. Publish after
    /// the commit with [`RunContext::publish`].
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`], or when the database fails.
    pub async fn settle(&self, tx: &mut Tx, items: &[Settled]) -> Result<OperationRun, StoreError> {
        operation_runs::settle(tx, &self.fence, items, self.now()).await
    }

    /// Stores how far the run is within its items. The caller coalesces; publish after the commit.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`], or when the database fails.
    pub async fn set_progress(&self, tx: &mut Tx, progress: &Progress) -> Result<(), StoreError> {
        let json = serde_json::to_value(progress).unwrap_or_default();
        operation_runs::set_progress(tx, &self.fence, &json, self.now()).await
    }

    /// Publishes the state after a commit: the run as settled (`None`: as last known) with this progress.
    pub fn publish(&self, settled: Option<OperationRun>, progress: &Progress) {
        let state = {
            let mut run = self.run.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(settled) = settled {
                *run = settled;
            }
            run.progress = serde_json::to_value(progress).unwrap_or_default();
            RunState::of(&run)
        };
        self.core.publish_run(&state);
    }
}
