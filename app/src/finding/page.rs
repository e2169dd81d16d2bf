//! The findings of a tenant as an inbox: what drifted, and what to do about it.

use leptos::prelude::*;
use tenantatlas_domain::drift::GapNow;
use tenantatlas_domain::role::Action;
use tenantatlas_store::findings::ComparisonRecord;

use super::choices::choices;
use super::filters::{filters, in_force};
use super::functions::{AcceptFindings, CompareRuns, PinDriftBaseline, ReopenFindings, SetAfterSync, SetDriftSeverity};
use super::list::list;
use super::load::{Findings, load};
use crate::filter::ListFilter as _;
use crate::filter::finding::FindingsFilter;
use crate::format::counted;
use crate::frame::view::Section;
use crate::inventory::functions::CaptureItems;
use crate::inventory::labels::type_label;
use crate::page::{done, query, refusal, tenant_page};
use crate::scope::Inside;
use crate::ui::drawn::Drawn as _;
use crate::ui::icon::Icon;
use crate::ui::note::{done_note, left_out_note, note, refusal_note};
use crate::ui::time::moment;

/// The findings with their filters; operators accept them.
#[component]
pub fn FindingsPage() -> impl IntoView {
    let query = query();
    let (filter, left_out) = (FindingsFilter::read(&query), FindingsFilter::left_out(&query));
    let said = done(&query);
    let refused = refusal::<AcceptFindings>(&query).or_else(|| refusal::<ReopenFindings>(&query));
    let refused = refused.or_else(|| refusal::<CompareRuns>(&query)).or_else(|| refusal::<SetAfterSync>(&query));
    let refused =
        refused.or_else(|| refusal::<SetDriftSeverity>(&query)).or_else(|| refusal::<PinDriftBaseline>(&query));
    let refused = refused.or_else(|| refusal::<CaptureItems>(&query));
    tenant_page(Section::Findings, move |inside| async move {
        let shown = load(&inside, &filter).await?;
        let compare = (inside.role.allows(Action::Sync) && shown.scope.is_some()).then(|| compare(&inside));
        let content = view! {
            {done_note(said)}
            {refused.map(|error| refusal_note(&error))}
            <div class="page-head">
                <div><h1>"Findings"</h1><p class="lead">{lead(&inside, &shown)}</p></div>
                <div class="actions">{compare}</div>
            </div>
            {gaps(&shown.gaps)}
            {left_out_note(&left_out)}
            {filters(&inside, &filter, &shown)}
            {in_force(&inside, &filter)}
            <div id="findings" data-live="">{list(&inside, &filter, &shown)}</div>
            {choices(&inside, &shown)}
        }
        .drawn();
        Ok(("Findings".to_owned(), content))
    })
}

fn lead(inside: &Inside, shown: &Findings) -> AnyView {
    let Some(ComparisonRecord { baseline_run_id, current_run_id, finished_at, .. }) = &shown.comparison else {
        return "What drifted between two syncs. Nothing was compared yet.".drawn();
    };
    let words =
        if shown.comparison.as_ref().is_some_and(|one| one.pinned) { "the chosen run" } else { "the run before it" };
    let baseline = baseline_run_id.map(|run| {
        view! { " with "<a href=inside.address().run_of_sync(run)>{words}</a> }
    });
    view! {
        "What drifted between two syncs. The "<a href=inside.address().run_of_sync(current_run_id)>"latest run"</a>
        " was compared"{baseline}", "{moment(finished_at.as_millis())}"."
    }
    .drawn()
}

fn compare(inside: &Inside) -> AnyView {
    let action = inside.address().function::<CompareRuns>();
    view! { <form method="post" action=action><button class="button">{Icon::Turning.view()}"Compare now"</button></form> }
        .drawn()
}

/// What could not be compared: neither drift nor fine.
fn gaps(gaps: &[GapNow]) -> AnyView {
    if gaps.is_empty() {
        return ().drawn();
    }
    let title = format!("{} not comparable", counted(gaps.len() as u64, "type is", "types are"));
    let lines = gaps.iter().map(|now| {
        let gap = &now.gap;
        let line = format!("{}: not comparable, because {} ", type_label(&gap.policy_type), gap.because());
        let now = match now.read_at {
            Some(at) => view! { "It was read to the end since, "{moment(at.as_millis())}": compare again." }.drawn(),
            None => now.now().drawn(),
        };
        view! { <li>{line}{now}</li> }
    });
    note("warn", view! { <details><summary>{title}</summary><ul>{lines.collect_view()}</ul></details> })
}
