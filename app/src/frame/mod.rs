//! The frame around every page: top bar, navigation, what is live.

#[cfg(feature = "ssr")]
pub mod load;
#[cfg(feature = "ssr")]
pub mod view;
#[cfg(feature = "ssr")]
mod views;
