//! One attempt at reading the catalogue: its collections one after the other, each page written as it comes.

use std::sync::Arc;

use futures::StreamExt as _;
use futures::future::BoxFuture;
use serde_json::json;
use tenantatlas_domain::live::{CurrentItem, Progress};
use tenantatlas_domain::reason::ReasonCode;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_graph::{GraphClient, GraphError, GraphSession, GraphVersion, Page, PageRequest};
use tenantatlas_runs::{ITEMS_OBSERVED, RunContext, Stop, Summary, Work};
use tenantatlas_store::operation_runs::{End, hold};
use tenantatlas_store::setting_catalog;
use tenantatlas_store::setting_search;
use tenantatlas_store::{StoreError, Tx, Vault, with_retries};
use tokio::sync::Mutex;

use super::collection::{COLLECTIONS, Collection, QUERY, category, definition, label_of};
use crate::graph_reads::{SignIn, TypeEnd, bounded, sign_in};

/// Of what a collection brought before, the part that it must bring again: fewer are no whole reading.
const FLOOR_PERCENT: u64 = 80;

pub(super) struct RefreshWork {
    context: Arc<RunContext>,
    session: GraphSession,
    sign_in: SignIn,
    entries: Mutex<u64>,
}

impl RefreshWork {
    pub(super) async fn begin(vault: &Vault, graph: &GraphClient, context: Arc<RunContext>) -> Result<Self, Stop> {
        let (session, sign_in, _) = sign_in(graph, vault, &context).await?;
        Ok(Self { context, session, sign_in, entries: Mutex::default() })
    }

    /// Reads the collections that an earlier attempt has not settled.
    async fn read_all(&self) -> Result<(), Stop> {
        let run = self.context.run();
        let done = run.counters.processed as usize;
        for (position, unit) in run.item_ids.iter().enumerate().skip(done) {
            self.tell(unit).await?;
            let end = match COLLECTIONS.iter().find(|one| one.name == *unit) {
                Some(collection) => self.read(collection).await?,
                None => TypeEnd::skipped(ReasonCode::NotFoundInCloud, "The collection is not known any more."),
            };
            self.settle(position, unit, &end).await?;
        }
        Ok(())
    }

    /// Reads one collection to its end.
    async fn read(&self, collection: &'static Collection) -> Result<TypeEnd, Stop> {
        if let Some(error) = self.sign_in.refused() {
            return Ok(failed(error));
        }
        let accepted = self.session.times_accepted();
        let path = format!("deviceManagement/{}", collection.name);
        let mut pages = self.session.pages(PageRequest::new(GraphVersion::Beta, path).query(QUERY));
        let mut came = 0;
        while let Some(page) = pages.next().await {
            let page = match page {
                Ok(page) => page,
                Err(error) if error.reason == ReasonCode::Cancelled => return Err(Stop::Cancelled),
                Err(error) => {
                    let error = self.sign_in.judge(&self.session, error, accepted).await;
                    return Ok(end_of(collection, &error));
                }
            };
            let Ok(entries) = self.write(collection, &page).await? else {
                return Ok(TypeEnd::failed(ReasonCode::ParseFailed, ReasonCode::ParseFailed.sentence()));
            };
            came += entries;
            *self.entries.lock().await += entries;
            self.tell(collection.name).await?;
        }
        self.conclude(collection, came).await
    }

    /// Writes what a page holds. The inner error: an entry could not be understood.
    async fn write(&self, collection: &Collection, page: &Page) -> Result<Result<u64, serde_json::Error>, Stop> {
        let (definitions, categories) = match collection.categories {
            true => match page.items().map(category).collect() {
                Ok(categories) => (Vec::new(), categories),
                Err(error) => return Ok(Err(error)),
            },
            false => match page.items().map(definition).collect() {
                Ok(definitions) => (definitions, Vec::new()),
                Err(error) => return Ok(Err(error)),
            },
        };
        let written = with_retries(StoreError::is_transient, || async {
            let (mut tx, at) = (self.context.db().write().await?, self.context.now());
            hold(&mut tx, self.context.fence()).await?;
            setting_catalog::record_definitions(&mut tx, collection.name, &definitions, at).await?;
            setting_catalog::record_categories(&mut tx, collection.name, &categories, at).await?;
            let ids: Vec<String> = definitions.iter().map(|definition| definition.id.clone()).collect();
            setting_search::mark_renamed(&mut tx, &ids, at).await?;
            tx.commit().await
        });
        written.await?;
        Ok(Ok(page.len() as u64))
    }

