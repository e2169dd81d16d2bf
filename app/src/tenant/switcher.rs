//! The tenant switcher.
#![allow(missing_docs, reason = "the island macro makes property types whose documentation is the property's")]

use leptos::prelude::*;
use tenantatlas_domain::ids::TenantId;

use super::switcher_search;
use crate::address;
use crate::island::erased;
use crate::ui::icon::Icon;
#[cfg(feature = "ssr")]
use {super::model::TenantEntry, super::switcher_search::tenant_link};

/// A menu of the person's tenants that keeps them on the same page of the other one. The server sends the first few;
/// the rest, and the search among them, comes when the menu opens.
#[cfg(feature = "ssr")]
#[component]
pub fn TenantSwitcher(
    /// The tenant that is open.
    current: TenantEntry,
    /// The page of the tenant that is open, such as `inventory`.
    section: String,
    /// The tenants that are always at hand: favourites and the ones used last.
    near: Vec<TenantEntry>,
) -> impl IntoView {
    let id = current.id;
    let links: Vec<_> = near.into_iter().map(|entry| tenant_link(entry, id, &section)).collect();
    view! {
        <button class="switcher" type="button" popovertarget="tenant-menu">
            <span class="visually-hidden">"Tenant: "</span>
            <span class="name">{current.name}</span>
            <span class="badge" data-tone=current.environment.tone()>{current.environment.label()}</span>
            {Icon::Down.view()}
        </button>
        <TenantMenu current=id section>
            <nav aria-label="Tenants">{links}</nav>
        </TenantMenu>
    }
}

/// The menu. What finds a tenant in it is fetched when it first opens; if that fails, its first tenants stay.
#[island]
pub fn TenantMenu(
    /// The tenant that is open.
    current: TenantId,
    /// The page of the tenant that is open, such as `inventory`.
    section: String,
    /// The first tenants.
    children: Children,
) -> impl IntoView {
    let place = NodeRef::<leptos::html::Div>::new();
    let asked = StoredValue::new(false);
    let section = StoredValue::new(section);
    let open = move |_| {
        let Some(place) = place.get_untracked() else { return };
        if asked.get_value() {
            switcher_search::focus_search(&place);
            return;
        }
        asked.set_value(true);
        leptos::task::spawn_local(async move {
            if switcher_search::draw(place.into(), current, section.get_value(), asked).await.is_err() {
                asked.set_value(false);
            }
        });
    };
    erased(view! {
        <div class="menu from-start" id="tenant-menu" popover="auto" on:toggle=open>
            <div node_ref=place>{children()}</div>
            <hr />
            <a class="menu-item" href=address::HOME>{Icon::Tenant.view()}"All tenants"</a>
        </div>
    })
}
