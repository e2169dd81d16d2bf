//! `tenantatlas audit-events`

use serde_json::{Map, Value, json};
use tenantatlas_app::format::{counted, number};
use tenantatlas_domain::audit_event::{AuditFacts, AuditObject};
use tenantatlas_domain::live::RunState;
use tenantatlas_domain::operation::OperationStatus;
use tenantatlas_domain::sync::TypeOutcome;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_engine::{Actor, Clock as _, Engine, SystemClock};
use tenantatlas_store::audit_events::{self, EventFilter, SourceRead, SourceState};
use tenantatlas_store::tenants::Tenant;
use tenantatlas_store::{Reader, sync_runs};

use super::arguments::{AuditEventsArguments, AuditEventsCommand, AuditEventsListArguments};
use super::output::Output;
use super::progress;
use crate::exit::{Exit, ExitCode};
use crate::open;
use crate::settings::Settings;

/// Reads the audit logs of a tenant with live progress, or lists what was read.
///
/// # Errors
/// Exit codes 1, 2 and 3 for a run that failed, was partial, or runs already; 64 for what was typed wrong.
pub async fn run(settings: &Settings, arguments: AuditEventsArguments, output: Output) -> Result<(), Exit> {
    match (arguments.command, arguments.tenant) {
        (Some(AuditEventsCommand::List(arguments)), _) => {
            list(&Reader::from(open::database(settings).await?), &arguments, output).await
        }
        (None, Some(tenant)) => {
            // Without workers: whether others work on a run can be told only while this process keeps its hands off it.
            let desk = open::engine(settings, open::without_workers()).await?;
            let result = dispatch(settings, &desk, &tenant, output).await;
            desk.shutdown().await;
            result
        }
        (None, None) => Err(Exit::usage("expected --tenant with the name, id or Entra tenant id of a tenant")),
    }
}

async fn dispatch(settings: &Settings, desk: &Engine, tenant: &str, output: Output) -> Result<(), Exit> {
    let tenant = open::tenant(desk.reader(), tenant).await?;
    let dispatched = desk.read_audit_events(&Actor::command_line(), tenant.id).await?;
    let run = dispatched.state.id;
    if dispatched.already_running && desk.runs().is_worked_on(tenant.id, run).await? {
        output.document(&json!({"status": "already_running", "operation_run_id": run}))?;
        output.line(format!("The audit logs of {} are already being read (run {run}).", tenant.name))?;
        return Err(Exit::silent(ExitCode::AlreadyRunning));
    }
    let engine = open::working(settings, desk);
    let result = read(&engine, &tenant, &dispatched.state, output).await;
    engine.shutdown().await;
    result
}

/// Follows a run to its end, and tells how each log went.
async fn read(engine: &Engine, tenant: &Tenant, begin: &RunState, output: Output) -> Result<(), Exit> {
    let state = progress::follow(engine, tenant, begin, output).await?;
    let reads = audit_events::reads_of(engine.reader(), tenant.id, state.id).await?;
    let sources = audit_events::sources(engine.reader(), tenant.id).await?;
    output.document(&report(&state, &reads, &sources))?;
    output.table(
        &["LOG", "OUTCOME", "EVENTS", "NEW", "REQUESTS", "READ FROM", "READ TO", "REASON"],
        reads.iter().map(|row| cells(row, &sources)),
    )?;
    for row in &reads {
        if let (Some(code), Some(message)) = (row.reason_code, &row.message) {
            output.line(format!("  {}: {message}", code.as_str()))?;
        }
    }
    let kept = reads.iter().map(|row| row.kept).sum();
    output.line(format!(
        "{}, {}: {} · {}",
        tenant.name,
        state.words.name,
        state.status.as_str(),
        counted(kept, "new event", "new events")
    ))?;
    match state.status {
        OperationStatus::Completed => Ok(()),
        OperationStatus::CompletedWithErrors => Err(Exit::silent(ExitCode::Partial)),
        _ => Err(Exit::silent(ExitCode::Failed)),
    }
}

fn instant(at: Option<Timestamp>) -> Option<String> {
    at.map(Timestamp::to_rfc3339)
}

fn state_of<'a>(row: &SourceRead, sources: &'a [SourceState]) -> Option<&'a SourceState> {
    sources.iter().find(|state| state.source == row.source)
}

