//! Forms that filter a list send themselves, and the list changes in its place: focus and scroll stay where they are. A field
//! with suggestions is sent when one is taken, or when it is left.
//!
//! A choice is made by the pointer, by Enter, or by leaving the field; arrow keys on a closed `<select>` only move through
//! its values (WCAG 2.2, success criterion 3.2.2).

use std::cell::{Cell, RefCell};
use std::time::Duration;

use leptos::prelude::*;
use leptos::wasm_bindgen::{JsCast as _, JsValue};
use web_sys::{Element, Event, HtmlFormElement, HtmlInputElement, KeyboardEvent, MouseEvent, UrlSearchParams};

use super::around;
use crate::island::{asks_for_another_tab, go_to};
use crate::live::parts;

/// The forms that send themselves.
const AUTOMATIC: &str = "form[data-auto]";
/// How long nobody types before what was typed is searched for.
const PAUSE: Duration = Duration::from_millis(250);

thread_local! {
    /// Whether the value of a choice would be changed by a key that only moves through the values.
    static MOVES: Cell<bool> = const { Cell::new(false) };
    /// Whether a choice was moved to another value and not made yet.
    static MOVED: Cell<bool> = const { Cell::new(false) };
    static TYPING: Cell<Option<TimeoutHandle>> = const { Cell::new(None) };
    /// Counts what was asked for; only the newest answer is shown.
    static ASKED: Cell<u32> = const { Cell::new(0) };
    /// The address that was asked for last.
    static WANTED: RefCell<String> = const { RefCell::new(String::new()) };
}

pub fn pointer_pressed() {
    MOVES.set(false);
}

pub fn key_pressed(key: &KeyboardEvent, element: Option<&Element>) {
    let in_choice = element.is_some_and(|element| element.tag_name() == "SELECT");
    let makes = matches!(key.key().as_str(), "Enter" | " ");
    MOVES.set(in_choice && !makes);
    if key.key() == "Enter" && MOVED.get() && in_choice {
        make(element);
    }
}

pub fn changed(element: &Element) {
    if let Some(date) =
        element.dyn_ref::<HtmlInputElement>().filter(|date| date.matches("[type=date]").unwrap_or(false))
        && around(element, AUTOMATIC).is_some()
        && !date.value().is_empty()
    {
        make(Some(element));
        // From now on it stands among the choices.
        date.set_value("");
        return;
    }
    if element.matches("[list]:not([data-search])").unwrap_or(false) {
        make(Some(element));
        return;
    }
    if element.tag_name() != "SELECT" || around(element, AUTOMATIC).is_none() {
        return;
    }
    if MOVES.get() { MOVED.set(true) } else { make(Some(element)) }
}

/// The focus leaves an element.
pub fn left(element: &Element) {
    if MOVED.get() && element.tag_name() == "SELECT" {
        make(Some(element));
    }
}

pub fn typed(element: &Element) {
    let Some(form) = around(element, AUTOMATIC).filter(|_| element.has_attribute("data-search")) else { return };
    forget_typing();
    let later = set_timeout_with_handle(move || send(&form), PAUSE);
    TYPING.set(later.ok());
}

pub fn submitted(event: &Event) {
    let form = super::target(event).filter(|form| form.matches(AUTOMATIC).unwrap_or(false));
    if let Some(form) = form {
        event.prevent_default();
        send(&form);
    }
}

/// A link that stays on the list changes it in its place.
pub fn clicked(click: &MouseEvent, element: &Element) {
    let link = around(element, "a[data-stay]").filter(|_| !asks_for_another_tab(click) && click.button() == 0);
    if let Some(address) = link.and_then(|link| link.get_attribute("href")) {
        click.prevent_default();
        forget_typing();
        show(address);
    }
}

fn forget_typing() {
    if let Some(timer) = TYPING.take() {
        timer.clear();
    }
}

fn make(element: Option<&Element>) {
    MOVED.set(false);
    if let Some(form) = element.and_then(|element| around(element, AUTOMATIC)) {
        send(&form);
    }
}

fn send(form: &Element) {
    forget_typing();
    MOVED.set(false);
    if let Some(address) = form.dyn_ref::<HtmlFormElement>().and_then(address_of) {
        show(address);
    }
}

/// The address that a form with the method GET leads to, without the fields that are empty.
fn address_of(form: &HtmlFormElement) -> Option<String> {
    let parameters = UrlSearchParams::new().ok()?;
    let fields = form.query_selector_all("[name]").ok()?;
    for field in
        (0..fields.length()).filter_map(|at| fields.item(at)).filter_map(|node| node.dyn_into::<Element>().ok())
    {
        let value = js_sys::Reflect::get(&field, &JsValue::from_str("value")).ok()?.as_string().unwrap_or_default();
        if let Some(name) = field.get_attribute("name").filter(|_| !value.trim().is_empty()) {
            parameters.append(&name, value.trim());
        }
    }
    let (action, query) = (form.get_attribute("action")?, String::from(parameters.to_string()));
    Some(if query.is_empty() { action } else { format!("{action}?{query}") })
}

/// Shows the list of an address in the place of this one. Where the page has no such list, or it cannot be fetched, the
/// browser goes there.
fn show(address: String) {
    let list = document().query_selector("[data-part]").ok().flatten();
    if list.is_none() {
        go_to(&address);
        return;
    }
    if WANTED.with_borrow(|wanted| *wanted == address) {
        return;
    }
    WANTED.set(address.clone());
    ASKED.set(ASKED.get().wrapping_add(1));
    let asked = ASKED.get();
    leptos::task::spawn_local(async move {
        let shown = parts::show(&address, || ASKED.get() == asked).await;
        if ASKED.get() == asked {
            WANTED.set(String::new());
            if shown.is_err() {
                go_to(&address);
            }
        }
    });
}
