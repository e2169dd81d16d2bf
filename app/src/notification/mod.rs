//! Notifications of a person.

pub mod bell;
mod drawer;
pub mod functions;
pub mod list;
pub mod model;

#[cfg(feature = "ssr")]
pub mod load;
#[cfg(feature = "ssr")]
pub mod page;
