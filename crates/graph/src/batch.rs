//! `$batch`: up to twenty reads in one request. It saves round trips, not quota (`docs/graph.md`, section Batching).

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use http::StatusCode;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Map, Value, json};
use tenantatlas_domain::reason::ReasonCode;
use tokio::time::{Instant, sleep};
use tracing::debug;

use crate::answer::{Answer, ERROR_WITHIN, Unusable, WITHOUT_CONTENT, is_object};
use crate::endpoints::GraphVersion;
use crate::error::GraphError;
use crate::exchange::Call;
use crate::failure::{self, ErrorBody};
use crate::retry::{Again, Attempts, Verdict, parse_retry_after};
use crate::session::GraphSession;
use crate::token::Token;

/// Most reads in one `$batch` request, as documented.
pub const MAX_BATCH: usize = 20;

/// Batches, or single reads in their place, that one call keeps under way.
const AT_ONCE: usize = 4;

/// One read of a batch.
#[derive(Clone, Debug)]
pub struct BatchGet {
    /// Comes back with the answer; need not be unique.
    pub id: String,
    /// Path and query below the version, with or without a leading slash.
    pub url: String,
}

/// One answer of a batch. A collection may carry `@odata.nextLink`: the caller follows it.
#[derive(Clone, Debug)]
pub struct BatchAnswer {
    /// As asked.
    pub id: String,
    /// The body, or why there is none.
    pub result: Result<Value, GraphError>,
}

impl GraphSession {
    /// Reads many resources, in the order asked, twenty to a request. Each item is judged by its own status: those
    /// that were throttled or met a passing fault are asked again without the others. Where `$batch` itself is refused
    /// the items are read one by one, and this session does not try `$batch` again.
    ///
    /// # Errors
    /// Only what concerns all of them: [`ReasonCode::Cancelled`] and [`ReasonCode::AuthFailed`]. Everything else
    /// stands in the answer of the item.
    pub async fn batch(&self, version: GraphVersion, gets: Vec<BatchGet>) -> Result<Vec<BatchAnswer>, GraphError> {
        let chunks = gets.chunks(MAX_BATCH).map(|chunk| Chunk::new(self, version, chunk).read()).collect::<Vec<_>>();
        let results: Vec<Vec<_>> = stream::iter(chunks).buffered(AT_ONCE).try_collect().await?;
        let answers = gets.into_iter().zip(results.into_iter().flatten());
        Ok(answers.map(|(get, result)| BatchAnswer { id: get.id, result }).collect())
    }
}

type ItemResult = Result<Value, GraphError>;

/// Twenty items at most, on their way to an answer each.
struct Chunk<'a> {
    session: &'a GraphSession,
    version: GraphVersion,
    items: Vec<Asked<'a>>,
    /// When its first attempt was answered: before that it only waited for its turn.
    begun: Option<Instant>,
}

struct Asked<'a> {
    path: &'a str,
    result: Option<ItemResult>,
    attempts: Attempts,
}

impl<'a> Chunk<'a> {
    fn new(session: &'a GraphSession, version: GraphVersion, gets: &'a [BatchGet]) -> Self {
        let items = gets.iter().map(|get| {
            let path = get.url.trim_start_matches('/');
            // An item whose path leads elsewhere is answered here.
            let result = session.resource(version, path).err().map(Err);
            Asked { path, result, attempts: Attempts::default() }
        });
        Self { session, version, items: items.collect(), begun: None }
    }

    async fn read(mut self) -> Result<Vec<ItemResult>, GraphError> {
        loop {
            let open: Vec<usize> = (0..self.items.len()).filter(|place| self.items[*place].result.is_none()).collect();
            if open.is_empty() {
                break;
            }
            if self.session.batch_is_refused() {
                self.read_singly(&open).await?;
            } else {
                self.read_together(&open).await?;
            }
        }
        Ok(self.items.into_iter().filter_map(|item| item.result).collect())
    }

    async fn read_together(&mut self, open: &[usize]) -> Result<(), GraphError> {
        let started = Instant::now();
        let mut answers = match self.session.exchange(&self.call(open)?, |answer| answered(&answer)).await {
            Ok(answers) => answers,
            Err(error) if matches!(error.status, Some(400 | 404 | 405 | 501)) => {
                debug!(%error, "$batch is refused here, reading one by one");
                self.session.remember_batch_refusal();
                return Ok(());
            }
            Err(error) if error.concerns_all() => return Err(error),
            Err(error) => {
                open.iter().for_each(|place| self.items[*place].result = Some(Err(error.clone())));
                return Ok(());
            }
        };
        let cancellation = self.session.cancellation();
        let token = cancellation.run_until_cancelled(self.session.token()).await;
        let token = token.unwrap_or_else(|| Err(GraphError::cancelled()))?;
        let mut pause = Duration::ZERO;
        for place in open {
            pause = pause.max(self.judge(*place, answers.remove(place), &token, started));
        }
        cancellation.run_until_cancelled(sleep(pause)).await.ok_or_else(GraphError::cancelled)
    }

