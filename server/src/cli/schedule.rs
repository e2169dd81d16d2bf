//! `tenantatlas schedule …`

mod change;

use serde_json::{Value, json};
use tenantatlas_domain::ids::ScheduleId;
use tenantatlas_domain::selection::Selection;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_engine::{Actor, Engine, ScheduleOptions, ScheduleSpec, Times, pattern_of};
use tenantatlas_store::schedules::{self, ListedSchedule};
use tenantatlas_store::{Reader, tenants};

use super::arguments::{ScheduleAddArguments, ScheduleCommand};
use super::output::Output;
use crate::exit::Exit;
use crate::open;
use crate::settings::Settings;

/// Times that are shown.
const SHOWN: usize = 5;
/// Over how many minutes several tenants are spread where nothing is said.
const USUAL_SPREAD: u32 = 60;
const NOT_ADDED: &str = "nothing was added";
const DAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/// Adds, changes, lists, shows, pauses, resumes and removes schedules.
///
/// # Errors
/// Exit code 64 for what was typed wrong.
pub async fn run(settings: &Settings, command: ScheduleCommand, output: Output) -> Result<(), Exit> {
    let engine = open::engine(settings, open::without_workers()).await?;
    let result = match command {
        ScheduleCommand::Add(arguments) => add(&engine, &arguments, output).await,
        ScheduleCommand::List { tenant } => list(engine.reader(), tenant.as_deref(), output).await,
        ScheduleCommand::Show { schedule } => show(&engine, &schedule, output).await,
        ScheduleCommand::Change(arguments) => change::change(&engine, &arguments, output).await,
        ScheduleCommand::Pause { schedule } => change(&engine, &schedule, Change::Pause, output).await,
        ScheduleCommand::Resume { schedule } => change(&engine, &schedule, Change::Resume, output).await,
        ScheduleCommand::Remove { schedule } => change(&engine, &schedule, Change::Remove, output).await,
    };
    engine.shutdown().await;
    result
}

fn weekdays(typed: &[String], undone: &str) -> Result<Vec<u8>, Exit> {
    let number = |day: &String| {
        let wanted = day.trim().to_lowercase();
        let found = DAYS.iter().position(|known| wanted.len() >= 3 && wanted.starts_with(known));
        let found = found.and_then(|found| u8::try_from(found).ok());
        found.ok_or_else(|| Exit::usage(format!("--on {day}: expected days such as mon,thu; {undone}")))
    };
    typed.iter().map(number).collect()
}

/// The pattern that is meant; `None` when nothing is said of it.
fn pattern(cron: Option<&String>, at: Option<&String>, on: &[String], undone: &str) -> Result<Option<String>, Exit> {
    match (cron, at) {
        (Some(cron), _) => Ok(Some(cron.clone())),
        (None, Some(time)) => pattern_of(time, &weekdays(on, undone)?)
            .map(Some)
            .map_err(|_| Exit::usage(format!("--at {time}: expected hours and minutes, such as 02:30; {undone}"))),
        (None, None) => Ok(None),
    }
}

/// Chooses these types of what an operation reads. Where it reads no types nobody is to believe that they were heard.
fn choose_types(options: &mut ScheduleOptions, operation: &str, types: &[String], undone: &str) -> Result<(), Exit> {
    if !matches!(operation, "inventory.sync" | "policies.capture") {
        return Err(Exit::usage(format!(
            "--types: expected with inventory.sync or policies.capture alone, which read types; leave it out for {operation}; {undone}"
        )));
    }
    let chosen = types.iter().map(|key| key.trim().to_owned()).filter(|key| !key.is_empty());
    let chosen: Vec<String> = chosen.collect();
    (options.selection, options.types) = (None, Vec::new());
    match (chosen.iter().any(|key| key == "all"), operation == "policies.capture") {
        (true, _) => {}
        (false, true) => options.types = chosen,
        (false, false) => {
            let include = true;
            options.selection = Some(Selection {
                policy_types: chosen,
                categories: Vec::new(),
                include_foundations: include,
                include_dependencies: include,
            });
        }
    }
    Ok(())
}

