//! The findings of a tenant as an inbox: what drifted, and what to do about it.

use leptos::prelude::*;
use tenantatlas_domain::drift::{ChangeKind, Gap, Severity};
use tenantatlas_domain::role::Action;
use tenantatlas_engine::MANY_FINDINGS;
use tenantatlas_store::findings::{ComparisonRecord, Finding};

use super::functions::{AcceptFindings, CompareRuns, ReopenFindings, SetDriftAfterSync};
use super::load::{Findings, load};
use super::row::rows;
use crate::filter::ListFilter as _;
use crate::filter::finding::{FindingsFilter, Status};
use crate::format::counted;
use crate::frame::view::Section;
use crate::inventory::labels::type_label;
use crate::page::{done, query, refusal, tenant_page};
use crate::scope::Inside;
use crate::ui::form::{hidden, options};
use crate::ui::icon::Icon;
use crate::ui::note::{done_note, empty, refusal_note};
use crate::ui::pager::Pager;
use crate::ui::time::moment;

/// The form of the boxes in the rows.
pub(super) const PICKED: &str = "picked";

/// The findings with their filters; operators accept them.
#[component]
pub fn FindingsPage() -> impl IntoView {
    let query = query();
    let filter = FindingsFilter::read(&query);
    let said = done(&query);
    let refused = refusal::<AcceptFindings>(&query).or_else(|| refusal::<ReopenFindings>(&query));
    let refused = refused.or_else(|| refusal::<CompareRuns>(&query)).or_else(|| refusal::<SetDriftAfterSync>(&query));
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
            {shown.comparison.as_ref().map(|comparison| gaps(&comparison.not_comparable))}
            {filters(&inside, &filter)}
            <div id="findings" data-live="">{list(&inside, &filter, &shown)}</div>
            {setting(&inside)}
        }
        .into_any();
        Ok(("Findings".to_owned(), content))
    })
}

fn lead(inside: &Inside, shown: &Findings) -> AnyView {
    let Some(ComparisonRecord { baseline_run_id, current_run_id, finished_at, .. }) = &shown.comparison else {
        return "What drifted between two syncs. Nothing was compared yet.".into_any();
    };
    let baseline = baseline_run_id.map(|run| {
        view! { " with "<a href=inside.address().run_of_sync(run)>"the run before it"</a> }
    });
    view! {
        "What drifted between two syncs. "
        {moment(finished_at.as_millis())}
        " the "<a href=inside.address().run_of_sync(current_run_id)>"latest run"</a>" was compared"{baseline}"."
    }
    .into_any()
}

fn compare(inside: &Inside) -> AnyView {
    let action = inside.address().function::<CompareRuns>();
    view! { <form method="post" action=action><button class="button">{Icon::Turning.view()}"Compare now"</button></form> }
        .into_any()
}

/// What could not be compared: neither drift nor fine.
fn gaps(gaps: &[Gap]) -> AnyView {
    if gaps.is_empty() {
        return ().into_any();
    }
    let title = format!("{} not comparable", counted(gaps.len() as u64, "type is", "types are"));
    let lines = gaps.iter().map(|gap| {
        let line = format!("{}: not comparable, because {}", type_label(&gap.policy_type), gap.because());
        view! { <li>{line}</li> }
    });
    view! {
        <details class="note" data-tone="warn">
            <summary>{Icon::Unread.view()}{title}</summary>
            <ul>{lines.collect_view()}</ul>
        </details>
    }
    .into_any()
}

fn filters(inside: &Inside, filter: &FindingsFilter) -> AnyView {
    let statuses = Status::ALL.map(|(_, name, words)| (name, words));
    let kinds = std::iter::once((String::new(), "Any change".to_owned()))
        .chain(ChangeKind::ALL.iter().map(|kind| (kind.to_string(), kind.label().to_owned())));
    let severities = std::iter::once((String::new(), "Any severity".to_owned()))
        .chain(Severity::ALL.iter().rev().map(|one| (one.to_string(), format!("{} and above", one.label()))));
    let filtered = *filter != FindingsFilter::default();
    view! {
        <form class="filters" method="get" action=inside.address().findings() data-auto="">
            <select class="select" name="status" aria-label="Status">{options(statuses, filter.status.name())}</select>
            <select class="select" name="severity" aria-label="Severity">
                {options(severities, filter.severity.map(Severity::as_str).unwrap_or_default())}
            </select>
            <select class="select" name="kind" aria-label="Change">
                {options(kinds, filter.kind.map(ChangeKind::as_str).unwrap_or_default())}
            </select>
            <button class="button">"Apply"</button>
            {filtered.then(|| view! { <a class="button quiet" href=inside.address().findings()>"Clear"</a> })}
        </form>
    }
    .into_any()
}

fn list(inside: &Inside, filter: &FindingsFilter, shown: &Findings) -> AnyView {
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
    let objects = findings.chunk_by(|one: &Finding, other: &Finding| one.item_id == other.item_id);
    let bodies = objects.map(|object| view! { <tbody>{rows(inside, object, may_pick)}</tbody> });
    view! {
        <p class="quiet-text" role="status">{counted(shown.total as u64, "finding", "findings")}</p>
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
        {may_pick.then(|| decide(inside, filter, shown.total))}
        {pager.view()}
    }
    .into_any()
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
fn decide(inside: &Inside, filter: &FindingsFilter, total: usize) -> AnyView {
    let accept = inside.address().function::<AcceptFindings>();
    let reopen = inside.address().function::<ReopenFindings>();
    let reopens = filter.status != Status::New;
    let everything = format!("All {total} that the filter finds, not only the picked ones");
    let many = (total > MANY_FINDINGS).then(|| {
        let label = format!("For more than {MANY_FINDINGS}: type how many they are");
        view! {
            <div class="field">
                <label for="confirmation">{label}</label>
                <input class="input" id="confirmation" name="confirmation" inputmode="numeric" autocomplete="off" />
            </div>
        }
    });
    view! {
        <form class="form card" id=PICKED method="post" action=accept>
            {hidden("query", filter.query_text())}
            <div class="field">
                <label for="reason">"Why this is all right"</label>
                <input class="input" id="reason" name="reason" maxlength="1000" autocomplete="off" />
            </div>
            <div class="field">
                <label for="until">"Until (UTC, may be left empty)"</label>
                <input class="input" id="until" name="until" type="date" autocomplete="off" />
            </div>
            <label class="check"><input type="checkbox" name="everything" value="true" autocomplete="off" />{everything}</label>
            {many}
            <div class="form-foot">
                <button class="button primary">"Accept"</button>
                {reopens.then(|| view! { <button class="button" formaction=reopen>"Reopen the picked ones"</button> })}
            </div>
        </form>
    }
    .into_any()
}

/// Whether each sync is compared with the one before it; managers choose.
fn setting(inside: &Inside) -> AnyView {
    let wanted = inside.tenant.drift_after_sync;
    let words = match wanted {
        true => "Each sync is compared with the one before it.",
        false => "Syncs are compared only when somebody asks for it.",
    };
    let change = inside.role.allows(Action::EditSchedules).then(|| {
        let action = inside.address().function::<SetDriftAfterSync>();
        let button = if wanted { "Compare only when asked" } else { "Compare after each sync" };
        view! {
            <form method="post" action=action>
                {hidden("wanted", (!wanted).to_string())}
                <button class="button quiet small">{button}</button>
            </form>
        }
    });
    view! { <div class="actions"><p class="quiet-text">{words}</p>{change}</div> }.into_any()
}
