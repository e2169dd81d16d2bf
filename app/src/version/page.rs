//! The body of a version, as a tree of its settings by category.

use leptos::prelude::*;
use tenantatlas_domain::body::Lack;
use tenantatlas_domain::invisible::visible_on_page;
use tenantatlas_domain::item_name::shown_name;
use tenantatlas_domain::references::Assigned;
use tenantatlas_domain::registry::{Assignments, registry};
use tenantatlas_domain::role::Action;
use tenantatlas_domain::settings::{Assignment, Setting};
use tenantatlas_engine::ReadVersion;
use tenantatlas_store::inventory::Item;

use super::functions::RefreshSettingNames;
use super::load;
use super::value::{Contents, value_view};
use super::words::{side_details, slot_label, target_label};
use crate::error::AppError;
use crate::format;
use crate::frame::view::Section;
use crate::group::page::side;
use crate::inventory::labels::type_label;
use crate::page::{path_part, query, refusal, tenant_page};
use crate::scope::Inside;
use crate::ui::card::section_card;
use crate::ui::drawn::Drawn as _;
use crate::ui::icon::Icon;
use crate::ui::note::{note, refusal_note};
use crate::ui::time::exact;

/// The word in the address that asks for scripts and payloads.
pub(super) const SHOWN: &str = "shown";

/// One version: its settings by category, and to whom the policy was assigned.
#[component]
pub fn VersionPage() -> impl IntoView {
    let (item, number) = (path_part("item"), path_part("version"));
    let query = query();
    let revealed = query("scripts").as_deref() == Some(SHOWN);
    let refused = refusal::<RefreshSettingNames>(&query);
    tenant_page(Section::Inventory, move |inside| async move {
        let item = load::item(&inside, &item).await?;
        let number: u64 = number.parse().map_err(|_| AppError::not_found("The version"))?;
        let (actor, policy) = (inside.session.actor(), (item.policy_type.as_str(), item.external_id.as_str()));
        let read = inside.engine.read_version(&actor, inside.id(), policy, number, revealed).await?;
        let title = format!("Version {number} of {}", shown_name(&read.version.display_name, &item.external_id));
        let content = view! {
            {head(&inside, &item, &read, &title, revealed)}
            {refused.map(|error: AppError| refusal_note(&error))}
            {lacking(&read.version.lacks)}
            {unnamed(&inside, read.settings.lines().iter().filter(|line| line.setting.is_unnamed()).count())}
            {settings(&read, Contents::of(&read.version.policy_type, revealed))}
            {assignments(&inside, &read)}
        }
        .drawn();
        Ok((title, content))
    })
}

/// Where the page stands.
pub(super) fn crumbs(inside: &Inside, item: &Item) -> AnyView {
    let at = inside.address();
    let name = shown_name(&item.display_name, &item.external_id).into_owned();
    view! {
        <nav class="crumbs" aria-label="Breadcrumbs">
            <a href=at.inventory()>"Inventory"</a>
            <span aria-hidden="true">"/"</span>
            <a href=at.items_of_type(&item.policy_type)>{type_label(&item.policy_type)}</a>
            <span aria-hidden="true">"/"</span>
            <a href=at.item(item.id)>{name}</a>
        </nav>
    }
    .drawn()
}

/// The way to scripts and payloads, which says before it is taken that it is written down.
pub(super) fn reveal(contents: usize, revealed: bool, address: String) -> Option<AnyView> {
    (contents > 0 && !revealed).then(|| {
        view! {
            <a class="button" href=address rel="nofollow" title="The audit log will tell that you looked">
                {Icon::Audit.view()}"Show scripts and payloads"
            </a>
        }
        .drawn()
    })
}

fn head(inside: &Inside, item: &Item, read: &ReadVersion, title: &str, revealed: bool) -> AnyView {
    let (at, number) = (inside.address(), read.version.number);
    let before = number.checked_sub(1).filter(|before| *before > 0).map(|before| {
        view! { <a class="button" href=at.difference(item.id, before, number)>"Compare with the version before"</a> }
    });
    let count = format::counted(read.settings.count(), "setting", "settings");
    let raw = at.version_export(item.id, number);
    view! {
        <div class="page-head">
            <div>
                {crumbs(inside, item)}
                <h1>{title.to_owned()}</h1>
                <p class="lead">{count}", read "{exact(read.version.read_at.as_millis())}</p>
            </div>
            <div class="actions">
                {before}
                {reveal(read.contents.len(), revealed, at.version_with_scripts(item.id, number))}
                <a class="button" href=raw download="">{Icon::Download.view()}"JSON"</a>
            </div>
        </div>
    }
    .drawn()
}

/// Says of how many settings only the id is known, and how their names are read.
pub(super) fn unnamed(inside: &Inside, count: usize) -> Option<AnyView> {
    if count == 0 {
        return None;
    }
    let words = format!(
        "The names of {} are not known here, so their IDs are shown.",
        format::counted(count as u64, "setting", "settings")
    );
    let action = inside.address().function::<RefreshSettingNames>();
    let read = inside.role.allows(Action::Capture).then(|| {
        view! { <form method="post" action=action><button class="button small">"Read names from Microsoft"</button></form> }
    });
    Some(note("info", view! { <p>{words}</p> {read} }))
}

