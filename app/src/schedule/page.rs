//! The pages of schedules: of a tenant, and of all tenants of a person.

use leptos::prelude::*;
use tenantatlas_domain::invisible::visible_on_page;
use tenantatlas_domain::role::{Action, Role};
use tenantatlas_engine::MOST_TENANTS_AT_ONCE;
use tenantatlas_store::{schedules, tenants};

use super::form::{Typed, fields};
use super::functions::{AddSchedule, AddSchedules, PauseSchedule, RemoveSchedule};
use super::list::{Which, table};
use crate::error::AppError;
use crate::frame::view::Section;
use crate::page::{done, plain_page, query, refusal, tenant_page};
use crate::scope::Inside;
use crate::ui::active_form::ActiveForm;
use crate::ui::card::section_card;
use crate::ui::drawn::Drawn as _;
use crate::ui::form::field;
use crate::ui::note::{done_note, refusal_note};
use crate::{address, scope};

/// Tenants that can be picked, at most: those whose schedules the person may change, by name.
const MOST_OFFERED: usize = 500;

/// The schedules of a tenant, with a form for another one.
#[component]
pub fn SchedulesPage() -> impl IntoView {
    let query = query();
    let done = done(&query);
    let refused = refusal::<PauseSchedule>(&query).or_else(|| refusal::<RemoveSchedule>(&query));
    let add_error = refusal::<AddSchedule>(&query);
    tenant_page(Section::Runs, move |inside| async move {
        let found = schedules::list(inside.engine.reader(), inside.id()).await?;
        let may_edit = inside.role.allows(Action::EditSchedules);
        let add = may_edit.then(|| add(&inside, add_error));
        let content = view! {
            {done_note(done)}
            {refused.map(|error| refusal_note(&error))}
            <div class="page-head">
                <div>
                    <nav class="crumbs" aria-label="Breadcrumbs"><a href=inside.address().runs()>"Runs"</a></nav>
                    <h1>"Schedules"</h1>
                    <p class="lead">"What is started on this tenant by the clock."</p>
                </div>
                <div class="actions"><a class="button" href=address::SCHEDULES>"All tenants"</a></div>
            </div>
            {table(&inside.engine, &found, Which::OfTenant, |_| may_edit)}
            {add}
        }
        .drawn();
        Ok(("Schedules".to_owned(), content))
    })
}

fn add(inside: &Inside, error: Option<AppError>) -> AnyView {
    let action = inside.address().function::<AddSchedule>();
    let (engine, role) = (inside.engine.clone(), inside.role);
    section_card(
        "add",
        "Add a schedule",
        view! {
            <ActiveForm action class="form" error>
                {fields(&engine, &Typed::default(), |action| role.allows(action))}
                <div class="form-foot"><button class="button primary">"Add the schedule"</button></div>
            </ActiveForm>
        },
    )
}

/// The schedules of all tenants of a person, with a form for many tenants at once.
#[component]
pub fn AllSchedulesPage() -> impl IntoView {
    let query = query();
    let done = done(&query);
    let refused = refusal::<PauseSchedule>(&query).or_else(|| refusal::<RemoveSchedule>(&query));
    let add_error = refusal::<AddSchedules>(&query);
    plain_page(move || async move {
        let (engine, session) = (scope::engine()?, scope::session()?);
        let db = engine.reader();
        let found = schedules::list_seen(db, Some(session.user_id)).await?;
        let visible = tenants::list_visible(db, session.user_id).await?;
        let editable =
            visible.into_iter().filter(|one| session.platform_admin || one.role.allows(Action::EditSchedules));
        let editable: Vec<_> = editable.collect();
        // The tenants differ in what may be started; each is asked when it is added.
        let most = if session.platform_admin { Some(Role::Owner) } else { editable.iter().map(|one| one.role).max() };
        let editable: Vec<_> = editable.into_iter().map(|one| (one.tenant.id, one.tenant.name)).collect();
        let may_edit = |tenant| editable.iter().any(|(id, _)| *id == tenant);
        let list = table(&engine, &found, Which::OfAll, may_edit);
        let boxes = editable.iter().take(MOST_OFFERED).map(|(id, name)| {
            let (id, name) = (id.to_string(), visible_on_page(name).into_owned());
            view! { <label class="check"><input type="checkbox" name="tenants[]" value=id autocomplete="off" />{name}</label> }
        });
        let boxes = boxes.collect_view();
        let action = address::function::<AddSchedules>().to_owned();
        let hint = format!("{MOST_TENANTS_AT_ONCE} at once, at most.");
        let fields_of = engine.clone();
        let form = (!editable.is_empty()).then(|| {
            section_card(
                "add",
                "Add a schedule to several tenants",
                view! {
                    <ActiveForm action class="form" error=add_error>
                        <fieldset class="checks"><legend>"Tenants"</legend><p class="quiet-text">{hint}</p>{boxes}</fieldset>
                        {field("spread", "Spread over minutes", Some("Each tenant starts at its own time within so many minutes, always the same."), view! {
                            <input class="input" id="spread" name="spread" type="number" min="0" max="720" value="60" required />
                        })}
                        {fields(&fields_of, &Typed::default(), |action| most.is_some_and(|role| role.allows(action)))}
                        <div class="form-foot"><button class="button primary">"Add the schedules"</button></div>
                    </ActiveForm>
                },
            )
        });
        let content = view! {
            {done_note(done)}
            {refused.map(|error| refusal_note(&error))}
            <div class="page-head">
                <div>
                    <nav class="crumbs" aria-label="Breadcrumbs"><a href=address::RUNS>"Runs of all tenants"</a></nav>
                    <h1>"Schedules of all tenants"</h1>
                    <p class="lead">"What is started on your tenants by the clock."</p>
                </div>
            </div>
            {list}
            {form}
        }
        .drawn();
        Ok(("Schedules of all tenants".to_owned(), content))
    })
}
