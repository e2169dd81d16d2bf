//! Makes one tree of elements like another one, touching nothing that is equal already.

use std::cell::Cell;

use leptos::prelude::*;
use leptos::wasm_bindgen::{JsCast as _, JsValue};
use web_sys::{Element, Node};

/// What a person has opened.
const OPENED: &str = "details[open], dialog[open], :popover-open";
/// Attributes that belong to the browser once the page is there: what was opened, and the order of the Tab key.
const OF_BROWSER: [&str; 2] = ["open", "tabindex"];
/// What the browser counts by itself.
const COUNTED: &str = "data-picked";
/// What the browser took over. It looks after itself.
const ISLAND: &str = "LEPTOS-ISLAND";

/// One go through a page.
pub struct Patch {
    /// Whether a person asked for it. If not, what they are at work with stays.
    asked: bool,
    left: Cell<bool>,
}

impl Patch {
    pub fn new(asked: bool) -> Self {
        Self { asked, left: Cell::new(false) }
    }

    /// Whether something stayed as it was because a person is at work with it.
    pub fn left_something(&self) -> bool {
        self.left.get()
    }

    /// Makes an element like another one.
    pub fn element(&self, old: &Element, new: &Element) {
        if old.is_equal_node(Some(new)) || old.tag_name() == ISLAND || old.has_attribute(COUNTED) {
            return;
        }
        if old.tag_name() != new.tag_name() {
            self.replace(old, new);
            return;
        }
        attributes(old, new);
        self.children(old, new);
        value(old, new);
    }

    fn children(&self, old: &Element, new: &Element) {
        let (before, after) = (children(old), children(new));
        for (at, new) in after.iter().enumerate() {
            match before.get(at) {
                Some(known) => self.node(known, new),
                None => {
                    let _ = old.append_child(new);
                }
            }
        }
        for extra in before.iter().skip(after.len()) {
            if self.may_touch(extra) {
                let _ = old.remove_child(extra);
            }
        }
    }

    fn node(&self, old: &Node, new: &Node) {
        if let (Some(old), Some(new)) = (old.dyn_ref::<Element>(), new.dyn_ref::<Element>()) {
            self.element(old, new);
        } else if old.node_type() != new.node_type() {
            self.replace(old, new);
        } else if old.node_value() != new.node_value() && self.may_touch(old) {
            old.set_node_value(new.node_value().as_deref());
        }
    }

    fn replace(&self, old: &Node, new: &Node) {
        if self.may_touch(old)
            && let Some(parent) = old.parent_node()
        {
            let _ = parent.replace_child(new, old);
        }
    }

    fn may_touch(&self, node: &Node) -> bool {
        let free = self.asked || !is_at_work(node);
        if !free {
            self.left.set(true);
        }
        free
    }
}

/// Whether a person is at work within a node: the focus or a selection of text is in it, or something in it is open.
fn is_at_work(node: &Node) -> bool {
    let document = document();
    let focused = document.active_element().filter(|element| element.tag_name() != "BODY");
    if focused.is_some_and(|focused| node.contains(Some(&focused))) {
        return true;
    }
    let selected = window().get_selection().ok().flatten().filter(|selection| !selection.is_collapsed());
    let range = selected.and_then(|selection| selection.get_range_at(0).ok());
    if range.is_some_and(|range| range.intersects_node(node).unwrap_or(false)) {
        return true;
    }
    let Some(element) = node.dyn_ref::<Element>() else { return false };
    element.matches(OPENED).unwrap_or(false) || element.query_selector(OPENED).ok().flatten().is_some()
}

fn children(element: &Element) -> Vec<Node> {
    let nodes = element.child_nodes();
    (0..nodes.length()).filter_map(|at| nodes.item(at)).collect()
}

fn attributes(old: &Element, new: &Element) {
    for name in new.get_attribute_names().iter().filter_map(|name| name.as_string()) {
        let fresh = new.get_attribute(&name);
        if !OF_BROWSER.contains(&name.as_str()) && old.get_attribute(&name) != fresh {
            let _ = old.set_attribute(&name, &fresh.unwrap_or_default());
        }
    }
    for name in old.get_attribute_names().iter().filter_map(|name| name.as_string()) {
        if !OF_BROWSER.contains(&name.as_str()) && !new.has_attribute(&name) {
            let _ = old.remove_attribute(&name);
        }
    }
}

/// A choice or a field shows what the server says of it, unless somebody is in it: what was chosen once no longer follows
/// the attributes. A box stays as it was marked.
fn value(old: &Element, new: &Element) {
    let is_box = matches!(old.get_attribute("type").as_deref(), Some("checkbox" | "radio"));
    let is_field = matches!(old.tag_name().as_str(), "SELECT" | "INPUT") && !is_box;
    let in_it = document().active_element().is_some_and(|active| active.is_same_node(Some(old)));
    if is_field && !in_it {
        let name = JsValue::from_str("value");
        if let Ok(fresh) = js_sys::Reflect::get(new, &name) {
            let _ = js_sys::Reflect::set(old, &name, &fresh);
        }
    }
}
