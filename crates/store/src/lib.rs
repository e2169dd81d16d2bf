//! The records of TenantAtlas on SQLite and PostgreSQL.
//!
//! # How it is laid out
//! One module per record. Lookups take anything that implements [`Access`] (`&Reader`, `&Db`, or `&mut Tx` inside a
//! transaction) and answer `Option` when a row may not exist: only failures are errors. Writes take `&mut Tx`, so that whoever calls
//! decides what is committed together. One query text serves both databases (`$1` placeholders, `ON CONFLICT`,
//! `RETURNING`); where they truly differ, the difference has a name in `dialect.rs`.
//!
//! Rows become records by `#[derive(FromRow)]`, see `record.rs`. Values are bound with `args![…]`, and a statement whose
//! text depends on what is asked for is a `Statement` of fragments (`sql.rs`). What writes many rows at once is in `bulk.rs`.
//!
//! # Rules every repository keeps
//! - The tenant is a column of the `WHERE` clause of every query on a tenant's rows.
//! - Instants are 64-bit milliseconds passed in by the caller. Only leases use the clock of the database, since they are
//!   compared across machines.
//! - Every write of a worker is fenced: it names the lease by which the worker holds its run ([`operation_runs::Fence`]).
//! - An audit entry is appended last in its transaction: the end of the chain stays locked until the commit.

mod among;
pub mod api_answers;
pub mod api_token_refusals;
pub mod api_tokens;
mod arrays;
pub mod audit;
pub mod audit_events;
mod bulk;
mod bulk_texts;
mod database;
pub mod database_check;
pub mod deliveries;
mod dialect;
pub mod endpoints;
mod error;
pub mod expiries;
pub mod facts;
mod files;
pub mod findings;
pub mod inventory;
pub mod invitations;
pub mod key_rotation;
pub mod known_browsers;
mod lists;
pub mod members;
mod migrations;
pub mod notifications;
pub mod one_time_links;
pub mod operation_runs;
pub mod pending_certificates;
pub mod pending_sign_ins;
pub mod permissions;
pub mod policies;
mod postgres_server;
pub mod preferences;
mod read_only;
mod reader;
mod readiness;
mod record;
pub mod retention;
mod retry;
pub mod saved_views;
pub mod schedules;
pub mod scopes;
pub mod second_factors;
pub mod sessions;
pub mod setting_catalog;
pub mod setting_search;
pub mod sign_in_attempts;
mod signals;
mod sql;
mod sqlite_file;
pub mod sync_runs;
pub mod tenants;
#[cfg(feature = "testing")]
pub mod testing;
pub mod user_preferences;
pub mod users;
mod vault;
mod write_probe;

pub use database::{Access, Backend, Db, Tx};
pub use error::StoreError;
pub use migrations::MigrationReport;
pub use reader::{Readable, Reader};
pub use retry::with_retries;
pub use signals::{Listener, Signal};
pub use vault::{FingerprintKey, NamedHash, SealedSecret, Vault};
