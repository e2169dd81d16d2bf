//! What drifted, and who accepted it.

#[cfg(feature = "ssr")]
pub mod choices;
#[cfg(feature = "ssr")]
mod filters;
pub mod functions;
#[cfg(feature = "ssr")]
mod list;
#[cfg(feature = "ssr")]
mod load;
#[cfg(feature = "ssr")]
pub mod page;
#[cfg(feature = "ssr")]
mod row;
#[cfg(feature = "ssr")]
pub mod told;
