//! What all sessions of a process share.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::budget::ByteBudget;
use crate::credential::Connection;
use crate::options::{GraphClientOptions, QuotaRule, RequestQuota};
use crate::rate_limiter::RateLimiter;
use crate::token::TokenCache;
use crate::transport::Transport;

/// Answers of token endpoints that are read at the same time, in bytes: each has a few kilobytes.
const SIGN_IN_BYTES: usize = 8 * 1024 * 1024;
/// Largest answer of a token endpoint, in bytes.
pub(crate) const LARGEST_SIGN_IN: usize = 256 * 1024;

/// Connections, tokens, memory and what is known about the limits of each tenant.
pub(crate) struct Shared {
    pub(crate) options: GraphClientOptions,
    pub(crate) transport: Transport,
    pub(crate) tokens: TokenCache,
    /// Memory for pages and single answers.
    pub(crate) pages: Arc<ByteBudget>,
    /// Memory for what is read below items, held as JSON values while the page of the items is held.
    pub(crate) workbenches: Arc<ByteBudget>,
    /// Memory for the answers of token endpoints. Apart from the others: whoever holds memory may wait for a token.
    pub(crate) sign_ins: Arc<ByteBudget>,
    rate_limiters: Mutex<HashMap<RateLimiterKey, Arc<RateLimiter>>>,
}

/// Limits belong to an application in a tenant of a cloud, whatever credential it uses.
#[derive(PartialEq, Eq, Hash)]
struct RateLimiterKey {
    graph: String,
    tenant: String,
    client_id: String,
}

impl Shared {
    pub(crate) fn new(options: GraphClientOptions) -> Self {
        let (tokens, rate_limiters) = Default::default();
        let (transport, memory) = (Transport::new(&options), options.memory);
        let pages = ByteBudget::new(memory.pages, memory.body);
        let workbenches = ByteBudget::new(memory.workbenches, memory.workbench);
        let sign_ins = ByteBudget::new(SIGN_IN_BYTES, LARGEST_SIGN_IN);
        Self { options, transport, tokens, pages, workbenches, sign_ins, rate_limiters }
    }

    /// The limits of a connection, shared by all that are bound to the same application in the same tenant.
    pub(crate) fn rate_limiter(&self, connection: &Connection) -> Arc<RateLimiter> {
        let key = RateLimiterKey {
            graph: connection.endpoints.graph().to_string(),
            tenant: connection.tenant.to_lowercase(),
            client_id: connection.client_id.to_lowercase(),
        };
        let rule = match self.options.quota {
            QuotaRule::ByCloud if connection.endpoints.is_custom() => QuotaRule::Learned,
            QuotaRule::ByCloud => QuotaRule::Fixed(RequestQuota::DOCUMENTED),
            rule => rule,
        };
        let mut rate_limiters = self.rate_limiters.lock().unwrap_or_else(PoisonError::into_inner);
        let rate_limiter =
            rate_limiters.entry(key).or_insert_with(|| Arc::new(RateLimiter::new(self.options.concurrency, rule)));
        Arc::clone(rate_limiter)
    }
}
