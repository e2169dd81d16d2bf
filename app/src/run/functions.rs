//! Operation runs: watch, cancel, retry.
#![allow(missing_docs, reason = "the macro makes a type per function whose fields are the parameters")]

use super::model::RunState;
use crate::error::AppError;
use leptos::prelude::*;
use leptos::server_fn::codec::Json;
use tenantatlas_domain::ids::OperationRunId;
#[cfg(feature = "ssr")]
use {
    super::load::state_of,
    crate::{access::Rule, done::Done, redirect::go_to_with, scope},
    tenantatlas_domain::role::Action,
};

/// Asks a run to stop.
///
/// # Errors
/// Forbidden; not found; it has ended already.
#[server(prefix = "/api", endpoint = "cancel_run")]
pub async fn cancel_run(run: OperationRunId) -> Result<(), AppError> {
    let inside = scope::acting(Action::CancelRun)?;
    inside.engine.cancel(&inside.session.actor(), inside.id(), run).await?;
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
    let inside = scope::acting(Action::Sync)?;
    let actor = inside.session.actor();
    let outcome = if only_failed {
        inside.engine.retry_failed(&actor, inside.id(), run).await?
    } else {
        inside.engine.retry(&actor, inside.id(), run).await?
    };
    go_to_with(&inside.address().run(outcome.run_id), outcome.already_running.then_some(Done::AlreadyRunning));
    Ok(())
}
rule!(RetryRun, Rule::Member(Action::Sync));

/// The state of one run now.
///
/// # Errors
/// Not found.
#[server(prefix = "/api", endpoint = "load_run", input = Json)]
pub async fn load_run(run: OperationRunId) -> Result<RunState, AppError> {
    let inside = scope::acting(Action::View)?;
    let state = inside.engine.run_state(inside.id(), run).await?.ok_or_else(|| AppError::not_found("The run"))?;
    Ok(state_of(&state))
}
rule!(LoadRun, Rule::Member(Action::View));
