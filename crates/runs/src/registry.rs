//! The operations of a process, looked up by the name that is stored with a run.

use std::sync::Arc;

use futures::future::BoxFuture;
use serde::Serialize;
use serde_json::Value;
use tenantatlas_commands::CommandError;
use tenantatlas_domain::live::RunWords;
use tenantatlas_domain::operation::OperationStatus;
use tenantatlas_domain::reason::ReasonCode;
use tenantatlas_domain::role::Action;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_store::operation_runs::{End, KindLimits, NewOperationRun, OperationRun};
use tenantatlas_store::{Db, StoreError, Tx};

use crate::context::RunContext;
use crate::operation::{Operation, OperationKind, RetryPart, Summary, Work, words_of};
use crate::state::words_of_unknown;
use crate::stop::Stop;

/// What of a run follows from its payload.
pub(crate) struct Prepared {
    pub units: Vec<String>,
    pub idempotency_key: String,
    pub facts: Summary,
}

/// An operation whose payload is JSON: what the runner works with.
pub(crate) trait AnyOperation: Send + Sync {
    fn kind(&self) -> OperationKind;
    fn permission(&self) -> Action;
    fn is_quiet_after_another(&self) -> bool;
    fn has_news_for_members(&self) -> bool;
    fn follows_partial(&self) -> bool;
    fn words(&self) -> RunWords;
    fn words_of(&self, run: &OperationRun) -> Option<RunWords>;
    fn limits(&self) -> KindLimits;
    fn unit_label(&self, unit: &str) -> String;
    fn ended_well(&self, status: OperationStatus) -> bool;
    fn prepare(&self, payload: &Value) -> Result<Prepared, CommandError>;
    fn dispatched<'a>(
        &'a self,
        tx: &'a mut Tx,
        new: &'a NewOperationRun,
        at: Timestamp,
    ) -> BoxFuture<'a, Result<(), CommandError>>;
    fn retry<'a>(
        &'a self,
        db: &'a Db,
        run: &'a OperationRun,
        part: RetryPart,
    ) -> BoxFuture<'a, Result<Option<Value>, CommandError>>;
    fn plan<'a>(&'a self, run: &'a Arc<RunContext>) -> BoxFuture<'a, Result<Box<dyn Work>, Stop>>;
    fn close<'a>(
        &'a self,
        tx: &'a mut Tx,
        run: &'a OperationRun,
        end: &'a End,
        at: Timestamp,
    ) -> BoxFuture<'a, Result<Summary, StoreError>>;
}

fn read<O: Operation>(payload: &Value) -> Result<O::Payload, CommandError> {
    serde_json::from_value(payload.clone()).map_err(|error| {
        CommandError::Internal(format!("the payload of a run of {} is not understood: {error}", O::KIND))
    })
}

impl<O: Operation> AnyOperation for O {
    fn kind(&self) -> OperationKind {
        O::KIND
    }

    fn permission(&self) -> Action {
        O::PERMISSION
    }

    fn is_quiet_after_another(&self) -> bool {
        O::QUIET_AFTER_ANOTHER
    }

    fn has_news_for_members(&self) -> bool {
        O::NEWS_FOR_MEMBERS
    }

    fn follows_partial(&self) -> bool {
        O::FOLLOWS_PARTIAL
    }

    fn words(&self) -> RunWords {
        O::words()
    }

    fn words_of(&self, run: &OperationRun) -> Option<RunWords> {
        words_of::<O>(run)
    }

    fn limits(&self) -> KindLimits {
        KindLimits { resource: O::KIND.resource, action: O::KIND.action, limits: Operation::limits(self) }
    }

    fn unit_label(&self, unit: &str) -> String {
        Operation::unit_label(self, unit)
    }

    fn ended_well(&self, status: OperationStatus) -> bool {
        Operation::ended_well(self, status)
    }

    fn prepare(&self, payload: &Value) -> Result<Prepared, CommandError> {
        let payload = read::<O>(payload)?;
        Ok(Prepared {
            units: self.units(&payload),
            idempotency_key: format!("{}:{}", O::KIND, self.idempotency_key(&payload)),
            facts: self.facts(&payload),
        })
    }

