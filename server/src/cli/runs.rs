//! `tenantatlas runs`

use serde_json::{Value, json};
use tenantatlas_app::format::{number, span};
use tenantatlas_app::run::initiator::initiator_words;
use tenantatlas_app::run::model::news_words;
use tenantatlas_domain::ids::OperationRunId;
use tenantatlas_domain::operation::{OperationBucket, OperationStatus};
use tenantatlas_domain::reason::ReasonCode;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_engine::{Actor, Cancelled, Engine, OPERATION_NAMES, RetryPart, run_words};
use tenantatlas_store::Reader;
use tenantatlas_store::operation_runs::{self, Filter, OperationRun, RunAttempt};
use tenantatlas_store::tenants::{self, Tenant};

use super::arguments::{RunListArguments, RunsArguments, RunsCommand};
use super::initiator;
use super::output::Output;
use super::progress;
use crate::exit::{Exit, ExitCode};
use crate::open;
use crate::settings::Settings;

/// Lists operation runs, newest first; shows, cancels or retries one.
///
/// # Errors
/// Exit code 64 for what was typed wrong; 1, 2 and 3 for a retried run that failed, was partial, or is under way already.
pub async fn run(settings: &Settings, arguments: RunsArguments, output: Output) -> Result<(), Exit> {
    match arguments.command {
        None => list(&Reader::from(open::database(settings).await?), &arguments.list, output).await,
        Some(RunsCommand::Show { run }) => {
            let db = Reader::from(open::database(settings).await?);
            let (run, _) = found(&db, &run).await?;
            show(&db, &run, output).await
        }
        Some(RunsCommand::Cancel { run, why }) => {
            let engine = open::engine(settings, open::without_workers()).await?;
            let result = cancel(&engine, &run, &why, output).await;
            engine.shutdown().await;
            result
        }
        Some(RunsCommand::Retry { run }) => retry(settings, &run, RetryPart::Whole, output).await,
        Some(RunsCommand::RetryFailed { run }) => retry(settings, &run, RetryPart::Failed, output).await,
    }
}

async fn filter(db: &Reader, arguments: &RunListArguments) -> Result<Filter, Exit> {
    let tenant_id = match &arguments.tenant {
        Some(text) => Some(open::tenant(db, text).await?.id),
        None => None,
    };
    let operation = match &arguments.operation {
        Some(name) => Some(operation(name)?),
        None => None,
    };
    let started_by = initiator::started_by(db, arguments.by.as_deref(), tenant_id).await?;
    Ok(Filter {
        tenant_id,
        operation: operation.map(|(resource, action)| (resource.to_owned(), action.to_owned())),
        statuses: arguments.state.as_deref().map(statuses).transpose()?.unwrap_or_default(),
        reason: arguments.reason.as_deref().map(reason).transpose()?,
        from: arguments.from.as_deref().map(|text| moment("--from", text)).transpose()?,
        until: arguments.until.as_deref().map(|text| moment("--until", text)).transpose()?,
        limit: arguments.limit,
        ..started_by
    })
}

fn operation(name: &str) -> Result<(&str, &str), Exit> {
    let known = OPERATION_NAMES.contains(&name).then(|| name.split_once('.')).flatten();
    known.ok_or_else(|| Exit::usage(format!("--operation {name}: expected one of {}", OPERATION_NAMES.join(", "))))
}

fn statuses(name: &str) -> Result<Vec<OperationStatus>, Exit> {
    let of = |bucket: OperationBucket| OperationStatus::ALL.iter().copied().filter(move |one| one.bucket() == bucket);
    let bucket = OperationStatus::ALL.iter().map(|one| one.bucket()).find(|bucket| bucket.as_str() == name);
    bucket.map(|bucket| of(bucket).collect()).ok_or_else(|| {
        Exit::usage(format!("--state {name}: expected queued, running, succeeded, partially_succeeded or failed"))
    })
}

fn reason(code: &str) -> Result<ReasonCode, Exit> {
    code.parse().map_err(|_| {
        let known: Vec<&str> = ReasonCode::ALL.iter().map(|one| one.as_str()).collect();
        Exit::usage(format!("--reason {code}: expected one of {}", known.join(", ")))
    })
}

