//! Times as the person at the browser reads them. `<time data-relative>` says how long ago it was, and the exact time on
//! hover or, where there is no hover, when it is tapped; `<time data-exact>` is told in the person's own zone. The server
//! writes UTC, and says so.

use leptos::prelude::document;
use leptos::wasm_bindgen::JsCast as _;
use web_sys::{Document, Element, Event};

use super::clock;
use crate::{format, zone};

/// The attribute of a relative time that was tapped: it tells the exact time.
const TAPPED: &str = "data-tapped";

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
        let Some(millis) = millis_of(&element, "data-relative") else { continue };
        let exact = local(millis);
        let tapped = element.has_attribute(TAPPED);
        write(&element, &if tapped { exact.clone() } else { format::relative(millis, now) });
        title(&element, &with_utc(&exact, millis));
    }
    for element in all_in(document, "time[data-exact]") {
        let Some(millis) = millis_of(&element, "data-exact") else { continue };
        write(&element, &local(millis));
        title(&element, &format::utc_seconds(millis));
    }
}

/// A relative time that is tapped tells the exact one, and back. Times within what can be pressed are left to that.
pub fn tap(event: &Event) {
    let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
    let Some(time) = target.and_then(|target| target.closest("time[data-relative]").ok().flatten()) else { return };
    if time.closest("a, button, summary, label").ok().flatten().is_none() {
        let _ = time.toggle_attribute(TAPPED);
        tell(&document());
    }
}

fn millis_of(element: &Element, attribute: &str) -> Option<i64> {
    element.get_attribute(attribute)?.parse().ok()
}

fn write(element: &Element, told: &str) {
    if element.text_content().as_deref() != Some(told) {
        element.set_text_content(Some(told));
    }
}

fn title(element: &Element, told: &str) {
    if element.get_attribute("title").as_deref() != Some(told) {
        let _ = element.set_attribute("title", told);
    }
}

/// `2026-11-20 23:13:05 (UTC+1)`; in the zone UTC as the server writes it.
fn local(millis: i64) -> String {
    format::in_zone(millis, zone::ahead_of_utc(millis) / 60_000)
}

fn with_utc(exact: &str, millis: i64) -> String {
    let utc = format::utc_seconds(millis);
    if exact == utc { utc } else { format!("{exact}, {utc}") }
}
