//! Pieces of pages.

mod notifications;

pub use notifications::notification_list;

#[cfg(feature = "ssr")]
mod coverage;
#[cfg(feature = "ssr")]
mod empty;
#[cfg(feature = "ssr")]
mod form;
#[cfg(feature = "ssr")]
mod frame;
#[cfg(feature = "ssr")]
mod mark;
#[cfg(feature = "ssr")]
mod state;
#[cfg(feature = "ssr")]
mod time;
#[cfg(feature = "ssr")]
mod title;

#[cfg(feature = "ssr")]
pub use coverage::coverage_strip;
#[cfg(feature = "ssr")]
pub use empty::{confirm_note, empty, error_page, note, refusal_note};
#[cfg(feature = "ssr")]
pub use form::{code_field, credential_fields, field, hidden, new_password, options, reveal, saved_note};
#[cfg(feature = "ssr")]
pub use frame::{Section, plain_frame, tenant_frame};
#[cfg(feature = "ssr")]
pub use mark::{chart, mark};
#[cfg(feature = "ssr")]
pub use state::{bucket_state, outcome_state, presence_state, state, sync_state};
#[cfg(feature = "ssr")]
pub use time::{day, moment, moment_or};
#[cfg(feature = "ssr")]
pub use title::{TitleFormat, page_title};
