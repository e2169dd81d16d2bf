//! The list of schedules.

use leptos::prelude::*;
use tenantatlas_domain::ids::TenantId;
use tenantatlas_domain::invisible::visible_on_page;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_engine::{Engine, Times};
use tenantatlas_store::schedules::{ListedSchedule, Schedule, ScheduleState};

use super::functions::{PauseSchedule, RemoveSchedule};
use crate::address;
use crate::format::counted;
use crate::ui::drawn::Drawn as _;
use crate::ui::form::hidden;
use crate::ui::icon::Icon;
use crate::ui::note::empty;
use crate::ui::state::state;
use crate::ui::time::{day, moment_or};

/// Times that are shown.
const SHOWN: usize = 5;

/// Which schedules a table is of.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    /// A single one, on its page.
    One,
    /// Those of a tenant.
    OfTenant,
    /// Those of all tenants of the person.
    OfAll,
}

/// The schedules. `may_edit` says in which tenants they may be changed.
pub(super) fn table(
    engine: &Engine,
    found: &[ListedSchedule],
    which: Which,
    may_edit: impl Fn(TenantId) -> bool,
) -> AnyView {
    if found.is_empty() {
        return empty(Icon::Waiting, "No schedules", "What is added below is started by the clock.", None);
    }
    let rows = found.iter().map(|one| row(engine, one, which, may_edit(one.schedule.tenant_id)));
    let (rows, all) = (rows.collect_view(), which == Which::OfAll);
    view! {
        <div class="table-wrap">
            <table class="table cards">
                <caption class="visually-hidden">"Schedules"</caption>
                <thead>
                    <tr>
                        <th scope="col">"Schedule"</th>
                        {all.then(|| view! { <th scope="col">"Tenant"</th> })}
                        <th scope="col">"State"</th>
                        <th scope="col">"When"</th>
                        <th scope="col">"Next"</th>
                        <th scope="col">"Last run"</th>
                        <th scope="col">"Last success"</th>
                        <th scope="col"><span class="visually-hidden">"Actions"</span></th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
    .drawn()
}

fn millis(at: Option<Timestamp>) -> Option<i64> {
    at.map(Timestamp::as_millis)
}

fn row(engine: &Engine, listed: &ListedSchedule, which: Which, may_edit: bool) -> AnyView {
    let (schedule, all) = (&listed.schedule, which == Which::OfAll);
    let at = address::tenant(schedule.tenant_id);
    let operation = engine.runs().operations().words(&schedule.resource, &schedule.action).operation;
    let name = visible_on_page(&schedule.name).into_owned();
    let name = match which {
        Which::One => name.drawn(),
        _ => view! { <a href=at.schedule(schedule.id)>{name}</a> }.drawn(),
    };
    let tenant = all.then(|| {
        view! { <td data-label="Tenant"><a href=at.schedules()>{visible_on_page(&listed.tenant_name).into_owned()}</a></td> }
    });
    let last = match (schedule.last_run_id, schedule.last_started_at) {
        (Some(run), Some(started)) => {
            let words = listed.last_status.map_or("not kept any more", |status| status.bucket().label());
            view! { <a href=at.run(run)>{words}</a>" "{moment_or(Some(started.as_millis()), "")} }.drawn()
        }
        _ => "never".drawn(),
    };
    view! {
        <tr>
            <th scope="row" class="title">{name}<span class="under">{operation}</span></th>
            {tenant}
            <td data-label="State">{chip(schedule, engine.now())}{trouble(schedule)}</td>
            <td data-label="When">{when(schedule, engine.now(), which)}</td>
            <td data-label="Next">{schedule.due_at.map_or_else(|| "–".drawn(), |due| day(due.as_millis()).drawn())}</td>
            <td data-label="Last run">{last}</td>
            <td data-label="Last success">{moment_or(millis(schedule.last_succeeded_at), "never")}</td>
            <td data-label="Actions" class="wide">{may_edit.then(|| actions(schedule, which))}</td>
        </tr>
    }
    .drawn()
}

fn chip(schedule: &Schedule, now: Timestamp) -> AnyView {
    match schedule.state {
        ScheduleState::Active if schedule.is_overdue(now) => state("bad", Icon::Warning, "Overdue"),
        ScheduleState::Active => state("ok", Icon::Done, "Active"),
        ScheduleState::Paused => state("idle", Icon::Waiting, "Paused"),
        ScheduleState::Stopped => state("bad", Icon::Failed, "Stopped"),
    }
}

fn trouble(schedule: &Schedule) -> Option<AnyView> {
    let words = schedule.stopped_because.as_ref().or(schedule.trouble.as_ref())?;
    Some(view! { <span class="under">{visible_on_page(words).into_owned()}</span> }.drawn())
}

/// The pattern in words, with the next times and what changes of the clocks do to them.
fn when(schedule: &Schedule, now: Timestamp, which: Which) -> AnyView {
    let Ok(times) = Times::read(&schedule.cron, &schedule.zone) else { return schedule.cron.clone().drawn() };
    let offset = schedule.offset_ms;
    let spread = (schedule.spread_minutes > 0).then(|| {
        let after = counted(offset.unsigned_abs() / 60_000, "minute", "minutes");
        let over = counted(u64::from(schedule.spread_minutes), "minute", "minutes");
        format!("Tenants are spread over {over}: this one always starts {after} after the first.")
    });
    let from = Timestamp::from_millis(now.as_millis().saturating_sub(offset));
    let next = times.upcoming(from, SHOWN).into_iter().map(|due| {
        let local = due.local.strftime("%a %-d %b %Y, %H:%M").to_string();
        view! { <li>{local}", "{day(due.at.as_millis().saturating_add(offset))}</li> }
    });
    let next = next.collect_view();
    view! {
        {times.words_spread(schedule.spread_minutes)}
        <span class="under">{times.zone_name()}</span>
        <details open=which == Which::One>
            <summary>"Next five times"</summary>
            <ol>{next}</ol>
            <p class="quiet-text">{times.clock_changes(now)}</p>
            {spread.map(|words| view! { <p class="quiet-text">{words}</p> })}
        </details>
    }
    .drawn()
}

fn actions(schedule: &Schedule, which: Which) -> AnyView {
    let (at, all) = (address::tenant(schedule.tenant_id), which == Which::OfAll);
    let (pause, remove) = (at.function::<PauseSchedule>(), at.function::<RemoveSchedule>());
    let is_active = schedule.state == ScheduleState::Active;
    let id = schedule.id.to_string();
    let words = if is_active { "Pause" } else { "Resume" };
    let name = visible_on_page(&schedule.name);
    let labels = (format!("{words} {name}"), format!("Remove {name}"));
    let change = (which != Which::One).then(|| {
        let (to, label) = (at.schedule(schedule.id), format!("Change {name}"));
        view! { <a class="button" href=to aria-label=label>"Change"</a> }
    });
    view! {
        <div class="actions">
        {change}
        <form method="post" action=pause>
            {hidden("schedule", id.clone())}
            {(!is_active).then(|| hidden("resume", "true"))}
            {all.then(|| hidden("all", "true"))}
            <button class="button" aria-label=labels.0>{words}</button>
        </form>
        <form method="post" action=remove>
            {hidden("schedule", id)}
            {all.then(|| hidden("all", "true"))}
            <button class="button danger" aria-label=labels.1>"Remove"</button>
        </form>
        </div>
    }
    .drawn()
}
