//! What the pages of operation runs show.

use tenantatlas_domain::ids::OperationRunId;
use tenantatlas_domain::live::RunState;
use tenantatlas_store::api_tokens::{self, ApiToken};
use tenantatlas_store::audit;
use tenantatlas_store::audit_events::{self, SourceRead};
use tenantatlas_store::operation_runs::{self, OperationRun, RunAttempt, UnitTime};
use tenantatlas_store::policies::{self, Capture, CaptureTypeRun};
use tenantatlas_store::schedules;
use tenantatlas_store::sync_runs::{self, SyncRun, TypeRun};

use super::compared::{Compared, compare};
use crate::audit::load::shown;
use crate::error::AppError;
use crate::scope::Inside;

/// All that is known of one run.
#[derive(Debug, Clone)]
pub struct RunDetail {
    /// The operation run.
    pub run: OperationRun,
    /// Its live state.
    pub state: RunState,
    /// The sync run it made, once work began.
    pub sync: Option<SyncRun>,
    /// How each type went, with what it carried over from the run that it continues.
    pub types: Vec<TypeRun>,
    /// The capture of policies it made, once work began, and how each of its types went.
    pub capture: Option<(Capture, Vec<CaptureTypeRun>)>,
    /// Whether the schedule that started it, or what it follows, is still there.
    pub has_schedule: bool,
    /// The token with which it was started, while that is known.
    pub token: Option<ApiToken>,
    /// The run after whose good end it was started, while that is kept.
    pub cause: Option<OperationRun>,
    /// How the audit logs of Microsoft went that it read.
    pub sources: Vec<SourceRead>,
    /// When its units were worked on, of operations that keep nothing else of them.
    pub times: Vec<UnitTime>,
    /// The runs that were started because it ended well.
    pub follow_ups: Vec<OperationRun>,
    /// What the audit log says about it, oldest first.
    pub audit: Vec<audit::Entry>,
    /// The attempts at it, oldest first; none of runs that ended before attempts were kept.
    pub attempts: Vec<RunAttempt>,
    /// How it went compared with the run before that did the same, once it has ended.
    pub compared: Option<Compared>,
}

/// One run of the tenant, named by its id, or by `sync-` and the id of the sync run it made.
///
/// # Errors
/// Not found; when the database fails.
pub async fn detail(inside: &Inside, name: &str) -> Result<RunDetail, AppError> {
    let unknown = || AppError::not_found("The run");
    let db = inside.engine.reader();
    let run: OperationRunId = match name.strip_prefix("sync-") {
        Some(sync) => {
            let sync = sync.parse().map_err(|_| unknown())?;
            sync_runs::get(db, inside.id(), sync).await?.ok_or_else(unknown)?.operation_run_id
        }
        None => name.parse().map_err(|_| unknown())?,
    };
    let run = operation_runs::get(db, inside.id(), run).await?.ok_or_else(unknown)?;
    let sync = sync_runs::find_by_operation(db, inside.id(), run.id).await?;
    let types = match &sync {
        Some(sync) => sync_runs::list_types(db, inside.id(), sync.id).await?,
        None => Vec::new(),
    };
    let capture = match policies::get_by_operation(db, inside.id(), run.id).await? {
        Some(capture) => {
            let types = policies::list_types(db, inside.id(), capture.id).await?;
            Some((capture, types))
        }
        None => None,
    };
    let filter = audit::Filter {
        tenant_id: Some(inside.id()),
        resource_id: Some(run.id.to_string()),
        limit: 20,
        ..audit::Filter::default()
    };
    let audit: Vec<_> = audit::list(db, &filter).await?.into_iter().rev().map(shown).collect();
    let mut state = inside.engine.runs().state_of(&run);
    // The run tells this once in a while, its types with every page: one page must not show two numbers.
    let own = types.iter().filter(|one| one.carried_from.is_none());
    state.items = state.items.max(own.map(|one| one.items).sum());
    if let Some((_, types)) = &capture {
        state.items = state.items.max(types.iter().map(|one| one.captured).sum());
    }
    let follow_ups = follow_ups(inside, &run).await?;
    let sources = audit_events::reads_of(db, inside.id(), run.id).await?;
    let times = operation_runs::unit_times(db, inside.id(), run.id).await?;
    let (has_schedule, token, cause) = origin(inside, &run).await?;
    let attempts = operation_runs::attempts(db, inside.id(), run.id).await?;
    let compared = compare(db, &run, sync.as_ref().map(|_| types.as_slice())).await?;
    Ok(RunDetail {
        run,
        state,
        sync,
        types,
        capture,
        has_schedule,
        token,
        cause,
        sources,
        times,
        follow_ups,
        audit,
        attempts,
        compared,
    })
}

/// The runs that were started because a run ended well.
async fn follow_ups(inside: &Inside, run: &OperationRun) -> Result<Vec<OperationRun>, AppError> {
    if !run.status.is_terminal() {
        return Ok(Vec::new());
    }
    let filter = operation_runs::Filter {
        tenant_id: Some(inside.id()),
        follows: Some(run.id),
        limit: 10,
        ..operation_runs::Filter::default()
    };
    Ok(operation_runs::list(inside.engine.reader(), &filter).await?)
}

/// What a run came from, as far as it is still there: whether its schedule is, its token, and the run that it follows.
async fn origin(
    inside: &Inside,
    run: &OperationRun,
) -> Result<(bool, Option<ApiToken>, Option<OperationRun>), AppError> {
    let db = inside.engine.reader();
    let has_schedule = match run.schedule_id {
        Some(schedule) => schedules::get(db, inside.id(), schedule).await?.is_some(),
        None => false,
    };
    let token = match run.token_id {
        Some(token) => api_tokens::get(db, token).await?,
        None => None,
    };
    let cause = match run.follows {
        Some(before) => operation_runs::get(db, inside.id(), before).await?,
        None => None,
    };
    Ok((has_schedule, token, cause))
}
