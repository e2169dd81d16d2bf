//! One attempt at a reading: the logs are the units and the portions.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::StreamExt as _;
use futures::future::BoxFuture;
use serde_json::json;
use tenantatlas_domain::audit_event::{AuditSource, ReadWindow, Span};
use tenantatlas_domain::ids::{OperationRunId, TenantId};
use tenantatlas_domain::live::{CurrentItem, Progress};
use tenantatlas_domain::reason::ReasonCode;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_graph::{GraphError, GraphSession, RequestCounts};
use tenantatlas_runs::{ITEMS_OBSERVED, QUIET, RunContext, Stop, Summary, Work};
use tenantatlas_store::audit_events::{self, SourceEnd};
use tenantatlas_store::operation_runs::End;
use tenantatlas_store::{StoreError, Tx, with_retries};
use tokio::time::Instant;

use super::Sources;
use super::reading::{Read, end_of_retention, facts_of, request, slices, surely_kept};
use crate::graph_reads::{SignIn, TypeEnd, count_requests, end_of_log, sign_in, whole_list};

/// How often progress within a log is persisted and published at most.
const TELL_INTERVAL: Duration = Duration::from_millis(200);
/// The pause between two pieces of what is removed: whoever waits for the writer has its turn.
const BETWEEN_PIECES: Duration = Duration::from_millis(2);

pub(super) struct AuditReadWork {
    sources: Arc<Sources>,
    context: Arc<RunContext>,
    session: GraphSession,
    sign_in: SignIn,
    /// The application permissions of the token, where it shows them.
    granted: Option<Vec<String>>,
    /// The logs that no earlier attempt has ended.
    open: Vec<AuditSource>,
    told: Mutex<(Progress, Instant)>,
    /// Held by whoever counts a log as ended: two of them would want the row of the run from each other.
    counting: tokio::sync::Mutex<()>,
}

/// Why the reading of a log ended before its end.
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

impl AuditReadWork {
    pub(super) async fn begin(sources: Arc<Sources>, context: Arc<RunContext>) -> Result<Self, Stop> {
        let run = context.run();
        let reads = audit_events::reads_of(&sources.db, run.tenant_id, run.id).await?;
        let ended = |source: &AuditSource| reads.iter().any(|read| read.source == *source && read.outcome.is_some());
        let named = run.item_ids.iter().filter_map(|unit| unit.parse::<AuditSource>().ok());
        let open = named.filter(|source| !ended(source)).collect();
        let items = reads.iter().map(|read| read.events).sum();
        let (session, sign_in, granted) = sign_in(&sources.graph, &sources.vault, &context).await?;
        let told = Mutex::new((Progress { items, current: Vec::new() }, Instant::now()));
        let counting = tokio::sync::Mutex::default();
        Ok(Self { sources, context, session, sign_in, granted, open, told, counting })
    }

    /// The tenant and the run, as every record of the reading names them.
    fn place(&self) -> (TenantId, OperationRunId) {
        let run = self.context.run();
        (run.tenant_id, run.id)
    }

    /// Reads one log, and settles it.
    async fn read_log(&self, source: AuditSource) -> Result<(), Stop> {
        let counter = self.session.counter().child();
        let session = self.session.with_counter(counter.clone());
        let began = self.begin_log(source).await?;
        let accepted = session.times_accepted();
        let mut result = match self.sign_in.refused() {
            Some(error) => Err(Trouble::Graph(error.clone())),
            None => self.read_slices(&session, source, began).await,
        };
        if let Err(Trouble::Graph(error)) = result {
            result = Err(Trouble::Graph(self.sign_in.judge(&self.session, error, accepted).await));
        }
        let end = match result {
            Ok(()) => TypeEnd::succeeded(),
            Err(Trouble::Stop(stop)) => return Err(stop),
            Err(Trouble::Graph(error)) if error.reason == ReasonCode::Cancelled => return Err(Stop::Cancelled),
            Err(Trouble::Graph(error)) => end_of_log(source.permission(), &error, self.granted.as_deref()),
        };
        self.settle(source, &end, counter.read()).await
    }

    /// Begins a log; answers when its reading began, in this attempt or in an earlier one.
    async fn begin_log(&self, source: AuditSource) -> Result<Timestamp, Stop> {
        let began = with_retries(StoreError::is_transient, || async {
            let mut tx = self.sources.db.write().await?;
            let (fence, at) = (self.context.fence(), self.context.now());
            let began = audit_events::begin_source(&mut tx, fence, self.place(), source, at).await?;
            tx.commit().await?;
            Ok(began)
        });
        let began = began.await?;
        let (key, label) = (source.as_str().to_owned(), source.label().to_owned());
        self.lock().0.current.push(CurrentItem { key, label, items: 0 });
        Ok(began)
    }

    /// Reads what is not known yet, slice by slice. The end of what is known moves with each slice, so that an attempt that
    /// is interrupted is gone on with.
    async fn read_slices(&self, session: &GraphSession, source: AuditSource, began: Timestamp) -> Result<(), Trouble> {
        let (tenant, _) = self.place();
        let known = audit_events::source(&self.sources.db, tenant, source).await?;
        let slices = slices(known.as_ref().and_then(audit_events::SourceState::window), began);
        let last = slices.len().saturating_sub(1);
        for (index, slice) in slices.into_iter().enumerate() {
            let oldest = self.read_slice(session, source, slice, index == last).await?;
            self.move_window(source, slice, oldest, began).await?;
        }
        Ok(())
    }

