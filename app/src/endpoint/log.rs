//! What was sent to an endpoint, with every attempt.

use leptos::prelude::*;
use tenantatlas_domain::endpoint::DeliveryStatus;
use tenantatlas_store::deliveries::{Attempt, Delivery};
use tenantatlas_store::endpoints::Endpoint;

use super::functions::ReplayDelivery;
use super::load::Log;
use crate::address;
use crate::format::counted;
use crate::scope::Inside;
use crate::ui::active_form::ActiveForm;
use crate::ui::drawn::Drawn as _;
use crate::ui::form::hidden;
use crate::ui::icon::Icon;
use crate::ui::note::empty;
use crate::ui::pager::Pager;
use crate::ui::time::{day, moment};

/// The log of an endpoint.
pub fn log(inside: &Inside, endpoint: &Endpoint, log: &Log, later: bool) -> AnyView {
    let title = format!("Sent to {}", endpoint.name);
    let own = inside.address().endpoint(endpoint.id);
    let next = log.next.map(|(at, id)| {
        let place = [("show", endpoint.id.to_string()), ("before", format!("{}.{id}", at.as_millis()))];
        ("Older", address::with_query(&inside.address().endpoints(), place))
    });
    let pager = Pager { first: later.then_some(("Newest", own)), next, ..Pager::default() };
    let rows = log.deliveries.iter().map(|delivery| row(inside, delivery, &log.attempts)).collect_view();
    let list = if log.deliveries.is_empty() {
        empty(
            Icon::Bell,
            "Nothing was sent yet",
            "What happens from now on is sent. A test message shows whether it arrives.",
            None,
        )
    } else {
        view! {
            <div class="table-wrap">
                <table class="table cards">
                    <caption class="visually-hidden">"Messages"</caption>
                    <thead>
                        <tr>
                            <th scope="col">"Event"</th>
                            <th scope="col">"State"</th>
                            <th scope="col">"Written"</th>
                            <th scope="col">"Attempts"</th>
                            <th scope="col"><span class="visually-hidden">"Actions"</span></th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
        }
        .drawn()
    };
    view! {
        <section id="log" aria-labelledby="log-title">
            <h2 id="log-title">{title}</h2>
            <p class="quiet-text">{format!("Kept for {}. A message has the same ID at every attempt.", counted(u64::from(log.kept_days), "day", "days"))}</p>
            <div id="deliveries" data-live="">{list}</div>
            {pager.view()}
        </section>
    }
    .drawn()
}

fn row(inside: &Inside, delivery: &Delivery, attempts: &[Attempt]) -> AnyView {
    let (tone, icon, words) = match delivery.status {
        DeliveryStatus::Delivered => ("ok", Icon::Done, "Delivered"),
        DeliveryStatus::Failed => ("bad", Icon::Failed, "Given up"),
        DeliveryStatus::Waiting => ("info", Icon::Waiting, "Waiting"),
    };
    let next = (delivery.status == DeliveryStatus::Waiting && delivery.attempt > 0)
        .then(|| view! { <p class="quiet-text">"Next attempt "{moment(delivery.next_at.as_millis())}</p> });
    let event = match delivery.run_id {
        Some(run) => view! { <a href=inside.address().run(run)>{delivery.event.label()}</a> }.drawn(),
        None => delivery.event.label().drawn(),
    };
    let tries = attempts.iter().filter(|attempt| attempt.delivery_id == delivery.id).map(attempt).collect_view();
    let unsent = (delivery.attempt == 0).then(|| delivery.reason.clone());
    view! {
        <tr>
            <th scope="row" class="title">{event}<p class="quiet-text identifier">{delivery.id.to_string()}</p></th>
            <td data-label="State"><span class="state" data-tone=tone>{icon.view()}{words}</span>{next}</td>
            <td data-label="Written" class="quiet">{moment(delivery.created_at.as_millis())}</td>
            <td data-label="Attempts" class="wide"><ol class="plain-list">{tries}</ol>{unsent}</td>
            <td class="shrink">{replay(inside, delivery)}</td>
        </tr>
    }
    .drawn()
}

fn attempt(attempt: &Attempt) -> AnyView {
    let delivered =
        || attempt.http_status.map_or_else(|| "Delivered.".to_owned(), |status| format!("Delivered ({status})."));
    let reason = attempt.reason.clone().unwrap_or_else(delivered);
    view! { <li>{day(attempt.at.as_millis())}": "{reason}</li> }.drawn()
}

fn replay(inside: &Inside, delivery: &Delivery) -> Option<AnyView> {
    if delivery.status == DeliveryStatus::Waiting {
        return None;
    }
    let action = inside.address().function::<ReplayDelivery>();
    let label = format!("Send again: {}", delivery.id);
    let (endpoint, delivery) = (delivery.endpoint_id.to_string(), delivery.id.to_string());
    let form = view! {
        <ActiveForm action class="actions" error=None>
            {hidden("endpoint", endpoint)}
            {hidden("delivery", delivery)}
            <button class="button quiet small" aria-label=label>"Send again"</button>
        </ActiveForm>
    };
    Some(form.drawn())
}
