//! `policies.capture`: reads the whole body of objects that the inventory knows, and keeps a version of what changed
//! (`docs/rules.md`, section Versions).
//!
//! Objects are read from their list where it tells them whole, else singly by `$batch` ([`objects`]), with what is below them
//! ([`reading`]), unless a sync has just seen that they are as they were ([`known`]); their bodies are made and compared with the
//! latest version off the threads that wait ([`versions`]), and recorded in transactions of some twenty objects.

mod dispatch;
mod known;
mod objects;
mod parents;
mod payload;
mod reading;
mod target;
mod versions;
mod work;

use std::sync::Arc;

use serde_json::{Value, json};
use tenantatlas_commands::{Clock, CommandError};
use tenantatlas_domain::live::RunWords;
use tenantatlas_domain::reason::ReasonCode;
use tenantatlas_domain::registry::registry;
use tenantatlas_domain::role::Action;
use tenantatlas_domain::sync::TypeOutcome;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_graph::GraphClient;
use tenantatlas_runs::{Operation, OperationKind, RetryPart, RunContext, Stop, Summary, Work};
use tenantatlas_store::operation_runs::{End, Limits, OperationRun};
use tenantatlas_store::policies::{self, Capture};
use tenantatlas_store::{Db, StoreError, Tx, Vault};
use tokio::sync::Semaphore;

pub(crate) use dispatch::planned;
pub use dispatch::{CaptureOf, CaptureOutcome};
pub use payload::CapturePayload;

/// Captures at the same time: one per tenant, since two would read the same objects.
const LIMITS: Limits = Limits { global: 8, per_tenant: 1 };

/// What every capture of a process stands on.
pub(crate) struct Sources {
    pub db: Db,
    pub vault: Vault,
    pub graph: GraphClient,
    pub clock: Arc<dyn Clock>,
    /// Computing tasks of the process.
    pub processors: Semaphore,
}

/// The capture of policies.
pub struct CapturePolicies {
    sources: Arc<Sources>,
}

impl CapturePolicies {
    /// The captures of a process.
    pub(crate) fn new(db: Db, vault: Vault, graph: GraphClient, clock: Arc<dyn Clock>) -> Self {
        let processors = Semaphore::new(std::thread::available_parallelism().map_or(2, usize::from));
        Self { sources: Arc::new(Sources { db, vault, graph, clock, processors }) }
    }
}

impl Operation for CapturePolicies {
    const KIND: OperationKind = OperationKind { resource: "policies", action: "capture" };
    const PERMISSION: Action = Action::Capture;
    const QUIET_AFTER_ANOTHER: bool = true;
    const FOLLOWS_PARTIAL: bool = true;
    type Payload = CapturePayload;

    fn words() -> RunWords {
        RunWords::of("Capture", ("type", "types"), ("capturing", "captured"), ("policy", "policies"))
    }

    fn name(payload: &CapturePayload) -> String {
        payload.name()
    }

    fn limits(&self) -> Limits {
        LIMITS
    }

    fn units(&self, payload: &CapturePayload) -> Vec<String> {
        payload.types.clone()
    }

    fn unit_label(&self, unit: &str) -> String {
        label_of(unit)
    }

    fn idempotency_key(&self, payload: &CapturePayload) -> String {
        payload.key()
    }

    fn facts(&self, payload: &CapturePayload) -> Summary {
        object(json!({
            "types": payload.types.len(),
            "items": payload.items.as_ref().map(|items| items.values().map(Vec::len).sum::<usize>()),
            "changed": payload.changed,
            "continues": payload.continues,
        }))
    }

    async fn retry(
        &self,
        db: &Db,
        run: &OperationRun,
        payload: CapturePayload,
        part: RetryPart,
    ) -> Result<Option<CapturePayload>, CommandError> {
        let capture = match part {
            RetryPart::Whole => None,
            RetryPart::Failed => policies::get_by_operation(db, run.tenant_id, run.id).await?,
        };
        // What never began has nothing to be continued.
        let Some(capture) = capture else {
            return Ok(Some(CapturePayload { continues: None, ..payload }));
        };
        let ended = policies::list_types(db, run.tenant_id, capture.id).await?;
        let done = |key: &String| {
            let end = ended.iter().find(|one| one.policy_type == *key).and_then(|one| one.outcome);
            end.is_some_and(|outcome| outcome != TypeOutcome::Failed)
        };
        let types: Vec<String> = payload.types.iter().filter(|key| !done(key)).cloned().collect();
        let is_left = !types.is_empty();
        Ok(Some(CapturePayload { types, continues: Some(capture.id), ..payload }).filter(|_| is_left))
    }

    async fn plan(&self, run: Arc<RunContext>, payload: CapturePayload) -> Result<Box<dyn Work>, Stop> {
        Ok(Box::new(work::CaptureWork::begin(Arc::clone(&self.sources), run, payload).await?))
    }

    async fn close(
        &self,
        tx: &mut Tx,
        run: &OperationRun,
        _payload: Option<CapturePayload>,
        end: &End,
        at: Timestamp,
    ) -> Result<Summary, StoreError> {
        let reason = end.reason_code.unwrap_or(ReasonCode::Internal);
        let closed = policies::abandon(tx, run.id, reason, at).await?;
        Ok(closed.map(|capture| summary(&capture)).unwrap_or_default())
    }
}

/// The name of a type for people.
fn label_of(key: &str) -> String {
    registry().get(key).map_or_else(|| tenantatlas_domain::live::humanise(key), |known| known.label.to_owned())
}

/// What the terminal records say about a capture.
fn summary(capture: &Capture) -> Summary {
    object(json!({
        "capture_id": capture.id,
        "capture_status": capture.status,
        "requests": capture.requests,
        "retries": capture.retries,
    }))
}

fn object(facts: Value) -> Summary {
    match facts {
        Value::Object(facts) => facts,
        _ => Summary::new(),
    }
}
