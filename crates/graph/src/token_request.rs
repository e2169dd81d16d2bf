//! One conversation with the token endpoint: client credentials, by secret or by certificate (RFC 6749, section 4.4;
//! `docs/graph.md`, section Tokens).

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::StatusCode;
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::Value;
use tenantatlas_domain::reason::ReasonCode;
use tokio::time::{Instant, sleep, timeout};
use tracing::{Instrument, debug, warn};
use url::Url;

use crate::answer::is_object;
use crate::assertion::client_assertion;
use crate::body::{BodyFault, read_error_text, read_text};
use crate::budget::Reservation;
use crate::credential::{Connection, Credential};
use crate::error::GraphError;
use crate::failure::{self, Service};
use crate::retry::{delay, parse_retry_after};
use crate::shared::{LARGEST_SIGN_IN, Shared};
use crate::token::Token;
use crate::traced;

/// Attempts at the token endpoint. Fewer than at Graph: a person who checks a connection waits for it.
const ATTEMPTS: u32 = 4;
/// Longest wait between them, whatever the endpoint asks for.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Asks for a token, again where the endpoint is busy or out of reach.
pub(crate) async fn request_token(shared: Arc<Shared>, connection: Arc<Connection>) -> Result<Token, GraphError> {
    let Some(url) = connection.endpoints.token_url(&connection.tenant) else {
        let message = "the tenant is neither a GUID nor a domain name";
        return Err(GraphError::new(ReasonCode::AuthFailed, message));
    };
    let mut attempt = 1;
    let memory = Reservation::of_text(shared.sign_ins.open());
    let detailed = connection.endpoints.tells_details(shared.options.detail);
    loop {
        if !memory.begin() {
            memory.wait().await;
        }
        let span = traced::sign_in();
        let answer = once(&shared, &connection, &url, &memory).instrument(span.clone()).await;
        traced::note(&span, answer.as_ref().err().map(|refusal| &*refusal.error));
        memory.settle();
        match answer.map_err(|refusal| refusal.told(detailed, &url)) {
            Ok(token) => {
                debug!(path = url.path(), "signed in");
                return Ok(token);
            }
            Err(Refusal { source: Source::NoMemory, .. }) => memory.wait().await,
            Err(Refusal { error, again: Some(retry_after), .. }) if attempt < ATTEMPTS => {
                let wait = delay(attempt, retry_after, &shared.options.retry).min(LONGEST_WAIT);
                warn!(path = url.path(), %error, ?wait, "the sign-in is tried again");
                sleep(wait).await;
                attempt += 1;
            }
            Err(refusal) => return Err(refusal.error.at(&url)),
        }
    }
}

pub(crate) struct Refusal {
    error: Box<GraphError>,
    /// Whether it is worth another attempt, and when the endpoint wants it.
    again: Option<Option<Duration>>,
    source: Source,
}

/// Who is to blame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    /// This side, before anything was sent: a key that does not fit.
    Here,
    /// Nobody: there is no memory for the answer at the moment.
    NoMemory,
    /// A token endpoint, in the form of an OAuth error (RFC 6749, section 5.2).
    Endpoint,
    /// Whatever is behind the address: it did not answer, or not as a token endpoint does.
    Address,
}

impl Refusal {
    fn last(reason: ReasonCode, message: &str) -> Self {
        Self::at_address(GraphError::new(reason, message), None)
    }

    fn at_address(error: GraphError, again: Option<Option<Duration>>) -> Self {
        Self { error: Box::new(error), again, source: Source::Address }
    }

    fn here(error: GraphError) -> Self {
        Self { error: Box::new(error), again: None, source: Source::Here }
    }

    fn no_memory() -> Self {
        let error = GraphError::new(ReasonCode::Internal, "there is no memory for the answer at the moment");
        Self { error: Box::new(error), again: None, source: Source::NoMemory }
    }

    /// As a person may be told of it.
    fn told(mut self, detailed: bool, url: &Url) -> Self {
        if self.source == Source::Address && !detailed {
            self.error = Box::new(failure::veiled(Service::SignIn, url, &self.error));
        }
        self
    }
}

