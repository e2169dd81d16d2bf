//! The button that opens the type picker.
#![allow(missing_docs, reason = "the island macro makes property types whose documentation is the property's")]

use leptos::prelude::*;
use tenantatlas_domain::ids::TenantId;

use super::dialog;
use crate::address;
use crate::island::{DialogOnDemand, Part, asks_for_another_tab, erased};
use crate::ui::icon::Icon;

/// A link to the sync page that opens the picker over the page once WebAssembly is there. The picker, and the part of
/// the program that draws it, are fetched when the pointer comes near.
#[island]
pub fn SyncButton(
    /// The tenant.
    tenant: TenantId,
    /// The words on it.
    label: String,
) -> impl IntoView {
    let href = StoredValue::new(address::tenant(tenant).sync());
    let picker = DialogOnDemand::new();
    let part = move || -> Part { Box::pin(dialog::draw(tenant)) };
    let prepare = move || href.with_value(|href| picker.prepare(part, href));
    let open = move |event: leptos::ev::MouseEvent| {
        if asks_for_another_tab(&event) {
            return;
        }
        event.prevent_default();
        href.with_value(|href| picker.open(part, href));
    };
    erased(view! {
        <a class="button primary" href=href.get_value() on:click=open on:pointerenter=move |_| prepare() on:focus=move |_| prepare()>
            {Icon::Turning.view()}
            {label}
        </a>
    })
}
