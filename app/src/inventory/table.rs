//! The rows of the list.

use std::ops::Range;

use leptos::prelude::*;
use tenantatlas_domain::invisible::visible_on_page;
use tenantatlas_domain::item_column::ItemColumn;
use tenantatlas_domain::item_name::shown_name;
use tenantatlas_domain::references::{Assigned, is_group};
use tenantatlas_domain::role::Action;
use tenantatlas_store::inventory::{Heading, ItemRow, Sort};
use tenantatlas_store::scopes::ScopeId;

use super::assigned::{assigned_words, target_of};
use super::functions::{CaptureItems, SyncItems};
use super::item::value_moment;
use super::labels::{category_label, platform_label, type_label};
use super::load::InventoryView;
use crate::address::TenantAddress;
use crate::filter::ListFilter as _;
use crate::filter::inventory::{Grouping, InventoryFilter, sort_of};
use crate::format;
use crate::scope::Inside;
use crate::ui::drawn::Drawn as _;
use crate::ui::form::hidden;
use crate::ui::icon::Icon;
use crate::ui::pager::Pager;
use crate::ui::state::{presence_state, state};
use crate::ui::time::moment;

/// The form of the boxes in the rows.
const PICKED: &str = "picked";

/// The table within the form of what is picked, and the links to the pages around.
pub fn table(inside: &Inside, address: &InventoryFilter, shown: &InventoryView) -> AnyView {
    let base = inside.address().inventory();
    let heads = columns_shown(address, shown).into_iter().map(|column| {
        let sort = sort_of(column);
        sort_head(&base, address, shown, sort, column.as_str(), column.label())
    });
    view! {
        {unsorted_note(address, shown)}
        <div class="table-wrap" data-sticky="">
            <table class="table cards items">
                <caption class="visually-hidden">"Items"</caption>
                <thead>
                    <tr>
                        <th scope="col" class="pick">
                            <label class="with-script">
                                <input type="checkbox" data-all=PICKED autocomplete="off" />
                                <span class="visually-hidden">"Pick all on this page"</span>
                            </label>
                        </th>
                        {sort_head(&base, address, shown, Sort::Name, "name", "Name")}
                        {heads.collect_view()}
                    </tr>
                </thead>
                {bodies(inside, address, shown)}
            </table>
        </div>
        {picked_bar(inside, address)}
        {pager(&base, address, shown)}
    }
    .drawn()
}

/// The columns that the person keeps; a list of what changed also says when.
fn columns_shown(address: &InventoryFilter, shown: &InventoryView) -> Vec<ItemColumn> {
    let mut columns = shown.kept.preferences.item_columns.clone();
    if address.since.is_some() && !columns.contains(&ItemColumn::Changed) {
        columns.push(ItemColumn::Changed);
    }
    columns
}

/// Says that an order, or groups, which need all items at once were asked of too many.
fn unsorted_note(address: &InventoryFilter, shown: &InventoryView) -> Option<AnyView> {
    let grouped = address.group == Some(Grouping::Target);
    let (cannot, mend) = match grouped {
        true if shown.headings.is_empty() && shown.total.is_large() => ("grouped by assigned group", "group"),
        false if address.query(None).sort != shown.page.sort => ("sorted by this column", "sort"),
        _ => return None,
    };
    let words = format!(
        "These are sorted by name: more than {} items cannot be {cannot}. Narrow the list to {mend} it.",
        format::number(tenantatlas_store::inventory::MAX_COUNTED)
    );
    Some(view! { <p class="quiet-text" role="status">{words}</p> }.drawn())
}

/// What turns the order: the other direction of the column that is sorted by, the ascending one of any other. What changed
/// last is asked for first.
fn sort_head(
    base: &str,
    address: &InventoryFilter,
    shown: &InventoryView,
    sort: Sort,
    name: &'static str,
    words: &'static str,
) -> AnyView {
    let chosen = shown.page.sort == sort;
    let descending = if chosen { !address.descending } else { sort == Sort::Changed };
    let href = InventoryFilter { sort, descending, group: None, ..address.first_page() }.address(base);
    let (order, icon) = if address.descending { ("descending", Icon::Down) } else { ("ascending", Icon::Up) };
    view! {
        <th scope="col" aria-sort=chosen.then_some(order) data-column=name>
            <a href=href id=format!("sort-{name}") data-stay="">{words}{chosen.then(|| icon.view())}</a>
        </th>
    }
    .drawn()
}

