//! The inventory of a tenant.

use leptos::prelude::*;
use tenantatlas_domain::presence::Confidence;
use tenantatlas_domain::role::Action;
use tenantatlas_store::inventory::StateFilter;

use super::coverage::CoverageMark;
use super::coverage_strip::coverage_strip;
use super::elsewhere::as_of;
use super::filters::scope_choice;
use super::functions::{CaptureItems, RemoveView, RenameView, SaveView, SyncItems};
use super::list::list;
use super::load::{InventoryView, load};
use crate::filter::ListFilter as _;
use crate::filter::inventory::InventoryFilter;
use crate::format;
use crate::frame::view::{Place, Section};
use crate::page::{done, has_empty_parameter, query, refusal, see_other, tenant_page};
use crate::run::readers::readers;
use crate::scope::Inside;
use crate::sync::button::SyncButton;
use crate::ui::drawn::Drawn as _;
use crate::ui::icon::Icon;
use crate::ui::note::{done_note, empty, left_out_note};
use crate::ui::state::sync_state;
use crate::ui::time::moment;

/// In the place of a figure that only a completed run can give.
const NO_RUN: &str = "no sync has completed yet";

/// Figures, coverage, filters, and the list.
#[component]
pub fn InventoryPage() -> impl IntoView {
    let query = query();
    let (address, left_out) = (InventoryFilter::read(&query), InventoryFilter::left_out(&query));
    let done = done(&query);
    let refused = refusal::<SaveView>(&query).or_else(|| refusal::<RenameView>(&query));
    let refused = refused.or_else(|| refusal::<RemoveView>(&query)).or_else(|| refusal::<SyncItems>(&query));
    let refused = refused.or_else(|| refusal::<CaptureItems>(&query));
    let needless = has_empty_parameter();
    let place = Place { section: Section::Inventory, list: Some(address.first_page().query_text()) };
    tenant_page(place, move |inside| async move {
        if needless {
            // A form without script sends the fields that are empty as well.
            see_other(&address.address(&inside.address().inventory()));
        }
        let (shown, readers) = futures::join!(Box::pin(load(&inside, &address)), readers(&inside));
        let shown = shown?;
        let content = if shown.view.run.is_none() && shown.counts.known == 0 && !address.is_filtered() {
            first_time(&inside)
        } else {
            view! {
                {head(&inside, &address, &shown)}
                {readers}
                {figures(&inside, &shown)}
                {coverage_strip(&inside.address().inventory(), &address, &shown.coverage, &inside.address())}
                {left_out_note(&left_out)}
                {list(&inside, &address, &shown, refused)}
            }
            .drawn()
        };
        let content = view! { {done_note(done)} {content} }.drawn();
        Ok(("Inventory".to_owned(), content))
    })
}

fn first_time(inside: &Inside) -> AnyView {
    let can_sync = inside.role.allows(Action::Sync);
    let words = if can_sync {
        "Start the first sync: it reads every policy type of Intune and Entra, changes nothing in the tenant, and shows here what it found."
    } else {
        "Nobody has read this tenant yet. Somebody with the role of operator or more can start the first sync."
    };
    let id = inside.id();
    let action = can_sync.then(|| view! { <SyncButton tenant=id label="Start the first sync".to_owned() /> }.drawn());
    view! {
        <div id="inventory-empty" data-live="">
            <h1 class="visually-hidden">"Inventory"</h1>
            {empty(Icon::Inventory, "Nothing read yet", words, action)}
        </div>
    }
    .drawn()
}

fn head(inside: &Inside, address: &InventoryFilter, shown: &InventoryView) -> AnyView {
    let base = inside.address().inventory();
    let lead = as_of(&shown.view, None).unwrap_or_else(|| {
        view! { <p class="lead" id="as-of" data-live="">"No sync of this tenant has completed yet."</p> }.drawn()
    });
    let sync =
        inside.role.allows(Action::Sync).then(|| view! { <SyncButton tenant=inside.id() label="Sync".to_owned() /> });
    view! {
        <div class="page-head">
            <div>
                <h1>"Inventory"</h1>
                {lead}
                {scope_choice(&base, address, shown)}
            </div>
            <div class="actions">{sync}</div>
        </div>
    }
    .drawn()
}

