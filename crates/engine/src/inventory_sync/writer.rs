//! The one writer of a run: what the readers saw goes into the database in transactions of some hundred items.
//!
//! While a transaction is written the readers go on; what they hand over meanwhile makes the next one. A type's end,
//! its counters and the run's counters are committed together, after everything that was read of the type.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use metrics::counter;
use tenantatlas_domain::live::{CurrentItem, Progress};
use tenantatlas_domain::registry::PolicyType;
use tenantatlas_runs::{RunContext, Stop};
use tenantatlas_store::inventory::{ObservedItem, lock_types, write_batch};
use tenantatlas_store::operation_runs::OperationRun;
use tenantatlas_store::sync_runs::{self, SyncRun, TypeEnd, TypeRun};
use tenantatlas_store::{StoreError, with_retries};
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

/// What goes into one transaction.
#[derive(Default)]
struct Portion {
    begun: Vec<&'static PolicyType>,
    items: BTreeMap<&'static str, Vec<ObservedItem>>,
    count: usize,
    settled: Vec<TypeRecord>,
    held: Vec<Held>,
    last: bool,
}

/// What a transaction did.
struct Written {
    types: HashMap<&'static str, TypeRun>,
    fresh: HashMap<&'static str, u64>,
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

    /// Items of one transaction: fewer where several runs stand in line.
    fn batch(&self) -> usize {
        let write_batch = self.sources.config.write_batch;
        let alone = self.context.runs_here() <= 1;
        (if alone { write_batch } else { write_batch / 4 }).max(1)
    }

    /// Takes what waits already, up to one batch.
    fn gather(&mut self, first: ToWriter) -> Portion {
        let limit = self.batch();
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
        let turn = if portion.count > SMALL { sources.bulk.acquire().await.ok() } else { None };
        let written = with_retries(StoreError::is_transient, || self.transaction(&portion)).await?;
        drop(turn);
        if portion.count > 0 {
            counter!("inventory_items_written_total").increment(portion.count as u64);
            counter!("inventory_write_batches_total").increment(1);
        }
        self.account(&portion, written);
        Ok(())
    }

    async fn transaction(&self, portion: &Portion) -> Result<Written, StoreError> {
        let (context, run) = (&self.context, &self.run);
        let at = context.now();
        let settled_keys = portion.settled.iter().map(|record| record.policy_type.key);
        let keys: BTreeSet<&str> = portion.items.keys().copied().chain(settled_keys).collect();
        let mut tx = context.db().write().await?;
        lock_types(&mut tx, run.tenant_id, &keys).await?;
        let mut written = Written { types: HashMap::new(), fresh: HashMap::new(), run: None };
        for policy_type in &portion.begun {
            let type_run = sync_runs::begin_type(&mut tx, context.fence(), run, policy_type.key, at).await?;
            written.types.insert(policy_type.key, type_run);
        }
        for (key, items) in &portion.items {
            let Some(type_run) = written.types.get(key).or_else(|| self.types.get(key)) else { continue };
            let limit = self.batch();
            for batch in items.chunks(limit) {
                let result = write_batch(&mut tx, context.fence(), run, type_run, batch, at).await?;
                *written.fresh.entry(key).or_default() += result.fresh();
            }
        }
        let mut settled = Vec::with_capacity(portion.settled.len());
        for record in &portion.settled {
            let end = type_end(record);
            let key = record.policy_type.key;
            let ended = sync_runs::finish_type(&mut tx, context.fence(), run, key, &end, record.finished_at).await?;
            // It has ended already when the answer to an earlier commit was lost on its way; then it was counted too.
            if ended.is_some() {
                settled.push(record.end.settled(key));
            }
        }
        if !settled.is_empty() {
            written.run = Some(context.settle(&mut tx, &settled).await?);
        }
        tx.commit().await?;
        Ok(written)
    }

    /// Takes over what was committed, and publishes when a type came to its end.
    fn account(&mut self, portion: &Portion, written: Written) {
        self.types.extend(written.types);
        for policy_type in &portion.begun {
            let (key, label) = (policy_type.key.to_owned(), policy_type.label.to_owned());
            self.progress.current.push(CurrentItem { key, label, items: 0 });
        }
        for (key, fresh) in written.fresh {
            *self.counts.entry(key).or_default() += fresh;
            self.progress.items += fresh;
        }
        for record in &portion.settled {
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
