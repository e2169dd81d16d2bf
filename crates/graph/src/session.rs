//! The client bound to one tenant.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use bytes::Bytes;
use serde_json::Value;
use tenantatlas_domain::reason::ReasonCode;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::answer::{Answer, Unusable};
use crate::budget::{Account, HeldBytes, NoMemory, Reservation};
use crate::credential::Connection;
use crate::endpoints::{CloudEndpoints, GraphVersion};
use crate::error::GraphError;
use crate::exchange::Call;
use crate::failure::{self, ErrorBody};
use crate::options::GraphClientOptions;
use crate::page::Document;
use crate::rate_limiter::RateLimiter;
use crate::request_counter::RequestCounter;
use crate::shared::Shared;
use crate::token::{Token, TokenKey};
use crate::token_request::request_token;

/// Reads one tenant. Cheap to clone; clones share the token, the limits and what was learned about `$batch`.
#[derive(Clone)]
pub struct GraphSession {
    bound: Arc<Bound>,
    counter: RequestCounter,
    cancellation: CancellationToken,
    workbench: Option<Arc<Account>>,
}

struct Bound {
    shared: Arc<Shared>,
    connection: Arc<Connection>,
    token_key: TokenKey,
    rate_limiter: Arc<RateLimiter>,
    batch_refused: AtomicBool,
    /// Whether this Graph has answered as one.
    proven: AtomicBool,
    /// How often this Graph accepted the token, whatever it answered then.
    accepted: AtomicU64,
}

impl GraphSession {
    pub(crate) fn new(
        shared: Arc<Shared>,
        connection: Connection,
        rate_limiter: Arc<RateLimiter>,
        counter: RequestCounter,
        cancellation: CancellationToken,
    ) -> Self {
        let token_key = TokenKey::new(&connection);
        let connection = Arc::new(connection);
        let (batch_refused, proven, accepted) = Default::default();
        let bound = Bound { shared, connection, token_key, rate_limiter, batch_refused, proven, accepted };
        Self { bound: Arc::new(bound), counter, cancellation, workbench: None }
    }

    /// The same session, counting into another counter.
    #[must_use]
    pub fn with_counter(&self, counter: RequestCounter) -> Self {
        Self { counter, ..self.clone() }
    }

    /// The same session, cancelled by another token.
    #[must_use]
    pub fn with_cancellation(&self, cancellation: CancellationToken) -> Self {
        Self { cancellation, ..self.clone() }
    }

    /// The same session with a workbench of its own: what is read through it is held as JSON values, and counts as such
    /// until the session and its clones are dropped. A piece of work takes one when it begins, and no other before it has
    /// dropped it.
    ///
    /// Whoever holds a [`Page`](crate::Page) or a [`Document`] reads through a workbench and in no other way: answers that
    /// stay text wait for one another, and would wait for the very one that is held.
    #[must_use]
    pub fn on_workbench(&self) -> Self {
        Self { workbench: Some(self.bound.shared.workbenches.open()), ..self.clone() }
    }

    /// The memory that the workbench takes, to be kept with what is made on it.
    #[must_use]
    pub fn workbench(&self) -> Option<HeldBytes> {
        self.workbench.clone().map(HeldBytes::of_workbench)
    }

    /// Counts JSON values that the caller makes to the workbench, so many bytes of memory as [`value_size`](crate::value_size)
    /// says; waits where it has to. Without a workbench nothing is counted.
    ///
    /// # Errors
    /// [`ReasonCode::ParseFailed`] when it is more than a workbench may hold, [`ReasonCode::Cancelled`].
    pub async fn lay_out(&self, values: usize) -> Result<(), GraphError> {
        let Some(account) = &self.workbench else { return Ok(()) };
        let reservation = Reservation::of_values(Arc::clone(account));
        loop {
            match reservation.take(values) {
                Ok(()) => return Ok(()),
                Err(NoMemory::Ever(limit)) => return Err(failure::too_many_values(limit)),
                Err(NoMemory::Now) => {
                    let waited = self.cancellation.run_until_cancelled(reservation.wait()).await;
                    waited.ok_or_else(GraphError::cancelled)?;
                }
            }
        }
    }

    /// The counter this session counts into.
    #[must_use]
    pub fn counter(&self) -> &RequestCounter {
        &self.counter
    }

    /// Reads one resource. `path_and_query` is relative to the version, with or without a leading slash; ids from
    /// outside belong through [`path_segment`](tenantatlas_domain::path_segment::path_segment).
    ///
    /// # Errors
    /// See the reason codes of [`GraphError`].
    pub async fn get(&self, version: GraphVersion, path_and_query: &str) -> Result<Document, GraphError> {
        let call = Call::get(self.resource(version, path_and_query)?);
        self.exchange(&call, |answer| self.understood(answer)).await
    }

    /// Sends a POST that only reads, like `directoryObjects/getByIds`. It is repeated like a GET.
    ///
    /// # Errors
    /// See the reason codes of [`GraphError`].
    pub async fn post_read(
        &self,
        version: GraphVersion,
        path_and_query: &str,
        body: &Value,
    ) -> Result<Document, GraphError> {
        let body = Some(Bytes::from(body.to_string()));
        let call = Call { body, ..Call::get(self.resource(version, path_and_query)?) };
        self.exchange(&call, |answer| self.understood(answer)).await
    }

