//! Schedules: what is started by the clock.

pub mod functions;

#[cfg(feature = "ssr")]
mod form;
#[cfg(feature = "ssr")]
mod list;
#[cfg(feature = "ssr")]
pub mod one_page;
#[cfg(feature = "ssr")]
pub mod page;
