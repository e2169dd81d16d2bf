//! Workers: claim a run, hold it while it is worked on, end it.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use futures::FutureExt as _;
use futures::stream::{self, StreamExt};
use tenantatlas_domain::operation::{OperationStatus, conclude};
use tenantatlas_domain::reason::ReasonCode;
use tenantatlas_store::StoreError;
use tenantatlas_store::operation_runs::{self, Claim, End, Fence, Limits, OperationRun, Rest};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use crate::ending;
use crate::engine::Core;
use crate::guard;
use crate::operation::{Operation, Stop, Summary, Work};
use crate::run_context::RunContext;
use crate::run_state::RunState;
use crate::stats::Count;

/// Attempts to write the end of a run while the lease holds.
const END_ATTEMPTS: u32 = 5;

/// One worker: one run after the other, until the process stops.
pub(crate) async fn work(core: Arc<Core>) {
    loop {
        let Some((run, fence)) = next_run(&core).await else { return };
        let working = core.stats.working();
        let span = tracing::info_span!("run", id = %run.id, operation = %format!("{}.{}", run.resource, run.action), attempt = run.attempt, correlation = %run.correlation_id);
        attempt(&core, run, fence).instrument(span).await;
        drop(working);
        // A place became free.
        core.wake.notify_one();
    }
}

/// Waits for a run. Of all idle workers one looks, so that an idle process asks the database once, not once per worker.
async fn next_run(core: &Arc<Core>) -> Option<(OperationRun, Fence)> {
    let looking = tokio::select! {
        () = core.stopping.cancelled() => return None,
        looking = core.looking.lock() => looking,
    };
    loop {
        if core.stopping.is_cancelled() {
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
            () = core.stopping.cancelled() => return None,
            () = core.wake.notified() => {}
            () = tokio::time::sleep(core.config.poll_interval) => {}
        }
    }
}

async fn claim(core: &Core) -> Result<Option<(OperationRun, Fence)>, StoreError> {
    let depth = operation_runs::queue_depth(&core.db).await?;
    if depth.pending == 0 && depth.running <= core.working_here() {
        return Ok(None);
    }
    let limits = Limits { global: core.config.global_sync_limit, per_tenant: core.config.tenant_sync_limit };
    let claim = Claim { owner: &core.owner, lease: core.config.lease, limits };
    let mut tx = core.db.write().await?;
    let claimed = operation_runs::claim(&mut tx, &claim, core.clock.now()).await?;
    tx.commit().await?;
    Ok(claimed.and_then(|run| {
        core.stats.add(Count::Claimed, 1);
        let fence = run.fence()?;
        Some((run, fence))
    }))
}

async fn attempt(core: &Arc<Core>, run: OperationRun, fence: Fence) {
    let id = run.id;
    let operation = core.operation(&run.resource, &run.action);
    core.publish_run(&RunState::of(&run));
    let cancelled = run.cancel_requested_at.is_some();
    let context = Arc::new(RunContext::new(Arc::clone(core), run, fence));
    if cancelled {
        // Asked for while no worker had it.
        context.stop(Stop::Cancelled);
    }
    core.working.lock().unwrap_or_else(PoisonError::into_inner).insert(id, Arc::clone(&context));
    let ended = CancellationToken::new();
    let guard = tokio::spawn(guard::keep(Arc::clone(&context), ended.clone()).in_current_span());
    match operation {
        Some(operation) => {
            // A bug must not leave the run running for ever: the guard would renew its lease, and nobody could end it.
            let attempted = AssertUnwindSafe(attempt_operation(&context, operation.as_ref())).catch_unwind().await;
            if attempted.is_err() {
                tracing::error!("the work on the run broke off");
                context.cancellation.cancel();
                let stop = Stop::failed(ReasonCode::Internal, ReasonCode::Internal.sentence());
                write_end(&context, None, Some(operation.as_ref()), Some(&stop)).await;
            }
        }
        None => {
            let stop = Stop::failed(ReasonCode::Internal, "This version of the program does not know the operation.");
            write_end(&context, None, None, Some(&stop)).await;
        }
    }
    ended.cancel();
    let _ = guard.await;
    core.working.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
}

