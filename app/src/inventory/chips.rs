//! The filters that are in force, each with what takes it away.

use leptos::prelude::*;
use tenantatlas_domain::invisible::visible_on_page;
use tenantatlas_domain::references::Assigned;
use tenantatlas_domain::registry::{Category, Platform};
use tenantatlas_domain::since::Since;
use tenantatlas_store::inventory::StateFilter;

use super::group_hits::assigned_label;
use super::labels::{platform_label, type_label};
use super::load::InventoryView;
use crate::filter::ListFilter as _;
use crate::filter::inventory::InventoryFilter;
use crate::ui::chips::chip_list;
use crate::ui::drawn::Drawn as _;

/// A state to filter by, in words.
pub const fn state_words(state: StateFilter) -> &'static str {
    match state {
        StateFilter::Present => "Present",
        StateFilter::Missing => "Missing",
        StateFilter::NotRead => "Not read",
        StateFilter::Changed => "Changed in the last sync",
    }
}

/// A time to tell changes from, in words.
pub fn since_words(since: Since) -> String {
    match since {
        Since::Days(1) => "Changed since yesterday".to_owned(),
        Since::Days(days) => format!("Changed in {days} days"),
        Since::Run(_) => "Changed since a sync".to_owned(),
        Since::Moment(_) => format!("Changed since {since}"),
    }
}

/// The filters in force; nothing where there is none. Each chip is the link to the list without it. Behind them stands what
/// saves them.
pub fn chips(base: &str, address: &InventoryFilter, shown: &InventoryView, save: Option<AnyView>) -> AnyView {
    let from_start = address.first_page();
    let without = |change: &dyn Fn(&mut InventoryFilter)| {
        let mut rest = from_start.clone();
        change(&mut rest);
        rest.address(base)
    };
    let tag = address.scope_tag.as_ref().map(|tag| {
        let name = shown.scope_tags.iter().find(|(id, _)| id == tag).map(|(_, name)| name.clone());
        format!("Scope tag {}", name.unwrap_or_else(|| tag.clone()))
    });
    let by = shown.by_assignment.as_ref();
    let assigned = address.assigned.as_ref().map(|assigned| {
        let label = assigned_label(assigned, by.and_then(|by| by.assigned.as_ref()));
        visible_on_page(&format!("Assigned to {label}")).into_owned()
    });
    let excluded = address.excluded.map(|group| {
        let label = assigned_label(&Assigned::To(group), by.and_then(|by| by.excluded.as_ref()));
        visible_on_page(&format!("Excludes {label}")).into_owned()
    });
    let entries: [(Option<String>, String); 10] = [
        (
            (!address.search.is_empty()).then(|| format!("“{}”", address.search)),
            without(&|rest| rest.search = String::new()),
        ),
        (address.category.map(Category::label).map(ToOwned::to_owned), without(&|rest| rest.category = None)),
        (address.policy_type.as_deref().map(type_label), without(&|rest| rest.policy_type = None)),
        (address.platform.map(Platform::as_str).map(platform_label), without(&|rest| rest.platform = None)),
        (address.state.map(state_words).map(ToOwned::to_owned), without(&|rest| rest.state = None)),
        (address.since.map(since_words), without(&|rest| rest.since = None)),
        (assigned, without(&|rest| rest.assigned = None)),
        (excluded, without(&|rest| rest.excluded = None)),
        (tag, without(&|rest| rest.scope_tag = None)),
        (address.coverage.map(|mark| format!("Types {}", mark.words())), without(&|rest| rest.coverage = None)),
    ];
    view! {
        <div class="chip-row" id="chips" data-part="">
            {chip_list(base, entries)}
            {save}
        </div>
    }
    .drawn()
}
