//! Following one run to its end.

use std::time::Duration;

use futures::Stream;
use tenantatlas_commands::CommandError;
use tenantatlas_domain::ids::{OperationRunId, TenantId};
use tenantatlas_domain::live::{LiveEvent, RunState};
use tokio::time::Instant;

use crate::bus::Subscription;
use crate::runner::Runner;

/// How often a followed run is looked up when no event came: another process may work on it.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

impl Runner {
    /// Follows a run, by its events where this process works on it and by looking it up where another does. The stream
    /// gives a state whenever it changed, and ends after the terminal one.
    pub fn follow(
        &self,
        tenant: TenantId,
        run: OperationRunId,
    ) -> impl Stream<Item = Result<RunState, CommandError>> + Send + use<> {
        let runner = self.clone();
        let follower = Follower { events: self.subscribe(tenant), runner, tenant, run, last: None, looked: None };
        futures::stream::unfold(follower, |mut follower| async move {
            let state = follower.next().await?;
            Some((state, follower))
        })
    }
}

struct Follower {
    runner: Runner,
    events: Subscription,
    tenant: TenantId,
    run: OperationRunId,
    last: Option<RunState>,
    looked: Option<Instant>,
}

impl Follower {
    async fn next(&mut self) -> Option<Result<RunState, CommandError>> {
        if self.last.as_ref().is_some_and(RunState::ended) {
            return None;
        }
        loop {
            let state = match self.newest().await {
                Ok(state) => state?,
                Err(error) => return Some(Err(error)),
            };
            if self.last.as_ref() != Some(&state) {
                self.last = Some(state.clone());
                return Some(Ok(state));
            }
        }
    }

    /// The next state from an event, or from the database when it is time to look. `None` when there is no such run.
    async fn newest(&mut self) -> Result<Option<RunState>, CommandError> {
        let Some(looked) = self.looked else { return self.look().await };
        loop {
            tokio::select! {
                news = self.events.next() => {
                    let state = news.iter().rev().find_map(|published| match &published.event {
                        LiveEvent::Run(state) if state.id == self.run => Some(state.as_ref().clone()),
                        _ => None,
                    });
                    if state.is_some() {
                        return Ok(state);
                    }
                }
                () = tokio::time::sleep_until(looked + LOOK_AGAIN) => return self.look().await,
            }
        }
    }

    async fn look(&mut self) -> Result<Option<RunState>, CommandError> {
        self.looked = Some(Instant::now());
        self.runner.run_state(self.tenant, self.run).await
    }
}
