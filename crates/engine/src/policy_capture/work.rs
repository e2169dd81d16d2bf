//! One attempt at a capture: its types are the units.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::future::BoxFuture;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::json;
use tenantatlas_domain::ids::{ItemId, TenantId};
use tenantatlas_domain::live::{CurrentItem, Progress};
use tenantatlas_domain::normalise::Normaliser;
use tenantatlas_domain::presence::Presence;
use tenantatlas_domain::reason::ReasonCode;
use tenantatlas_domain::registry::{PolicyType, Recipe, recipe, registry};
use tenantatlas_domain::sync::{SyncRunStatus, conclude_sync};
use tenantatlas_domain::time::Timestamp;
use tenantatlas_graph::{GraphError, GraphSession, RequestCounts};
use tenantatlas_runs::{ITEMS_OBSERVED, RunContext, Stop, Summary, Work};
use tenantatlas_store::inventory::{ScopeView, find_many};
use tenantatlas_store::operation_runs::{End, OperationRun};
use tenantatlas_store::policies::{self, Capture, CaptureTypeEnd, NewCapture, TenantKey};
use tenantatlas_store::{StoreError, Tx, with_retries};
use tokio::time::Instant;
use uuid::Uuid;

use super::reading::{self, is_too_much, orphan};
use super::target::{State, Target, Wanted};
use super::versions::Versions;
use super::{CapturePayload, Sources, label_of, summary};
use crate::graph_reads::{Failures, SignIn, TypeEnd, end_of, sign_in};

/// Types that are read at the same time: most have few objects, and so a request or two.
const TYPES_AT_ONCE: usize = 8;
/// Objects that are read together: a batch.
const OBJECTS_AT_ONCE: usize = 20;
/// Such groups of one type that are under way at the same time.
const GROUPS_AT_ONCE: usize = 4;
/// Objects of the inventory that are looked at in one go.
const ITEMS_AT_ONCE: usize = 500;
/// How often progress within a type is persisted and published at most.
const TELL_INTERVAL: Duration = Duration::from_millis(200);

pub(super) struct CaptureWork {
    sources: Arc<Sources>,
    context: Arc<RunContext>,
    payload: CapturePayload,
    session: GraphSession,
    sign_in: SignIn,
    /// The application permissions of the token, where it shows them.
    granted: Option<Vec<String>>,
    /// What the main scope says of the objects: those that are missing are not asked for.
    view: ScopeView,
    versions: Versions,
    types: Vec<(&'static PolicyType, &'static Recipe)>,
    told: Mutex<(Progress, Instant)>,
    /// Held by whoever counts a type as ended: two of them would want the row of the run from each other.
    counting: tokio::sync::Mutex<()>,
}

/// How the objects of one type were read.
#[derive(Default)]
struct Tally {
    asked: u64,
    failures: Option<Failures>,
}

impl CaptureWork {
    pub(super) async fn begin(
        sources: Arc<Sources>,
        context: Arc<RunContext>,
        payload: CapturePayload,
    ) -> Result<Self, Stop> {
        let run = context.run();
        let tenant = run.tenant_id;
        let (capture, key) = with_retries(StoreError::is_transient, || open(&sources, &context, &run)).await?;
        let ended = policies::list_types(&sources.db, tenant, capture.id).await?;
        let is_open = |key: &String| ended.iter().all(|one| one.policy_type != *key || one.outcome.is_none());
        let open = run.item_ids.iter().filter(|key| is_open(key)).filter_map(|key| registry().get(key));
        let types = open.filter_map(|policy_type| Some((policy_type, recipe(policy_type)?))).collect();
        let view = ScopeView::load(&sources.db, tenant, None).await?;
        let (session, sign_in, granted) = sign_in(&sources.graph, &sources.vault, &context).await?;
        let normaliser = Normaliser::new(sources.vault.fingerprint_key(tenant).expose());
        let seen = ended.iter().map(|one| one.captured).sum();
        let versions =
            Versions { sources: Arc::clone(&sources), context: Arc::clone(&context), capture, normaliser, key };
        let told = Mutex::new((Progress { items: seen, current: Vec::new() }, Instant::now()));
        let counting = tokio::sync::Mutex::default();
        Ok(Self { sources, context, payload, session, sign_in, granted, view, versions, types, told, counting })
    }

