//! Parts of the page that are fetched anew: what is marked `data-live` is replaced by the same part of the page as the
//! server renders it now.

use super::times::{self, all};
use leptos::prelude::*;
use leptos::wasm_bindgen::{JsCast as _, JsValue};
use std::cell::Cell;
use std::time::Duration;
use wasm_bindgen_futures::JsFuture;
use web_sys::{DomParser, Headers, RequestInit, SupportedType};

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

/// A person may have left the part that was kept for them.
pub fn catch_up() {
    if BEHIND.replace(false) {
        refresh();
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

async fn fetch_page() -> Result<web_sys::Response, JsValue> {
    let address = window().location().href()?;
    let (request, headers) = (RequestInit::new(), Headers::new()?);
    headers.set(BY_ITSELF, "1")?;
    request.set_headers(&headers);
    let response = JsFuture::from(window().fetch_with_str_and_init(&address, &request)).await?;
    Ok(response.unchecked_into())
}

/// Whether this page is there no more for the person: it leads elsewhere, as to the sign-in page, or does not exist. Not so
/// while the server cannot be asked.
pub async fn is_page_gone() -> bool {
    fetch_page().await.is_ok_and(|response| response.redirected() || response.status() == 404)
}

async fn fetch_parts() -> Result<(), JsValue> {
    let response = fetch_page().await?;
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
            // What a list no longer shows at this place stays where it is, and says that it is of before.
            None if part.get_attribute("data-live").as_deref() == Some("stays") => {
                part.set_attribute("data-behind", "")?;
            }
            None => gone = true,
            Some(new) if part.is_equal_node(Some(&new)) => {}
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
    times::tell();
    Ok(())
}
