//! `tenantatlas webhook …`

use std::fmt::Display;
use std::str::FromStr;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use tenantatlas_domain::endpoint::{DeliveryStatus, EndpointKind, EventKind, Wanted};
use tenantatlas_domain::ids::{DeliveryId, TenantId};
use tenantatlas_domain::operation::OperationBucket;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_engine::{Actor, EndpointDetails, Engine};
use tenantatlas_store::deliveries::{self, Attempt, Delivery};
use tenantatlas_store::endpoints::{self, Endpoint};

use super::arguments::{WebhookAddArguments, WebhookCommand, WebhookReference};
use super::output::Output;
use super::secret_input;
use crate::exit::{Exit, ExitCode};
use crate::open;
use crate::settings::Settings;

/// How long a test waits for its answer: an attempt takes a quarter of that at most.
const TEST_PATIENCE: Duration = Duration::from_secs(60);
/// How often it is looked for.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// Adds, lists, tests and removes endpoints, and tells what was sent to them.
///
/// # Errors
/// Exit code 64 for what was typed wrong; 1 for a test that did not arrive.
pub async fn run(settings: &Settings, command: WebhookCommand, output: Output) -> Result<(), Exit> {
    let engine = open::engine(settings, open::without_workers()).await?;
    let result = obey(settings, &engine, command, output).await;
    engine.shutdown().await;
    result
}

async fn obey(settings: &Settings, engine: &Engine, command: WebhookCommand, output: Output) -> Result<(), Exit> {
    let actor = Actor::command_line();
    match command {
        WebhookCommand::Add(arguments) => add(engine, arguments, output).await,
        WebhookCommand::List { tenant } => list(engine, &tenant, output).await,
        WebhookCommand::Test(reference) => {
            let endpoint = found(engine, &reference).await?;
            let id = engine.test_endpoint(&actor, endpoint.tenant_id, endpoint.id).await?;
            let working = open::working(settings, engine);
            let ended = answered(engine, endpoint.tenant_id, id).await;
            working.shutdown().await;
            tell_test(&endpoint, &ended?, output)
        }
        WebhookCommand::Deliveries { endpoint, limit } => log(engine, &endpoint, limit, output).await,
        WebhookCommand::Replay { tenant, delivery } => {
            let tenant = open::tenant(engine.reader(), &tenant).await?;
            let unknown =
                || Exit::usage(format!("there is no delivery {delivery}: `tenantatlas webhook deliveries` lists them"));
            let id: DeliveryId = delivery.parse().map_err(|_| unknown())?;
            engine.replay_delivery(&actor, tenant.id, id).await?;
            output.document(&json!({ "id": id, "status": DeliveryStatus::Waiting }))?;
            output.line("The message is sent once more by the server, within seconds when one is running.")
        }
        WebhookCommand::Rotate(reference) => {
            let endpoint = found(engine, &reference).await?;
            let secret = engine.rotate_endpoint_secret(&actor, endpoint.tenant_id, endpoint.id).await?;
            output.document(&json!({ "id": endpoint.id, "secret": secret.expose_secret() }))?;
            show_secret(&secret, output)?;
            output.line("The secret before it signs as well for a day.")
        }
        WebhookCommand::Enable(reference) => switch(engine, &reference, true, output).await,
        WebhookCommand::Disable(reference) => switch(engine, &reference, false, output).await,
        WebhookCommand::Remove(reference) => {
            let endpoint = found(engine, &reference).await?;
            engine.remove_endpoint(&actor, endpoint.tenant_id, endpoint.id).await?;
            output.document(&json!({ "id": endpoint.id, "removed": true }))?;
            output.line(format!("{} is removed.", endpoint.name))
        }
    }
}

