//! Log lines: structured, on standard error, never with a secret (values that hold one have no way to print themselves).

use std::io::{self, IsTerminal as _};

use tracing::{Level, Metadata};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _, fmt};

use crate::cli::{Arguments, Command};
use crate::exit::{Exit, ExitCode};

/// What is logged when nothing is said: a server tells what it does, a command only what is wrong.
const SERVER_FILTER: &str = "info,hyper=warn,sqlx=warn,tower_http=info";
const COMMAND_FILTER: &str = "error";
/// Libraries that print addresses or refused parts of requests at their lowest level. An address may hold a one-time link, so
/// that level is never written, whatever the filter says.
const ADDRESSES_AT_TRACE: [&str; 2] = ["tower_http::csrf", "axum::rejection"];

/// Starts logging: readable lines on a terminal, one JSON object per line elsewhere.
///
/// # Errors
/// When the filter is not understood (exit code 78).
pub fn start(arguments: &Arguments) -> Result<(), Exit> {
    let server = arguments.command.is_server();
    let text = arguments.log.as_deref().unwrap_or(match &arguments.command {
        // The demo shows progress bars; its log lines would tear them.
        Command::Serve(serve) if serve.demo => "warn",
        _ if server => SERVER_FILTER,
        _ => COMMAND_FILTER,
    });
    let filter = EnvFilter::try_new(text).map_err(|error| {
        Exit::new(
            ExitCode::Configuration,
            format!("the log filter \"{text}\" was not understood ({error}): expected a level such as info, or target=level pairs"),
        )
    })?;
    let registry = tracing_subscriber::registry().with(filter);
    if server && !io::stderr().is_terminal() {
        registry
            .with(fmt::layer().json().flatten_event(true).with_writer(io::stderr).with_filter(filter_fn(is_safe)))
            .init();
    } else {
        registry.with(fmt::layer().with_writer(io::stderr).with_filter(filter_fn(is_safe))).init();
    }
    Ok(())
}

/// Whether what an event tells can hold no address of a request.
fn is_safe(event: &Metadata<'_>) -> bool {
    *event.level() < Level::TRACE || !ADDRESSES_AT_TRACE.iter().any(|target| event.target().starts_with(target))
}
