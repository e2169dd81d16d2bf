//! What a long operation is: plan the units, do them, finish.
//!
//! The runner (dispatch, claim, lease, counters, cancel, retry, follow-ups, terminal audit and notification) is the same for
//! all operations and knows none. A new one is a module of its own that implements [`Operation`] and [`Work`], and a line where
//! operations are listed.

use std::fmt;
use std::sync::Arc;

use futures::future::BoxFuture;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use tenantatlas_commands::CommandError;
use tenantatlas_domain::live::{RunWords, humanise};
use tenantatlas_domain::operation::OperationStatus;
use tenantatlas_domain::role::Action;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_store::operation_runs::{End, Limits, NewOperationRun, OperationRun};
use tenantatlas_store::{Db, StoreError, Tx};

use crate::context::RunContext;
use crate::stop::Stop;

/// What an operation adds to the audit events and notifications of its runs: safe, allow-listed facts.
pub type Summary = Map<String, Value>;

/// The name of an operation, as stored with its runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct OperationKind {
    /// What it works on: `inventory`.
    pub resource: &'static str,
    /// What it does: `sync`.
    pub action: &'static str,
}

impl fmt::Display for OperationKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}", self.resource, self.action)
    }
}

/// What of an ended run is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryPart {
    /// All of it.
    Whole,
    /// What failed, and what it never came to.
    Failed,
}

/// A kind of long operation.
pub trait Operation: Send + Sync + 'static {
    /// Its name.
    const KIND: OperationKind;
    /// What a person must be allowed to do in the tenant to start it, and to try it again.
    const PERMISSION: Action;
    /// Whether its runs that follow another one tell of themselves only when they have news: nobody asked for them by name. They
    /// say that they have none by the fact [`crate::QUIET`]. A fault is news.
    const QUIET_AFTER_ANOTHER: bool = false;
    /// Whether those who work in the tenant are told of the end of a run that a schedule or a token started, where it has news: nobody
    /// asked for it who would be told. It says that it has some by the fact [`crate::QUIET`].
    const NEWS_FOR_MEMBERS: bool = false;
    /// Whether its runs follow another one also when that succeeded in part: what they do tells itself what is lacking.
    const FOLLOWS_PARTIAL: bool = false;
    /// What a run carries; no secrets. Stored as JSON and read back, maybe by a later version of the program.
    type Payload: Serialize + DeserializeOwned + Send + Sync;

    /// The words for it, and for its runs as far as they have no names of their own.
    fn words() -> RunWords;

    /// What a run is called, short and without its tenant, so that people tell it from other runs of the operation.
    fn name(_payload: &Self::Payload) -> String {
        Self::words().name
    }

    /// How many of its runs may be worked on at the same time, over all processes.
    fn limits(&self) -> Limits;

    /// The stable ids of the units of a run. Their number is the total that the counters count to.
    fn units(&self, payload: &Self::Payload) -> Vec<String>;

    /// The name of a unit for people.
    fn unit_label(&self, unit: &str) -> String {
        humanise(unit)
    }

    /// Two runs with the same key do the same: only one of them may be active in a tenant.
    fn idempotency_key(&self, payload: &Self::Payload) -> String;

    /// What the audit log says of a dispatch besides what it says of any.
    fn facts(&self, _payload: &Self::Payload) -> Summary {
        Summary::new()
    }

    /// Writes what belongs to a dispatch into its transaction, such as what the person chose. Called as well when the same
    /// work is active already.
    ///
    /// # Errors
    /// When the database fails; nothing is dispatched then.
    fn dispatched(
        &self,
        _tx: &mut Tx,
        _new: &NewOperationRun,
        _payload: &Self::Payload,
        _at: Timestamp,
    ) -> impl Future<Output = Result<(), StoreError>> + Send {
        async { Ok(()) }
    }

    /// What a run carries that tries an ended one again; `None` when there is nothing to do, because nothing failed.
    ///
    /// # Errors
    /// When it cannot be tried again any more, and when the database fails.
    fn retry(
        &self,
        _db: &Db,
        run: &OperationRun,
        payload: Self::Payload,
        part: RetryPart,
    ) -> impl Future<Output = Result<Option<Self::Payload>, CommandError>> + Send {
        let counters = run.counters;
        let all_done = counters.succeeded + counters.skipped == counters.total;
        async move { Ok(Some(payload).filter(|_| part == RetryPart::Whole || !all_done)) }
    }

    /// Prepares the work of a claimed run: takes locks, finds out what an earlier attempt has done, lists the units.
    ///
    /// # Errors
    /// Why the run does not go on.
    fn plan(
        &self,
        run: Arc<RunContext>,
        payload: Self::Payload,
    ) -> impl Future<Output = Result<Box<dyn Work>, Stop>> + Send;

    /// Ends the operation's own records of a run that ends without work being done: it never got its turn, it was
    /// cancelled while no worker had it, or its workers were lost. Part of the transaction that ends the run.
    ///
    /// # Errors
    /// When the database fails.
    fn close(
        &self,
        _tx: &mut Tx,
        _run: &OperationRun,
        _payload: Option<Self::Payload>,
        _end: &End,
        _at: Timestamp,
    ) -> impl Future<Output = Result<Summary, StoreError>> + Send {
        async { Ok(Summary::new()) }
    }

    /// Whether an end is good enough for what is to follow.
    fn ended_well(&self, status: OperationStatus) -> bool {
        status == OperationStatus::Completed
    }
}

/// The words for a run of an operation, with its name; `None` for a run of another one. It needs no operation at work, so
/// that whoever only reads runs can name them.
#[must_use]
pub fn words_of<O: Operation>(run: &OperationRun) -> Option<RunWords> {
    if (run.resource.as_str(), run.action.as_str()) != (O::KIND.resource, O::KIND.action) {
        return None;
    }
    // The payload of another version says nothing: the run is called by its operation.
    let payload = serde_json::from_value::<O::Payload>(run.payload.clone()).ok();
    let words = O::words();
    Some(match payload {
        Some(payload) => words.named(O::name(&payload)),
        None => words,
    })
}

/// The work of one attempt.
pub trait Work: Send + Sync {
    /// How many portions there are. A portion is what is done in one go; it may settle several of the run's units.
    fn portions(&self) -> usize;

    /// How many portions are worked on at the same time.
    fn concurrency(&self) -> usize;

    /// Does one portion and settles its units through the run context. An error stops the whole run.
    fn perform(&self, portion: usize) -> BoxFuture<'_, Result<(), Stop>>;

    /// Waits until everything that was performed is recorded, and does what comes last. Called once, whether all portions
    /// were done (`stopped` is `None`) or the run stops early.
    fn drain<'a>(&'a self, _stopped: Option<&'a Stop>) -> BoxFuture<'a, Result<(), Stop>> {
        Box::pin(async { Ok(()) })
    }

    /// Ends the operation's own records. Part of the transaction that ends the run.
    fn finish<'a>(&'a self, tx: &'a mut Tx, end: &'a End, at: Timestamp) -> BoxFuture<'a, Result<Summary, StoreError>>;
}
