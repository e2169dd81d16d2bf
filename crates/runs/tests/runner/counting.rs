//! A whole operation in one file: it counts to a number, and fails at those it is told to fail at.

use std::sync::Arc;

use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tenantatlas_domain::live::{Progress, RunWords};
use tenantatlas_domain::operation::{Failure, FailureKind, ItemOutcome};
use tenantatlas_domain::reason::ReasonCode;
use tenantatlas_domain::role::Action;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_runs::{Operation, OperationKind, RunContext, Stop, Summary, Work};
use tenantatlas_store::operation_runs::{End, Limits, Settled};
use tenantatlas_store::{StoreError, Tx, with_retries};
use tokio::sync::Semaphore;

/// What is counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Numbers {
    pub key: String,
    pub count: usize,
    pub fail: Vec<usize>,
    /// Whether it breaks off with a panic.
    pub panic: bool,
    /// Whether one number is counted after the other, and each again where the database did not answer.
    pub one_by_one: bool,
}

impl Numbers {
    pub fn to(key: &str, count: usize) -> Self {
        Self { key: key.to_owned(), count, fail: Vec::new(), panic: false, one_by_one: false }
    }
}

/// Counts, one number for each permit of the gate.
pub struct Counting {
    pub gate: Arc<Semaphore>,
    pub limits: Limits,
}

impl Operation for Counting {
    const KIND: OperationKind = OperationKind { resource: "numbers", action: "count" };
    const PERMISSION: Action = Action::Sync;
    type Payload = Numbers;

    fn words() -> RunWords {
        RunWords::of("Counting", ("number", "numbers"), ("counting", "counted"), ("digit", "digits"))
    }

    fn name(numbers: &Numbers) -> String {
        format!("Counting to {}", numbers.count)
    }

    fn limits(&self) -> Limits {
        self.limits
    }

    fn units(&self, numbers: &Numbers) -> Vec<String> {
        (0..numbers.count).map(|number| number.to_string()).collect()
    }

    fn idempotency_key(&self, numbers: &Numbers) -> String {
        numbers.key.clone()
    }

    async fn plan(&self, context: Arc<RunContext>, numbers: Numbers) -> Result<Box<dyn Work>, Stop> {
        assert!(!numbers.panic, "a bug, as a test needs one");
        Ok(Box::new(Count { context, numbers, gate: Arc::clone(&self.gate) }))
    }
}

struct Count {
    context: Arc<RunContext>,
    numbers: Numbers,
    gate: Arc<Semaphore>,
}

impl Work for Count {
    fn portions(&self) -> usize {
        self.numbers.count
    }

    fn concurrency(&self) -> usize {
        if self.numbers.one_by_one { 1 } else { 2 }
    }

    fn perform(&self, number: usize) -> BoxFuture<'_, Result<(), Stop>> {
        Box::pin(async move {
            let Ok(permit) = self.gate.acquire().await else { return Err(Stop::Cancelled) };
            permit.forget();
            let failed = self.numbers.fail.contains(&number);
            let failure = failed.then(|| Failure {
                reason_code: ReasonCode::Internal,
                reason: "It was told to.".to_owned(),
                item_id: Some(number.to_string()),
                kind: FailureKind::Failed,
            });
            let outcome = if failed { ItemOutcome::Failed } else { ItemOutcome::Succeeded };
            let settled = Settled { outcome, failure };
            let run = if self.numbers.one_by_one {
                with_retries(StoreError::is_transient, || async {
                    let mut tx = self.context.db().write().await?;
                    let run = self.context.settle_unit(&mut tx, number, settled.clone()).await?;
                    tx.commit().await.map(|()| run)
                })
                .await?
            } else {
                let mut tx = self.context.db().write().await?;
                let run = self.context.settle(&mut tx, &[settled]).await?;
                tx.commit().await?;
                run
            };
            self.context.publish(Some(run), &Progress::default());
            Ok(())
        })
    }

    fn finish<'a>(&'a self, _: &'a mut Tx, _: &'a End, _: Timestamp) -> BoxFuture<'a, Result<Summary, StoreError>> {
        Box::pin(async { Ok(Summary::from_iter([("counted".to_owned(), json!(self.numbers.count))])) })
    }
}
