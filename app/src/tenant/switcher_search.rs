//! The search in the tenant switcher, among all tenants of a person.

use super::functions::my_tenants;
use super::model::TenantEntry;
use crate::ui::icon::Icon;
use crate::{address, format};
use leptos::mount::mount_to;
use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast as _;
use tenantatlas_domain::ids::TenantId;
use wasm_split_helpers::{SplitLoaderError, wasm_split};
use web_sys::HtmlElement;

/// More than these are not shown: whoever has more types a part of the name.
const SHOWN: usize = 50;

/// Fetches all tenants of the person, and puts them and the search in place of the first ones. When the server does not
/// answer, these stay, and `asked` is taken back.
///
/// # Errors
/// When this part of the program cannot be loaded.
#[wasm_split(top_bar, fallible)]
pub fn draw(
    place: HtmlElement,
    current: TenantId,
    section: String,
    asked: StoredValue<bool>,
) -> Result<(), SplitLoaderError> {
    leptos::task::spawn_local(async move {
        let Ok(entries) = my_tenants().await else {
            asked.set_value(false);
            return;
        };
        let focused = place.contains(document().active_element().as_deref());
        place.replace_children_with_node_0();
        mount_to(place.clone(), move || search(entries, current, section)).forget();
        let field = place.query_selector("input").ok().flatten();
        if let Some(field) = field.and_then(|field| field.dyn_into::<HtmlElement>().ok()).filter(|_| focused) {
            let _ = field.focus();
        }
    });
    Ok(())
}

fn search(entries: Vec<TenantEntry>, current: TenantId, section: String) -> impl IntoView {
    let sought = RwSignal::new(String::new());
    let found = move || {
        let sought = format::lowercase(&sought.get());
        let found = entries.iter().filter(|entry| format::lowercase(&entry.name).contains(&sought));
        found.take(SHOWN).cloned().collect::<Vec<_>>()
    };
    let found = Memo::new(move |_| found());
    view! {
        <div class="search">
            {Icon::Search.view()}
            <input
                class="input"
                type="search"
                placeholder="Find a tenant"
                aria-label="Find a tenant"
                autocomplete="off"
                on:input:target=move |event| sought.set(event.target().value())
            />
        </div>
        <hr />
        <nav aria-label="Tenants">
            <For each=move || found.get() key=|entry| entry.id let:entry>
                {tenant_link(entry, current, &section)}
            </For>
        </nav>
        <p class="menu-head" hidden=move || found.with(|found| !found.is_empty())>"No tenant of that name."</p>
    }
}

/// A tenant of the menu, on the page that is open.
pub fn tenant_link(entry: TenantEntry, current: TenantId, section: &str) -> impl IntoView + use<> {
    view! {
        <a
            class="menu-item"
            href=address::tenant(entry.id).section(section)
            aria-current=(entry.id == current).then_some("true")
        >
            <span class="grow">{entry.name}</span>
            {entry.favourite.then(|| Icon::Star.view())}
            <span class="badge" data-tone=entry.environment.tone()>{entry.environment.label()}</span>
        </a>
    }
}
