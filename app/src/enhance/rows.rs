//! Rows that are gone through by keys, `[data-row]`: each can have the focus, and what is done with one is done by what its page
//! offers without a script as well.

use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast as _;
use web_sys::{Element, HtmlElement, HtmlInputElement, KeyboardEvent};

use super::{deciding, picking};
use crate::live::times::all;

/// A key was pressed that means something for rows.
pub fn key_pressed(key: &KeyboardEvent) {
    let rows: Vec<HtmlElement> = all("[data-row]")
        .into_iter()
        .filter_map(|row| row.dyn_into::<HtmlElement>().ok())
        .filter(is_in_sight)
        .collect();
    if rows.is_empty() && key.key() != "u" {
        return;
    }
    let active = document().active_element();
    let at = rows.iter().position(|row| row.contains(active.as_ref().map(AsRef::as_ref)));
    let done = match (key.key().as_str(), at) {
        ("j", at) => focus(rows.get(at.map_or(0, |at| at + 1))),
        ("k", at) => focus(at.and_then(|at| at.checked_sub(1)).and_then(|at| rows.get(at))),
        ("o" | "Enter", Some(at)) if key.key() == "o" || active.as_ref() == Some(rows[at].as_ref()) => open(&rows[at]),
        ("c", Some(at)) => pick(&rows[at]) && focus(first("[data-cancel]").as_ref()),
        ("r", Some(at)) => pick(&rows[at]) && focus(first("[data-retry]").as_ref()),
        ("a", Some(at)) => pick(&rows[at]) && deciding::ask(&rows[at]),
        ("u", Some(at)) if rows[at].has_attribute("data-accepted") => pick(&rows[at]) && click("[data-undo]"),
        ("u", _) => deciding::take_back(),
        _ => false,
    };
    if done {
        key.prevent_default();
    }
}

/// Whether a row is shown, and not folded away. What lies in a closed `details` is laid out all the same.
pub(super) fn is_in_sight(row: &HtmlElement) -> bool {
    let folded = row.closest("details:not([open]) > :not(summary)");
    row.offset_parent().is_some() && folded.is_ok_and(|folded| folded.is_none())
}

pub(super) fn first(selector: &str) -> Option<HtmlElement> {
    document().query_selector(selector).ok().flatten().and_then(|element| element.dyn_into().ok())
}

pub(super) fn focus(element: Option<&HtmlElement>) -> bool {
    element.is_some_and(|element| element.focus().is_ok())
}

pub(super) fn click(selector: &str) -> bool {
    first(selector).map(|button| button.click()).is_some()
}

/// Follows the link of a row, or that of the row above it that names the same object; a row that opens is opened, or closed.
fn open(row: &HtmlElement) -> bool {
    if row.tag_name() == "SUMMARY" {
        row.click();
        return true;
    }
    let link = |within: &Element| within.query_selector("th a").ok().flatten();
    let link = link(row.as_ref()).or_else(|| row.parent_element().as_ref().and_then(link));
    link.and_then(|link| link.dyn_into::<HtmlElement>().ok()).map(|link| link.click()).is_some()
}

/// Picks a row and no other, and says so. A row that stands for several is all of them.
fn pick(row: &Element) -> bool {
    let (row, selector) = match row.tag_name() == "SUMMARY" {
        true => (row.closest(".finding-group").ok().flatten(), "input[data-group]"),
        false => (Some(row.clone()), "input[type=checkbox][form]"),
    };
    let own = row.and_then(|row| row.query_selector(selector).ok().flatten());
    let Some(own) = own.and_then(|own| own.dyn_into::<HtmlInputElement>().ok()) else { return false };
    let form = own.get_attribute("form").unwrap_or_default();
    for other in all(&format!("input[type=checkbox][form='{form}']")) {
        if let Ok(other) = other.dyn_into::<HtmlInputElement>() {
            other.set_checked(false);
        }
    }
    own.set_checked(true);
    if own.has_attribute("data-group") {
        picking::pick_group(&own, true);
    }
    picking::count();
    true
}