    fn dispatched<'a>(
        &'a self,
        tx: &'a mut Tx,
        new: &'a NewOperationRun,
        at: Timestamp,
    ) -> BoxFuture<'a, Result<(), CommandError>> {
        Box::pin(async move {
            let payload = read::<O>(&new.payload)?;
            Ok(Operation::dispatched(self, tx, new, &payload, at).await?)
        })
    }

    fn retry<'a>(
        &'a self,
        db: &'a Db,
        run: &'a OperationRun,
        part: RetryPart,
    ) -> BoxFuture<'a, Result<Option<Value>, CommandError>> {
        Box::pin(async move {
            let payload = read::<O>(&run.payload)?;
            Operation::retry(self, db, run, payload, part).await?.as_ref().map(to_value).transpose()
        })
    }

    fn plan<'a>(&'a self, run: &'a Arc<RunContext>) -> BoxFuture<'a, Result<Box<dyn Work>, Stop>> {
        Box::pin(async move {
            let payload = read::<O>(&run.run().payload)
                .map_err(|_| Stop::failed(ReasonCode::Internal, "What the run is to do cannot be understood."))?;
            Operation::plan(self, Arc::clone(run), payload).await
        })
    }

    fn close<'a>(
        &'a self,
        tx: &'a mut Tx,
        run: &'a OperationRun,
        end: &'a End,
        at: Timestamp,
    ) -> BoxFuture<'a, Result<Summary, StoreError>> {
        Box::pin(async move { Operation::close(self, tx, run, read::<O>(&run.payload).ok(), end, at).await })
    }
}

/// A payload as it is stored.
pub(crate) fn to_value<T: Serialize>(payload: &T) -> Result<Value, CommandError> {
    serde_json::to_value(payload).map_err(|error| CommandError::Internal(error.to_string()))
}

/// The operations that a process can work on. Cheap to clone.
#[derive(Clone, Default)]
pub struct Operations {
    all: Arc<Vec<Arc<dyn AnyOperation>>>,
}

impl Operations {
    /// The same with one more.
    ///
    /// # Panics
    /// When there is one with this name already: its runs would be worked on by whichever comes first in the list. Operations
    /// are listed in the program and not read from anywhere, so that this shows whenever the program starts.
    #[must_use]
    pub fn with<O: Operation>(self, operation: O) -> Self {
        assert!(self.find(O::KIND.resource, O::KIND.action).is_none(), "there are two operations {}", O::KIND);
        let mut all = Vec::clone(&self.all);
        all.push(Arc::new(operation));
        Self { all: Arc::new(all) }
    }

    /// The names of all.
    #[must_use]
    pub fn kinds(&self) -> Vec<OperationKind> {
        self.all.iter().map(|operation| operation.kind()).collect()
    }

    /// The words for an operation; made from its name when this version of the program does not know it.
    #[must_use]
    pub fn words(&self, resource: &str, action: &str) -> RunWords {
        self.find(resource, action).map_or_else(|| words_of_unknown(resource, action), |operation| operation.words())
    }

    /// The words for a run, with its name.
    #[must_use]
    pub fn words_of(&self, run: &OperationRun) -> RunWords {
        let known = self.find(&run.resource, &run.action).and_then(|operation| operation.words_of(run));
        known.unwrap_or_else(|| words_of_unknown(&run.resource, &run.action))
    }

    /// The name of a unit of a run for people.
    #[must_use]
    pub fn unit_label(&self, resource: &str, action: &str, unit: &str) -> String {
        self.find(resource, action)
            .map_or_else(|| tenantatlas_domain::live::humanise(unit), |operation| operation.unit_label(unit))
    }

    /// What a person must be allowed to do to start an operation again; `None` when it is not known.
    #[must_use]
    pub fn permission(&self, resource: &str, action: &str) -> Option<Action> {
        self.find(resource, action).map(|operation| operation.permission())
    }

    /// Whether the end of a run is good enough for what is to follow, and so a success of whatever started it.
    #[must_use]
    pub fn ended_well(&self, resource: &str, action: &str, status: OperationStatus) -> bool {
        match self.find(resource, action) {
            Some(operation) => operation.ended_well(status),
            None => status == OperationStatus::Completed,
        }
    }

    /// Whether a run of an operation could carry this.
    ///
    /// # Errors
    /// [`CommandError::Conflict`] when there is no such operation, [`CommandError::Internal`] when it does not understand it.
    pub fn check(&self, resource: &str, action: &str, payload: &Value) -> Result<(), CommandError> {
        let operation = self.find(resource, action);
        let operation =
            operation.ok_or_else(|| CommandError::Conflict(format!("there is no operation {resource}.{action}")))?;
        operation.prepare(payload).map(drop)
    }

    pub(crate) fn find(&self, resource: &str, action: &str) -> Option<&Arc<dyn AnyOperation>> {
        self.all.iter().find(|operation| {
            let kind = operation.kind();
            (kind.resource, kind.action) == (resource, action)
        })
    }

    pub(crate) fn limits(&self) -> Vec<KindLimits> {
        self.all.iter().map(|operation| operation.limits()).collect()
    }
}
