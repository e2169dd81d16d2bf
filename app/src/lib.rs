//! Pages, islands and server functions.
//!
//! Every page is rendered on the server and complete without WebAssembly: its lists, filters and forms are links and
//! forms. What moves by itself (progress, notifications, the type picker) is an *island*: a component that the server
//! renders too and that the browser takes over. Only islands, their server functions and their models reach the
//! browser, which keeps the first load small; pages, router and data loading stay under the feature `ssr`.
pub mod address;
pub mod ambient;
pub mod api;
pub mod error;
pub mod format;
pub mod icon;
pub mod island;
pub mod live;
pub mod model;

mod component;

#[cfg(feature = "ssr")]
pub mod auth;
#[cfg(feature = "ssr")]
mod page;
#[cfg(feature = "ssr")]
mod qr;
#[cfg(feature = "ssr")]
mod routes;
#[cfg(feature = "ssr")]
pub mod scope;
#[cfg(feature = "ssr")]
pub mod service;
#[cfg(feature = "ssr")]
mod shell;
#[cfg(feature = "ssr")]
mod user_agent;

#[cfg(feature = "ssr")]
pub use page::{audit_filter, run_filter};
#[cfg(feature = "ssr")]
pub use routes::App;
#[cfg(feature = "ssr")]
pub use shell::{AssetPaths, shell};