    /// Forgets the token that is kept, so that the next read signs in afresh: what was granted or withdrawn meanwhile shows.
    pub fn renew_token(&self) {
        self.bound.shared.tokens.forget(&self.bound.token_key);
    }

    /// The application permissions in the token's `roles` claim, sorted. Empty when an admin has not consented to
    /// any, `None` when the token is opaque and does not show them. Signs in when there is no token yet.
    ///
    /// # Errors
    /// As signing in.
    pub async fn granted_roles(&self) -> Result<Option<Vec<String>>, GraphError> {
        let token = self.cancellation.run_until_cancelled(self.token()).await;
        let token = token.unwrap_or_else(|| Err(GraphError::cancelled()))?;
        Ok(token.roles.clone())
    }

    /// How often Graph accepted the token so far: with every answer of its own but a 401.
    #[must_use]
    pub fn times_accepted(&self) -> u64 {
        self.bound.accepted.load(Ordering::Relaxed)
    }

    /// Whether Graph accepts the token anywhere: to be asked when one address refused it. A 401 everywhere is a sign-in
    /// that is lost; a 401 of one service, such as Intune's for a tenant that it does not know, says nothing about others.
    /// `before` is what [`GraphSession::times_accepted`] was when the refused piece of work began.
    ///
    /// # Errors
    /// [`ReasonCode::Cancelled`].
    pub async fn is_accepted_elsewhere(&self, before: u64) -> Result<bool, GraphError> {
        // Two services that know nothing of each other: the directory and Intune.
        for path in ["organization?$select=id", "deviceManagement?$select=id"] {
            if self.times_accepted() > before {
                return Ok(true);
            }
            match self.get(GraphVersion::V1, path).await {
                Err(error) if error.reason == ReasonCode::Cancelled => return Err(error),
                // What it was that was answered does not matter: only whether the token was refused.
                Ok(_) | Err(_) => {}
            }
        }
        Ok(self.times_accepted() > before)
    }

    pub(crate) async fn token(&self) -> Result<Arc<Token>, GraphError> {
        let fetch = || request_token(Arc::clone(&self.bound.shared), Arc::clone(&self.bound.connection));
        self.bound.shared.tokens.get(&self.bound.token_key, fetch).await
    }

    pub(crate) fn forget(&self, token: &Arc<Token>) {
        self.bound.shared.tokens.invalidate(&self.bound.token_key, token);
    }

    pub(crate) fn resource(&self, version: GraphVersion, path_and_query: &str) -> Result<Url, GraphError> {
        self.endpoints().resource(version, path_and_query).ok_or_else(|| {
            GraphError::new(ReasonCode::ContractInvalid, "the path does not lead to a resource of this Graph")
        })
    }

    pub(crate) fn endpoints(&self) -> &CloudEndpoints {
        &self.bound.connection.endpoints
    }

    pub(crate) async fn pool(&self, url: &Url) -> Result<&reqwest::Client, GraphError> {
        self.bound.shared.transport.pool(url, self.endpoints()).await
    }

    /// Where the next answer is counted.
    pub(crate) fn reservation(&self) -> Reservation {
        match &self.workbench {
            Some(account) => Reservation::of_values(Arc::clone(account)),
            None => Reservation::of_text(self.bound.shared.pages.open()),
        }
    }

    /// Notes that something answered as Graph does.
    pub(crate) fn has_answered_as_graph(&self) {
        self.bound.proven.store(true, Ordering::Relaxed);
    }

    /// Notes that Graph accepted the token.
    pub(crate) fn has_accepted_the_token(&self) {
        self.bound.accepted.fetch_add(1, Ordering::Relaxed);
    }

    /// Whether a person may be told what went wrong, and not only that something did (see [`crate::ErrorDetail`]).
    pub(crate) fn tells_details(&self) -> bool {
        self.endpoints().tells_details(self.options().detail) || self.bound.proven.load(Ordering::Relaxed)
    }

    /// A single answer. Of an address that has not yet answered as a Graph not any JSON will do.
    fn understood(&self, answer: Answer) -> Result<Document, Unusable> {
        let document = Document::new(answer)?;
        if self.tells_details() || document.is_graphs() {
            Ok(document)
        } else {
            Err(Unusable::Contract("the answer does not have the form of Graph's answers"))
        }
    }

    /// What of an error body is shown: of a custom cloud only what has the form in which Graph tells errors.
    pub(crate) fn believed(&self, body: ErrorBody) -> ErrorBody {
        if body.is_graphs || !self.endpoints().is_custom() { body } else { ErrorBody::default() }
    }

    pub(crate) fn options(&self) -> &GraphClientOptions {
        &self.bound.shared.options
    }

    pub(crate) fn rate_limiter(&self) -> &Arc<RateLimiter> {
        &self.bound.rate_limiter
    }

    pub(crate) fn cancellation(&self) -> &CancellationToken {
        &self.cancellation
    }

    pub(crate) fn batch_is_refused(&self) -> bool {
        self.bound.batch_refused.load(Ordering::Relaxed)
    }

    pub(crate) fn remember_batch_refusal(&self) {
        self.bound.batch_refused.store(true, Ordering::Relaxed);
    }
}

impl fmt::Debug for GraphSession {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("GraphSession").field("connection", &self.bound.connection).finish_non_exhaustive()
    }
}
