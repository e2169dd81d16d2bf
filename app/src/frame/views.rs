//! The views that a person saved, in the navigation of a tenant.

use leptos::prelude::*;
use tenantatlas_store::saved_views::SavedView;

use crate::address::TenantAddress;
use crate::filter::inventory::InventoryFilter;
use crate::filter::{ListFilter as _, read_query};
use crate::ui::drawn::Drawn as _;
use crate::ui::icon::Icon;

/// Views that are shown; the page of the inventory has all of them.
const SHOWN: usize = 5;

/// A link for each of the first few, and one to the rest. `here` is what the address of the list of items says, where that
/// is the page. On a desk they stand below the pages of the tenant; elsewhere a button opens them.
pub fn saved_views(at: &TenantAddress, all: &[SavedView], here: Option<&str>) -> Option<AnyView> {
    if all.is_empty() {
        return None;
    }
    let is_here = |view: &SavedView| Some(view.query.as_str()) == here;
    // The one that is open is among them.
    let open = all.iter().skip(SHOWN).find(|view| is_here(view));
    let first = all.iter().take(SHOWN - usize::from(open.is_some()));
    let links = first.chain(open).map(|view| {
        let href = read_query::<InventoryFilter>(&view.query).address(&at.inventory());
        let current = is_here(view).then_some("true");
        view! { <a class="menu-item" href=href aria-current=current>{Icon::Star.view()}<span class="grow">{view.name.clone()}</span></a> }
    });
    let rest = (all.len() > SHOWN).then(|| {
        let words = format!("All {} views", all.len());
        view! { <a class="menu-item" href=format!("{}#saved-views", at.inventory())>{words}</a> }
    });
    // What the list changes in its place tells which one is open.
    let part = here.map(|_| "");
    Some(
        view! {
            <button class="open-views" type="button" popovertarget="side-views">{Icon::Star.view()}<span>"Views"</span></button>
            <div class="menu views" id="side-views" popover="auto" role="group" aria-labelledby="side-views-title" data-part=part>
                <p class="menu-head" id="side-views-title">"Saved views"</p>
                {links.collect_view()}
                {rest}
            </div>
        }
        .drawn(),
    )
}
