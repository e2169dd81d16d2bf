//! The list of items below the figures.

use leptos::prelude::*;
use tenantatlas_domain::item_column::ItemColumn;
use tenantatlas_store::inventory::{StateFilter, Total};

use super::assigned_note::assigned_note;
use super::changes_note::changes_note;
use super::chips::chips;
use super::filters::filters;
use super::functions::SetColumns;
use super::group_hits::group_hits;
use super::load::InventoryView;
use super::saved_views::{save_form, saved_views};
use super::table::table;
use crate::error::AppError;
use crate::filter::ListFilter as _;
use crate::filter::inventory::InventoryFilter;
use crate::format;
use crate::scope::Inside;
use crate::ui::drawn::Drawn as _;
use crate::ui::form::hidden;
use crate::ui::icon::Icon;
use crate::ui::note::empty;

/// Filters, what is in force of them, and the rows.
pub fn list(inside: &Inside, address: &InventoryFilter, shown: &InventoryView, refused: Option<AppError>) -> AnyView {
    let base = inside.address().inventory();
    let content = if shown.page.rows.is_empty() { nothing(address, shown) } else { table(inside, address, shown) };
    view! {
        <section class="stack list" id="list" tabindex="-1" aria-labelledby="list-title">
            {head(inside, address, shown)}
            {saved_views(inside, address, shown, refused)}
            {filters(&base, address, shown)}
            {chips(&base, address, shown, save_form(inside, address, shown))}
            <div id="items" data-live="" data-part="">
                {group_hits(&inside.address().in_scope(address.scope), &shown.group_hits)}
                {assigned_note(inside, address, shown)}
                {changes_note(&base, address, shown)}
                {content}
            </div>
        </section>
    }
    .drawn()
}

/// How many a filter finds, in words.
pub fn total_words(total: Total) -> String {
    if total.exact {
        format::counted(total.items, "item", "items")
    } else {
        format!("more than {} items", format::number(total.items))
    }
}

fn head(inside: &Inside, address: &InventoryFilter, shown: &InventoryView) -> AnyView {
    let words = total_words(shown.total);
    let export = |kind: &'static str| {
        let href = address.first_page().address(&inside.address().inventory_export(&kind.to_lowercase()));
        let label = format!("Export {words} as {kind}");
        view! { <a class="button quiet small" href=href download="" aria-label=label>{Icon::Download.view()}{kind}</a> }
    };
    view! {
        <div class="section-head" id="list-head" data-live="" data-part="">
            <h2 id="list-title">"Items"<span class="count" id="list-total">{words.clone()}</span></h2>
            <div class="actions">
                <span class="quiet-text">{format!("Export {words}")}</span>
                {export("CSV")}
                {export("JSON")}
                {columns(inside, address, shown)}
            </div>
        </div>
    }
    .drawn()
}

/// Which columns are shown. What is chosen is kept for the person.
fn columns(inside: &Inside, address: &InventoryFilter, shown: &InventoryView) -> AnyView {
    let boxes = ItemColumn::ALL.iter().map(|column| {
        view! {
            <label class="check">
                <input type="checkbox" name="columns[]" value=column.as_str() checked=shown.kept.preferences.item_columns.contains(column) autocomplete="off" />
                {column.label()}
            </label>
        }
    });
    let action = inside.address().function::<SetColumns>();
    view! {
        <button class="button quiet small" type="button" popovertarget="columns">{Icon::Columns.view()}"Columns"</button>
        <form class="menu" id="columns" popover="auto" method="post" action=action>
            {hidden("query", address.query_text())}
            <fieldset>
                <legend class="menu-head">"Columns beside the name"</legend>
                {boxes.collect_view()}
            </fieldset>
            <button class="button primary">"Save"</button>
        </form>
    }
    .drawn()
}

/// What an empty list says: never more than was read and asked for.
fn nothing(address: &InventoryFilter, shown: &InventoryView) -> AnyView {
    match address.state.filter(|_| address.asks_for_state_alone()) {
        Some(StateFilter::Missing | StateFilter::NotRead | StateFilter::Changed) if shown.view.run.is_none() => empty(
            Icon::Waiting,
            "No sync has completed yet",
            "Only a completed sync can tell what is missing, not read or changed.",
            None,
        ),
        Some(StateFilter::Missing) => empty(
            Icon::Done,
            "Nothing is missing",
            "Every item of the types that were read to the end was seen in the last sync.",
            None,
        ),
        Some(StateFilter::NotRead) => {
            empty(Icon::Done, "Nothing is left open", "There is no item of which the last sync can say nothing.", None)
        }
        Some(StateFilter::Changed) => {
            empty(Icon::Done, "Nothing changed", "The last sync found no item new or changed.", None)
        }
        _ if address.is_filtered() || address.is_beyond_start() => empty(
            Icon::Search,
            "No results",
            "Remove a filter, or look at the coverage above: a type that was not read shows nothing. A search looks for every word in names, ids, types and groups.",
            None,
        ),
        _ => empty(
            Icon::Inventory,
            "No items",
            "The types that were read hold nothing. The coverage above says which were read.",
            None,
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_that_stopped_is_not_told_as_the_whole() {
        assert_eq!(total_words(Total { items: 1, exact: true }), "1 item");
        assert_eq!(total_words(Total { items: 1_171, exact: true }), "1,171 items");
        assert_eq!(total_words(Total { items: 10_000, exact: false }), "more than 10,000 items");
    }
}
