//! Schedules: added, changed, paused, resumed, removed.
#![allow(missing_docs, reason = "the macro makes a type per function whose fields are the parameters")]
#![expect(clippy::too_many_arguments, reason = "the arguments of a server function are the fields of its form")]

use leptos::prelude::*;
use tenantatlas_domain::ids::{ScheduleId, TenantId};

use crate::error::AppError;
#[cfg(feature = "ssr")]
use {
    super::form::Typed,
    crate::{access::Rule, address, done::Done, redirect::go_to_with, scope},
    tenantatlas_domain::role::Action,
    tenantatlas_engine::ScheduleSpec,
    tenantatlas_store::schedules,
};

/// What is wanted by the fields of a form: name and operation, when, what is read, and the choices.
#[cfg(feature = "ssr")]
fn typed(
    (name, operation): (String, String),
    (when, time, days, cron, zone): (String, String, Vec<u8>, String, String),
    (types, categories): (Vec<String>, Vec<String>),
    (changed, capture, drift, probe): (bool, bool, bool, bool),
) -> Result<ScheduleSpec, AppError> {
    let typed =
        Typed { name, operation, when, time, days, cron, zone, types, categories, changed, capture, drift, probe };
    typed.spec()
}

/// Adds a schedule to the tenant.
///
/// # Errors
/// Forbidden below manager; a value that is not acceptable; the name is taken.
#[server(prefix = "/api", endpoint = "add_schedule")]
pub async fn add_schedule(
    name: String,
    operation: String,
    when: String,
    #[server(default)] time: String,
    #[server(default)] days: Vec<u8>,
    #[server(default)] cron: String,
    zone: String,
    #[server(default)] types: Vec<String>,
    #[server(default)] categories: Vec<String>,
    #[server(default)] changed: bool,
    #[server(default)] capture: bool,
    #[server(default)] drift: bool,
    #[server(default)] probe: bool,
) -> Result<(), AppError> {
    let inside = scope::acting(Action::EditSchedules)?;
    let when = (when, time, days, cron, zone);
    let spec = typed((name, operation), when, (types, categories), (changed, capture, drift, probe))?;
    inside.engine.add_schedule(&inside.session.actor(), inside.id(), &spec).await?;
    go_to_with(&inside.address().schedules(), Done::ScheduleAdded);
    Ok(())
}
rule!(AddSchedule, Rule::Member(Action::EditSchedules));

/// Adds a schedule to each of these tenants, spread over so many minutes: one command each, so that one that is refused stops
/// no other.
///
/// # Errors
/// Signed out; none or too many were picked; a value that is not acceptable; what every tenant refused.
#[server(prefix = "/api", endpoint = "add_schedules")]
pub async fn add_schedules(
    #[server(default)] tenants: Vec<TenantId>,
    spread: String,
    name: String,
    operation: String,
    when: String,
    #[server(default)] time: String,
    #[server(default)] days: Vec<u8>,
    #[server(default)] cron: String,
    zone: String,
    #[server(default)] types: Vec<String>,
    #[server(default)] categories: Vec<String>,
    #[server(default)] changed: bool,
    #[server(default)] capture: bool,
    #[server(default)] drift: bool,
    #[server(default)] probe: bool,
) -> Result<(), AppError> {
    let (engine, session) = (scope::engine()?, scope::session()?);
    let when = (when, time, days, cron, zone);
    let spec = typed((name, operation), when, (types, categories), (changed, capture, drift, probe))?;
    let spread = spread.trim().parse();
    let spread = spread.map_err(|_| AppError::invalid("spread", "Type how many minutes, 0 to 720."))?;
    let outcome = engine.add_schedule_to_many(&session.actor(), &tenants, &spec, spread).await?;
    let done = match (outcome.added.is_empty(), outcome.refused.into_iter().next()) {
        (true, Some((_, error))) => return Err(error.into()),
        (_, Some(_)) => Done::SchedulesAddedInPart,
        (_, None) => Done::ScheduleAdded,
    };
    go_to_with(address::SCHEDULES, done);
    Ok(())
}
rule!(AddSchedules, Rule::SignedIn);

/// Changes a schedule, as it was seen in this revision.
///
/// # Errors
/// Those of adding one; no such schedule; it was changed since it was seen.
#[server(prefix = "/api", endpoint = "change_schedule")]
pub async fn change_schedule(
    schedule: ScheduleId,
    revision: u32,
    name: String,
    operation: String,
    when: String,
    #[server(default)] time: String,
    #[server(default)] days: Vec<u8>,
    #[server(default)] cron: String,
    zone: String,
    #[server(default)] types: Vec<String>,
    #[server(default)] categories: Vec<String>,
    #[server(default)] changed: bool,
    #[server(default)] capture: bool,
    #[server(default)] drift: bool,
    #[server(default)] probe: bool,
) -> Result<(), AppError> {
    let inside = scope::acting(Action::EditSchedules)?;
    let when = (when, time, days, cron, zone);
    let mut spec = typed((name, operation), when, (types, categories), (changed, capture, drift, probe))?;
    if let Some(known) = schedules::get(inside.engine.reader(), inside.id(), schedule).await? {
        spec.keep_unseen(&known);
    }
    inside.engine.change_schedule(&inside.session.actor(), inside.id(), schedule, revision, &spec).await?;
    go_to_with(&inside.address().schedule(schedule), Done::ScheduleChanged);
    Ok(())
}
rule!(ChangeSchedule, Rule::Member(Action::EditSchedules));

/// Pauses a schedule, or lets it go on. With `all` the answer leads to the schedules of all tenants.
///
/// # Errors
/// Forbidden below manager; no such schedule.
#[server(prefix = "/api", endpoint = "pause_schedule")]
pub async fn pause_schedule(
    schedule: ScheduleId,
    #[server(default)] resume: bool,
    #[server(default)] all: bool,
) -> Result<(), AppError> {
    let inside = scope::acting(Action::EditSchedules)?;
    let (actor, tenant) = (inside.session.actor(), inside.id());
    let done = if resume {
        inside.engine.resume_schedule(&actor, tenant, schedule).await?;
        Done::ScheduleResumed
    } else {
        inside.engine.pause_schedule(&actor, tenant, schedule).await?;
        Done::SchedulePaused
    };
    let back = if all { address::SCHEDULES.to_owned() } else { inside.address().schedules() };
    go_to_with(&back, done);
    Ok(())
}
rule!(PauseSchedule, Rule::Member(Action::EditSchedules));

/// Removes a schedule. With `all` the answer leads to the schedules of all tenants.
///
/// # Errors
/// Forbidden below manager; no such schedule.
#[server(prefix = "/api", endpoint = "remove_schedule")]
pub async fn remove_schedule(schedule: ScheduleId, #[server(default)] all: bool) -> Result<(), AppError> {
    let inside = scope::acting(Action::EditSchedules)?;
    inside.engine.remove_schedule(&inside.session.actor(), inside.id(), schedule).await?;
    let back = if all { address::SCHEDULES.to_owned() } else { inside.address().schedules() };
    go_to_with(&back, Done::ScheduleRemoved);
    Ok(())
}
rule!(RemoveSchedule, Rule::Member(Action::EditSchedules));
