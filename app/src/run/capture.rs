//! What a capture of policies kept: in sum among the facts of its run, and by type.

use leptos::prelude::*;
use tenantatlas_store::policies::{Capture, CaptureTypeRun};

use super::load::RunDetail;
use crate::format;
use crate::inventory::labels::type_label;
use crate::scope::Inside;
use crate::ui::drawn::Drawn as _;
use crate::ui::state::outcome_state;

/// What only a capture has to tell.
pub(super) fn capture_facts(capture: &Capture, types: &[CaptureTypeRun]) -> AnyView {
    let sum = |read: fn(&CaptureTypeRun) -> u64| types.iter().map(read).sum::<u64>();
    let read = sum(|one| one.captured);
    let mut kept = format!(
        "{} read: {}, {} as they were",
        format::counted(read, "object", "objects"),
        format::counted(sum(|one| one.created), "new version", "new versions"),
        format::number(sum(CaptureTypeRun::read_unchanged)),
    );
    for (count, words) in [
        (sum(|one| one.partial), "read in part"),
        (sum(|one| one.gone), "not there any more"),
        (sum(|one| one.failed), "not read"),
    ] {
        if count > 0 {
            kept.push_str(&format!(", {} {words}", format::number(count)));
        }
    }
    let spared = sum(CaptureTypeRun::not_read_again);
    if spared > 0 {
        let objects = format::counted(spared, "object was", "objects were");
        kept.push_str(&format!("; {objects} not read again, since a sync had just seen them as they were captured"));
    }
    // Before its end a capture does not know what it cost.
    let cost = capture.finished_at.map(|_| {
        let words =
            format!("{}, of these {} repeated", format::number(capture.requests), format::number(capture.retries));
        view! { <dt>"Requests"</dt><dd>{words}</dd> }
    });
    view! { <dt>"Versions"</dt><dd>{kept}</dd> {cost} }.drawn()
}

/// A row for each type: what failed first, then what made most versions.
pub(super) fn by_type(inside: &Inside, detail: &RunDetail) -> Option<AnyView> {
    let (_, types) = detail.capture.as_ref()?;
    if types.is_empty() {
        return None;
    }
    let mut types: Vec<&CaptureTypeRun> = types.iter().collect();
    types.sort_by_key(|one| (one.failed == 0, std::cmp::Reverse(one.created), one.policy_type.clone()));
    let rows = types.into_iter().map(|one| row(inside, one)).collect_view();
    Some(
        view! {
            <section aria-labelledby="kept-title">
                <div class="section-head"><h2 id="kept-title">"Versions by type"</h2></div>
                <div class="table-wrap">
                    <table class="table cards">
                        <caption class="visually-hidden">"Versions by type"</caption>
                        <thead>
                            <tr>
                                <th scope="col">"Type"</th>
                                <th scope="col">"Outcome"</th>
                                <th scope="col" class="number">"Objects read"</th>
                                <th scope="col" class="number">"New versions"</th>
                                <th scope="col" class="number">"Unchanged"</th>
                                <th scope="col" class="number">"Not read again"</th>
                                <th scope="col" class="number">"In part"</th>
                                <th scope="col" class="number">"Not read"</th>
                                <th scope="col" class="number">"Gone"</th>
                            </tr>
                        </thead>
                        <tbody>{rows}</tbody>
                    </table>
                </div>
            </section>
        }
        .drawn(),
    )
}

fn row(inside: &Inside, one: &CaptureTypeRun) -> AnyView {
    let number = |name: &'static str, count: u64| {
        view! { <td class="number" data-label=name>{format::number(count)}</td> }
    };
    let read = if one.captured < one.items {
        format!("{} of {}", format::number(one.captured), format::number(one.items))
    } else {
        format::number(one.captured)
    };
    view! {
        <tr>
            <th scope="row" class="title">
                <a href=inside.address().items_of_type(&one.policy_type)>{type_label(&one.policy_type)}</a>
            </th>
            <td data-label="Outcome">{outcome_state(one.outcome)}</td>
            <td class="number" data-label="Objects read">{read}</td>
            {number("New versions", one.created)}
            {number("Unchanged", one.read_unchanged())}
            {number("Not read again", one.not_read_again())}
            {number("In part", one.partial)}
            {number("Not read", one.failed)}
            {number("Gone", one.gone)}
        </tr>
    }
    .drawn()
}
