//! The parts that the browser takes over.

use leptos::prelude::*;

/// Probe.
#[island]
pub fn Probe(label: String) -> impl IntoView {
    let count = RwSignal::new(0);
    view! { <button on:click=move |_| count.update(|n| *n += 1)>{label} " " {count}</button> }
}
