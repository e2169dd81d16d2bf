//! What policies set: a search over all tenants of a person, or in one.

#[cfg(feature = "ssr")]
mod found;
#[cfg(feature = "ssr")]
mod not_searched;
#[cfg(feature = "ssr")]
pub mod page;
#[cfg(feature = "ssr")]
mod place;
#[cfg(feature = "ssr")]
mod values;
