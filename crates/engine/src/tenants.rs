//! Tenants: the commands on them, and how they are connected to.

mod commands;
pub(crate) mod connection;

pub use commands::problems as connection_problems;
pub use connection::endpoints;
