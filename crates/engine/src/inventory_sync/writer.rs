//! The one writer of a run: what the readers saw goes into the database in transactions of some hundred items.
//!
//! While a transaction is written the readers go on; what they hand over meanwhile makes the next one. A type's end,
//! its counters and the run's counters are committed together, after everything that was read of the type.
//!
//! Ids and names come in no order, so each transaction changes nearly as many pages of the indexes as it has rows, and writes
//! each of them whole. A longer one writes them once for more rows: it goes on batch by batch until somebody else waits.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use metrics::counter;
use tenantatlas_domain::live::{CurrentItem, Progress};
use tenantatlas_domain::registry::PolicyType;
use tenantatlas_runs::{RunContext, Stop};
use tenantatlas_store::inventory::{ObservedItem, lock_types, write_batch};
use tenantatlas_store::operation_runs::OperationRun;
use tenantatlas_store::sync_runs::{self, SyncRun, TypeEnd, TypeRun};
use tenantatlas_store::{StoreError, Tx, with_retries};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::Sources;
use super::page::Held;
use super::reading::{ToWriter, TypeRecord};

/// Transactions with fewer items do not wait for their turn among the bulk transactions.
const SMALL: usize = 50;
/// Types named as being worked on now, at most.
const MAX_CURRENT: usize = 12;

pub(crate) struct Writer {
    sources: Arc<Sources>,
    context: Arc<RunContext>,
    run: SyncRun,
    inbox: mpsc::Receiver<ToWriter>,
    types: HashMap<&'static str, TypeRun>,
    /// Items per type in this attempt, for progress.
    counts: HashMap<&'static str, u64>,
    progress: Progress,
    told: Instant,
    untold: bool,
}

/// What goes into one transaction, or into several where others wait to write.
#[derive(Default)]
struct Portion {
    begun: Vec<&'static PolicyType>,
    items: BTreeMap<&'static str, Vec<ObservedItem>>,
    count: usize,
    settled: Vec<TypeRecord>,
    held: Vec<Held>,
    last: bool,
}

/// Items of one type that are written at once.
type Batch<'a> = (&'static str, &'a [ObservedItem]);

/// What a transaction did.
#[derive(Default)]
struct Written {
    types: HashMap<&'static str, TypeRun>,
    fresh: HashMap<&'static str, u64>,
    /// How many of the batches it holds: the others follow in a transaction of their own.
    batches: usize,
    run: Option<OperationRun>,
}

impl Writer {
    /// `items` counts what earlier attempts saw.
    pub(crate) fn new(
        sources: Arc<Sources>,
        context: Arc<RunContext>,
        run: SyncRun,
        items: u64,
        inbox: mpsc::Receiver<ToWriter>,
    ) -> Self {
        let told = Instant::now();
        let progress = Progress { items, current: Vec::new() };
        Self {
            sources,
            context,
            run,
            inbox,
            types: HashMap::new(),
            counts: HashMap::new(),
            progress,
            told,
            untold: false,
        }
    }

    /// Writes until the readers say that nothing follows. A failure stops the run.
    pub(crate) async fn run(mut self) -> Result<(), Stop> {
        let mut result = self.write_all().await;
        if result.is_ok() && self.untold {
            // What came last counts too: the run that ends shows all that it saw.
            result = self.tell_progress().await;
        }
        if let Err(stop) = &result {
            self.context.stop(stop.clone());
        }
        result
    }

    async fn write_all(&mut self) -> Result<(), Stop> {
        let interval = self.sources.config.progress_interval;
        loop {
            let due = self.told + interval;
            let first = tokio::select! {
                message = self.inbox.recv() => message,
                () = tokio::time::sleep_until(due), if self.untold => {
                    self.tell_progress().await?;
                    continue;
                }
            };
            let Some(first) = first else { return Ok(()) };
            let portion = self.gather(first);
            let last = portion.last;
            self.write(portion).await?;
            if self.untold && self.told.elapsed() >= interval {
                self.tell_progress().await?;
            }
            if last {
                return Ok(());
            }
        }
    }

    /// Items that are written at once: fewer where several runs stand in line.
    fn batch(&self) -> usize {
        let write_batch = self.sources.config.write_batch;
        let alone = self.context.runs_here() <= 1;
        (if alone { write_batch } else { write_batch / 4 }).max(1)
    }

    /// Takes what waits already, up to as many batches as a transaction may hold.
    fn gather(&mut self, first: ToWriter) -> Portion {
        let limit = self.batch() * self.sources.config.batches_per_transaction.max(1);
        let mut portion = Portion::default();
        portion.take(first);
        while !portion.last && portion.count < limit {
            let Ok(next) = self.inbox.try_recv() else { break };
            portion.take(next);
        }
        portion
    }

    async fn write(&mut self, portion: Portion) -> Result<(), Stop> {
        let sources = Arc::clone(&self.sources);
        let batches: Vec<Batch<'_>> = portion.batches(self.batch());
        let mut done = 0;
        loop {
            let (begin, rest) = (done == 0, &batches[done..]);
            let turn = if portion.count > SMALL { sources.bulk.acquire().await.ok() } else { None };
            let written = with_retries(StoreError::is_transient, || self.transaction(&portion, begin, rest)).await?;
            drop(turn);
            if written.batches > 0 {
                let items: usize = rest[..written.batches].iter().map(|(_, items)| items.len()).sum();
                counter!("inventory_items_written_total").increment(items as u64);
                counter!("inventory_write_batches_total").increment(1);
            }
            done += written.batches;
            let last = done == batches.len();
            self.account(&portion, begin, last, written);
            if last {
                return Ok(());
            }
        }
    }

