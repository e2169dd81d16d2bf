//! The endpoints of a tenant: what is sent where, and how that went.

use leptos::prelude::*;
use tenantatlas_domain::endpoint::EventKind;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_store::endpoints::Endpoint;

use super::form;
use super::functions::{
    AddEndpoint, ChangeEndpoint, RemoveEndpoint, ReplayDelivery, RotateEndpoint, SwitchEndpoint, TestEndpoint,
};
use super::load::{self, Before};
use super::log::log;
use crate::error::AppError;
use crate::frame::view::Section;
use crate::page::{done, query, refusal, tenant_page};
use crate::scope::Inside;
use crate::ui::active_form::ActiveForm;
use crate::ui::drawn::Drawn as _;
use crate::ui::form::hidden;
use crate::ui::icon::Icon;
use crate::ui::note::{confirm_note, done_note, empty, refusal_note};
use crate::ui::time::{moment, moment_or};

/// The endpoints; managers change them.
#[component]
pub fn EndpointsPage() -> impl IntoView {
    let query = query();
    let done = done(&query);
    let refused = refusal::<SwitchEndpoint>(&query).or_else(|| refusal::<RotateEndpoint>(&query));
    let refused = refused.or_else(|| refusal::<TestEndpoint>(&query)).or_else(|| refusal::<RemoveEndpoint>(&query));
    let refused = refused.or_else(|| refusal::<ReplayDelivery>(&query));
    let (add_error, change_error) = (refusal::<AddEndpoint>(&query), refusal::<ChangeEndpoint>(&query));
    let change = query("change");
    let (show, before) = (query("show"), query("before").and_then(|text| place(&text)));
    tenant_page(Section::Settings, move |inside| async move {
        let all = load::list(&inside).await?;
        let secret = load::new_secret(&inside).await?;
        let said = secret.map_or_else(|| done_note(done), |(endpoint, secret)| Some(secret_note(&endpoint, secret)));
        let shown = all.iter().find(|endpoint| Some(endpoint.id.to_string()) == show);
        // With one endpoint there is nothing to choose.
        let shown = shown.or_else(|| all.first().filter(|_| all.len() == 1));
        // The form that changes one takes the place of the one that adds one.
        let changed = all.iter().find(|endpoint| Some(endpoint.id.to_string()) == change);
        let form = match changed {
            Some(endpoint) => form::change(&inside, endpoint, change_error),
            None => form::add(&inside, add_error),
        };
        let shown = match shown {
            Some(endpoint) => {
                Some(log(&inside, endpoint, &load::log(&inside, endpoint, before).await?, before.is_some()))
            }
            None => None,
        };
        let confirm =
            confirm_note(&inside.session, &inside.address().endpoints(), "add an endpoint or replace a secret");
        let content = view! {
            {said}
            {refused.map(|error: AppError| refusal_note(&error))}
            <div class="page-head">
                <div>
                    <nav class="crumbs" aria-label="Breadcrumbs"><a href=inside.address().settings()>"Settings"</a></nav>
                    <h1>"Endpoints"</h1>
                    <p class="lead">"Where news of this tenant are sent: to programs, to Microsoft Teams, to Slack, by mail. Messages hold counts, names of operations and links, never secrets or policies."</p>
                </div>
            </div>
            {confirm}
            <div id="endpoints" data-live="">{list(&inside, &all)}</div>
            {shown}
            {form}
        }
        .drawn();
        Ok(("Endpoints".to_owned(), content))
    })
}

fn place(text: &str) -> Before {
    let (at, id) = text.split_once('.')?;
    Some((Timestamp::from_millis(at.parse().ok()?), id.parse().ok()?))
}

/// The secret that was just made.
fn secret_note(endpoint: &Endpoint, secret: String) -> AnyView {
    let name = endpoint.name.clone();
    view! {
        <div class="note" data-tone="ok" role="status">
            {Icon::Done.view()}
            <div>
                <p>
                    "With this secret messages to "{name}" are signed (Standard Webhooks). Enter it there. "
                    <strong>"It is shown only now."</strong>
                </p>
                <dl class="facts">
                    <dt>"Secret"</dt>
                    <dd>
                        <code class="identifier" id="endpoint-secret">{secret}</code>
                        <button class="button small copy" type="button" data-copy="endpoint-secret">{Icon::Copy.view()}<span aria-live="polite">"Copy"</span></button>
                    </dd>
                </dl>
            </div>
        </div>
    }
    .drawn()
}

