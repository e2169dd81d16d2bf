//! What people and schedules do meanwhile: they start runs, cancel some, and try failed ones again.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tenantatlas_domain::ids::{OperationRunId, TenantId};
use tenantatlas_domain::operation::OperationStatus;
use tenantatlas_domain::selection::Selection;
use tenantatlas_engine::{Actor, Engine, EngineError, RetryPart};
use tenantatlas_store::StoreError;
use tenantatlas_store::operation_runs::{self, Filter, OperationRun};
use tokio_util::sync::CancellationToken;

use crate::random::Random;

/// How often somebody does something.
const PACE: Duration = Duration::from_millis(150);

/// What may be read, a few types at a time: other selections are other keys.
const SELECTIONS: [&[&str]; 5] = [
    &["deviceCompliancePolicy"],
    &["conditionalAccessPolicy", "deviceCompliancePolicy"],
    &["deviceConfiguration", "deviceManagementScript", "settingsCatalogPolicy"],
    &["settingsCatalogPolicy"],
    &["mobileApp", "deviceConfiguration"],
];

/// What came of it.
#[derive(Debug, Default)]
pub struct Told {
    /// Runs of which somebody was told that they were dispatched.
    pub runs: BTreeSet<(TenantId, OperationRunId)>,
    /// Asked for, and the same was under way already.
    pub active_already: u64,
    /// Refused, since too much was waiting.
    pub refused: u64,
    /// Not answered: whether it was done is not known.
    pub unanswered: u64,
    /// Asked to cancel.
    pub cancelled: u64,
    /// Tried again.
    pub retried: u64,
    /// What no fault explains.
    pub wrong: Vec<String>,
}

/// Whoever starts runs.
pub struct Traffic {
    pub engine: Engine,
    pub tenants: Vec<TenantId>,
    pub told: Arc<Mutex<Told>>,
}

pub fn some(types: &[&str]) -> Selection {
    Selection {
        policy_types: types.iter().map(|key| (*key).to_owned()).collect(),
        categories: Vec::new(),
        include_foundations: false,
        include_dependencies: false,
    }
}

impl Traffic {
    /// Goes on until `ended`.
    pub async fn flow(self, mut random: Random, ended: CancellationToken) {
        while !ended.is_cancelled() {
            let done = self.act(&mut random).await;
            if let Err(error) = done {
                self.note(&error);
            }
            tokio::select! {
                () = ended.cancelled() => {}
                () = tokio::time::sleep(PACE) => {}
            }
        }
    }

    fn note(&self, error: &EngineError) {
        let mut told = self.told();
        match error {
            EngineError::TooMany(_) | EngineError::Conflict(_) => told.refused += 1,
            EngineError::Store(error) if error.is_transient() || is_a_lost_connection(error) => told.unanswered += 1,
            error => told.wrong.push(format!("a command failed: {error:?}")),
        }
    }

    fn told(&self) -> std::sync::MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn act(&self, random: &mut Random) -> Result<(), EngineError> {
        let (engine, actor) = (&self.engine, Actor::command_line());
        // The first tenant has by far the most to do.
        let tenant = self.tenants[if random.below(2) == 0 { 0 } else { random.index(self.tenants.len()) }];
        match random.below(20) {
            0 => {
                let active = self.newest(tenant, &[OperationStatus::Pending, OperationStatus::Running]).await?;
                if let Some(run) = active {
                    engine.runs().cancel(&actor, tenant, run.id).await?;
                    self.told().cancelled += 1;
                }
            }
            1 => {
                if let Some(run) = self.newest(tenant, &[OperationStatus::Failed]).await? {
                    let again = engine.runs().retry(&actor, tenant, run.id, RetryPart::Whole).await?;
                    self.told().retried += 1;
                    self.keep(tenant, again.state.id, again.already_running);
                }
            }
            2 => {
                let checked = engine.check_tenant(&actor, tenant, false).await?;
                self.keep(tenant, checked.state.id, checked.already_running);
            }
            what => {
                let selection = some(SELECTIONS[random.index(SELECTIONS.len())]);
                let outcome = match what {
                    3..=6 => engine.dispatch_sync_and_capture(&actor, tenant, &selection).await?,
                    _ => engine.dispatch_sync(&actor, tenant, &selection).await?,
                };
                self.keep(tenant, outcome.run_id, outcome.already_running);
            }
        }
        Ok(())
    }

    async fn newest(&self, tenant: TenantId, statuses: &[OperationStatus]) -> Result<Option<OperationRun>, StoreError> {
        let filter = Filter { tenant_id: Some(tenant), statuses: statuses.to_vec(), limit: 1, ..Filter::default() };
        Ok(operation_runs::list(self.engine.reader(), &filter).await?.pop())
    }

    fn keep(&self, tenant: TenantId, run: OperationRunId, already: bool) {
        let mut told = self.told();
        told.active_already += u64::from(already);
        told.runs.insert((tenant, run));
    }
}

/// What sqlx says of a connection that ended in the middle of an answer.
pub fn is_a_lost_connection(error: &StoreError) -> bool {
    let text = format!("{error:?}");
    ["Protocol(", "WorkerCrashed", "PoolClosed"].iter().any(|known| text.contains(known))
}
