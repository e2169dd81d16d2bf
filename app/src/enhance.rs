//! Progressive enhancement of the whole page, by delegation: nothing of it is needed to use the page.
//!
//! - `<time data-relative>` tells its distance from now, and the exact time on hover.
//! - `/` goes to the search field.
//! - A form marked `data-auto` submits itself when a choice changes.
//! - A box marked `data-all` picks all boxes of the form that it names, or none.
//! - A part marked `data-live` that was kept while a person worked in it catches up when they leave it.

use crate::live::{parts, times};
use leptos::prelude::*;
use leptos::wasm_bindgen::{JsCast as _, closure::Closure};
use std::time::Duration;
use web_sys::{Element, Event, HtmlFormElement, HtmlInputElement, KeyboardEvent};

/// Starts it. Called once per page, before the islands wake.
pub fn start() {
    times::tell();
    let _ = set_interval_with_handle(times::tell, Duration::from_secs(30));
    listen("keydown", |event| {
        if let Some(key) = event.dyn_ref::<KeyboardEvent>() {
            focus_search(key);
        }
    });
    listen("change", |event| {
        pick_all(event);
        let form = target(event).and_then(|element| element.closest("form[data-auto]").ok().flatten());
        if let Some(form) = form.and_then(|form| form.dyn_into::<HtmlFormElement>().ok()) {
            let _ = form.request_submit();
        }
    });
    listen("focusout", |_| parts::catch_up());
    listen("toggle", |_| parts::catch_up());
}

/// Listens in the capture phase: some events do not bubble.
fn listen(name: &str, handler: fn(&Event)) {
    let closure = Closure::<dyn FnMut(Event)>::new(move |event| handler(&event));
    let _ = document().add_event_listener_with_callback_and_bool(name, closure.as_ref().unchecked_ref(), true);
    closure.forget();
}

fn target(event: &Event) -> Option<Element> {
    event.target().and_then(|target| target.dyn_into::<Element>().ok())
}

fn pick_all(event: &Event) {
    let all = target(event).and_then(|element| element.dyn_into::<HtmlInputElement>().ok());
    let Some((all, form)) = all.and_then(|all| all.get_attribute("data-all").map(|form| (all, form))) else { return };
    for one in times::all(&format!("input[type=checkbox][form='{form}']")) {
        if let Ok(one) = one.dyn_into::<HtmlInputElement>() {
            one.set_checked(all.checked());
        }
    }
}

fn focus_search(key: &KeyboardEvent) {
    if key.key() != "/" || key.ctrl_key() || key.meta_key() || key.alt_key() {
        return;
    }
    let typing = target(key)
        .is_some_and(|element| element.matches("input, select, textarea, [contenteditable]").unwrap_or(false));
    let modal = document().query_selector("dialog:modal").ok().flatten();
    if typing || modal.is_some() {
        return;
    }
    if let Some(field) = document().query_selector("[data-search]").ok().flatten() {
        key.prevent_default();
        if let Ok(field) = field.dyn_into::<HtmlInputElement>() {
            let _ = field.focus();
            field.select();
        }
    }
}
