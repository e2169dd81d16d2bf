//! `GET /t/{tenant}/events`: the live stream of a tenant, as Server-Sent Events (HTML standard, section Server-sent
//! events).
//!
//! A connection first gets a `snapshot` (the active runs, the unread count, the clock of the server), then the newest
//! state per run as `run` and the unread count as `unread`, and at least every [`HEARTBEAT`] something. A reader that is
//! slow gets the newest states, never a backlog. The right to see is asked again every [`RECHECK`]; without it the
//! stream ends, as it does when the server stops.

use super::{State, answer::refuse, inside::InTenant, sse};
use axum::{
    body::{Body, Bytes},
    extract::State as Extract,
    http::{HeaderName, HeaderValue, header},
    response::Response,
};
use futures::{Stream, future::BoxFuture};
use std::{collections::VecDeque, convert::Infallible, sync::Arc, time::Duration};
use tenantatlas_app::{
    error::{AppError, ErrorKind},
    session::current::CurrentSession,
};
use tenantatlas_domain::{
    ids::{TenantId, UserId},
    live::LiveEvent,
};
use tenantatlas_engine::{Engine, EngineError, Subscription};
use tenantatlas_store::sessions::TokenHash;
use tokio::{sync::OwnedSemaphorePermit, time::Instant};
use tokio_util::sync::CancellationToken;

/// Streams open at the same time in one process; more are refused with 503 and come again.
pub const MAX_STREAMS: usize = 20_000;
/// A heartbeat is sent when nothing else was for so long: proxies and suspended machines drop idle connections without
/// closing them.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// The right to see the tenant is asked again so often.
const RECHECK: Duration = Duration::from_secs(4);
/// How long a browser waits before it connects again by itself, milliseconds.
const RETRY: u32 = 2_000;

/// Opens the stream.
pub async fn events(Extract(state): Extract<State>, InTenant(inside): InTenant) -> Response {
    let Ok(permit) = Arc::clone(&state.streams).try_acquire_owned() else {
        return refuse(&AppError::new(
            ErrorKind::Unavailable,
            "Too many pages are open at once. This one tries again by itself.",
        ));
    };
    let reader = Reader::new(state.engine.clone(), state.stopping.clone(), permit, &inside.session, inside.id());
    let mut response = Response::new(Body::from_stream(reader.into_stream()));
    let answer = response.headers_mut();
    answer.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    answer.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store, no-transform"));
    // Reverse proxies that collect answers are asked not to (nginx and those that follow it).
    answer.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    response
}

struct Reader {
    engine: Engine,
    stopping: CancellationToken,
    _permit: OwnedSemaphorePermit,
    tenant: TenantId,
    user: UserId,
    /// With it the session is looked up again.
    token: TokenHash,
    /// What concerns the person.
    person: Subscription,
    /// The runs of everybody in the tenant.
    runs: Subscription,
    waiting: VecDeque<Bytes>,
    begun: bool,
    recheck: Instant,
    heartbeat: Instant,
}

impl Reader {
    fn new(
        engine: Engine,
        stopping: CancellationToken,
        permit: OwnedSemaphorePermit,
        session: &CurrentSession,
        tenant: TenantId,
    ) -> Self {
        let (person, runs) = (engine.runs().subscribe_user(session.user_id), engine.runs().subscribe(tenant));
        let now = Instant::now();
        Self {
            engine,
            stopping,
            _permit: permit,
            tenant,
            user: session.user_id,
            token: session.token,
            person,
            runs,
            waiting: VecDeque::new(),
            begun: false,
            recheck: now + RECHECK,
            heartbeat: now + HEARTBEAT,
        }
    }

    fn into_stream(self) -> impl Stream<Item = Result<Bytes, Infallible>> + Send + 'static {
        futures::stream::unfold(self, |mut reader| async move {
            let frame = reader.next().await?;
            Some((Ok(frame), reader))
        })
    }

    /// The next frame; none when the stream ends.
    async fn next(&mut self) -> Option<Bytes> {
        if !self.begun {
            self.begun = true;
            // Boxed: a stream that rests must not keep memory for what it does once, or every few seconds.
            let snapshot: BoxFuture<'_, _> = Box::pin(self.snapshot());
            return snapshot.await.inspect_err(|error| tracing::warn!(%error, "a live stream could not begin")).ok();
        }
        loop {
            // Before anything is told: a reader that is slower than the news always finds some.
            if Instant::now() >= self.recheck {
                self.recheck = Instant::now() + RECHECK;
                let asked: BoxFuture<'_, bool> = Box::pin(self.may_see());
                if !asked.await {
                    return None;
                }
            }
            if let Some(frame) = self.waiting.pop_front() {
                self.heartbeat = Instant::now() + HEARTBEAT;
                return Some(frame);
            }
            let news = tokio::select! {
                biased;
                () = self.stopping.cancelled() => return None,
                news = self.person.next() => news,
                news = self.runs.next() => news,
                () = tokio::time::sleep_until(self.recheck.min(self.heartbeat)) => {
                    if Instant::now() >= self.heartbeat {
                        self.waiting.push_back(sse::frame(&LiveEvent::Heartbeat));
                    }
                    continue;
                }
            };
            self.waiting.extend(news.iter().map(|published| published.encoded(sse::frame)));
        }
    }

    /// Taken after the subscription was opened, so that nothing falls between.
    async fn snapshot(&self) -> Result<Bytes, EngineError> {
        let snapshot = self.engine.runs().snapshot(self.tenant, self.user).await?;
        Ok(sse::first_frame(RETRY, &LiveEvent::Snapshot(snapshot)))
    }

    /// Whether session and role still let this person see the tenant. When that cannot be found out, the stream ends
    /// too: it comes back by itself.
    async fn may_see(&self) -> bool {
        let asked = async {
            let stands = self.engine.session_stands_for(&self.token, self.user).await?;
            Ok::<_, EngineError>(stands && self.engine.role(self.tenant, self.user).await?.is_some())
        };
        asked.await.unwrap_or_else(|error| {
            tracing::warn!(%error, "the right to see a live stream could not be asked for");
            false
        })
    }
}
