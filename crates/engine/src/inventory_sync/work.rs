//! One attempt at an inventory sync: its listings are the units.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use futures::future::BoxFuture;
use serde_json::json;
use tenantatlas_domain::normalise::Normaliser;
use tenantatlas_domain::reason::ReasonCode;
use tenantatlas_domain::registry::{Listing, PolicyType, registry};
use tenantatlas_domain::sync::{SyncRunStatus, conclude_sync};
use tenantatlas_domain::time::Timestamp;
use tenantatlas_runs::{RunContext, Stop, Summary, Work};
use tenantatlas_store::inventory::refresh_statistics;
use tenantatlas_store::operation_runs::{self, End, OperationRun};
use tenantatlas_store::sync_runs::{self, SyncEnd, SyncRun};
use tenantatlas_store::{StoreError, Tx};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinHandle;

use super::payload::SyncPayload;
use super::reading::{Reading, ToWriter};
use super::writer::Writer;
use super::{Sources, names, summary};
use crate::graph_reads::{count_requests, sign_in};

/// From so many new items on, statistics are taken anew.
const MANY_INSERTED: u64 = 1_000;
/// Messages that wait for the writer. Bytes bound memory; this bounds the rest.
const INBOX: usize = 64;

pub(crate) struct SyncWork {
    sources: Arc<Sources>,
    context: Arc<RunContext>,
    run: SyncRun,
    include_dependencies: bool,
    reading: Reading,
    listings: Vec<(Listing, Vec<&'static PolicyType>)>,
    writer: Mutex<Option<JoinHandle<Result<(), Stop>>>>,
}

impl SyncWork {
    pub(crate) async fn begin(
        sources: Arc<Sources>,
        context: Arc<RunContext>,
        operation_run: &OperationRun,
        run: SyncRun,
        payload: &SyncPayload,
    ) -> Result<Self, Stop> {
        let earlier = sync_runs::list_types(&sources.db, run.tenant_id, run.id).await?;
        let done: HashSet<&str> =
            earlier.iter().filter(|one| one.outcome.is_some()).map(|one| one.policy_type.as_str()).collect();
        // What was carried over from the run that is continued was not seen by this one.
        let seen = earlier.iter().filter(|one| one.carried_from.is_none()).map(|one| one.items).sum();
        let wanted: Vec<&'static PolicyType> = operation_run
            .item_ids
            .iter()
            .filter(|key| !done.contains(key.as_str()))
            .filter_map(|key| registry().get(key))
            .collect();
        let listings = registry()
            .listings_for(&wanted)
            .into_iter()
            .map(|listing| {
                let types = wanted.iter().copied().filter(|policy_type| listing.serves(policy_type)).collect();
                (listing, types)
            })
            .collect();

        let (session, sign_in, granted) = sign_in(&sources.graph, &sources.vault, &context).await?;
        let (to_writer, inbox) = mpsc::channel(INBOX);
        let in_flight_limit = u32::try_from(sources.config.page_bytes_in_flight / 1024).unwrap_or(u32::MAX).max(1);
        let reading = Reading {
            session,
            normaliser: Normaliser::new(sources.vault.fingerprint_key(run.tenant_id).expose()),
            db: sources.db.clone(),
            tenant: run.tenant_id,
            granted,
            to_writer,
            max_pages: sources.config.max_pages,
            clock: Arc::clone(&sources.clock),
            in_flight: Arc::new(Semaphore::new(in_flight_limit as usize)),
            in_flight_limit,
            processors: Arc::clone(&sources.processors),
            sign_in,
        };
        let writer = Writer::new(Arc::clone(&sources), Arc::clone(&context), run.clone(), seen, inbox);
        let writer = Mutex::new(Some(tokio::spawn(writer.run())));
        let include_dependencies = payload.selection.include_dependencies;
        Ok(Self { sources, context, run, include_dependencies, reading, listings, writer })
    }
}

impl SyncWork {
    /// Waits until what was read is written, and looks up the names of groups where everything was.
    async fn write_rest(&self, stopped: Option<&Stop>) -> Result<(), Stop> {
        let _ = self.reading.to_writer.send(ToWriter::End).await;
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        let written = match writer {
            Some(writer) => writer.await.unwrap_or_else(|error| {
                Err(Stop::failed(ReasonCode::Internal, format!("the writer broke off: {error}")))
            }),
            None => Ok(()),
        };
        written?;
        if stopped.is_none() && self.include_dependencies && self.reading.sign_in.refused().is_none() {
            let (session, db) = (&self.reading.session, &self.sources.db);
            let looked_up =
                names::look_up(session, db, self.run.tenant_id, self.context.fence(), self.run.started_at).await;
            match looked_up {
                Err(StoreError::LeaseLost) => return Err(Stop::LeaseLost),
                Err(error) => tracing::warn!(%error, "group names could not be stored"),
                Ok(()) => {}
            }
        }
        self.refresh_statistics().await;
        Ok(())
    }

    /// After a run that inserted much, the databases would go on planning for the smaller tables of before.
    async fn refresh_statistics(&self) {
        let db = &self.sources.db;
        let refreshed = async {
            let types = sync_runs::list_types(db, self.run.tenant_id, self.run.id).await?;
            if types.iter().map(|one| one.inserted).sum::<u64>() < MANY_INSERTED {
                return Ok(());
            }
            refresh_statistics(db).await
        };
        if let Err(error) = refreshed.await {
            tracing::warn!(%error, "the statistics of the database could not be refreshed");
        }
    }
}

impl Work for SyncWork {
    fn portions(&self) -> usize {
        self.listings.len()
    }

    fn concurrency(&self) -> usize {
        self.sources.config.concurrent_listings
    }

    fn perform(&self, portion: usize) -> BoxFuture<'_, Result<(), Stop>> {
        Box::pin(async move {
            let (listing, wanted) = self.listings[portion].clone();
            self.reading.read_listing(listing, wanted).await
        })
    }

    fn drain<'a>(&'a self, stopped: Option<&'a Stop>) -> BoxFuture<'a, Result<(), Stop>> {
        Box::pin(async move {
            let written = self.write_rest(stopped).await;
            count_requests(&self.reading.session);
            written
        })
    }

    fn finish<'a>(&'a self, tx: &'a mut Tx, end: &'a End, at: Timestamp) -> BoxFuture<'a, Result<Summary, StoreError>> {
        Box::pin(async move {
            let (status, error_codes) = match end.reason_code {
                Some(code) => (SyncRunStatus::Failed, vec![code]),
                None => {
                    let types = sync_runs::list_types(&mut *tx, self.run.tenant_id, self.run.id).await?;
                    (conclude_sync(types.iter().filter_map(|one| one.outcome)), Vec::new())
                }
            };
            let cost = self.reading.session.counter().read();
            let context = json!({ "requests": cost.requests, "retries": cost.retries, "throttled": cost.throttled });
            let sync_end = SyncEnd { status, error_codes, error_context: context, stopped: end.reason_code };
            let run = sync_runs::finish(tx, self.context.fence(), &self.run, &sync_end, at).await?;
            if run.is_completed() {
                let news = sync_runs::news(&mut *tx, &run).await?;
                operation_runs::set_news(tx, self.context.fence(), &news).await?;
            }
            let mut facts = summary(&run);
            facts.insert("requests".to_owned(), json!(cost.requests));
            facts.insert("retries".to_owned(), json!(cost.retries));
            Ok(facts)
        })
    }
}
