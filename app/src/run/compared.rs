//! A run beside the one before it that did the same.

use std::collections::HashMap;

use tenantatlas_domain::ids::OperationRunId;
use tenantatlas_domain::reason::ReasonCode;
use tenantatlas_domain::sync::TypeOutcome;
use tenantatlas_store::Reader;
use tenantatlas_store::operation_runs::{self, Filter, OperationRun};
use tenantatlas_store::sync_runs::{self, TypeRun};

use crate::error::AppError;
use crate::format::{counted, span};

/// Runs of the operation that are looked through for one that did the same.
const LOOKED_AT: u32 = 50;
/// A type took longer when it took this much more than before, milliseconds, and half as long again.
const CLEARLY_LONGER: i64 = 1_000;

/// What differs from the run before that did the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compared {
    /// That run.
    pub with: OperationRunId,
    /// In words: `3 s longer`, `12 types slower`, `1 type newly not read`.
    pub words: Vec<String>,
}

/// Compares a run that has ended with the newest run before it that did the same. `None` while it has not ended, and where there is
/// no such run.
///
/// # Errors
/// When the database fails.
pub(super) async fn compare(
    db: &Reader,
    run: &OperationRun,
    types: Option<&[TypeRun]>,
) -> Result<Option<Compared>, AppError> {
    if !run.status.is_terminal() {
        return Ok(None);
    }
    let filter = Filter {
        tenant_id: Some(run.tenant_id),
        operation: Some((run.resource.clone(), run.action.clone())),
        before: Some((run.created_at, run.id)),
        limit: LOOKED_AT,
        ..Filter::default()
    };
    let earlier = operation_runs::list(db, &filter).await?;
    let same = |one: &OperationRun| one.idempotency_key == run.idempotency_key && one.status.is_terminal();
    let Some(before) = earlier.into_iter().find(same) else { return Ok(None) };
    let mut words = whole(&before, run);
    if let Some(types) = types
        && let Some(sync) = sync_runs::find_by_operation(db, run.tenant_id, before.id).await?
    {
        let of_before = sync_runs::list_types(db, run.tenant_id, sync.id).await?;
        words.extend(by_type(&of_before, types));
    }
    Ok(Some(Compared { with: before.id, words }))
}

fn took(run: &OperationRun) -> Option<i64> {
    Some(run.finished_at?.as_millis() - run.started_at?.as_millis())
}

/// What the runs as wholes tell.
fn whole(before: &OperationRun, now: &OperationRun) -> Vec<String> {
    let mut words = Vec::new();
    if let (Some(before), Some(now)) = (took(before), took(now)) {
        let longer = now - before;
        if longer.abs() >= CLEARLY_LONGER {
            let word = if longer > 0 { "longer" } else { "shorter" };
            words.push(format!("{} {word}", span(longer.abs())));
        }
    }
    let more = i64::from(now.counters.failed) - i64::from(before.counters.failed);
    if more != 0 {
        let word = if more > 0 { "more failed" } else { "fewer failed" };
        words.push(format!("{} {word}", more.abs()));
    }
    words
}

/// Which types went differently. Those that a run carried over say nothing of it.
fn by_type(before: &[TypeRun], now: &[TypeRun]) -> Vec<String> {
    let own = |types: &[TypeRun]| -> HashMap<String, TypeRun> {
        let own = types.iter().filter(|one| one.carried_from.is_none());
        own.map(|one| (one.policy_type.clone(), one.clone())).collect()
    };
    let (before, now) = (own(before), own(now));
    let duration = |one: &TypeRun| Some(one.finished_at?.as_millis() - one.started_at.as_millis());
    let (mut slower, mut faster, mut lost, mut won) = (0, 0, 0, 0);
    for (key, one) in &now {
        let Some(earlier) = before.get(key) else { continue };
        // What a cancelled run never came to went no way at all.
        if [earlier, one].iter().any(|one| one.reason_code == Some(ReasonCode::Cancelled)) {
            continue;
        }
        let is_read = |one: &TypeRun| one.outcome == Some(TypeOutcome::Succeeded);
        match (is_read(earlier), is_read(one)) {
            (true, false) => lost += 1,
            (false, true) => won += 1,
            (false, false) => {}
            (true, true) => {
                let (Some(was), Some(is)) = (duration(earlier), duration(one)) else { continue };
                slower += u64::from(is - was >= CLEARLY_LONGER && is * 2 >= was * 3);
                faster += u64::from(was - is >= CLEARLY_LONGER && was * 2 >= is * 3);
            }
        }
    }
    [(slower, "slower"), (faster, "faster"), (lost, "newly not read"), (won, "read again")]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{} {word}", counted(count, "type", "types")))
        .collect()
}
