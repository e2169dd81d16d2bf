//! The relations of an item as lists, beside their drawing.

use std::collections::HashMap;

use leptos::prelude::*;
use tenantatlas_domain::ids::ItemId;
use tenantatlas_domain::references::Relationship;
use tenantatlas_store::inventory::{
    Dependant, Dependants, Incoming, Item, ItemFilter, MAX_DEPENDANTS, MAX_DISTANCE, MOST_REFERRING, Outgoing,
    Relations, ScopeView, Standing,
};
use tenantatlas_store::scopes::ScopeId;

use super::drawing::drawing;
use super::words::{incoming_words, outgoing_words, source_name, standing_words, target_kind, target_name};
use crate::address::TenantAddress;
use crate::format::{counted, number};
use crate::inventory::labels::type_label;
use crate::inventory::not_read::not_read_note;
use crate::scope::Inside;
use crate::ui::card::section_card;
use crate::ui::drawn::Drawn as _;
use crate::ui::pager::Pager;
use crate::ui::state::state;

/// References to an item that are listed at once; the others open below.
const UNFOLDED: usize = 30;

/// Whether a reference is an assignment: these have a list of their own.
#[must_use]
pub fn is_assignment(one: &Outgoing) -> bool {
    matches!(one.link.relationship, Relationship::AssignedTo | Relationship::ExcludedFrom)
}

/// The drawing, and the lists of what the item refers to, what refers to it, and what stands on it through others.
/// `shown` is the scope and the item behind which the page of what refers to it begins, as the address says.
pub fn relations(
    inside: &Inside,
    view: &ScopeView,
    item: &Item,
    relations: &Relations,
    shown: (Option<ScopeId>, Option<ItemId>),
) -> AnyView {
    let at = inside.address().in_scope(shown.0);
    let drawing = drawing(&at, item, relations).map(|drawing| section_card("relations", "Relations", drawing));
    view! {
        {drawing}
        {not_read_note(&view.not_read(&ItemFilter::default()), "more may refer to this item")}
        <div class="columns">
            {section_card("outgoing", "References", references(&at, relations))}
            {section_card("incoming", "Referenced by", referenced_by(&at, item, relations, shown))}
        </div>
        {stands_on(&at, item, relations)}
    }
    .drawn()
}

fn chip(standing: Standing) -> Option<AnyView> {
    standing_words(standing).map(|(tone, icon, word)| state(tone, icon, word))
}

fn references(at: &TenantAddress, relations: &Relations) -> AnyView {
    let rows: Vec<_> = relations
        .references
        .iter()
        .filter(|one| !is_assignment(one))
        .map(|one| {
            let name = match one.link.target_item_id {
                Some(id) => view! { <a href=at.item(id)>{target_name(&one.link)}</a> }.drawn(),
                None => target_name(&one.link).drawn(),
            };
            view! {
                <li>
                    <span class="badge">{outgoing_words(one.link.relationship)}</span>
                    <span class="grow">{name}</span>
                    {chip(one.state)}
                    <span class="quiet">{target_kind(&one.link)}</span>
                </li>
            }
        })
        .collect();
    if rows.is_empty() {
        view! { <p class="quiet-text">"It references nothing else."</p> }.drawn()
    } else {
        view! { <ul class="rows">{rows}</ul> }.drawn()
    }
}

fn referenced_by(
    at: &TenantAddress,
    item: &Item,
    relations: &Relations,
    (scope, after): (Option<ScopeId>, Option<ItemId>),
) -> AnyView {
    if relations.referenced_by.is_empty() && after.is_none() {
        return view! { <p class="quiet-text">"Nothing that was read references it."</p> }.drawn();
    }
    let row = |one: &Incoming| {
        let Incoming { link, state } = one;
        view! {
            <li>
                <span class="grow"><a href=at.item(link.source_item_id)>{source_name(&link.source_name)}</a></span>
                {chip(*state)}
                <span class="badge">{incoming_words(link.relationship)}</span>
                <span class="quiet">{type_label(&link.source_policy_type)}</span>
            </li>
        }
    };
    let (first, rest) = relations.referenced_by.split_at(relations.referenced_by.len().min(UNFOLDED));
    let rest = (!rest.is_empty()).then(|| {
        view! {
            <details class="more-rows">
                <summary>{format!("{} more", number(rest.len() as u64))}</summary>
                <ul class="rows">{rest.iter().map(row).collect_view()}</ul>
            </details>
        }
    });
    let mut listed: Vec<ItemId> = relations.referenced_by.iter().map(|one| one.link.source_item_id).collect();
    listed.dedup();
    let scope = scope.map(|scope| scope.0);
    let pager = Pager {
        caption: Some(format!("{} of them on this page", number(listed.len() as u64))),
        first: after.map(|_| ("First page", at.item_referred_to(item.id, scope, None::<ItemId>))),
        previous: None,
        next: relations.referenced_by_next.map(|next| ("Next page", at.item_referred_to(item.id, scope, Some(next)))),
    };
    view! {
        <p class="quiet-text">{referring_words(relations.referenced_by_count)}</p>
        <ul class="rows">{first.iter().map(row).collect_view()}</ul>
        {rest}
        {pager.view()}
    }
    .drawn()
}

