//! Where news of a tenant are sent besides its pages.

pub mod functions;

#[cfg(feature = "ssr")]
mod form;
#[cfg(feature = "ssr")]
pub mod load;
#[cfg(feature = "ssr")]
mod log;
#[cfg(feature = "ssr")]
pub mod page;
