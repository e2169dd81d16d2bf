//! One's own name, password, sessions and colours.

pub mod functions;
pub mod theme_switch;

#[cfg(feature = "ssr")]
pub mod load;
#[cfg(feature = "ssr")]
pub mod page;
