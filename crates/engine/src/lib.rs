//! What the product does: long operations, and the commands on tenants, people and sign-ins.
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
//! let mut states = std::pin::pin!(engine.runs().follow(tenant, outcome.run_id));
//! while let Some(state) = states.next().await {
//!     assert!(state?.counters.is_consistent());
//! }
//! engine.shutdown().await;
//! # Ok(())
//! # }
//! ```

mod account_notice;
mod api_answers;
mod api_tokens;
mod audit_reading;
mod config;
mod drift;
mod endpoints;
mod engine;
mod error;
mod expiries;
mod graph_reads;
mod housekeeping;
mod inventory_sync;
mod invitations;
mod members;
mod operations;
mod password;
mod policy_capture;
mod policy_versions;
mod preferences;
mod retention;
mod saved_views;
mod schedules;
mod second_factor;
mod session_policy;
mod setting_catalog;
mod setting_search;
mod sign_in;
mod start;
mod tenant_check;
mod tenants;
mod token;
mod typed_name;
mod users;

pub use account_notice::AccountNotice;
pub use api_tokens::{
    AuthenticatedToken, LONGEST_TOKEN_DAYS, NewToken, RefusedToken, TOKEN_PREFIX, TokenRefusal, is_token,
};
pub use audit_reading::{AuditReadPayload, ReadAuditEvents};
pub use config::{EngineConfig, OutgoingConfig};
pub use drift::{DriftPayload, Explained, Explanations, GenerateDrift, MANY_FINDINGS, SettingsTold};
pub use endpoints::{AddedEndpoint, EndpointChange, EndpointDetails, EndpointNotice, MailConfig, MailTls};
pub use engine::Engine;
pub use error::EngineError;
pub use expiries::{ExpiryNotice, NamedEnding};
pub use inventory_sync::{DispatchOutcome, InventorySync, SyncConfig, SyncPayload};
pub use invitations::{AddedMember, Invited};
pub use operations::{OPERATION_NAMES, run_words};
pub use password::{MAX_PASSWORD_BYTES, MAX_PASSWORD_CHARACTERS, MIN_PASSWORD_CHARACTERS};
pub use policy_capture::{CaptureOf, CaptureOutcome, CapturePayload, CapturePolicies};
pub use policy_versions::{Comparison, OpenVersion, ReadVersion};
pub use retention::{PrunePayload, PruneTenant, RETENTION_DAYS};
pub use schedules::{
    Due, ForMany, MOST_TENANTS_AT_ONCE, ScheduleNotice, ScheduleOptions, ScheduleSpec, Times, pattern_of, time_of,
    zone_names,
};
pub use second_factor::{SecondFactorState, SetUp};
pub use session_policy::{RequireSecondFactor, SessionPolicy, UnknownRule};
pub use setting_catalog::{RefreshPayload, RefreshSettingCatalog};
pub use setting_search::{
    FoundPolicy, FoundSetting, LeftOut, NotSearched, PivotRow, SearchAnswer, SearchCoverage, SearchRequest,
    SettingPivot,
};
pub use sign_in::{BROWSER_IS_KNOWN, Opened, SECOND_STEP_LASTS, SET_UP_STEP_LASTS, SignIn, Visitor};
pub use tenant_check::{CheckPayload, CheckTenant};
pub use tenantatlas_commands::{
    Actor, ActorKind, AuditEvent, CONFIRMATION_LASTS, Clock, CommandError, Commands, SystemClock, is_confirmed,
};
pub use tenantatlas_runs::{
    Cancelled, Dispatched, LONGEST_WHY, MOST_AT_ONCE, Operation, OperationKind, Operations, Outcomes, Published,
    ReasonCount, RetryPart, RunContext, RunNotice, Runner, RunnerConfig, Stop, Subscription, Summary, Topic, Work,
};
pub use tenants::{MadeCertificate, connection_problems, endpoints, make_certificate};
pub use token::{hash_token, new_token};
