//! The states of runs against a model of them: whatever dispatchers, workers that come and go, sweepers and people do, in
//! whatever order, the database has what the model says. `PROPTEST_CASES` makes it longer.

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::Config;
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest, prop_state_machine};
use tenantatlas_domain::ids::{OperationRunId, TenantId};
use tenantatlas_domain::operation::{ItemOutcome, OperationStatus};
use tenantatlas_domain::reason::ReasonCode;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_store::operation_runs::{self, CancelOutcome, Claim, Created, End, Fence, Limits, Rest, Settled};
use tenantatlas_store::testing::TestDatabase;
use tenantatlas_store::{Backend, StoreError, Tx};
use tokio::runtime::Runtime;

use crate::world::{LEASE, at, kind_limits, new_operation_run, tenant};

const TENANTS: usize = 2;
const KEYS: usize = 3;
const ITEMS: [&str; 2] = ["a", "b"];
const LIMITS: Limits = Limits { global: 3, per_tenant: 2 };
const MAX_LOST: u32 = 2;
const LONGEST: Duration = Duration::from_secs(600);

/// What somebody does. Numbers count through what there is, and begin anew behind its end.
#[derive(Clone, Debug)]
enum Step {
    Dispatch {
        tenant: usize,
        key: usize,
    },
    Claim,
    Settle {
        fence: usize,
    },
    Renew {
        fence: usize,
    },
    /// The workers stand still for longer than their leases last.
    Pause,
    Sweep,
    Finish {
        fence: usize,
    },
    Release {
        fence: usize,
    },
    Cancel {
        run: usize,
    },
    Retry {
        run: usize,
    },
}

/// What came of it.
#[derive(Clone, Debug, PartialEq)]
enum Came {
    Nothing,
    /// The run, and whether it is new.
    Dispatched(usize, bool),
    Claimed(Option<usize>),
    LeaseLost,
    AllDoneAlready,
    Done,
    /// Whether somebody wants it cancelled.
    Renewed(bool),
    /// Runs that wait again, and runs that failed.
    Swept(Vec<usize>, Vec<usize>),
    EndedAlready,
    Aborted,
    Requested,
}

#[derive(Clone, Debug, PartialEq)]
struct Run {
    tenant: usize,
    key: usize,
    status: OperationStatus,
    /// Held by the attempt number `attempt`.
    held: bool,
    expired: bool,
    attempt: u32,
    lost: u32,
    processed: u32,
    cancel_requested: bool,
    /// The step at which it first began.
    began: i64,
}

impl Run {
    fn is_active(&self) -> bool {
        !self.status.is_terminal()
    }

    fn end(&mut self, status: OperationStatus) {
        (self.status, self.held, self.expired) = (status, false, false);
        self.processed = ITEMS.len() as u32;
    }
}

#[derive(Clone, Debug)]
struct Model {
    runs: Vec<Run>,
    /// Every right to work that was ever given: the run and the attempt.
    fences: Vec<(usize, u32)>,
    now: i64,
    came: Came,
}

fn pick(number: usize, count: usize) -> Option<usize> {
    (count > 0).then(|| number % count)
}

impl Model {
    fn dispatch(&mut self, tenant: usize, key: usize) -> Came {
        let active = self.runs.iter().position(|run| run.is_active() && (run.tenant, run.key) == (tenant, key));
        if let Some(known) = active {
            return Came::Dispatched(known, false);
        }
        self.runs.push(Run {
            tenant,
            key,
            status: OperationStatus::Pending,
            held: false,
            expired: false,
            attempt: 0,
            lost: 0,
            processed: 0,
            cancel_requested: false,
            began: 0,
        });
        Came::Dispatched(self.runs.len() - 1, true)
    }

    fn held_of(&self, tenant: Option<usize>) -> u32 {
        self.runs.iter().filter(|run| run.held && tenant.is_none_or(|tenant| run.tenant == tenant)).count() as u32
    }

    fn claim(&mut self) -> Came {
        if self.held_of(None) >= LIMITS.global {
            return Came::Claimed(None);
        }
        let turn = |tenant: usize| self.runs.iter().filter(|run| run.tenant == tenant).map(|run| run.began).max();
        let waiting = self.runs.iter().enumerate().filter(|(_, run)| run.is_active() && !run.held);
        let next = waiting
            .filter(|(_, run)| self.held_of(Some(run.tenant)) < LIMITS.per_tenant)
            .min_by_key(|(index, run)| {
                let waits = run.status == OperationStatus::Pending;
                (waits, self.held_of(Some(run.tenant)), turn(run.tenant), *index)
            })
            .map(|(index, _)| index);
        if let Some(index) = next {
            let run = &mut self.runs[index];
            (run.status, run.held, run.expired) = (OperationStatus::Running, true, false);
            run.attempt += 1;
            if run.began == 0 {
                run.began = self.now;
            }
            self.fences.push((index, run.attempt));
        }
        Came::Claimed(next)
    }

