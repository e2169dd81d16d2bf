//! What the whole process shares.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use tokio_util::sync::CancellationToken;

use crate::credential::Connection;
use crate::gate::Gate;
use crate::meter::Meter;
use crate::options::{GraphClientOptions, QuotaRule, RequestQuota};
use crate::session::GraphSession;
use crate::token::TokenCache;
use crate::transport::Transport;

/// The client of a process: connections, tokens, and what is known about each tenant's limits. Cheap to clone.
#[derive(Clone)]
pub struct GraphClient {
    shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub(crate) options: GraphClientOptions,
    pub(crate) transport: Transport,
    pub(crate) tokens: TokenCache,
    gates: Mutex<HashMap<GateKey, Arc<Gate>>>,
}

/// Limits belong to an application in a tenant of a cloud, whatever credential it uses.
#[derive(PartialEq, Eq, Hash)]
struct GateKey {
    graph: String,
    tenant: String,
    client_id: String,
}

impl GraphClient {
    /// Opens nothing yet: connections are made, and tokens fetched, when a session first asks.
    #[must_use]
    pub fn new(options: GraphClientOptions) -> Self {
        let (transport, tokens, gates) = Default::default();
        Self { shared: Arc::new(Shared { options, transport, tokens, gates }) }
    }

    /// Binds the client to one tenant, to a meter and to what can cancel it.
    #[must_use]
    pub fn session(&self, connection: Connection, meter: Meter, cancellation: CancellationToken) -> GraphSession {
        let gate = self.shared.gate(&connection);
        GraphSession::new(Arc::clone(&self.shared), connection, gate, meter, cancellation)
    }
}

impl Shared {
    fn gate(&self, connection: &Connection) -> Arc<Gate> {
        let key = GateKey {
            graph: connection.endpoints.graph().to_string(),
            tenant: connection.tenant.to_lowercase(),
            client_id: connection.client_id.to_lowercase(),
        };
        let rule = match self.options.quota {
            QuotaRule::ByCloud if connection.endpoints.is_custom() => QuotaRule::Learned,
            QuotaRule::ByCloud => QuotaRule::Fixed(RequestQuota::DOCUMENTED),
            rule => rule,
        };
        let mut gates = self.gates.lock().unwrap_or_else(PoisonError::into_inner);
        let gate = gates.entry(key).or_insert_with(|| Arc::new(Gate::new(self.options.concurrency, rule)));
        Arc::clone(gate)
    }
}

impl fmt::Debug for GraphClient {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("GraphClient").field("options", &self.shared.options).finish_non_exhaustive()
    }
}
