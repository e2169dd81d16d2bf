//! The pages of the list: of a tenant, and of all tenants of a person.

use leptos::prelude::*;
use tenantatlas_domain::role::Action;
use tenantatlas_store::operation_runs::Initiator;

use super::filters::{Typed, buckets, filters, in_force};
use super::initiators::{Unmatched, resolve, unmatched_note};
use super::load::{Hub, Place, initiators, load};
use super::outcome::outcome_note;
use super::rows::rows;
use super::selection::selection;
use crate::error::AppError;
use crate::filter::ListFilter as _;
use crate::filter::run::RunFilter;
use crate::frame::view::Section;
use crate::page::{plain_page, query, refusal, tenant_page};
use crate::run::functions::{CancelRuns, RetryRuns};
use crate::sync::button::SyncButton;
use crate::ui::drawn::Drawn as _;
use crate::ui::note::{left_out_note, refusal_note};
use crate::{address, scope};

/// What the address says besides the filter: what was done to many runs, or why it was refused.
struct Said {
    outcome: Option<String>,
    refused: Option<AppError>,
    /// What of the address is not understood.
    left_out: Vec<(&'static str, String)>,
}

impl Said {
    fn read(query: &impl Fn(&str) -> Option<String>) -> Self {
        let refused = refusal::<CancelRuns>(query).or_else(|| refusal::<RetryRuns>(query));
        Self { outcome: query("outcome"), refused, left_out: RunFilter::left_out(query) }
    }
}

/// The runs of a tenant.
#[component]
pub fn RunsPage() -> impl IntoView {
    let query = query();
    let (filter, said) = (RunFilter::read(&query), Said::read(&query));
    tenant_page(Section::Runs, move |inside| async move {
        let sync = inside
            .role
            .allows(Action::Sync)
            .then(|| view! { <SyncButton tenant=inside.id() label="Sync".to_owned() /> }.drawn());
        content(&Place::of_tenant(&inside), &filter, said, sync).await
    })
}

/// The runs of all tenants of a person.
#[component]
pub fn AllRunsPage() -> impl IntoView {
    let query = query();
    let (filter, said) = (RunFilter::read(&query), Said::read(&query));
    plain_page(move || async move {
        content(&Place::of_person(scope::engine()?, scope::session()?), &filter, said, None).await
    })
}

async fn content(
    place: &Place,
    filter: &RunFilter,
    said: Said,
    sync: Option<AnyView>,
) -> Result<(String, AnyView), AppError> {
    let (mut filter, mut left_out) = understood(place, filter, said.left_out);
    let (unmatched, known) = started_by(place, &mut filter, &mut left_out).await?;
    let is_understood = left_out.is_empty() && unmatched.is_none();
    let filter = &filter;
    let hub = load(place, filter, known).await?;
    let typed = Typed::of(unmatched.as_ref(), &left_out);
    let over_tenants = place.tenant.is_none();
    let lead = match over_tenants {
        true => "Everything that is running or has run on your tenants.",
        false => "Everything that is running or has run on this tenant.",
    };
    let elsewhere = (!over_tenants).then(|| {
        let href = filter.first_page().address(address::RUNS);
        view! { <a class="button" href=href>"All tenants"</a> }
    });
    let scheduled =
        place.tenant_id().map_or_else(|| address::SCHEDULES.to_owned(), |id| address::tenant(id).schedules());
    let schedules = view! { <a class="button" href=scheduled>"Schedules"</a> };
    let title = if over_tenants { "Runs of all tenants" } else { "Runs" };
    let content = view! {
        {outcome_note(said.outcome.as_deref())}
        {said.refused.map(|error| refusal_note(&error))}
        <div class="page-head">
            <div>
                {over_tenants.then(|| view! {
                    <nav class="crumbs" aria-label="Breadcrumbs"><a href=address::HOME>"All tenants"</a></nav>
                })}
                <h1>{title}</h1>
                <p class="lead">{lead}</p>
            </div>
            <div class="actions">{schedules}{elsewhere}{sync}</div>
        </div>
        <div id="not-understood" data-part="">
            {left_out_note(&left_out)}
            {unmatched.as_ref().map(unmatched_note)}
        </div>
        {filters(place, filter, &hub, typed)}
        {in_force(place, filter, &hub)}
        <div id="runs" class="stack" data-live="" data-part="">
            {buckets(place, filter, &hub.counted)}
            {list(place, filter, &hub, is_understood)}
        </div>
    }
    .drawn();
    Ok((title.to_owned(), content))
}

/// The filter without an operation that there is none of, and what else of the address is not understood.
fn understood(
    place: &Place,
    filter: &RunFilter,
    mut left_out: Vec<(&'static str, String)>,
) -> (RunFilter, Vec<(&'static str, String)>) {
    let mut filter = filter.clone();
    let wanted = filter.operation_name();
    let is_known = place.engine.runs().operations().kinds().iter().any(|kind| kind.to_string() == wanted);
    if filter.operation.is_some() && !is_known {
        left_out.push(("operation", wanted));
        filter.operation = None;
    }
    (filter, left_out)
}

/// Takes the name that stands in the address for whoever has it, or says why it names nobody; and those who started runs, if they
/// were looked up for it.
async fn started_by(
    place: &Place,
    filter: &mut RunFilter,
    left_out: &mut Vec<(&'static str, String)>,
) -> Result<(Option<Unmatched>, Option<Vec<Initiator>>), AppError> {
    let Some(at) = left_out.iter().position(|(name, _)| *name == "by") else { return Ok((None, None)) };
    let (_, typed) = left_out.remove(at);
    let known = initiators(place, filter).await?;
    Ok((resolve(place, filter, &typed, &known).err(), Some(known)))
}

/// The list, and what can be done with what was picked; with all that the filter finds only where that is what was asked for.
fn list(place: &Place, filter: &RunFilter, hub: &Hub, is_understood: bool) -> AnyView {
    view! { {rows(place, filter, hub)} {selection(place, filter, hub, is_understood)} }.drawn()
}