/// What the version lacks.
fn lacking(lacks: &[Lack]) -> Option<AnyView> {
    let words: Vec<String> = lacks.iter().map(Lack::words).collect();
    (!words.is_empty()).then(|| note("warn", format!("This version is not whole: {}.", words.join("; "))))
}

/// Settings that stand under one heading.
pub(super) struct Category<'read> {
    /// The heading.
    pub(super) label: String,
    /// Those of the first level.
    pub(super) settings: Vec<&'read Setting>,
}

/// The settings of a version by category, in the order in which the categories come.
pub(super) fn categories(read: &ReadVersion) -> Vec<Category<'_>> {
    let mut found: Vec<Category<'_>> = Vec::new();
    for section in &read.settings.sections {
        for setting in &section.settings {
            let label = setting.category.clone().unwrap_or_else(|| slot_label(&section.slot));
            match found.iter_mut().find(|category| category.label == label) {
                Some(category) => category.settings.push(setting),
                None => found.push(Category { label, settings: vec![setting] }),
            }
        }
    }
    found
}

/// Links to the categories of the page, each with how many settings it has; nothing where a look finds them.
pub(super) fn jump<'page>(categories: impl ExactSizeIterator<Item = (&'page str, u64)>) -> Option<AnyView> {
    if categories.len() < 3 {
        return None;
    }
    let links = categories.enumerate().map(|(at, (label, count))| {
        let label = visible_on_page(label).into_owned();
        view! {
            <li><a href=format!("#category-{at}")>{label}</a>" "<span class="quiet">{format::number(count)}</span></li>
        }
    });
    Some(view! { <nav class="card jump" aria-label="Categories"><ul>{links.collect_view()}</ul></nav> }.drawn())
}

fn settings(read: &ReadVersion, contents: Contents<'_>) -> AnyView {
    let categories = categories(read);
    let counts = categories.iter().map(|category| {
        (category.label.as_str(), category.settings.iter().map(|setting| setting.count()).sum::<u64>())
    });
    let jump = jump(counts);
    let cards = categories
        .iter()
        .enumerate()
        .map(|(at, category)| {
            let (id, label) = (format!("category-{at}"), format!("category-{at}"));
            let heading = visible_on_page(&category.label).into_owned();
            view! {
                <section class="card" aria-labelledby=label>
                    <h2 id=id>{heading}</h2>
                    {tree(category.settings.iter().copied(), contents)}
                </section>
            }
        })
        .collect_view();
    view! { {jump} {cards} }.drawn()
}

pub(super) fn tree<'read>(settings: impl Iterator<Item = &'read Setting>, contents: Contents<'_>) -> AnyView {
    let rows = settings.enumerate().map(|(at, setting)| row(setting, at, contents)).collect_view();
    view! { <ul class="settings">{rows}</ul> }.drawn()
}

fn row(setting: &Setting, at: usize, contents: Contents<'_>) -> AnyView {
    let title = setting.title().unwrap_or_else(|| format!("No. {}", at + 1));
    let title = visible_on_page(&title).into_owned();
    let class = if setting.is_unnamed() { "setting-name identifier" } else { "setting-name" };
    // The id helps whoever looks a setting up elsewhere; as a title it is there for those who want it.
    let id = setting.definition_id.as_deref().map(|id| visible_on_page(id).into_owned());
    let value = setting.value.as_ref().map(|value| value_view(value, setting.property(), contents));
    let none = (value.is_none() && setting.parts.is_empty()).then_some("not set");
    let parts = (!setting.parts.is_empty()).then(|| tree(setting.parts.iter(), contents));
    view! {
        <li>
            <div class="setting">
                <div class=class title=id>{title}</div>
                <div class="setting-value">{value}{none.map(|none| view! { <span class="quiet-text">{none}</span> })}</div>
            </div>
            {parts}
        </li>
    }
    .drawn()
}

fn assignments(inside: &Inside, read: &ReadVersion) -> AnyView {
    let rows = read.settings.assignments.iter().map(|row| assignment(inside, read, row)).collect_view();
    let list = if read.settings.assignments.is_empty() {
        let none = match registry().get(&read.version.policy_type).map(|one| one.assignments) {
            Some(Assignments::Inline) => "Whom it is for stands among its settings.",
            Some(Assignments::None) => "Policies of this type are not assigned to anybody.",
            _ => "No assignment is kept with this version.",
        };
        view! { <p class="quiet-text">{none}</p> }.drawn()
    } else {
        view! { <ul class="rows">{rows}</ul> }.drawn()
    };
    section_card("assignments", "Assigned to", list)
}

fn assignment(inside: &Inside, read: &ReadVersion, row: &Assignment) -> AnyView {
    let words = target_label(&read.names, row.kind, &row.id);
    let name = match Assigned::of(row.kind, &row.id) {
        Some(group) => view! { <a href=inside.address().group(&group)>{words}</a> }.drawn(),
        None => words.drawn(),
    };
    let intent = row.intent.iter().map(|intent| format!("intent {intent}"));
    let details: Vec<String> = intent.chain(side_details(&read.names, &row.side)).collect();
    let details = visible_on_page(&details.join(" · ")).into_owned();
    view! {
        <li>
            {side(!row.side.excluded)}
            <span class="grow">{name}</span>
            {(!details.is_empty()).then(|| view! { <span class="quiet">{details}</span> })}
        </li>
    }
    .drawn()
}