    /// Reads one slice to its end; answers the oldest event that came.
    async fn read_slice(
        &self,
        session: &GraphSession,
        source: AuditSource,
        slice: Span,
        is_last: bool,
    ) -> Result<Option<Timestamp>, Trouble> {
        let mut oldest = None;
        let mut pages = whole_list(session, request(source, slice, is_last)).await?;
        while let Some(page) = pages.next().await {
            let read = facts_of(source, &page?)?;
            oldest = [oldest, read.oldest].into_iter().flatten().min();
            with_retries(StoreError::is_transient, || self.keep(source, &read)).await?;
            self.tell(source, read.events).await?;
        }
        Ok(oldest)
    }

    async fn keep(&self, source: AuditSource, read: &Read) -> Result<(), StoreError> {
        let place = self.place();
        let mut tx = self.sources.db.write().await?;
        let kept = audit_events::record(&mut tx, self.context.fence(), place.0, &read.facts).await?;
        audit_events::count_events(&mut tx, place, source, (read.events, kept)).await?;
        tx.commit().await
    }

    async fn move_window(
        &self,
        source: AuditSource,
        read: Span,
        oldest: Option<Timestamp>,
        began: Timestamp,
    ) -> Result<(), Trouble> {
        let (tenant, _) = self.place();
        let moved = with_retries(StoreError::is_transient, || async {
            let mut tx = self.sources.db.write().await?;
            let known = audit_events::source(&mut tx, tenant, source).await?;
            let former = known.and_then(|known| known.window());
            let window = ReadWindow::after(former, read, surely_kept(source, began), oldest);
            let forgotten = end_of_retention(began);
            let window = ReadWindow { from: window.from.max(forgotten), to: window.to.max(forgotten) };
            let (fence, at) = (self.context.fence(), self.context.now());
            audit_events::set_window(&mut tx, fence, tenant, source, window, at).await?;
            tx.commit().await
        });
        Ok(moved.await?)
    }

    async fn settle(&self, source: AuditSource, end: &TypeEnd, cost: RequestCounts) -> Result<(), Stop> {
        let _turn = self.counting.lock().await;
        let run = with_retries(StoreError::is_transient, || async {
            let (requests, retries) = (cost.requests, cost.retries);
            let source_end = SourceEnd { outcome: end.outcome, reason: end.reason.clone(), requests, retries };
            let mut tx = self.sources.db.write().await?;
            let (fence, at) = (self.context.fence(), self.context.now());
            // It has ended already when the answer to an earlier commit was lost on its way; then it was counted too.
            let first = audit_events::finish_source(&mut tx, fence, self.place(), source, &source_end, at).await?;
            let run = match first {
                true => Some(self.context.settle(&mut tx, &[end.settled(source.as_str())]).await?),
                false => None,
            };
            tx.commit().await?;
            Ok(run)
        });
        let run = run.await?;
        let progress = {
            let mut told = self.lock();
            told.0.current.retain(|item| item.key != source.as_str());
            told.0.clone()
        };
        self.context.publish(run, &progress);
        Ok(())
    }

    /// Counts events that came, and persists and publishes how far the run is when that was last done a while ago.
    async fn tell(&self, source: AuditSource, events: u64) -> Result<(), StoreError> {
        let due = {
            let mut told = self.lock();
            told.0.items += events;
            if let Some(item) = told.0.current.iter_mut().find(|item| item.key == source.as_str()) {
                item.items += events;
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

    /// Removes what is older than events are kept, piece by piece.
    async fn forget(&self) -> Result<(), Stop> {
        let (tenant, _) = self.place();
        let before = end_of_retention(self.context.now());
        loop {
            let more = with_retries(StoreError::is_transient, || async {
                let mut tx = self.sources.db.write().await?;
                let more = audit_events::remove_old(&mut tx, self.context.fence(), tenant, before).await?;
                tx.commit().await?;
                Ok(more)
            });
            if !more.await? {
                return Ok(());
            }
            if self.context.cancellation().is_cancelled() {
                return Ok(());
            }
            tokio::time::sleep(BETWEEN_PIECES).await;
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, (Progress, Instant)> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Work for AuditReadWork {
    fn portions(&self) -> usize {
        self.open.len()
    }

    fn concurrency(&self) -> usize {
        AuditSource::ALL.len()
    }

    fn perform(&self, portion: usize) -> BoxFuture<'_, Result<(), Stop>> {
        Box::pin(self.read_log(self.open[portion]))
    }

    fn drain<'a>(&'a self, stopped: Option<&'a Stop>) -> BoxFuture<'a, Result<(), Stop>> {
        Box::pin(async move {
            count_requests(&self.session);
            match stopped {
                None => self.forget().await,
                Some(_) => Ok(()),
            }
        })
    }

    fn finish<'a>(
        &'a self,
        tx: &'a mut Tx,
        _end: &'a End,
        _at: Timestamp,
    ) -> BoxFuture<'a, Result<Summary, StoreError>> {
        Box::pin(async move {
            let (tenant, run) = self.place();
            let reads = audit_events::reads_of(&mut *tx, tenant, run).await?;
            let sum = |of: fn(&audit_events::SourceRead) -> u64| reads.iter().map(of).sum::<u64>();
            let mut facts = Summary::new();
            facts.insert(ITEMS_OBSERVED.to_owned(), json!(sum(|read| read.events)));
            facts.insert("events_kept".to_owned(), json!(sum(|read| read.kept)));
            facts.insert("requests".to_owned(), json!(sum(|read| read.requests)));
            facts.insert(QUIET.to_owned(), json!(true));
            Ok(facts)
        })
    }
}
