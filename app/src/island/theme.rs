//! Light, dark, or as the system.

use leptos::prelude::*;

/// Where the choice is kept in this browser.
#[cfg(feature = "hydrate")]
const STORAGE_KEY: &str = "tenantatlas.theme";

/// Three buttons; the choice is kept in this browser. Without WebAssembly the page follows the system.
#[island]
pub fn ThemeSwitch() -> impl IntoView {
    let chosen = RwSignal::new(String::new());
    Effect::new(move || {
        if let Some(kept) = kept_theme() {
            apply(&kept);
            chosen.set(kept);
        }
    });
    let button = move |value: &'static str, label: &'static str| {
        view! {
            <button
                type="button"
                aria-pressed=move || if chosen.get() == value { "true" } else { "false" }
                on:click=move |_| {
                    chosen.set(value.to_owned());
                    keep_theme(value);
                    apply(value);
                }
            >
                {label}
            </button>
        }
    };
    view! {
        <div class="segments" role="group" aria-label="Colours">
            {button("", "System")}
            {button("light", "Light")}
            {button("dark", "Dark")}
        </div>
    }
}

#[cfg(feature = "hydrate")]
fn storage() -> Option<web_sys::Storage> {
    window().local_storage().ok().flatten()
}

#[cfg(feature = "hydrate")]
fn kept_theme() -> Option<String> {
    storage()?.get_item(STORAGE_KEY).ok().flatten()
}

#[cfg(feature = "hydrate")]
fn keep_theme(value: &str) {
    // A browser that keeps nothing still shows the choice on this page.
    let _ = storage().map(|storage| storage.set_item(STORAGE_KEY, value));
}

#[cfg(feature = "hydrate")]
fn apply(value: &str) {
    if let Some(root) = document().document_element() {
        let _ = root.set_attribute("data-theme", value);
    }
}

#[cfg(not(feature = "hydrate"))]
fn kept_theme() -> Option<String> {
    None
}

#[cfg(not(feature = "hydrate"))]
fn keep_theme(_: &str) {}

#[cfg(not(feature = "hydrate"))]
fn apply(_: &str) {}
