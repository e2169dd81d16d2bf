//! Workers: claim a run, hold it while it is worked on, end it.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex};

use futures::FutureExt as _;
use futures::stream::{self, StreamExt};
use metrics::counter;
use tenantatlas_domain::operation::{OperationStatus, conclude};
use tenantatlas_domain::reason::ReasonCode;
use tenantatlas_store::operation_runs::{self, Claim, End, Fence, OperationRun, Rest};
use tenantatlas_store::{StoreError, with_retries};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, Span};

use crate::context::RunContext;
use crate::core::Core;
use crate::follow_up::{self, FollowUps};
use crate::operation::{Summary, Work};
use crate::registry::AnyOperation;
use crate::stop::Stop;
use crate::{completion, heartbeat, traced};

/// One worker: one run after the other, until the process stops.
pub(crate) async fn work(core: Arc<Core>) {
    loop {
        let Some((run, fence)) = next_run(&core).await else { return };
        let span = traced::span(&run);
        attempt(&core, run, fence, &span).instrument(span.clone()).await;
        // A place became free.
        core.wake.notify_one();
    }
}

/// Waits for a run. Of all idle workers one looks, so that an idle process asks the database once, not once per worker.
async fn next_run(core: &Arc<Core>) -> Option<(OperationRun, Fence)> {
    let looking = tokio::select! {
        () = core.commands.stopping.cancelled() => return None,
        looking = core.looking.lock() => looking,
    };
    loop {
        if core.commands.stopping.is_cancelled() {
            return None;
        }
        match claim(core).await {
            Ok(Some(claimed)) => {
                drop(looking);
                return Some(claimed);
            }
            Ok(None) => {}
            Err(error) => tracing::warn!(%error, "looking for work failed"),
        }
        tokio::select! {
            () = core.commands.stopping.cancelled() => return None,
            () = core.wake.notified() => {}
            () = tokio::time::sleep(core.config.poll_interval) => {}
        }
    }
}

async fn claim(core: &Core) -> Result<Option<(OperationRun, Fence)>, StoreError> {
    let depth = operation_runs::queue_depth(&core.commands.db).await?;
    if depth.pending == 0 && depth.running <= core.working.count() {
        return Ok(None);
    }
    let limits = core.limits();
    let claim = Claim { owner: &core.owner, lease: core.config.lease, limits: &limits };
    let mut tx = core.commands.db.write().await?;
    let claimed = operation_runs::claim(&mut tx, &claim, core.commands.clock.now()).await?;
    if core.commands.stopping.is_cancelled() {
        // It may be what another worker of this process has just given back: for the next process, and no attempt of this one.
        tx.rollback().await?;
        return Ok(None);
    }
    tx.commit().await?;
    Ok(claimed.and_then(|run| {
        counter!("runs_claimed_total").increment(1);
        let fence = run.fence()?;
        Some((run, fence))
    }))
}

async fn attempt(core: &Arc<Core>, run: OperationRun, fence: Fence, span: &Span) {
    let operation = core.operations.find(&run.resource, &run.action).cloned();
    let state = core.state_of(&run);
    core.live.publish_run(&state, Some(run.updated_at));
    let begun = core.working.begin(run.id);
    if run.cancel_requested_at.is_some() {
        // Asked for while no worker had it.
        begun.attempt.stop(Stop::Cancelled);
    }
    let context = Arc::new(RunContext {
        commands: core.commands.clone(),
        live: Arc::clone(&core.live),
        working: Arc::clone(&core.working),
        attempt: Arc::clone(&begun.attempt),
        words: state.words,
        fence,
        pauses: Mutex::new(run.pauses.clone()),
        run: Mutex::new(run),
    });
    let ended = CancellationToken::new();
    let heartbeat = heartbeat::keep(Arc::clone(&context), core.config.lease, ended.clone());
    let heartbeat = tokio::spawn(heartbeat.in_current_span());
    let attempt = Attempt { core, context: &context, operation: operation.as_deref(), span };
    match attempt.operation {
        Some(operation) => {
            // A bug must not leave the run running for ever: the heartbeat would renew its lease, and nobody could end it.
            let attempted = AssertUnwindSafe(attempt.work(operation)).catch_unwind().await;
            if attempted.is_err() {
                tracing::error!("the work on the run broke off");
                context.cancellation().cancel();
                let stop = Stop::failed(ReasonCode::Internal, ReasonCode::Internal.sentence());
                attempt.write_end(None, Some(&stop)).await;
            }
        }
        None => {
            let stop = Stop::failed(ReasonCode::Internal, "This version of the program does not know the operation.");
            attempt.write_end(None, Some(&stop)).await;
        }
    }
    ended.cancel();
    let _ = heartbeat.await;
    drop(begun);
}

