//! How long is kept what has ended, what the last prunings removed, and the form that changes it.

use leptos::prelude::*;
use tenantatlas_domain::ids::UserId;
use tenantatlas_domain::invisible::visible_on_page;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_engine::{Engine, RETENTION_DAYS};
use tenantatlas_store::audit;
use tenantatlas_store::operation_runs::{self, OperationRun};
use tenantatlas_store::retention::{self, Retention};

use super::functions::SetRetention;
use super::removed::removed_words;
use crate::error::AppError;
use crate::page::{done, plain_page, query, refusal};
use crate::ui::active_form::ActiveForm;
use crate::ui::card::section_card;
use crate::ui::drawn::Drawn as _;
use crate::ui::form::field;
use crate::ui::icon::Icon;
use crate::ui::note::{done_note, empty};
use crate::ui::state::run_state;
use crate::ui::time::moment_or;
use crate::{address, scope};

/// Prunings that are shown.
const SHOWN: u32 = 20;
/// What is kept how long, for platform administrators.
#[component]
pub fn RetentionPage() -> impl IntoView {
    let query = query();
    let done = done(&query);
    let error = refusal::<SetRetention>(&query);
    plain_page(move || async move {
        let (engine, session) = (scope::engine()?, scope::administrator()?);
        let kept = retention::get(engine.reader()).await?;
        let last = last(&engine, session.user_id).await?;
        let content = view! {
            {done_note(done)}
            <div class="page-head">
                <div>
                    <nav class="crumbs" aria-label="Breadcrumbs"><a href=address::USERS>"Administration"</a></nav>
                    <h1>"Retention"</h1>
                    <p class="lead">"How long is kept what has ended, in every tenant. What is older is removed once a day, a little at a time."</p>
                </div>
            </div>
            {form(kept, error)}
            {fixed()}
            {last}
        }
        .drawn();
        Ok(("Retention".to_owned(), content))
    })
}

fn form(kept: Retention, error: Option<AppError>) -> AnyView {
    let action = address::function::<SetRetention>().to_owned();
    section_card(
        "kept",
        "Kept for so many days",
        view! {
            <ActiveForm action class="form" error>
                {days("runs", "Runs", "After their end. 180 days unless it is changed.", kept.run_days)}
                {days("notifications", "Notifications", "90 days unless it is changed.", kept.notification_days)}
                {days("versions", "Versions of policies", "After they were read; the latest of each policy is always kept. 365 days unless it is changed.", kept.version_days)}
                {days("deliveries", "Messages to endpoints", "With every attempt to send them. 30 days unless it is changed.", kept.delivery_days)}
                <div class="form-foot"><button class="button primary">"Save"</button></div>
            </ActiveForm>
        },
    )
}

fn days(name: &'static str, label: &'static str, hint: &'static str, now: u32) -> AnyView {
    let (least, most) = (RETENTION_DAYS.start().to_string(), RETENTION_DAYS.end().to_string());
    field(
        name,
        label,
        Some(hint),
        view! {
            <input class="input" id=name name=name type="number" min=least max=most value=now.to_string() required autocomplete="off" />
        },
    )
}

/// What is kept as it is, whatever is chosen.
fn fixed() -> AnyView {
    section_card(
        "fixed",
        "Not a matter of choice",
        view! {
            <dl class="facts">
                <dt>"Audit log"</dt><dd>"Always kept."</dd>
                <dt>"Sync runs"</dt><dd>"Removed with the run that made them, once nothing stands on them: what is missing, what changed and what drifted is told by them."</dd>
                <dt>"What syncs saw, and captures"</dt><dd>"Kept for as long as their tenant."</dd>
                <dt>"Events of Microsoft\u{2019}s audit logs"</dt><dd>"400 days."</dd>
                <dt>"Sessions, sign-ins and links"</dt><dd>"Removed when they have ended."</dd>
            </dl>
        },
    )
}

/// The last prunings, newest first.
async fn last(engine: &Engine, viewer: UserId) -> Result<AnyView, AppError> {
    let db = engine.reader();
    let operation = Some(("retention".to_owned(), "prune".to_owned()));
    let filter = operation_runs::Filter { operation, limit: SHOWN, ..operation_runs::Filter::default() };
    let runs = operation_runs::list(db, &filter).await?;
    if runs.is_empty() {
        let words = "Each tenant is pruned within a day of when it was added, and then once a day.";
        return Ok(empty(Icon::Waiting, "Nothing was pruned yet", words, None));
    }
    let mut rows = Vec::new();
    for run in &runs {
        let filter = audit::Filter {
            tenant_id: Some(run.tenant_id),
            resource_id: Some(run.id.to_string()),
            limit: 10,
            ..audit::Filter::default()
        };
        let entries = audit::list(db, &filter).await?;
        let removed = entries.iter().find_map(|entry| entry.context.get("removed")).map(removed_words);
        rows.push(row(run, viewer, removed));
    }
    Ok(section_card(
        "last",
        "Last prunings",
        view! {
            <div class="table-wrap">
                <table class="table cards">
                    <caption class="visually-hidden">"Last prunings"</caption>
                    <thead>
                        <tr>
                            <th scope="col">"Tenant"</th>
                            <th scope="col">"State"</th>
                            <th scope="col">"Ended"</th>
                            <th scope="col">"Removed"</th>
                        </tr>
                    </thead>
                    <tbody>{rows.collect_view()}</tbody>
                </table>
            </div>
        },
    ))
}

fn row(run: &OperationRun, viewer: UserId, removed: Option<String>) -> AnyView {
    let to = address::tenant(run.tenant_id).run(run.id);
    let name = visible_on_page(&run.tenant_name).into_owned();
    view! {
        <tr>
            <th scope="row" class="title"><a href=to>{name}</a></th>
            <td data-label="State">{run_state(run, viewer)}</td>
            <td data-label="Ended">{moment_or(run.finished_at.map(Timestamp::as_millis), "not yet")}</td>
            <td data-label="Removed">{removed.unwrap_or_else(|| "not told".to_owned())}</td>
        </tr>
    }
    .drawn()
}