    /// A reading that brought far less than the one before was none of the whole: what came stays, and the one before counts.
    async fn conclude(&self, collection: &Collection, came: u64) -> Result<TypeEnd, Stop> {
        let before = setting_catalog::last_reading(self.context.db(), collection.name).await?;
        let floor = before.map_or(1, |before| (before.entries * FLOOR_PERCENT).div_ceil(100).max(1));
        if came < floor && (collection.required || before.is_some()) {
            let expected = before.map_or(floor, |before| before.entries);
            let code = ReasonCode::BodyIncomplete;
            return Ok(TypeEnd::failed(
                code,
                format!("Only {came} of about {expected} entries came: read them again."),
            ));
        }
        let finished = with_retries(StoreError::is_transient, || async {
            let (mut tx, at) = (self.context.db().write().await?, self.context.now());
            hold(&mut tx, self.context.fence()).await?;
            setting_catalog::finish(&mut tx, collection.name, came, at).await?;
            tx.commit().await
        });
        finished.await?;
        Ok(TypeEnd::succeeded())
    }

    async fn progress(&self, unit: Option<&str>) -> Progress {
        let items = *self.entries.lock().await;
        let current = unit.map(|unit| CurrentItem { key: unit.to_owned(), label: label_of(unit), items });
        Progress { items, current: current.into_iter().collect() }
    }

    async fn tell(&self, unit: &str) -> Result<(), Stop> {
        let progress = self.progress(Some(unit)).await;
        let told = with_retries(StoreError::is_transient, || async {
            let mut tx = self.context.db().write().await?;
            hold(&mut tx, self.context.fence()).await?;
            self.context.set_progress(&mut tx, &progress).await?;
            tx.commit().await
        });
        told.await?;
        self.context.publish(None, &progress);
        Ok(())
    }

    /// Counts the unit with this index as ended.
    async fn settle(&self, index: usize, unit: &str, end: &TypeEnd) -> Result<(), Stop> {
        let settled = end.settled(unit);
        let progress = self.progress(None).await;
        let run = with_retries(StoreError::is_transient, || async {
            let mut tx = self.context.db().write().await?;
            let run = self.context.settle_unit(&mut tx, index, settled.clone()).await?;
            tx.commit().await?;
            Ok(run)
        })
        .await?;
        self.context.publish(Some(run), &progress);
        Ok(())
    }
}

fn failed(error: &GraphError) -> TypeEnd {
    TypeEnd::failed(error.reason, bounded(&format!("{} {}", error.reason.sentence(), error.message)))
}

/// What a refused collection means: some are not in every cloud.
fn end_of(collection: &Collection, error: &GraphError) -> TypeEnd {
    let not_there = matches!(error.status, Some(400 | 404)) && !collection.required;
    if not_there || error.reason == ReasonCode::NotFoundInCloud {
        return TypeEnd::skipped(
            ReasonCode::NotFoundInCloud,
            "This collection does not exist in the cloud of this tenant.",
        );
    }
    failed(error)
}

impl Work for RefreshWork {
    fn portions(&self) -> usize {
        1
    }

    fn concurrency(&self) -> usize {
        1
    }

    fn perform(&self, _portion: usize) -> BoxFuture<'_, Result<(), Stop>> {
        Box::pin(self.read_all())
    }

    fn finish<'a>(
        &'a self,
        _tx: &'a mut Tx,
        _end: &'a End,
        _at: Timestamp,
    ) -> BoxFuture<'a, Result<Summary, StoreError>> {
        Box::pin(async move {
            let entries = *self.entries.lock().await;
            Ok(Summary::from_iter([(ITEMS_OBSERVED.to_owned(), json!(entries))]))
        })
    }
}
