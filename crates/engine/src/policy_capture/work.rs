//! One attempt at a capture: its types are the units, and those that share a listing a portion.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::future::BoxFuture;
use serde_json::json;
use tenantatlas_domain::ids::TenantId;
use tenantatlas_domain::live::{CurrentItem, Progress};
use tenantatlas_domain::news::News;
use tenantatlas_domain::normalise::Normaliser;
use tenantatlas_domain::reason::ReasonCode;
use tenantatlas_domain::registry::{Listing, PolicyType, Recipe, recipe, registry};
use tenantatlas_domain::sync::{SyncRunStatus, conclude_sync};
use tenantatlas_domain::time::Timestamp;
use tenantatlas_graph::{GraphSession, RequestCounts};
use tenantatlas_runs::{ITEMS_OBSERVED, QUIET, RunContext, Stop, Summary, Work};
use tenantatlas_store::inventory::ScopeView;
use tenantatlas_store::operation_runs::{End, OperationRun, set_news};
use tenantatlas_store::policies::{self, Capture, CaptureTypeEnd, NewCapture, TenantKey};
use tenantatlas_store::{StoreError, Tx, with_retries};
use tokio::time::Instant;
use uuid::Uuid;

use super::objects::{Tallies, Trouble};
use super::versions::Versions;
use super::{CapturePayload, Sources, label_of, summary};
use crate::graph_reads::{SignIn, TypeEnd, count_requests, end_of, sign_in};

/// Listings whose types are read at the same time: most have few objects, and so a request or two, of which a tenant has
/// sixteen under way at most.
const LISTINGS_AT_ONCE: usize = 16;
/// How often progress within a type is persisted and published at most.
const TELL_INTERVAL: Duration = Duration::from_millis(200);

/// A type that is captured, with how its objects are read whole.
#[derive(Clone, Copy)]
pub(super) struct Captured {
    pub policy_type: &'static PolicyType,
    pub recipe: &'static Recipe,
}

pub(super) struct CaptureWork {
    pub(super) sources: Arc<Sources>,
    pub(super) context: Arc<RunContext>,
    pub(super) payload: CapturePayload,
    session: GraphSession,
    sign_in: SignIn,
    /// The application permissions of the token, where it shows them.
    granted: Option<Vec<String>>,
    /// What the main scope says of the objects: those that are missing are not asked for.
    pub(super) view: ScopeView,
    pub(super) versions: Versions,
    /// What is read, by the listings that the types share.
    listings: Vec<(Listing, Vec<Captured>)>,
    told: Mutex<(Progress, Instant)>,
    /// Held by whoever counts a type as ended: two of them would want the row of the run from each other.
    counting: tokio::sync::Mutex<()>,
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
        let types: Vec<&'static PolicyType> = open.collect();
        let listings = registry().listings_for(&types).into_iter().map(|listing| {
            let served = types.iter().copied().filter(|policy_type| listing.serves(policy_type));
            let captured =
                served.filter_map(|policy_type| Some(Captured { policy_type, recipe: recipe(policy_type)? }));
            let captured = captured.collect();
            (listing, captured)
        });
        let listings = listings.collect();
        let view = ScopeView::load(&sources.db, tenant, None).await?;
        let (session, sign_in, granted) = sign_in(&sources.graph, &sources.vault, &context).await?;
        let normaliser = Normaliser::new(sources.vault.fingerprint_key(tenant).expose());
        let seen = ended.iter().map(|one| one.captured).sum();
        let versions =
            Versions { sources: Arc::clone(&sources), context: Arc::clone(&context), capture, normaliser, key };
        let told = Mutex::new((Progress { items: seen, current: Vec::new() }, Instant::now()));
        let counting = tokio::sync::Mutex::default();
        Ok(Self { sources, context, payload, session, sign_in, granted, view, versions, listings, told, counting })
    }

    fn capture(&self) -> &Capture {
        &self.versions.capture
    }

    pub(super) fn tenant(&self) -> TenantId {
        self.capture().tenant_id
    }

    /// Reads the types of one listing, and settles them.
    async fn capture_listing(&self, listing: &Listing, types: &[Captured]) -> Result<(), Stop> {
        let counter = self.session.counter().child();
        let session = self.session.with_counter(counter.clone());
        for one in types {
            self.begin_type(one.policy_type).await?;
        }
        let accepted = session.times_accepted();
        let mut tallies = Tallies::default();
        let mut result = match self.sign_in.refused() {
            Some(error) => Err(Trouble::Graph(error.clone())),
            None => self.read_types(&session, listing, types, &mut tallies).await,
        };
        if let Err(Trouble::Graph(error)) = result {
            result = Err(Trouble::Graph(self.sign_in.judge(&self.session, error, accepted).await));
        }
        let error = match result {
            Ok(()) => None,
            Err(Trouble::Stop(stop)) => return Err(stop),
            Err(Trouble::Graph(error)) if error.reason == ReasonCode::Cancelled => return Err(Stop::Cancelled),
            Err(Trouble::Graph(error)) => Some(error),
        };
        for one in types {
            let granted = self.granted.as_deref();
            let end = match &error {
                Some(error) => end_of(one.policy_type, error, granted),
                None => tallies.of(one.policy_type).end(one.policy_type, granted),
            };
            self.settle(one.policy_type, &end, counter.read()).await?;
        }
        Ok(())
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
    pub(super) async fn tell(&self, policy_type: &'static PolicyType, captured: u64) -> Result<(), StoreError> {
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
        self.listings.len()
    }

    fn concurrency(&self) -> usize {
        LISTINGS_AT_ONCE
    }

    fn perform(&self, portion: usize) -> BoxFuture<'_, Result<(), Stop>> {
        Box::pin(async move {
            let (listing, types) = &self.listings[portion];
            self.capture_listing(listing, types).await
        })
    }

    fn drain<'a>(&'a self, _stopped: Option<&'a Stop>) -> BoxFuture<'a, Result<(), Stop>> {
        count_requests(&self.session);
        Box::pin(std::future::ready(Ok(())))
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
            if end.reason_code.is_none() {
                let news = News { versions: Some(sum(|one| one.created)), ..News::default() };
                set_news(tx, fence, &news).await?;
            }
            let mut facts = summary(&capture);
            facts.insert(ITEMS_OBSERVED.to_owned(), json!(sum(|one| one.captured)));
            facts.insert("versions_created".to_owned(), json!(sum(|one| one.created)));
            facts.insert("unchanged".to_owned(), json!(sum(|one| one.unchanged)));
            facts.insert("partial".to_owned(), json!(sum(|one| one.partial)));
            facts.insert("gone".to_owned(), json!(sum(|one| one.gone)));
            facts.insert(QUIET.to_owned(), json!(sum(|one| one.created) == 0));
            Ok(facts)
        })
    }
}
