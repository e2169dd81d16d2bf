//! Receives the body of a request before anything works on it: forms only, so a body is small and comes at once.
//!
//! A request whose body is still on its way holds its connection and a few kilobytes, and neither session, database nor
//! page; it does so for a limited time (CWE-400; RFC 9110, section 15.5.9).

use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody as _};
use axum::extract::{Request, State as Extract};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use futures::StreamExt as _;
use tenantatlas_app::error::{AppError, ErrorKind};
use tokio_util::sync::CancellationToken;

use super::State;
use super::answer::refuse_as_asked;

/// The largest request body, in bytes.
pub const BODY_LIMIT: usize = 64 * 1024;
/// How long a body may take from its first byte to its last: 64 KiB over the slowest line that people still have.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a body may still take once the server stops.
const LAST_BODIES: Duration = Duration::from_secs(1);

/// Why a body was not received.
#[derive(Debug, Clone, Copy)]
enum Refused {
    Late,
    TooLarge,
    BrokenOff,
    Stopping,
}

impl Refused {
    const fn answer(self) -> (StatusCode, ErrorKind, &'static str) {
        match self {
            Self::Late => {
                (StatusCode::REQUEST_TIMEOUT, ErrorKind::Unavailable, "The request took too long to arrive. Try again.")
            }
            Self::TooLarge => {
                (StatusCode::PAYLOAD_TOO_LARGE, ErrorKind::Invalid, "The request is larger than 64 KiB. Send less.")
            }
            Self::BrokenOff => {
                (StatusCode::BAD_REQUEST, ErrorKind::Invalid, "The request broke off on its way. Try again.")
            }
            Self::Stopping => (
                StatusCode::SERVICE_UNAVAILABLE,
                ErrorKind::Unavailable,
                "The server is restarting. Try again in a moment; nothing was lost.",
            ),
        }
    }
}

/// Receives the body, or refuses the request and closes its connection.
pub async fn receive(Extract(state): Extract<State>, request: Request, next: Next) -> Response {
    receive_within(BODY_TIMEOUT, &state.stopping, request, next).await
}

/// [`receive`] with a time limit of its own.
pub async fn receive_within(limit: Duration, stopping: &CancellationToken, request: Request, next: Next) -> Response {
    if request.body().is_end_stream() {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    let refused = async {
        let last = async {
            stopping.cancelled().await;
            tokio::time::sleep(LAST_BODIES).await;
        };
        tokio::select! {
            () = tokio::time::sleep(limit) => Refused::Late,
            () = last => Refused::Stopping,
        }
    };
    let received = tokio::select! {
        biased;
        received = whole(body) => received,
        refused = refused => Err(refused),
    };
    match received {
        Ok(bytes) => next.run(Request::from_parts(parts, Body::from(bytes))).await,
        Err(refused) => {
            let (status, kind, message) = refused.answer();
            let mut response = refuse_as_asked(&parts.headers, status, &AppError::new(kind, message));
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            response
        }
    }
}

/// The whole body. It grows with what comes, not with what was announced.
async fn whole(body: Body) -> Result<Bytes, Refused> {
    if body.size_hint().lower() > BODY_LIMIT as u64 {
        return Err(Refused::TooLarge);
    }
    let mut pieces = body.into_data_stream();
    let mut whole = Vec::new();
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|_| Refused::BrokenOff)?;
        if whole.len() + piece.len() > BODY_LIMIT {
            return Err(Refused::TooLarge);
        }
        whole.extend_from_slice(&piece);
    }
    Ok(whole.into())
}
