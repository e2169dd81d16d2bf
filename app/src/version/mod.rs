//! Versions of policies: the body of one, and what differs between two.

#[cfg(feature = "ssr")]
pub mod difference_page;
pub mod functions;
#[cfg(feature = "ssr")]
pub mod highlight;
#[cfg(feature = "ssr")]
pub mod latest;
#[cfg(feature = "ssr")]
pub mod load;
#[cfg(feature = "ssr")]
pub mod page;
#[cfg(feature = "ssr")]
pub mod text;
#[cfg(feature = "ssr")]
pub mod value;
#[cfg(feature = "ssr")]
pub mod words;
