//! One item.

use leptos::prelude::*;
use tenantatlas_domain::ids::ItemId;
use tenantatlas_domain::item_name::shown_name;
use tenantatlas_domain::presence::{Confidence, Presence};
use tenantatlas_domain::references::{Assigned, Relationship, filter_words};
use tenantatlas_domain::registry::{portal, registry};
use tenantatlas_domain::sanitise::META_ASSIGNMENTS;
use tenantatlas_store::inventory::{OutgoingLink, RunReading, TypeState};
use tenantatlas_store::scopes::ScopeId;

use super::changed_by::attribution;
use super::elsewhere::read_elsewhere;
use super::functions::{CaptureItems, ReadAuditEvents};
use super::history::history;
use super::item::{ItemDetail, fact_text, load, property_label, value_moment};
use super::labels::{platform_label, type_label};
use super::table::{identifier, row_state};
use super::versions::versions;
use crate::error::AppError;
use crate::filter::ListFilter as _;
use crate::filter::inventory::InventoryFilter;
use crate::format;
use crate::frame::view::Section;
use crate::group::page::side;
use crate::page::{path_part, query, refusal, tenant_page};
use crate::relation::lists::{is_assignment, relations};
use crate::relation::words::{kind_word, target_name};
use crate::scope::Inside;
use crate::tenant::portal::portal_cloud;
use crate::ui::card::section_card;
use crate::ui::drawn::Drawn as _;
use crate::ui::icon::Icon;
use crate::ui::note::{note, refusal_note};
use crate::ui::state::{state, sync_state};
use crate::ui::time::{day, moment};

/// Runs shown at first.
const RUNS_SHOWN: usize = 20;

/// What it is, where it is assigned, what it is related to, how it changed, and which runs saw it.
#[component]
pub fn ItemPage() -> impl IntoView {
    let id = path_part("item");
    let query = query();
    let refused = refusal::<CaptureItems>(&query).or_else(|| refusal::<ReadAuditEvents>(&query));
    let scope = query("scope").and_then(|text| text.parse().ok()).map(ScopeId);
    let after: Option<ItemId> = query("after").and_then(|text| text.parse().ok());
    tenant_page(Section::Inventory, move |inside| async move {
        let id: ItemId = id.parse().map_err(|_| AppError::not_found("The item"))?;
        let detail = load(&inside, id, scope, after).await?;
        let item = &detail.row.item;
        let name = shown_name(&item.display_name, &item.external_id).into_owned();
        let content = view! {
            <div class="page-head">
                <div>
                    <nav class="crumbs" aria-label="Breadcrumbs">
                        <a href=inside.address().inventory()>"Inventory"</a>
                        <span aria-hidden="true">"/"</span>
                        <a href=inside.address().items_of_type(&item.policy_type)>{type_label(&item.policy_type)}</a>
                    </nav>
                    <h1>{name.clone()}</h1>
                </div>
                <div class="actions">{row_state(&detail.row)} {portal_link(&inside, &detail, &name)}</div>
            </div>
            {refused.map(|error: AppError| refusal_note(&error))}
            {explanation(&detail)}
            {elsewhere(&inside, &detail)}
            <div class="columns">
                {facts(&detail)}
                {assignments(&inside, &detail)}
            </div>
            {relations(&inside, &detail.view, item, &detail.relations, (scope, after))}
            {versions(&inside, &detail)}
            {history(&detail)}
            {runs(&inside, &detail)}
        }
        .drawn();
        Ok((name, content))
    })
}

