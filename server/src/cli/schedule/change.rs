//! `tenantatlas schedule change`

use serde::Deserialize as _;
use tenantatlas_engine::{Actor, Engine, ScheduleOptions, ScheduleSpec};
use tenantatlas_store::schedules::Schedule;

use super::{choose_steps, choose_types, found, pattern, show};
use crate::cli::arguments::ScheduleChangeArguments;
use crate::cli::output::Output;
use crate::exit::Exit;

const NOT_CHANGED: &str = "nothing was changed";

/// Changes a schedule, and shows it as it is then.
pub(super) async fn change(engine: &Engine, arguments: &ScheduleChangeArguments, output: Output) -> Result<(), Exit> {
    let listed = found(engine.reader(), &arguments.schedule).await?;
    let known = &listed.schedule;
    let spec = wanted(arguments, known)?;
    let actor = Actor::command_line();
    // What stays was read above: somebody who changes that meanwhile is not undone.
    engine.change_schedule(&actor, known.tenant_id, known.id, known.revision, &spec).await?;
    show(engine, &arguments.schedule, output).await
}

/// All of the schedule as it is to be.
fn wanted(arguments: &ScheduleChangeArguments, known: &Schedule) -> Result<ScheduleSpec, Exit> {
    let ScheduleChangeArguments { name, operation, cron, at, on, zone, types, changed, probe, then, .. } = arguments;
    let cron = pattern(cron.as_ref(), at.as_ref(), on, NOT_CHANGED)?;
    let said = [name.is_some(), operation.is_some(), cron.is_some(), zone.is_some(), types.is_some()];
    if !said.into_iter().chain([changed.is_some(), probe.is_some(), then.is_some()]).any(|said| said) {
        return Err(Exit::usage(
            "nothing is said: expected --name, --operation, --cron, --at, --zone, --types, --changed, --probe or --then",
        ));
    }
    let before = format!("{}.{}", known.resource, known.action);
    let operation = operation.clone().unwrap_or_else(|| before.clone());
    let mut options = match operation == before {
        true => ScheduleOptions::deserialize(&known.options).map_err(|_| {
            Exit::usage(format!(
                "this version does not understand what it is to do: remove it and add it anew; {NOT_CHANGED}"
            ))
        })?,
        false => ScheduleOptions::default(),
    };
    if let Some(types) = types {
        choose_types(&mut options, &operation, types, NOT_CHANGED)?;
    }
    if let Some(then) = then {
        let none = then.iter().all(|step| step.trim() == "none");
        choose_steps(&mut options, if none { &[] } else { then }, NOT_CHANGED)?;
    }
    options.changed = changed.unwrap_or(options.changed);
    options.probe = probe.unwrap_or(options.probe);
    Ok(ScheduleSpec {
        name: name.clone().unwrap_or_else(|| known.name.clone()),
        operation,
        options,
        cron: cron.unwrap_or_else(|| known.cron.clone()),
        zone: zone.clone().unwrap_or_else(|| known.zone.clone()),
    })
}
