//! An inventory sync: the type picker, and the start.

pub mod button;
mod dialog;
pub mod functions;
pub mod model;
pub mod picker;

#[cfg(feature = "ssr")]
pub mod load;
#[cfg(feature = "ssr")]
pub mod page;
