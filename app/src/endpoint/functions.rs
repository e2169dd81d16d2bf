//! What a person does with endpoints.
#![allow(missing_docs, reason = "the macro makes a type per function whose fields are the parameters")]

use leptos::prelude::*;
use tenantatlas_domain::endpoint::{EndpointKind, EventKind};
use tenantatlas_domain::operation::OperationBucket;

use crate::error::AppError;
#[cfg(feature = "ssr")]
use {
    crate::{
        access::Rule,
        done::Done,
        redirect::go_to_with,
        scope::{self, Inside},
        session::origin::origin,
    },
    secrecy::ExposeSecret as _,
    tenantatlas_domain::endpoint::Wanted,
    tenantatlas_domain::ids::EndpointId,
    tenantatlas_domain::role::Action,
    tenantatlas_engine::{EndpointChange, EndpointDetails},
};

#[cfg(feature = "ssr")]
fn named(endpoint: &str) -> Result<(Inside, EndpointId), AppError> {
    let inside = scope::acting(Action::EditEndpoints)?;
    let id = endpoint.parse().map_err(|_| AppError::not_found("The endpoint"))?;
    Ok((inside, id))
}

/// Adds an endpoint; its secret is shown once, on the page that this leads to.
///
/// # Errors
/// Forbidden below manager; to be confirmed; an address, a name or events that are not acceptable.
#[server(prefix = "/api", endpoint = "add_endpoint")]
pub async fn add_endpoint(
    kind: EndpointKind,
    name: String,
    address: String,
    #[server(default)] events: Vec<EventKind>,
    #[server(default)] states: Vec<OperationBucket>,
    #[server(default)] operation: String,
    #[server(default)] digest: bool,
) -> Result<(), AppError> {
    let inside = scope::acting(Action::EditEndpoints)?;
    let origin = origin()?;
    let operations = Some(operation).filter(|operation| !operation.is_empty()).into_iter().collect();
    let details = EndpointDetails { kind, name, address, wanted: Wanted { events, operations, states }, digest };
    let added = inside.engine.add_endpoint(&inside.session.actor(), inside.id(), &details).await?;
    if let Some(secret) = added.secret {
        origin.show_link(secret.expose_secret());
    }
    go_to_with(&inside.address().endpoint(added.id), Done::EndpointAdded);
    Ok(())
}
rule!(AddEndpoint, Rule::Member(Action::EditEndpoints));

/// Changes what an endpoint is called and what it is told. Its kind and its address stay.
///
/// # Errors
/// Forbidden below manager; no such endpoint; a name or events that are not acceptable.
#[server(prefix = "/api", endpoint = "change_endpoint")]
pub async fn change_endpoint(
    endpoint: String,
    name: String,
    #[server(default)] events: Vec<EventKind>,
    #[server(default)] states: Vec<OperationBucket>,
    #[server(default)] operations: Vec<String>,
    #[server(default)] digest: bool,
) -> Result<(), AppError> {
    let (inside, id) = named(&endpoint)?;
    let wanted = Some(Wanted { events, operations, states });
    let change = EndpointChange { name: Some(name), wanted, digest: Some(digest), enabled: None };
    inside.engine.change_endpoint(&inside.session.actor(), inside.id(), id, &change).await?;
    go_to_with(&inside.address().endpoint(id), Done::EndpointSaved);
    Ok(())
}
rule!(ChangeEndpoint, Rule::Member(Action::EditEndpoints));

/// Switches an endpoint on or off.
///
/// # Errors
/// Forbidden below manager; no such endpoint.
#[server(prefix = "/api", endpoint = "switch_endpoint")]
pub async fn switch_endpoint(endpoint: String, #[server(default)] enabled: bool) -> Result<(), AppError> {
    let (inside, id) = named(&endpoint)?;
    inside.engine.switch_endpoint(&inside.session.actor(), inside.id(), id, enabled).await?;
    go_to_with(&inside.address().endpoint(id), Done::EndpointSaved);
    Ok(())
}
rule!(SwitchEndpoint, Rule::Member(Action::EditEndpoints));

/// Replaces the secret of an endpoint; the new one is shown once.
///
/// # Errors
/// Forbidden below manager; to be confirmed; no such endpoint, or one without a secret.
#[server(prefix = "/api", endpoint = "rotate_endpoint")]
pub async fn rotate_endpoint(endpoint: String) -> Result<(), AppError> {
    let (inside, id) = named(&endpoint)?;
    let origin = origin()?;
    let secret = inside.engine.rotate_endpoint_secret(&inside.session.actor(), inside.id(), id).await?;
    origin.show_link(secret.expose_secret());
    go_to_with(&inside.address().endpoint(id), Done::EndpointSaved);
    Ok(())
}
rule!(RotateEndpoint, Rule::Member(Action::EditEndpoints));

/// Sends a test message; the log of the endpoint tells how it went.
///
/// # Errors
/// Forbidden below manager; no such endpoint; too many in a short time.
#[server(prefix = "/api", endpoint = "test_endpoint")]
pub async fn test_endpoint(endpoint: String) -> Result<(), AppError> {
    let (inside, id) = named(&endpoint)?;
    inside.engine.test_endpoint(&inside.session.actor(), inside.id(), id).await?;
    go_to_with(&inside.address().endpoint(id), Done::MessageSent);
    Ok(())
}
rule!(TestEndpoint, Rule::Member(Action::EditEndpoints));

/// Removes an endpoint with what is known of its deliveries.
///
/// # Errors
/// Forbidden below manager; no such endpoint.
#[server(prefix = "/api", endpoint = "remove_endpoint")]
pub async fn remove_endpoint(endpoint: String) -> Result<(), AppError> {
    let (inside, id) = named(&endpoint)?;
    inside.engine.remove_endpoint(&inside.session.actor(), inside.id(), id).await?;
    go_to_with(&inside.address().endpoints(), Done::EndpointRemoved);
    Ok(())
}
rule!(RemoveEndpoint, Rule::Member(Action::EditEndpoints));

/// Sends a message once more, under the same id.
///
/// # Errors
/// Forbidden below manager; no such message; it waits to be sent already.
#[server(prefix = "/api", endpoint = "replay_delivery")]
pub async fn replay_delivery(endpoint: String, delivery: String) -> Result<(), AppError> {
    let (inside, id) = named(&endpoint)?;
    let delivery = delivery.parse().map_err(|_| AppError::not_found("The delivery"))?;
    inside.engine.replay_delivery(&inside.session.actor(), inside.id(), delivery).await?;
    go_to_with(&inside.address().endpoint(id), Done::MessageSent);
    Ok(())
}
rule!(ReplayDelivery, Rule::Member(Action::EditEndpoints));