fn list(inside: &Inside, all: &[Endpoint]) -> AnyView {
    if all.is_empty() {
        return empty(Icon::Bell, "No endpoints", "Nothing is sent elsewhere. Add an endpoint below.", None);
    }
    let rows = all.iter().map(|endpoint| row(inside, endpoint)).collect_view();
    view! {
        <div class="table-wrap">
            <table class="table cards">
                <caption class="visually-hidden">"Endpoints"</caption>
                <thead>
                    <tr>
                        <th scope="col">"Name"</th>
                        <th scope="col">"Goes to"</th>
                        <th scope="col">"Listens to"</th>
                        <th scope="col">"State"</th>
                        <th scope="col">"Last delivered"</th>
                        <th scope="col"><span class="visually-hidden">"Actions"</span></th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
    .drawn()
}

fn row(inside: &Inside, endpoint: &Endpoint) -> AnyView {
    let id = endpoint.id.to_string();
    let delivered = endpoint.delivered_at.map(Timestamp::as_millis);
    let added = format!("Added by {}", endpoint.created_by_name);
    view! {
        <tr>
            <th scope="row" class="title">
                <a href=format!("{}#log", inside.address().endpoint(&id))>{endpoint.name.clone()}</a>
                <p class="quiet-text">{added}</p>
            </th>
            <td data-label="Goes to" class="wide">{endpoint.kind.label()}{endpoint.digest.then_some(", once a day")}<p class="quiet-text">{endpoint.address_shown.clone()}</p></td>
            <td data-label="Listens to" class="wide">{listens(endpoint)}</td>
            <td data-label="State" class="wide">{state(endpoint)}</td>
            <td data-label="Last delivered" class="quiet">{moment_or(delivered, "never")}</td>
            <td class="shrink wide">{actions(inside, endpoint)}</td>
        </tr>
    }
    .drawn()
}

fn listens(endpoint: &Endpoint) -> String {
    let wanted = &endpoint.wanted;
    let events = wanted.events.iter().map(|event| match event {
        EventKind::RunEnded => {
            let states = wanted.states.iter().map(|state| state.label().to_lowercase());
            let narrowed: Vec<String> = wanted.operations.iter().cloned().chain(states).collect();
            let narrowed = if narrowed.is_empty() { String::new() } else { format!(" ({})", narrowed.join(", ")) };
            format!("{}{narrowed}", event.label())
        }
        other => other.label().to_owned(),
    });
    events.collect::<Vec<_>>().join("; ")
}

fn state(endpoint: &Endpoint) -> AnyView {
    let (tone, icon, words) = match (endpoint.enabled, endpoint.failing_since) {
        (false, _) => ("neutral", Icon::Skipped, "Off"),
        (true, Some(_)) => ("warn", Icon::Warning, "Failing"),
        (true, None) => ("ok", Icon::Done, "On"),
    };
    let why = endpoint.off_reason.clone().filter(|_| !endpoint.enabled);
    let since = endpoint.failing_since.map(|at| view! { <p class="quiet-text">"Since "{moment(at.as_millis())}</p> });
    let former = endpoint.former_until.map(|at| {
        view! { <p class="quiet-text">"The former secret signs as well, and ends "{moment(at.as_millis())}</p> }
    });
    view! {
        <span class="state" data-tone=tone>{icon.view()}{words}</span>
        {why.map(|why| view! { <p class="quiet-text">{why}</p> })}
        {since}
        {former}
    }
    .drawn()
}

fn actions(inside: &Inside, endpoint: &Endpoint) -> AnyView {
    let at = inside.address();
    let (to_be_tested, to_be_switched) = (endpoint.id.to_string(), endpoint.id.to_string());
    let (test, switch) = (at.function::<TestEndpoint>(), at.function::<SwitchEndpoint>());
    let named = |does: &str| format!("{does} {}", endpoint.name);
    let enabled = endpoint.enabled;
    let (change, to_change) = (at.endpoint_to_change(endpoint.id), named("Change"));
    let switched = (!enabled).then(|| hidden("enabled", "true"));
    let (to_test, to_switch) = (named("Test"), named(if enabled { "Switch off" } else { "Switch on" }));
    view! {
        <div class="actions">
            <a class="button quiet small" href=change aria-label=to_change>"Change"</a>
            <ActiveForm action=test class="actions" error=None>
                {hidden("endpoint", to_be_tested)}
                <button class="button quiet small" aria-label=to_test>"Test"</button>
            </ActiveForm>
            <ActiveForm action=switch class="actions" error=None>
                {hidden("endpoint", to_be_switched)}
                {switched}
                <button class="button quiet small" aria-label=to_switch>{if enabled { "Switch off" } else { "Switch on" }}</button>
            </ActiveForm>
            {endpoint.kind.is_signed().then(|| rotate(inside, endpoint))}
            {remove(inside, endpoint)}
        </div>
    }
    .drawn()
}

fn rotate(inside: &Inside, endpoint: &Endpoint) -> AnyView {
    let action = inside.address().function::<RotateEndpoint>();
    let (id, label) = (endpoint.id.to_string(), format!("New secret for {}", endpoint.name));
    view! {
        <ActiveForm action class="actions" error=None>
            {hidden("endpoint", id)}
            <button class="button quiet small" aria-label=label>"New secret"</button>
        </ActiveForm>
    }
    .drawn()
}

fn remove(inside: &Inside, endpoint: &Endpoint) -> AnyView {
    let action = inside.address().function::<RemoveEndpoint>();
    let endpoint_id = endpoint.id.to_string();
    let (id, title) = (format!("remove-{endpoint_id}"), format!("remove-{endpoint_id}-title"));
    let (target, close, labelled) = (id.clone(), id.clone(), title.clone());
    let (opens, question) = (format!("Remove {}", endpoint.name), format!("Remove {}?", endpoint.name));
    view! {
        <button class="button quiet small" type="button" popovertarget=target aria-label=opens>"Remove"</button>
        <div class="question" id=id popover="auto" role="dialog" aria-labelledby=labelled>
            <h2 id=title>{question}</h2>
            <p>"Nothing is sent there any more, and its log is deleted."</p>
            <ActiveForm action class="actions" error=None>
                {hidden("endpoint", endpoint_id)}
                <button class="button danger">"Yes, remove it"</button>
                <button class="button" type="button" popovertarget=close popovertargetaction="hide">"Keep it"</button>
            </ActiveForm>
        </div>
    }
    .drawn()
}