    /// What a worker does that thinks it has a run.
    fn as_worker(&mut self, fence: usize, act: impl FnOnce(&mut Run) -> Came) -> Came {
        let Some(fence) = pick(fence, self.fences.len()) else { return Came::Nothing };
        let (run, attempt) = self.fences[fence];
        let run = &mut self.runs[run];
        if run.held && run.attempt == attempt { act(run) } else { Came::LeaseLost }
    }

    fn sweep(&mut self) -> Came {
        let (mut again, mut failed) = (Vec::new(), Vec::new());
        for (index, run) in self.runs.iter_mut().enumerate().filter(|(_, run)| run.held && run.expired) {
            run.lost += 1;
            (run.held, run.expired) = (false, false);
            if run.lost >= MAX_LOST {
                run.end(OperationStatus::Failed);
                failed.push(index);
            } else {
                again.push(index);
            }
        }
        Came::Swept(again, failed)
    }

    fn cancel(&mut self, run: usize) -> Came {
        let Some(run) = pick(run, self.runs.len()) else { return Came::Nothing };
        let run = &mut self.runs[run];
        if !run.is_active() {
            return Came::EndedAlready;
        }
        run.cancel_requested = true;
        if run.held {
            return Came::Requested;
        }
        run.end(OperationStatus::Aborted);
        Came::Aborted
    }
}

fn finish(run: &mut Run) -> Came {
    let well = run.processed == ITEMS.len() as u32;
    run.end(if well { OperationStatus::Completed } else { OperationStatus::Failed });
    Came::Done
}

impl ReferenceStateMachine for Model {
    type State = Self;
    type Transition = Step;

    fn init_state() -> BoxedStrategy<Self> {
        Just(Self { runs: Vec::new(), fences: Vec::new(), now: 0, came: Came::Nothing }).boxed()
    }

    fn transitions(_: &Self) -> BoxedStrategy<Step> {
        let any = 0..64_usize;
        prop_oneof![
            4 => (0..TENANTS, 0..KEYS).prop_map(|(tenant, key)| Step::Dispatch { tenant, key }),
            5 => Just(Step::Claim),
            4 => any.clone().prop_map(|fence| Step::Settle { fence }),
            2 => any.clone().prop_map(|fence| Step::Renew { fence }),
            1 => Just(Step::Pause),
            2 => Just(Step::Sweep),
            2 => any.clone().prop_map(|fence| Step::Finish { fence }),
            1 => any.clone().prop_map(|fence| Step::Release { fence }),
            1 => any.clone().prop_map(|run| Step::Cancel { run }),
            1 => any.prop_map(|run| Step::Retry { run }),
        ]
        .boxed()
    }

    fn apply(mut model: Self, step: &Step) -> Self {
        model.now += 1;
        model.came = match *step {
            Step::Dispatch { tenant, key } => model.dispatch(tenant, key),
            Step::Claim => model.claim(),
            Step::Settle { fence } => model.as_worker(fence, |run| {
                if run.processed == ITEMS.len() as u32 {
                    return Came::AllDoneAlready;
                }
                run.processed += 1;
                Came::Done
            }),
            Step::Renew { fence } => model.as_worker(fence, |run| {
                run.expired = false;
                Came::Renewed(run.cancel_requested)
            }),
            Step::Pause => {
                model.runs.iter_mut().for_each(|run| run.expired = run.held);
                Came::Nothing
            }
            Step::Sweep => model.sweep(),
            Step::Finish { fence } => model.as_worker(fence, finish),
            Step::Release { fence } => model.as_worker(fence, |run| {
                (run.held, run.expired) = (false, false);
                Came::Done
            }),
            Step::Cancel { run } => model.cancel(run),
            Step::Retry { run } => match pick(run, model.runs.len()) {
                Some(run) if !model.runs[run].is_active() => {
                    model.dispatch(model.runs[run].tenant, model.runs[run].key)
                }
                _ => Came::Nothing,
            },
        };
        model
    }
}

