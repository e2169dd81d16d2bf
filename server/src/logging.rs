//! Log lines: structured, on standard error, never with a secret (values that hold one have no way to print themselves).
//! Spans for a collector go by, and into no line.

use std::io::{self, IsTerminal as _};

use tenantatlas_domain::traces::TARGET;
use tenantatlas_traces::TraceLayer;
use tracing::level_filters::LevelFilter;
use tracing::{Level, Metadata};
use tracing_subscriber::filter::{FilterExt as _, filter_fn};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer, Registry, fmt};

use crate::cli::{Arguments, Command};
use crate::exit::{Exit, ExitCode};

/// What is logged when nothing is said: a server tells what it does, a command only what is wrong.
const SERVER_FILTER: &str = "info,hyper=warn,sqlx=warn,tower_http=info";
const COMMAND_FILTER: &str = "error";
/// The same for somebody who sits before it: what it waits for as well.
const TERMINAL_FILTER: &str = "error,tenantatlas_store::postgres_server=warn";
/// Libraries that print addresses or refused parts of requests at their lowest level. An address may hold a one-time link, so
/// that level is never written, whatever the filter says.
const ADDRESSES_AT_TRACE: [&str; 2] = ["tower_http::csrf", "axum::rejection"];

/// Starts logging: readable lines on a terminal, one JSON object per line elsewhere. Beside it, what takes spans for a collector;
/// where there is none, those spans are not even made.
///
/// # Errors
/// When the filter is not understood (exit code 78).
pub fn start(arguments: &Arguments, traces: Option<TraceLayer>) -> Result<(), Exit> {
    let server = arguments.command.is_server();
    let text = arguments.log.as_deref().unwrap_or(match &arguments.command {
        // The demo shows progress bars; its log lines would tear them.
        Command::Serve(serve) if serve.demo => "warn",
        _ if server => SERVER_FILTER,
        _ if io::stderr().is_terminal() => TERMINAL_FILTER,
        _ => COMMAND_FILTER,
    });
    let filter = EnvFilter::try_new(text).map_err(|error| {
        Exit::new(
            ExitCode::Configuration,
            format!("the log filter \"{text}\" was not understood ({error}): expected a level such as info, or target=level pairs"),
        )
    })?;
    let filter = without_traces(filter)?.and(filter_fn(is_safe).with_max_level_hint(LevelFilter::TRACE));
    let lines: Box<dyn Layer<Registry> + Send + Sync> = if server && !io::stderr().is_terminal() {
        fmt::layer().json().flatten_event(true).with_writer(io::stderr).with_filter(filter).boxed()
    } else {
        fmt::layer().with_writer(io::stderr).with_filter(filter).boxed()
    };
    Registry::default().with(std::iter::once(lines).chain(traces).collect::<Vec<_>>()).init();
    Ok(())
}

/// The filter without the spans that are meant for a collector.
fn without_traces(filter: EnvFilter) -> Result<EnvFilter, Exit> {
    let off = format!("{TARGET}=off").parse().map_err(|error| Exit::unexpected(format!("a filter: {error}")))?;
    Ok(filter.add_directive(off))
}

/// Whether what an event tells can hold no address of a request.
fn is_safe(event: &Metadata<'_>) -> bool {
    *event.level() < Level::TRACE || !ADDRESSES_AT_TRACE.iter().any(|target| event.target().starts_with(target))
}
