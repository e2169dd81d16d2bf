//! What differs between two versions of a policy: side by side where there is room, below each other where there is not.

use leptos::prelude::*;
use tenantatlas_domain::invisible::visible_on_page;
use tenantatlas_domain::item_name::shown_name;
use tenantatlas_domain::settings::{AssignmentChange, AssignmentSide, ChangeKind, Difference, Row, SettingValue};
use tenantatlas_engine::Comparison;
use tenantatlas_store::inventory::Item;
use tenantatlas_store::policies::Version;

use super::functions::RefreshSettingNames;
use super::load;
use super::page::{SHOWN, crumbs, jump, reveal, unnamed};
use super::text::{by_category, difference_text, summary_words};
use super::value::{Contents, value_view};
use super::words::{side_words, slot_label, target_label};
use crate::error::AppError;
use crate::format;
use crate::frame::view::Section;
use crate::page::{path_part, query, refusal, tenant_page};
use crate::scope::Inside;
use crate::ui::card::section_card;
use crate::ui::drawn::Drawn as _;
use crate::ui::form::{hidden, options};
use crate::ui::icon::Icon;
use crate::ui::note::{note, refusal_note};

/// The word in the address that asks for what is the same as well.
const ALL: &str = "all";

/// The element that holds the difference as text.
const TEXT: &str = "difference-text";

/// How a difference is shown.
#[derive(Debug, Clone, Copy)]
struct Shown {
    /// What is the same as well.
    all: bool,
    /// Scripts and payloads.
    revealed: bool,
}

/// Two versions of an item, setting by setting. Without numbers in its address: the latest and the one before.
#[component]
pub fn DifferencePage() -> impl IntoView {
    let item = path_part("item");
    let query = query();
    let number = |name: &str| query(name).and_then(|text| text.parse::<u64>().ok());
    let (from, to) = (number("from"), number("to"));
    let refused = refusal::<RefreshSettingNames>(&query);
    let shown =
        Shown { all: query("show").as_deref() == Some(ALL), revealed: query("scripts").as_deref() == Some(SHOWN) };
    tenant_page(Section::Inventory, move |inside| async move {
        let item = load::item(&inside, &item).await?;
        let versions = load::versions(&inside, &item).await?;
        let (from, to) = load::pair(&versions, from, to);
        let (actor, policy) = (inside.session.actor(), (item.policy_type.as_str(), item.external_id.as_str()));
        let compared = inside.engine.compare_versions(&actor, inside.id(), policy, (from, to), shown.revealed).await?;
        let title = format!("Versions {from} and {to} of {}", shown_name(&item.display_name, &item.external_id));
        let content = view! {
            {head(&inside, &item, &compared, &title, shown)}
            {choice(&versions, &compared, shown)}
            {summary(&inside, &item, &compared, shown)}
            {refused.map(|error: AppError| refusal_note(&error))}
            {unnamed(&inside, unnamed_rows(&compared.difference, shown))}
            {settings(&compared, shown)}
            {assignments(&compared, shown)}
            {apart(&compared.difference)}
            {as_text(&difference_text(&title, &compared, shown.revealed))}
        }
        .drawn();
        Ok((title, content))
    })
}

fn head(inside: &Inside, item: &Item, compared: &Comparison, title: &str, shown: Shown) -> AnyView {
    let (at, from, to) = (inside.address(), compared.from.number, compared.to.number);
    view! {
        <div class="page-head">
            <div>{crumbs(inside, item)}<h1>{title.to_owned()}</h1></div>
            <div class="actions">
                {reveal(compared.contents.len(), shown.revealed, at.difference_with_scripts(item.id, from, to))}
                <button class="button copy with-script" type="button" data-copy=TEXT>
                    {Icon::Copy.view()}<span aria-live="polite">"Copy as text"</span>
                </button>
                <a class="button" href=at.difference_export(item.id, from, to) download="">
                    {Icon::Download.view()}"JSON"
                </a>
            </div>
        </div>
    }
    .drawn()
}