/// The real thing.
struct Store {
    runtime: Arc<Runtime>,
    database: TestDatabase,
    tenants: Vec<TenantId>,
    runs: Vec<OperationRunId>,
    fences: Vec<Fence>,
}

impl Store {
    fn new(backend: Backend) -> Self {
        let runtime = Arc::new(Runtime::new().unwrap());
        let (database, tenants) = runtime.block_on(async {
            let database = TestDatabase::new(backend).await;
            let mut tenants = Vec::new();
            for number in 0..TENANTS {
                tenants.push(tenant(&database.db, &format!("Tenant {number}")).await);
            }
            (database, tenants)
        });
        Self { runtime, database, tenants, runs: Vec::new(), fences: Vec::new() }
    }

    fn index(&self, id: OperationRunId) -> usize {
        self.runs.iter().position(|known| *known == id).unwrap()
    }

    async fn dispatch(&mut self, tenant: usize, key: usize, moment: i64) -> Came {
        let new = new_operation_run(self.tenants[tenant], &key.to_string(), &ITEMS);
        let mut tx = self.database.db.write().await.unwrap();
        let created = operation_runs::create(&mut tx, &new, at(moment)).await.unwrap();
        tx.commit().await.unwrap();
        match created {
            Created::New(run) => {
                self.runs.push(run.id);
                Came::Dispatched(self.runs.len() - 1, true)
            }
            Created::AlreadyActive(run) => Came::Dispatched(self.index(run.id), false),
        }
    }

    async fn claim(&mut self, moment: i64) -> Came {
        let owner = format!("worker {}", moment % 2);
        let limits = kind_limits(LIMITS);
        let mut tx = self.database.db.write().await.unwrap();
        let claim = Claim { owner: &owner, lease: LEASE, limits: &limits };
        let run = operation_runs::claim(&mut tx, &claim, at(moment)).await.unwrap();
        tx.commit().await.unwrap();
        let Some(run) = run else { return Came::Claimed(None) };
        self.fences.push(run.fence().unwrap());
        Came::Claimed(Some(self.index(run.id)))
    }

    async fn as_worker(&self, step: &Step, fence: usize, moment: i64) -> Came {
        let Some(fence) = pick(fence, self.fences.len()) else { return Came::Nothing };
        let (fence, moment) = (&self.fences[fence], at(moment));
        let mut tx = self.database.db.write().await.unwrap();
        let done = match step {
            Step::Settle { .. } => {
                let settled = [Settled { outcome: ItemOutcome::Succeeded, failure: None }];
                operation_runs::settle(&mut tx, fence, &settled, moment).await.map(|_| Came::Done)
            }
            Step::Renew { .. } => {
                let renewed = operation_runs::renew(&mut tx, fence, LEASE).await;
                renewed.map(|renewal| Came::Renewed(renewal.cancel_requested))
            }
            Step::Release { .. } => operation_runs::release(&mut tx, fence, moment).await.map(|()| Came::Done),
            _ => self.finish(&mut tx, fence, moment).await,
        };
        match done {
            Ok(came) => {
                tx.commit().await.unwrap();
                came
            }
            Err(StoreError::LeaseLost) => Came::LeaseLost,
            Err(StoreError::CountersExceeded(_)) => Came::AllDoneAlready,
            Err(error) => panic!("{error}"),
        }
    }

    /// As a worker does: what it did not come to has failed.
    async fn finish(&self, tx: &mut Tx, fence: &Fence, moment: Timestamp) -> Result<Came, StoreError> {
        operation_runs::hold(tx, fence).await?;
        let tenant = self.tenant_of(fence.run_id).await;
        let run = operation_runs::get(&mut *tx, tenant, fence.run_id).await?.unwrap();
        let well = run.counters.processed == run.counters.total;
        let end = End {
            status: if well { OperationStatus::Completed } else { OperationStatus::Failed },
            reason_code: (!well).then_some(ReasonCode::Internal),
            reason: String::new(),
            rest: if well { Rest::Open } else { Rest::Failed },
        };
        operation_runs::finish(tx, fence, &end, moment).await.map(|_| Came::Done)
    }

    async fn tenant_of(&self, run: OperationRunId) -> TenantId {
        for tenant in &self.tenants {
            if operation_runs::get(&self.database.db, *tenant, run).await.unwrap().is_some() {
                return *tenant;
            }
        }
        panic!("a run of no tenant")
    }