async fn add(engine: &Engine, arguments: WebhookAddArguments, output: Output) -> Result<(), Exit> {
    let tenant = open::tenant(engine.reader(), &arguments.tenant).await?;
    let address = match (&arguments.address_file, arguments.address) {
        (Some(file), _) => secret_input::first_line(file, "address")?.expose_secret().to_owned(),
        (None, Some(address)) => address,
        (None, None) => return Err(Exit::usage("expected --address-file or --address")),
    };
    let kind = named::<EndpointKind>("--kind", &arguments.kind)?;
    let wanted = Wanted {
        events: arguments.events.iter().map(|name| event(name)).collect::<Result<_, _>>()?,
        operations: arguments.operations,
        states: arguments.states.iter().map(|state| bucket(state)).collect::<Result<_, _>>()?,
    };
    let details = EndpointDetails { kind, name: arguments.name, address, wanted, digest: arguments.digest };
    let added = engine.add_endpoint(&Actor::command_line(), tenant.id, &details).await?;
    let secret = added.secret.as_ref().map(ExposeSecret::expose_secret);
    output.document(&json!({ "id": added.id, "name": details.name, "kind": kind, "secret": secret }))?;
    output.line(format!("{} is added.", details.name))?;
    match &added.secret {
        Some(secret) => show_secret(secret, output),
        None => Ok(()),
    }
}

fn show_secret(secret: &SecretString, output: Output) -> Result<(), Exit> {
    output.line(format!("Its secret, which is not shown again: {}", secret.expose_secret()))
}

fn named<T: FromStr<Err: Display>>(option: &str, text: &str) -> Result<T, Exit> {
    text.trim().parse().map_err(|error| Exit::usage(format!("{option}: {error}")))
}

fn event(name: &str) -> Result<EventKind, Exit> {
    let known = EventKind::CHOICES.iter().copied().find(|event| event.as_str() == name.trim());
    known.ok_or_else(|| {
        let names: Vec<&str> = EventKind::CHOICES.iter().map(|event| event.as_str()).collect();
        Exit::usage(format!("--events {name}: expected {}, several with commas between", names.join(", ")))
    })
}

fn bucket(name: &str) -> Result<OperationBucket, Exit> {
    let ends = [OperationBucket::Succeeded, OperationBucket::PartiallySucceeded, OperationBucket::Failed];
    ends.into_iter()
        .find(|bucket| bucket.as_str() == name.trim())
        .ok_or_else(|| Exit::usage(format!("--states {name}: expected succeeded, partially_succeeded or failed")))
}

/// The endpoint that a person means: its name whatever the case, or its id.
async fn found(engine: &Engine, reference: &WebhookReference) -> Result<Endpoint, Exit> {
    let tenant = open::tenant(engine.reader(), &reference.tenant).await?;
    let wanted = reference.endpoint.trim();
    let all = endpoints::list(engine.reader(), tenant.id).await?;
    let named = |endpoint: &Endpoint| {
        endpoint.name.to_lowercase() == wanted.to_lowercase() || endpoint.id.to_string() == wanted
    };
    all.into_iter().find(named).ok_or_else(|| {
        Exit::usage(format!(
            "{} has no endpoint \"{wanted}\": `tenantatlas webhook list --tenant \"{}\"` shows those there are",
            tenant.name, tenant.name
        ))
    })
}

async fn list(engine: &Engine, tenant: &str, output: Output) -> Result<(), Exit> {
    let tenant = open::tenant(engine.reader(), tenant).await?;
    let all = endpoints::list(engine.reader(), tenant.id).await?;
    output.document(&all)?;
    output.table(
        &["NAME", "KIND", "HOST", "EVENTS", "STATE", "DELIVERED", "ID"],
        all.iter().map(|endpoint| {
            vec![
                endpoint.name.clone(),
                endpoint.kind.as_str().to_owned(),
                endpoint.address_shown.clone(),
                endpoint.wanted.events.iter().map(|event| event.as_str()).collect::<Vec<_>>().join(","),
                state(endpoint).to_owned(),
                endpoint.delivered_at.map(Timestamp::to_rfc3339).unwrap_or_default(),
                endpoint.id.to_string(),
            ]
        }),
    )
}

const fn state(endpoint: &Endpoint) -> &'static str {
    match (endpoint.enabled, endpoint.failing_since.is_some()) {
        (false, _) => "off",
        (true, true) => "failing",
        (true, false) => "on",
    }
}

