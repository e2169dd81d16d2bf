//! The forms by which an endpoint is added and changed.

use leptos::prelude::*;
use tenantatlas_domain::endpoint::{EndpointKind, EventKind, Wanted};
use tenantatlas_domain::invisible::visible_on_page;
use tenantatlas_domain::operation::OperationBucket;
use tenantatlas_store::endpoints::Endpoint;

use super::functions::{AddEndpoint, ChangeEndpoint};
use crate::error::AppError;
use crate::scope::Inside;
use crate::ui::active_form::ActiveForm;
use crate::ui::card::section_card;
use crate::ui::drawn::Drawn as _;
use crate::ui::form::{field, hidden, name_field, options, several, tick};

/// The states in which a run ends.
const ENDS: [OperationBucket; 3] =
    [OperationBucket::Succeeded, OperationBucket::PartiallySucceeded, OperationBucket::Failed];

/// The form of a new endpoint.
pub(super) fn add(inside: &Inside, error: Option<AppError>) -> AnyView {
    let action = inside.address().function::<AddEndpoint>();
    let mail = inside.engine.sends_mail();
    let kinds = EndpointKind::ALL.iter().filter(move |kind| mail || **kind != EndpointKind::Mail);
    let kinds = kinds.map(|kind| (kind.as_str(), kind.label()));
    let (placeholder, hint) = if mail {
        (
            "",
            "Of mail up to 10 addresses with commas between them, else one that begins with https://. It is stored encrypted and never shown again; only its host is.",
        )
    } else {
        ("https://", "It is stored encrypted and never shown again; only its host is.")
    };
    let usual = Wanted { events: vec![EventKind::RunEnded], ..Wanted::default() };
    let known = std::iter::once((String::new(), "Any operation".to_owned())).chain(known_operations(inside));
    let known: Vec<_> = known.collect();
    section_card(
        "add",
        "Add an endpoint",
        view! {
            <ActiveForm action class="form" error>
                {field("kind", "Kind", None, view! { <select class="select" id="kind" name="kind">{options(kinds, "webhook")}</select> })}
                {name_field("")}
                {field("address", "Address", Some(hint), view! {
                    <input class="input" id="address" name="address" inputmode="url" maxlength="2560" placeholder=placeholder autocomplete="off" spellcheck="false" required data-secret="" />
                })}
                {listens(&usual)}
                {field("operation", "Runs of", None, view! { <select class="select" id="operation" name="operation">{options(known, "")}</select> })}
                {mail.then(|| digest(false))}
                <div class="form-foot"><button class="button primary">"Add"</button></div>
            </ActiveForm>
        },
    )
}

/// The form of an endpoint that is there. Its kind and its address never change.
pub(super) fn change(inside: &Inside, endpoint: &Endpoint, error: Option<AppError>) -> AnyView {
    let action = inside.address().function::<ChangeEndpoint>();
    let (id, back) = (endpoint.id.to_string(), inside.address().endpoints());
    let operations = several(known_operations(inside), &endpoint.wanted.operations);
    let (name, wanted) = (endpoint.name.clone(), endpoint.wanted.clone());
    let digests = (endpoint.kind == EndpointKind::Mail).then_some(endpoint.digest);
    let words = format!(
        "{} goes on to {}. Where it goes never changes: add another endpoint for that. What waits already is sent as it was written.",
        visible_on_page(&endpoint.name),
        endpoint.address_shown
    );
    section_card(
        "change",
        "Change the endpoint",
        view! {
            <p class="quiet-text">{words}</p>
            <ActiveForm action class="form" error>
                {hidden("endpoint", id)}
                {name_field(&name)}
                {listens(&wanted)}
                {field("operations", "Only runs of", Some("Any operation, where none is chosen."), view! {
                    <select class="select" id="operations" name="operations[]" multiple size="6">{operations}</select>
                })}
                {digests.map(digest)}
                <div class="form-foot">
                    <button class="button primary">"Save"</button>
                    <a class="button" href=back>"Leave it as it is"</a>
                </div>
            </ActiveForm>
        },
    )
}

fn known_operations(inside: &Inside) -> impl Iterator<Item = (String, String)> + use<> {
    let operations = inside.engine.runs().operations();
    let known = operations.kinds().into_iter();
    let known: Vec<_> =
        known.map(|kind| (kind.to_string(), operations.words(kind.resource, kind.action).operation)).collect();
    known.into_iter()
}

/// What it is told.
fn listens(wanted: &Wanted) -> AnyView {
    let events = EventKind::CHOICES.iter();
    let events = events.map(|one| tick("events[]", one.as_str(), one.label(), wanted.events.contains(one)));
    let states = ENDS.iter().map(|one| tick("states[]", one.as_str(), one.label(), wanted.states.contains(one)));
    let (events, states) = (events.collect_view(), states.collect_view());
    view! {
        <fieldset class="field">
            <legend>"Events"</legend>
            {events}
        </fieldset>
        <fieldset class="field">
            <legend>"Runs that ended as (any, where none is ticked)"</legend>
            {states}
        </fieldset>
    }
    .drawn()
}

fn digest(checked: bool) -> AnyView {
    tick("digest", "true", "Mail: everything of a day at once, at 6:00 UTC", checked)
}