    async fn sweep(&self, moment: i64) -> Came {
        let mut tx = self.database.db.write().await.unwrap();
        let swept = operation_runs::sweep_expired(&mut tx, MAX_LOST, LONGEST, 100, at(moment)).await.unwrap();
        tx.commit().await.unwrap();
        let sorted = |runs: Vec<operation_runs::OperationRun>| {
            let mut indexes: Vec<_> = runs.iter().map(|run| self.index(run.id)).collect();
            indexes.sort_unstable();
            indexes
        };
        Came::Swept(sorted(swept.requeued), sorted(swept.failed))
    }

    async fn cancel(&self, run: usize, moment: i64) -> Came {
        let Some(run) = pick(run, self.runs.len()) else { return Came::Nothing };
        let id = self.runs[run];
        let tenant = self.tenant_of(id).await;
        let mut tx = self.database.db.write().await.unwrap();
        let outcome = operation_runs::request_cancel(&mut tx, tenant, id, ("Olga", None), at(moment)).await.unwrap();
        tx.commit().await.unwrap();
        match outcome {
            CancelOutcome::NotFound => panic!("it is there"),
            CancelOutcome::AlreadyEnded(_) => Came::EndedAlready,
            CancelOutcome::Aborted(_) => Came::Aborted,
            CancelOutcome::Requested(_) => Came::Requested,
        }
    }

    async fn act(&mut self, step: &Step, model: &Model) -> Came {
        match *step {
            Step::Dispatch { tenant, key } => self.dispatch(tenant, key, model.now).await,
            Step::Claim => self.claim(model.now).await,
            Step::Settle { fence } | Step::Renew { fence } | Step::Finish { fence } | Step::Release { fence } => {
                self.as_worker(step, fence, model.now).await
            }
            Step::Pause => {
                self.database.expire_leases().await;
                Came::Nothing
            }
            Step::Sweep => self.sweep(model.now).await,
            Step::Cancel { run } => self.cancel(run, model.now).await,
            Step::Retry { run } => {
                let Some(run) = pick(run, self.runs.len()) else { return Came::Nothing };
                let known = &model.runs[run];
                let tenant = self.tenants[known.tenant];
                let stored = operation_runs::get(&self.database.db, tenant, self.runs[run]).await.unwrap().unwrap();
                if !stored.status.is_terminal() {
                    return Came::Nothing;
                }
                self.dispatch(known.tenant, known.key, model.now).await
            }
        }
    }

    /// What the database has is what the model says.
    async fn compare(&self, model: &Model) {
        assert_eq!(self.runs.len(), model.runs.len());
        for (id, known) in self.runs.iter().zip(&model.runs) {
            let stored =
                operation_runs::get(&self.database.db, self.tenants[known.tenant], *id).await.unwrap().unwrap();
            assert!(stored.counters.is_consistent(), "{stored:?}");
            let seen = Run {
                status: stored.status,
                held: stored.lease_owner.is_some(),
                attempt: stored.attempt,
                lost: stored.lost_leases,
                processed: stored.counters.processed,
                cancel_requested: stored.cancel_requested_at.is_some(),
                began: stored.started_at.map_or(0, |began| began.as_millis() - at(0).as_millis()),
                ..known.clone()
            };
            assert_eq!(&seen, known);
        }
    }
}

/// Does a step, and compares what came of it.
fn take(mut store: Store, model: &Model, step: &Step) -> Store {
    let runtime = Arc::clone(&store.runtime);
    runtime.block_on(async {
        assert_eq!(store.act(step, model).await, model.came, "{step:?}");
        store.compare(model).await;
    });
    store
}

/// The test of one kind of database.
macro_rules! on {
    ($name:ident: $backend:expr) => {
        struct $name;

        impl StateMachineTest for $name {
            type SystemUnderTest = Store;
            type Reference = Model;

            fn init_test(_: &Model) -> Store {
                Store::new($backend)
            }

            fn apply(store: Store, model: &Model, step: Step) -> Store {
                take(store, model, &step)
            }
        }
    };
}
on!(OnSqlite: Backend::Sqlite);
on!(OnPostgres: Backend::Postgres);

fn config() -> Config {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(12);
    Config { cases, failure_persistence: None, max_shrink_iters: 200, ..Config::default() }
}

prop_state_machine! {
    #![proptest_config(config())]

    #[test]
    fn runs_do_as_the_model_says_on_sqlite(sequential 1..60 => OnSqlite);

    #[test]
    fn runs_do_as_the_model_says_on_postgres(sequential 1..60 => OnPostgres);
}
