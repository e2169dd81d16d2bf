//! How long is kept what has ended.

pub mod functions;

#[cfg(feature = "ssr")]
pub mod page;
#[cfg(feature = "ssr")]
pub mod removed;
