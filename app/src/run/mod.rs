//! Operation runs: watched, cancelled, retried, looked back at.

pub mod bucket;
pub mod functions;
pub mod model;
pub mod progress_widget;
pub mod run_card;
pub mod toast;

#[cfg(feature = "ssr")]
mod artefacts;
#[cfg(feature = "ssr")]
mod capture;
#[cfg(feature = "ssr")]
mod compared;
#[cfg(feature = "ssr")]
mod course;
#[cfg(feature = "ssr")]
pub mod hub;
#[cfg(feature = "ssr")]
pub mod initiator;
#[cfg(feature = "ssr")]
pub mod load;
#[cfg(feature = "ssr")]
pub mod page;
#[cfg(feature = "ssr")]
pub mod readers;
#[cfg(feature = "ssr")]
mod timeline;
#[cfg(feature = "ssr")]
mod trouble;
