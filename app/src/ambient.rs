//! Small comforts for the whole page, by delegation: nothing of them is needed to use it.
//!
//! - `<time data-relative>` tells its distance from now, and the exact time on hover.
//! - `/` goes to the search field.
//! - A form marked `data-auto` submits itself when a choice changes.
//! - A part marked `data-live` is fetched anew when a run or the unread count moves.

use crate::{format, live};
use leptos::prelude::*;
use leptos::wasm_bindgen::{JsCast as _, JsValue, closure::Closure};
use std::cell::Cell;
use std::time::Duration;
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    DomParser, Element, Event, Headers, HtmlElement, HtmlFormElement, HtmlInputElement, KeyboardEvent, RequestInit,
    SupportedType,
};

/// A request header by which a page says that nobody asked for what it fetches: such a request is no use of the session,
/// which ends for lack of use while the page stays open.
pub const BY_ITSELF: &str = "x-tenantatlas-by-itself";
/// How long a part of the page rests between two refreshes.
const REST: Duration = Duration::from_millis(900);
/// What a person would lose if the page were loaded again.
const AT_WORK: &str = "dialog[open], details[open], :popover-open, :is(input, select, textarea):focus";

thread_local! {
    static REFRESHING: Cell<bool> = const { Cell::new(false) };
    static AGAIN: Cell<bool> = const { Cell::new(false) };
    /// Whether a part stayed as it was because a person was working in it.
    static BEHIND: Cell<bool> = const { Cell::new(false) };
}

/// Starts the comforts. Called once per page, before the islands wake.
pub fn start() {
    tell_times();
    let _ = set_interval_with_handle(tell_times, Duration::from_secs(30));
    listen("keydown", |event| {
        if let Some(key) = event.dyn_ref::<KeyboardEvent>() {
            focus_search(key);
        }
    });
    listen("change", |event| {
        let form = target(event).and_then(|element| element.closest("form[data-auto]").ok().flatten());
        if let Some(form) = form.and_then(|form| form.dyn_into::<HtmlFormElement>().ok()) {
            let _ = form.request_submit();
        }
    });
    listen("focusout", catch_up);
    listen("toggle", catch_up);
}

/// Listens in the capture phase: some events do not bubble.
fn listen(name: &str, handler: fn(&Event)) {
    let closure = Closure::<dyn FnMut(Event)>::new(move |event| handler(&event));
    let _ = document().add_event_listener_with_callback_and_bool(name, closure.as_ref().unchecked_ref(), true);
    closure.forget();
}

/// A person may have left the part that was kept for them.
fn catch_up(_: &Event) {
    if BEHIND.replace(false) {
        refresh();
    }
}

fn target(event: &Event) -> Option<Element> {
    event.target().and_then(|target| target.dyn_into::<Element>().ok())
}

fn all(selector: &str) -> Vec<Element> {
    let Ok(list) = document().query_selector_all(selector) else { return Vec::new() };
    (0..list.length()).filter_map(|index| list.item(index)).filter_map(|node| node.dyn_into().ok()).collect()
}

fn tell_times() {
    let now = live::server_now();
    for element in all("time[data-relative]") {
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

/// Fetches this page again and puts the parts marked `data-live` in place. A page that no longer has one of them has
/// become another one and is loaded whole. At most one fetch at a time and one per [`REST`]; a wish in between is kept.
pub fn refresh() {
    if document().query_selector("[data-live]").ok().flatten().is_none() {
        return;
    }
    if REFRESHING.replace(true) {
        AGAIN.set(true);
        return;
    }
    leptos::task::spawn_local(async {
        let _ = fetch_parts().await;
        let _ = set_timeout_with_handle(
            || {
                REFRESHING.set(false);
                if AGAIN.replace(false) {
                    refresh();
                }
            },
            REST,
        );
    });
}

async fn fetch_parts() -> Result<(), JsValue> {
    let address = window().location().href()?;
    let (request, headers) = (RequestInit::new(), Headers::new()?);
    headers.set(BY_ITSELF, "1")?;
    request.set_headers(&headers);
    let response = JsFuture::from(window().fetch_with_str_and_init(&address, &request)).await?;
    let response: web_sys::Response = response.unchecked_into();
    if !response.ok() || response.redirected() {
        return Ok(());
    }
    let text = JsFuture::from(response.text()?).await?.as_string().unwrap_or_default();
    let fresh = DomParser::new()?.parse_from_string(&text, SupportedType::TextHtml)?;
    let mut gone = false;
    for part in all("[data-live][id]") {
        // A part that a person is working in stays as it is until they leave it.
        let busy = document().active_element().is_some_and(|active| part.contains(Some(&active)));
        let opened = part.query_selector("details[open], dialog[open]")?.is_some();
        match fresh.get_element_by_id(&part.id()) {
            None => gone = true,
            Some(_) if busy || opened => BEHIND.set(true),
            Some(new) => part.replace_with_with_node_1(&new)?,
        }
    }
    if gone {
        // Focus on the button that began it is no work; what was opened or is being filled in is.
        if document().query_selector(AT_WORK)?.is_none() {
            return window().location().reload();
        }
        BEHIND.set(true);
    }
    tell_times();
    Ok(())
}

/// Gives focus to the element with an id.
pub fn focus(id: &str) {
    if let Some(element) = document().get_element_by_id(id).and_then(|element| element.dyn_into::<HtmlElement>().ok()) {
        let _ = element.focus();
    }
}
