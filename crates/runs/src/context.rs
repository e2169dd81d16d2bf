//! What an attempt at a run has in hand: the run, the right to write for it, and the way to be stopped.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tenantatlas_domain::live::{Progress, RunWords};
use tenantatlas_domain::pauses::Pauses;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_store::operation_runs::{self, Fence, OperationRun, Settled};
use tenantatlas_store::{Db, StoreError, Tx};
use tokio_util::sync::CancellationToken;

use crate::live::Live;
use crate::state::state_of;
use crate::stop::Stop;
use crate::working::{Attempt, Working};

/// An attempt at a run.
pub struct RunContext {
    pub(crate) commands: tenantatlas_commands::Commands,
    pub(crate) live: Arc<Live>,
    pub(crate) working: Arc<Working>,
    pub(crate) attempt: Arc<Attempt>,
    pub(crate) words: RunWords,
    pub(crate) fence: Fence,
    pub(crate) run: Mutex<OperationRun>,
    pub(crate) pauses: Mutex<Pauses>,
}

impl RunContext {
    /// The run as last known.
    #[must_use]
    pub fn run(&self) -> OperationRun {
        self.run.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The database.
    #[must_use]
    pub fn db(&self) -> &Db {
        &self.commands.db
    }

    /// The time now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.commands.clock.now()
    }

    /// The right to write for the run; names it in every write.
    #[must_use]
    pub fn fence(&self) -> &Fence {
        &self.fence
    }

    /// Ends everything the attempt does, once it is set.
    #[must_use]
    pub fn cancellation(&self) -> &CancellationToken {
        &self.attempt.cancellation
    }

    /// The cloud lets nothing in for so long from now on. Kept with the run when the attempt ends.
    pub fn paused(&self, length: Duration) {
        let from = self.now();
        let length = i64::try_from(length.as_millis()).unwrap_or(i64::MAX);
        let until = Timestamp::from_millis(from.as_millis().saturating_add(length));
        self.pauses.lock().unwrap_or_else(PoisonError::into_inner).add(from, until);
    }

    /// Stores the pauses so far, in the transaction that ends the attempt.
    pub(crate) async fn store_pauses(&self, tx: &mut Tx) -> Result<(), StoreError> {
        let mut pauses = self.pauses.lock().unwrap_or_else(PoisonError::into_inner).clone();
        pauses.end_at(self.now());
        if pauses.length() == 0 {
            return Ok(());
        }
        operation_runs::set_pauses(tx, &self.fence, &pauses).await
    }

    /// How many runs this process works on, this one included.
    #[must_use]
    pub fn runs_here(&self) -> u64 {
        self.working.count()
    }

    /// Stops the attempt. The first reason counts.
    pub fn stop(&self, stop: Stop) {
        self.attempt.stop(stop);
    }

    /// Why the attempt stops, once it does.
    #[must_use]
    pub fn stopped(&self) -> Option<Stop> {
        self.attempt.stopped()
    }

    /// Counts units that ended, in a transaction that may also record what the operation keeps of them. Publish after the
    /// commit with [`RunContext::publish`].
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`], or when the database fails.
    pub async fn settle(&self, tx: &mut Tx, units: &[Settled]) -> Result<OperationRun, StoreError> {
        operation_runs::settle(tx, &self.fence, units, self.now()).await
    }

    /// The same of the unit with this index, for operations that do one unit after the other. When it has ended already, since
    /// the answer to an earlier commit was lost on its way, or the worker before came so far, nothing is counted.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`], or when the database fails.
    pub async fn settle_unit(&self, tx: &mut Tx, index: usize, unit: Settled) -> Result<OperationRun, StoreError> {
        operation_runs::hold(tx, &self.fence).await?;
        let known = self.run();
        let found = operation_runs::get(&mut *tx, known.tenant_id, known.id).await?;
        let run = found.ok_or(StoreError::LeaseLost)?;
        if run.counters.processed as usize > index {
            return Ok(run);
        }
        self.settle(tx, &[unit]).await
    }

    /// Stores how far the run is within its units. The caller coalesces; publish after the commit.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`], or when the database fails.
    pub async fn set_progress(&self, tx: &mut Tx, progress: &Progress) -> Result<(), StoreError> {
        operation_runs::set_progress(tx, &self.fence, progress, self.now()).await
    }

    /// Publishes the state after a commit: the run as settled (`None`: as last known) with this progress.
    pub fn publish(&self, settled: Option<OperationRun>, progress: &Progress) {
        let committed = settled.as_ref().map(|run| run.updated_at);
        let state = {
            let mut run = self.run.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(settled) = settled {
                *run = settled;
            }
            run.progress.clone_from(progress);
            state_of(&run, self.words.clone())
        };
        self.live.publish_run(&state, committed);
    }
}
