//! `$batch`: up to twenty reads in one request. It saves round trips, not quota (Graph facts, section 3.2).

use std::collections::HashMap;
use std::time::SystemTime;

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tenantatlas_domain::reason::ReasonCode;
use tokio::time::{Instant, sleep};
use tracing::debug;

use crate::endpoints::GraphVersion;
use crate::error::GraphError;
use crate::exchange::{Again, Answer, Call};
use crate::failure::{self, ErrorBody};
use crate::page::Unusable;
use crate::retry::{delay, parse_retry_after};
use crate::session::GraphSession;

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

/// One item of `responses`.
#[derive(Deserialize)]
struct Item {
    id: Value,
    status: u16,
    #[serde(default)]
    headers: Map<String, Value>,
    #[serde(default)]
    body: Value,
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
        let chunks = gets.chunks(MAX_BATCH).map(|chunk| self.chunk(version, chunk)).collect::<Vec<_>>();
        let results: Vec<Vec<_>> = stream::iter(chunks).buffered(AT_ONCE).try_collect().await?;
        let answers = gets.into_iter().zip(results.into_iter().flatten());
        Ok(answers.map(|(get, result)| BatchAnswer { id: get.id, result }).collect())
    }

    async fn chunk(
        &self,
        version: GraphVersion,
        gets: &[BatchGet],
    ) -> Result<Vec<Result<Value, GraphError>>, GraphError> {
        let url = self.resource(version, "$batch")?;
        let budget = self.options().retry;
        let begun = Instant::now();
        let mut results: Vec<Option<Result<Value, GraphError>>> = Vec::new();
        let mut open: Vec<Open> = Vec::new();
        for (place, get) in gets.iter().enumerate() {
            let outside = self.resource(version, &get.url).err();
            if outside.is_none() {
                open.push(Open { place, failures: 0, refreshed: false });
            }
            results.push(outside.map(Err));
        }

        while !open.is_empty() {
            if self.batch_is_refused() {
                let singles = open.iter().map(|one| self.single(version, &gets[one.place].url)).collect::<Vec<_>>();
                let read: Vec<_> = stream::iter(singles).buffered(AT_ONCE).try_collect().await?;
                open.iter().zip(read).for_each(|(one, result)| results[one.place] = Some(result));
                break;
            }
            let body = json!({"requests": open.iter().map(|one| json!({
                "id": one.place.to_string(),
                "method": "GET",
                "url": format!("/{}", gets[one.place].url.trim_start_matches('/')),
            })).collect::<Vec<_>>()});
            let weight = u32::try_from(open.len()).unwrap_or(u32::MAX);
            let call = Call { body: Some(Bytes::from(body.to_string())), weight, ..Call::get(url.clone()) };
            let started = Instant::now();
            let mut items = match self.exchange(&call, items).await {
                Ok(items) => items,
                Err(error) if matches!(error.status, Some(400 | 404 | 405 | 501)) => {
                    debug!(%error, "$batch is refused here, reading one by one");
                    self.remember_batch_refusal();
                    continue;
                }
                Err(error) if concerns_all(&error) => return Err(error),
                Err(error) => {
                    open.iter().for_each(|one| results[one.place] = Some(Err(error.clone())));
                    break;
                }
            };

            let token = self.cancellation().run_until_cancelled(self.token()).await;
            let token = token.unwrap_or_else(|| Err(GraphError::cancelled()))?;
            let mut pause = std::time::Duration::ZERO;
            let mut again = Vec::new();
            for mut one in open {
                let (error, next, retry_after) = match items.remove(&one.place) {
                    Some(item) if (200..300).contains(&item.status) => {
                        results[one.place] = Some(Ok(item.body));
                        continue;
                    }
                    Some(item) => {
                        let status = StatusCode::from_u16(item.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                        let body = ErrorBody::of(&item.body);
                        let error = failure::refusal(status, &body, token.is_without_consent());
                        (error, Again::after(status), item.retry_after())
                    }
                    None => {
                        let message = "the batch was answered, but not this item";
                        (GraphError::new(ReasonCode::ContractInvalid, message), Again::Perhaps, None)
                    }
                };
                let error = self.item_error(error, version, &gets[one.place].url);
                let attempts = match next {
                    Again::No => 0,
                    Again::WithNewToken if one.refreshed => 0,
                    Again::WithNewToken => {
                        one.refreshed = true;
                        self.forget(&token);
                        self.meter().retry();
                        again.push(one);
                        continue;
                    }
                    Again::WhenEveryoneMay | Again::WhenAsked => budget.attempts_when_busy,
                    Again::Perhaps => budget.attempts_when_broken,
                };
                one.failures += 1;
                let wait = delay(one.failures, retry_after, &budget);
                if next == Again::WhenEveryoneMay {
                    self.meter().throttled();
                    self.gate().throttled(started, wait);
                }
                if one.failures >= attempts || begun.elapsed() + wait > budget.elapsed {
                    results[one.place] = Some(Err(error));
                } else {
                    pause = pause.max(wait);
                    self.meter().retry();
                    again.push(one);
                }
            }
            open = again;
            if self.cancellation().run_until_cancelled(sleep(pause)).await.is_none() {
                return Err(GraphError::cancelled().at(&url));
            }
        }
        let unanswered = || Err(GraphError::new(ReasonCode::Internal, "the item was not read"));
        Ok(results.into_iter().map(|result| result.unwrap_or_else(unanswered)).collect())
    }

    /// One item without `$batch`. The outer error concerns all.
    async fn single(&self, version: GraphVersion, url: &str) -> Result<Result<Value, GraphError>, GraphError> {
        match self.get(version, url).await.and_then(|document| document.json()) {
            Err(error) if concerns_all(&error) => Err(error),
            result => Ok(result),
        }
    }

    fn item_error(&self, error: GraphError, version: GraphVersion, url: &str) -> GraphError {
        match self.resource(version, url) {
            Ok(url) => error.at(&url),
            Err(_) => error,
        }
    }
}

/// An item without a final answer.
struct Open {
    place: usize,
    failures: u32,
    refreshed: bool,
}

impl Item {
    fn retry_after(&self) -> Option<std::time::Duration> {
        let (_, value) = self.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("retry-after"))?;
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        parse_retry_after(&text, SystemTime::now())
    }
}

fn concerns_all(error: &GraphError) -> bool {
    matches!(error.reason, ReasonCode::Cancelled | ReasonCode::AuthFailed)
}

fn items(answer: Answer) -> Result<HashMap<usize, Item>, Unusable> {
    #[derive(Deserialize)]
    struct Answers {
        responses: Vec<Item>,
    }
    let answers: Answers = serde_json::from_str(&answer.text).map_err(|error| {
        if error.is_data() { Unusable::Contract("the answer is not one of a batch") } else { error.into() }
    })?;
    let place = |id: &Value| id.as_str().map_or_else(|| id.to_string(), str::to_owned).parse().ok();
    Ok(answers.responses.into_iter().filter_map(|item| Some((place(&item.id)?, item))).collect())
}
