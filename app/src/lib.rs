//! Pages and islands.
//!
//! Every page is rendered on the server and complete without WebAssembly: its lists and forms are links and forms. What
//! moves by itself is an *island*: a component that the server renders too and that the browser takes over. Only
//! islands reach the browser, which keeps the first load small; pages, router and data loading stay under the feature
//! `ssr`.

pub mod island;

#[cfg(feature = "ssr")]
mod page;
#[cfg(feature = "ssr")]
mod routes;
#[cfg(feature = "ssr")]
mod session;
#[cfg(feature = "ssr")]
mod shell;

#[cfg(feature = "ssr")]
pub use routes::App;
#[cfg(feature = "ssr")]
pub use session::{CurrentSession, TenantSummary};
#[cfg(feature = "ssr")]
pub use shell::{AssetPaths, shell};
