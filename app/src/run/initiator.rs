//! Who started a run, in words.

use tenantatlas_store::operation_runs::OperationRun;

/// Who started a run: a person by name, `Schedule Nightly` with what followed it, `Token Export`.
#[must_use]
pub fn initiator_words(run: &OperationRun) -> String {
    // Schedules write themselves so; a token writes its name alone, as that of who acts.
    if run.token_id.is_some() { token_words(&run.initiator) } else { run.initiator.clone() }
}

/// A token by its name.
#[must_use]
pub fn token_words(name: &str) -> String {
    format!("Token {name}")
}