fn figures(inside: &Inside, shown: &InventoryView) -> AnyView {
    let base = inside.address().inventory();
    let scope = shown.view.scope.as_ref().map(|scope| scope.id);
    let to = |state: Option<StateFilter>| InventoryFilter { state, scope, ..InventoryFilter::default() }.address(&base);
    let counts = &shown.counts;
    let sure = match counts.missing_confidence {
        Some(Confidence::High) => "certain",
        Some(Confidence::Low) if shown.view.run.as_ref().is_some_and(|run| run.had_errors) => {
            "unsure: the sync had errors"
        }
        Some(Confidence::Low) => "unsure: a list moved while it was read",
        None => "nothing is missing",
    };
    let last = shown.view.run.as_ref();
    // Without a completed run there is nothing to count, and a nought would claim that something was read.
    let told = |href: String, label: &'static str, value: String, detail: String| match last {
        Some(_) => figure(href, label, value, detail),
        None => figure(href, label, "–".to_owned(), NO_RUN.to_owned()),
    };
    let present = match last {
        Some(_) => format!("{} present", format::number(counts.present)),
        None => NO_RUN.to_owned(),
    };
    let last_href = last.map_or_else(|| inside.address().runs(), |run| inside.address().run(run.operation_run_id));
    view! {
        <section class="figures" id="figures" data-live="" aria-label="Figures">
            {figure(to(None), "Items", format::number(counts.known), present)}
            {told(
                "#coverage".to_owned(),
                "Types read",
                format!("{} / {}", format::number(counts.types_read), format::number(counts.types_selected)),
                types_unread(shown),
            )}
            {told(to(Some(StateFilter::Missing)), "Missing", format::number(counts.missing), sure.to_owned())}
            {told(to(Some(StateFilter::NotRead)), "Not read", format::number(counts.not_read), items_unread(shown))}
            {told(to(Some(StateFilter::Changed)), "Changed", format::number(counts.changed), "new or changed in the last sync".to_owned())}
            <a class="figure" href=last_href>
                <span class="label">"Last sync"</span>
                {match last {
                    Some(run) => view! {
                        <span class="detail">{sync_state(run.status)}</span>
                        <span class="detail">{moment(run.finished_at.unwrap_or(run.started_at).as_millis())}</span>
                    }.drawn(),
                    None => view! { <span class="value">"never"</span> }.drawn(),
                }}
            </a>
        </section>
    }
    .drawn()
}

/// What became of the types that were not read to the end.
fn types_unread(shown: &InventoryView) -> String {
    let of = |mark: CoverageMark| shown.coverage.iter().filter(|one| one.mark == mark).count();
    match (of(CoverageMark::Failed), of(CoverageMark::Skipped)) {
        (0, 0) if shown.counts.types_read == shown.counts.types_selected => "all that were asked for".to_owned(),
        (0, 0) => "the others were not reached".to_owned(),
        (0, skipped) => format!("{skipped} skipped, nothing to read"),
        (failed, 0) => format!("{failed} could not be read"),
        (failed, skipped) => format!("{failed} could not be read, {skipped} skipped"),
    }
}

/// Why nothing can be said of the items that were not read, as far as that is their type's absence from the selection.
fn items_unread(shown: &InventoryView) -> String {
    let outside = shown.coverage.iter().filter(|cell| cell.mark == CoverageMark::Outside);
    match outside.map(|cell| cell.not_read).sum::<u64>() {
        0 => "of the items known".to_owned(),
        outside => format!("{} not in this selection", format::number(outside)),
    }
}

fn figure(href: String, label: &'static str, value: String, detail: String) -> AnyView {
    view! {
        <a class="figure" href=href>
            <span class="label">{label}</span>
            <span class="value">{value}</span>
            <span class="detail">{detail}</span>
        </a>
    }
    .drawn()
}
