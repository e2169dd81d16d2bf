//! From a stored run to its live state.

use tenantatlas_domain::live::{CancelledBy, RunState, RunWords, humanise};
use tenantatlas_store::operation_runs::OperationRun;

/// The state of a stored run, told in the words of its operation.
#[must_use]
pub fn state_of(run: &OperationRun, words: RunWords) -> RunState {
    RunState {
        id: run.id,
        tenant_id: run.tenant_id,
        tenant_name: run.tenant_name.clone(),
        user_id: run.user_id,
        resource: run.resource.clone(),
        action: run.action.clone(),
        words,
        status: run.status,
        counters: run.counters,
        items: run.progress.items,
        current: if run.status.is_terminal() { Vec::new() } else { run.progress.current.clone() },
        held: run.lease_owner.is_some(),
        cancelled_by: run
            .cancel_requested_by
            .clone()
            .map(|name| CancelledBy { name, user_id: run.cancel_requested_by_id }),
        attempt: run.attempt,
        reason_code: run.reason_code,
        news: run.news,
        follows: run.follows.is_some(),
        created_at: run.created_at,
        started_at: run.started_at,
        finished_at: run.finished_at,
    }
}

/// The words for an operation that this version of the program does not know, made from its name.
#[must_use]
pub fn words_of_unknown(resource: &str, action: &str) -> RunWords {
    let operation = format!("{} {}", humanise(resource), action.replace('_', " "));
    RunWords::of(&operation, ("step", "steps"), ("running", "done"), ("item", "items"))
}