/// One attempt at a run.
struct Attempt<'a> {
    core: &'a Core,
    context: &'a Arc<RunContext>,
    operation: Option<&'a dyn AnyOperation>,
    span: &'a Span,
}

impl Attempt<'_> {
    async fn work(&self, operation: &dyn AnyOperation) {
        let context = self.context;
        let planned = tokio::select! {
            biased;
            () = context.cancellation().cancelled() => Err(Stop::Cancelled),
            planned = operation.plan(context) => planned,
        };
        let (work, mut stopped) = match planned {
            Ok(work) => {
                let stopped = perform(context, work.as_ref()).await;
                (Some(work), stopped)
            }
            Err(stop) => (None, Some(stop)),
        };
        // What stopped the run from outside counts more than the error it caused inside.
        stopped = context.stopped().or(stopped);
        if let Some(work) = &work {
            let drained = work.drain(stopped.as_ref()).await;
            // The fault that broke the writing off comes before the silence that the readers met because of it.
            let broken = drained.err();
            stopped = match context.stopped() {
                Some(outside) => Some(outside),
                None => broken.or(stopped),
            };
        }
        match &stopped {
            Some(Stop::LeaseLost) => {
                traced::left(self.span, "lease_lost");
                counter!("run_leases_lost_total").increment(1);
                tracing::warn!("the lease was lost; another worker goes on");
            }
            Some(Stop::DatabaseAway) => self.abandon().await,
            Some(Stop::Shutdown) => self.give_back().await,
            other => self.write_end(work.as_deref(), other.as_ref()).await,
        }
    }

    /// Gives the lease back, so that another worker goes on at once.
    async fn give_back(&self) {
        let (commands, fence) = (&self.core.commands, &self.context.fence);
        let released = async {
            let mut tx = commands.db.write().await?;
            self.context.store_pauses(&mut tx).await?;
            operation_runs::release(&mut tx, fence, commands.clock.now()).await?;
            tx.commit().await
        };
        match released.await {
            Ok(()) => {
                traced::left(self.span, "handed_back");
                tracing::info!("the run was given back");
                self.core.wake_workers();
            }
            Err(error) => tracing::warn!(%error, "the run could not be given back; its lease will expire"),
        }
    }

    /// Lets the lease end as soon as the database answers again; else it ends by itself.
    async fn abandon(&self) {
        traced::left(self.span, "database_away");
        counter!("run_leases_lost_total").increment(1);
        let (commands, fence) = (&self.core.commands, &self.context.fence);
        let abandoned = with_retries(StoreError::is_transient, || async {
            let mut tx = commands.db.write().await?;
            operation_runs::abandon(&mut tx, fence).await?;
            tx.commit().await
        });
        match abandoned.await {
            Ok(()) => tracing::warn!("the database did not answer; another worker goes on"),
            Err(error) => tracing::warn!(%error, "the database does not answer; the lease of the run will expire"),
        }
    }

    /// Writes the end: the operation's own records, the run, what follows, audit and notification in one transaction.
    async fn write_end(&self, work: Option<&dyn Work>, stopped: Option<&Stop>) {
        let is_held = |error: &StoreError| !matches!(error, StoreError::LeaseLost);
        match with_retries(is_held, || self.try_end(work, stopped)).await {
            Ok((run, started)) => {
                tracing::info!(status = %run.status, "the run ended");
                traced::ended(self.span, &run);
                follow_up::announce(self.core, started.as_ref());
                self.core.tell_of_ends([&run]).await;
            }
            Err(StoreError::LeaseLost) => {
                if self.tell_of_end_without_answer().await {
                    return;
                }
                traced::left(self.span, "lease_lost");
                counter!("run_leases_lost_total").increment(1);
                tracing::warn!("the lease was lost before the end could be written");
            }
            Err(error) => tracing::error!(%error, "the end of the run could not be written; its lease will expire"),
        }
    }

    /// Tells of the end where it was written, but the answer to the commit was lost on its way; then the next try finds that
    /// the lease is gone. Answers whether it was so.
    async fn tell_of_end_without_answer(&self) -> bool {
        let (core, fence, known) = (self.core, &self.context.fence, self.context.run());
        match operation_runs::get(&core.commands.db, known.tenant_id, known.id).await {
            Ok(Some(run)) if run.attempt == fence.attempt && run.status.is_terminal() => {
                tracing::info!(status = %run.status, "the run ended");
                traced::ended(self.span, &run);
                // A run that follows it is found by whoever looks for work next.
                core.wake_workers();
                core.tell_of_ends([&run]).await;
                true
            }
            _ => false,
        }
    }

    /// The ended run, and the one that was started because it ended well.
    async fn try_end(
        &self,
        work: Option<&dyn Work>,
        stopped: Option<&Stop>,
    ) -> Result<(OperationRun, Option<OperationRun>), StoreError> {
        let (core, context) = (self.core, self.context);
        let at = core.commands.clock.now();
        let known = context.run();
        let mut tx = core.commands.db.write().await?;
        // The rows that carry a right are locked before the run, as in every command.
        let follow_ups = FollowUps::read(core, &mut tx, &known).await?;
        operation_runs::hold(&mut tx, &context.fence).await?;
        context.store_pauses(&mut tx).await?;
        let run = operation_runs::get(&mut tx, known.tenant_id, known.id).await?.ok_or(StoreError::LeaseLost)?;
        let end = stopped.and_then(Stop::end).unwrap_or_else(|| conclusion(&run, &core.state_of(&run).words.units.1));
        let summary = match (work, self.operation) {
            (Some(work), _) => work.finish(&mut tx, &end, at).await?,
            (None, Some(operation)) => operation.close(&mut tx, &run, &end, at).await?,
            (None, None) => Summary::new(),
        };
        let run = operation_runs::finish(&mut tx, &context.fence, &end, at).await?;
        let well = self.operation.is_some_and(|operation| operation.ended_well(run.status))
            || follow_ups.follow_partial(core, run.status);
        let started = if well { follow_ups.start(core, &mut tx, &run, at).await? } else { None };
        completion::record(core, &mut tx, &run, summary, at).await?;
        tx.commit().await?;
        Ok((run, started))
    }
}

/// Does the portions, several at a time. Answers why it stopped early, if it did.
async fn perform(context: &RunContext, work: &dyn Work) -> Option<Stop> {
    let mut portions = stream::iter(0..work.portions())
        .map(|portion| work.perform(portion))
        .buffer_unordered(work.concurrency().max(1));
    loop {
        tokio::select! {
            biased;
            () = context.cancellation().cancelled() => return context.stopped().or(Some(Stop::Cancelled)),
            portion = portions.next() => match portion {
                None => return None,
                Some(Ok(())) => {}
                Some(Err(stop)) => return Some(stop),
            },
        }
    }
}

/// How a run ends of which all portions were done.
fn conclusion(run: &OperationRun, units: &str) -> End {
    if run.counters.processed < run.counters.total {
        let reason =
            format!("Left undone: {} of {} {units}.", run.counters.total - run.counters.processed, run.counters.total);
        return End {
            status: OperationStatus::Failed,
            reason_code: Some(ReasonCode::Internal),
            reason,
            rest: Rest::Failed,
        };
    }
    End { status: conclude(&run.counters), reason_code: None, reason: String::new(), rest: Rest::Open }
}
