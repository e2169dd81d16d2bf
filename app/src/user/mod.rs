//! Everybody who may sign in.

pub mod functions;

#[cfg(feature = "ssr")]
pub mod load;
#[cfg(feature = "ssr")]
pub mod page;
