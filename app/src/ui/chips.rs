//! The filters that are in force, each with what takes it away.

use crate::ui::drawn::Drawn as _;
use leptos::prelude::*;

use super::icon::Icon;

/// A chip for each filter that is set: its words, and the address of the list without it. `base` is the address of the list
/// without any. Nothing where none is set.
pub fn chip_list(base: &str, entries: impl IntoIterator<Item = (Option<String>, String)>) -> Option<AnyView> {
    let chips: Vec<AnyView> = entries.into_iter().filter_map(|(words, href)| Some(chip(words?, href))).collect();
    (!chips.is_empty()).then(|| {
        view! {
            <ul class="chips" aria-label="Filters in force">
                {chips}
                <li><a class="button quiet small" href=base.to_owned() data-stay="">"Clear"</a></li>
            </ul>
        }
        .drawn()
    })
}

fn chip(words: String, href: String) -> AnyView {
    let label = format!("Remove the filter {words}");
    view! {
        <li><a class="chip" href=href data-stay="" aria-label=label><span>{words}</span>{Icon::Close.view()}</a></li>
    }
    .drawn()
}
