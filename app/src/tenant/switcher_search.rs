//! The search in the tenant switcher, among all tenants of a person.

use leptos::mount::mount_to;
use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast as _;
use tenantatlas_domain::ids::TenantId;
use wasm_split_helpers::{SplitLoaderError, wasm_split};
use web_sys::{HtmlElement, KeyboardEvent};

use super::functions::my_tenants;
use super::model::TenantEntry;
use crate::ui::icon::Icon;
use crate::{address, format};

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
        place.replace_children_with_node_0();
        mount_to(place.clone(), move || search(entries, current, section)).forget();
        focus_search(&place);
    });
    Ok(())
}

/// Goes to the search field in `place`, when its menu is open.
pub fn focus_search(place: &HtmlElement) {
    let field = place.query_selector("input").ok().flatten();
    let open = place.closest(":popover-open").ok().flatten().is_some();
    if let Some(field) = field.and_then(|field| field.dyn_into::<HtmlElement>().ok()).filter(|_| open) {
        let _ = field.focus();
    }
}

/// The arrows go from the field to the tenants and back, and Enter in the field opens the first tenant that is found.
fn step(event: &KeyboardEvent) {
    let Some(target) = event.target().and_then(|target| target.dyn_into::<HtmlElement>().ok()) else { return };
    let Some(menu) = target.closest("[popover]").ok().flatten() else { return };
    let Ok(stops) = menu.query_selector_all("[type=search], nav a") else { return };
    let stops: Vec<HtmlElement> =
        (0..stops.length()).filter_map(|index| stops.item(index)?.dyn_into::<HtmlElement>().ok()).collect();
    let here = stops.iter().position(|stop| *stop == target);
    let next = match (event.key().as_str(), here) {
        ("ArrowDown", Some(index)) => index + 1,
        ("ArrowUp", Some(index)) if index > 0 => index - 1,
        ("Enter", Some(0)) => {
            if let Some(first) = stops.get(1) {
                event.prevent_default();
                first.click();
            }
            return;
        }
        _ => return,
    };
    if let Some(stop) = stops.get(next) {
        event.prevent_default();
        let _ = stop.focus();
    }
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
                on:keydown=|event| step(&event)
            />
        </div>
        <hr />
        <nav aria-label="Tenants" on:keydown=|event| step(&event)>
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
