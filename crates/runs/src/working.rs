//! The runs that this process works on.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tenantatlas_domain::ids::OperationRunId;
use tokio_util::sync::CancellationToken;

use crate::stop::Stop;

/// The way to stop one attempt at a run.
#[derive(Debug, Default)]
pub(crate) struct Attempt {
    /// Ends everything the attempt does.
    pub cancellation: CancellationToken,
    stopped: Mutex<Option<Stop>>,
}

impl Attempt {
    /// Stops the attempt. The first reason counts.
    pub(crate) fn stop(&self, stop: Stop) {
        self.stopped.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(stop);
        self.cancellation.cancel();
    }

    /// Why the attempt stops, once it does.
    pub(crate) fn stopped(&self) -> Option<Stop> {
        self.stopped.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The attempts of this process.
#[derive(Debug, Default)]
pub(crate) struct Working {
    attempts: Mutex<HashMap<OperationRunId, Arc<Attempt>>>,
}

impl Working {
    /// Begins an attempt at a run, until what is answered is dropped.
    pub(crate) fn begin(self: &Arc<Self>, run: OperationRunId) -> Begun {
        let attempt = Arc::new(Attempt::default());
        self.lock().insert(run, Arc::clone(&attempt));
        metrics::gauge!("run_workers_busy").increment(1.0);
        Begun { working: Arc::clone(self), run, attempt }
    }

    /// Cancels a run when this process works on it.
    pub(crate) fn cancel(&self, run: OperationRunId) {
        let attempt = self.lock().get(&run).cloned();
        if let Some(attempt) = attempt {
            attempt.stop(Stop::Cancelled);
        }
    }

    /// How many runs this process works on.
    pub(crate) fn count(&self) -> u64 {
        self.lock().len() as u64
    }

    /// Whether this process works on a run.
    pub(crate) fn contains(&self, run: OperationRunId) -> bool {
        self.lock().contains_key(&run)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<OperationRunId, Arc<Attempt>>> {
        self.attempts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An attempt that has begun.
pub(crate) struct Begun {
    working: Arc<Working>,
    run: OperationRunId,
    /// The way to stop it.
    pub attempt: Arc<Attempt>,
}

impl Drop for Begun {
    fn drop(&mut self) {
        let mut attempts = self.working.lock();
        // A process that lost its lease may have claimed the run again: that attempt stays.
        if attempts.get(&self.run).is_some_and(|known| Arc::ptr_eq(known, &self.attempt)) {
            attempts.remove(&self.run);
        }
        metrics::gauge!("run_workers_busy").decrement(1.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_an_attempt_does_not_forget_the_next_one_at_the_same_run() {
        let (working, run) = (Arc::new(Working::default()), OperationRunId::from_uuid(uuid::Uuid::nil()));
        let first = working.begin(run);
        let second = working.begin(run);
        drop(first);
        assert!(working.contains(run));
        working.cancel(run);
        assert!(second.attempt.stopped().is_some());
        drop(second);
        assert_eq!(working.count(), 0);
    }
}