fn moment(option: &str, text: &str) -> Result<Timestamp, Exit> {
    let day = Timestamp::parse_rfc3339(&format!("{text}T00:00:00Z"));
    day.or_else(|| Timestamp::parse_rfc3339(text)).ok_or_else(|| {
        Exit::usage(format!("{option} {text}: expected a date such as 2026-11-30, or date and time as in RFC 3339"))
    })
}

async fn list(db: &Reader, arguments: &RunListArguments, output: Output) -> Result<(), Exit> {
    if !(1..=500).contains(&arguments.limit) {
        return Err(Exit::usage(format!("--limit {}: expected 1 to 500", arguments.limit)));
    }
    let runs = operation_runs::list(db, &filter(db, arguments).await?).await?;
    output.document(&runs.iter().map(document).collect::<Vec<_>>())?;
    output.table(
        &["RUN", "NAME", "TENANT", "OPERATION", "STATE", "DONE", "FAILED", "NEWS", "STARTED BY", "CREATED", "REASON"],
        runs.iter().map(|run| {
            let words = run_words(run);
            vec![
                run.id.to_string(),
                words.name.clone(),
                run.tenant_name.clone(),
                format!("{}.{}", run.resource, run.action),
                run.status.as_str().to_owned(),
                format!("{}/{}", run.counters.processed, run.counters.total),
                run.counters.failed.to_string(),
                run.news.map(|news| news_words(&news, &words, &run.counters)).unwrap_or_default(),
                initiator_words(run),
                run.created_at.to_rfc3339(),
                run.reason_code.map_or("", |reason| reason.as_str()).to_owned(),
            ]
        }),
    )
}

/// The run of this id, and its tenant.
async fn found(db: &Reader, text: &str) -> Result<(OperationRun, Tenant), Exit> {
    let unknown = || Exit::usage(format!("there is no run {text}: `tenantatlas runs` lists them with their ids"));
    let id: OperationRunId = text.parse().map_err(|_| unknown())?;
    let filter = Filter { ids: Some(vec![id]), limit: 1, ..Filter::default() };
    let run = operation_runs::list(db, &filter).await?.pop().ok_or_else(unknown)?;
    let tenant = tenants::get(db, run.tenant_id).await?.ok_or_else(unknown)?;
    Ok((run, tenant))
}

async fn show(db: &Reader, run: &OperationRun, output: Output) -> Result<(), Exit> {
    let attempts = operation_runs::attempts(db, run.tenant_id, run.id).await?;
    let after = Filter { tenant_id: Some(run.tenant_id), follows: Some(run.id), limit: 10, ..Filter::default() };
    let follow_ups = operation_runs::list(db, &after).await?;
    let mut told = document(run);
    told["attempts"] = attempts.iter().map(attempt_document).collect();
    told["follow_ups"] = follow_ups.iter().map(document).collect();
    output.document(&told)?;
    let words = run_words(run);
    output.line(format!("{} of {}: {}", words.name, run.tenant_name, run.status.bucket().label()))?;
    let counters = &run.counters;
    output.line(format!(
        "{} of {} {}: {} succeeded, {} failed, {} skipped",
        counters.processed, counters.total, words.units.1, counters.succeeded, counters.failed, counters.skipped
    ))?;
    if run.pauses.length() > 0 {
        let throttled = i64::try_from(run.pauses.length()).unwrap_or(i64::MAX);
        output.line(format!("{} throttled by Microsoft", span(throttled)))?;
    }
    output.table(
        &["ATTEMPT", "BEGAN", "ENDED", "BY"],
        attempts.iter().map(|one| {
            vec![
                one.attempt.to_string(),
                one.began_at.to_rfc3339(),
                one.ended_at.map(Timestamp::to_rfc3339).unwrap_or_default(),
                one.ended_by.map_or("", |by| by.as_str()).to_owned(),
            ]
        }),
    )?;
    for failure in &run.failures {
        let item = failure.item_id.as_deref().unwrap_or("the run");
        output.line(format!("  {item}: {}: {}", failure.reason_code.as_str(), failure.reason))?;
    }
    if run.failures_omitted > 0 {
        output.line(format!("  and {} more", number(u64::from(run.failures_omitted))))?;
    }
    Ok(())
}

