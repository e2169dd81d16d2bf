//! The client of a process.

use std::fmt;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::credential::Connection;
use crate::options::GraphClientOptions;
use crate::request_counter::RequestCounter;
use crate::session::GraphSession;
use crate::shared::Shared;

/// The client of a process: connections, tokens, and what is known about each tenant's limits. Cheap to clone.
#[derive(Clone)]
pub struct GraphClient {
    shared: Arc<Shared>,
}

impl GraphClient {
    /// Opens nothing yet: connections are made, and tokens fetched, when a session first asks.
    #[must_use]
    pub fn new(options: GraphClientOptions) -> Self {
        Self { shared: Arc::new(Shared::new(options)) }
    }

    /// Binds the client to one tenant, to a counter and to what can cancel it.
    #[must_use]
    pub fn session(
        &self,
        connection: Connection,
        counter: RequestCounter,
        cancellation: CancellationToken,
    ) -> GraphSession {
        let rate_limiter = self.shared.rate_limiter(&connection);
        GraphSession::new(Arc::clone(&self.shared), connection, rate_limiter, counter, cancellation)
    }
}

impl fmt::Debug for GraphClient {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("GraphClient").field("options", &self.shared.options).finish_non_exhaustive()
    }
}
