//! A section of a page with its heading.

use crate::ui::drawn::Drawn as _;
use leptos::prelude::*;

/// A card that is named by its heading. `id` is unique on the page.
pub fn section_card(id: &'static str, title: &'static str, body: impl IntoView + 'static) -> AnyView {
    styled_section_card("card", id, title, body)
}

/// The same with classes of its own.
pub fn styled_section_card(
    class: &'static str,
    id: &'static str,
    title: &'static str,
    body: impl IntoView + 'static,
) -> AnyView {
    let (heading, label) = (format!("{id}-title"), format!("{id}-title"));
    view! {
        <section class=class aria-labelledby=label>
            <h2 id=heading>{title}</h2>
            {body.drawn()}
        </section>
    }
    .drawn()
}
