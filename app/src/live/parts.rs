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
/// A form of the page that is being sent: its answer leads somewhere, and what it was about may be gone before that.
const BEING_SENT: &str = "form[aria-busy]";
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

fn is_there(selector: &str) -> bool {
    document().query_selector(selector).ok().flatten().is_some()
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

/// What becomes of a page that was asked for anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// Its parts are shown.
    Show,
    /// Nothing: the server could not answer, or refused for a while.
    Keep,
    /// It is loaded whole, which says that it is there no more, or leads to where one signs in.
    Load,
    /// The same, when the person has left what they are at work with.
    LoadLater,
}

/// `leads_away` says that the answer is of another address; `busy` that somebody would lose something.
const fn step(status: u16, leads_away: bool, busy: bool) -> Step {
    match (leads_away || status == 404, busy) {
        (true, true) => Step::LoadLater,
        (true, false) => Step::Load,
        (false, _) if status >= 200 && status < 300 => Step::Show,
        (false, _) => Step::Keep,
    }
}

/// The page comes back from the cache of the browser as it was left: what was being sent then is not any more.
pub fn came_back() {
    for form in all(BEING_SENT) {
        let _ = form.remove_attribute("aria-busy");
    }
}

/// Fetches this page again and brings the parts marked `data-live` up to date. A page that no longer has one of them has
/// become another one and is loaded whole. Nothing is fetched while a form of the page
/// is being sent. At most one fetch at a time and one per [`REST`]; a wish in between is kept.
pub fn refresh() {
    if !is_there("[data-live]") {
        return;
    }
    if is_there(BEING_SENT) {
        BEHIND.set(true);
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
/// while the server cannot be asked, nor while a form is being sent, which leads away by itself.
pub async fn is_page_gone() -> bool {
    if is_there(BEING_SENT) {
        return false;
    }
    let answer = async { response(&window().location().href()?, Some(by_itself()?)).await };
    answer
        .await
        .is_ok_and(|response| step(response.status(), response.redirected(), is_there(BEING_SENT)) == Step::Load)
}

fn by_itself() -> Result<Headers, JsValue> {
    let headers = Headers::new()?;
    headers.set(BY_ITSELF, "1")?;
    Ok(headers)
}

async fn fetch_parts() -> Result<(), JsValue> {
    let address = window().location().href()?;
    let response = response(&address, Some(by_itself()?)).await?;
    if is_there(BEING_SENT) {
        // It began meanwhile.
        BEHIND.set(true);
        return Ok(());
    }
    match step(response.status(), response.redirected(), is_there(AT_WORK)) {
        Step::Show => {}
        Step::Keep => return Ok(()),
        Step::Load => return window().location().reload(),
        Step::LoadLater => {
            BEHIND.set(true);
            return Ok(());
        }
    }
    let fresh = page_of(&response).await?;
    if window().location().href()? != address {
        // Another list was chosen meanwhile.
        AGAIN.set(true);
        return Ok(());
    }
    let gone = put(&fresh, "[data-live][id]", false);
    if gone {
        // Focus on the button that began it is no work; what was opened or is being filled in is.
        if !is_there(AT_WORK) {
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
    let response = response(address, None).await?;
    if step(response.status(), response.redirected(), false) != Step::Show {
        return Err(JsValue::UNDEFINED);
    }
    let fresh = page_of(&response).await?;
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

/// The page of an answer.
async fn page_of(response: &Response) -> Result<Document, JsValue> {
    let text = JsFuture::from(response.text()?).await?.as_string().unwrap_or_default();
    let fresh = DomParser::new()?.parse_from_string(&text, SupportedType::TextHtml)?;
    times::tell(&fresh);
    Ok(fresh)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_that_is_gone_is_loaded_again_unless_somebody_is_at_work() {
        for (status, leads_away) in [(404, false), (200, true), (404, true)] {
            assert_eq!(step(status, leads_away, false), Step::Load);
            assert_eq!(step(status, leads_away, true), Step::LoadLater);
        }
    }

    #[test]
    fn a_page_that_is_there_is_shown_and_one_that_cannot_be_asked_for_now_stays() {
        for busy in [false, true] {
            assert_eq!(step(200, false, busy), Step::Show);
            for status in [400, 403, 429, 500, 502, 503] {
                assert_eq!(step(status, false, busy), Step::Keep, "{status}");
            }
        }
    }
}
