//! The views that a person saved, above the list, and what saves the one that is shown.

use leptos::prelude::*;
use tenantatlas_store::saved_views::SavedView;

use super::functions::{RemoveView, RenameView, SaveView};
use super::load::InventoryView;
use crate::error::AppError;
use crate::filter::inventory::InventoryFilter;
use crate::filter::{ListFilter as _, read_query};
use crate::scope::Inside;
use crate::ui::drawn::Drawn as _;
use crate::ui::form::hidden;
use crate::ui::icon::Icon;
use crate::ui::note::refusal_note;

/// A link for each, and what renames and deletes them. It is the same whatever the filter: what stands above the filters
/// must not move them under a pointer.
pub fn saved_views(
    inside: &Inside,
    address: &InventoryFilter,
    shown: &InventoryView,
    refused: Option<AppError>,
) -> AnyView {
    let here = address.first_page().query_text();
    let links = shown.kept.saved_views.iter().map(|view| link(inside, view, &here)).collect_view();
    let list = (!shown.kept.saved_views.is_empty()).then(|| {
        view! { <nav class="chips" aria-label="Saved views">{links}</nav> }
    });
    let manage = (!shown.kept.saved_views.is_empty()).then(|| manage(inside, &shown.kept.saved_views, &here));
    view! {
        <div class="chip-row" id="saved-views" data-part="">
            {refused.map(|error| refusal_note(&error))}
            {list}
            {manage}
        </div>
    }
    .drawn()
}

fn link(inside: &Inside, saved: &SavedView, here: &str) -> AnyView {
    let href = read_query::<InventoryFilter>(&saved.query).address(&inside.address().inventory());
    view! {
        <a class="chip" href=href aria-current=(saved.query == here).then_some("true")>
            {Icon::Star.view()}
            {saved.name.clone()}
        </a>
    }
    .drawn()
}

/// What saves the list that is shown, unless it is saved already or is simply all of it.
pub fn save_form(inside: &Inside, address: &InventoryFilter, shown: &InventoryView) -> Option<AnyView> {
    let here = address.first_page().query_text();
    let is_saved = shown.kept.saved_views.iter().any(|view| view.query == here);
    (!here.is_empty() && !is_saved).then(|| save_as(inside, &here))
}

fn save_as(inside: &Inside, here: &str) -> AnyView {
    let action = inside.address().function::<SaveView>();
    view! {
        <details class="disclosure">
            <summary class="button quiet small">{Icon::Star.view()}"Save this view"</summary>
            <form class="inline-form" method="post" action=action>
                {hidden("query", here)}
                <input class="input" name="name" required maxlength="80" aria-label="Name of the view" placeholder="Name of the view" />
                <button class="button">"Save"</button>
            </form>
        </details>
    }
    .drawn()
}

fn manage(inside: &Inside, views: &[SavedView], here: &str) -> AnyView {
    let (rename, remove) = (inside.address().function::<RenameView>(), inside.address().function::<RemoveView>());
    let rows = views
        .iter()
        .map(|saved| {
            let (id, name) = (saved.id.to_string(), saved.name.clone());
            view! {
                <li>
                    <form class="inline-form" method="post" action=rename.clone()>
                        {hidden("query", here)}
                        {hidden("view", id.clone())}
                        <input class="input" name="name" required maxlength="80" value=name.clone() aria-label=format!("New name of {name}") />
                        <button class="button small" aria-label=format!("Rename {name}")>"Rename"</button>
                    </form>
                    <form method="post" action=remove.clone()>
                        {hidden("query", here)}
                        {hidden("view", id)}
                        <button class="button small" aria-label=format!("Delete {name}")>"Delete"</button>
                    </form>
                </li>
            }
        })
        .collect_view();
    view! {
        <details class="disclosure">
            <summary class="button quiet small">"Manage views"</summary>
            <ul class="rows">{rows}</ul>
        </details>
    }
    .drawn()
}