/// One body of rows, or one for each group.
fn bodies(inside: &Inside, address: &InventoryFilter, shown: &InventoryView) -> AnyView {
    let at = inside.address().in_scope(address.scope);
    let columns = columns_shown(address, shown);
    let row = |row: &ItemRow| item_row(&at, row, &columns);
    let rows = &shown.page.rows;
    let Some(groups) = groups(inside, address, shown) else {
        return view! { <tbody>{rows.iter().map(row).collect_view()}</tbody> }.drawn();
    };
    let span = (columns.len() + 2).to_string();
    groups
        .into_iter()
        .map(|GroupOfRows { range, words, count }| {
            let count = count.map(|items| format::counted(items, "item", "items"));
            view! {
                <tbody>
                    <tr class="group">
                        <th scope="rowgroup" colspan=span.clone()>{words}<span class="count">{count}</span></th>
                    </tr>
                    {rows[range].iter().map(row).collect_view()}
                </tbody>
            }
        })
        .collect_view()
        .drawn()
}

/// Rows of the page that stand below one heading.
struct GroupOfRows {
    range: Range<usize>,
    words: AnyView,
    /// How many items stand there on all pages, where that is known.
    count: Option<u64>,
}

/// The groups of the page; `None` where it is not grouped.
fn groups(inside: &Inside, address: &InventoryFilter, shown: &InventoryView) -> Option<Vec<GroupOfRows>> {
    let rows = &shown.page.rows;
    let named = |name: fn(&ItemRow) -> &str, label: fn(&str) -> String| {
        let group = |range: Range<usize>| {
            let name = rows.get(range.start).map(name).unwrap_or_default();
            GroupOfRows { range, words: label(name).drawn(), count: shown.groups.get(name).copied() }
        };
        ranges(rows, |one, other| name(one) == name(other)).map(group).collect()
    };
    match address.group? {
        Grouping::Type => Some(named(|row| &row.item.policy_type, type_label)),
        Grouping::Category => Some(named(|row| &row.item.category, category_label)),
        Grouping::Target if shown.headings.is_empty() => None,
        Grouping::Target => {
            let at = inside.address().in_scope(address.scope);
            let group = |range: Range<usize>| {
                let (heading, items) = shown.headings.get(range.start)?;
                Some(GroupOfRows { range, words: heading_words(&at, heading), count: Some(*items) })
            };
            let same = |one: &(Heading, u64), other: &(Heading, u64)| one.0.is_same(&other.0);
            Some(ranges(&shown.headings, same).filter_map(group).collect())
        }
    }
}

/// The stretches of neighbours that belong together.
fn ranges<T>(all: &[T], together: impl Fn(&T, &T) -> bool) -> impl Iterator<Item = Range<usize>> {
    let mut from = 0;
    all.chunk_by(together).map(move |chunk| {
        let range = from..from + chunk.len();
        from = range.end;
        range
    })
}

/// Whom the rows below are assigned to, or excluded from; a group leads to all that it gets.
fn heading_words(at: &TenantAddress, heading: &Heading) -> AnyView {
    let one = match heading {
        Heading::Target(one) => one,
        Heading::NotAssigned => return "Not assigned".drawn(),
        Heading::NotKept => return "Assigned to more than is listed".drawn(),
        Heading::Untold => return "Tells no assignments".drawn(),
    };
    let before = (!one.is_included()).then_some("Excluded: ");
    let words = target_of(one);
    let group = is_group(one.target_kind).then(|| one.target_id.parse::<Assigned>().ok()).flatten();
    match group {
        Some(group) => view! { {before}<a href=at.group(&group)>{words}</a> }.drawn(),
        None => view! { {before}{words} }.drawn(),
    }
}

fn item_row(at: &TenantAddress, row: &ItemRow, columns: &[ItemColumn]) -> AnyView {
    let item = &row.item;
    let name = shown_name(&item.display_name, &item.external_id).into_owned();
    let href = at.item(item.id);
    let pick = format!("Pick {name}");
    let cells = columns.iter().map(|column| {
        let class = if matches!(
            column,
            ItemColumn::LastSeen | ItemColumn::FirstSeen | ItemColumn::Modified | ItemColumn::Changed
        ) {
            "quiet"
        } else {
            ""
        };
        view! {
            <td data-label=column.label() data-column=column.as_str() class=class>{cell(row, *column, &name)}</td>
        }
    });
    view! {
        <tr>
            <td class="pick">
                <input type="checkbox" name="items[]" value=item.id.to_string() form=PICKED aria-label=pick autocomplete="off" />
            </td>
            <th scope="row" class="title"><a href=href>{name.clone()}</a></th>
            {cells.collect_view()}
        </tr>
    }
    .drawn()
}

