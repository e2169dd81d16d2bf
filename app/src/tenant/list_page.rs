//! The person's tenants.

use super::cards::{TenantCard, cards};
use super::functions::SetFavourite;
use super::load::environment;
use crate::page::{done, plain_page, query};
use crate::ui::form::hidden;
use crate::ui::icon::Icon;
use crate::ui::note::{done_note, empty};
use crate::ui::state::{state, sync_state};
use crate::ui::time::moment;
use crate::{address, format, scope};
use leptos::prelude::*;
use tenantatlas_domain::presence::Confidence;

/// One card per tenant: how complete its inventory is and when it was read.
#[component]
pub fn Home() -> impl IntoView {
    let done = done(&query());
    plain_page(move || async move {
        let session = scope::session()?;
        let cards = cards().await?;
        let lead = match cards.len() {
            0 => String::new(),
            count => format::counted(count as u64, "tenant", "tenants"),
        };
        let add = session.platform_admin.then(|| {
            view! { <a class="button primary" href=address::ADD_TENANT>{Icon::Add.view()}"Add a tenant"</a> }.into_any()
        });
        let content = if cards.is_empty() {
            let words = if session.platform_admin {
                "Add the first one: the page for it has a script that prepares everything at Microsoft."
            } else {
                "Nobody has given you a role in a tenant yet. An owner of the tenant or whoever administers this server can."
            };
            view! {
                <h1 class="visually-hidden">"Tenants"</h1>
                {empty(Icon::Tenant, "No tenants yet", words, add)}
            }
            .into_any()
        } else {
            view! {
                <div class="page-head">
                    <div><h1>"Tenants"</h1><p class="lead">{lead}</p></div>
                    <div class="actions">{add}</div>
                </div>
                <ul class="tenants">{cards.iter().map(card).collect_view()}</ul>
            }
            .into_any()
        };
        let content = view! { {done_note(done)} {content} }.into_any();
        Ok(("Tenants".to_owned(), content))
    })
}

fn card(card: &TenantCard) -> AnyView {
    let tenant = &card.visible.tenant;
    let environment = environment(tenant.environment);
    let at = address::tenant(tenant.id);
    let facts = match card.last {
        None => view! { <p class="line">"Never read completely."</p> }.into_any(),
        Some((status, at)) => {
            let (missing, confidence) = card.missing;
            let unsure = if confidence == Some(Confidence::Low) { ", unsure" } else { "" };
            view! {
                <p class="line number">
                    <span>{format::counted(card.items, "item", "items")}</span>
                    <span>{format!("{} of {} read", card.types.0, format::counted(card.types.1, "type", "types"))}</span>
                </p>
                <p class="line">
                    {sync_state(status)}
                    {(missing > 0).then(|| state("bad", Icon::Missing, format!("{} missing{unsure}", format::number(missing))))}
                    {(card.not_read > 0).then(|| state("idle", Icon::Unread, format!("{} not read", format::number(card.not_read))))}
                    <span>{moment(at.as_millis())}</span>
                </p>
            }
            .into_any()
        }
    };
    let favourite = card.visible.favourite;
    let label = if favourite {
        format!("Remove {} from favorites", tenant.name)
    } else {
        format!("Mark {} as favorite", tenant.name)
    };
    view! {
        <li class="tenant-card">
            <h2>
                <a href=at.inventory()>{tenant.name.clone()}</a>
            </h2>
            <p class="line">
                <span class="badge" data-tone=environment.tone()>{environment.label()}</span>
                <span>{card.visible.role.label()}</span>
                {(card.active > 0).then(|| state("info", Icon::Turning, "Syncing"))}
            </p>
            {facts}
            <form method="post" action={at.function::<SetFavourite>()}>
                {(!favourite).then(|| hidden("favourite", "true"))}
                <button class="icon-button star" aria-pressed=if favourite { "true" } else { "false" } aria-label=label>
                    {Icon::Star.view()}
                </button>
            </form>
        </li>
    }
    .into_any()
}