async fn once(shared: &Shared, connection: &Connection, url: &Url, memory: &Reservation) -> Result<Token, Refusal> {
    let form = form(connection, url).map_err(Refusal::here)?;
    let pool = shared.transport.pool(url, &connection.endpoints).await;
    let pool = pool.map_err(|error| Refusal::at_address(error, None))?;
    let asked = Instant::now();
    let silent = |error: reqwest::Error| {
        let again = (!tenantatlas_net::is_refusal(&error)).then_some(None);
        Refusal::at_address(failure::no_answer(&error), again)
    };
    let conversation = async {
        let response = pool.post(url.clone()).header(http::header::ACCEPT, "application/json").form(&form).send();
        let response = response.await.map_err(silent)?;
        let status = response.status();
        if status == StatusCode::OK {
            return Ok(read_text(response, LARGEST_SIGN_IN, memory).await);
        }
        let retry_after = response.headers().get(http::header::RETRY_AFTER).and_then(|value| value.to_str().ok());
        let retry_after = retry_after.and_then(|value| parse_retry_after(value, SystemTime::now()));
        let text = scrub(&read_error_text(response).await, connection);
        Err(refusal(status, &text, retry_after))
    };
    let body = timeout(shared.options.timeouts.total, conversation).await.unwrap_or_else(|_| {
        let error = GraphError::new(ReasonCode::GraphTimeout, "the sign-in did not answer within the time limit");
        Err(Refusal::at_address(error, Some(None)))
    })?;
    match body {
        Ok((text, _charge)) => token(&text, asked),
        Err(BodyFault::Transport(error)) => Err(silent(error)),
        Err(BodyFault::NoMemory) => Err(Refusal::no_memory()),
        Err(BodyFault::TooLarge(_) | BodyFault::TooManyValues(_) | BodyFault::Text) => {
            Err(Refusal::last(ReasonCode::ContractInvalid, "the sign-in address does not answer like a token endpoint"))
        }
    }
}

fn form(connection: &Connection, url: &Url) -> Result<Vec<(&'static str, String)>, GraphError> {
    let mut form = vec![
        ("client_id", connection.client_id.clone()),
        ("scope", connection.endpoints.scope()),
        ("grant_type", "client_credentials".to_owned()),
    ];
    match &connection.credential {
        Credential::ClientSecret(secret) => form.push(("client_secret", secret.expose_secret().to_owned())),
        Credential::Certificate { private_key_pem, certificate_pem } => {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            let assertion =
                client_assertion(url.as_str(), &connection.client_id, private_key_pem, certificate_pem, now)
                    .map_err(|error| GraphError::new(ReasonCode::AuthFailed, &error.to_string()))?;
            form.push(("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer".to_owned()));
            form.push(("client_assertion", assertion.expose_secret().to_owned()));
        }
    }
    Ok(form)
}

/// The error that a refusal becomes.
#[cfg(any(test, feature = "testing"))]
pub(crate) fn refused(status: StatusCode, text: &str) -> GraphError {
    *refusal(status, text, None).error
}

pub(crate) fn token(text: &str, asked: Instant) -> Result<Token, Refusal> {
    #[derive(Deserialize)]
    struct Answer {
        access_token: String,
        token_type: Option<String>,
        expires_in: Option<Value>,
    }
    let unlike = || Refusal::last(ReasonCode::ContractInvalid, "the sign-in answered, but without a usable token");
    let answer: Answer = serde_json::from_str(text).ok().filter(|_| is_object(text)).ok_or_else(unlike)?;
    if answer.token_type.is_some_and(|kind| !kind.eq_ignore_ascii_case("bearer")) {
        return Err(unlike());
    }
    let seconds = match &answer.expires_in {
        Some(Value::String(text)) => text.trim().parse().ok(),
        Some(value) => value.as_u64(),
        None => None,
    };
    // Without a lifetime (RFC 6749 only recommends one) five minutes are safe: a 401 fetches another anyway.
    let lifetime = Duration::from_secs(seconds.unwrap_or(300));
    Token::new(&answer.access_token, lifetime, asked).ok_or_else(unlike)
}

