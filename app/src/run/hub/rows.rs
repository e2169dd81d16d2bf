//! The rows of the list.

use leptos::prelude::*;
use tenantatlas_domain::role::Action;
use tenantatlas_store::operation_runs::OperationRun;

use super::load::{Hub, Place};
use super::selection::PICKED;
use crate::filter::ListFilter as _;
use crate::filter::run::RunFilter;
use crate::run::bucket::is_cancelled;
use crate::run::initiator::initiator_words;
use crate::run::model::{news_words, reached};
use crate::ui::drawn::Drawn as _;
use crate::ui::icon::Icon;
use crate::ui::note::empty;
use crate::ui::pager::Pager;
use crate::ui::state::run_state;
use crate::ui::time::moment;
use crate::{address, format};

/// Reasons that are named in a row.
const NAMED: usize = 2;

pub(super) fn rows(place: &Place, filter: &RunFilter, hub: &Hub) -> AnyView {
    if hub.runs.is_empty() {
        let (title, words) = match (hub.unknown_tenant, *filter == RunFilter::default()) {
            (true, _) => {
                ("No such tenant", "Type the name of one of your tenants as it is in the list of suggestions.")
            }
            (false, true) => (
                "No runs yet",
                "A run is made for everything that takes a while. The first sync will be the first one here.",
            ),
            (false, false) => ("No results", "Remove a filter to see more."),
        };
        return empty(Icon::Runs, title, words, None);
    }
    let next = hub.next.map(|next| RunFilter { before: Some(next), ..filter.clone() }.address(&place.base));
    let pager = Pager {
        first: filter.before.map(|_| ("Newest", filter.first_page().address(&place.base))),
        next: next.map(|href| ("Older", href)),
        ..Pager::default()
    };
    let may_pick = may_pick(place);
    view! {
        <div class="table-wrap">
            <table class="table cards runs">
                <caption class="visually-hidden">"Runs"</caption>
                <thead>
                    <tr>
                        {may_pick.then(|| view! {
                            <th scope="col" class="pick">
                                <input type="checkbox" data-all=PICKED aria-label="Pick all runs of this page" autocomplete="off" />
                            </th>
                        })}
                        <th scope="col">"Run"</th>
                        {place.tenant.is_none().then(|| view! { <th scope="col">"Tenant"</th> })}
                        <th scope="col">"State"</th>
                        <th scope="col">"Result"</th>
                        <th scope="col">"Not read"</th>
                        <th scope="col">"Started by"</th>
                        <th scope="col">"Requested"</th>
                        <th scope="col">"Took"</th>
                    </tr>
                </thead>
                <tbody>{hub.runs.iter().map(|run| row(place, run, may_pick)).collect_view()}</tbody>
            </table>
        </div>
        {pager.view()}
    }
    .drawn()
}

/// Whether anything can be done with a run here. Over all tenants each is judged when it is tried.
pub(super) fn may_pick(place: &Place) -> bool {
    place.tenant.is_none_or(|(_, role)| role.allows(Action::CancelRun) || role.allows(Action::Sync))
}

/// How long it waited for a worker, and how long it was worked on.
fn times(place: &Place, run: &OperationRun) -> (String, String) {
    let now = place.engine.now();
    let waited = run.started_at.or(run.finished_at).unwrap_or(now).as_millis() - run.created_at.as_millis();
    let took = run.started_at.map(|start| run.finished_at.unwrap_or(now).as_millis() - start.as_millis());
    (format::span(waited.max(0)), took.map_or_else(|| "–".to_owned(), |took| format::span(took.max(0))))
}

/// What came of it.
fn result(place: &Place, run: &OperationRun) -> String {
    let words = place.engine.runs().operations().words_of(run);
    if is_cancelled(run.status.bucket(), run.reason_code) {
        return reached(&words, &run.counters);
    }
    if let Some(news) = &run.news {
        return news_words(news, &words, &run.counters);
    }
    let units = format::counted(u64::from(run.counters.total), &words.units.0, &words.units.1);
    format!("{} / {units}", run.counters.processed)
}

/// What was not done, and why.
fn not_done(run: &OperationRun) -> String {
    let counters = &run.counters;
    let mut parts = Vec::new();
    if counters.failed > 0 {
        parts.push(format!("{} failed", format::number(u64::from(counters.failed))));
    }
    if counters.skipped > 0 {
        parts.push(format!("{} skipped", format::number(u64::from(counters.skipped))));
    }
    if parts.is_empty() {
        return "–".to_owned();
    }
    let mut words = parts.join(", ");
    let reasons: Vec<&str> = run.reasons.iter().take(NAMED).map(|reason| reason.words()).collect();
    if !reasons.is_empty() {
        words.push_str(": ");
        words.push_str(&reasons.join(", "));
        if run.reasons.len() > NAMED {
            words.push_str(&format!(" and {} more", run.reasons.len() - NAMED));
        }
    }
    words
}

fn row(place: &Place, run: &OperationRun, may_pick: bool) -> AnyView {
    let words = place.engine.runs().operations().words_of(run);
    let at = address::tenant(run.tenant_id);
    let (waited, took) = times(place, run);
    let throttled = match run.pauses.length() {
        0 => String::new(),
        throttled => format!(", {} throttled", format::span(i64::try_from(throttled).unwrap_or(i64::MAX))),
    };
    let beside = format!("{waited} waited{throttled}");
    let pick = format!("Pick: {}, {}", words.name, run.tenant_name);
    view! {
        <tr id=format!("run-{}", run.id) data-row="" tabindex="-1">
            {may_pick.then(|| view! {
                <td class="pick">
                    <input type="checkbox" name="runs[]" value=run.id.to_string() form=PICKED aria-label=pick autocomplete="off" />
                </td>
            })}
            <th scope="row" class="title">
                <a href=at.run(run.id)>{words.name.clone()}</a>
                {(words.name != words.operation).then(|| view! { <span class="under">{words.operation}</span> })}
            </th>
            {place.tenant.is_none().then(|| view! {
                <td data-label="Tenant"><a href=at.runs()>{run.tenant_name.clone()}</a></td>
            })}
            <td data-label="State" class="wide">{run_state(run, place.session.user_id)}</td>
            <td data-label="Result" class="quiet">{result(place, run)}</td>
            <td data-label="Not read" class="quiet">{not_done(run)}</td>
            <td data-label="Started by">{initiator_words(run)}</td>
            <td data-label="Requested" class="quiet">{moment(run.created_at.as_millis())}</td>
            <td data-label="Took" class="quiet">{took}<span class="under">{beside}</span></td>
        </tr>
    }
    .drawn()
}
