//! From a stored run to its live state.

use tenantatlas_domain::live::{RunState, RunWords, humanise};
use tenantatlas_store::operation_runs::OperationRun;

/// The state of a stored run, told in the words of its operation.
#[must_use]
pub fn state_of(run: &OperationRun, words: RunWords) -> RunState {
    RunState {
        id: run.id,
        tenant_id: run.tenant_id,
        user_id: run.user_id,
        resource: run.resource.clone(),
        action: run.action.clone(),
        words,
        status: run.status,
        counters: run.counters,
        items: run.progress.items,
        current: if run.status.is_terminal() { Vec::new() } else { run.progress.current.clone() },
        cancel_requested: run.cancel_requested_at.is_some(),
        attempt: run.attempt,
        reason_code: run.reason_code,
        created_at: run.created_at,
        started_at: run.started_at,
        finished_at: run.finished_at,
    }
}

/// The words for an operation that this version of the program does not know, made from its name.
#[must_use]
pub(crate) fn words_of_unknown(resource: &str, action: &str) -> RunWords {
    RunWords {
        title: format!("{} {}", humanise(resource), action.replace('_', " ")),
        units: ("step".to_owned(), "steps".to_owned()),
        done: "done".to_owned(),
        things: ("item".to_owned(), "items".to_owned()),
    }
}
