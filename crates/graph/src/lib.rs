//! A Microsoft Graph client: tokens, paging, throttling, errors.
//!
//! One [`GraphClient`] lives in a process. It owns the connections, the token cache and, per tenant and
//! application, the *rate limiter* that decides when the next request may leave. [`GraphClient::session`] binds it to one
//! tenant, to a [`RequestCounter`] that counts and to a cancellation token that ends every wait at once.
//!
//! ```no_run
//! # use tenantatlas_graph::*;
//! # async fn read(connection: Connection) -> Result<(), GraphError> {
//! use futures::StreamExt;
//! let client = GraphClient::new(GraphClientOptions::default());
//! let session = client.session(connection, RequestCounter::new(), Default::default());
//! let mut pages = session.pages(PageRequest::new(GraphVersion::Beta, "deviceManagement/configurationPolicies"));
//! while let Some(page) = pages.next().await {
//!     for raw in page?.items() {
//!         assert!(raw.starts_with('{'));
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! What it promises (`docs/rules.md`, sections Inventory sync and Reason codes):
//! - the bearer token goes to the session's own Graph address and nowhere else: next links are checked, redirects
//!   are not followed;
//! - a read either comes to its end or fails with a reason code; nothing is silently left out;
//! - every wait is bounded, and ends at once when the session is cancelled;
//! - no secret, token or mail address stands in an error or a log line;
//! - no host or address that a cloud writes into a message is shown, and of an address that a person entered nothing is
//!   told until it has answered as Graph does;
//! - connections lead to public addresses and to networks that the settings name, judged when they are opened;
//! - memory stays flat: a stream holds the page the caller works on and at most one more, and all that a process holds
//!   of answers comes out of one budget.

mod addresses;
mod answer;
mod assertion;
mod batch;
mod body;
mod budget;
mod client;
mod course;
mod credential;
mod endpoints;
mod error;
mod exchange;
mod failure;
mod options;
mod page;
mod paging;
mod partial;
mod probe;
mod rate_limiter;
mod request_counter;
mod retry;
mod session;
mod shared;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod token;
mod token_request;
mod traced;
mod transport;
mod value_size;

pub use addresses::without_addresses;
pub use batch::{BatchAnswer, BatchGet, MAX_BATCH};
pub use budget::HeldBytes;
pub use client::GraphClient;
pub use credential::{Connection, Credential};
pub use endpoints::{CloudEndpoints, EndpointError, GraphVersion};
pub use error::{GraphError, MAX_MESSAGE};
pub use options::{
    Concurrency, ErrorDetail, GraphClientOptions, MemoryLimits, QuotaRule, RequestQuota, RetryBudget, Timeouts,
};
pub use page::{Document, Page};
pub use paging::{DEFAULT_MAX_PAGES, PageRequest, PageStream};
pub use partial::has_partial_collection;
pub use probe::Organization;
pub use request_counter::{RequestCounter, RequestCounts};
pub use retry::parse_retry_after;
pub use session::GraphSession;
pub use value_size::value_size;