/// Chooses what follows.
fn choose_steps(options: &mut ScheduleOptions, then: &[String], undone: &str) -> Result<(), Exit> {
    (options.capture, options.drift) = (false, false);
    for step in then {
        match step.trim() {
            "capture" => options.capture = true,
            "drift" => options.drift = true,
            other => return Err(Exit::usage(format!("--then {other}: expected capture, drift or both; {undone}"))),
        }
    }
    Ok(())
}

fn options(arguments: &ScheduleAddArguments) -> Result<ScheduleOptions, Exit> {
    let mut options =
        ScheduleOptions { changed: arguments.changed, probe: arguments.probe, ..ScheduleOptions::default() };
    choose_steps(&mut options, &arguments.then, NOT_ADDED)?;
    if let Some(types) = &arguments.types {
        choose_types(&mut options, &arguments.operation, types, NOT_ADDED)?;
    }
    Ok(options)
}

async fn add(engine: &Engine, arguments: &ScheduleAddArguments, output: Output) -> Result<(), Exit> {
    let cron = pattern(arguments.cron.as_ref(), arguments.at.as_ref(), &arguments.on, NOT_ADDED)?;
    let cron = cron.ok_or_else(|| Exit::usage("expected --cron or --at"))?;
    let spec = ScheduleSpec {
        name: arguments.name.clone(),
        operation: arguments.operation.clone(),
        options: options(arguments)?,
        cron,
        zone: arguments.zone.clone(),
    };
    let mut chosen = Vec::new();
    for text in &arguments.tenants {
        let tenant = open::tenant(engine.reader(), text).await?;
        if !chosen.contains(&tenant.id) {
            chosen.push(tenant.id);
        }
    }
    let actor = Actor::command_line();
    let spread = arguments.spread.unwrap_or(if chosen.len() > 1 { USUAL_SPREAD } else { 0 });
    let (added, refused) = match chosen.as_slice() {
        [tenant] if arguments.spread.is_none() => {
            (vec![(*tenant, engine.add_schedule(&actor, *tenant, &spec).await?)], vec![])
        }
        tenants => {
            let outcome = engine.add_schedule_to_many(&actor, tenants, &spec, spread).await?;
            (outcome.added, outcome.refused)
        }
    };
    let mut documents = Vec::new();
    for (tenant, id) in &added {
        if let Some(listed) =
            found(engine.reader(), &id.to_string()).await.ok().filter(|one| one.schedule.tenant_id == *tenant)
        {
            documents.push(document(&listed, engine.now()));
        }
    }
    output.document(&documents)?;
    let times = Times::read(&spec.cron, &spec.zone)?;
    for (_, id) in &added {
        output.line(format!("{} is added: {id}", spec.name))?;
    }
    output.line(times.words_spread(spread))?;
    output.line(times.clock_changes(engine.now()))?;
    if let Some((tenant, error)) = refused.first() {
        let name = tenants::get(engine.reader(), *tenant).await?.map(|tenant| tenant.name).unwrap_or_default();
        let words = format!("{} of {} tenants have no such schedule; {name}: {error}", refused.len(), chosen.len());
        return Err(Exit::usage(words));
    }
    Ok(())
}

async fn list(db: &Reader, tenant: Option<&str>, output: Output) -> Result<(), Exit> {
    let found = match tenant {
        Some(text) => schedules::list(db, open::tenant(db, text).await?.id).await?,
        None => schedules::list_seen(db, None).await?,
    };
    let now = now();
    output.document(&found.iter().map(|listed| document(listed, now)).collect::<Vec<_>>())?;
    output.table(
        &["SCHEDULE", "NAME", "TENANT", "OPERATION", "WHEN", "ZONE", "STATE", "NEXT", "LAST", "LAST SUCCESS"],
        found.iter().map(|listed| {
            let schedule = &listed.schedule;
            let at = |at: Option<Timestamp>| at.map(Timestamp::to_rfc3339).unwrap_or_default();
            vec![
                schedule.id.to_string(),
                schedule.name.clone(),
                listed.tenant_name.clone(),
                format!("{}.{}", schedule.resource, schedule.action),
                schedule.cron.clone(),
                schedule.zone.clone(),
                if schedule.is_overdue(now) { "overdue".to_owned() } else { schedule.state.to_string() },
                at(schedule.due_at),
                listed.last_status.map(|status| status.as_str().to_owned()).unwrap_or_default(),
                at(schedule.last_succeeded_at),
            ]
        }),
    )
}

