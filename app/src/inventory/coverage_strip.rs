//! The coverage strip: one cell per policy type, marked by the outcome of its last read.

use super::elsewhere::read_elsewhere;
use super::load::{Coverage, CoverageMark};
use crate::address::TenantAddress;
use crate::format;
use crate::ui::time::moment;
use leptos::prelude::*;

/// The strip with its legend. Each cell opens a few words about its type.
pub fn coverage_strip(cells: &[Coverage], tenant: &TenantAddress) -> AnyView {
    let half = cells.len() / 2;
    let items = cells
        .iter()
        .enumerate()
        .map(|(index, cell)| {
            let (mark, tone) = mark(cell);
            let what = words(cell);
            view! {
                <li data-side=(index >= half).then_some("end")>
                    <details name="coverage">
                        <summary class="cell" data-mark=mark data-tone=tone>
                            <span class="visually-hidden">{cell.label.clone()}": "{what.clone()}</span>
                        </summary>
                        <div class="tip">
                            <strong>{cell.label.clone()}</strong>
                            <p>{what}</p>
                            {cell.at.map(|at| view! { <p class="quiet-text">"Checked "{moment(at.as_millis())}</p> })}
                            {cell.last_full_read.map(|at| view! { <p class="quiet-text">"Last read completely "{moment(at.as_millis())}</p> })}
                            {cell.read_elsewhere.as_ref().map(|(read, told)| {
                                read_elsewhere(tenant, &cell.key, read, cell.at.is_some(), told.clone())
                            })}
                            {cell.reason.map(|reason| view! { <p class="quiet-text">{reason.sentence()}</p> })}
                            <a href=tenant.items_of_type(&cell.key)>"Show its items"</a>
                        </div>
                    </details>
                </li>
            }
        })
        .collect_view();
    let count = |mark: CoverageMark| cells.iter().filter(|cell| cell.mark == mark).count();
    let outside = count(CoverageMark::Outside);
    let read = cells.iter().filter(|cell| matches!(cell.mark, CoverageMark::Read | CoverageMark::Empty)).count();
    view! {
        <section aria-labelledby="coverage-title" id="coverage" data-live="">
            <div class="section-head">
                <h2 id="coverage-title">"Coverage"</h2>
                <div class="legend">
                    <span><i class="cell" data-tone="ok"></i>{read}" read"</span>
                    <span><i class="cell" data-mark="empty"></i>{count(CoverageMark::Empty)}" of them empty"</span>
                    <span><i class="cell" data-mark="failed"></i>{count(CoverageMark::Failed)}" could not be read"</span>
                    <span><i class="cell" data-mark="skipped"></i>{count(CoverageMark::Skipped)}" skipped"</span>
                    <span><i class="cell" data-mark="unread"></i>{count(CoverageMark::Never)}" never read"</span>
                    {(outside > 0).then(|| view! { <span><i class="cell" data-mark="outside"></i>{outside}" not in this selection"</span> })}
                </div>
            </div>
            <ol class="coverage">{items}</ol>
        </section>
    }
    .into_any()
}

fn mark(cell: &Coverage) -> (&'static str, &'static str) {
    match cell.mark {
        CoverageMark::Read => ("read", "ok"),
        CoverageMark::Empty => ("empty", "idle"),
        CoverageMark::Failed => ("failed", "idle"),
        CoverageMark::Skipped => ("skipped", "idle"),
        CoverageMark::Never => ("unread", "idle"),
        CoverageMark::Outside => ("outside", "idle"),
    }
}

fn words(cell: &Coverage) -> String {
    match cell.mark {
        CoverageMark::Read => format::counted(cell.items, "item", "items"),
        CoverageMark::Empty => "Read completely: there are none".to_owned(),
        CoverageMark::Failed => "Could not be read".to_owned(),
        CoverageMark::Skipped => "Skipped".to_owned(),
        CoverageMark::Never => "Never read".to_owned(),
        CoverageMark::Outside => "Not in this selection".to_owned(),
    }
}
