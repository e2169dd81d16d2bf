//! Operation runs: watch, cancel, retry.
#![allow(missing_docs, reason = "the macro makes a type per function whose fields are the parameters")]

use leptos::prelude::*;
use leptos::server_fn::codec::Json;
use tenantatlas_domain::ids::OperationRunId;
use tenantatlas_domain::live::RunState;

use crate::error::AppError;
#[cfg(feature = "ssr")]
use {
    crate::{access::Rule, done::Done, redirect::go_to_with, scope},
    tenantatlas_domain::role::Action,
    tenantatlas_engine::{Cancelled, CommandError, RetryPart},
};

/// Asks a run to stop.
///
/// # Errors
/// Forbidden; not found; it has ended already.
#[server(prefix = "/api", endpoint = "cancel_run")]
pub async fn cancel_run(run: OperationRunId) -> Result<(), AppError> {
    let inside = scope::acting(Action::CancelRun)?;
    let cancelled = inside.engine.runs().cancel(&inside.session.actor(), inside.id(), run).await?;
    if cancelled == Cancelled::AlreadyEnded {
        return Err(CommandError::Conflict("the run has ended already".to_owned()).into());
    }
    go_to_with(&inside.address().run(run), Done::CancelRequested);
    Ok(())
}
rule!(CancelRun, Rule::Member(Action::CancelRun));

/// Starts an ended run again: the whole of it, or only what failed.
///
/// # Errors
/// Forbidden; not found; it has not ended; nothing of it failed.
#[server(prefix = "/api", endpoint = "retry_run")]
pub async fn retry_run(run: OperationRunId, #[server(default)] only_failed: bool) -> Result<(), AppError> {
    // What the operation of the run asks for is looked up, and asked for, where it is started again.
    let inside = scope::acting(Action::View)?;
    let part = if only_failed { RetryPart::Failed } else { RetryPart::Whole };
    let started = inside.engine.runs().retry(&inside.session.actor(), inside.id(), run, part).await?;
    go_to_with(&inside.address().run(started.state.id), started.already_running.then_some(Done::AlreadyRunning));
    Ok(())
}
rule!(RetryRun, Rule::Member(Action::View));

/// The states of those of these runs that the person started, in tenants that are still theirs. Pages ask it for the runs
/// that ended while they did not listen; of more than 200 the rest is left out.
///
/// # Errors
/// Signed out; when the database fails.
#[server(prefix = "/api", endpoint = "my_runs", input = Json)]
pub async fn my_runs(runs: Vec<OperationRunId>) -> Result<Vec<RunState>, AppError> {
    let (engine, session) = (scope::engine()?, scope::session()?);
    Ok(engine.runs().states_of_person(session.user_id, &runs).await?)
}
rule!(MyRuns, Rule::SignedIn);

/// The state of one run now.
///
/// # Errors
/// Not found.
#[server(prefix = "/api", endpoint = "load_run", input = Json)]
pub async fn load_run(run: OperationRunId) -> Result<RunState, AppError> {
    let inside = scope::acting(Action::View)?;
    let state = inside.engine.runs().run_state(inside.id(), run).await?;
    state.ok_or_else(|| AppError::not_found("The run"))
}
rule!(LoadRun, Rule::Member(Action::View));