    fn capture(&self) -> &Capture {
        &self.versions.capture
    }

    fn tenant(&self) -> TenantId {
        self.capture().tenant_id
    }

    async fn capture_type(&self, policy_type: &'static PolicyType, recipe: &'static Recipe) -> Result<(), Stop> {
        let counter = self.session.counter().child();
        let session = self.session.with_counter(counter.clone());
        self.begin_type(policy_type).await?;
        let accepted = session.times_accepted();
        let mut tally = Tally::default();
        let mut result = match self.sign_in.refused() {
            Some(error) => Err(Trouble::Graph(error.clone())),
            None => self.read_type(&session, policy_type, recipe, &mut tally).await,
        };
        if let Err(Trouble::Graph(error)) = result {
            result = Err(Trouble::Graph(self.sign_in.judge(&self.session, error, accepted).await));
        }
        let end = match result {
            Ok(()) => tally.end(policy_type, self.granted.as_deref()),
            Err(Trouble::Stop(stop)) => return Err(stop),
            Err(Trouble::Graph(error)) if error.reason == ReasonCode::Cancelled => return Err(Stop::Cancelled),
            Err(Trouble::Graph(error)) => end_of(policy_type, &error, self.granted.as_deref()),
        };
        self.settle(policy_type, &end, counter.read()).await
    }

