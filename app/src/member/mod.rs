//! The members of a tenant and their roles.

pub mod functions;

#[cfg(feature = "ssr")]
mod invitations;
#[cfg(feature = "ssr")]
pub mod load;
#[cfg(feature = "ssr")]
pub mod page;