async fn switch(engine: &Engine, reference: &WebhookReference, on: bool, output: Output) -> Result<(), Exit> {
    let endpoint = found(engine, reference).await?;
    engine.switch_endpoint(&Actor::command_line(), endpoint.tenant_id, endpoint.id, on).await?;
    output.document(&json!({ "id": endpoint.id, "enabled": on }))?;
    output.line(format!("{} is {}.", endpoint.name, if on { "on" } else { "off" }))
}

/// The delivery of a test once it has ended.
async fn answered(engine: &Engine, tenant: TenantId, id: DeliveryId) -> Result<Delivery, Exit> {
    let look = async {
        loop {
            let delivery = deliveries::get(engine.reader(), tenant, id).await?;
            let delivery = delivery.ok_or_else(|| Exit::usage("the endpoint was removed meanwhile"))?;
            if delivery.status != DeliveryStatus::Waiting {
                return Ok(delivery);
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    };
    tokio::time::timeout(TEST_PATIENCE, look).await.unwrap_or_else(|_| {
        Err(Exit::new(
            ExitCode::Failed,
            "the test message was not sent within a minute: look at `tenantatlas webhook deliveries`",
        ))
    })
}

fn tell_test(endpoint: &Endpoint, delivery: &Delivery, output: Output) -> Result<(), Exit> {
    output.document(&document(delivery, &[]))?;
    if delivery.status == DeliveryStatus::Delivered {
        return output.line(format!("{} took the test message.", endpoint.name));
    }
    output.line(format!(
        "{}: {}",
        endpoint.name,
        delivery.reason.as_deref().unwrap_or("the message did not arrive")
    ))?;
    Err(Exit::silent(ExitCode::Failed))
}

async fn log(engine: &Engine, reference: &WebhookReference, limit: u32, output: Output) -> Result<(), Exit> {
    if !(1..=200).contains(&limit) {
        return Err(Exit::usage(format!("--limit {limit}: expected 1 to 200")));
    }
    let endpoint = found(engine, reference).await?;
    let (db, tenant) = (engine.reader(), endpoint.tenant_id);
    let all = deliveries::list(db, tenant, endpoint.id, None, limit).await?;
    let ids: Vec<DeliveryId> = all.iter().map(|delivery| delivery.id).collect();
    let attempts = deliveries::attempts(db, tenant, &ids).await?;
    output.document(&all.iter().map(|delivery| document(delivery, &attempts)).collect::<Vec<_>>())?;
    output.table(
        &["DELIVERY", "EVENT", "STATE", "ATTEMPTS", "ANSWER", "CREATED", "REASON"],
        all.iter().map(|delivery| {
            vec![
                delivery.id.to_string(),
                delivery.event.as_str().to_owned(),
                delivery.status.as_str().to_owned(),
                delivery.attempt.to_string(),
                delivery.http_status.map(|status| status.to_string()).unwrap_or_default(),
                delivery.created_at.to_rfc3339(),
                delivery.reason.clone().unwrap_or_default(),
            ]
        }),
    )
}

fn document(delivery: &Delivery, attempts: &[Attempt]) -> Value {
    let of_it = attempts.iter().filter(|attempt| attempt.delivery_id == delivery.id);
    let attempts: Vec<Value> = of_it
        .map(|one| json!({ "attempt": one.attempt, "at": one.at.to_rfc3339(), "http_status": one.http_status, "reason": one.reason }))
        .collect();
    json!({
        "id": delivery.id,
        "endpoint_id": delivery.endpoint_id,
        "event": delivery.event,
        "run_id": delivery.run_id,
        "status": delivery.status,
        "attempt": delivery.attempt,
        "http_status": delivery.http_status,
        "reason": delivery.reason,
        "next_at": (delivery.status == DeliveryStatus::Waiting).then(|| delivery.next_at.to_rfc3339()),
        "created_at": delivery.created_at.to_rfc3339(),
        "ended_at": delivery.ended_at.map(Timestamp::to_rfc3339),
        "attempts": attempts,
    })
}
