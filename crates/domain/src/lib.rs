//! The rules of TenantAtlas without I/O.
//!
//! What may be read from a tenant (the [`registry`]), what a person chose (a
//! [`selection`]), how far the work is ([`operation`], [`sync`]), what was found
//! ([`normalise`], [`sanitise`], [`references`], [`body`], its [`settings`]) and what that says about
//! presence and change ([`presence`], [`drift`]). Nothing here touches a clock, a network, a disk or a
//! source of randomness: time, ids and keys are passed in, so that every rule
//! runs unchanged on the server, in a test and in the browser as WebAssembly.

pub mod app_registration;
pub mod audit;
pub mod audit_event;
pub mod body;
pub mod canonical;
pub mod drift;
pub mod endpoint;
pub mod expiry;
pub mod ids;
pub mod invisible;
pub mod item_column;
pub mod item_name;
pub mod live;
mod names;
pub mod news;
pub mod normalise;
pub mod operation;
pub mod path_segment;
pub mod pauses;
pub mod presence;
pub mod reason;
pub mod references;
pub mod registry;
pub mod role;
pub mod sanitise;
pub mod selection;
pub mod setting_query;
pub mod settings;
pub mod since;
pub mod sync;
pub mod time;
pub mod traces;
