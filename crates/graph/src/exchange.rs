//! One request with all its attempts.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, Method, StatusCode, header};
use reqwest::Response;
use tenantatlas_domain::reason::ReasonCode;
use tokio::time::{Instant, sleep, timeout};
use tracing::{Instrument, debug, debug_span};
use url::Url;
use uuid::Uuid;

use crate::answer::{Answer, Unusable};
use crate::body::{BodyFault, read_error_text, read_text};
use crate::budget::Reservation;
use crate::error::GraphError;
use crate::failure::{self, ErrorBody, Service};
use crate::rate_limiter::Permit;
use crate::retry::{Again, Attempts, Verdict, parse_retry_after};
use crate::session::GraphSession;
use crate::token::Token;
use crate::traced::Traced;

const REQUEST_ID: HeaderName = HeaderName::from_static("request-id");
const CLIENT_REQUEST_ID: HeaderName = HeaderName::from_static("client-request-id");
const CONSISTENCY_LEVEL: HeaderName = HeaderName::from_static("consistencylevel");

/// How long memory is held that is not used yet.
const LONGEST_HOLD: Duration = Duration::from_secs(5);

/// What is asked. Every call is a read, a POST too, so every call may be repeated.
pub(crate) struct Call {
    pub(crate) url: Url,
    /// JSON to POST; without it the call is a GET.
    pub(crate) body: Option<Bytes>,
    /// What it costs of the quota.
    pub(crate) weight: u32,
    /// Whether to send `ConsistencyLevel: eventual`.
    pub(crate) eventual: bool,
}

impl Call {
    pub(crate) fn get(url: Url) -> Self {
        Self { url, body: None, weight: 1, eventual: false }
    }

    fn method(&self) -> &'static str {
        if self.body.is_some() { "POST" } else { "GET" }
    }
}

struct Failure {
    error: Box<GraphError>,
    again: Again,
    retry_after: Option<Duration>,
    /// Whether it was told by a Graph, in the form that Graph tells errors in.
    by_graph: bool,
}

impl Failure {
    fn new(error: GraphError, again: Again) -> Self {
        Self { error: Box::new(error), again, retry_after: None, by_graph: false }
    }
}

impl GraphSession {
    /// Asks until there is an answer that `decode` understands, or the budget is spent, or the session is cancelled.
    pub(crate) async fn exchange<T>(
        &self,
        call: &Call,
        decode: impl Fn(Answer) -> Result<T, Unusable>,
    ) -> Result<T, GraphError> {
        let span = debug_span!("graph", method = call.method(), path = call.url.path());
        let outcome = self.cancellation().run_until_cancelled(self.attempts(call, decode).instrument(span)).await;
        outcome.unwrap_or_else(|| Err(GraphError::cancelled())).map_err(|error| error.at(&call.url))
    }

