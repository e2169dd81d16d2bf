//! What a group gets, and what it is excluded from.

use leptos::prelude::*;
use tenantatlas_domain::item_name::shown_name;
use tenantatlas_domain::references::{Assigned, Relationship, Unnamed};
use tenantatlas_domain::registry::{group_page, registry};
use tenantatlas_store::inventory::{AssignedType, Assignment, ItemRow};

use super::load::{GroupDetail, load};
use crate::address::TenantAddress;
use crate::error::AppError;
use crate::filter::ListFilter as _;
use crate::filter::group::{GroupFilter, only_name};
use crate::filter::inventory::InventoryFilter;
use crate::format;
use crate::frame::view::Section;
use crate::inventory::assigned::{filter_of, target_of};
use crate::inventory::elsewhere::as_of;
use crate::inventory::group_hits::assigned_label;
use crate::inventory::labels::type_label;
use crate::inventory::not_read::not_read_note;
use crate::inventory::table::row_state;
use crate::page::{path_part, query, tenant_page};
use crate::scope::Inside;
use crate::tenant::portal::{portal_button, portal_cloud};
use crate::ui::drawn::Drawn as _;
use crate::ui::icon::Icon;
use crate::ui::note::{empty, note};
use crate::ui::pager::Pager;
use crate::ui::state::state;

/// The items of a group by type, included and excluded, with their filters.
#[component]
pub fn GroupPage() -> impl IntoView {
    let id = path_part("group");
    let filter = GroupFilter::read(query());
    tenant_page(Section::Inventory, move |inside| async move {
        let assigned: Assigned = id.parse().map_err(|_| AppError::not_found("The group"))?;
        let detail = load(&inside, assigned, &filter).await?;
        let name = title(&detail);
        let content = view! {
            {head(&inside, &detail, &filter, &name)}
            {why_unnamed(&detail)}
            {not_read_note(&detail.not_read, "more may be assigned to it")}
            {by_type(&inside, &detail, &filter)}
            {items(&inside, &detail, &filter)}
        }
        .drawn();
        Ok((name, content))
    })
}

fn title(detail: &GroupDetail) -> String {
    match detail.assigned {
        Assigned::Nobody => "Not assigned".to_owned(),
        Assigned::To(_) => assigned_label(&detail.assigned, detail.group.as_ref()),
    }
}

fn head(inside: &Inside, detail: &GroupDetail, filter: &GroupFilter, name: &str) -> AnyView {
    let lead = match (&detail.group, &detail.assigned) {
        (Some(group), _) => view! { "Group "<span class="identifier">{group.external_id.clone()}</span> }.drawn(),
        (None, Assigned::Nobody) => "Items that could be assigned and are to nobody.".drawn(),
        (None, Assigned::To(_)) => "Built in: every item that is assigned to it.".drawn(),
    };
    let at = inside.address().in_scope(filter.scope);
    let others = [Assigned::all_users(), Assigned::all_devices(), Assigned::Nobody]
        .into_iter()
        .filter(|one| *one != detail.assigned)
        .map(|one| {
            let label = if one == Assigned::Nobody { "Not assigned".to_owned() } else { assigned_label(&one, None) };
            view! { <a class="button quiet small" href=at.group(&one)>{label}</a> }
        })
        .collect_view();
    let included =
        InventoryFilter { assigned: Some(detail.assigned.clone()), scope: filter.scope, ..InventoryFilter::default() };
    let group = detail.assigned.group();
    let excluded =
        group.map(|id| InventoryFilter { excluded: Some(id), scope: filter.scope, ..InventoryFilter::default() });
    // Files hold one side: the one that is shown alone, or else what it gets.
    let side = excluded.clone().filter(|_| filter.only == Some(Relationship::ExcludedFrom));
    let (side, words) = match (side, group) {
        (Some(side), _) => (side, ", excluded"),
        (None, Some(_)) => (included.clone(), ", included"),
        (None, None) => (included.clone(), ""),
    };
    let side = InventoryFilter { policy_type: filter.policy_type.clone(), ..side };
    let export = |kind: &'static str| {
        let href = side.address(&inside.address().inventory_export(&kind.to_lowercase()));
        view! { <a class="button quiet small" href=href download="">{Icon::Download.view()}{kind}{words}</a> }
    };
    let excluded = excluded.map(|list| {
        view! { <a href=list.address(&inside.address().inventory())>"Excluded, in the list"</a> }
    });
    view! {
        <div class="page-head">
            <div>
                <nav class="crumbs" aria-label="Breadcrumbs">
                    <a href=at.inventory_in_scope()>"Inventory"</a>
                    <span aria-hidden="true">"/"</span>
                    <a href=included.address(&inside.address().inventory())>"In the list"</a>
                    {excluded.map(|link| view! { <span aria-hidden="true">"/"</span> {link} })}
                </nav>
                <h1>{name.to_owned()}</h1>
                <p class="lead">{lead}</p>
                {as_of(&detail.view, filter.scope.map(|_| inside.address().group(&detail.assigned)))}
            </div>
            <div class="actions">
                {portal(inside, detail)}
                {others}
                {export("CSV")}
                {export("JSON")}
            </div>
        </div>
    }
    .drawn()
}

