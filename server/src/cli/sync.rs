//! `tenantatlas sync`

use super::{arguments::SyncArguments, output::Output, progress::Progress};
use crate::{
    exit::{Exit, ExitCode},
    open,
    settings::Settings,
};
use futures::StreamExt as _;
use serde_json::{Map, Value, json};
use std::{
    pin::pin,
    time::{Duration, Instant},
};
use tenantatlas_app::format::number;
use tenantatlas_domain::{
    ids::OperationRunId,
    registry::{PolicyType, registry},
    selection::Selection,
    sync::{SyncRunStatus, TypeOutcome},
};
use tenantatlas_engine::{Actor, DispatchOutcome, Engine, EngineConfig, RunState};
use tenantatlas_store::{
    facts,
    operation_runs::{self, Limits, OperationRun, Outlook},
    sync_runs::{self, SyncRun, TypeRun},
    tenants::Tenant,
};

/// How often, and how many times, a run that is active already is looked at. Together longer than a lease lasts.
const LOOK_INTERVAL: Duration = Duration::from_millis(150);
const LOOKS: u32 = 300;

/// A run that waits for so long although there is a place for it has nobody who could work on it.
const YOUNG: Duration = Duration::from_secs(10);

/// After so long without news the database is asked whether it can still be written.
const SILENCE: Duration = Duration::from_secs(3);

/// Reads a tenant, shows the progress, and ends with what was found per type.
///
/// # Errors
/// Exit codes 1, 2 and 3 for a run that failed, was partial, or runs already; 64 for what was typed wrong.
pub async fn run(settings: &Settings, arguments: &SyncArguments, output: Output) -> Result<(), Exit> {
    let selection = selection(arguments)?;
    // Without workers: whether others work on a run can be told only while this process keeps its hands off it.
    let desk = open::engine(settings, EngineConfig { workers: 0, ..EngineConfig::default() }).await?;
    let result = dispatch(settings, &desk, arguments, &selection, output).await;
    desk.shutdown().await;
    result
}

fn selection(arguments: &SyncArguments) -> Result<Selection, Exit> {
    let mut selection = Selection::full(registry());
    selection.include_foundations = !arguments.no_foundations;
    selection.include_dependencies = !arguments.no_dependencies;
    let chosen: Vec<&str> = arguments.types.iter().map(|key| key.trim()).filter(|key| !key.is_empty()).collect();
    if chosen.is_empty() {
        return Err(Exit::usage("--types is empty: expected type keys separated by commas, or all"));
    }
    let unknown: Vec<_> = chosen.iter().copied().filter(|key| *key != "all" && registry().get(key).is_none()).collect();
    if !unknown.is_empty() {
        return Err(Exit::usage(format!(
            "there is no policy type \"{}\": `tenantatlas types` lists them; nothing was started",
            unknown.join("\", \"")
        )));
    }
    if !chosen.contains(&"all") {
        selection.policy_types = chosen.into_iter().map(str::to_owned).collect();
    }
    Ok(selection)
}

async fn dispatch(
    settings: &Settings,
    desk: &Engine,
    arguments: &SyncArguments,
    selection: &Selection,
    output: Output,
) -> Result<(), Exit> {
    let tenant = open::tenant(desk.db(), &arguments.tenant).await?;
    let dispatched = desk.dispatch_sync(&Actor::command_line(), tenant.id, selection).await?;
    if dispatched.already_running && is_worked_on(desk, &tenant, dispatched.run_id).await? {
        let message = format!("{} is already being read with this selection (run {}).", tenant.name, dispatched.run_id);
        output.document(&json!({"status": "already_running", "operation_run_id": dispatched.run_id}))?;
        output.line(message)?;
        return Err(Exit::silent(ExitCode::AlreadyRunning));
    }
    let engine = open::working(settings, desk);
    let result = read(&engine, &tenant, &dispatched, output).await;
    engine.shutdown().await;
    result
}

/// Follows a run to its end, and tells what was found.
async fn read(engine: &Engine, tenant: &Tenant, dispatched: &DispatchOutcome, output: Output) -> Result<(), Exit> {
    let mut progress = Progress::new(output.json);
    let mut states = pin!(engine.follow(tenant.id, dispatched.run_id));
    let mut last = dispatched.state.clone();
    loop {
        match tokio::time::timeout(SILENCE, states.next()).await {
            Ok(Some(state)) => {
                last = state?;
                progress.show(&tenant.name, &last);
            }
            Ok(None) => break,
            // Where the database takes no write any more, the run cannot even note its end: nobody would ever wait
            // long enough. It goes on where it stopped once there is room.
            Err(_) => facts::probe_write(engine.db()).await?,
        }
    }
    progress.finish();

    let run = sync_runs::find_by_operation(engine.db(), tenant.id, dispatched.run_id).await?;
    let types = match &run {
        Some(run) => sync_runs::list_types(engine.db(), tenant.id, run.id).await?,
        None => Vec::new(),
    };
    output.document(&report(&last, run.as_ref(), &types))?;
    tell(tenant, &last, run.as_ref(), &types, output)?;
    match run.map(|run| run.status) {
        Some(SyncRunStatus::Success) => Ok(()),
        Some(SyncRunStatus::Partial) => Err(Exit::silent(ExitCode::Partial)),
        _ => Err(Exit::silent(ExitCode::Failed)),
    }
}

