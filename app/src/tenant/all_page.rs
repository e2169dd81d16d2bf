//! All tenants of this server, for those who administer it: what they are connected to, and whether that works.

use leptos::prelude::*;
use tenantatlas_domain::invisible::visible_on_page;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_store::tenants::{self, ConnectionStatus, ListedQuery, ListedSort, Tenant};

use super::list_page::{pages, search_field, sort_head};
use super::load::environment;
use crate::filter::ListFilter as _;
use crate::filter::tenant::{PAGE, TenantFilter};
use crate::page::{plain_page, query};
use crate::ui::drawn::Drawn as _;
use crate::ui::form::hidden;
use crate::ui::icon::Icon;
use crate::ui::note::empty;
use crate::ui::state::state;
use crate::ui::time::moment_or;
use crate::{address, format, scope};

/// The list by name, with a search.
#[component]
pub fn AllTenantsPage() -> impl IntoView {
    let filter = TenantFilter::<ListedSort>::read(query());
    plain_page(move || async move {
        scope::administrator()?;
        let engine = scope::engine()?;
        let query = ListedQuery {
            search: filter.search.clone(),
            sort: filter.order.sort,
            descending: filter.order.descending,
            offset: filter.page * PAGE,
            limit: PAGE,
        };
        let found = tenants::page(engine.reader(), &query).await?;
        let total = found.first().map_or(0, |first| first.total);
        let head = |sort, words| sort_head(address::ALL_TENANTS, &filter, sort, words);
        let rows = found.iter().map(|one| row(&one.tenant)).collect_view();
        let list = if found.is_empty() {
            empty(Icon::Tenant, "No results", "Change the search, or add a tenant.", None)
        } else {
            view! {
                <div class="table-wrap">
                    <table class="table cards">
                        <caption class="visually-hidden">"All tenants"</caption>
                        <thead>
                            <tr>
                                {head(ListedSort::Name, "Tenant")}
                                <th scope="col">"Entra tenant id"</th>
                                {head(ListedSort::Connection, "Connection")}
                                {head(ListedSort::Checked, "Checked")}
                                {head(ListedSort::Credential, "Credential")}
                                {head(ListedSort::Added, "Added")}
                            </tr>
                        </thead>
                        <tbody>{rows}</tbody>
                    </table>
                </div>
            }
            .drawn()
        };
        let content = view! {
            <div class="page-head">
                <div>
                    <nav class="crumbs" aria-label="Breadcrumbs"><a href=address::USERS>"Administration"</a></nav>
                    <h1>"All tenants"</h1>
                    <p class="lead" id="tenants-total" data-part="">{format::counted(total, "tenant", "tenants")}</p>
                </div>
                <div class="actions"><a class="button primary" href=address::ADD_TENANT>{Icon::Add.view()}"Add a tenant"</a></div>
            </div>
            {filters(&filter)}
            <div class="list" id="list" data-part="" tabindex="-1">
                {list}
                {pages(address::ALL_TENANTS, &filter, total)}
            </div>
        }
        .drawn();
        Ok(("All tenants".to_owned(), content))
    })
}

fn filters(filter: &TenantFilter<ListedSort>) -> AnyView {
    view! {
        <form class="filters" id="filters" data-part="" method="get" action=address::ALL_TENANTS role="search" data-auto="">
            {search_field(filter)}
            {(!filter.order.name.is_empty()).then(|| hidden("sort", filter.order.name))}
            <button class="button">"Apply"</button>
        </form>
    }
    .drawn()
}

fn row(tenant: &Tenant) -> AnyView {
    let at = address::tenant(tenant.id);
    let environment = environment(tenant.environment);
    let (tone, icon, words) = match tenant.connection_status {
        ConnectionStatus::Unchecked => ("idle", Icon::Waiting, "Not checked"),
        ConnectionStatus::Ok => ("ok", Icon::Done, "Works"),
        ConnectionStatus::Degraded => ("warn", Icon::Partly, "Lacks permissions"),
        ConnectionStatus::Failed => ("bad", Icon::Failed, "Does not work"),
    };
    let reason = tenant.connection_reason.map(|reason| view! { <span class="under">{reason.words()}</span> });
    let at_of = |at: Option<Timestamp>| at.map(Timestamp::as_millis);
    view! {
        <tr>
            <th scope="row" class="title">
                <a href=at.settings()>{tenant.name.clone()}</a>
                <span class="under"><span class="badge" data-tone=environment.tone()>{environment.label()}</span></span>
            </th>
            <td class="wide identifier" data-label="Entra tenant id">{visible_on_page(&tenant.entra_tenant_id).into_owned()}</td>
            <td data-label="Connection">{state(tone, icon, words)}{reason}</td>
            <td data-label="Checked" class="quiet">{moment_or(at_of(tenant.connection_checked_at), "never")}</td>
            <td data-label="Credential" class="quiet">{moment_or(at_of(tenant.credential_updated_at), "none")}</td>
            <td data-label="Added" class="quiet">{moment_or(Some(tenant.created_at.as_millis()), "–")}</td>
        </tr>
    }
    .drawn()
}
