//! The keys that work anywhere. Those without a modifier do nothing while somebody types or a dialog is open, and can be
//! switched off in the profile (WCAG 2.2, success criterion 2.1.4).

use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast as _;
use web_sys::{Element, HtmlInputElement, KeyboardEvent, MouseEvent};

use super::{around, deciding, rows};
use crate::address;
use crate::island::{DialogOnDemand, asks_for_another_tab};
use crate::palette::{dialog, sheet};

thread_local! {
    static PALETTE: DialogOnDemand = on_demand();
    static SHEET: DialogOnDemand = on_demand();
}

/// A dialog that lives as long as the page.
fn on_demand() -> DialogOnDemand {
    let owner = Owner::new();
    let dialog = owner.with(DialogOnDemand::new);
    std::mem::forget(owner);
    dialog
}

/// Where keys are letters. A box that is picked takes none but the space.
const TYPED_INTO: &str = "input:not([type='checkbox'], [type='radio']), select, textarea, [contenteditable]";

pub fn key_pressed(key: &KeyboardEvent, element: Option<&Element>) {
    let modal = document().query_selector("dialog:modal").ok().flatten().is_some();
    let command = key.ctrl_key() || key.meta_key();
    if command && !key.alt_key() && !key.shift_key() && key.key().eq_ignore_ascii_case("k") {
        if !modal {
            key.prevent_default();
            open_palette();
        }
        return;
    }
    if key.key() == "Escape" && !modal && element.is_some_and(deciding::escaped) {
        return;
    }
    let typing = element.is_some_and(|at| at.matches(TYPED_INTO).unwrap_or(false));
    let off = document().query_selector("[data-single-keys]").ok().flatten().is_none();
    if typing || modal || off || command || key.alt_key() {
        return;
    }
    match key.key().as_str() {
        "/" => focus_search(key),
        "?" => {
            key.prevent_default();
            open_sheet();
        }
        _ => rows::key_pressed(key),
    }
}

/// A press on what opens the palette or the sheet of keys.
pub fn clicked(click: &MouseEvent, element: &Element) {
    if around(element, "[data-palette]").is_some() {
        open_palette();
    } else if around(element, "a[data-keys]").is_some() && !asks_for_another_tab(click) {
        click.prevent_default();
        open_sheet();
    }
}

fn open_palette() {
    PALETTE.with(|palette| palette.open(|| Box::pin(dialog::draw()), address::HELP));
}

fn open_sheet() {
    SHEET.with(|sheet| sheet.open(|| Box::pin(sheet::draw()), address::HELP));
}

fn focus_search(key: &KeyboardEvent) {
    if let Some(field) = document().query_selector("[data-search]").ok().flatten() {
        key.prevent_default();
        if let Ok(field) = field.dyn_into::<HtmlInputElement>() {
            let _ = field.focus();
            field.select();
        }
    }
}
