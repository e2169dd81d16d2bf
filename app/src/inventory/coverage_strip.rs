//! The coverage strip: one cell per policy type, marked by the outcome of its last read.
//!
//! It is a toolbar: one stop for the Tab key, arrow keys within (WAI-ARIA Authoring Practices, Toolbar pattern). Without
//! a script every cell is a stop, and a link leads past them.

use std::collections::BTreeMap;

use leptos::prelude::*;
use tenantatlas_domain::invisible::visible_on_page;

use super::coverage::{Coverage, CoverageMark};
use super::elsewhere::read_elsewhere;
use crate::address::TenantAddress;
use crate::filter::ListFilter as _;
use crate::filter::inventory::InventoryFilter;
use crate::format;
use crate::ui::drawn::Drawn;
use crate::ui::icon::Icon;
use crate::ui::time::moment;

/// Faults that are shown at once; the others open below.
const FAULTS_SHOWN: usize = 5;

/// The strip with its legend, and in words what could not be read. Each cell opens a few words about its type; what the
/// list is filtered by stands out.
pub fn coverage_strip(base: &str, address: &InventoryFilter, cells: &[Coverage], tenant: &TenantAddress) -> AnyView {
    let items = cells.iter().map(|cell| strip_cell(cell, address, tenant)).collect_view();
    view! {
        <section aria-labelledby="coverage-title" id="coverage" data-live="">
            <details class="folds" id="coverage-fold">
                <summary class="button">{Icon::Down.view()}{summary(cells)}</summary>
                <div class="section-head">
                    <h2 id="coverage-title">"Coverage"</h2>
                    {legend(base, address, cells)}
                </div>
                {faults(cells, tenant)}
                <a class="skip-link" href="#list">"Skip to the items"</a>
                <div class="coverage" role="toolbar" aria-labelledby="coverage-title" data-roving="">{items}</div>
            </details>
        </section>
    }
    .drawn()
}

/// What the strip says, in the words with which it folds on a phone.
fn summary(cells: &[Coverage]) -> String {
    let count = |mark: CoverageMark| cells.iter().filter(|cell| cell.mark == mark).count();
    let read = count(CoverageMark::Read) + count(CoverageMark::Empty);
    let mut words = format!("Coverage: {read} of {} read", cells.len());
    for mark in [CoverageMark::Failed, CoverageMark::Skipped] {
        if count(mark) > 0 {
            words.push_str(&format!(", {} {}", count(mark), mark.words()));
        }
    }
    words
}

fn strip_cell(cell: &Coverage, address: &InventoryFilter, tenant: &TenantAddress) -> AnyView {
    let what = words(cell);
    let tip = format!("about-{}", cell.key);
    let off = address.coverage.is_some_and(|mark| mark != cell.mark);
    view! {
        <button
            class="cell" type="button" popovertarget=tip.clone() popovertargetaction="show" data-tip=""
            data-mark=cell.mark.as_str() data-off=off.then_some("")
        >
            <span class="visually-hidden">{cell.label.clone()}": "{what.clone()}</span>
        </button>
        <div class="tip" id=tip popover="auto" role="group" aria-label=cell.label.clone()>
            <strong>{cell.label.clone()}</strong>
            <p>{what}</p>
            {why(cell).map(|why| view! { <p>{why}</p> })}
            {cell.at.map(|at| view! { <p class="quiet-text">"Checked "{moment(at.as_millis())}</p> })}
            {cell.last_full_read.map(|at| view! { <p class="quiet-text">"Last read to the end "{moment(at.as_millis())}</p> })}
            {cell.read_elsewhere.as_ref().map(|(read, told)| {
                read_elsewhere(tenant, &cell.key, read, cell.at.is_some(), told.clone())
            })}
            <a href=tenant.items_of_type(&cell.key)>"Show its items"</a>
        </div>
    }
    .drawn()
}