/// How many items refer to an item, and that there may be more than were counted.
fn referring_words(count: u64) -> String {
    match count {
        MOST_REFERRING.. => format!("{} items or more refer to it.", number(MOST_REFERRING)),
        1 => "1 item refers to it.".to_owned(),
        count => format!("{} items refer to it.", number(count)),
    }
}

/// What stands on the item through others. What refers to it directly stands in the list beside.
fn stands_on(at: &TenantAddress, item: &Item, relations: &Relations) -> Option<AnyView> {
    let stands = &relations.stands_on_this;
    if stands.items.is_empty() {
        return None;
    }
    let names: HashMap<ItemId, &str> =
        stands.items.iter().map(|one| (one.item_id, one.display_name.as_str())).collect();
    let mut further: Vec<&Dependant> = stands.items.iter().filter(|one| one.distance > 1).collect();
    further.sort_by_key(|one| (one.distance, one.display_name.to_lowercase(), one.item_id));
    let rows = further.into_iter().map(|one| {
        let standing = relations.states.get(&one.item_id).copied().unwrap_or(Standing::NotKnown);
        let nearer = |id: &ItemId| stands.items.iter().any(|other| other.item_id == *id && other.distance < one.distance);
        let through = stands.references.iter().find(|edge| edge.from == one.item_id && nearer(&edge.to));
        let through = through.filter(|edge| edge.to != item.id).map(|edge| {
            let name = source_name(names.get(&edge.to).copied().unwrap_or_default());
            view! { <span class="quiet">{outgoing_words(edge.relationship)}" "<a href=at.item(edge.to)>{name}</a></span> }
        });
        view! {
            <li>
                <span class="grow"><a href=at.item(one.item_id)>{source_name(&one.display_name)}</a></span>
                {chip(standing)}
                {through}
                <span class="quiet">{type_label(&one.policy_type)}</span>
                <span class="quiet">{counted(u64::from(one.distance), "step", "steps")}</span>
            </li>
        }
    });
    let rows = rows.collect::<Vec<_>>();
    Some(section_card(
        "stands-on",
        "What stands on this",
        view! {
            <p class="quiet-text">{whole_words(stands)}</p>
            {(!rows.is_empty()).then(|| view! { <ul class="rows">{rows}</ul> })}
        },
    ))
}

/// How much stands on an item, and where that was cut.
#[must_use]
pub fn whole_words(stands: &Dependants) -> String {
    if stands.items.is_empty() {
        return "Nothing that was read stands on this.".to_owned();
    }
    let (all, near) = (stands.items.len() as u64, stands.at(1).count() as u64);
    let verb = if all == 1 { "stands" } else { "stand" };
    let mut words = if stands.more {
        format!("More than {} items stand on this; {MAX_DEPENDANTS} were followed: ", number(all))
    } else {
        format!("{} {verb} on this: ", counted(all, "item", "items"))
    };
    words.push_str(&match all - near {
        0 => format!("{} directly, none through others.", number(near)),
        further => format!("{} directly, {} through others.", number(near), number(further)),
    });
    if stands.deeper {
        words.push_str(&format!(" What stands more than {MAX_DISTANCE} steps away was not followed."));
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_was_cut_is_not_told_as_the_whole() {
        let dependant = |distance| Dependant {
            item_id: uuid::Uuid::nil().into(),
            policy_type: String::new(),
            external_id: String::new(),
            display_name: String::new(),
            distance,
        };
        let mut stands = Dependants { items: vec![dependant(1)], ..Dependants::default() };
        assert_eq!(whole_words(&Dependants::default()), "Nothing that was read stands on this.");
        assert_eq!(whole_words(&stands), "1 item stands on this: 1 directly, none through others.");
        stands.items.push(dependant(2));
        stands.deeper = true;
        assert_eq!(
            whole_words(&stands),
            "2 items stand on this: 1 directly, 1 through others. What stands more than 5 steps away was not followed."
        );
        stands.more = true;
        assert!(whole_words(&stands).starts_with("More than 2 items"));
        assert_eq!(referring_words(1), "1 item refers to it.");
        assert_eq!(referring_words(9_999), "9,999 items refer to it.");
        assert_eq!(referring_words(MOST_REFERRING), "10,000 items or more refer to it.");
    }
}
