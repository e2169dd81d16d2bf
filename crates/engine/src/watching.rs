//! Watching runs: the snapshot with which a live view begins, and following one run to its end.

use std::time::Duration;

use futures::Stream;
use serde::Serialize;
use tenantatlas_domain::ids::{OperationRunId, TenantId, UserId};
use tenantatlas_store::{notifications, operation_runs};
use tokio::time::Instant;

use crate::engine::Engine;
use crate::error::EngineError;
use crate::events::{LiveEvent, Subscription, Topic};
use crate::run_state::RunState;

/// How often a followed run is looked up when no event came: another process may work on it.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// What a live view begins with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Snapshot {
    /// The active runs, oldest first.
    pub runs: Vec<RunState>,
    /// The person's unread notifications, over all tenants.
    pub unread: u64,
}

impl Engine {
    /// Opens the live events of a person in a tenant. Take the snapshot after this, so that nothing falls between.
    #[must_use]
    pub fn subscribe(&self, tenant: TenantId, user: UserId) -> Subscription {
        self.core.events.subscribe(Topic::Person(tenant, user))
    }

    /// Opens the live events of all runs of a tenant, whoever started them.
    #[must_use]
    pub fn subscribe_tenant(&self, tenant: TenantId) -> Subscription {
        self.core.events.subscribe(Topic::Tenant(tenant))
    }

    /// The active runs of a person in a tenant, and how much they have not read.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn snapshot(&self, tenant: TenantId, user: UserId) -> Result<Snapshot, EngineError> {
        let db = &self.core.db;
        let runs = operation_runs::active(db, Some(tenant), Some(user)).await?;
        let unread = notifications::unread_count(db, user, None).await?;
        Ok(Snapshot { runs: runs.iter().map(RunState::of).collect(), unread })
    }

    /// The active runs of a tenant, whoever started them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn active_runs(&self, tenant: TenantId) -> Result<Vec<RunState>, EngineError> {
        let runs = operation_runs::active(&self.core.db, Some(tenant), None).await?;
        Ok(runs.iter().map(RunState::of).collect())
    }

    /// The state of one run.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn run_state(&self, tenant: TenantId, run: OperationRunId) -> Result<Option<RunState>, EngineError> {
        Ok(operation_runs::get(&self.core.db, tenant, run).await?.as_ref().map(RunState::of))
    }

    /// Follows a run, by its events where this process works on it and by looking it up where another does. The stream
    /// gives a state whenever it changed, and ends after the terminal one.
    pub fn follow(
        &self,
        tenant: TenantId,
        run: OperationRunId,
    ) -> impl Stream<Item = Result<RunState, EngineError>> + Send + use<> {
        let follower = Follower {
            engine: self.clone(),
            events: self.subscribe_tenant(tenant),
            tenant,
            run,
            last: None,
            looked: None,
        };
        futures::stream::unfold(follower, |mut follower| async move {
            let state = follower.next().await?;
            Some((state, follower))
        })
    }

    /// Marks one notification of a person as read, and tells their open pages.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn mark_read(
        &self,
        user: UserId,
        notification: tenantatlas_domain::ids::NotificationId,
    ) -> Result<bool, EngineError> {
        let core = &self.core;
        let mut tx = core.db.write().await?;
        let changed = notifications::mark_read(&mut tx, user, notification, core.clock.now()).await?;
        tx.commit().await?;
        if changed {
            core.publish_unread(user).await;
        }
        Ok(changed)
    }

    /// Marks all notifications of a person as read, in one tenant or in all, and tells their open pages. Answers how
    /// many were unread.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn mark_all_read(&self, user: UserId, tenant: Option<TenantId>) -> Result<u64, EngineError> {
        let core = &self.core;
        let mut tx = core.db.write().await?;
        let changed = notifications::mark_all_read(&mut tx, user, tenant, core.clock.now()).await?;
        tx.commit().await?;
        if changed > 0 {
            core.publish_unread(user).await;
        }
        Ok(changed)
    }
}

struct Follower {
    engine: Engine,
    events: Subscription,
    tenant: TenantId,
    run: OperationRunId,
    last: Option<RunState>,
    looked: Option<Instant>,
}

impl Follower {
    async fn next(&mut self) -> Option<Result<RunState, EngineError>> {
        if self.last.as_ref().is_some_and(|state| state.status.is_terminal()) {
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
    async fn newest(&mut self) -> Result<Option<RunState>, EngineError> {
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

    async fn look(&mut self) -> Result<Option<RunState>, EngineError> {
        self.looked = Some(Instant::now());
        self.engine.run_state(self.tenant, self.run).await
    }
}
