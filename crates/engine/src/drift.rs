//! `drift.generate`: compares the latest completed run of a scope with the one before it, or with one that a person chose, and
//! keeps what drifted as findings (`docs/rules.md`, section Drift). It asks nothing of Microsoft Graph.

mod accepting;
mod choices;
mod dispatch;
mod explained;
mod judged;
mod payload;
mod work;

use std::sync::Arc;

use serde_json::{Value, json};
use tenantatlas_commands::CommandError;
use tenantatlas_domain::live::RunWords;
use tenantatlas_domain::role::Action;
use tenantatlas_runs::{Operation, OperationKind, RetryPart, RunContext, Stop, Summary, Work};
use tenantatlas_store::Db;
use tenantatlas_store::operation_runs::{Limits, OperationRun};

pub use accepting::MANY_FINDINGS;
pub use explained::{Explained, Explanations, SettingsTold};
pub use payload::DriftPayload;

/// The one unit of a run: the comparison.
const COMPARISON: &str = "comparison";

/// Comparisons at the same time: one per tenant, since two would write the same findings.
const LIMITS: Limits = Limits { global: 8, per_tenant: 1 };

/// The comparison of two runs.
pub struct GenerateDrift;

impl Operation for GenerateDrift {
    const KIND: OperationKind = OperationKind { resource: "drift", action: "generate" };
    const PERMISSION: Action = Action::Sync;
    const QUIET_AFTER_ANOTHER: bool = true;
    const NEWS_FOR_MEMBERS: bool = true;
    const FOLLOWS_PARTIAL: bool = true;
    type Payload = DriftPayload;

    fn words() -> RunWords {
        RunWords::of("Comparison", ("comparison", "comparisons"), ("comparing", "done"), ("object", "objects"))
    }

    fn name(payload: &DriftPayload) -> String {
        payload.name()
    }

    fn limits(&self) -> Limits {
        LIMITS
    }

    fn units(&self, _payload: &DriftPayload) -> Vec<String> {
        vec![COMPARISON.to_owned()]
    }

    fn unit_label(&self, _unit: &str) -> String {
        "Comparison".to_owned()
    }

    fn idempotency_key(&self, payload: &DriftPayload) -> String {
        payload.key()
    }

    fn facts(&self, payload: &DriftPayload) -> Summary {
        object(json!({ "selection_hash": payload.selection_hash, "baseline_run_id": payload.baseline }))
    }

    async fn retry(
        &self,
        _db: &Db,
        _run: &OperationRun,
        payload: DriftPayload,
        _part: RetryPart,
    ) -> Result<Option<DriftPayload>, CommandError> {
        // A comparison that is made again finds what it found, and what it had not come to.
        Ok(Some(payload))
    }

    async fn plan(&self, run: Arc<RunContext>, payload: DriftPayload) -> Result<Box<dyn Work>, Stop> {
        Ok(Box::new(work::DriftWork::begin(run, &payload).await?))
    }
}

fn object(facts: Value) -> Summary {
    match facts {
        Value::Object(facts) => facts,
        _ => Summary::new(),
    }
}
