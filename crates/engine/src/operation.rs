//! What a long operation is: plan the items, do them, finish.
//!
//! The runner (claim, lease, counters, cancel, terminal audit and notification) is the same for all operations. A new
//! long operation is one new file that implements [`Operation`] and [`Work`], and a line where operations are listed.

use std::sync::Arc;

use futures::future::BoxFuture;
use serde_json::{Map, Value};
use tenantatlas_domain::operation::OperationStatus;
use tenantatlas_domain::reason::ReasonCode;
use tenantatlas_domain::sanitise;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_store::operation_runs::{End, OperationRun, Rest};
use tenantatlas_store::{StoreError, Tx};

use crate::run_context::RunContext;

/// A kind of long operation.
pub trait Operation: Send + Sync + 'static {
    /// What it works on, as stored with the run: `inventory`.
    fn resource(&self) -> &'static str;

    /// What it does: `sync`.
    fn action(&self) -> &'static str;

    /// Prepares the work of a claimed run: takes locks, finds out what an earlier attempt has done, lists the units.
    fn plan<'a>(&'a self, run: &'a Arc<RunContext>) -> BoxFuture<'a, Result<Box<dyn Work>, Stop>>;

    /// Ends the operation's own records of a run that ends without work being done: it never got its turn, it was
    /// cancelled while no worker had it, or its workers were lost. Part of the transaction that ends the run.
    fn close<'a>(
        &'a self,
        tx: &'a mut Tx,
        run: &'a OperationRun,
        end: &'a End,
        at: Timestamp,
    ) -> BoxFuture<'a, Result<Summary, StoreError>>;
}

/// The work of one attempt.
pub trait Work: Send + Sync {
    /// How many units there are. A unit is what is done in one go; it may settle several of the run's items.
    fn units(&self) -> usize;

    /// How many units are worked on at the same time.
    fn concurrency(&self) -> usize;

    /// Does one unit and settles its items through the run context. An error stops the whole run.
    fn perform(&self, unit: usize) -> BoxFuture<'_, Result<(), Stop>>;

    /// Waits until everything that was performed is recorded, and does what comes last. Called once, whether all units
    /// were done (`stopped` is `None`) or the run stops early.
    fn drain<'a>(&'a self, stopped: Option<&'a Stop>) -> BoxFuture<'a, Result<(), Stop>>;

    /// Ends the operation's own records. Part of the transaction that ends the run.
    fn finish<'a>(&'a self, tx: &'a mut Tx, end: &'a End, at: Timestamp) -> BoxFuture<'a, Result<Summary, StoreError>>;
}

/// What an operation adds to the terminal audit event and notification of its run: safe, allow-listed facts.
pub type Summary = Map<String, Value>;

/// Why a run does not go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Stop {
    /// The lease is gone: another worker may have the run, so nothing more may be written.
    #[error("the lease of the run was lost")]
    LeaseLost,
    /// The process is stopping: the lease is given back and another worker goes on.
    #[error("the process is stopping")]
    Shutdown,
    /// A person cancelled it.
    #[error("the run was cancelled")]
    Cancelled,
    /// It ends `aborted` with every open item skipped for this reason (lock held, limit reached).
    #[error("{reason}")]
    Aborted {
        /// The stable code.
        code: ReasonCode,
        /// A sentence for the person.
        reason: String,
    },
    /// It ends `failed`, with every open item failed for this reason.
    #[error("{reason}")]
    Failed {
        /// The stable code.
        code: ReasonCode,
        /// A sentence for the person, sanitised.
        reason: String,
    },
}

impl Stop {
    /// The run cannot go on for a reason that is a fault.
    pub fn failed(code: ReasonCode, reason: impl AsRef<str>) -> Self {
        Self::Failed { code, reason: sanitise::redact(reason.as_ref()) }
    }

    /// The run does not get its turn.
    #[must_use]
    pub fn aborted(code: ReasonCode) -> Self {
        Self::Aborted { code, reason: code.sentence().to_owned() }
    }

    /// Whether the run goes on elsewhere: then this attempt writes no end.
    #[must_use]
    pub fn continues_elsewhere(&self) -> bool {
        matches!(self, Self::LeaseLost | Self::Shutdown)
    }

    /// The end of a run that stops like this; `None` when it goes on elsewhere.
    #[must_use]
    pub fn end(&self) -> Option<End> {
        let (status, code, reason, rest) = match self {
            Self::LeaseLost | Self::Shutdown => return None,
            Self::Cancelled => {
                let sentence = ReasonCode::Cancelled.sentence().to_owned();
                (OperationStatus::Aborted, ReasonCode::Cancelled, sentence, Rest::Skipped)
            }
            Self::Aborted { code, reason } => (OperationStatus::Aborted, *code, reason.clone(), Rest::Skipped),
            Self::Failed { code, reason } => (OperationStatus::Failed, *code, reason.clone(), Rest::Failed),
        };
        Some(End { status, reason_code: Some(code), reason, rest })
    }
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::LeaseLost => Self::LeaseLost,
            error => {
                tracing::error!(%error, "the database refused a write of a run");
                Self::failed(error.reason(), error.to_string())
            }
        }
    }
}
