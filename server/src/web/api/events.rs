//! Watching a run: its state whenever it changes, until it has ended or the token is worth nothing any more.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::Response;
use futures::{Stream, StreamExt as _};
use tenantatlas_domain::ids::{OperationRunId, TenantId};
use tenantatlas_domain::live::RunState;
use tenantatlas_engine::{CommandError, Engine};
use tenantatlas_store::operation_runs;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;
use uuid::Uuid;

use super::call::Call;
use super::problem::Problem;
use super::reply::Reply;
use super::wire;
use crate::web::State;

/// Its route.
pub const ROUTE: &str = "/api/v1/tenants/{tenant}/runs/{run}/events";
/// A comment is sent when nothing else was for so long.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// Whether the token is still good is asked again so often.
const RECHECK: Duration = Duration::from_secs(3);

/// Opens the stream of a run.
pub async fn watch(call: Call) -> Result<Reply, Problem> {
    let (tenant, run): (_, OperationRunId) = (call.tenant()?, call.id("run", "The run")?);
    if operation_runs::get(call.db(), tenant, run).await?.is_none() {
        return Err(Problem::not_found("The run"));
    }
    let Ok(permit) = Arc::clone(&call.state.streams).try_acquire_owned() else {
        return Err(Problem {
            retry_after: Some(5),
            ..Problem::new("unavailable", "Too many streams are open at once. Try again in a moment.")
        });
    };
    let now = Instant::now();
    let reader = Reader {
        states: Box::pin(call.engine().runs().follow(tenant, run)),
        state: call.state.clone(),
        _permit: permit,
        token: call.token.0.id,
        tenant,
        run,
        recheck: now + RECHECK,
        heartbeat: now + HEARTBEAT,
    };
    let frames = futures::stream::unfold(reader, |mut reader| async move {
        let frame = reader.next().await?;
        Some((Ok::<_, Infallible>(frame), reader))
    });
    let mut response = Response::new(Body::from_stream(frames));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store, no-transform"));
    headers.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    Ok(Reply::Events(response))
}

struct Reader {
    states: Pin<Box<dyn Stream<Item = Result<RunState, CommandError>> + Send>>,
    state: State,
    _permit: OwnedSemaphorePermit,
    token: Uuid,
    tenant: TenantId,
    run: OperationRunId,
    recheck: Instant,
    heartbeat: Instant,
}

impl Reader {
    /// The next frame; none when the stream ends.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            // Before anything is told: a reader that is slower than the news always finds some.
            if Instant::now() >= self.recheck {
                self.recheck = Instant::now() + RECHECK;
                let role = self.state.engine.token_role(self.token, self.tenant).await;
                if !role.is_ok_and(|role| role.is_some()) {
                    return None;
                }
            }
            tokio::select! {
                biased;
                () = self.state.stopping.cancelled() => return None,
                news = self.states.next() => {
                    news?.ok()?;
                    self.heartbeat = Instant::now() + HEARTBEAT;
                    return frame(&self.state.engine, self.tenant, self.run).await;
                }
                () = tokio::time::sleep_until(self.recheck.min(self.heartbeat)) => {
                    if Instant::now() >= self.heartbeat {
                        self.heartbeat = Instant::now() + HEARTBEAT;
                        return Some(Bytes::from_static(b": still here\n\n"));
                    }
                }
            }
        }
    }
}

/// The run as it is now, in the form in which all of the API tells it.
async fn frame(engine: &Engine, tenant: TenantId, run: OperationRunId) -> Option<Bytes> {
    let run = operation_runs::get(engine.reader(), tenant, run).await.ok()??;
    let data = serde_json::to_string(&wire::Run::from(&run)).ok()?;
    Some(Bytes::from(format!("event: run\ndata: {data}\n\n")))
}
