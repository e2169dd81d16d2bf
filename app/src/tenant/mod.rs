//! Tenants: the list of them, their connection, the switcher.

pub mod functions;
pub mod model;
pub mod switcher;
mod switcher_search;

#[cfg(feature = "ssr")]
pub mod add_page;
#[cfg(feature = "ssr")]
pub mod all_page;
#[cfg(feature = "ssr")]
mod check;
#[cfg(feature = "ssr")]
pub mod connection_form;
#[cfg(feature = "ssr")]
pub mod consent_page;
#[cfg(feature = "ssr")]
pub mod list_page;
#[cfg(feature = "ssr")]
pub mod load;
#[cfg(feature = "ssr")]
pub mod overview;
#[cfg(feature = "ssr")]
pub mod portal;
#[cfg(feature = "ssr")]
mod set_up;
#[cfg(feature = "ssr")]
pub mod settings_page;
#[cfg(feature = "ssr")]
pub mod sync_answer;
#[cfg(feature = "ssr")]
mod table;
