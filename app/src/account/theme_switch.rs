//! Light, dark, or as the system.
#![allow(missing_docs, reason = "the island macro makes property types whose documentation is the property's")]

use leptos::prelude::*;

use super::functions::{SetTheme, set_theme};
use crate::address;
use crate::island::erased;
use crate::ui::icon::Icon;

/// Three buttons in a form. With WebAssembly the colours change at once; the choice is kept in a cookie either way.
#[island]
pub fn ThemeSwitch(
    /// `light`, `dark` or empty for the system's.
    theme: String,
) -> impl IntoView {
    let chosen = RwSignal::new(theme);
    let button = move |value: &'static str, label: &'static str, icon: Icon| {
        let press = move |event: leptos::ev::MouseEvent| {
            event.prevent_default();
            chosen.set(value.to_owned());
            if let Some(root) = document().document_element() {
                let _ = root.set_attribute("data-theme", value);
            }
            leptos::task::spawn_local(async move {
                let _ = set_theme(value.to_owned()).await;
            });
        };
        view! {
            <button
                name="theme"
                value=value
                aria-pressed=move || if chosen.get() == value { "true" } else { "false" }
                on:click=press
            >
                {icon.view()}
                {label}
            </button>
        }
    };
    let action = address::function::<SetTheme>();
    erased(view! {
        <form method="post" action=action class="segments" aria-label="Theme">
            {button("", "System", Icon::Half)}
            {button("light", "Light", Icon::Sun)}
            {button("dark", "Dark", Icon::Moon)}
        </form>
    })
}
