//! Pages, islands and server functions.
//!
//! Every page is rendered on the server and complete without WebAssembly: its lists, filters and forms are links and
//! forms. What moves by itself (progress, notifications, the type picker) is an *island*: a component that the server
//! renders too and that the browser takes over. Only islands, their server functions and their models reach the
//! browser, which keeps the first load small; pages, router and data loading stay under the feature `ssr`.
//!
//! A folder per noun holds its pages, server functions, islands and models; what they share lies beside them:
//! - `functions.rs`: the server functions, which hold their work: who asks and what they may, the command of the engine,
//!   and where the answer leads.
//! - `page.rs`, `*_page.rs`: a page each; `load.rs`: what pages show, read from the store.
//! - `model.rs`: what travels between server and browser.

#[macro_use]
pub mod access;
pub mod account;
pub mod address;
pub mod audit;
pub mod done;
pub mod endpoint;
pub mod enhance;
pub mod error;
#[cfg(feature = "ssr")]
pub mod filter;
pub mod finding;
pub mod format;
pub mod group;
pub mod inventory;
pub mod island;
pub mod live;
pub mod member;
pub mod notification;
pub mod packed;
pub mod palette;
pub mod relation;
pub mod retention;
pub mod run;
pub mod schedule;
pub mod second_factor;
pub mod session;
pub mod setting;
pub mod sync;
pub mod tenant;
pub mod token;
pub mod ui;
pub mod user;
pub mod version;
pub mod zone;

#[cfg(feature = "ssr")]
mod frame;
#[cfg(feature = "ssr")]
mod page;
#[cfg(feature = "ssr")]
pub mod redirect;
#[cfg(feature = "ssr")]
mod routes;
#[cfg(feature = "ssr")]
pub mod scope;
#[cfg(feature = "ssr")]
mod shell;

#[cfg(feature = "ssr")]
pub use routes::{App, PAGES, Page};
#[cfg(feature = "ssr")]
pub use shell::{AssetPaths, shell};
