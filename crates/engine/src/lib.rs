//! Operations: dispatch, workers, leases, inventory sync, notifications, audit, live events.
//!
//! The operation run is the job: dispatch, audit and notification commit in one transaction, a worker claims the run by
//! a lease that one guard renews, and everything it writes names the lease, so that a worker which lost it can write
//! nothing more. A run whose worker died is taken over where it stopped. There is no second queue that could disagree.
//!
//! ```no_run
//! # async fn run(db: tenantatlas_store::Db, vault: tenantatlas_store::Vault, tenant: tenantatlas_domain::ids::TenantId)
//! # -> Result<(), tenantatlas_engine::EngineError> {
//! use futures::StreamExt;
//! use tenantatlas_domain::{registry::registry, selection::Selection};
//! use tenantatlas_engine::{Actor, Engine, EngineConfig};
//! let graph = tenantatlas_graph::GraphClient::new(Default::default());
//! let engine = Engine::start(EngineConfig::default(), db, vault, graph);
//! let outcome = engine.dispatch_sync(&Actor::command_line(), tenant, &Selection::full(registry())).await?;
//! let mut states = std::pin::pin!(engine.follow(tenant, outcome.run_id));
//! while let Some(state) = states.next().await {
//!     assert!(state?.counters.is_consistent());
//! }
//! engine.shutdown().await;
//! # Ok(())
//! # }
//! ```

mod account_notice;
mod actor;
mod audit_events;
mod check;
mod clock;
mod command;
mod config;
mod connection;
mod dispatch;
mod ending;
mod engine;
mod error;
mod events;
mod guard;
mod membership;
mod network;
mod notice;
mod operation;
mod password;
mod preferences;
mod rate_limit;
mod relay;
mod run_context;
mod run_state;
mod second_factor;
mod session_policy;
mod sign_in;
mod stats;
mod sweeper;
mod sync;
mod tenancy;
mod token;
mod trail;
mod users;
mod watching;
mod worker;

pub use account_notice::AccountNotice;
pub use actor::{Actor, ActorKind};
pub use audit_events::AuditEvent;
pub use check::{Licence, MissingPermission, TenantCheck};
pub use clock::{Clock, SystemClock};
pub use command::{CONFIRMATION_LASTS, is_confirmed};
pub use config::EngineConfig;
pub use connection::endpoints;
pub use dispatch::{Cancelled, DispatchOutcome};
pub use engine::Engine;
pub use error::EngineError;
pub use events::{Events, LiveEvent, Published, Subscription, Topic};
pub use notice::{RUN_ENDED, RUN_QUEUED, ReasonCount, RunNotice, count_reasons};
pub use operation::{Operation, Stop, Summary, Work};
pub use password::{MAX_PASSWORD_BYTES, MAX_PASSWORD_CHARACTERS, MIN_PASSWORD_CHARACTERS};
pub use run_context::{Progress, RunContext};
pub use run_state::{CurrentItem, RunState};
pub use second_factor::{SecondFactorState, SetUp};
pub use session_policy::{RequireSecondFactor, SessionPolicy, UnknownRule};
pub use sign_in::{BROWSER_IS_KNOWN, Opened, SECOND_STEP_LASTS, SET_UP_STEP_LASTS, SignIn, Visitor};
pub use stats::StatsSnapshot;
pub use sync::{InventorySync, SyncPayload};
pub use token::{hash_token, new_token};
pub use watching::Snapshot;
