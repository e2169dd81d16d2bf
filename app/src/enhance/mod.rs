//! Progressive enhancement of the whole page, by delegation: nothing of it is needed to use the page.
//!
//! - `<time data-relative>` tells its distance from now, and the exact time on hover or tap; `<time data-exact>` is told in
//!   the zone of the person, or in UTC where a button marked `data-zone` says so.
//! - `/` goes to the search field, `?` opens the sheet of keys, Ctrl+K the palette.
//! - A form marked `data-auto` sends itself when a choice is made, and a link marked `data-stay` changes the list in its
//!   place.
//! - A toolbar marked `data-roving` is one stop for the Tab key, and a button marked `data-tip` shows its popover on hover
//!   and focus.
//! - A box marked `data-group` stands for all rows of its group. What is decided about rows in a form marked `data-decide` brings
//!   the page back with the focus where it was.
//! - A box marked `data-all` picks all boxes of the form that it names, or none, and tells whether all of them or some are
//!   picked. What is picked is counted in what is marked `data-picked`.
//! - `j` and `k` go through rows marked `data-row`, `o` and Enter open the object of one, `a` picks it and goes to the field marked
//!   `data-accept`, `u` presses the button marked `data-undo` for one that is `data-accepted`, else for what was accepted last, `c` and `r` pick it and go to the
//!   buttons marked `data-cancel` and `data-retry`.
//! - A part marked `data-live` that was kept while a person worked in it catches up when they leave it.

mod deciding;
mod filters;
mod keys;
pub(crate) mod picking;
mod rows;
pub(crate) mod strip;
mod zones;

use std::time::Duration;

use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast as _;
use leptos::wasm_bindgen::closure::Closure;
use web_sys::{Element, Event, KeyboardEvent, MouseEvent};

use crate::live::{parts, times};

/// Starts it. Called once per page, before the islands are hydrated.
pub fn start() {
    zones::prepare();
    times::tell(&document());
    let _ = set_interval_with_handle(|| times::tell(&document()), Duration::from_secs(30));
    strip::prepare();
    picking::count();
    deciding::restore();
    listen("keydown", |event| {
        let Some(key) = event.dyn_ref::<KeyboardEvent>() else { return };
        let element = target(event);
        filters::key_pressed(key, element.as_ref());
        if let Some(element) = &element {
            strip::key_pressed(key, element);
        }
        keys::key_pressed(key, element.as_ref());
    });
    listen("pointerdown", |_| filters::pointer_pressed());
    listen("change", |event| {
        if let Some(element) = target(event) {
            filters::changed(&element);
            picking::changed(&element);
        }
    });
    listen("input", |event| {
        if let Some(element) = target(event) {
            filters::typed(&element);
        }
    });
    listen("submit", |event| {
        filters::submitted(event);
        deciding::submitted(event);
    });
    listen("click", |event| {
        let (Some(click), Some(element)) = (event.dyn_ref::<MouseEvent>(), target(event)) else { return };
        filters::clicked(click, &element);
        keys::clicked(click, &element);
        zones::clicked(&element);
        times::tap(event);
    });
    for name in ["pointerover", "focusin"] {
        listen(name, |event| strip::entered(event, target(event).as_ref()));
    }
    listen("pointerout", |_| strip::left());
    listen("focusout", |event| {
        if let Some(element) = target(event) {
            filters::left(&element);
        }
        strip::left();
        parts::catch_up();
    });
    listen("toggle", |_| parts::catch_up());
    listen("selectionchange", |_| parts::selection_changed());
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

/// The element itself or the nearest one around it that fits.
fn around(element: &Element, selector: &str) -> Option<Element> {
    element.closest(selector).ok().flatten()
}
