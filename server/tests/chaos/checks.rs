//! What must hold of runs, looked at from outside.

use std::collections::{BTreeMap, BTreeSet};

use tenantatlas_domain::ids::{OperationRunId, TenantId};
use tenantatlas_domain::operation::{Counters, OperationStatus};
use tenantatlas_domain::reason::ReasonCode;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_store::audit::Outcome;
use tenantatlas_store::operation_runs::{self, Filter, OperationRun};
use tenantatlas_store::{Reader, StoreError, audit};

/// Runs and entries of one page.
const PAGE: u32 = 500;

type Ended = (OperationStatus, Counters, Option<Timestamp>, u32);

/// Remembers ends, and says what is wrong.
#[derive(Default)]
pub struct Watch {
    ended: BTreeMap<OperationRunId, Ended>,
    /// Looks at the runs.
    pub looks: u64,
    /// What was wrong.
    pub wrong: BTreeSet<String>,
}

impl Watch {
    /// Looks at the newest runs.
    pub async fn look(&mut self, db: &Reader) -> Result<(), StoreError> {
        let runs = operation_runs::list(db, &Filter { limit: 200, ..Filter::default() }).await?;
        self.looks += 1;
        self.compare(&runs);
        Ok(())
    }

    /// Compares runs, read at one moment, with what is known of them and with each other.
    pub fn compare(&mut self, runs: &[OperationRun]) {
        let mut active = BTreeSet::new();
        for run in runs {
            if !run.counters.is_consistent() {
                self.wrong.insert(format!("counters of {}: {:?}", run.id, run.counters));
            }
            if !run.status.is_terminal() {
                if !active.insert((run.tenant_id, &run.idempotency_key)) {
                    self.wrong.insert(format!("doubled: two active runs of {}", run.idempotency_key));
                }
                if self.ended.contains_key(&run.id) {
                    self.wrong.insert(format!("{} had ended and is {}", run.id, run.status));
                }
                continue;
            }
            let end = (run.status, run.counters, run.finished_at, run.attempt);
            let known = *self.ended.entry(run.id).or_insert(end);
            if known != end {
                self.wrong.insert(format!("the end of {} changed from {known:?} to {end:?}", run.id));
            }
        }
    }

    /// Looks at every run when nothing goes on any more.
    pub async fn conclude(&mut self, db: &Reader, told: &BTreeSet<(TenantId, OperationRunId)>) -> Vec<OperationRun> {
        let runs = every_run(db).await;
        self.compare(&runs);
        let known: BTreeSet<_> = runs.iter().map(|run| (run.tenant_id, run.id)).collect();
        for (_, run) in told.difference(&known) {
            self.wrong.insert(format!("lost: {run} was dispatched and is not there"));
        }
        for run in runs.iter().filter(|run| !run.status.is_terminal()) {
            self.wrong.insert(format!(
                "stuck: {} {}.{} is {}, lease of {:?}, {:?}",
                run.id, run.resource, run.action, run.status, run.lease_owner, run.counters
            ));
        }
        let unexplained = [ReasonCode::Internal, ReasonCode::StorageFailed];
        for run in runs.iter().filter(|run| run.reason_code.is_some_and(|reason| unexplained.contains(&reason))) {
            self.wrong.insert(format!("failed: {} {}.{}, {:?}", run.id, run.resource, run.action, run.failures));
        }
        self.attempts(db, &runs).await;
        self.entries(db, &runs).await;
        runs
    }

    /// Every attempt has ended, and none is missing. Their times say nothing here: a process that stood still has an old one.
    async fn attempts(&mut self, db: &Reader, runs: &[OperationRun]) {
        for run in runs.iter().filter(|run| run.attempt > 0) {
            let attempts = operation_runs::attempts(db, run.tenant_id, run.id).await.expect("the attempts");
            let numbers = attempts.iter().map(|attempt| attempt.attempt);
            if attempts.iter().any(|attempt| attempt.ended_at.is_none()) || !numbers.eq(1..=run.attempt) {
                self.wrong.insert(format!("{} had {} attempts: {attempts:?}", run.id, run.attempt));
            }
        }
    }

    /// Each run was written down once when it was dispatched and once when it ended.
    async fn entries(&mut self, db: &Reader, runs: &[OperationRun]) {
        let mut entries: BTreeMap<String, (u32, u32)> = BTreeMap::new();
        let mut before_seq = None;
        loop {
            let filter = audit::Filter { before_seq, limit: PAGE, ..audit::Filter::default() };
            let page = audit::list(db, &filter).await.expect("the audit log");
            let Some(last) = page.last() else { break };
            before_seq = Some(last.seq);
            for entry in page.into_iter().filter(|entry| entry.resource_type == "operation_run") {
                let (dispatched, ended) = entries.entry(entry.resource_id).or_default();
                let event = entry.action.rsplit('.').next().unwrap_or_default();
                // One that found the same under way says so as a failure.
                *dispatched += u32::from(event == "dispatched" && entry.outcome == Outcome::Success);
                *ended += u32::from(event.parse::<OperationStatus>().is_ok());
            }
        }
        for run in runs {
            let found = entries.get(&run.id.to_string()).copied().unwrap_or_default();
            if found != (1, u32::from(run.status.is_terminal())) {
                self.wrong.insert(format!("entries of dispatch and end of {}: {found:?}, {}", run.id, run.status));
            }
        }
    }
}

async fn every_run(db: &Reader) -> Vec<OperationRun> {
    let mut runs: Vec<OperationRun> = Vec::new();
    loop {
        let before = runs.last().map(|run| (run.created_at, run.id));
        let filter = Filter { before, limit: PAGE, ..Filter::default() };
        let page = operation_runs::list(db, &filter).await.expect("the runs");
        if page.is_empty() {
            return runs;
        }
        runs.extend(page);
    }
}
