//! The person's tenants, as a table that stays useful at a thousand of them.

use leptos::prelude::*;
use tenantatlas_store::tenants::OverviewSort;

use super::functions::SyncTenants;
use super::overview::table;
use super::sync_answer::{SyncAnswer, answer_note};
use super::table::tenant_table;
use crate::filter::ListFilter as _;
use crate::filter::tenant::{PAGE, Sorts, TenantFilter};
use crate::page::{done, plain_page, query, refusal};
use crate::ui::drawn::Drawn as _;
use crate::ui::form::options;
use crate::ui::icon::Icon;
use crate::ui::note::{done_note, empty, refusal_note};
use crate::ui::pager::Pager;
use crate::{address, format, scope};

/// One row per tenant: how complete its inventory is, when it was read, and what goes on.
#[component]
pub fn Home() -> impl IntoView {
    let query = query();
    let done = done(&query);
    let refused = refusal::<SyncTenants>(&query);
    let filter = <TenantFilter>::read(&query);
    let answer = SyncAnswer::read(&query);
    plain_page(move || async move {
        let session = scope::session()?;
        let shown = table(&filter).await?;
        let answer = answer_note(&answer).await?;
        let add = session.platform_admin.then(|| {
            view! { <a class="button primary" href=address::ADD_TENANT>{Icon::Add.view()}"Add a tenant"</a> }.drawn()
        });
        let content = if shown.total == 0 && filter == TenantFilter::default() {
            let words = if session.platform_admin {
                "Add the first one: the page for it has a script that prepares everything at Microsoft."
            } else {
                "Nobody has given you a role in a tenant yet. An owner of the tenant or whoever administers this server can."
            };
            view! {
                <h1 class="visually-hidden">"Tenants"</h1>
                {empty(Icon::Tenant, "No tenants yet", words, add)}
            }
            .drawn()
        } else {
            view! {
                <div class="page-head">
                    <div><h1>"Tenants"</h1><p class="lead" id="tenants-total" data-part="">{format::counted(shown.total, "tenant", "tenants")}</p></div>
                    <div class="actions">{add}</div>
                </div>
                {filters(&filter)}
                <div class="list" id="list" data-part="" tabindex="-1">
                    {tenant_table(&shown, &filter)}
                    {pages(address::HOME, &filter, shown.total)}
                </div>
            }
            .drawn()
        };
        let content = view! {
            {done_note(done)}
            {refused.map(|error| refusal_note(&error))}
            {answer}
            {content}
        }
        .drawn();
        Ok(("Tenants".to_owned(), content))
    })
}

fn filters(filter: &TenantFilter) -> AnyView {
    let orders = OverviewSort::ORDERS.iter().map(|order| (order.name, order.words));
    let filtered = *filter != TenantFilter::default();
    view! {
        <form class="filters" id="filters" data-part="" method="get" action=address::HOME role="search" data-auto="">
            {search_field(filter)}
            <select class="select" name="sort" id="filter-sort" aria-label="Order">{options(orders, filter.order.name)}</select>
            <button class="button">"Apply"</button>
            {filtered.then(|| view! { <a class="button quiet" href=address::HOME data-stay="">"Clear"</a> })}
        </form>
    }
    .drawn()
}

/// The field that searches tenants by name.
pub(super) fn search_field<S: Sorts>(filter: &TenantFilter<S>) -> AnyView {
    view! {
        <div class="search">
            {Icon::Search.view()}
            <input
                class="input" type="search" name="q" id="filter-q" value=filter.search.clone() placeholder="Search tenants"
                aria-label="Search tenants" data-search="" maxlength="200"
            />
        </div>
    }
    .drawn()
}

/// The head of a column that a list is sorted by: it leads to the other direction of that order, or to this order.
pub(super) fn sort_head<S: Sorts>(
    path: &'static str,
    filter: &TenantFilter<S>,
    sort: S,
    words: &'static str,
) -> AnyView {
    let order = (filter.order.sort == sort).then_some(filter.order.descending);
    let (told, icon) = match order {
        Some(true) => (Some("descending"), Some(Icon::Down)),
        Some(false) => (Some("ascending"), Some(Icon::Up)),
        None => (None, None),
    };
    let href = filter.turned(sort).address(path);
    view! { <th scope="col" aria-sort=told><a href=href>{words}{icon.map(Icon::view)}</a></th> }.drawn()
}

/// The links between the pages of a list of tenants at `path`.
pub(super) fn pages<S: Sorts>(path: &'static str, filter: &TenantFilter<S>, total: u64) -> Option<AnyView> {
    let last = u32::try_from(total.saturating_sub(1) / u64::from(PAGE)).unwrap_or(0);
    if last == 0 {
        return None;
    }
    let to = |page: u32| TenantFilter { page, ..filter.clone() }.address(path);
    let pager = Pager {
        caption: Some(format!("Page {} of {}", filter.page + 1, last + 1)),
        previous: filter.page.checked_sub(1).map(|page| ("Previous", to(page))),
        next: (filter.page < last).then(|| ("Next", to(filter.page + 1))),
        ..Pager::default()
    };
    pager.view()
}
