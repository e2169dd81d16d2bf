//! Tenants: the commands on them, and how they are connected to.

mod commands;
pub(crate) mod connection;
mod made_certificate;

pub use commands::problems as connection_problems;
pub use connection::endpoints;
pub use made_certificate::{MadeCertificate, made as make_certificate};