/// The page of the item in Microsoft's admin center, or the list there in which it stands.
fn portal_link(inside: &Inside, detail: &ItemDetail, name: &str) -> Option<AnyView> {
    let item = &detail.row.item;
    let cloud = portal_cloud(inside.tenant.cloud)?;
    let portal = portal(registry().get(&item.policy_type)?)?;
    let link = portal.link(cloud, &inside.tenant.entra_tenant_id, &item.external_id, name)?;
    let words = if link.exact {
        format!("Open in {}", link.site.label())
    } else {
        format!("Open the list in {}", link.site.label())
    };
    Some(
        view! {
            <a class="button" href=link.address target="_blank" rel="noopener noreferrer" title="Microsoft's admin center, in a new tab">
                {Icon::Outside.view()}
                {words}
                <span class="visually-hidden">" (Microsoft's admin center, new tab)"</span>
            </a>
        }
        .drawn(),
    )
}

/// What the state means, where it needs words.
fn explanation(detail: &ItemDetail) -> Option<AnyView> {
    match &detail.row.presence {
        _ if detail.row.newer_than_scope => Some(note(
            "info",
            "It became known after the sync that is shown here began; that sync could not have seen it.",
        )),
        Presence::Present => None,
        Presence::Missing { confidence } => {
            let moved = detail.view.types.get(&detail.row.item.policy_type).is_some_and(TypeState::was_unsteady);
            let sure = match confidence {
                Confidence::High => "The sync ran without errors, so this is certain.",
                Confidence::Low if moved => {
                    "The list moved while it was read, so the item may have been passed over. Sync again to be sure."
                }
                Confidence::Low => "The sync had errors in other types, so take it with care.",
            };
            Some(note(
                "warn",
                format!(
                    "The last sync read this type to the end and did not see the item. {sure} It is kept here as it was last seen."
                ),
            ))
        }
        Presence::NotRead { reason, last_full_read } => {
            let why = reason.map_or("The last sync did not read this type to the end.", |reason| reason.sentence());
            let earlier = last_full_read.as_ref().map(|read| {
                let said = if read.seen { "and saw the item" } else { "and did not see the item" };
                view! { <p>"The last full read of the type was "{moment(read.at.as_millis())}" "{said}"."</p> }
            });
            Some(note("info", view! { <p>"Whether it is still there is not known. "{why}</p> {earlier} }))
        }
    }
}

/// What another selection says of the item, where it read the type to the end more recently.
fn elsewhere(inside: &Inside, detail: &ItemDetail) -> Option<AnyView> {
    let key = &detail.row.item.policy_type;
    let state = detail.view.types.get(key)?;
    let read = state.read_elsewhere.as_ref()?;
    let told = if detail.seen_elsewhere? { "it was there" } else { "it was not there" };
    Some(read_elsewhere(&inside.address(), key, read, state.run.is_some(), told.to_owned()))
}

fn facts(detail: &ItemDetail) -> AnyView {
    let item = &detail.row.item;
    let meta: Vec<_> = item
        .meta
        .iter()
        .filter(|(key, _)| key.as_str() != META_ASSIGNMENTS)
        .filter_map(|(key, value)| {
            let words = match value_moment(value) {
                Some(at) => day(at.as_millis()),
                None => fact_text(key, value, &detail.relations.references)?.drawn(),
            };
            Some(view! { <dt>{property_label(key)}</dt> <dd>{words}</dd> })
        })
        .collect();
    section_card(
        "facts",
        "Facts",
        view! {
            <dl class="facts">
                <dt>"Type"</dt><dd>{type_label(&item.policy_type)}</dd>
                <dt>"Platform"</dt><dd>{platform_label(&item.platform)}</dd>
                <dt>"ID"</dt><dd>{identifier(&item.external_id, "this item")}</dd>
                <dt>"First seen"</dt><dd>{moment(item.first_seen_at.as_millis())}</dd>
                <dt>"Last seen"</dt><dd>{moment(item.last_seen_at.as_millis())}</dd>
                <dt>"Changed"</dt><dd>{moment(item.changed_at.as_millis())}</dd>
                {meta}
                {detail.changed_by.item.as_ref().map(|who| view! { <dt>"Changed by"</dt> <dd>{attribution(who)}</dd> })}
            </dl>
        },
    )
}

