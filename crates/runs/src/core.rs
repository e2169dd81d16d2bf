//! What every part of the runner stands on.

use std::collections::BTreeSet;
use std::sync::Arc;

use tenantatlas_commands::Commands;
use tenantatlas_domain::ids::UserId;
use tenantatlas_domain::live::RunState;
use tenantatlas_domain::role::Role;
use tenantatlas_store::operation_runs::{KindLimits, OperationRun};
use tenantatlas_store::{Access, StoreError, members};
use tokio::sync::{Mutex, Notify};

use crate::config::RunnerConfig;
use crate::live::Live;
use crate::outbox::Message;
use crate::registry::Operations;
use crate::state::state_of;
use crate::working::Working;

/// What every part of the runner stands on.
pub(crate) struct Core {
    pub commands: Commands,
    pub config: RunnerConfig,
    pub operations: Operations,
    pub live: Arc<Live>,
    /// The runs this process works on.
    pub working: Arc<Working>,
    /// Names this process in leases; new at every start.
    pub owner: String,
    /// Wakes the idle worker that looks for runs.
    pub wake: Notify,
    /// Held by that worker.
    pub looking: Mutex<()>,
}

impl Core {
    /// The live state of a stored run.
    pub(crate) fn state_of(&self, run: &OperationRun) -> RunState {
        state_of(run, self.operations.words_of(run))
    }

    /// How many runs of each operation may be worked on at the same time.
    pub(crate) fn limits(&self) -> Vec<KindLimits> {
        let mut all = self.operations.limits();
        if let Some(runs) = self.config.runs_of_operation {
            for kind in all.iter_mut().filter(|kind| kind.limits.global > 1) {
                kind.limits.global = runs;
            }
        }
        all
    }

    /// Tells readers the newest state of runs that changed.
    pub(crate) fn publish_runs<'a>(&self, runs: impl IntoIterator<Item = &'a OperationRun>) {
        for run in runs {
            self.live.publish_run(&self.state_of(run), Some(run.updated_at));
        }
    }

    /// Who is told of the news of a run besides whoever started it: where a schedule or a token did, those who work in the tenant, as
    /// far as they can sign in.
    pub(crate) async fn members_to_tell(&self, on: impl Access, run: &OperationRun) -> Result<Vec<UserId>, StoreError> {
        let operation = self.operations.find(&run.resource, &run.action);
        let by_nobody = run.user_id.is_none() && (run.schedule_id.is_some() || run.token_id.is_some());
        if !by_nobody || !operation.is_some_and(|operation| operation.has_news_for_members()) {
            return Ok(Vec::new());
        }
        members::who_work(on, run.tenant_id, Role::Operator).await
    }

    /// Tells the people who started runs, and those who are told of what nobody started, how much they have not read.
    pub(crate) async fn publish_unread_of<'a>(&self, runs: impl IntoIterator<Item = &'a OperationRun>) {
        let mut people: BTreeSet<UserId> = BTreeSet::new();
        for run in runs {
            people.extend(run.user_id);
            if run.status.is_terminal() {
                match self.members_to_tell(&self.commands.db, run).await {
                    Ok(members) => people.extend(members),
                    Err(error) => tracing::warn!(%error, "who is told of a run could not be read"),
                }
            }
        }
        for user in people {
            self.live.publish_unread(&self.commands.db, user).await;
        }
    }

    /// Wakes a worker here, and those of other processes.
    pub(crate) fn wake_workers(&self) {
        self.wake.notify_one();
        self.live.outbox.put(Message::Queue);
    }
}
