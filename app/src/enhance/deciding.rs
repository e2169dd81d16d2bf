//! What is decided about rows that are picked, in a form marked `data-decide`: the page comes back with the focus on the row where
//! it was, or on the next one that is left, and what was accepted last can be taken back.

use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast as _;
use web_sys::{Element, Event, HtmlElement, HtmlInputElement, SubmitEvent};

use super::rows::{click, first, focus, is_in_sight};
use crate::island::session_storage;
use crate::live::times::all;

/// Where the rows are kept at which the focus is to be: the address, then their ids.
const PLACE: &str = "place";
/// Where it is kept what was accepted last.
const LAST: &str = "accepted";
/// Where the reason is kept that was given last.
const REASON: &str = "reason";
/// The row in question.
const ROW: &str = "data-in-question";

fn kept(key: &str) -> Option<String> {
    session_storage()?.get_item(key).ok().flatten()
}

fn keep(key: &str, value: &str) {
    if let Some(storage) = session_storage() {
        let _ = storage.set_item(key, value);
    }
}

fn forget(key: &str) {
    if let Some(storage) = session_storage() {
        let _ = storage.remove_item(key);
    }
}

/// Goes to the field for the reason, which holds the one that was given last, and remembers from which row.
pub fn ask(row: &HtmlElement) -> bool {
    all(&format!("[{ROW}]")).iter().for_each(|other| drop(other.remove_attribute(ROW)));
    let _ = row.set_attribute(ROW, "");
    let field = first("[data-accept]");
    if let Some(field) = field.as_ref().and_then(|field| field.dyn_ref::<HtmlInputElement>())
        && field.value().is_empty()
    {
        field.set_value(&kept(REASON).unwrap_or_default());
        field.select();
    }
    focus(field.as_ref())
}

/// Escape within the form goes back to the row.
pub fn escaped(element: &Element) -> bool {
    let within = element.closest("[data-decide]").ok().flatten();
    within.is_some() && focus(first(&format!("[{ROW}]")).as_ref())
}

/// A form is sent.
pub fn submitted(event: &Event) {
    let form = super::target(event).filter(|form| form.matches("[data-decide]").unwrap_or(false));
    let Some(form) = form else { return };
    remember_place(&form.id());
    let undoes = event
        .dyn_ref::<SubmitEvent>()
        .and_then(SubmitEvent::submitter)
        .is_some_and(|button| button.has_attribute("data-undo"));
    let everything = first("[data-decide] [name=everything]:checked").is_some();
    if undoes || everything {
        forget(LAST);
        return;
    }
    if let Some(reason) = first("[data-accept]").and_then(|field| field.dyn_into::<HtmlInputElement>().ok()) {
        keep(REASON, &reason.value());
    }
    let picked: Vec<String> = picked(&form.id()).iter().map(HtmlInputElement::value).collect();
    keep(LAST, &picked.join(","));
}

fn picked(form: &str) -> Vec<HtmlInputElement> {
    let boxes = all(&format!("input[type=checkbox][form='{form}']:checked:not([data-group])"));
    boxes.into_iter().filter_map(|one| one.dyn_into().ok()).collect()
}

/// Keeps the row in question, or the first one that is picked, and behind it those that come after it and before it.
fn remember_place(form: &str) {
    let rows = all("[data-row][id]");
    let picked = picked(form).into_iter().next().and_then(|one| one.closest("[data-row]").ok().flatten());
    let row = first(&format!("[{ROW}]")).map(Element::from).or(picked);
    let at = rows.iter().position(|one| Some(one) == row.as_ref()).unwrap_or_default();
    let ids: Vec<String> = rows[at..].iter().chain(rows[..at].iter().rev()).map(Element::id).collect();
    let path = window().location().pathname().unwrap_or_default();
    keep(PLACE, &format!("{path} {}", ids.join(" ")));
}

/// The page has come back: the focus goes to where it was.
pub fn restore() {
    let Some(place) = kept(PLACE) else { return };
    forget(PLACE);
    let mut words = place.split(' ');
    if words.next() != window().location().pathname().ok().as_deref() {
        return;
    }
    let mut there = words.filter_map(|id| document().get_element_by_id(id)?.dyn_into::<HtmlElement>().ok());
    focus(there.find(is_in_sight).as_ref());
}

/// Takes back what was accepted last.
pub fn take_back() -> bool {
    let (Some(last), Some(form)) = (kept(LAST).filter(|last| !last.is_empty()), first("[data-decide]")) else {
        return false;
    };
    for one in all(&format!("input[type=checkbox][form='{}']", form.id())) {
        if let Ok(one) = one.dyn_into::<HtmlInputElement>() {
            one.set_checked(false);
        }
    }
    let Some(field) = document().create_element("input").ok().and_then(|one| one.dyn_into::<HtmlInputElement>().ok())
    else {
        return false;
    };
    field.set_type("hidden");
    field.set_name("findings[]");
    field.set_value(&last);
    form.append_child(&field).is_ok() && click("[data-undo]")
}
