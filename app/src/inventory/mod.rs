//! What was read from a tenant: the list, its coverage, one item.

#[cfg(feature = "ssr")]
pub mod assigned;
#[cfg(feature = "ssr")]
pub mod coverage_strip;
#[cfg(feature = "ssr")]
pub mod elsewhere;
#[cfg(feature = "ssr")]
pub mod group_hits;
#[cfg(feature = "ssr")]
pub mod item;
#[cfg(feature = "ssr")]
pub mod item_page;
#[cfg(feature = "ssr")]
pub mod labels;
#[cfg(feature = "ssr")]
pub mod load;
#[cfg(feature = "ssr")]
pub mod not_read;
#[cfg(feature = "ssr")]
pub mod page;
