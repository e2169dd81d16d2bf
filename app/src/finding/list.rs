//! The findings: by object, or by who changed what in one go, and what is done with them.

use leptos::prelude::*;
use tenantatlas_domain::audit_event::{Attribution, Edit, edits};
use tenantatlas_domain::role::Action;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_engine::{Explained, MANY_FINDINGS, SettingsTold};
use tenantatlas_store::findings::Finding;

use super::functions::{AcceptFindings, ReopenFindings};
use super::load::{Findings, MOST_BY_CHANGE};
use super::row::{is_accepted, row, severity};
use crate::filter::ListFilter as _;
use crate::filter::finding::{FindingsFilter, Status};
use crate::format::{counted, number, relative};
use crate::inventory::changed_by::actor_name;
use crate::inventory::functions::CaptureItems;
use crate::scope::Inside;
use crate::ui::drawn::Drawn as _;
use crate::ui::form::hidden;
use crate::ui::icon::Icon;
use crate::ui::note::empty;
use crate::ui::pager::Pager;
use crate::ui::time::moment;

/// The form of the boxes in the rows.
pub(super) const PICKED: &str = "picked";

/// The findings that the filter finds.
pub(super) fn list(inside: &Inside, filter: &FindingsFilter, shown: &Findings) -> AnyView {
    let findings = &shown.page.findings;
    if findings.is_empty() {
        return nothing(filter, shown);
    }
    let may_pick = inside.role.allows(Action::AcknowledgeFindings) && filter.status != Status::Resolved;
    let base = inside.address().findings();
    let next = shown.page.next.map(|next| FindingsFilter { after: Some(next), ..filter.clone() }.address(&base));
    let pager = Pager {
        first: filter.after.map(|_| ("First", filter.first_page().address(&base))),
        next: next.map(|href| ("Next", href)),
        ..Pager::default()
    };
    let body = if filter.by_object { by_object(inside, shown, may_pick) } else { by_change(inside, shown, may_pick) };
    let all = may_pick.then(|| view! {
        <label class="check with-script"><input type="checkbox" data-all=PICKED autocomplete="off" />"Pick all that are shown"</label>
    });
    view! {
        <p class="quiet-text" role="status">{counted(shown.total, "finding", "findings")}</p>
        {all}
        {body}
        {capture(inside, shown)}
        {may_pick.then(|| decide(inside, filter, shown.total))}
        {pager.view()}
    }
    .drawn()
}

/// Findings with what is known of each.
type Known<'a> = (&'a Finding, &'a Explained);

fn by_object(inside: &Inside, shown: &Findings, may_pick: bool) -> AnyView {
    let known: Vec<Known<'_>> = shown.page.findings.iter().zip(&shown.explained.of).collect();
    table(inside, shown, &known, may_pick)
}

