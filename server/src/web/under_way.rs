//! Requests under way: how many one client and one person may have at a time, live streams among them. Connections say
//! nothing about that where a proxy stands before the server, since they are all the proxy's (CWE-770).

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State as Extract};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use ipnet::IpNet;
use tenantatlas_app::error::{AppError, ErrorKind};
use tenantatlas_app::scope::Client;
use tenantatlas_domain::ids::UserId;

use super::State;
use super::answer::refuse_as_asked;
use super::connections::{Answering, shared};
use super::counts::{Counted, Counts, Whose};
use super::peers::Peers;

/// Requests of one client address: some hundred people of an office, each with a few pages open. As many as it may have
/// connections where it connects by itself.
const MAX_PER_CLIENT: usize = super::connections::MAX_PER_ADDRESS;
/// Requests of one person, live streams aside: a page with all that it loads in several windows.
const MAX_PER_PERSON: usize = 64;
/// Live streams of one person: one for each page that is open and seen.
pub const MAX_STREAMS_PER_PERSON: usize = 100;

/// What is under way, and whose it is.
#[derive(Debug, Clone)]
pub struct UnderWay {
    clients: Arc<Peers>,
    requests: Arc<Counts>,
    streams: Arc<Counts>,
}

impl UnderWay {
    /// Nothing yet. A client that is this machine or one of these proxies is not counted: its proxy does not tell for whom
    /// it asks.
    pub fn new(trusted_proxies: &[IpNet]) -> Self {
        let clients = Arc::new(Peers::new(MAX_PER_CLIENT, shared(trusted_proxies)));
        Self { clients, requests: Arc::default(), streams: Arc::default() }
    }

    /// Counts a request of a person, or a stream, unless they have enough.
    pub fn count(&self, person: UserId, stream: bool) -> Option<Counted> {
        let whose = Whose::Person(person);
        if stream {
            self.streams.count(&[(whose, MAX_STREAMS_PER_PERSON)])
        } else {
            self.requests.count(&[(whose, MAX_PER_PERSON)])
        }
    }
}

/// Counts a request to its client until it is answered to the last byte; refuses it with 429 when the client has enough.
pub async fn per_client(Extract(state): Extract<State>, request: Request, next: Next) -> Response {
    let address = request.extensions().get::<Client>().map(|client| client.address);
    let counted = address.map(|address| state.under_way.clients.count(address));
    match counted {
        Some(None) => too_many(request.headers()),
        Some(Some(counted)) => hold(next.run(request).await, counted),
        None => next.run(request).await,
    }
}

/// An answer that is counted until its last byte, or until it is given up.
pub fn hold(response: Response, counted: Counted) -> Response {
    response.map(|body| Body::new(Answering::new(body, counted)))
}

/// What is said to a client or a person who has enough under way.
pub fn too_many(headers: &HeaderMap) -> Response {
    let message = "Too many requests of yours are under way at once. Close some pages, or wait a moment and try again.";
    refuse_as_asked(headers, StatusCode::TOO_MANY_REQUESTS, &AppError::new(ErrorKind::TooMany, message))
}
