//! Groups above the items of a search, and the choice of whom items are assigned to.

use leptos::prelude::*;
use tenantatlas_domain::invisible::visible_on_page;
use tenantatlas_domain::references::{Assigned, TargetKind, target_words};
use tenantatlas_store::inventory::Group;

use super::load::InventoryView;
use crate::address::TenantAddress;
use crate::filter::inventory::InventoryFilter;
use crate::ui::drawn::Drawn as _;
use crate::ui::form::choice;

/// Groups that are shown above the items.
pub const MAX_HITS: u32 = 5;
/// Groups among which one can be chosen.
pub const MAX_CHOICES: u32 = 50;

/// The words for whom items are looked up by.
#[must_use]
pub fn assigned_label(assigned: &Assigned, group: Option<&Group>) -> String {
    match (assigned.kind(), assigned.external_id()) {
        (Some(TargetKind::AllUsers), _) => "All users".to_owned(),
        (Some(TargetKind::AllDevices), _) => "All devices".to_owned(),
        (Some(kind), Some(id)) => {
            let name = group.and_then(|group| group.display_name.as_deref());
            target_words(kind, &id, name, group.and_then(|group| group.unnamed)).into_owned()
        }
        _ => "Nobody".to_owned(),
    }
}

/// The groups whose names hold what is searched for; each leads to what it gets.
pub fn group_hits(at: &TenantAddress, groups: &[Group]) -> Option<AnyView> {
    if groups.is_empty() {
        return None;
    }
    let hits = groups
        .iter()
        .filter_map(|group| {
            let assigned: Assigned = group.external_id.parse().ok()?;
            let label = assigned_label(&assigned, Some(group));
            Some(view! { <li><a href=at.group(&assigned)>{label}</a></li> })
        })
        .collect_view();
    Some(
        view! {
            <section class="card" aria-labelledby="group-hits-title">
                <h3 id="group-hits-title">"Groups"</h3>
                <ul class="rows">{hits}</ul>
            </section>
        }
        .drawn(),
    )
}

/// Whom items are assigned to: all users, all devices, nobody, and the first groups by name. Another one that the address
/// names stays as an entry of its own; the search finds all of them.
pub fn assigned_choice(address: &InventoryFilter, shown: &InventoryView) -> AnyView {
    let mut entries = vec![(String::new(), "Any assignment".to_owned())];
    for fixed in [Assigned::all_users(), Assigned::all_devices()] {
        entries.push((fixed.to_string(), format!("Assigned to {}", assigned_label(&fixed, None).to_lowercase())));
    }
    entries.push((Assigned::Nobody.to_string(), "Not assigned".to_owned()));
    for group in &shown.assigned_groups {
        if let Ok(assigned) = group.external_id.parse::<Assigned>() {
            let label = visible_on_page(&assigned_label(&assigned, Some(group))).into_owned();
            entries.push((assigned.to_string(), format!("Group {label}")));
        }
    }
    let chosen = address.assigned.as_ref().map(Assigned::to_string).unwrap_or_default();
    if let Some(assigned) = address.assigned.as_ref().filter(|_| entries.iter().all(|(value, _)| *value != chosen)) {
        let group = shown.by_assignment.as_ref().and_then(|by| by.assigned.as_ref());
        entries.push((chosen.clone(), format!("Group {}", visible_on_page(&assigned_label(assigned, group)))));
    }
    choice("assigned", "Assigned to", entries, &chosen)
}
