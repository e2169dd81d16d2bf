//! Times that are told from now: `<time data-relative>` says how long ago it was, and the exact time on hover.

use super::clock;
use crate::format;
use leptos::prelude::document;
use leptos::wasm_bindgen::JsCast as _;
use web_sys::{Document, Element};

/// Every element of the page that a selector finds.
pub(crate) fn all(selector: &str) -> Vec<Element> {
    all_in(&document(), selector)
}

/// Every element of a document that a selector finds.
pub(crate) fn all_in(document: &Document, selector: &str) -> Vec<Element> {
    let Ok(list) = document.query_selector_all(selector) else { return Vec::new() };
    (0..list.length()).filter_map(|index| list.item(index)).filter_map(|node| node.dyn_into().ok()).collect()
}

/// Writes every time of a document anew.
pub fn tell(document: &Document) {
    let now = clock::server_now();
    for element in all_in(document, "time[data-relative]") {
        let Some(millis) = element.get_attribute("data-relative").and_then(|text| text.parse().ok()) else { continue };
        if element.get_attribute("title").is_none() {
            let _ = element.set_attribute("title", &format::utc_seconds(millis));
        }
        let told = format::relative(millis, now);
        if element.text_content().as_deref() != Some(&told) {
            element.set_text_content(Some(&told));
        }
    }
}