/// A table of findings. Those of one object stand together.
fn table(inside: &Inside, shown: &Findings, known: &[Known<'_>], may_pick: bool) -> AnyView {
    let objects = known.chunk_by(|one, other| one.0.item_id == other.0.item_id);
    let bodies = objects.map(|object| view! { <tbody>{row(inside, &shown.explained.names, object, may_pick)}</tbody> });
    view! {
        <div class="table-wrap">
            <table class="table cards">
                <thead>
                    <tr>
                        {may_pick.then(|| view! { <th scope="col" class="pick"><span class="visually-hidden">"Pick"</span></th> })}
                        <th scope="col">"Object"</th>
                        <th scope="col">"Severity"</th>
                        <th scope="col">"Change"</th>
                        <th scope="col">"Status"</th>
                        <th scope="col">"Since"</th>
                    </tr>
                </thead>
                {bodies.collect_view()}
            </table>
        </div>
    }
    .drawn()
}

/// What one person changed in one go is one row that opens; what is alone, or not known to be one person's, stands below by
/// object.
fn by_change(inside: &Inside, shown: &Findings, may_pick: bool) -> AnyView {
    let known: Vec<Known<'_>> = shown.page.findings.iter().zip(&shown.explained.of).collect();
    let attributions: Vec<&Attribution> = shown.explained.of.iter().map(|one| &one.changed_by).collect();
    let (edits, mut others) = edits(&attributions);
    let (edits, single): (Vec<_>, Vec<_>) = edits.into_iter().partition(|edit| edit.places.len() > 1);
    others.extend(single.into_iter().flat_map(|edit| edit.places));
    others.sort_unstable();
    let of = |places: &[usize]| places.iter().map(|place| known[*place]).collect::<Vec<_>>();
    let groups = edits.iter().map(|edit| group(inside, shown, &of(&edit.places), may_pick, edit)).collect_view();
    let apart = (!edits.is_empty() && !others.is_empty()).then(|| {
        let words = "Changes that stand alone, or are not known to be one person's:";
        view! { <p class="quiet-text">{words}</p> }
    });
    let rest = (!others.is_empty()).then(|| table(inside, shown, &of(&others), may_pick));
    let cut = shown.page.next.map(|_| {
        let words = format!("The first {} findings are put together.", number(u64::from(MOST_BY_CHANGE)));
        view! { <p class="quiet-text">{words}</p> }
    });
    view! { {cut}{groups}{apart}{rest} }.drawn()
}

/// What one person changed in one go. Its box stands for all of its findings, without a script as well.
fn group(inside: &Inside, shown: &Findings, members: &[Known<'_>], may_pick: bool, edit: &Edit) -> AnyView {
    let who = match &members[0].1.changed_by {
        Attribution::Found { actors, .. } => actors.first().map(actor_name).unwrap_or_default(),
        _ => String::new(),
    };
    let mut objects: Vec<_> = members.iter().map(|(finding, _)| finding.item_id).collect();
    objects.sort_unstable();
    objects.dedup();
    let what = format!(
        "{} in {}",
        counted(members.len() as u64, "change", "changes"),
        counted(objects.len() as u64, "object", "objects")
    );
    let now = inside.engine.now();
    let accepted = members.iter().all(|(finding, _)| is_accepted(finding, now)).then_some("");
    let ids: Vec<String> = members.iter().map(|(finding, _)| finding.id.to_string()).collect();
    let id = format!("change-{}", ids[0]);
    let pick = may_pick.then(|| {
        let label = format!("Pick all of: {who}, {what}");
        view! {
            <input type="checkbox" name="findings[]" value=ids.join(",") form=PICKED aria-label=label data-group="" autocomplete="off" />
        }
    });
    let worst = members.iter().map(|(finding, _)| finding.severity).max().map(severity);
    let until = is_told_apart(edit.from, edit.to, now).then(|| view! { " to "{moment(edit.to.as_millis())} });
    view! {
        <section class="card finding-group">
            {pick}
            <details>
                <summary id=id data-row="" data-accepted=accepted>
                    <strong>{who}</strong>" · "{what}", "{moment(edit.from.as_millis())}{until}" "{worst}
                </summary>
                {table(inside, shown, members, may_pick)}
            </details>
        </section>
    }
    .drawn()
}

/// Whether the words for two times differ: `1 min ago to 1 min ago` says less than `1 min ago`.
fn is_told_apart(from: Timestamp, to: Timestamp, now: Timestamp) -> bool {
    let words = |at: Timestamp| relative(at.as_millis(), now.as_millis());
    words(from) != words(to)
}

/// Offers to keep versions of what is not told by its settings since there is none of how it is now: the next change then is.
fn capture(inside: &Inside, shown: &Findings) -> Option<AnyView> {
    if !inside.role.allows(Action::Capture) {
        return None;
    }
    let known = shown.page.findings.iter().zip(&shown.explained.of);
    let lacking = known.filter(|(_, one)| matches!(one.settings, SettingsTold::NotKept { now: false, .. }));
    let mut items: Vec<String> = lacking.map(|(finding, _)| finding.item_id.to_string()).collect();
    items.sort_unstable();
    items.dedup();
    if items.is_empty() {
        return None;
    }
    let action = inside.address().function::<CaptureItems>();
    let count = counted(items.len() as u64, "object", "objects");
    let words =
        format!("Of {count} no version of how they are now is kept, so that findings cannot name their settings.");
    let fields = items.into_iter().map(|id| hidden("items[]", id)).collect_view();
    Some(
        view! {
            <form class="actions" method="post" action=action>
                {fields}
                <p class="quiet-text">{words}</p>
                <button class="button small">{Icon::Inventory.view()}"Keep versions of them"</button>
            </form>
        }
        .drawn(),
    )
}

fn nothing(filter: &FindingsFilter, shown: &Findings) -> AnyView {
    let (title, words) = match (&shown.scope, &shown.comparison) {
        (None, _) => ("Nothing was read yet", "Two syncs can be compared: start the first one from the inventory."),
        (_, None) => ("Nothing was compared yet", "From the second sync on, each is compared with the one before it."),
        _ if *filter == FindingsFilter::default() => {
            ("Nothing new", "Nothing drifted that nobody has accepted, in what could be compared.")
        }
        _ => ("No results", "Remove a filter to see more."),
    };
    empty(Icon::Done, title, words, None)
}

/// What is done with the findings that are picked, or with all that the filter finds.
fn decide(inside: &Inside, filter: &FindingsFilter, total: u64) -> AnyView {
    let accept = inside.address().function::<AcceptFindings>();
    let reopen = inside.address().function::<ReopenFindings>();
    let reopens = filter.status != Status::New;
    let everything = format!("All {total} that the filter finds, not only the picked ones");
    let many = (total > MANY_FINDINGS as u64).then(|| {
        let label = format!("For more than {MANY_FINDINGS}: type how many they are");
        view! {
            <div class="field">
                <label for="confirmation">{label}</label>
                <input class="input" id="confirmation" name="confirmation" inputmode="numeric" autocomplete="off" />
            </div>
        }
    });
    view! {
        <form class="deciding" id=PICKED method="post" action=accept data-decide="">
            {hidden("query", filter.query_text())}
            <span data-picked="" data-unit="finding" data-picked-end=" picked" role="status">"Picked findings"</span>
            <div class="field">
                <label for="reason">"Why this is all right"</label>
                <input class="input" id="reason" name="reason" maxlength="1000" autocomplete="off" data-accept="" />
            </div>
            <div class="field">
                <label for="until">"Until (UTC, may be left empty)"</label>
                <input class="input" id="until" name="until" type="date" autocomplete="off" />
            </div>
            <label class="check"><input type="checkbox" name="everything" value="true" autocomplete="off" />{everything}</label>
            {many}
            <div class="form-foot">
                <button class="button primary">"Accept"</button>
                <button class="button" formaction=reopen data-undo="" hidden=!reopens>"Reopen the picked ones"</button>
            </div>
        </form>
    }
    .drawn()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_whose_ends_are_told_in_the_same_words_is_one_time() {
        let (at, now) = (Timestamp::from_millis, Timestamp::from_millis(600_000));
        assert!(!is_told_apart(at(530_000), at(531_000), now));
        assert!(is_told_apart(at(0), at(531_000), now));
    }
}
