//! Tenants: the commands on them, and how they are connected to.

mod commands;
pub(crate) mod connection;

pub use connection::endpoints;