async fn cancel(engine: &Engine, run: &str, why: &str, output: Output) -> Result<(), Exit> {
    let (run, tenant) = found(engine.reader(), run).await?;
    let name = run_words(&run).name;
    let outcomes = engine.runs().cancel_many(&Actor::command_line(), &[(tenant.id, run.id)], why).await?;
    if outcomes.done == 0 {
        return Err(Exit::usage(format!("{name} of {} has ended already: there is nothing to cancel", tenant.name)));
    }
    let (now, _) = found(engine.reader(), &run.id.to_string()).await?;
    let cancelled = if now.status.is_terminal() { Cancelled::Done } else { Cancelled::Requested };
    output.document(&json!({ "operation_run_id": run.id, "status": now.status, "requested": outcomes.done == 1 }))?;
    output.line(match cancelled {
        Cancelled::Done => format!("{name} of {} is cancelled", tenant.name),
        _ => format!("{name} of {} was asked to stop", tenant.name),
    })
}

async fn retry(settings: &Settings, run: &str, part: RetryPart, output: Output) -> Result<(), Exit> {
    // Without workers: whether others work on a run can be told only while this process keeps its hands off it.
    let desk = open::engine(settings, open::without_workers()).await?;
    let result = retried(settings, &desk, run, part, output).await;
    desk.shutdown().await;
    result
}

async fn retried(settings: &Settings, desk: &Engine, run: &str, part: RetryPart, output: Output) -> Result<(), Exit> {
    let (run, tenant) = found(desk.reader(), run).await?;
    let started = desk.runs().retry(&Actor::command_line(), tenant.id, run.id, part).await?;
    let id = started.state.id;
    if started.already_running && desk.runs().is_worked_on(tenant.id, id).await? {
        output.document(&json!({ "status": "already_running", "operation_run_id": id }))?;
        output.line(format!("{} of {} is under way already (run {id}).", started.state.words.name, tenant.name))?;
        return Err(Exit::silent(ExitCode::AlreadyRunning));
    }
    let engine = open::working(settings, desk);
    let followed = progress::follow(&engine, &tenant, &started.state, output).await;
    let shown = match &followed {
        Ok(state) => match operation_runs::get(engine.reader(), tenant.id, state.id).await {
            Ok(Some(run)) => show(engine.reader(), &run, output).await,
            Ok(None) => Ok(()),
            Err(error) => Err(error.into()),
        },
        Err(_) => Ok(()),
    };
    engine.shutdown().await;
    shown?;
    match followed?.status {
        OperationStatus::Completed => Ok(()),
        OperationStatus::CompletedWithErrors => Err(Exit::silent(ExitCode::Partial)),
        _ => Err(Exit::silent(ExitCode::Failed)),
    }
}

fn attempt_document(attempt: &RunAttempt) -> Value {
    json!({
        "attempt": attempt.attempt, "began_at": attempt.began_at.to_rfc3339(),
        "ended_at": attempt.ended_at.map(Timestamp::to_rfc3339), "ended_by": attempt.ended_by,
    })
}

fn document(run: &OperationRun) -> Value {
    json!({
        "id": run.id, "name": run_words(run).name, "tenant_id": run.tenant_id, "tenant": run.tenant_name,
        "news": run.news, "operation": format!("{}.{}", run.resource, run.action),
        "status": run.status, "bucket": run.status.bucket(), "counters": run.counters,
        "failures": run.failures, "reason_code": run.reason_code, "reasons": run.reasons, "initiator": run.initiator,
        "attempt": run.attempt, "throttled_ms": run.pauses.length(),
        "created_at": run.created_at.to_rfc3339(), "started_at": run.started_at.map(Timestamp::to_rfc3339),
        "finished_at": run.finished_at.map(Timestamp::to_rfc3339),
    })
}