/// How many types have each mark. Each entry shows the items of those types alone; the one that is chosen shows all again.
fn legend(base: &str, address: &InventoryFilter, cells: &[Coverage]) -> AnyView {
    let count = |mark: CoverageMark| cells.iter().filter(|cell| cell.mark == mark).count();
    let entries = CoverageMark::ALL.into_iter().filter(|mark| count(*mark) > 0).map(|mark| {
        let chosen = address.coverage == Some(mark);
        let coverage = (!chosen).then_some(mark);
        let href = InventoryFilter { coverage, ..address.first_page() }.address(base);
        view! {
            <li>
                <a href=href id=format!("legend-{}", mark.as_str()) aria-current=chosen.then_some("true") data-stay="">
                    <i class="cell" data-mark=mark.as_str()></i>
                    {count(mark)}" "{mark.words()}
                </a>
            </li>
        }
    });
    view! { <ul class="legend" aria-label="Types by how they were read">{entries.collect_view()}</ul> }.drawn()
}

/// What was not read to the end, in words: the types with one reason together, those that failed first.
fn faults(cells: &[Coverage], tenant: &TenantAddress) -> Option<AnyView> {
    let mut reasons: BTreeMap<(CoverageMark, String), Vec<&Coverage>> = BTreeMap::new();
    for cell in cells.iter().filter(|cell| matches!(cell.mark, CoverageMark::Failed | CoverageMark::Skipped)) {
        reasons.entry((cell.mark, why(cell).unwrap_or_else(|| words(cell)))).or_default().push(cell);
    }
    if reasons.is_empty() {
        return None;
    }
    let rows = reasons
        .into_iter()
        .map(|((mark, reason), cells)| {
            let last = cells.len().saturating_sub(1);
            let types = cells.iter().enumerate().map(|(at, cell)| {
                let href = tenant.items_of_type(&cell.key);
                view! { <a href=href>{cell.label.clone()}</a>{(at < last).then_some(", ")} }
            });
            view! {
                <li>
                    <i class="cell" data-mark=mark.as_str()></i>
                    <span class="grow">
                        <strong>{if mark == CoverageMark::Failed { "Could not be read: " } else { "Skipped: " }}</strong>
                        {types.collect_view()}
                        <span class="quiet">{reason}</span>
                    </span>
                </li>
            }
        })
        .map(Drawn::drawn);
    let mut rows: Vec<AnyView> = rows.collect();
    let rest = rows.split_off(rows.len().min(FAULTS_SHOWN));
    let rest = (!rest.is_empty()).then(|| {
        view! {
            <details class="disclosure" id="coverage-faults">
                <summary>{format!("{} more", format::counted(rest.len() as u64, "reason", "reasons"))}</summary>
                <ul class="faults">{rest}</ul>
            </details>
        }
    });
    Some(view! { <ul class="faults">{rows}</ul> {rest} }.drawn())
}

/// Why a type was not read to the end: what was noted then, which names a permission that is missing, or else what its
/// reason means.
fn why(cell: &Coverage) -> Option<String> {
    let told = cell.message.as_deref().map(|told| visible_on_page(told).into_owned());
    told.or_else(|| cell.reason.map(|reason| reason.sentence().to_owned()))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_reasons_the_first_are_shown_and_only_the_others_folded() {
        let cell = |at: usize| Coverage {
            key: format!("type{at}"),
            label: format!("Type {at}"),
            mark: CoverageMark::Failed,
            items: 0,
            not_read: 0,
            at: None,
            reason: None,
            message: Some(format!("Reason {at}")),
            last_full_read: None,
            read_elsewhere: None,
        };
        let cells: Vec<Coverage> = (0..7).map(cell).collect();
        let html = faults(&cells, &crate::address::tenant("t")).expect("faults").to_html();
        let folded = html.find("<details").expect("the rest");
        assert!(html[..folded].contains("Reason 4") && !html[..folded].contains("Reason 5"), "{html}");
        assert!(html.contains("2 reasons more"), "{html}");
        let few = faults(&cells[..5], &crate::address::tenant("t")).expect("faults").to_html();
        assert!(!few.contains("<details"), "{few}");
    }
}
