//! Operation runs: watch, cancel, retry.
#![allow(missing_docs, reason = "the macro makes a type per function whose fields are the parameters")]

use leptos::prelude::*;
use leptos::server_fn::codec::Json;
use tenantatlas_domain::ids::OperationRunId;
use tenantatlas_domain::live::RunState;

use crate::error::AppError;
#[cfg(feature = "ssr")]
use {
    super::hub::{Deed, Place, located, matching, outcome::outcome_text},
    crate::{
        access::Rule,
        address::with_query,
        done::Done,
        filter::{ListFilter as _, read_query, run::RunFilter},
        redirect::{go_to, go_to_with},
        scope,
    },
    tenantatlas_domain::ids::TenantId,
    tenantatlas_domain::role::Action,
    tenantatlas_engine::{Cancelled, CommandError, MOST_AT_ONCE, Outcomes, RetryPart},
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

/// Cancels the runs that were picked, or all that the filter of the list finds and that have not ended.
///
/// # Errors
/// Nothing picked; too many; more or fewer fit the filter by now than the page said. What the person may not cancel is left alone,
/// and told.
#[server(prefix = "/api", endpoint = "cancel_runs")]
pub async fn cancel_runs(
    #[server(default)] runs: Vec<String>,
    #[server(default)] everything: bool,
    #[server(default)] to_cancel: u64,
    #[server(default)] why: String,
    #[server(default)] query: String,
) -> Result<(), AppError> {
    let place = place()?;
    let chosen = chosen(&place, &runs, everything.then_some((Deed::Cancel, to_cancel)), &query).await?;
    let outcomes = place.engine.runs().cancel_many(&place.session.actor(), &chosen, &why).await?;
    back(&place, &query, Deed::Cancel, outcomes);
    Ok(())
}
rule!(CancelRuns, Rule::SignedIn);

/// Starts the runs again that were picked, or all that the filter of the list finds and that did not succeed as a whole.
///
/// # Errors
/// As [`cancel_runs`].
#[server(prefix = "/api", endpoint = "retry_runs")]
pub async fn retry_runs(
    #[server(default)] runs: Vec<String>,
    #[server(default)] everything: bool,
    #[server(default)] only_failed: bool,
    #[server(default)] to_retry: u64,
    #[server(default)] why: String,
    #[server(default)] query: String,
) -> Result<(), AppError> {
    let place = place()?;
    let chosen = chosen(&place, &runs, everything.then_some((Deed::Retry, to_retry)), &query).await?;
    let part = if only_failed { RetryPart::Failed } else { RetryPart::Whole };
    let outcomes = place.engine.runs().retry_many(&place.session.actor(), &chosen, part, &why).await?;
    back(&place, &query, Deed::Retry, outcomes);
    Ok(())
}
rule!(RetryRuns, Rule::SignedIn);

/// The list that a form was sent from: that of the tenant of the address, or the one of all.
#[cfg(feature = "ssr")]
fn place() -> Result<Place, AppError> {
    match scope::inside() {
        Ok(inside) => Ok(Place::of_tenant(&inside)),
        Err(_) => Ok(Place::of_person(scope::engine()?, scope::session()?)),
    }
}

/// The runs that were picked; or those that fit the filter now, where these are as many as the page said.
#[cfg(feature = "ssr")]
async fn chosen(
    place: &Place,
    picked: &[String],
    everything: Option<(Deed, u64)>,
    query: &str,
) -> Result<Vec<(TenantId, OperationRunId)>, AppError> {
    let runs = match everything {
        Some((deed, told)) => {
            let most = u32::try_from(MOST_AT_ONCE).unwrap_or(u32::MAX);
            let (runs, now) = matching(place, &read_query::<RunFilter>(query), deed, most).await?;
            if now != told {
                return Err(AppError::invalid(
                    "everything",
                    format!("{now} runs fit by now, and the page said {told}: look again, and confirm what is there."),
                ));
            }
            if now > MOST_AT_ONCE as u64 {
                return Err(AppError::invalid(
                    "everything",
                    format!("{now} runs fit, and at most {MOST_AT_ONCE} can be done at once: narrow the filter."),
                ));
            }
            runs
        }
        None if picked.is_empty() => return Err(AppError::invalid("runs", "Pick at least one run.")),
        None if picked.len() > MOST_AT_ONCE => {
            return Err(AppError::invalid("runs", format!("Pick at most {MOST_AT_ONCE} runs at once.")));
        }
        None => {
            let ids = picked.iter().map(|id| id.parse().map_err(|_| AppError::not_found("The run")));
            located(place, ids.collect::<Result<_, _>>()?).await?
        }
    };
    Ok(runs.iter().map(|run| (run.tenant_id, run.id)).collect())
}

/// Leads back to the list, which tells what was done.
#[cfg(feature = "ssr")]
fn back(place: &Place, query: &str, deed: Deed, outcomes: Outcomes) {
    let mut pairs = read_query::<RunFilter>(query).first_page().pairs();
    pairs.push(("outcome", outcome_text(deed, outcomes)));
    go_to(&with_query(&place.base, pairs));
}

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
