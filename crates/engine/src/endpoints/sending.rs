//! One attempt to deliver a message.

use std::time::{Duration, SystemTime};

use reqwest::{StatusCode, header};
use secrecy::ExposeSecret as _;
use tenantatlas_domain::endpoint::EndpointKind;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_graph::parse_retry_after;
use tenantatlas_net::{Connector, Destination, is_refusal};
use tenantatlas_store::deliveries::Delivery;
use tenantatlas_store::endpoints::OpenEndpoint;
use tenantatlas_store::tenants::Tenant;
use url::Url;

use super::{message, signature};

/// How long one attempt may take, from the first byte sent to the head of the answer.
const TIMEOUT: Duration = Duration::from_secs(15);
/// What is read of an answer, bytes, where it matters.
const READ_AT_MOST: usize = 65_536;
/// Said of whatever kept an answer from coming: what is behind an address is told to nobody who did not know it.
const NO_ANSWER: &str = "No answer: the address was not reached, is not public, or did not answer within 15 seconds.";

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ended {
    /// The other side took it.
    Delivered(Option<u16>),
    /// It did not. With what it answered, why, how long it wants quiet, and whether it wants that for all messages.
    Failed {
        /// The status of its answer, if there was one.
        status: Option<u16>,
        /// Why, in a sentence.
        reason: String,
        /// How long it asks to be left alone.
        asked: Option<Duration>,
        /// Whether it is overburdened: then nothing else is sent to it meanwhile either.
        throttled: bool,
    },
    /// It wants nothing any more.
    Gone {
        /// The status of its answer.
        status: u16,
        /// Why, in a sentence.
        reason: String,
    },
}

impl Ended {
    pub(super) fn failed(status: Option<u16>, reason: impl Into<String>) -> Self {
        Self::Failed { status, reason: reason.into(), asked: None, throttled: false }
    }

    /// The word for it in figures and traces.
    pub(super) const fn outcome(&self) -> &'static str {
        match self {
            Self::Delivered(_) => "delivered",
            Self::Failed { .. } => "failed",
            Self::Gone { .. } => "gone",
        }
    }

    /// The status of the answer, if there was one.
    pub(super) const fn status(&self) -> Option<u16> {
        match self {
            Self::Delivered(status) | Self::Failed { status, .. } => *status,
            Self::Gone { status, .. } => Some(*status),
        }
    }
}

/// Sends a message to the address of an endpoint.
pub(super) async fn send(
    connector: &Connector,
    open: &OpenEndpoint,
    delivery: &Delivery,
    tenant: &Tenant,
    public_url: Option<&Url>,
    now: Timestamp,
) -> Ended {
    let Ok(url) = Url::parse(open.address.expose_secret()) else {
        return Ended::failed(None, "The address cannot be read: remove the endpoint and add it again.");
    };
    let kind = open.endpoint.kind;
    let body = message::body(kind, delivery, tenant, public_url);
    let client = match connector.client(&url, Destination::Entered).await {
        Ok(client) => client,
        Err(error) => {
            tracing::info!(%error, endpoint = %open.endpoint.id, "nothing was sent to an endpoint");
            return Ended::failed(None, NO_ANSWER);
        }
    };
    let mut request = client.post(url).header(header::CONTENT_TYPE, "application/json");
    if kind.is_signed() {
        let (id, seconds) = (delivery.id.to_string(), now.as_millis().div_euclid(1_000));
        request = request
            .header("webhook-signature", signature::sign(&open.secrets, &id, seconds, &body))
            .header("webhook-timestamp", seconds)
            .header("webhook-id", id);
    }
    let exchange = async {
        let answer = request.body(body).send().await?;
        judge(kind, answer).await
    };
    match tokio::time::timeout(TIMEOUT, exchange).await {
        Ok(Ok(ended)) => ended,
        Ok(Err(error)) => {
            // The address of an error may hold a right.
            let error = error.without_url();
            tracing::info!(refused = is_refusal(&error), %error, endpoint = %open.endpoint.id, "an endpoint gave no answer");
            Ended::failed(None, NO_ANSWER)
        }
        Err(_) => Ended::failed(None, NO_ANSWER),
    }
}

/// What an answer means (Standard Webhooks 1.0.0, "Deliverability and reliability"). Its text is shown to nobody.
async fn judge(kind: EndpointKind, answer: reqwest::Response) -> Result<Ended, reqwest::Error> {
    let (status, asked) = (answer.status(), asked(answer.headers()));
    let code = status.as_u16();
    if status.is_success() {
        return Ok(Ended::Delivered(Some(code)));
    }
    // Slack says so of a webhook that was removed.
    let gone = status == StatusCode::GONE
        || (kind == EndpointKind::Slack
            && status == StatusCode::NOT_FOUND
            && beginning(answer).await? == b"no_service");
    if gone {
        let reason = format!("The other side answered {code}: it wants no more messages.");
        return Ok(Ended::Gone { status: code, reason });
    }
    let reason = if status.is_redirection() {
        format!(
            "The other side answered {code} and points elsewhere, where nothing is sent: enter the address that it points to."
        )
    } else {
        format!("The other side answered {code}.")
    };
    let throttled = matches!(code, 429 | 502 | 504) || asked.is_some();
    Ok(Ended::Failed { status: Some(code), reason, asked, throttled })
}

fn asked(headers: &header::HeaderMap) -> Option<Duration> {
    parse_retry_after(headers.get(header::RETRY_AFTER)?.to_str().ok()?, SystemTime::now())
}

async fn beginning(mut answer: reqwest::Response) -> Result<Vec<u8>, reqwest::Error> {
    let mut read = Vec::new();
    while let Some(chunk) = answer.chunk().await? {
        read.extend_from_slice(&chunk);
        if read.len() >= READ_AT_MOST {
            read.truncate(READ_AT_MOST);
            break;
        }
    }
    Ok(read.trim_ascii().to_vec())
}