async fn attempt_operation(context: &Arc<RunContext>, operation: &dyn Operation) {
    let planned = tokio::select! {
        biased;
        () = context.cancellation.cancelled() => Err(Stop::Cancelled),
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
            context.core.stats.add(Count::LeaseLost, 1);
            tracing::warn!("the lease was lost; another worker goes on");
        }
        Some(Stop::Shutdown) => give_back(context).await,
        other => write_end(context, work.as_deref(), Some(operation), other.as_ref()).await,
    }
}

/// Does the units, several at a time. Answers why it stopped early, if it did.
async fn perform(context: &RunContext, work: &dyn Work) -> Option<Stop> {
    let mut units =
        stream::iter(0..work.units()).map(|unit| work.perform(unit)).buffer_unordered(work.concurrency().max(1));
    loop {
        tokio::select! {
            biased;
            () = context.cancellation.cancelled() => return context.stopped().or(Some(Stop::Cancelled)),
            unit = units.next() => match unit {
                None => return None,
                Some(Ok(())) => {}
                Some(Err(stop)) => return Some(stop),
            },
        }
    }
}

/// Gives the lease back, so that another worker goes on at once.
async fn give_back(context: &RunContext) {
    let core = &context.core;
    let released = async {
        let mut tx = core.db.write().await?;
        operation_runs::release(&mut tx, &context.fence, core.clock.now()).await?;
        tx.commit().await
    };
    match released.await {
        Ok(()) => {
            tracing::info!("the run was given back");
            core.relay_queue();
        }
        Err(error) => tracing::warn!(%error, "the run could not be given back; its lease will expire"),
    }
}

/// Writes the end: the operation's own records, the run, audit and notification in one transaction.
async fn write_end(
    context: &RunContext,
    work: Option<&dyn Work>,
    operation: Option<&dyn Operation>,
    stopped: Option<&Stop>,
) {
    for attempt in 1..=END_ATTEMPTS {
        match try_end(context, work, operation, stopped).await {
            Ok(run) => {
                let core = &context.core;
                core.stats.add(Count::Ended, 1);
                if run.status == OperationStatus::Failed {
                    core.stats.add(Count::Failed, 1);
                }
                tracing::info!(status = %run.status, "the run ended");
                core.publish_run(&RunState::of(&run));
                core.publish_unread_of(&run).await;
                return;
            }
            Err(StoreError::LeaseLost) => {
                context.core.stats.add(Count::LeaseLost, 1);
                tracing::warn!("the lease was lost before the end could be written");
                return;
            }
            Err(error) => {
                tracing::error!(%error, attempt, "the end of the run could not be written");
                tokio::time::sleep(Duration::from_millis(200) * attempt).await;
            }
        }
    }
}

async fn try_end(
    context: &RunContext,
    work: Option<&dyn Work>,
    operation: Option<&dyn Operation>,
    stopped: Option<&Stop>,
) -> Result<OperationRun, StoreError> {
    let core = &context.core;
    let at = core.clock.now();
    let mut tx = core.db.write().await?;
    operation_runs::hold(&mut tx, &context.fence).await?;
    let tenant = context.run().tenant_id;
    let run = operation_runs::get(&mut tx, tenant, context.fence.run_id).await?.ok_or(StoreError::LeaseLost)?;
    let end = stopped.and_then(Stop::end).unwrap_or_else(|| conclusion(&run));
    let summary = match (work, operation) {
        (Some(work), _) => work.finish(&mut tx, &end, at).await?,
        (None, Some(operation)) => operation.close(&mut tx, &run, &end, at).await?,
        (None, None) => Summary::new(),
    };
    let run = operation_runs::finish(&mut tx, &context.fence, &end, at).await?;
    ending::record(core, &mut tx, &run, summary, at).await?;
    tx.commit().await?;
    Ok(run)
}

/// How a run ends of which all units were done.
fn conclusion(run: &OperationRun) -> End {
    if run.counters.processed < run.counters.total {
        let reason = format!("Items left undone: {}.", run.counters.total - run.counters.processed);
        return End {
            status: OperationStatus::Failed,
            reason_code: Some(ReasonCode::Internal),
            reason,
            rest: Rest::Failed,
        };
    }
    End { status: conclude(&run.counters), reason_code: None, reason: String::new(), rest: Rest::Open }
}