    /// Writes the beginnings of types where they are not written yet, batches until another writer waits, and the ends of
    /// types once all batches are written.
    async fn transaction(&self, portion: &Portion, begin: bool, rest: &[Batch<'_>]) -> Result<Written, StoreError> {
        let (context, run) = (&self.context, &self.run);
        let at = context.now();
        let settled_keys = portion.settled.iter().map(|record| record.policy_type.key);
        let keys: BTreeSet<&str> = rest.iter().map(|(key, _)| *key).chain(settled_keys).collect();
        let mut tx = context.db().write().await?;
        lock_types(&mut tx, run.tenant_id, &keys).await?;
        let mut written = Written::default();
        for policy_type in portion.begun.iter().filter(|_| begin) {
            let type_run = sync_runs::begin_type(&mut tx, context.fence(), run, policy_type.key, at).await?;
            written.types.insert(policy_type.key, type_run);
        }
        for (key, items) in rest {
            if let Some(type_run) = written.types.get(key).or_else(|| self.types.get(key)) {
                let result = write_batch(&mut tx, context.fence(), run, type_run, items, at).await?;
                *written.fresh.entry(key).or_default() += result.fresh();
            }
            written.batches += 1;
            if context.db().is_write_awaited() {
                break;
            }
        }
        if written.batches == rest.len() {
            written.run = self.settle(&mut tx, &portion.settled).await?;
        }
        tx.commit().await?;
        Ok(written)
    }

    /// Writes the ends of types and the counters of the run.
    async fn settle(&self, tx: &mut Tx, records: &[TypeRecord]) -> Result<Option<OperationRun>, StoreError> {
        let mut settled = Vec::with_capacity(records.len());
        for record in records {
            let (key, end) = (record.policy_type.key, type_end(record));
            let fence = self.context.fence();
            let ended = sync_runs::finish_type(tx, fence, &self.run, key, &end, record.finished_at).await?;
            // It has ended already when the answer to an earlier commit was lost on its way; then it was counted too.
            if ended.is_some() {
                settled.push(record.end.settled(key));
            }
        }
        if settled.is_empty() { Ok(None) } else { self.context.settle(tx, &settled).await.map(Some) }
    }

    /// Takes over what was committed, and publishes when a type came to its end.
    fn account(&mut self, portion: &Portion, begun: bool, ended: bool, written: Written) {
        self.types.extend(written.types);
        for policy_type in portion.begun.iter().filter(|_| begun) {
            let (key, label) = (policy_type.key.to_owned(), policy_type.label.to_owned());
            self.progress.current.push(CurrentItem { key, label, items: 0 });
        }
        for (key, fresh) in written.fresh {
            *self.counts.entry(key).or_default() += fresh;
            self.progress.items += fresh;
        }
        for record in portion.settled.iter().filter(|_| ended) {
            let key = record.policy_type.key;
            self.progress.current.retain(|item| item.key != key);
            self.types.remove(key);
        }
        for item in &mut self.progress.current {
            item.items = self.counts.get(item.key.as_str()).copied().unwrap_or_default();
        }
        self.untold |= portion.count > 0 || !portion.begun.is_empty();
        if written.run.is_some() {
            self.context.publish(written.run, &self.shown());
        }
    }

    /// Persists and publishes how far the run is within its types.
    async fn tell_progress(&mut self) -> Result<(), Stop> {
        let shown = self.shown();
        self.told = Instant::now();
        match self.store_progress(&shown).await {
            Ok(()) => {
                self.context.publish(None, &shown);
                self.untold = false;
                Ok(())
            }
            // How far it is is told again soon; the data is written with more patience.
            Err(error) if error.is_transient() => {
                tracing::warn!(%error, "the progress could not be stored");
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn store_progress(&self, shown: &Progress) -> Result<(), StoreError> {
        let mut tx = self.context.db().write().await?;
        self.context.set_progress(&mut tx, shown).await?;
        tx.commit().await
    }

    fn shown(&self) -> Progress {
        let current = self.progress.current.iter().take(MAX_CURRENT).cloned().collect();
        Progress { items: self.progress.items, current }
    }
}

impl Portion {
    /// The items in batches of at most `size`, each of one type.
    fn batches(&self, size: usize) -> Vec<Batch<'_>> {
        self.items.iter().flat_map(|(key, items)| items.chunks(size).map(|batch| (*key, batch))).collect()
    }

    fn take(&mut self, message: ToWriter) {
        match message {
            ToWriter::Begun(types) => self.begun.extend(types),
            ToWriter::Items { observed, held } => {
                self.count += observed.len();
                self.held.push(held);
                for one in observed {
                    self.items.entry(one.policy_type.key).or_default().push(one.item);
                }
            }
            ToWriter::Settled(record) => self.settled.push(*record),
            ToWriter::End => self.last = true,
        }
    }
}

fn type_end(record: &TypeRecord) -> TypeEnd {
    let (reason_code, message) = record.end.reason.clone().unzip();
    TypeEnd {
        outcome: record.end.outcome,
        reason_code,
        message,
        pages: u64::from(record.pages),
        requests: record.cost.requests,
        retries: record.cost.retries,
        throttled: record.cost.throttled,
        bytes: record.cost.bytes,
        unsteady: record.unsteady,
    }
}
