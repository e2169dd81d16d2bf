//! Toolbars that are one stop for the Tab key, and popovers that show on hover and focus.

use std::cell::Cell;
use std::time::Duration;

use leptos::prelude::*;
use leptos::wasm_bindgen::{JsCast as _, JsValue};
use web_sys::{Element, Event, HtmlElement, KeyboardEvent};

use super::around;
use crate::live::times::all;

/// How long a popover stays when the pointer has left, so that it can be reached (WCAG 2.2, success criterion 1.4.13).
const LINGER: Duration = Duration::from_millis(250);

thread_local! {
    static LEAVING: Cell<Option<TimeoutHandle>> = const { Cell::new(None) };
}

/// Leaves one button of each toolbar in the order of the Tab key.
pub fn prepare() {
    for toolbar in all("[data-roving]") {
        let buttons = buttons(&toolbar);
        let kept = buttons.iter().position(|button| button.get_attribute("tabindex").as_deref() == Some("0"));
        for (at, button) in buttons.iter().enumerate() {
            button.set_tab_index(if at == kept.unwrap_or(0) { 0 } else { -1 });
        }
    }
}

fn buttons(toolbar: &Element) -> Vec<HtmlElement> {
    let Ok(found) = toolbar.query_selector_all("button[data-tip]") else { return Vec::new() };
    (0..found.length()).filter_map(|at| found.item(at)).filter_map(|node| node.dyn_into().ok()).collect()
}

/// The arrow keys, Home and End move between the buttons.
pub fn key_pressed(key: &KeyboardEvent, element: &Element) {
    let Some(toolbar) = around(element, "[data-roving]").filter(|_| element.has_attribute("data-tip")) else { return };
    let buttons = buttons(&toolbar);
    let Some(at) = buttons.iter().position(|button| button.is_same_node(Some(element))) else { return };
    let top = buttons.first().map(HtmlElement::offset_top);
    let row = buttons.iter().filter(|button| Some(button.offset_top()) == top).count();
    let next = match key.key().as_str() {
        "ArrowRight" => Some(at + 1),
        "ArrowLeft" => at.checked_sub(1),
        "ArrowDown" => Some(at + row),
        "ArrowUp" => at.checked_sub(row),
        "Home" => Some(0),
        "End" => buttons.len().checked_sub(1),
        _ => return,
    };
    key.prevent_default();
    if let Some(next) = next.and_then(|next| buttons.get(next)) {
        for button in &buttons {
            button.set_tab_index(if button.is_same_node(Some(next)) { 0 } else { -1 });
        }
        let _ = next.focus();
    }
}

/// The pointer or the focus comes to an element.
pub fn entered(event: &Event, element: Option<&Element>) {
    let Some(element) = element else { return };
    if around(element, "[popover]:popover-open").is_some() {
        stay();
        return;
    }
    // One popover closes the other: what a person opened stays while the pointer only passes on its way there.
    if document().query_selector("[popover]:popover-open:not(.tip)").ok().flatten().is_some() {
        return;
    }
    let Some(button) = around(element, "[data-tip]") else { return };
    let by_keys = button.matches(":focus-visible").unwrap_or(false);
    if event.type_() == "focusin" && !by_keys {
        return;
    }
    // A page that scrolls after the focus brings other buttons below a pointer that lies still: the one that the keys are at
    // keeps its popover, and the way back does not lead into that of another.
    if !by_keys && document().query_selector("[data-tip]:focus-visible").ok().flatten().is_some() {
        return;
    }
    let tip = button.get_attribute("popovertarget").and_then(|id| document().get_element_by_id(&id));
    let Some(tip) = tip else { return };
    stay();
    if tip.matches(":popover-open").unwrap_or(true) {
        return;
    }
    // The button is where it is shown, as if it had been pressed.
    let options = js_sys::Object::new();
    let _ = js_sys::Reflect::set(&options, &JsValue::from_str("source"), &button);
    if let Ok(show) = js_sys::Reflect::get(&tip, &JsValue::from_str("showPopover"))
        && let Some(show) = show.dyn_ref::<js_sys::Function>()
    {
        let _ = show.call1(&tip, &options);
    }
}

fn stay() {
    if let Some(timer) = LEAVING.take() {
        timer.clear();
    }
}

/// The pointer or the focus leaves an element.
pub fn left() {
    if document().query_selector(".tip:popover-open").ok().flatten().is_none() {
        return;
    }
    stay();
    let close = || {
        for tip in all(".tip:popover-open") {
            let kept = tip.matches(":hover, :focus-within").unwrap_or(false)
                || all("[data-tip]:hover, [data-tip]:focus-visible")
                    .iter()
                    .any(|button| button.get_attribute("popovertarget").as_deref() == Some(&tip.id()));
            if let Some(tip) = tip.dyn_ref::<HtmlElement>().filter(|_| !kept) {
                let _ = tip.hide_popover();
            }
        }
    };
    LEAVING.set(set_timeout_with_handle(close, LINGER).ok());
}
