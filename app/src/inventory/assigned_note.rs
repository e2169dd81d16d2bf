//! What a list by assignments says, and what it does not.

use leptos::prelude::*;
use tenantatlas_domain::references::Assigned;
use tenantatlas_store::inventory::Total;

use super::group_hits::assigned_label;
use super::load::InventoryView;
use super::not_read::not_read_note;
use crate::filter::ListFilter as _;
use crate::filter::inventory::InventoryFilter;
use crate::format;
use crate::scope::Inside;
use crate::ui::drawn::Drawn as _;

/// Beside a list by assignments: that only direct ones are told, how many items stand on the other side of the group, and
/// what was not read. Nothing beside other lists.
pub fn assigned_note(inside: &Inside, address: &InventoryFilter, shown: &InventoryView) -> Option<AnyView> {
    let by = shown.by_assignment.as_ref()?;
    let base = inside.address().inventory();
    let group = |assigned: &Assigned, known| {
        let label = assigned_label(assigned, known);
        view! { <a href=inside.address().in_scope(address.scope).group(assigned)>{label}</a> }
    };
    let included = address.assigned.as_ref().map(|assigned| {
        let words = match assigned {
            Assigned::Nobody => "Items that can be assigned, and are to nobody.".drawn(),
            Assigned::To(_) => {
                let members = assigned.group().map(|_| "; groups of which it is a member are not looked at");
                view! { "Assigned directly to "{group(assigned, by.assigned.as_ref())}{members}". " }.drawn()
            }
        };
        let other = address.excluded.is_none().then_some(()).and(assigned.group()).map(|id| {
            let href = InventoryFilter { assigned: None, excluded: Some(id), ..address.first_page() }.address(&base);
            other_side(by.other_side, href, ("excludes it", "exclude it"), "No item that was read excludes it")
        });
        view! { <p>{words}{other}</p> }
    });
    let excluded = address.excluded.map(|id| {
        let whom = Assigned::To(id);
        let other = address.assigned.is_none().then(|| {
            let href =
                InventoryFilter { assigned: Some(whom.clone()), excluded: None, ..address.first_page() }.address(&base);
            other_side(
                by.other_side,
                href,
                ("is assigned to it directly", "are assigned to it directly"),
                "No item that was read is assigned to it directly",
            )
        });
        view! { <p>"These exclude "{group(&whom, by.excluded.as_ref())}": that is no assignment to it. "{other}</p> }
    });
    Some(
        view! {
            <div class="stack by-assignment" id="by-assignment">
                <div class="quiet-text">{included}{excluded}</div>
                {not_read_note(&by.not_read, "this list may lack items")}
            </div>
        }
        .drawn(),
    )
}

fn other_side(total: Option<Total>, href: String, verbs: (&'static str, &'static str), none: &'static str) -> AnyView {
    let Some(total) = total else { return ().drawn() };
    let words = match total {
        Total { items: 0, .. } => return format!("{none}.").drawn(),
        Total { items: 1, .. } => format!("1 item {}", verbs.0),
        Total { items, exact: true } => format!("{} items {}", format::number(items), verbs.1),
        Total { items, exact: false } => format!("More than {} items {}", format::number(items), verbs.1),
    };
    view! { <a href=href data-stay="">{words}</a>"." }.drawn()
}
