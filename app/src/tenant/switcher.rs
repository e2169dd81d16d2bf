//! The tenant switcher.
#![allow(missing_docs, reason = "the island macro makes property types whose documentation is the property's")]

use super::functions::my_tenants;
use super::model::TenantEntry;
use crate::island::erased;
use crate::packed::Packed;
use crate::ui::icon::Icon;
use crate::{address, format};
use leptos::prelude::*;

/// A menu of the person's tenants that keeps them on the same page of the other one. The server sends the first few;
/// the rest comes when the menu opens.
#[island]
pub fn TenantSwitcher(
    /// The tenant that is open.
    #[prop(into)]
    current: Packed<TenantEntry>,
    /// The page of the tenant that is open, such as `inventory`.
    section: String,
    /// The tenants that are always at hand: favourites and the ones used last.
    #[prop(into)]
    near: Packed<Vec<TenantEntry>>,
    /// Whether there are more.
    more: bool,
) -> impl IntoView {
    let current = current.0;
    let entries = RwSignal::new(near.0);
    let loaded = RwSignal::new(!more);
    let sought = RwSignal::new(String::new());
    let current_id = current.id;
    let section = StoredValue::new(section);
    let load = move |_| {
        if !loaded.get_untracked() {
            loaded.set(true);
            leptos::task::spawn_local(async move {
                match my_tenants().await {
                    Ok(all) => entries.set(all),
                    Err(_) => loaded.set(false),
                }
            });
        }
    };
    let found = move || {
        let sought = format::lowercase(&sought.get());
        entries.with(|entries| {
            entries
                .iter()
                .filter(|entry| format::lowercase(&entry.name).contains(&sought))
                .take(50)
                .cloned()
                .collect::<Vec<_>>()
        })
    };
    erased(view! {
        <button class="switcher" type="button" popovertarget="tenant-menu" on:click=load>
            <span class="visually-hidden">"Tenant: "</span>
            <span class="name">{current.name}</span>
            <span class="badge" data-tone=current.environment.tone()>{current.environment.label()}</span>
            {Icon::Down.view()}
        </button>
        <div class="menu from-start" id="tenant-menu" popover="auto">
            <div class="search">
                {Icon::Search.view()}
                <input
                    class="input"
                    type="search"
                    placeholder="Find a tenant"
                    aria-label="Find a tenant"
                    autocomplete="off"
                    prop:value=move || sought.get()
                    on:input:target=move |event| sought.set(event.target().value())
                />
            </div>
            <hr />
            <nav aria-label="Tenants">
                <For each=found key=|entry| entry.id let:entry>
                    <a
                        class="menu-item"
                        href=address::tenant(entry.id).section(&section.get_value())
                        aria-current=(entry.id == current_id).then_some("true")
                    >
                        <span class="grow">{entry.name}</span>
                        {entry.favourite.then(|| Icon::Star.view())}
                        <span class="badge" data-tone=entry.environment.tone()>{entry.environment.label()}</span>
                    </a>
                </For>
            </nav>
            <p class="menu-head" hidden=move || !found().is_empty()>"No tenant of that name."</p>
            <hr />
            <a class="menu-item" href=address::HOME>{Icon::Tenant.view()}"All tenants"</a>
        </div>
    })
}