fn now() -> Timestamp {
    use tenantatlas_engine::{Clock as _, SystemClock};
    SystemClock.now()
}

fn document(listed: &ListedSchedule, now: Timestamp) -> Value {
    let schedule = &listed.schedule;
    json!({
        "id": schedule.id,
        "name": schedule.name,
        "tenant": { "id": schedule.tenant_id, "name": listed.tenant_name },
        "group_id": schedule.group_id,
        "operation": format!("{}.{}", schedule.resource, schedule.action),
        "options": schedule.options,
        "cron": schedule.cron,
        "zone": schedule.zone,
        "spread_minutes": schedule.spread_minutes,
        "offset_seconds": schedule.offset_ms / 1_000,
        "revision": schedule.revision,
        "state": schedule.state.as_str(),
        "stopped_because": schedule.stopped_because,
        "overdue": schedule.is_overdue(now),
        "trouble": schedule.trouble,
        "created_by": schedule.creator,
        "next_due_at": schedule.due_at.map(Timestamp::to_rfc3339),
        "last_run_id": schedule.last_run_id,
        "last_run_status": listed.last_status,
        "last_started_at": schedule.last_started_at.map(Timestamp::to_rfc3339),
        "last_succeeded_at": schedule.last_succeeded_at.map(Timestamp::to_rfc3339),
    })
}

/// The schedule of this id.
async fn found(db: &Reader, text: &str) -> Result<ListedSchedule, Exit> {
    let unknown =
        || Exit::usage(format!("there is no schedule {text}: `tenantatlas schedule list` lists them with their ids"));
    let id: ScheduleId = text.parse().map_err(|_| unknown())?;
    let tenant = schedules::tenant_of(db, id).await?.ok_or_else(unknown)?;
    schedules::list(db, tenant).await?.into_iter().find(|listed| listed.schedule.id == id).ok_or_else(unknown)
}

async fn show(engine: &Engine, text: &str, output: Output) -> Result<(), Exit> {
    let listed = found(engine.reader(), text).await?;
    let (schedule, now) = (&listed.schedule, engine.now());
    let times = Times::read(&schedule.cron, &schedule.zone)?;
    let offset = schedule.offset_ms;
    let from = Timestamp::from_millis(now.as_millis() - offset);
    let upcoming = times.upcoming(from, SHOWN).into_iter();
    let next: Vec<String> =
        upcoming.map(|due| Timestamp::from_millis(due.at.as_millis() + offset).to_rfc3339()).collect();
    let (words, changes) = (times.words_spread(schedule.spread_minutes), times.clock_changes(now));
    let mut told = document(&listed, now);
    told["next"] = json!(next);
    told["words"] = json!(words);
    told["clock_changes"] = json!(changes);
    output.document(&told)?;
    output.line(format!("{} of {}: {}", schedule.name, listed.tenant_name, schedule.state))?;
    output.line(format!("{words} ({}, {})", schedule.cron, schedule.zone))?;
    output.line(changes)?;
    for line in [&schedule.stopped_because, &schedule.trouble].into_iter().flatten() {
        output.line(line)?;
    }
    if schedule.is_overdue(now) {
        output.line("Overdue: it has not succeeded for twice its period.")?;
    }
    output.table(&["NEXT"], next.into_iter().map(|at| vec![at]))
}

#[derive(Clone, Copy)]
enum Change {
    Pause,
    Resume,
    Remove,
}

async fn change(engine: &Engine, text: &str, change: Change, output: Output) -> Result<(), Exit> {
    let listed = found(engine.reader(), text).await?;
    let (tenant, id, actor) = (listed.schedule.tenant_id, listed.schedule.id, Actor::command_line());
    let (state, words) = match change {
        Change::Pause => (engine.pause_schedule(&actor, tenant, id).await.map(|()| "paused")?, "is paused"),
        Change::Resume => (engine.resume_schedule(&actor, tenant, id).await.map(|()| "active")?, "goes on"),
        Change::Remove => (engine.remove_schedule(&actor, tenant, id).await.map(|()| "removed")?, "is removed"),
    };
    output.document(&json!({ "id": id, "state": state }))?;
    output.line(format!("{} of {} {words}", listed.schedule.name, listed.tenant_name))
}