/// The OAuth `error` decides; the AADSTS number in the description is kept as a hint for the admin, and nothing
/// depends on it (Microsoft, "Microsoft Entra authentication and authorization error codes").
fn refusal(status: StatusCode, text: &str, retry_after: Option<Duration>) -> Refusal {
    #[derive(Default, Deserialize)]
    struct Answer {
        error: Option<String>,
        suberror: Option<String>,
        #[serde(default)]
        error_description: String,
        trace_id: Option<String>,
    }
    let mut answer: Answer = serde_json::from_str(text).ok().filter(|_| is_object(text)).unwrap_or_default();
    // Without the code it is no OAuth error, and nothing of it is believed.
    answer.error = answer.error.as_deref().and_then(failure::identifier);
    let source = if answer.error.is_some() { Source::Endpoint } else { Source::Address };
    if source == Source::Address {
        answer = Answer::default();
    }
    let code = answer.error.as_deref().unwrap_or_default();
    let busy = status == StatusCode::TOO_MANY_REQUESTS;
    let broken = status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT || code == "temporarily_unavailable";
    let reason = if busy {
        ReasonCode::GraphThrottled
    } else if broken {
        ReasonCode::GraphUnavailable
    } else if code == "consent_required" || answer.suberror.as_deref() == Some("consent_required") {
        ReasonCode::ConsentMissing
    } else {
        ReasonCode::AuthFailed
    };
    let hint = answer.error_description.split(" Trace ID:").next().unwrap_or_default();
    let hint = hint.lines().next().unwrap_or_default().trim();
    let message = match (code, hint) {
        ("", "") if status.is_redirection() => "the sign-in address points elsewhere, which is not followed".to_owned(),
        ("", "") => format!("the sign-in address answered {}, and not like a token endpoint", status.as_u16()),
        (code, "") => format!("the sign-in was refused: {code}"),
        (_, hint) => format!("the sign-in was refused: {hint}"),
    };
    let mut error = GraphError::new(reason, &message);
    error.status = Some(status.as_u16());
    error.request_id = answer.trace_id.as_deref().and_then(failure::identifier);
    error.graph_code = answer.error;
    Refusal { source, ..Refusal::at_address(error, (busy || broken).then_some(retry_after)) }
}

/// An endpoint might repeat what it was sent, as it is or as it was encoded. The secret must not come back in an error.
fn scrub(text: &str, connection: &Connection) -> String {
    match &connection.credential {
        Credential::ClientSecret(secret) if !secret.expose_secret().is_empty() => {
            let secret = secret.expose_secret();
            let encoded: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
            text.replace(secret, "[secret]").replace(&encoded, "[secret]")
        }
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(status: u16, text: &str) -> Refusal {
        refusal(StatusCode::from_u16(status).unwrap(), text, None)
    }

    #[test]
    fn the_oauth_error_decides_and_the_number_is_a_hint() {
        let refusal = answered(
            401,
            r#"{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret provided. Trace ID: 1 Correlation ID: 2","trace_id":"t"}"#,
        );
        assert_eq!(refusal.error.reason, ReasonCode::AuthFailed);
        assert_eq!(refusal.error.graph_code.as_deref(), Some("invalid_client"));
        assert_eq!(refusal.error.request_id.as_deref(), Some("t"));
        assert!(refusal.error.message.contains("AADSTS7000215"), "{}", refusal.error.message);
        assert!(!refusal.error.message.contains("Correlation"));
        assert!(refusal.again.is_none());
    }

    #[test]
    fn missing_consent_is_told_apart() {
        let text = r#"{"error":"invalid_grant","suberror":"consent_required","error_description":"x"}"#;
        assert_eq!(answered(400, text).error.reason, ReasonCode::ConsentMissing);
    }

    #[test]
    fn a_busy_or_broken_endpoint_is_asked_again() {
        assert!(answered(429, "").again.is_some());
        assert!(answered(503, "<html>").again.is_some());
        assert!(answered(400, r#"{"error":"temporarily_unavailable"}"#).again.is_some());
        assert!(answered(404, "").again.is_none());
    }

    #[test]
    fn a_lifetime_may_be_a_text() {
        for text in [
            r#"{"access_token":"t","token_type":"Bearer","expires_in":3599}"#,
            r#"{"access_token":"t","token_type":"bearer","expires_in":"3599"}"#,
            r#"{"access_token":"t"}"#,
        ] {
            assert!(token(text, Instant::now()).is_ok(), "{text}");
        }
        for text in [
            "",
            "{}",
            r#"["t","Bearer",3599]"#,
            r#"{"access_token":"t","token_type":"pop"}"#,
            "{\"access_token\":\"a\\nb\"}",
        ] {
            assert!(token(text, Instant::now()).is_err(), "{text}");
        }
    }
}