    fn call(&self, open: &[usize]) -> Result<Call, GraphError> {
        let requests = open.iter().map(
            |place| json!({"id": place.to_string(), "method": "GET", "url": format!("/{}", self.items[*place].path)}),
        );
        let body = json!({"requests": requests.collect::<Vec<_>>()}).to_string();
        let weight = u32::try_from(open.len()).unwrap_or(u32::MAX);
        let url = self.session.resource(self.version, "$batch")?;
        Ok(Call { body: Some(Bytes::from(body)), weight, ..Call::get(url) })
    }

    /// Settles an item, or leaves it open and tells how long to wait before it is asked again.
    fn judge(&mut self, place: usize, answer: Option<Answered>, token: &Arc<Token>, started: Instant) -> Duration {
        let (session, budget) = (self.session, self.session.options().retry);
        let begun = *self.begun.get_or_insert_with(Instant::now);
        let item = &mut self.items[place];
        let (mut error, again, retry_after) = match answer {
            Some(answer) if (200..300).contains(&answer.status) => match answer.content() {
                Ok(body) => {
                    session.has_accepted_the_token();
                    item.result = Some(Ok(body));
                    return Duration::ZERO;
                }
                Err(lack) => (GraphError::new(ReasonCode::ContractInvalid, lack), Again::Perhaps, None),
            },
            Some(answer) => {
                let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                let body = session.believed(ErrorBody::of(&answer.body));
                let error = failure::refusal(status, &body, token.is_without_consent());
                (error, Again::after(status), answer.retry_after())
            }
            None => {
                let message = "the batch was answered, but not this item";
                (GraphError::new(ReasonCode::ContractInvalid, message), Again::Perhaps, None)
            }
        };
        if let Ok(url) = session.resource(self.version, item.path) {
            error = error.at(&url);
        }
        let (wait, once_more) = match item.attempts.judge(again, retry_after, begun.elapsed(), &budget) {
            Verdict::Final => (Duration::ZERO, false),
            Verdict::WithNewToken => {
                session.forget(token);
                (Duration::ZERO, true)
            }
            Verdict::NotBefore(wait) => {
                error = error.not_before(wait);
                (Duration::ZERO, false)
            }
            Verdict::Failed { wait, once_more } => (wait, once_more),
        };
        if again == Again::WhenEveryoneMay {
            session.counter().throttled(session.rate_limiter().throttled(started, wait));
        }
        if !once_more {
            item.result = Some(Err(error));
            return Duration::ZERO;
        }
        session.counter().retry();
        wait
    }

    async fn read_singly(&mut self, open: &[usize]) -> Result<(), GraphError> {
        let (session, version) = (self.session, self.version);
        let reads = open.iter().map(|place| session.get(version, self.items[*place].path)).collect::<Vec<_>>();
        let documents: Vec<_> = stream::iter(reads).buffered(AT_ONCE).collect().await;
        for (place, document) in open.iter().zip(documents) {
            match document.and_then(|document| document.json()) {
                Err(error) if error.concerns_all() => return Err(error),
                result => self.items[*place].result = Some(result),
            }
        }
        Ok(())
    }
}

/// One item of `responses`.
#[derive(Deserialize)]
pub(crate) struct Answered {
    id: Value,
    status: u16,
    #[serde(default)]
    headers: Map<String, Value>,
    #[serde(default)]
    body: Value,
}

impl Answered {
    /// The body, where it is what was asked for. A part may say success and have no body, or hold an error.
    fn content(self) -> Result<Value, &'static str> {
        if self.status != 200 || !self.body.is_object() {
            Err(WITHOUT_CONTENT)
        } else if ErrorBody::of(&self.body).is_graphs {
            Err(ERROR_WITHIN)
        } else {
            Ok(self.body)
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        let (_, value) = self.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("retry-after"))?;
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        parse_retry_after(&text, SystemTime::now())
    }
}

pub(crate) fn answered(answer: &Answer) -> Result<HashMap<usize, Answered>, Unusable> {
    #[derive(Deserialize)]
    struct Envelope {
        responses: Vec<Answered>,
    }
    if !is_object(&answer.text) && serde_json::from_str::<IgnoredAny>(&answer.text).is_ok() {
        return Err(Unusable::Contract("the answer is not one of a batch"));
    }
    let envelope: Envelope = serde_json::from_str(&answer.text).map_err(|error| {
        if error.is_data() { Unusable::Contract("the answer is not one of a batch") } else { error.into() }
    })?;
    let place = |id: &Value| id.as_str().map_or_else(|| id.to_string(), str::to_owned).parse().ok();
    let mut answers = HashMap::with_capacity(envelope.responses.len());
    let mut twice = HashSet::new();
    for item in envelope.responses {
        let Some(place) = place(&item.id) else { continue };
        if answers.insert(place, item).is_some() {
            twice.insert(place);
        }
    }
    // Of two answers to one request nobody knows which is the right one: it counts as not answered.
    answers.retain(|place, _| !twice.contains(place));
    Ok(answers)
}