    async fn attempts<T>(&self, call: &Call, decode: impl Fn(Answer) -> Result<T, Unusable>) -> Result<T, GraphError> {
        let budget = self.options().retry;
        let mut begun = None;
        let mut last: Option<Box<GraphError>> = None;
        let mut attempts = Attempts::default();
        let memory = self.reservation();
        let (mut wants_memory, mut traced) = (false, Traced::new());
        loop {
            // Signing in may take its time; neither memory nor a place is held meanwhile.
            self.token().await?;
            let permit = self.turn(&memory, call.weight, std::mem::take(&mut wants_memory)).await;
            let begun = *begun.get_or_insert_with(Instant::now);
            if begun.elapsed() > budget.elapsed
                && let Some(error) = last
            {
                return Err(*error);
            }
            let token = self.token().await?;
            self.counter().request(call.weight);
            if last.is_some() {
                self.counter().retry();
            }
            let attempted = self.traced_attempt(&mut traced, call, &token, &decode, &memory).await;
            let Failure { error, again, retry_after, .. } = match attempted {
                Ok(value) => {
                    permit.succeeded();
                    return Ok(value);
                }
                Err(failure) => failure,
            };
            memory.settle();
            if again == Again::WhenThereIsMemory {
                debug!("the answer waits for memory");
                wants_memory = true;
                continue;
            }
            let (wait, once_more) = match attempts.judge(again, retry_after, begun.elapsed(), &budget) {
                Verdict::Final => {
                    permit.succeeded();
                    return Err(*error);
                }
                Verdict::WithNewToken => {
                    self.forget(&token);
                    debug!("the token was refused and is replaced");
                    last = Some(error);
                    continue;
                }
                Verdict::NotBefore(wait) => {
                    self.counter().throttled(permit.throttled(Duration::ZERO));
                    return Err(if self.tells_details() { error.not_before(wait) } else { *error });
                }
                Verdict::Failed { wait, once_more } => (wait, once_more),
            };
            if again == Again::WhenEveryoneMay {
                self.counter().throttled(permit.throttled(wait));
            }
            drop(permit);
            if !once_more {
                return Err(*error);
            }
            debug!(%error, ?wait, "tried again");
            if again != Again::WhenEveryoneMay {
                sleep(wait).await;
            }
            last = Some(error);
        }
    }

    /// Waits until the request may leave and there is memory for its answer: for all that it may need when it `wants_memory`,
    /// else for its beginning. Nobody waits for memory with a place among the requests under way, since those who have memory
    /// may need the place; and nobody who has memory waits long for a place.
    async fn turn(&self, memory: &Reservation, weight: u32, mut wants_memory: bool) -> Permit {
        loop {
            if wants_memory {
                memory.wait().await;
                if let Ok(permit) = timeout(LONGEST_HOLD, self.rate_limiter().enter(weight)).await {
                    return permit;
                }
                memory.settle();
            }
            let permit = self.rate_limiter().enter(weight).await;
            if memory.begin() {
                return permit;
            }
            permit.give_up();
            wants_memory = true;
        }
    }

    async fn traced_attempt<T>(
        &self,
        traced: &mut Traced,
        call: &Call,
        token: &Token,
        decode: &impl Fn(Answer) -> Result<T, Unusable>,
        memory: &Reservation,
    ) -> Result<T, Failure> {
        let span = traced.attempt(call.method(), self.endpoints().below_graph(&call.url));
        let attempted = self.attempt(call, token, decode, memory).instrument(span.clone()).await;
        traced.ended(&span, attempted.as_ref().err().map(|failure| &*failure.error));
        attempted
    }

    async fn attempt<T>(
        &self,
        call: &Call,
        token: &Token,
        decode: &impl Fn(Answer) -> Result<T, Unusable>,
        memory: &Reservation,
    ) -> Result<T, Failure> {
        let client_request_id = Uuid::new_v4();
        let conversation = self.conversation(call, token, client_request_id, memory);
        let answer = timeout(self.options().timeouts.total, conversation).await.unwrap_or_else(|_| {
            let error = GraphError::new(ReasonCode::GraphTimeout, "no complete answer within the time limit");
            Err(Failure::new(error, Again::Perhaps))
        });
        let decoded = answer.and_then(|answer| {
            self.counter().bytes(answer.text.len());
            let (request_id, charge) = (answer.request_id.clone(), answer.charge.clone());
            let decoded = decode(answer).inspect(|_| charge.iter().for_each(|charge| charge.keep_values()));
            decoded.map_err(|unusable| {
                let (reason, message, again) = match unusable {
                    Unusable::Unreadable(message) => (ReasonCode::ParseFailed, message, Again::Perhaps),
                    Unusable::Contract(message) => (ReasonCode::ContractInvalid, message.to_owned(), Again::No),
                    Unusable::NotWhole(message) => (ReasonCode::ContractInvalid, message.to_owned(), Again::Perhaps),
                };
                let mut error = GraphError::new(reason, &message);
                error.request_id = request_id.and_then(|id| failure::identifier(&id));
                Failure::new(error, again)
            })
        });
        if decoded.as_ref().err().is_none_or(|failure| failure.by_graph) {
            self.has_answered_as_graph();
            // A batch is answered as a whole whatever becomes of its items.
            let refused = decoded.as_ref().err().is_some_and(|failure| failure.error.status == Some(401));
            if call.body.is_none() && !refused {
                self.has_accepted_the_token();
            }
        }
        decoded.map_err(|mut failure| {
            if failure.again != Again::WhenThereIsMemory && !self.tells_details() {
                failure.error = Box::new(failure::veiled(Service::Graph, &call.url, &failure.error));
            }
            failure.error.client_request_id = Some(client_request_id);
            failure
        })
    }

