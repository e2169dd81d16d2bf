//! `GET /events`: the live stream of a person, as Server-Sent Events (HTML standard, section Server-sent events), with
//! the runs of all tenants that exist for them. `GET /t/{tenant}/events`: the same for a page of a tenant, with the runs of
//! everybody in it, and of the other tenants those that the person started.
//!
//! A connection first gets a `snapshot` (active runs, the unread count, the clock of the server), then the newest state
//! per run as `run` and the unread count as `unread`, and at least every [`HEARTBEAT`] something. A reader that is slow
//! gets the newest states, never a backlog. The right to see is asked again every [`RECHECK`]: without session or tenant the
//! stream ends, as it does when the server stops, and nothing is told of another tenant that the person lost.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State as Extract;
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::Response;
use futures::Stream;
use futures::future::BoxFuture;
use tenantatlas_app::error::{AppError, ErrorKind};
use tenantatlas_app::session::current::CurrentSession;
use tenantatlas_domain::ids::{TenantId, UserId};
use tenantatlas_domain::live::LiveEvent;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_engine::{Engine, EngineError, Published, Subscription};
use tenantatlas_store::members::Sight;
use tenantatlas_store::sessions::TokenHash;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::answer::refuse;
use super::inside::{InTenant, SignedIn};
use super::{State, sse};

/// Streams open at the same time in one process; more are refused with 503 and come again.
pub const MAX_STREAMS: usize = 20_000;
/// A heartbeat is sent when nothing else was for so long: proxies and suspended machines drop idle connections without
/// closing them.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// The right to see the tenant is asked again so often.
const RECHECK: Duration = Duration::from_secs(4);
/// How long a browser waits before it connects again by itself, milliseconds.
const RETRY: u32 = 2_000;

/// Opens the stream of a page of a tenant.
pub async fn of_tenant(Extract(state): Extract<State>, InTenant(inside): InTenant) -> Response {
    open(&state, &inside.session, Some(inside.id())).await
}

/// Opens the stream of a page outside of any tenant.
pub async fn of_person(Extract(state): Extract<State>, SignedIn(session): SignedIn) -> Response {
    open(&state, &session, None).await
}

async fn open(state: &State, session: &CurrentSession, tenant: Option<TenantId>) -> Response {
    let Ok(permit) = Arc::clone(&state.streams).try_acquire_owned() else {
        return refuse(&AppError::new(
            ErrorKind::Unavailable,
            "Too many pages are open at once. This one tries again by itself.",
        ));
    };
    let sight = match state.engine.sight(session.user_id).await {
        Ok(Some(sight)) => sight,
        Ok(None) => return refuse(&AppError::signed_out()),
        Err(error) => return refuse(&error.into()),
    };
    let reader = Reader::new(state, permit, session, tenant, sight);
    let mut response = Response::new(Body::from_stream(reader.into_stream()));
    let answer = response.headers_mut();
    answer.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    answer.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store, no-transform"));
    // Reverse proxies that collect answers are asked not to (nginx and those that follow it).
    answer.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    response
}

/// The figure of how long events took from the commit of what they tell of to their stream.
pub const DELAY: &str = "event_delay_seconds";

/// Notes how long an event took. The commit has the clock of the process that made it: one that is ahead took no time.
fn note_delay(committed: Timestamp, now: Timestamp) {
    let millis = now.as_millis().saturating_sub(committed.as_millis()).max(0);
    let took = Duration::from_millis(millis.unsigned_abs());
    metrics::histogram!(DELAY).record(took.as_secs_f64());
}

struct Reader {
    engine: Engine,
    stopping: CancellationToken,
    _permit: OwnedSemaphorePermit,
    /// The tenant of the page; `None` outside of any.
    tenant: Option<TenantId>,
    user: UserId,
    /// With it the session is looked up again.
    token: TokenHash,
    /// The tenants that existed for the person when that was last asked. At most 16 bytes for each.
    sight: Sight,
    /// What concerns the person: the unread count, and their runs.
    person: Subscription,
    /// The runs of everybody in the tenant, or in all.
    runs: Subscription,
    waiting: VecDeque<Bytes>,
    begun: bool,
    recheck: Instant,
    heartbeat: Instant,
}

impl Reader {
    fn new(
        state: &State,
        permit: OwnedSemaphorePermit,
        session: &CurrentSession,
        tenant: Option<TenantId>,
        sight: Sight,
    ) -> Self {
        let all = state.engine.runs();
        let person = all.subscribe_user(session.user_id);
        let runs = tenant.map_or_else(|| all.subscribe_all(), |tenant| all.subscribe(tenant));
        let now = Instant::now();
        Self {
            engine: state.engine.clone(),
            stopping: state.stopping.clone(),
            _permit: permit,
            tenant,
            user: session.user_id,
            token: session.token,
            sight,
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
            let (news, of_person) = tokio::select! {
                biased;
                () = self.stopping.cancelled() => return None,
                news = self.person.next() => (news, true),
                news = self.runs.next() => (news, false),
                () = tokio::time::sleep_until(self.recheck.min(self.heartbeat)) => {
                    if Instant::now() >= self.heartbeat {
                        self.waiting.push_back(sse::frame(&LiveEvent::Heartbeat));
                    }
                    continue;
                }
            };
            let told: Vec<_> = news.into_iter().filter(|published| self.is_told(published, of_person)).collect();
            let now = self.engine.now();
            for published in told {
                if let Some(committed) = published.committed {
                    note_delay(committed, now);
                }
                self.waiting.push_back(published.encoded(sse::frame));
            }
        }
    }

    /// Whether an event is sent: not that of a tenant which does not exist for the person, and each run of the person once,
    /// although both subscriptions tell of it.
    fn is_told(&self, published: &Published, of_person: bool) -> bool {
        let LiveEvent::Run(state) = &published.event else { return true };
        let is_own = state.user_id == Some(self.user);
        is_own == of_person && self.sight.holds(state.tenant_id)
    }

    /// Taken after the subscription was opened, so that nothing falls between.
    async fn snapshot(&self) -> Result<Bytes, EngineError> {
        let snapshot = self.engine.runs().snapshot(self.tenant, self.user).await?;
        Ok(sse::first_frame(RETRY, &LiveEvent::Snapshot(snapshot)))
    }

    /// Whether session and role still let this person see the tenant, and which others exist for them. When that cannot be found out, the stream ends
    /// too: it comes back by itself.
    async fn may_see(&mut self) -> bool {
        let asked = async {
            let stands = self.engine.session_stands_for(&self.token, self.user).await?;
            let here = match self.tenant {
                Some(tenant) => self.engine.role(tenant, self.user).await?.is_some(),
                None => true,
            };
            Ok::<_, EngineError>(if stands && here { self.engine.sight(self.user).await? } else { None })
        };
        let asked = asked.await.map(|sight| sight.map(|sight| self.sight = sight).is_some());
        asked.unwrap_or_else(|error| {
            tracing::warn!(%error, "the right to see a live stream could not be asked for");
            false
        })
    }
}