/// Whether others work on a run that was active already, or will: it moves, its lease is renewed, it goes from hand to
/// hand, it ends, or it waits for a place that others take. Not so when its lease has expired, or when it waits for long
/// although there is a place: then a process that died left it behind, and this one takes it up.
async fn is_worked_on(desk: &Engine, tenant: &Tenant, id: OperationRunId) -> Result<bool, Exit> {
    let config = EngineConfig::default();
    let limits = Limits { global: config.global_sync_limit, per_tenant: config.tenant_sync_limit };
    let began = Instant::now();
    let mut first: Option<Outlook> = None;
    for _ in 0..LOOKS {
        let Some(now) = operation_runs::outlook(desk.db(), tenant.id, id, limits, config.longest_lease()).await? else {
            return Ok(false);
        };
        let known = first.get_or_insert_with(|| now.clone());
        // This process has no workers yet: another attempt is that of another process.
        if now.run.status.is_terminal() || now.run.attempt != known.run.attempt {
            return Ok(true);
        }
        if now.held_until.is_some() {
            if now.held_until != known.held_until || moved(&known.run, &now.run) {
                return Ok(true);
            }
        } else if !now.has_place {
            return Ok(true);
        } else if now.run.lease_owner.is_some() || began.elapsed().max(waited(desk, &now.run)) >= YOUNG {
            return Ok(false);
        }
        tokio::time::sleep(LOOK_INTERVAL).await;
    }
    Ok(true)
}

fn moved(before: &OperationRun, after: &OperationRun) -> bool {
    (before.updated_at, &before.counters, &before.progress) != (after.updated_at, &after.counters, &after.progress)
}

/// How long a run that nobody holds has waited: since it was dispatched or given back.
fn waited(desk: &Engine, run: &OperationRun) -> Duration {
    let millis = desk.now().as_millis().saturating_sub(run.updated_at.as_millis());
    Duration::from_millis(u64::try_from(millis).unwrap_or(0))
}

fn report(state: &RunState, run: Option<&SyncRun>, types: &[TypeRun]) -> Value {
    let by_type: Map<String, Value> = types
        .iter()
        .map(|row| {
            let facts = json!({
                "status": row.outcome, "items": row.items, "pages": row.pages, "requests": row.requests,
                "retries": row.retries, "reason_code": row.reason_code, "message": row.message,
            });
            (row.policy_type.clone(), facts)
        })
        .collect();
    let sum = |count| sum_of_listings(types, count);
    json!({
        "run_id": run.map(|run| run.id), "operation_run_id": state.id,
        "status": run.map_or("failed", |run| run.status.as_str()), "had_errors": run.is_none_or(|run| run.had_errors),
        "error_codes": run.map(|run| run.error_codes.clone()).unwrap_or_else(|| state.reason_code.into_iter().collect()),
        "selection_hash": run.map(|run| run.selection_hash.to_string()),
        "items_observed_count": run.map_or(0, |run| run.items_observed_count),
        "items_upserted_count": run.map_or(0, |run| run.items_upserted_count),
        "errors_count": run.map_or(0, |run| run.errors_count), "duration_ms": duration(run),
        "requests": sum(|row| row.requests), "retries": sum(|row| row.retries), "types": by_type,
    })
}

/// A count summed over what was read: types that share a collection were read by the same requests, which count once.
fn sum_of_listings(types: &[TypeRun], count: fn(&TypeRun) -> u64) -> u64 {
    let read: Vec<&PolicyType> = types.iter().filter_map(|row| registry().get(&row.policy_type)).collect();
    let of = |policy_type: &PolicyType| {
        types.iter().filter(|row| row.policy_type == policy_type.key).map(count).max().unwrap_or(0)
    };
    let listings = registry().listings_for(&read);
    listings.iter().map(|listing| listing.types.iter().map(|policy_type| of(policy_type)).max().unwrap_or(0)).sum()
}

fn duration(run: Option<&SyncRun>) -> i64 {
    run.and_then(|run| Some(run.finished_at?.as_millis() - run.started_at.as_millis())).unwrap_or(0)
}

fn tell(
    tenant: &Tenant,
    state: &RunState,
    run: Option<&SyncRun>,
    types: &[TypeRun],
    output: Output,
) -> Result<(), Exit> {
    output.table(
        &["TYPE", "OUTCOME", "ITEMS", "NEW", "CHANGED", "PAGES", "REQUESTS", "RETRIES", "REASON"],
        types.iter().map(|row| {
            vec![
                row.policy_type.clone(),
                row.outcome.map_or("not finished", TypeOutcome::as_str).to_owned(),
                number(row.items),
                number(row.inserted),
                number(row.changed),
                row.pages.to_string(),
                row.requests.to_string(),
                row.retries.to_string(),
                row.reason_code.map_or("", |reason| reason.as_str()).to_owned(),
            ]
        }),
    )?;
    let mut told = std::collections::BTreeSet::new();
    for row in types {
        if let (Some(reason), Some(message)) = (row.reason_code, &row.message)
            && told.insert((reason.as_str(), message))
        {
            output.line(format!("  {}: {message}", reason.as_str()))?;
        }
    }
    match run {
        Some(run) => output.line(format!(
            "{}: {} · {} items, {} new or changed, {} errors, {:.1} s",
            tenant.name,
            run.status.as_str(),
            number(run.items_observed_count),
            number(run.items_upserted_count),
            run.errors_count,
            duration(Some(run)) as f64 / 1_000.0
        )),
        None => output.line(format!(
            "{}: {}{}",
            tenant.name,
            state.status.as_str(),
            state.reason_code.map(|reason| format!(" · {}", reason.sentence())).unwrap_or_default()
        )),
    }
}
