//! What leads anywhere by the keyboard: the palette, the sheet of keys, and the page of help.

pub mod dialog;
pub mod functions;
#[cfg(feature = "ssr")]
pub mod help_page;
#[cfg(feature = "ssr")]
mod load;
pub mod model;
pub mod sheet;