/// Which versions are compared: a form that works without script.
fn choice(versions: &[Version], compared: &Comparison, shown: Shown) -> AnyView {
    let entries = || {
        versions.iter().map(|version| {
            let number = version.number.to_string();
            let words = format!("Version {number}, {}", format::utc(version.read_at.as_millis()));
            (number, words)
        })
    };
    let (from, to) = (compared.from.number.to_string(), compared.to.number.to_string());
    view! {
        <form class="choose-versions" method="get">
            <label>"Before "<select class="select" name="from">{options(entries(), &from)}</select></label>
            <label>"After "<select class="select" name="to">{options(entries(), &to)}</select></label>
            {shown.all.then(|| hidden("show", ALL))}
            <button class="button">"Compare"</button>
        </form>
    }
    .drawn()
}

fn summary(inside: &Inside, item: &Item, compared: &Comparison, shown: Shown) -> AnyView {
    let difference = &compared.difference;
    let apart = difference.not_comparable.len() as u64;
    let apart = (apart > 0).then(|| {
        let words = format!(" {} could not be compared: see below.", format::counted(apart, "part", "parts"));
        view! { <strong>{words}</strong> }
    });
    let (at, from, to) = (inside.address(), compared.from.number, compared.to.number);
    let other = match shown.all {
        true => view! { <a href=at.difference(item.id, from, to)>"Only what differs"</a> }.drawn(),
        false => view! { <a href=at.difference_of_all(item.id, from, to)>"All settings"</a> }.drawn(),
    };
    view! { <p class="summary">{summary_words(difference)}{apart}" "{other}</p> }.drawn()
}

/// How many of the settings that are shown are known by their id only.
fn unnamed_rows(difference: &Difference, shown: Shown) -> usize {
    let seen = difference.rows.iter().filter(|row| shown.all || row.change.is_some());
    seen.filter(|row| row.definition_id.is_some() && row.name.is_none()).count()
}

fn settings(compared: &Comparison, shown: Shown) -> AnyView {
    let contents = Contents::of(&compared.to.policy_type, shown.revealed);
    let categories = by_category(&compared.difference, shown.all);
    let jump = jump(categories.iter().map(|(label, rows)| (label.as_str(), rows.len() as u64)));
    let cards = categories.into_iter().enumerate().map(|(at, (label, rows))| {
        let (id, name) = (format!("category-{at}"), format!("category-{at}"));
        let rows = rows.into_iter().map(|row| setting(row, contents)).collect_view();
        let label = visible_on_page(&label).into_owned();
        view! {
            <section class="card" aria-labelledby=name>
                <h2 id=id>{label}</h2>
                <div class="difference">{rows}</div>
            </section>
        }
    });
    view! { {jump} {cards.collect_view()} }.drawn()
}

fn setting(row: &Row, contents: Contents<'_>) -> AnyView {
    let value =
        |value: &Option<SettingValue>| value.as_ref().map(|value| value_view(value, row.property.as_deref(), contents));
    let above = (!row.above.is_empty()).then(|| visible_on_page(&row.above.join(" › ")).into_owned());
    let id = row.definition_id.as_deref().map(|id| visible_on_page(id).into_owned());
    let class = if row.name.is_none() && row.definition_id.is_some() { Some("identifier") } else { None };
    view! {
        <div title=id>
            {above.map(|above| view! { <span class="quiet-text">{above}" › "</span> })}
            <span class=class>{visible_on_page(&row.title).into_owned()}</span>
            {change_word(row.change)}
        </div>
        {cells(row.change, value(&row.old), value(&row.new))}
    }
    .drawn()
}

fn change_word(change: Option<ChangeKind>) -> Option<AnyView> {
    let word = match change? {
        ChangeKind::Added => "added",
        ChangeKind::Removed => "removed",
        ChangeKind::Changed => "changed",
    };
    Some(view! { " "<span class="badge">{word}</span> }.drawn())
}

