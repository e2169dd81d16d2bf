//! Boxes of rows that are picked.

use leptos::wasm_bindgen::JsCast as _;
use web_sys::{Element, HtmlInputElement};

use crate::format;
use crate::live::times::all;

/// The boxes in the rows that belong to a form, by its id; without those that stand for several rows.
fn boxes(form: &str) -> Vec<HtmlInputElement> {
    let boxes = all(&format!("input[type=checkbox][form='{form}']:not([data-group])"));
    boxes.into_iter().filter_map(|element| element.dyn_into().ok()).collect()
}

/// The boxes of the rows for which another one stands.
fn members(group: &Element) -> Vec<HtmlInputElement> {
    let within = group.parent_element().and_then(|group| group.query_selector_all("tbody input[type=checkbox]").ok());
    let Some(within) = within else { return Vec::new() };
    (0..within.length()).filter_map(|at| within.item(at)).filter_map(|node| node.dyn_into().ok()).collect()
}

/// A box was marked, or not any more: one that stands for all boxes of the form that it names, or one in a row. What stands
/// in several rows is picked in all of them.
pub fn changed(element: &Element) {
    let Some(changed) = element.dyn_ref::<HtmlInputElement>().filter(|input| input.type_() == "checkbox") else {
        return;
    };
    if let Some(form) = changed.get_attribute("data-all") {
        for one in boxes(&form) {
            one.set_checked(changed.checked());
        }
    } else if changed.has_attribute("data-group") {
        pick_group(changed, changed.checked());
    } else if let Some(form) = changed.get_attribute("form") {
        for one in boxes(&form).iter().filter(|one| one.value() == changed.value()) {
            one.set_checked(changed.checked());
        }
    } else {
        return;
    }
    count();
}

/// Picks all rows for which a box stands, or none of them.
pub fn pick_group(group: &Element, picked: bool) {
    members(group).iter().for_each(|one| one.set_checked(picked));
}

/// The boxes in rows that are marked, by their form and what they stand for.
pub fn marked() -> Vec<(String, String)> {
    let boxes = all("input[type=checkbox][form]:checked").into_iter().filter_map(|one| one.dyn_into().ok());
    boxes.map(|one: HtmlInputElement| (one.get_attribute("form").unwrap_or_default(), one.value())).collect()
}

/// Marks these again, and no others, after rows were changed in their places: a mark belongs to what was picked, not to the
/// place where it stood.
pub fn mark_again(marked: &[(String, String)]) {
    for one in all("input[type=checkbox][form]").iter().filter_map(|one| one.dyn_ref::<HtmlInputElement>()) {
        let form = one.get_attribute("form").unwrap_or_default();
        one.set_checked(marked.contains(&(form, one.value())));
    }
    count();
}

/// Says how many are picked, wherever that is said, and whether all are.
pub fn count() {
    for place in all("[data-picked]") {
        let form = place.closest("form").ok().flatten().map(|form| form.id()).unwrap_or_default();
        let picked: Vec<_> = boxes(&form).into_iter().filter(HtmlInputElement::checked).collect();
        // What stands in several rows counts once.
        let again = |at: &usize| picked[..*at].iter().any(|one| one.value() == picked[*at].value());
        // And a row of several things, whose ids are divided by commas, for each of them.
        let number: usize =
            (0..picked.len()).filter(|at| !again(at)).map(|at| picked[at].value().split(',').count()).sum();
        let unit = place.get_attribute("data-unit").unwrap_or_else(|| "item".to_owned());
        let words = format::counted(number as u64, &unit, &format!("{unit}s"));
        let (begin, end) = (place.get_attribute("data-picked"), place.get_attribute("data-picked-end"));
        let text = format!("{}{words}{}", begin.unwrap_or_default(), end.unwrap_or_default());
        if place.text_content().as_deref() != Some(&text) {
            place.set_text_content(Some(&text));
        }
    }
    for group in all("input[data-group]").iter().filter_map(|group| group.dyn_ref::<HtmlInputElement>()) {
        let members = members(group);
        let picked = members.iter().filter(|one| one.checked()).count();
        group.set_checked(picked > 0 && picked == members.len());
        group.set_indeterminate(picked > 0 && picked < members.len());
    }
    for every in all("[data-all]").iter().filter_map(|every| every.dyn_ref::<HtmlInputElement>()) {
        let boxes = boxes(&every.get_attribute("data-all").unwrap_or_default());
        let picked = boxes.iter().filter(|one| one.checked()).count();
        every.set_checked(picked > 0 && picked == boxes.len());
        every.set_indeterminate(picked > 0 && picked < boxes.len());
    }
}