/// The page of the group in Microsoft's admin center.
fn portal(inside: &Inside, detail: &GroupDetail) -> Option<AnyView> {
    let group = detail.group.as_ref().filter(|group| group.unnamed != Some(Unnamed::Gone))?;
    let cloud = portal_cloud(inside.tenant.cloud)?;
    Some(portal_button(group_page(cloud, &inside.tenant.entra_tenant_id, &group.external_id)))
}

/// Why a group has no name, or has it no more.
fn why_unnamed(detail: &GroupDetail) -> Option<AnyView> {
    let group = detail.group.as_ref()?;
    match (group.unnamed, &group.display_name) {
        (Some(Unnamed::Gone), _) => Some(note(
            "warn",
            "The directory does not have this group any more. What is assigned to it reaches nobody.",
        )),
        (Some(Unnamed::Refused), _) => Some(note(
            "info",
            "The application may not read the name of this group. Add the application permission GroupMember.Read.All and sync again.",
        )),
        (None, None) => Some(note("info", "The name of this group has not been looked up yet; the next sync does it.")),
        (None, Some(_)) => None,
    }
}

fn by_type(inside: &Inside, detail: &GroupDetail, filter: &GroupFilter) -> Option<AnyView> {
    if detail.types.types.is_empty() {
        return None;
    }
    let base = inside.address().group(&detail.assigned);
    let to = |key: &str, only: Option<Relationship>| {
        GroupFilter { policy_type: Some(key.to_owned()), only, scope: filter.scope, ..GroupFilter::default() }
            .address(&base)
    };
    let nobody = detail.assigned == Assigned::Nobody;
    let count = |one: &AssignedType, only: Relationship, number: u64| match number {
        0 => "0".drawn(),
        _ => view! { <a href=to(&one.policy_type, Some(only))>{format::number(number)}</a> }.drawn(),
    };
    let summary = format!("By type: {}", format::counted(detail.types.types.len() as u64, "type", "types"));
    let rows = detail.types.types.iter().map(|one| {
        let category = registry().get(&one.policy_type).map_or("", |known| known.category.label());
        let chosen = filter.policy_type.as_deref() == Some(one.policy_type.as_str());
        view! {
            <tr aria-current=chosen.then_some("true")>
                <th scope="row" class="title"><a href=to(&one.policy_type, None)>{type_label(&one.policy_type)}</a></th>
                <td data-label="Category">{category}</td>
                <td data-label=if nobody { "Items" } else { "Included" }>{count(one, Relationship::AssignedTo, one.included)}</td>
                {(!nobody).then(|| view! { <td data-label="Excluded">{count(one, Relationship::ExcludedFrom, one.excluded)}</td> })}
            </tr>
        }
    });
    let more = detail.types.more.then(|| {
        view! { <p class="quiet-text">"Only the first 20,000 are counted here; the list below goes on."</p> }
    });
    Some(
        view! {
            <section aria-labelledby="types-title">
                <details class="folds" id="by-type">
                    <summary class="button">{Icon::Down.view()}{summary}</summary>
                    <div class="section-head"><h2 id="types-title">"By type"</h2></div>
                    <div class="table-wrap">
                        <table class="table cards">
                            <caption class="visually-hidden">"By type"</caption>
                            <thead><tr>
                                <th scope="col">"Type"</th>
                                <th scope="col">"Category"</th>
                                <th scope="col">{if nobody { "Items" } else { "Included" }}</th>
                                {(!nobody).then(|| view! { <th scope="col">"Excluded"</th> })}
                            </tr></thead>
                            <tbody>{rows.collect_view()}</tbody>
                        </table>
                    </div>
                    {more}
                </details>
            </section>
        }
        .drawn(),
    )
}

fn items(inside: &Inside, detail: &GroupDetail, filter: &GroupFilter) -> AnyView {
    let what = match (&filter.policy_type, filter.only) {
        (None, None) => "Items".to_owned(),
        (Some(key), None) => type_label(key),
        (None, Some(only)) => format!("Items, {}", only_name(only)),
        (Some(key), Some(only)) => format!("{}, {}", type_label(key), only_name(only)),
    };
    let all = (filter.policy_type.is_some() || filter.only.is_some()).then(|| {
        let href = inside.address().in_scope(filter.scope).group(&detail.assigned);
        view! { <a class="button quiet small" href=href>"Show all"</a> }
    });
    let body = if detail.page.rows.is_empty() { nothing(detail) } else { table(inside, detail, filter) };
    view! {
        <section class="stack" aria-labelledby="list-title">
            <div class="section-head"><h2 id="list-title">{what}<span class="count">{total_words(detail, filter)}</span></h2>{all}</div>
            {body}
        </section>
    }
    .drawn()
}

