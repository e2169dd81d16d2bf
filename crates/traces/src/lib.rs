//! Traces over OTLP: what the spans of this program become for a collector (OpenTelemetry, "OTLP Specification 1"), and the
//! way there.
//!
//! - **Off unless an endpoint is named** ([`Settings::read`]). Then a layer takes the spans with the target
//!   [`TARGET`](tenantatlas_domain::traces::TARGET), and those of requests and runs, which the log has too: no event, no other span.
//! - **Only attributes that are listed here leave** ([`ATTRIBUTES`]), whatever somebody writes into a span one day.
//! - **Nothing waits for the collector.** Spans are put into a queue of bounded length; a thread of its own sends them by
//!   the connector of this program. What does not fit, or is not taken, is dropped, and one warning in a while says so.
//!
//! A trace begins here, always: `traceparent` of a request is anybody's, and would let others write into a trace and decide
//! what is kept of it.

mod client;
mod export;
mod queue;
mod settings;
mod start;

pub use export::ATTRIBUTES;
pub use settings::{Given, Settings, SettingsError};
pub use start::{TraceLayer, Traces};
