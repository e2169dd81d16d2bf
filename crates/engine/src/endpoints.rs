//! News of a tenant, sent elsewhere: webhooks, Teams, Slack, mail (`docs/rules.md`, section Webhooks).
//!
//! A message is written in the transaction of what it tells of (`events.rs`, and `completion.rs` of the runner). Senders of any
//! process take it by a lease (`sender.rs`), put it in the form of its endpoint (`message.rs`), send it (`sending.rs`) and
//! write how that ended under the fence of the lease (`settling.rs`).

mod address;
mod commands;
pub(crate) mod events;
mod mail;
mod message;
mod notice;
pub(crate) mod sender;
mod sending;
mod settling;
mod signature;
mod told;

pub use commands::{AddedEndpoint, EndpointChange, EndpointDetails};
pub use mail::{MailConfig, MailTls};
pub use notice::EndpointNotice;
