//! What narrows the list, and relative to which syncs it is told.

use leptos::prelude::*;
use tenantatlas_domain::registry::{Category, Platform, registry};
use tenantatlas_store::inventory::StateFilter;
use tenantatlas_store::scopes::{Scope, ScopeId};

use super::chips::{since_words, state_words};
use super::elsewhere::scope_words;
use super::group_hits::assigned_choice;
use super::load::InventoryView;
use crate::filter::ListFilter as _;
use crate::filter::inventory::{Grouping, InventoryFilter, state_name};
use crate::format;
use crate::ui::drawn::Drawn as _;
use crate::ui::form::{choice, hidden, options, search_and_choices};

/// The field that searches, and the choices. On a phone the choices open when they are asked for.
pub fn filters(base: &str, address: &InventoryFilter, shown: &InventoryView) -> AnyView {
    let kept = ["excluded", "coverage", "sort", "dir", "scope"];
    let kept = address.first_page().pairs().into_iter().filter(|(name, _)| kept.contains(name));
    view! {
        <form class="filters" id="filters" data-part="" method="get" action=base.to_owned() role="search" data-auto="">
            {search_and_choices(address.search.clone(), choices(address, shown))}
            {kept.map(|(name, value)| hidden(name, value)).collect_view()}
        </form>
    }
    .drawn()
}

fn choices(address: &InventoryFilter, shown: &InventoryView) -> AnyView {
    let any = |words: &str| (String::new(), words.to_owned());
    let categories = Category::ALL.iter().map(|one| (one.slug().to_owned(), one.label().to_owned()));
    let fits = |key: &str| registry().get(key).map(|known| known.category) == address.category;
    let types = shown.coverage.iter().filter(|cell| address.category.is_none() || fits(&cell.key));
    let types = types.map(|cell| (cell.key.clone(), cell.label.clone()));
    let platforms = Platform::ALL.iter().map(|one| (one.as_str().to_owned(), one.label().to_owned()));
    let states = [StateFilter::Present, StateFilter::Missing, StateFilter::NotRead, StateFilter::Changed];
    let states = states.map(|one| (state_name(one).to_owned(), state_words(one).to_owned()));
    let groups = Grouping::ALL.map(|one| (one.as_str().to_owned(), format!("By {}", one.label().to_lowercase())));
    let tags = (!shown.scope_tags.is_empty()).then(|| {
        let entries = std::iter::once(any("Any scope tag")).chain(shown.scope_tags.iter().cloned());
        choice("tag", "Scope tag", entries, address.scope_tag.as_deref().unwrap_or_default())
    });
    view! {
        {choice("category", "Category", std::iter::once(any("Any category")).chain(categories), address.category.map(Category::slug).unwrap_or_default())}
        {choice("type", "Policy type", std::iter::once(any("Any type")).chain(types), address.policy_type.as_deref().unwrap_or_default())}
        {choice("platform", "Platform", std::iter::once(any("Any platform")).chain(platforms), address.platform.map(Platform::as_str).unwrap_or_default())}
        {choice("state", "State", std::iter::once(any("Any state")).chain(states), address.state.map(state_name).unwrap_or_default())}
        {since_choice(address)}
        {assigned_choice(address, shown)}
        {tags}
        {choice("group", "Group by", std::iter::once(any("Not grouped")).chain(groups), address.group.map(Grouping::as_str).unwrap_or_default())}
    }
    .drawn()
}

/// Since when changes are shown. A date or a run that the address names stays as an entry of its own.
fn since_choice(address: &InventoryFilter) -> AnyView {
    let mut entries = vec![
        (String::new(), "Changed at any time".to_owned()),
        ("1d".to_owned(), "Changed since yesterday".to_owned()),
        ("7d".to_owned(), "Changed in 7 days".to_owned()),
        ("30d".to_owned(), "Changed in 30 days".to_owned()),
    ];
    let chosen = address.since.map(|since| since.to_string()).unwrap_or_default();
    if let Some(since) = address.since.filter(|_| entries.iter().all(|(value, _)| *value != chosen)) {
        entries.push((chosen.clone(), since_words(since)));
    }
    view! {
        {choice("since", "Changed since", entries, &chosen)}
        <input class="input" type="date" name="since_date" aria-label="Changed since a date" title="Changed since a date (UTC)" autocomplete="off" />
    }
    .drawn()
}

/// Relative to which syncs the whole page is told, where there is more than one selection: no filter, and set apart from
/// them. It begins the list anew.
pub fn scope_choice(base: &str, address: &InventoryFilter, shown: &InventoryView) -> Option<AnyView> {
    if shown.scopes.len() < 2 {
        return None;
    }
    let entries = std::iter::once((String::new(), "Main selection of the tenant".to_owned()))
        .chain(shown.scopes.iter().map(|scope| (scope.id.0.to_string(), scope_entry(scope, &shown.scopes))));
    let chosen = address.scope.map(|ScopeId(id)| id.to_string()).unwrap_or_default();
    let kept = address.first_page().pairs().into_iter().filter(|(name, _)| *name != "scope");
    Some(
        view! {
            <form class="scope-choice" method="get" action=base.to_owned() data-auto="">
                <label for="scope">"As of"</label>
                <select class="select" name="scope" id="scope">{options(entries, &chosen)}</select>
                {kept.map(|(name, value)| hidden(name, value)).collect_view()}
                <button class="button">"Show"</button>
            </form>
        }
        .drawn(),
    )
}

/// What the syncs of a scope read, and when the last one ended where others read as much.
fn scope_entry(scope: &Scope, all: &[Scope]) -> String {
    let words = scope_words(scope);
    let alone = all.iter().filter(|other| scope_words(other) == words).count() == 1;
    match scope.latest {
        Some(latest) if !alone => format!("Syncs of {words}, last {}", format::utc(latest.finished_at.as_millis())),
        _ => format!("Syncs of {words}"),
    }
}
