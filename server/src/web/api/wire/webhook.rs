//! Endpoints to which news of a tenant are sent, and what was sent to them.

use serde::{Deserialize, Serialize};
use tenantatlas_domain::endpoint::DeliveryStatus;
use tenantatlas_store::{deliveries, endpoints};
use utoipa::ToSchema;

use super::time::time;

/// Where news of a tenant are sent. Neither its address nor its secret is told again.
#[derive(Debug, Serialize, ToSchema)]
pub struct WebhookEndpoint {
    /// Its id.
    #[schema(format = "uuid")]
    pub id: String,
    /// webhook, teams, slack or mail.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// The host of its address, or how many mail addresses there are.
    pub host: String,
    /// The events that it is told.
    pub events: Vec<String>,
    /// Only ends of runs of these operations; of all where it is empty.
    pub operations: Vec<String>,
    /// Only ends of runs in these states; in all where it is empty.
    pub states: Vec<String>,
    /// Whether everything of a day is sent at once.
    pub digest: bool,
    /// Whether anything is sent.
    pub enabled: bool,
    /// Why it was switched off by itself.
    pub off_reason: Option<String>,
    /// The first failure since the last delivery.
    #[schema(format = DateTime)]
    pub failing_since: Option<String>,
    /// The last delivery.
    #[schema(format = DateTime)]
    pub delivered_at: Option<String>,
    /// The name of who added it.
    pub created_by: String,
    /// When it was added.
    #[schema(format = DateTime)]
    pub created_at: String,
}

impl From<&endpoints::Endpoint> for WebhookEndpoint {
    fn from(one: &endpoints::Endpoint) -> Self {
        Self {
            id: one.id.to_string(),
            kind: one.kind.as_str().to_owned(),
            name: one.name.clone(),
            host: one.address_shown.clone(),
            events: one.wanted.events.iter().map(|event| event.as_str().to_owned()).collect(),
            operations: one.wanted.operations.clone(),
            states: one.wanted.states.iter().map(|state| state.as_str().to_owned()).collect(),
            digest: one.digest,
            enabled: one.enabled,
            off_reason: one.off_reason.clone(),
            failing_since: one.failing_since.map(time),
            delivered_at: one.delivered_at.map(time),
            created_by: one.created_by_name.clone(),
            created_at: time(one.created_at),
        }
    }
}

/// Endpoints.
#[derive(Debug, Serialize, ToSchema)]
pub struct WebhookEndpoints {
    /// All of the tenant, by name.
    pub items: Vec<WebhookEndpoint>,
}

/// An endpoint to be added.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AddEndpoint {
    /// webhook, teams, slack or mail.
    pub kind: String,
    /// A name that no other endpoint of the tenant has.
    #[schema(min_length = 1, max_length = 80)]
    pub name: String,
    /// Where it lies: an address with https, or mail addresses with commas between.
    #[schema(min_length = 1, max_length = 4096)]
    pub address: String,
    /// The events that it is told, such as run.ended.
    #[schema(min_items = 1, max_items = 10)]
    pub events: Vec<String>,
    /// Only ends of runs of these operations, such as inventory.sync.
    #[serde(default)]
    #[schema(max_items = 50)]
    pub operations: Vec<String>,
    /// Only ends of runs in these states: succeeded, partially_succeeded, failed.
    #[serde(default)]
    #[schema(max_items = 3)]
    pub states: Vec<String>,
    /// Whether everything of a day is sent at once, which only mail can.
    #[serde(default)]
    pub digest: bool,
}

/// What of an endpoint is to be changed. What is left out stays; its kind and its address never change.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeEndpoint {
    /// A name that no other endpoint of the tenant has.
    #[schema(min_length = 1, max_length = 80)]
    pub name: Option<String>,
    /// The events that it is told, such as run.ended.
    #[schema(min_items = 1, max_items = 10)]
    pub events: Option<Vec<String>>,
    /// Only ends of runs of these operations; of all where it is empty.
    #[schema(max_items = 50)]
    pub operations: Option<Vec<String>>,
    /// Only ends of runs in these states: succeeded, partially_succeeded, failed; in all where it is empty.
    #[schema(max_items = 3)]
    pub states: Option<Vec<String>>,
    /// Whether everything of a day is sent at once, which only mail can.
    pub digest: Option<bool>,
    /// Whether anything is sent. What waits for one that is switched off is given up.
    pub enabled: Option<bool>,
}

/// An endpoint that was added.
#[derive(Debug, Serialize, ToSchema)]
pub struct AddedEndpoint {
    /// The endpoint.
    pub endpoint: WebhookEndpoint,
    /// What its messages are signed with, for a webhook. It is told this once: null when the request is sent again with its key.
    pub secret: Option<String>,
}

/// An attempt at a delivery.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeliveryAttempt {
    /// Its number, from one.
    pub attempt: u64,
    /// When it ended.
    #[schema(format = DateTime)]
    pub at: String,
    /// What the other side answered.
    pub http_status: Option<u16>,
    /// Why it failed; null when it succeeded.
    pub reason: Option<String>,
}

/// One message to one endpoint.
#[derive(Debug, Serialize, ToSchema)]
pub struct Delivery {
    /// Its id, the same at every attempt: what the receiver gets as webhook-id.
    #[schema(format = "uuid")]
    pub id: String,
    /// Its endpoint.
    #[schema(format = "uuid")]
    pub endpoint_id: String,
    /// Of what it tells.
    pub event: String,
    /// The run of which it tells.
    #[schema(format = "uuid")]
    pub run_id: Option<String>,
    /// waiting, delivered or failed.
    pub status: String,
    /// What the other side answered last.
    pub http_status: Option<u16>,
    /// Why the last attempt failed.
    pub reason: Option<String>,
    /// When it is tried next; null unless it waits.
    #[schema(format = DateTime)]
    pub next_at: Option<String>,
    /// When it was written.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// When it was delivered or given up.
    #[schema(format = DateTime)]
    pub ended_at: Option<String>,
    /// The attempts at it, in their order.
    pub attempts: Vec<DeliveryAttempt>,
}

impl Delivery {
    /// A delivery with those of the attempts that are its own.
    pub fn of(one: &deliveries::Delivery, attempts: &[deliveries::Attempt]) -> Self {
        let own = attempts.iter().filter(|attempt| attempt.delivery_id == one.id);
        let attempts = own.map(|attempt| DeliveryAttempt {
            attempt: attempt.attempt,
            at: time(attempt.at),
            http_status: attempt.http_status,
            reason: attempt.reason.clone(),
        });
        Self {
            id: one.id.to_string(),
            endpoint_id: one.endpoint_id.to_string(),
            event: one.event.as_str().to_owned(),
            run_id: one.run_id.map(|run| run.to_string()),
            status: one.status.as_str().to_owned(),
            http_status: one.http_status,
            reason: one.reason.clone(),
            next_at: (one.status == DeliveryStatus::Waiting).then(|| time(one.next_at)),
            created_at: time(one.created_at),
            ended_at: one.ended_at.map(time),
            attempts: attempts.collect(),
        }
    }
}

/// A page of what was sent to an endpoint.
#[derive(Debug, Serialize, ToSchema)]
pub struct Deliveries {
    /// Newest first.
    pub items: Vec<Delivery>,
    /// Where the next page begins; null on the last one.
    pub next: Option<String>,
}