/// How much it gets on all pages, included and excluded, as far as it is counted.
fn total_words(detail: &GroupDetail, filter: &GroupFilter) -> String {
    let fits = |one: &&AssignedType| filter.policy_type.as_ref().is_none_or(|key| *key == one.policy_type);
    let types = || detail.types.types.iter().filter(fits);
    let included = types().map(|one| one.included).sum::<u64>();
    let excluded = types().map(|one| one.excluded).sum::<u64>();
    let mut words = match (&detail.assigned, filter.only) {
        (Assigned::Nobody, _) => format::counted(included, "item", "items"),
        (_, Some(Relationship::ExcludedFrom)) => format!("{} excluded", format::number(excluded)),
        (_, Some(_)) => format!("{} included", format::number(included)),
        (_, None) => format!("{} included, {} excluded", format::number(included), format::number(excluded)),
    };
    if detail.types.more {
        words.insert_str(0, "more than ");
    }
    words
}

/// What an empty list says: never more than was read.
fn nothing(detail: &GroupDetail) -> AnyView {
    let words = match (&detail.assigned, detail.not_read.is_empty()) {
        (Assigned::Nobody, true) => "Every item that was read and can be assigned is assigned to somebody.",
        (Assigned::To(_), true) => "No item that was read is assigned to it or excludes it.",
        (_, false) => {
            "Nothing was found in the types that were read to the end. Others were not, so this may not be all."
        }
    };
    empty(Icon::Search, "Nothing found", words, None)
}

fn table(inside: &Inside, detail: &GroupDetail, filter: &GroupFilter) -> AnyView {
    let base = inside.address().group(&detail.assigned);
    let at = inside.address().in_scope(filter.scope);
    let start = filter.first_page();
    let next = detail.page.next.clone().map(|after| GroupFilter { after: Some(after), ..start.clone() });
    let previous = detail.page.previous.clone().map(|before| GroupFilter { before: Some(before), ..start.clone() });
    let pager = Pager {
        caption: Some(format!("{} on this page", format::counted(detail.page.rows.len() as u64, "item", "items"))),
        first: previous.is_some().then(|| ("From the start", start.address(&base))),
        previous: previous.map(|previous| ("Previous", previous.address(&base))),
        next: next.map(|next| ("Next", next.address(&base))),
    };
    view! {
        <div class="table-wrap">
            <table class="table cards">
                <caption class="visually-hidden">"Items"</caption>
                <thead><tr>
                    <th scope="col">"Name"</th>
                    <th scope="col">"Type"</th>
                    <th scope="col">"Assignment"</th>
                    <th scope="col">"Filter"</th>
                    <th scope="col">"State"</th>
                </tr></thead>
                <tbody>{detail.page.rows.iter().map(|row| item_row(&at, &detail.assigned, row)).collect_view()}</tbody>
            </table>
        </div>
        {pager.view()}
    }
    .drawn()
}

fn item_row(at: &TenantAddress, assigned: &Assigned, row: &ItemRow) -> AnyView {
    let item = &row.item;
    let id = assigned.external_id();
    let of_group: Vec<&Assignment> = row
        .assignments
        .iter()
        .filter(|one| id.as_deref().is_some_and(|id| id.eq_ignore_ascii_case(&one.target_id)))
        .collect();
    let marks = of_group.iter().map(|one| side(one.is_included())).collect_view();
    let filters: Vec<String> = of_group.iter().filter_map(|one| filter_of(one)).collect();
    let excluded: Vec<String> = row.assignments.iter().filter(|one| !one.is_included()).map(target_of).collect();
    let told = match (assigned, excluded.is_empty()) {
        (Assigned::Nobody, true) => "Not assigned".drawn(),
        (Assigned::Nobody, false) => format!("Not assigned; excludes {}", excluded.join(", ")).drawn(),
        (Assigned::To(_), _) => marks.drawn(),
    };
    view! {
        <tr>
            <th scope="row" class="title">
                <a href=at.item(item.id)>{shown_name(&item.display_name, &item.external_id).into_owned()}</a>
            </th>
            <td data-label="Type">{type_label(&item.policy_type)}</td>
            <td data-label="Assignment">{told}</td>
            <td data-label="Filter">{if filters.is_empty() { "–".to_owned() } else { filters.join(", ") }}</td>
            <td data-label="State">{row_state(row)}</td>
        </tr>
    }
    .drawn()
}

/// Whether an assignment includes or excludes.
pub(crate) fn side(included: bool) -> AnyView {
    if included { state("ok", Icon::Included, "Included") } else { state("bad", Icon::Excluded, "Excluded") }
}
