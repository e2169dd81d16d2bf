//! What drifted, and who accepted it.

pub mod functions;
#[cfg(feature = "ssr")]
mod load;
#[cfg(feature = "ssr")]
pub mod page;
#[cfg(feature = "ssr")]
mod row;
