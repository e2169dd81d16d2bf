//! Commands: the one way in which something is changed (`docs/rules.md`, section Access).
//!
//! [`Commands::execute`] begins the write transaction, reads the right of the [`Actor`] under a lock of the rows that carry
//! it, does the work, appends the entry of the audit log and commits. What was refused or failed is written into the audit
//! log as well. This crate knows neither what is changed nor who asks over which protocol.

mod actor;
mod audit_entry;
mod audit_events;
mod clock;
mod command;
mod commands;
mod error;
mod network;
mod rate_limit;
mod right;
mod token_refusals;

pub use actor::{Actor, ActorKind};
pub use audit_entry::AuditEntry;
pub use audit_events::AuditEvent;
pub use clock::{Clock, SystemClock};
pub use command::{Command, Log};
pub use commands::Commands;
pub use error::{CommandError, Refusal};
pub use network::{networks, site};
pub use rate_limit::Rate;
pub use right::{CONFIRMATION_LASTS, Right, is_confirmed, require, require_administrator, require_confirmed};
