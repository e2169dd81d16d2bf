//! The sheet of keys.

use leptos::prelude::*;
use wasm_split_helpers::{SplitLoaderError, wasm_split};

use crate::address;
use crate::island::{close_on_backdrop, draw_dialog};
use crate::ui::icon::Icon;

/// Every key, and what it does.
const KEYS: [(&str, &str); 12] = [
    ("Ctrl K", "Go to a tenant, type, group, item, page or action (⌘ K on a Mac)"),
    ("/", "Search in the list of the page"),
    ("?", "Show this sheet"),
    ("Esc", "Close what is open"),
    ("Enter", "In a filter: apply it. In the palette: go there"),
    ("← → ↑ ↓", "Move between the cells of the coverage, the results of the palette, or the values of a choice"),
    ("Home, End", "First and last cell of the coverage"),
    ("j, k", "Next and previous finding or run"),
    ("o, Enter", "Open the object of the finding, or the run"),
    ("a, u", "Accept the finding, or take that back"),
    ("c, r", "Pick the run and go to Cancel or Retry"),
    ("Space", "Mark the item, or the type in the picker"),
];

/// The keys as a list of terms.
pub fn key_list() -> impl IntoView + use<> {
    let rows = KEYS.map(|(key, words)| view! { <dt><kbd>{key}</kbd></dt><dd>{words}</dd> }).into_iter();
    view! { <dl class="facts keys">{rows.collect::<Vec<_>>()}</dl> }
}

/// Draws the sheet; what it returns opens it.
///
/// # Errors
/// When this part of the program cannot be loaded.
#[wasm_split(palette, fallible)]
pub fn draw() -> Result<Callback<()>, SplitLoaderError> {
    Ok(draw_dialog(sheet))
}

fn sheet() -> (impl IntoView + use<>, Callback<()>) {
    let dialog = NodeRef::<leptos::html::Dialog>::new();
    let open = Callback::new(move |()| {
        if let Some(dialog) = dialog.get_untracked() {
            let _ = dialog.show_modal();
        }
    });
    let close = move |_| {
        if let Some(dialog) = dialog.get_untracked() {
            dialog.close();
        }
    };
    let view = view! {
        <dialog
            node_ref=dialog
            class="key-sheet"
            aria-labelledby="keys-title"
            on:click=move |event| if let Some(dialog) = dialog.get_untracked() { close_on_backdrop(&event, &dialog) }
        >
            <div class="dialog-head">
                <h2 id="keys-title">"Keys"</h2>
                <button class="icon-button" type="button" aria-label="Close" on:click=close>{Icon::Close.view()}</button>
            </div>
            <div class="dialog-body">{key_list()}</div>
            <div class="dialog-foot">
                <a href=address::HELP>"Help"</a>
                <a href=address::ACCOUNT>"Switch single keys off in your profile"</a>
            </div>
        </dialog>
    };
    (view, open)
}
