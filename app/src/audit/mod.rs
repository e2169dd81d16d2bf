//! The audit log of a tenant.

#[cfg(feature = "ssr")]
pub mod load;
#[cfg(feature = "ssr")]
pub mod page;
#[cfg(feature = "ssr")]
pub(crate) mod sentence;
#[cfg(feature = "ssr")]
pub mod verification;