fn assignments(inside: &Inside, detail: &ItemDetail) -> AnyView {
    let links = detail.relations.references.iter().filter(|one| is_assignment(one));
    let links: Vec<&OutgoingLink> = links.map(|one| &one.link).collect();
    let body = if links.is_empty() {
        nobody(inside, detail)
    } else {
        let rows = links
            .into_iter()
            .map(|link| {
                let name = match Assigned::of(link.target_kind, &link.target_external_id) {
                    Some(group) => view! { <a href=inside.address().group(&group)>{target_name(link)}</a> }.drawn(),
                    None => target_name(link).drawn(),
                };
                let filter = link_filter(inside, link);
                view! {
                    <li>
                        {side(link.relationship == Relationship::AssignedTo)}
                        <span class="grow">{name}{filter}</span>
                        <span class="quiet">{kind_word(link.target_kind)}</span>
                    </li>
                }
            })
            .collect_view();
        view! { <ul class="rows">{rows}</ul> }.drawn()
    };
    let omitted = detail.row.item.links_omitted;
    section_card(
        "assignments",
        "Assigned to",
        view! {
            {body}
            {(omitted > 0).then(|| view! {
                <p class="quiet-text">{format!("{} more references are counted, not listed.", format::number(u64::from(omitted)))}</p>
            })}
        },
    )
}

/// What is said where no assignment is told.
fn nobody(inside: &Inside, detail: &ItemDetail) -> AnyView {
    match (detail.row.item.assigned, detail.row.item.meta.contains_key(META_ASSIGNMENTS)) {
        (Some(false), _) => {
            let href = inside.address().group(&Assigned::Nobody);
            view! { <p class="quiet-text">"It is assigned to nobody, like "<a href=href>"all that is not assigned"</a>"."</p> }
                .drawn()
        }
        (Some(true), _) => view! { <p class="quiet-text">"It is assigned, to more than is listed here."</p> }.drawn(),
        (None, true) => {
            view! { <p class="quiet-text">"Its assignments have not been read by this version yet."</p> }.drawn()
        }
        (None, false) => view! { <p class="quiet-text">"Items of this type have no assignments."</p> }.drawn(),
    }
}

/// The filter of an assignment, which includes or excludes; it leads to the filter.
fn link_filter(inside: &Inside, link: &OutgoingLink) -> Option<AnyView> {
    let (mode, id) = (link.filter_mode?, link.filter_id.as_deref()?);
    let words = filter_words(mode, id, link.filter_name.as_deref());
    let href = InventoryFilter {
        policy_type: Some("assignmentFilter".to_owned()),
        search: id.to_owned(),
        ..InventoryFilter::default()
    }
    .address(&inside.address().inventory());
    Some(view! { <span class="quiet">" · "<a href=href>{words}</a></span> }.drawn())
}

fn runs(inside: &Inside, detail: &ItemDetail) -> AnyView {
    let rows = detail
        .runs
        .iter()
        .take(RUNS_SHOWN)
        .map(|run| {
            let said = match run.reading {
                RunReading::Seen => state("ok", Icon::Done, "Seen"),
                RunReading::NotThere => state("bad", Icon::Missing, "Not there"),
                RunReading::NotRead => state("idle", Icon::Unread, "Type not read"),
            };
            view! {
                <li>
                    {said}
                    <span class="grow"><a href=inside.address().run_of_sync(run.run_id)>"Sync "{moment(run.started_at.as_millis())}</a></span>
                    {sync_state(run.status)}
                </li>
            }
        })
        .collect_view();
    let hidden = detail.runs.len().saturating_sub(RUNS_SHOWN);
    section_card(
        "runs",
        "Syncs that looked for it",
        view! {
            <ul class="rows">{rows}</ul>
            {(hidden > 0).then(|| view! { <p class="quiet-text">{format!("{hidden} earlier ones.")}</p> })}
        },
    )
}
