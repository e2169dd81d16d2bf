//! Parts of the page that are fetched anew: what is marked `data-live` becomes what the server renders now.
//!
//! Only what differs is touched, so that focus, scroll, what was opened, what was marked and the islands within stay. What a
//! person is at work with (the focus, a selection of text, something opened) is left as it is until they leave it.

use std::cell::Cell;
use std::time::Duration;

use leptos::prelude::*;
use leptos::wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Document, DomParser, Headers, RequestInit, Response, SupportedType};

use super::patch::Patch;
use super::times::{self, all};
use crate::enhance::{picking, strip};

/// A request header by which a page says that nobody asked for what it fetches: such a request is no use of the session,
/// which ends for lack of use while the page stays open.
pub const BY_ITSELF: &str = "x-tenantatlas-by-itself";
/// How long a part of the page rests between two refreshes.
const REST: Duration = Duration::from_millis(900);
/// What a person would lose if the page were loaded again.
const AT_WORK: &str = "dialog[open], details[open], :popover-open, :is(input, select, textarea):focus";
/// What a list changes when another filter is chosen.
const OF_LIST: &str = "[data-part][id], [data-live][id]";

thread_local! {
    static REFRESHING: Cell<bool> = const { Cell::new(false) };
    static AGAIN: Cell<bool> = const { Cell::new(false) };
    /// Whether a part stayed as it was because a person was working in it.
    static BEHIND: Cell<bool> = const { Cell::new(false) };
}

/// A person may have left the part that was kept for them.
pub fn catch_up() {
    if BEHIND.replace(false) {
        refresh();
    }
}

/// The selection of text has changed: nothing may be marked any more in what was kept for it.
pub fn selection_changed() {
    if BEHIND.get() && window().get_selection().ok().flatten().is_none_or(|selection| selection.is_collapsed()) {
        catch_up();
    }
}

/// Fetches this page again and brings the parts marked `data-live` up to date. A page that no longer has one of them has
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

/// Whether this page is there no more for the person: it leads elsewhere, as to the sign-in page, or does not exist. Not so
/// while the server cannot be asked.
pub async fn is_page_gone() -> bool {
    let answer = async { response(&window().location().href()?, Some(by_itself()?)).await };
    answer.await.is_ok_and(|response| response.redirected() || response.status() == 404)
}

fn by_itself() -> Result<Headers, JsValue> {
    let headers = Headers::new()?;
    headers.set(BY_ITSELF, "1")?;
    Ok(headers)
}

async fn fetch_parts() -> Result<(), JsValue> {
    let address = window().location().href()?;
    let Some(fresh) = fetch_page(&address, Some(by_itself()?)).await? else { return Ok(()) };
    if window().location().href()? != address {
        // Another list was chosen meanwhile.
        AGAIN.set(true);
        return Ok(());
    }
    let gone = put(&fresh, "[data-live][id]", false);
    if gone {
        // Focus on the button that began it is no work; what was opened or is being filled in is.
        if document().query_selector(AT_WORK)?.is_none() {
            return window().location().reload();
        }
        BEHIND.set(true);
    }
    Ok(())
}

/// Shows the list of another address in the place of this one, unless something else is `wanted` when it has come.
///
/// # Errors
/// When there is no such page, or it has no such list: then the browser has to go there.
pub async fn show(address: &str, wanted: impl Fn() -> bool) -> Result<(), JsValue> {
    let fresh = fetch_page(address, None).await?.ok_or(JsValue::UNDEFINED)?;
    if !wanted() {
        return Ok(());
    }
    let focused = document().active_element().map(|element| element.id()).filter(|id| !id.is_empty());
    window().history()?.replace_state_with_url(&JsValue::NULL, "", Some(address))?;
    if put(&fresh, OF_LIST, true) {
        return Err(JsValue::UNDEFINED);
    }
    keep_focus(focused.as_deref());
    Ok(())
}

/// Whoever pressed something that is no longer there finds the focus on what took its place, or on the list.
fn keep_focus(focused: Option<&str>) {
    let lost = document().active_element().is_none_or(|element| element.tag_name() == "BODY");
    if !lost {
        return;
    }
    let place =
        focused.and_then(|id| document().get_element_by_id(id)).or_else(|| document().get_element_by_id("list"));
    if let Some(place) = place
        && let Ok(focus) = js_sys::Reflect::get(&place, &JsValue::from_str("focus"))
        && let Some(focus) = focus.dyn_ref::<js_sys::Function>()
    {
        let options = js_sys::Object::new();
        let _ = js_sys::Reflect::set(&options, &JsValue::from_str("preventScroll"), &JsValue::TRUE);
        let _ = focus.call1(&place, &options);
    }
}

async fn response(address: &str, headers: Option<Headers>) -> Result<Response, JsValue> {
    let request = RequestInit::new();
    if let Some(headers) = headers {
        request.set_headers(&headers);
    }
    Ok(JsFuture::from(window().fetch_with_str_and_init(address, &request)).await?.unchecked_into())
}

/// A page of this site as the server renders it now; none when it refuses or leads elsewhere.
async fn fetch_page(address: &str, headers: Option<Headers>) -> Result<Option<Document>, JsValue> {
    let response = response(address, headers).await?;
    if !response.ok() || response.redirected() {
        return Ok(None);
    }
    let text = JsFuture::from(response.text()?).await?.as_string().unwrap_or_default();
    let fresh = DomParser::new()?.parse_from_string(&text, SupportedType::TextHtml)?;
    times::tell(&fresh);
    Ok(Some(fresh))
}

/// Brings the parts of this page that a selector finds up to date; answers whether one of them is gone. What nobody asked
/// for (`asked`) leaves alone what a person is at work with.
fn put(fresh: &Document, selector: &str, asked: bool) -> bool {
    let mut gone = false;
    let patch = Patch::new(asked);
    let picked = picking::marked();
    for part in all(selector) {
        match fresh.get_element_by_id(&part.id()) {
            // What a list no longer shows at this place stays where it is, and says that it is of before.
            None if part.get_attribute("data-live").as_deref() == Some("stays") => {
                let _ = part.set_attribute("data-behind", "");
            }
            None => gone = true,
            Some(new) => patch.element(&part, &new),
        }
    }
    if patch.left_something() {
        BEHIND.set(true);
    }
    strip::prepare();
    picking::mark_again(&picked);
    times::tell(&document());
    gone
}