    async fn conversation(
        &self,
        call: &Call,
        token: &Token,
        client_request_id: Uuid,
        memory: &Reservation,
    ) -> Result<Answer, Failure> {
        let pool = self.pool(&call.url).await.map_err(|error| Failure::new(error, Again::No))?;
        let broken = |error: reqwest::Error| {
            let again = if tenantatlas_net::is_refusal(&error) { Again::No } else { Again::Perhaps };
            Failure::new(failure::no_answer(&error), again)
        };
        let method = if call.body.is_some() { Method::POST } else { Method::GET };
        let mut request = pool
            .request(method, call.url.clone())
            .header(header::AUTHORIZATION, token.authorization.clone())
            .header(header::ACCEPT, "application/json")
            .header(CLIENT_REQUEST_ID, client_request_id.to_string());
        if call.eventual {
            request = request.header(CONSISTENCY_LEVEL, "eventual");
        }
        if let Some(body) = &call.body {
            request = request.header(header::CONTENT_TYPE, "application/json").body(body.clone());
        }
        let response = request.send().await.map_err(broken)?;
        let request_id = text_of(response.headers(), &REQUEST_ID);
        // Any other good status, such as 202, 204 or 206, stands for less than what was asked for (RFC 9110, section 15.3).
        if response.status() != StatusCode::OK {
            return Err(self.refused(response, token, request_id).await);
        }
        let read = read_text(response, self.options().memory.body, memory).await;
        let (text, charge) = read.map_err(|fault| match fault {
            BodyFault::Transport(error) => broken(error),
            BodyFault::TooLarge(limit) => Failure::new(failure::too_large(limit), Again::No),
            BodyFault::TooManyValues(limit) => Failure::new(failure::too_many_values(limit), Again::No),
            BodyFault::NoMemory => {
                let error = GraphError::new(ReasonCode::Internal, "there is no memory for the answer at the moment");
                Failure::new(error, Again::WhenThereIsMemory)
            }
            BodyFault::Text => {
                let error = GraphError::new(ReasonCode::ParseFailed, "the answer is not UTF-8 text");
                Failure::new(error, Again::Perhaps)
            }
        })?;
        Ok(Answer { text, request_id, charge: Some(Arc::new(charge)) })
    }

    async fn refused(&self, response: Response, token: &Token, request_id: Option<String>) -> Failure {
        let status = response.status();
        let retry_after = text_of(response.headers(), &header::RETRY_AFTER);
        let retry_after = retry_after.and_then(|value| parse_retry_after(&value, SystemTime::now()));
        // Redaction knows what tokens look like; the very one that was sent is taken out whatever it looks like.
        let text = token.scrub(&read_error_text(response).await);
        let body = self.believed(ErrorBody::parse(&text));
        let mut error = failure::refusal(status, &body, token.is_without_consent());
        error.request_id = request_id.and_then(|id| failure::identifier(&id)).or(error.request_id);
        Failure { retry_after, by_graph: body.is_graphs, ..Failure::new(error, Again::after(status)) }
    }
}

fn text_of(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let value = headers.get(name)?.to_str().ok()?;
    Some(value.chars().take(100).collect())
}
