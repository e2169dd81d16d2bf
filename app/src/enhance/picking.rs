//! Boxes of rows that are picked, and ids that are copied.

use leptos::prelude::*;
use leptos::wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Element, HtmlInputElement};

use super::around;
use crate::format;
use crate::live::times::all;

const BOXES: &str = "input[name=\"items[]\"]";

fn boxes() -> Vec<HtmlInputElement> {
    all(BOXES).into_iter().filter_map(|element| element.dyn_into().ok()).collect()
}

pub fn changed(element: &Element) {
    let Some(changed) = element.dyn_ref::<HtmlInputElement>() else { return };
    if changed.has_attribute("data-pick-all") {
        for one in boxes() {
            one.set_checked(changed.checked());
        }
    } else if !changed.matches(BOXES).unwrap_or(false) {
        return;
    }
    count();
}

/// Says how many are picked, wherever that is said.
pub fn count() {
    let boxes = boxes();
    let picked = boxes.iter().filter(|one| one.checked()).count();
    let words = format::counted(picked as u64, "item", "items");
    for place in all("[data-picked]") {
        let (begin, end) = (place.get_attribute("data-picked"), place.get_attribute("data-picked-end"));
        let text = format!("{}{words}{}", begin.unwrap_or_default(), end.unwrap_or_default());
        if place.text_content().as_deref() != Some(&text) {
            place.set_text_content(Some(&text));
        }
    }
    for every in all("[data-pick-all]").iter().filter_map(|every| every.dyn_ref::<HtmlInputElement>()) {
        every.set_checked(picked > 0 && picked == boxes.len());
        every.set_indeterminate(picked > 0 && picked < boxes.len());
    }
}

/// A box that stands for all boxes of a form was marked, or not any more.
pub fn pick_all_of_form(element: &Element) {
    let (Some(form), Some(every)) = (element.get_attribute("data-all"), element.dyn_ref::<HtmlInputElement>()) else {
        return;
    };
    for one in all(&format!("input[type=checkbox][form='{form}']")) {
        if let Ok(one) = one.dyn_into::<HtmlInputElement>() {
            one.set_checked(every.checked());
        }
    }
}

/// A press on what copies an id. Where the browser gives no clipboard (a page that came over plain HTTP from another
/// machine) the id is selected instead.
pub fn clicked(element: &Element) {
    let Some(button) = around(element, "[data-copy-id]") else { return };
    let text = button.get_attribute("data-copy-id").unwrap_or_default();
    leptos::task::spawn_local(async move {
        let copied = write(&text).await.is_ok();
        if !copied && let Some(id) = button.previous_element_sibling() {
            let _ = window().get_selection().map(|selection| selection.map(|all| all.select_all_children(&id)));
        }
        if let Some(place) = document().get_element_by_id("said") {
            place.set_text_content(Some(if copied { "The ID is copied." } else { "The ID is selected: copy it now." }));
        }
        let _ = button.set_attribute("data-copied", if copied { "yes" } else { "no" });
    });
}

async fn write(text: &str) -> Result<(), JsValue> {
    let get = |from: &JsValue, name: &str| js_sys::Reflect::get(from, &JsValue::from_str(name));
    let clipboard = get(&get(&window(), "navigator")?, "clipboard")?;
    if clipboard.is_undefined() {
        return Err(JsValue::UNDEFINED);
    }
    let write: js_sys::Function = get(&clipboard, "writeText")?.dyn_into()?;
    let promise: js_sys::Promise = write.call1(&clipboard, &JsValue::from_str(text))?.dyn_into()?;
    JsFuture::from(promise).await.map(|_| ())
}
