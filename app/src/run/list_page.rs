//! All operation runs of a tenant.

use leptos::prelude::*;
use tenantatlas_domain::operation::OperationBucket;
use tenantatlas_domain::role::Action;
use tenantatlas_store::operation_runs::{Initiator, OperationRun};

use super::bucket::is_cancelled;
use super::load::{RunPage as Page, list};
use super::model::{news_words, reached};
use crate::filter::ListFilter as _;
use crate::filter::run::{BUCKETS, RunFilter};
use crate::format;
use crate::frame::view::Section;
use crate::page::{query, tenant_page};
use crate::scope::Inside;
use crate::sync::button::SyncButton;
use crate::ui::form::options;
use crate::ui::icon::Icon;
use crate::ui::note::empty;
use crate::ui::pager::Pager;
use crate::ui::state::run_state;
use crate::ui::time::moment;

/// The list with its filters; its rows are live.
#[component]
pub fn RunsPage() -> impl IntoView {
    let query = query();
    let filter = RunFilter::read(&query);
    tenant_page(Section::Runs, move |inside| async move {
        let page = list(&inside, &filter).await?;
        let sync = inside
            .role
            .allows(Action::Sync)
            .then(|| view! { <SyncButton tenant=inside.id() label="Sync".to_owned() /> });
        let content = view! {
            <div class="page-head">
                <div><h1>"Runs"</h1><p class="lead">"Everything that is running or has run on this tenant."</p></div>
                <div class="actions">{sync}</div>
            </div>
            {filters(&inside, &filter, &page.initiators)}
            <div id="runs" data-live="">{rows(&inside, &filter, &page)}</div>
        }
        .into_any();
        Ok(("Runs".to_owned(), content))
    })
}

fn filters(inside: &Inside, filter: &RunFilter, people: &[Initiator]) -> AnyView {
    let states = std::iter::once((String::new(), "Any state".to_owned()))
        .chain(BUCKETS.map(|one| (one.as_str().to_owned(), one.label().to_owned())));
    let kinds = [("", "Anybody"), ("me", "Me"), ("person", "A person"), ("schedule", "Schedule or command line")];
    let others = people.iter().filter(|one| one.user_id != inside.session.user_id);
    let initiators = kinds
        .map(|(value, words)| (value.to_owned(), words.to_owned()))
        .into_iter()
        .chain(others.map(|one| (one.user_id.to_string(), one.name.clone())));
    let spans = [("", "Any time"), ("1", "Last 24 hours"), ("7", "Last 7 days"), ("30", "Last 30 days")];
    let days = filter.days.map(|days| days.to_string()).unwrap_or_default();
    let filtered = *filter != RunFilter::default();
    view! {
        <form class="filters" id="filters" data-part="" method="get" action=inside.address().runs() data-auto="">
            <select class="select" name="state" id="filter-state" aria-label="State">
                {options(states, filter.bucket.map(OperationBucket::as_str).unwrap_or_default())}
            </select>
            <select class="select" name="by" id="filter-by" aria-label="Started by">{options(initiators, &filter.initiator())}</select>
            <select class="select" name="days" id="filter-days" aria-label="Time">{options(spans, &days)}</select>
            <button class="button">"Apply"</button>
            {filtered.then(|| view! { <a class="button quiet" href=inside.address().runs() data-stay="">"Clear"</a> })}
        </form>
    }
    .into_any()
}

fn rows(inside: &Inside, filter: &RunFilter, page: &Page) -> AnyView {
    if page.runs.is_empty() {
        let (title, words) = if *filter == RunFilter::default() {
            (
                "No runs yet",
                "A run is made for everything that takes a while. The first sync will be the first one here.",
            )
        } else {
            ("No results", "Remove a filter to see more.")
        };
        return empty(Icon::Runs, title, words, None);
    }
    let base = inside.address().runs();
    let next = page.next.map(|next| RunFilter { before: Some(next), ..filter.clone() }.address(&base));
    let pager = Pager {
        first: filter.before.map(|_| ("Newest", filter.first_page().address(&base))),
        next: next.map(|href| ("Older", href)),
        ..Pager::default()
    };
    view! {
        <div class="table-wrap">
            <table class="table cards">
                <caption class="visually-hidden">"Runs"</caption>
                <thead>
                    <tr>
                        <th scope="col">"Run"</th>
                        <th scope="col">"State"</th>
                        <th scope="col">"Result"</th>
                        <th scope="col">"Started by"</th>
                        <th scope="col">"Started"</th>
                        <th scope="col">"Took"</th>
                    </tr>
                </thead>
                <tbody>{page.runs.iter().map(|run| row(inside, run)).collect_view()}</tbody>
            </table>
        </div>
        {pager.view()}
    }
    .into_any()
}

fn row(inside: &Inside, run: &OperationRun) -> AnyView {
    let counters = &run.counters;
    let failed = match (counters.failed, counters.skipped) {
        (0, 0) => String::new(),
        (failed, 0) => format!(" · {failed} failed"),
        (0, skipped) => format!(" · {skipped} skipped"),
        (failed, skipped) => format!(" · {failed} failed, {skipped} skipped"),
    };
    let took = match (run.started_at, run.finished_at) {
        (Some(start), Some(end)) => format::span(end.as_millis() - start.as_millis()),
        (Some(start), None) => format::span(inside.engine.now().as_millis() - start.as_millis()),
        _ => "–".to_owned(),
    };
    let words = inside.engine.runs().operations().words_of(run);
    let progress = if is_cancelled(run.status.bucket(), run.reason_code) {
        reached(&words, counters)
    } else if let Some(news) = &run.news {
        format!("{}{failed}", news_words(news, &words))
    } else {
        let units = format::counted(u64::from(counters.total), &words.units.0, &words.units.1);
        format!("{} / {units}{failed}", counters.processed)
    };
    view! {
        <tr>
            <th scope="row" class="title">
                <a href=inside.address().run(run.id)>{words.name.clone()}</a>
                {(words.name != words.operation).then(|| view! { <span class="under">{words.operation}</span> })}
            </th>
            <td data-label="State">{run_state(run, inside.session.user_id)}</td>
            <td data-label="Result" class="quiet">{progress}</td>
            <td data-label="Started by">{run.initiator.clone()}</td>
            <td data-label="Started" class="quiet">{moment(run.created_at.as_millis())}</td>
            <td data-label="Took" class="quiet">{took}</td>
        </tr>
    }
    .into_any()
}
