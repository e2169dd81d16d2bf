//! `tenantatlas sync`

use serde_json::{Map, Value, json};
use tenantatlas_app::format::{counted, number};
use tenantatlas_app::run::model::news_words;
use tenantatlas_domain::live::RunState;
use tenantatlas_domain::registry::registry;
use tenantatlas_domain::selection::Selection;
use tenantatlas_domain::sync::{SyncRunStatus, TypeOutcome};
use tenantatlas_engine::{Actor, DispatchOutcome, Engine};
use tenantatlas_store::sync_runs::{self, SyncRun, TypeRun};
use tenantatlas_store::tenants::Tenant;

use super::arguments::SyncArguments;
use super::capture::Captured;
use super::followers::Followers;
use super::output::Output;
use super::progress;
use crate::exit::{Exit, ExitCode};
use crate::open;
use crate::settings::Settings;

/// Reads a tenant, shows the progress, and ends with what was found per type.
///
/// # Errors
/// Exit codes 1, 2 and 3 for a run that failed, was partial, or runs already; 64 for what was typed wrong.
pub async fn run(settings: &Settings, arguments: &SyncArguments, output: Output) -> Result<(), Exit> {
    let selection = selection(arguments)?;
    // Without workers: whether others work on a run can be told only while this process keeps its hands off it.
    let desk = open::engine(settings, open::without_workers()).await?;
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
    let tenant = open::tenant(desk.reader(), &arguments.tenant).await?;
    let actor = Actor::command_line();
    let dispatched = if arguments.capture {
        desk.dispatch_sync_and_capture(&actor, tenant.id, selection).await?
    } else {
        desk.dispatch_sync(&actor, tenant.id, selection).await?
    };
    if dispatched.already_running && desk.runs().is_worked_on(tenant.id, dispatched.run_id).await? {
        let message = format!("{} is already being read with this selection (run {}).", tenant.name, dispatched.run_id);
        output.document(&json!({"status": "already_running", "operation_run_id": dispatched.run_id}))?;
        output.line(message)?;
        return Err(Exit::silent(ExitCode::AlreadyRunning));
    }
    let engine = open::working(settings, desk);
    let result = read(&engine, &tenant, &dispatched, arguments.capture, output).await;
    engine.shutdown().await;
    result
}

/// Follows a run to its end, and the capture that follows it, and tells what was found.
async fn read(
    engine: &Engine,
    tenant: &Tenant,
    dispatched: &DispatchOutcome,
    capture: bool,
    output: Output,
) -> Result<(), Exit> {
    let last = progress::follow(engine, tenant, &dispatched.state, output).await?;

    let run = sync_runs::find_by_operation(engine.reader(), tenant.id, dispatched.run_id).await?;
    let types = match &run {
        Some(run) => sync_runs::list_types(engine.reader(), tenant.id, run.id).await?,
        None => Vec::new(),
    };
    let Followers { compared, captured } = Followers::of(engine, tenant, dispatched.run_id, output).await?;
    let mut document = report(&last, run.as_ref(), &types);
    if let (Value::Object(document), Some(compared)) = (&mut document, &compared) {
        document.insert("drift".to_owned(), json!(compared));
    }
    if let Value::Object(document) = &mut document
        && (capture || captured.is_some())
    {
        document.insert("capture".to_owned(), captured.as_ref().map_or(Value::Null, Captured::report));
    }
    output.document(&document)?;
    tell(tenant, &last, run.as_ref(), &types, output)?;
    match &captured {
        Some(captured) => captured.tell(tenant, output)?,
        None if capture => output.line("Nothing was captured: a capture follows a sync that read something.")?,
        None => {}
    }
    match (run.map(|run| run.status), captured.filter(|_| capture).map(|captured| captured.end())) {
        (Some(SyncRunStatus::Success), Some(end)) => end,
        (Some(SyncRunStatus::Success), None) => Ok(()),
        (Some(SyncRunStatus::Partial), _) => Err(Exit::silent(ExitCode::Partial)),
        _ => Err(Exit::silent(ExitCode::Failed)),
    }
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
        "run_id": run.map(|run| run.id), "operation_run_id": state.id, "name": state.words.name, "news": state.news,
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
    registry().sum_over_listings(types.iter().map(|row| (row.policy_type.as_str(), count(row))))
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
            "{}, {}: {} · {}{}, {}, {:.1} s",
            tenant.name,
            state.words.name,
            run.status.as_str(),
            state
                .news
                .map(|news| format!("{}; ", news_words(&news, &state.words, &state.counters)))
                .unwrap_or_default(),
            counted(run.items_observed_count, "item", "items"),
            counted(run.errors_count, "error", "errors"),
            duration(Some(run)) as f64 / 1_000.0
        )),
        None => output.line(format!(
            "{}, {}: {}{}",
            tenant.name,
            state.words.name,
            state.status.as_str(),
            state.reason_code.map(|reason| format!(" · {}", reason.sentence())).unwrap_or_default()
        )),
    }
}
