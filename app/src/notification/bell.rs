//! The bell.
#![allow(missing_docs, reason = "the island macro makes property types whose documentation is the property's")]

use leptos::prelude::*;
use tenantatlas_domain::ids::TenantId;

use super::drawer;
use crate::address;
use crate::island::{DialogOnDemand, asks_for_another_tab, erased};
use crate::live::stream;
use crate::ui::icon::Icon;

/// A link to the notifications page that opens them in a drawer once WebAssembly is there. The count is live.
#[island]
pub fn Bell(
    /// The tenant of the page.
    tenant: Option<TenantId>,
    /// Unread notifications when the page was made.
    unread: u64,
) -> impl IntoView {
    let unread = RwSignal::new(unread);
    Effect::new(move |_| {
        if let Some(count) = stream::live().unread.get() {
            unread.set(count);
        }
    });
    let href = StoredValue::new(address::notifications(tenant));
    let dialog = DialogOnDemand::new();
    let open = move |event: leptos::ev::MouseEvent| {
        if asks_for_another_tab(&event) {
            return;
        }
        event.prevent_default();
        href.with_value(|href| dialog.open(|| Box::pin(drawer::draw(tenant, unread)), href));
    };
    erased(view! {
        <a
            class="icon-button"
            href=href.get_value()
            aria-label=move || match unread.get() {
                0 => "Notifications".to_owned(),
                count => format!("Notifications, {count} unread"),
            }
            on:click=open
        >
            {Icon::Bell.view()}
            <span class="count-badge" aria-hidden="true" hidden=move || unread.get() == 0>
                {move || match unread.get() { 100.. => "99+".to_owned(), count => count.to_string() }}
            </span>
        </a>
    })
}