fn cell(row: &ItemRow, column: ItemColumn, name: &str) -> AnyView {
    let item = &row.item;
    match column {
        ItemColumn::Type => type_label(&item.policy_type).drawn(),
        ItemColumn::Category => category_label(&item.category).drawn(),
        ItemColumn::State => row_state(row),
        ItemColumn::Assigned => assigned_words(row).unwrap_or_else(|| "–".to_owned()).drawn(),
        ItemColumn::Platform => platform_label(&item.platform).drawn(),
        ItemColumn::Modified => match item.meta.get("lastModifiedDateTime").and_then(value_moment) {
            Some(at) => moment(at.as_millis()),
            None => "–".drawn(),
        },
        ItemColumn::LastSeen => moment(item.last_seen_at.as_millis()),
        ItemColumn::FirstSeen => moment(item.first_seen_at.as_millis()),
        ItemColumn::Changed => match row.changed_since_known {
            true => moment(item.changed_at.as_millis()),
            false => "–".drawn(),
        },
        ItemColumn::Id => identifier(&item.external_id, name),
    }
}

/// An id with what copies it.
pub fn identifier(id: &str, name: &str) -> AnyView {
    let label = format!("Copy the ID of {name}");
    view! {
        <span class="copyable">
            <span class="identifier">{visible_on_page(id).into_owned()}</span>
            <button class="icon-button with-script" type="button" data-copy="" aria-label=label>{Icon::Copy.view()}</button>
        </span>
    }
    .drawn()
}

/// What is done with the items that were picked. It is seen while one is.
fn picked_bar(inside: &Inside, address: &InventoryFilter) -> AnyView {
    let export = |kind: &str| inside.address().inventory_export(kind);
    let sync = inside.role.allows(Action::Sync).then(|| {
        let action = inside.address().function::<SyncItems>();
        view! { <button class="button" formmethod="post" formaction=action>{Icon::Turning.view()}"Sync these types"</button> }
    });
    let capture = inside.role.allows(Action::Capture).then(|| {
        let action = inside.address().function::<CaptureItems>();
        view! { <button class="button" formmethod="post" formaction=action>{Icon::Inventory.view()}"Keep versions"</button> }
    });
    let scope = address.scope.map(|ScopeId(id)| hidden("scope", id.to_string()));
    view! {
        <form class="picked" id=PICKED method="get" action=export("csv")>
            {hidden("picked", "1")}
            {scope}
            <span data-picked="" data-picked-end=" picked" role="status">"Picked items"</span>
            <button class="button" formaction=export("csv")>
                {Icon::Download.view()}<span data-picked="Export " data-picked-end=" as CSV">"Export as CSV"</span>
            </button>
            <button class="button" formaction=export("json")>
                {Icon::Download.view()}<span data-picked="Export " data-picked-end=" as JSON">"Export as JSON"</span>
            </button>
            {sync}
            {capture}
        </form>
    }
    .drawn()
}

fn pager(base: &str, address: &InventoryFilter, shown: &InventoryView) -> Option<AnyView> {
    let page = &shown.page;
    let start = address.first_page();
    let next = page.next.clone().map(|after| InventoryFilter { after: Some(after), ..start.clone() });
    let previous = page.previous.clone().map(|before| InventoryFilter { before: Some(before), ..start.clone() });
    let pager = Pager {
        caption: Some(caption(shown)),
        first: previous.is_some().then(|| ("From the start", start.address(base))),
        previous: previous.map(|filter| ("Previous", filter.address(base))),
        next: next.map(|filter| ("Next", filter.address(base))),
    };
    pager.view()
}

/// How much the page shows. Below whom they are assigned to, an item may be there several times.
fn caption(shown: &InventoryView) -> String {
    let rows = shown.page.rows.len() as u64;
    let (one, many) = if shown.headings.is_empty() { ("item", "items") } else { ("row", "rows") };
    format!("{} on this page", format::counted(rows, one, many))
}

/// The state of a row; what became known after the sync that is shown says so, and what another selection has read since.
pub fn row_state(row: &ItemRow) -> AnyView {
    let since = row.since_words().map(|words| view! { " "<span class="quiet-text">{words}</span> });
    view! { {state_alone(row)}{since} }.drawn()
}

fn state_alone(row: &ItemRow) -> AnyView {
    if row.newer_than_scope {
        return state("info", Icon::Add, "Newer than this sync");
    }
    if row.changed_in_last_run && row.item.first_seen_seq == row.item.changed_seq {
        return state("accent", Icon::Add, "New");
    }
    presence_state(&row.presence, row.changed_in_last_run)
}