/// What was and what is: two cells of a difference, or one where both are the same.
fn cells(change: Option<ChangeKind>, old: Option<AnyView>, new: Option<AnyView>) -> AnyView {
    let nothing = |there: bool| if there { "not set" } else { "not there" }.drawn();
    let Some(change) = change else {
        let same = new.or(old).unwrap_or_else(|| nothing(true));
        return view! { <div class="same">{same}</div> }.drawn();
    };
    let old = old.unwrap_or_else(|| nothing(change != ChangeKind::Added));
    let new = new.unwrap_or_else(|| nothing(change != ChangeKind::Removed));
    view! {
        <div class="before"><span class="which">"Before: "</span>{old}</div>
        <div class="after"><span class="which">"After: "</span>{new}</div>
    }
    .drawn()
}

fn assignments(compared: &Comparison, shown: Shown) -> Option<AnyView> {
    let rows: Vec<AnyView> = compared
        .difference
        .assignments
        .iter()
        .filter(|row| shown.all || row.change.is_some())
        .map(|row| assignment(compared, row))
        .collect();
    (!rows.is_empty())
        .then(|| section_card("assignments", "Assigned to", view! { <div class="difference">{rows}</div> }))
}

fn assignment(compared: &Comparison, row: &AssignmentChange) -> AnyView {
    let side = |side: &Option<AssignmentSide>| {
        let words = side.as_ref().map(|side| side_words(&compared.names, side))?;
        Some(visible_on_page(&words).into_owned().drawn())
    };
    let target = target_label(&compared.names, row.kind, &row.id);
    let intent = row.intent.as_deref().map(|intent| visible_on_page(&format!(", {intent}")).into_owned());
    view! {
        <div>{target}{intent}{change_word(row.change)}</div>
        {cells(row.change, side(&row.old), side(&row.new))}
    }
    .drawn()
}

/// What could not be compared and why, and what is worth knowing and no change.
fn apart(difference: &Difference) -> AnyView {
    let row = |path: &str, words: &str| {
        let path = visible_on_page(&part_label(difference, path)).into_owned();
        let words = visible_on_page(words).into_owned();
        view! { <li><span class="grow">{path}</span><span class="quiet">{words}</span></li> }
    };
    let not_compared = (!difference.not_comparable.is_empty()).then(|| {
        let rows = difference.not_comparable.iter().map(|part| row(&part.path, &part.reason)).collect_view();
        let said = note("warn", "Of these nobody can tell from the two versions whether they are the same.");
        section_card("not-compared", "Not compared", view! { {said} <ul class="rows">{rows}</ul> })
    });
    let notes = (!difference.notes.is_empty()).then(|| {
        let rows = difference.notes.iter().map(|note| row(&note.path, &note.words)).collect_view();
        section_card("notes", "Worth knowing, and no change", view! { <ul class="rows">{rows}</ul> })
    });
    view! { {not_compared} {notes} }.drawn()
}

/// What a part is called that could not be compared: a setting by its name, a slot by its words.
fn part_label(difference: &Difference, path: &str) -> String {
    if path.is_empty() {
        return "The object itself".to_owned();
    }
    match difference.rows.iter().find(|row| row.path == path) {
        Some(row) => row.above.iter().chain([&row.title]).cloned().collect::<Vec<_>>().join(" › "),
        None if path.contains(['/', '.', '_']) => path.to_owned(),
        None => slot_label(path),
    }
}

/// The difference as it is copied: it can be opened, and its text picked, without script as well.
fn as_text(text: &str) -> AnyView {
    view! {
        <details class="card as-text">
            <summary>"The same as text"</summary>
            <pre class="content" id=TEXT tabindex="0" role="group" aria-label="The difference as text">{text.to_owned()}</pre>
        </details>
    }
    .drawn()
}
