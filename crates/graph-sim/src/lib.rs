//! A simulated Microsoft cloud over real HTTP: the token endpoint, Graph v1.0 and beta with the documented limits, and
//! faults on request. For the demo, the tests and the benchmarks.
//!
//! It depends on no other crate of the project and was written from Microsoft's documentation, so that a shared
//! misunderstanding cannot hide. Objects are made when they are asked for, from a seed; none is held in memory, so a
//! tenant can have a million of them. What looks like a secret in them carries the mark [`SECRET_MARK`],
//! and what lets somebody in [`CREDENTIAL_MARK`].
//!
//! With TLS it stands in for the hosts of Microsoft themselves, so that clients of others can be pointed at it unchanged
//! ([`Simulator::start_tls`]).
//!
//! At its root it has a page for people. Over HTTP it is controlled below `/_sim/`: `counts`, `counts/reset`, `log`, `expected`, `secrets`, `evolve`,
//! `audit`, `audit/withhold`, `faults`, `throttle`, `latency`, `hold`, `release`, `tokens/revoke`, each with a JSON body.

mod answer;
mod assignment;
mod audit;
mod audit_log;
mod authority;
mod batch;
mod breakage;
mod catalogue;
mod child;
mod cloud;
mod config;
mod connection;
mod context;
mod control;
mod control_page;
pub mod demo;
mod directory;
mod fault;
mod field;
mod filter;
mod graph;
mod happenings;
mod hold;
mod host;
mod hostile;
mod identity;
mod instant;
mod listing;
mod metadata;
mod object;
mod offered;
mod planted;
mod query;
mod refusal;
mod server;
mod setting_definitions;
mod settings;
mod structure;
mod template;
mod template_paths;
mod tenant;
mod token;

pub use audit::{Log, Record, Verb, What, Who};
pub use authority::AuthorityError;
pub use catalogue::all_permissions;
pub use cloud::{Cloud, Counts, LoggedRequest};
pub use config::{SimTenant, SimulatorConfig, Throttle};
pub use fault::{Fault, FaultKind, Within};
pub use graph::path_of;
pub use hostile::HostileBody;
pub use object::{CREDENTIAL_MARK, CREDENTIAL_MARK_BASE64, SECRET_MARK, SECRET_MARK_BASE64};
pub use planted::PlantedSecret;
pub use server::{Simulator, StartError};
pub use tenant::{Evolution, Migration, Step, large_group_id};