fn report(state: &RunState, reads: &[SourceRead], sources: &[SourceState]) -> Value {
    let sum = |of: fn(&SourceRead) -> u64| reads.iter().map(of).sum::<u64>();
    let facts = |row: &SourceRead| {
        let known = state_of(row, sources);
        json!({
            "status": row.outcome, "events": row.events, "new": row.kept, "requests": row.requests,
            "retries": row.retries, "reason_code": row.reason_code, "message": row.message,
            "read_from": instant(known.and_then(|known| known.read_from)),
            "read_to": instant(known.and_then(|known| known.read_to)),
        })
    };
    json!({
        "operation_run_id": state.id, "status": state.status, "reason_code": state.reason_code,
        "events": sum(|row| row.events), "new": sum(|row| row.kept), "requests": sum(|row| row.requests),
        "retries": sum(|row| row.retries),
        "sources": reads.iter().map(|row| (row.source.as_str().to_owned(), facts(row))).collect::<Map<_, _>>(),
    })
}

fn cells(row: &SourceRead, sources: &[SourceState]) -> Vec<String> {
    let known = state_of(row, sources);
    vec![
        row.source.as_str().to_owned(),
        row.outcome.map_or("not finished", TypeOutcome::as_str).to_owned(),
        number(row.events),
        number(row.kept),
        row.requests.to_string(),
        instant(known.and_then(|known| known.read_from)).unwrap_or_default(),
        instant(known.and_then(|known| known.read_to)).unwrap_or_default(),
        row.reason_code.map_or("", |code| code.as_str()).to_owned(),
    ]
}

async fn list(db: &Reader, arguments: &AuditEventsListArguments, output: Output) -> Result<(), Exit> {
    let tenant = open::tenant(db, &arguments.tenant).await?;
    let since = match arguments.since {
        Some(since) => {
            let moment = sync_runs::moment_of(db, tenant.id, since, SystemClock.now()).await?;
            Some(moment.ok_or_else(|| Exit::usage(format!("{since} names no sync run of the tenant that has ended")))?)
        }
        None => None,
    };
    let filter = EventFilter { object_id: arguments.object.clone(), since, source: None, limit: arguments.limit };
    let events = audit_events::list(db, tenant.id, &filter).await?;
    let sources = audit_events::sources(db, tenant.id).await?;
    let own = tenant.client_id.as_str();
    output.document(&json!({
        "events": events.iter().map(|event| document(event, own)).collect::<Vec<_>>(),
        "sources": sources.iter().map(|state| (state.source.as_str().to_owned(), known(state))).collect::<Map<_, _>>(),
    }))?;
    output.table(
        &["TIME", "LOG", "WHO", "ACTIVITY", "OBJECTS", "CHANGED"],
        events.iter().map(|event| {
            vec![
                event.at.to_rfc3339(),
                event.source.as_str().to_owned(),
                who(event),
                event.activity.clone(),
                event.objects.iter().map(|one| one.id.as_str()).collect::<Vec<_>>().join(", "),
                event.changed.join(", "),
            ]
        }),
    )?;
    if sources.is_empty() {
        output.line(format!("The audit logs of {} were never read: `tenantatlas audit-events` does.", tenant.name))?;
    }
    Ok(())
}

fn who(event: &AuditFacts) -> String {
    let actor = &event.actor;
    let (name, id) = match actor.is_person() {
        true => (&actor.user_name, &actor.user_id),
        false => (&actor.application_name, &actor.application_id),
    };
    name.clone().or_else(|| id.clone()).unwrap_or_else(|| "not named".to_owned())
}

fn document(event: &AuditFacts, own: &str) -> Value {
    let object = |one: &AuditObject| json!({"id": one.id, "type": one.kind});
    json!({
        "source": event.source, "id": event.event_id, "at": event.at.to_rfc3339(), "activity": event.activity,
        "operation": event.operation, "correlation_id": event.correlation_id, "actor": event.actor,
        "own_application": event.actor.is_application(own),
        "objects": event.objects.iter().map(object).collect::<Vec<_>>(), "changed": event.changed,
    })
}

fn known(state: &SourceState) -> Value {
    json!({
        "read_from": instant(state.read_from), "read_to": instant(state.read_to), "reason_code": state.reason_code,
        "message": state.message, "attempted_at": state.attempted_at.to_rfc3339(),
    })
}