    /// Reads the objects of a type, so many at a time.
    async fn read_type(
        &self,
        session: &GraphSession,
        policy_type: &'static PolicyType,
        recipe: &'static Recipe,
        tally: &mut Tally,
    ) -> Result<(), Trouble> {
        let ids = self.items_of(policy_type).await?;
        let mut parents: Option<HashMap<String, String>> = None;
        for page in ids.chunks(ITEMS_AT_ONCE) {
            let mut wanted = self.wanted(policy_type, page).await?;
            if wanted.is_empty() {
                continue;
            }
            let parents = match &mut parents {
                Some(parents) => parents,
                none => none.insert(reading::parents(session, policy_type).await?),
            };
            for one in &mut wanted {
                one.parent = parents.get(&one.external_id).cloned();
            }
            let groups: Vec<Vec<Wanted>> = wanted.chunks(OBJECTS_AT_ONCE).map(<[Wanted]>::to_vec).collect();
            let read = |group| async move { self.read_group(session, policy_type, recipe, group).await };
            let mut read = stream::iter(groups).map(read).buffer_unordered(GROUPS_AT_ONCE);
            while let Some((asked, failures)) = read.try_next().await? {
                tally.add(asked, failures);
                if tally.failures.as_ref().is_some_and(Failures::are_of_the_type) {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    async fn items_of(&self, policy_type: &'static PolicyType) -> Result<Vec<ItemId>, StoreError> {
        let (db, tenant) = (&self.sources.db, self.tenant());
        match &self.payload.items {
            None => policies::items_of_type(db, tenant, policy_type.key).await,
            Some(picked) => match picked.get(policy_type.key) {
                Some(ids) => policies::items_by_id(db, tenant, policy_type.key, ids).await,
                None => Ok(Vec::new()),
            },
        }
    }

    /// Those of the objects that are to be read: not those that are missing, nor what is not wanted again.
    async fn wanted(&self, policy_type: &'static PolicyType, ids: &[ItemId]) -> Result<Vec<Wanted>, StoreError> {
        let db = &self.sources.db;
        let picked = self.payload.items.is_some();
        let rows = find_many(db, &self.view, ids).await?;
        let there = rows.into_iter().filter(|row| picked || !matches!(row.presence, Presence::Missing { .. }));
        let mut wanted: Vec<Wanted> = there.map(|row| Wanted::from(row.item)).collect();
        let continues = self.payload.continues;
        if self.payload.changed || continues.is_some() {
            let ids: Vec<String> = wanted.iter().map(|one| one.external_id.clone()).collect();
            let heads = policies::heads(db, self.tenant(), policy_type.key, &ids).await?;
            wanted.retain(|one| {
                heads.get(&one.external_id).is_none_or(|head| {
                    let same = (head.item_hash, head.item_normaliser) == one.item;
                    !(self.payload.changed && same) && continues != Some(head.capture_id)
                })
            });
        }
        Ok(wanted)
    }

    /// Reads some objects on a workbench, and keeps what they became. Answers how many were asked for and what failed.
    async fn read_group(
        &self,
        session: &GraphSession,
        policy_type: &'static PolicyType,
        recipe: &'static Recipe,
        group: Vec<Wanted>,
    ) -> Result<(u64, Vec<GraphError>), Trouble> {
        let read_at = self.context.now();
        let mut targets: Vec<Target> =
            group.into_iter().map(|wanted| Target::new(policy_type, recipe, wanted)).collect();
        targets.iter_mut().for_each(orphan);
        let workbench = session.on_workbench();
        reading::read(&workbench, &mut targets).await?;
        let too_much = |target: &Target| matches!(&target.state, State::Failed(error) if is_too_much(error));
        let (again, targets): (Vec<Target>, Vec<Target>) = targets.into_iter().partition(too_much);
        let mut asked = targets.len() as u64;
        // The workbench is kept until what lies on it is written.
        let mut failures = self.keep(policy_type, targets, read_at).await?;
        drop(workbench);
        for target in again {
            // What did not fit beside others may fit alone.
            let mut alone = vec![Target::new(policy_type, recipe, target.wanted)];
            let workbench = session.on_workbench();
            reading::read(&workbench, &mut alone).await?;
            failures.extend(self.keep(policy_type, alone, read_at).await?);
            asked += 1;
        }
        Ok((asked, failures))
    }

    /// Keeps what objects became, and answers why those failed that could not be read.
    async fn keep(
        &self,
        policy_type: &'static PolicyType,
        targets: Vec<Target>,
        read_at: Timestamp,
    ) -> Result<Vec<GraphError>, Trouble> {
        let failed = targets.iter().filter_map(|target| match &target.state {
            State::Failed(error) => Some(error.clone()),
            State::Read | State::Gone => None,
        });
        let failed: Vec<GraphError> = failed.collect();
        if let Some(error) = failed.iter().find(|error| error.concerns_all()) {
            return Err(Trouble::Graph(error.clone()));
        }
        let counted = self.versions.keep(policy_type, targets, read_at).await?;
        self.tell(policy_type, counted.captured).await?;
        Ok(failed)
    }

    async fn begin_type(&self, policy_type: &'static PolicyType) -> Result<(), Stop> {
        let begun = with_retries(StoreError::is_transient, || async {
            let mut tx = self.sources.db.write().await?;
            let (fence, at) = (self.context.fence(), self.context.now());
            policies::begin_type(&mut tx, fence, self.capture(), policy_type.key, at).await?;
            tx.commit().await
        });
        begun.await?;
        let current = CurrentItem { key: policy_type.key.to_owned(), label: label_of(policy_type.key), items: 0 };
        self.lock().0.current.push(current);
        Ok(())
    }

    async fn settle(&self, policy_type: &'static PolicyType, end: &TypeEnd, cost: RequestCounts) -> Result<(), Stop> {
        let key = policy_type.key;
        let _turn = self.counting.lock().await;
        let run = with_retries(StoreError::is_transient, || async {
            let (reason_code, message) = end.reason.clone().unzip();
            let (requests, retries) = (cost.requests, cost.retries);
            let type_end = CaptureTypeEnd { outcome: end.outcome, reason_code, message, requests, retries };
            let mut tx = self.sources.db.write().await?;
            let (fence, at) = (self.context.fence(), self.context.now());
            // It has ended already when the answer to an earlier commit was lost on its way; then it was counted too.
            let run = match policies::finish_type(&mut tx, fence, self.capture(), key, &type_end, at).await? {
                true => Some(self.context.settle(&mut tx, &[end.settled(key)]).await?),
                false => None,
            };
            tx.commit().await?;
            Ok(run)
        });
        let run = run.await?;
        let progress = {
            let mut told = self.lock();
            told.0.current.retain(|item| item.key != key);
            told.0.clone()
        };
        self.context.publish(run, &progress);
        Ok(())
    }

    /// Counts objects that were read, and persists and publishes how far the run is when that was last done a while ago.
    async fn tell(&self, policy_type: &'static PolicyType, captured: u64) -> Result<(), StoreError> {
        let due = {
            let mut told = self.lock();
            told.0.items += captured;
            if let Some(item) = told.0.current.iter_mut().find(|item| item.key == policy_type.key) {
                item.items += captured;
            }
            let due = told.1.elapsed() >= TELL_INTERVAL;
            if due {
                told.1 = Instant::now();
            }
            due.then(|| told.0.clone())
        };
        let Some(progress) = due else { return Ok(()) };
        let stored = async {
            let mut tx = self.sources.db.write().await?;
            self.context.set_progress(&mut tx, &progress).await?;
            tx.commit().await
        };
        match stored.await {
            Ok(()) => self.context.publish(None, &progress),
            // How far it is is told again soon.
            Err(error) if error.is_transient() => tracing::warn!(%error, "the progress could not be stored"),
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, (Progress, Instant)> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why the reading of a type ended before its end.
enum Trouble {
    Graph(GraphError),
    Stop(Stop),
}

impl From<GraphError> for Trouble {
    fn from(error: GraphError) -> Self {
        Self::Graph(error)
    }
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self::Stop(error.into())
    }
}

impl Tally {
    fn add(&mut self, asked: u64, failed: Vec<GraphError>) {
        self.asked += asked;
        for error in failed {
            match &mut self.failures {
                Some(failures) => failures.count += 1,
                none => *none = Some(Failures { first: error, count: 1 }),
            }
        }
    }

    /// How the type ended. Where every object met the same, it says something about the type, as a refused list does.
    fn end(&self, policy_type: &PolicyType, granted: Option<&[String]>) -> TypeEnd {
        match &self.failures {
            None => TypeEnd::succeeded(),
            Some(failures) if failures.count == self.asked => end_of(policy_type, &failures.first, granted),
            Some(failures) => failures.end(policy_type, granted),
        }
    }
}

/// Begins the capture, and opens the key of the tenant.
async fn open(sources: &Sources, context: &RunContext, run: &OperationRun) -> Result<(Capture, TenantKey), StoreError> {
    let new = NewCapture {
        id: Uuid::now_v7().into(),
        tenant_id: run.tenant_id,
        operation_run_id: run.id,
        user_id: run.user_id,
    };
    let at = sources.clock.now();
    let mut tx = sources.db.write().await?;
    let capture = policies::begin(&mut tx, context.fence(), &new, at).await?;
    let key = TenantKey::open_or_make(&mut tx, &sources.vault, run.tenant_id, at).await?;
    tx.commit().await?;
    Ok((capture, key))
}

impl Work for CaptureWork {
    fn portions(&self) -> usize {
        self.types.len()
    }

    fn concurrency(&self) -> usize {
        TYPES_AT_ONCE
    }

    fn perform(&self, portion: usize) -> BoxFuture<'_, Result<(), Stop>> {
        Box::pin(async move {
            let (policy_type, recipe) = self.types[portion];
            self.capture_type(policy_type, recipe).await
        })
    }

    fn finish<'a>(&'a self, tx: &'a mut Tx, end: &'a End, at: Timestamp) -> BoxFuture<'a, Result<Summary, StoreError>> {
        Box::pin(async move {
            let types = policies::list_types(&mut *tx, self.tenant(), self.capture().id).await?;
            let status = match end.reason_code {
                Some(_) => SyncRunStatus::Failed,
                None => conclude_sync(types.iter().filter_map(|one| one.outcome)),
            };
            let cost = self.session.counter().read();
            let (fence, costs) = (self.context.fence(), (cost.requests, cost.retries));
            let capture = policies::finish(tx, fence, self.capture(), status, end.reason_code, costs, at).await?;
            let sum = |of: fn(&policies::CaptureTypeRun) -> u64| types.iter().map(of).sum::<u64>();
            let mut facts = summary(&capture);
            facts.insert(ITEMS_OBSERVED.to_owned(), json!(sum(|one| one.captured)));
            facts.insert("versions_created".to_owned(), json!(sum(|one| one.created)));
            facts.insert("unchanged".to_owned(), json!(sum(|one| one.unchanged)));
            facts.insert("partial".to_owned(), json!(sum(|one| one.partial)));
            facts.insert("gone".to_owned(), json!(sum(|one| one.gone)));
            Ok(facts)
        })
    }
}
