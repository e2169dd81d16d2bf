//! Tokens of the REST API: of a person, and of a tenant.

pub mod functions;
#[cfg(feature = "ssr")]
mod load;
#[cfg(feature = "ssr")]
pub mod page;
