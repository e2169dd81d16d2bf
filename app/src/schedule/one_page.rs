//! The page of a schedule: when it starts what, and the form that changes it.

use leptos::prelude::*;
use tenantatlas_domain::ids::ScheduleId;
use tenantatlas_domain::invisible::visible_on_page;
use tenantatlas_domain::role::Action;
use tenantatlas_store::schedules::{self, ListedSchedule, ScheduleState};

use super::form::{Typed, fields};
use super::functions::{ChangeSchedule, PauseSchedule, RemoveSchedule};
use super::list::{Which, table};
use crate::error::AppError;
use crate::frame::view::Section;
use crate::page::{done, path_part, query, refusal, tenant_page};
use crate::scope::Inside;
use crate::ui::active_form::ActiveForm;
use crate::ui::card::section_card;
use crate::ui::drawn::Drawn as _;
use crate::ui::form::{hidden, hidden_as_sent};
use crate::ui::note::{done_note, note, refusal_note};

/// A schedule, with the form that changes it for those who may.
#[component]
pub fn SchedulePage() -> impl IntoView {
    let id = path_part("schedule");
    let query = query();
    let done = done(&query);
    let refused = refusal::<PauseSchedule>(&query).or_else(|| refusal::<RemoveSchedule>(&query));
    let error = refusal::<ChangeSchedule>(&query);
    tenant_page(Section::Runs, move |inside| async move {
        let listed = found(&inside, &id).await?;
        let name = visible_on_page(&listed.schedule.name).into_owned();
        let may_edit = inside.role.allows(Action::EditSchedules);
        let change = may_edit.then(|| change(&inside, &listed, error));
        let heading = name.clone();
        let content = view! {
            {done_note(done)}
            {refused.map(|error| refusal_note(&error))}
            <div class="page-head">
                <div>
                    <nav class="crumbs" aria-label="Breadcrumbs">
                        <a href=inside.address().runs()>"Runs"</a>
                        <span aria-hidden="true">"/"</span>
                        <a href=inside.address().schedules()>"Schedules"</a>
                    </nav>
                    <h1>{heading}</h1>
                    <p class="lead">{answers(&listed)}</p>
                </div>
            </div>
            {table(&inside.engine, std::slice::from_ref(&listed), Which::One, |_| may_edit)}
            {change}
        }
        .drawn();
        Ok((name, content))
    })
}

async fn found(inside: &Inside, id: &str) -> Result<ListedSchedule, AppError> {
    let missing = || AppError::not_found("The schedule");
    let id: ScheduleId = id.parse().map_err(|_| missing())?;
    let all = schedules::list(inside.engine.reader(), inside.id()).await?;
    all.into_iter().find(|listed| listed.schedule.id == id).ok_or_else(missing)
}

/// Whose rights count.
fn answers(listed: &ListedSchedule) -> String {
    format!(
        "It starts what {} may start, who made, changed or resumed it last.",
        visible_on_page(&listed.schedule.creator)
    )
}

fn change(inside: &Inside, listed: &ListedSchedule, error: Option<AppError>) -> AnyView {
    let schedule = &listed.schedule;
    let Some(shown) = Typed::of(schedule) else {
        let words = "This version of the program does not understand what it is to do. Remove it, and add it anew.";
        return note("bad", words);
    };
    let action = inside.address().function::<ChangeSchedule>();
    let (engine, role) = (inside.engine.clone(), inside.role);
    let (id, revision) = (schedule.id.to_string(), schedule.revision.to_string());
    let words = match schedule.state {
        ScheduleState::Paused => {
            "It stays paused. It will start what you may start; a run that is under way goes on as it was started."
        }
        _ => "It will start what you may start; a run that is under way goes on as it was started.",
    };
    section_card(
        "change",
        "Change the schedule",
        view! {
            <p class="quiet-text">{words}</p>
            <ActiveForm action class="form" error>
                {hidden("schedule", id)}
                {hidden_as_sent("revision", revision)}
                {fields(&engine, &shown, |action| role.allows(action))}
                <div class="form-foot"><button class="button primary">"Save the schedule"</button></div>
            </ActiveForm>
        },
    )
}
