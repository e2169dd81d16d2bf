//! The table of a person's tenants. What moves in a row is fetched anew cell by cell, so that a row that is picked stays
//! picked, and focus and selected text stay where they are.

use leptos::prelude::*;
use tenantatlas_domain::presence::Confidence;
use tenantatlas_domain::role::Action;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_store::tenants::OverviewSort;

use super::functions::{SetFavourite, SyncTenants};
use super::list_page::sort_head;
use super::load::environment;
use super::overview::{TenantRow, TenantTable};
use crate::filter::ListFilter as _;
use crate::filter::tenant::TenantFilter;
use crate::run::model::progress;
use crate::ui::drawn::Drawn as _;
use crate::ui::form::hidden;
use crate::ui::icon::Icon;
use crate::ui::note::empty;
use crate::ui::state::{state, sync_state};
use crate::ui::time::moment;
use crate::{address, format, scope};

/// The form that the boxes of the rows belong to; the forms of the stars keep it from lying around them.
const FORM: &str = "sync-tenants";

/// The table with its form.
pub(super) fn tenant_table(shown: &TenantTable, filter: &TenantFilter) -> AnyView {
    if shown.rows.is_empty() {
        return empty(Icon::Search, "No results", "Change the search to see more tenants.", None);
    }
    let any = shown.rows.iter().any(may_sync);
    let action = address::function::<SyncTenants>();
    let back = filter.address(address::HOME);
    let head = |sort, words| sort_head(address::HOME, filter, sort, words);
    let form = any.then(|| {
        view! {
            <form id=FORM class="actions table-actions" method="post" action=action>
                {hidden("back", back)}
                <label class="check reveal">
                    <input type="checkbox" data-all=FORM autocomplete="off" />
                    "Pick all on this page"
                </label>
                <button class="button">{Icon::Turning.view()}"Sync these tenants"</button>
            </form>
        }
    });
    view! {
        {form}
        <div class="table-wrap">
            <table class="table cards tenants">
                <caption class="visually-hidden">"Your tenants"</caption>
                <thead>
                    <tr>
                        <th scope="col" class="shrink"><span class="visually-hidden">"Pick"</span></th>
                        {head(OverviewSort::Name, "Tenant")}
                        {head(OverviewSort::Failed, "Last sync")}
                        <th scope="col" class="number">"Types read"</th>
                        <th scope="col" class="number">"Missing"</th>
                        <th scope="col" class="number">"Changed"</th>
                        <th scope="col" class="number">"Items"</th>
                        {head(OverviewSort::Oldest, "Last read")}
                        <th scope="col">"Now"</th>
                        <th scope="col" class="shrink"><span class="visually-hidden">"Favorite"</span></th>
                    </tr>
                </thead>
                <tbody>{shown.rows.iter().map(row).collect_view()}</tbody>
            </table>
        </div>
    }
    .drawn()
}

fn may_sync(row: &TenantRow) -> bool {
    row.overview.visible.role.allows(Action::Sync)
}

fn row(row: &TenantRow) -> AnyView {
    let visible = &row.overview.visible;
    let tenant = &visible.tenant;
    let (at, environment) = (address::tenant(tenant.id), environment(tenant.environment));
    let id = tenant.id.to_string();
    let pick = may_sync(row).then(|| {
        let label = format!("Pick {}", tenant.name);
        view! { <input type="checkbox" name="tenants[]" value=id.clone() form=FORM aria-label=label autocomplete="off" /> }
    });
    view! {
        <tr>
            <td class="shrink pick">{pick}</td>
            <th scope="row" class="title">
                <a href=at.inventory()>{tenant.name.clone()}</a>
                <span class="under">
                    <span class="badge" data-tone=environment.tone()>{environment.label()}</span>
                    " "{visible.role.label()}
                </span>
            </th>
            {figures(row, &id)}
            <td id=format!("{id}-now") data-live="stays" data-label="Now" class="wide">{now(row)}</td>
            <td class="shrink star-cell">{star(row)}</td>
        </tr>
    }
    .drawn()
}

/// What the latest completed sync says. Of a tenant that was never read nothing is counted: a nought would be a claim.
fn figures(row: &TenantRow, id: &str) -> AnyView {
    let (counts, overview) = (&row.counts, &row.overview);
    let at = address::tenant(overview.visible.tenant.id);
    let told = |value: String| if overview.latest_run_id.is_some() { value } else { "–".to_owned() };
    let last = match (overview.latest_status, overview.latest_operation_id) {
        (Some(status), Some(run)) => view! { <a class="plain" href=at.run(run)>{sync_state(status)}</a> }.drawn(),
        _ => "Never read".drawn(),
    };
    let unsure = if counts.missing_confidence == Some(Confidence::Low) { " (unsure)" } else { "" };
    let missing = told(format!("{}{unsure}", format::number(counts.missing)));
    let read = overview.latest_finished_at.map(|at| moment(Timestamp::as_millis(at)));
    let types = told(format!("{} / {}", format::number(counts.types_read), format::number(counts.types_selected)));
    view! {
        <td id=format!("{id}-state") data-live="stays" data-label="Last sync">{last}</td>
        <td id=format!("{id}-types") data-live="stays" data-label="Types read" class="number">{types}</td>
        <td id=format!("{id}-missing") data-live="stays" data-label="Missing" class="number">{missing}</td>
        <td id=format!("{id}-changed") data-live="stays" data-label="Changed" class="number">
            {told(format::number(counts.changed))}
        </td>
        <td id=format!("{id}-items") data-live="stays" data-label="Items" class="number">
            {format::number(counts.known)}
        </td>
        <td id=format!("{id}-read") data-live="stays" data-label="Last read" class="quiet">{read}</td>
    }
    .drawn()
}

/// What goes on in it: the oldest active run with its progress, and how many more there are.
fn now(row: &TenantRow) -> Option<AnyView> {
    let run = row.active.as_ref()?;
    let state_of_run = scope::engine().ok()?.runs().state_of(run);
    let href = address::tenant(run.tenant_id).run(run.id);
    let more = (row.active_count > 1).then(|| format!(" and {} more", row.active_count - 1));
    let name = state_of_run.words.name.clone();
    let waits = run.started_at.is_none().then(|| state("idle", Icon::Waiting, "Queued"));
    Some(
        view! {
            <a href=href>{name.clone()}</a>{more}
            <progress
                max=run.counters.total.max(1).to_string()
                value=run.counters.processed.to_string()
                aria-label=format!("{name}, {}", run.tenant_name)
            ></progress>
            <span class="under number">{waits.unwrap_or_else(|| progress(&state_of_run).drawn())}</span>
        }
        .drawn(),
    )
}

fn star(row: &TenantRow) -> AnyView {
    let visible = &row.overview.visible;
    let favourite = visible.favourite;
    let name = &visible.tenant.name;
    let label = if favourite { format!("Remove {name} from favorites") } else { format!("Mark {name} as a favorite") };
    view! {
        <form method="post" action={address::tenant(visible.tenant.id).function::<SetFavourite>()}>
            {(!favourite).then(|| hidden("favourite", "true"))}
            <button class="icon-button star" aria-pressed=if favourite { "true" } else { "false" } aria-label=label>
                {Icon::Star.view()}
            </button>
        </form>
    }
    .drawn()
}
