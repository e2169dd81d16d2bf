//! The `tenantatlas` binary: the web server with its workers, and the command line.
//!
//! This is the one crate that knows all others: it reads the settings, opens the database, starts the engine, and
//! either serves the web application or does what one command asked for. Rules live in `domain`, work in `engine`.

mod cli;
mod demo;
mod exit;
mod finding_document;
mod folder;
mod item_document;
mod logging;
mod open;
mod process_limits;
mod say;
mod settings;
mod web;

use std::process;

use clap::Parser as _;
use clap::error::ErrorKind;
use cli::{Arguments, Command};
use exit::{Exit, ExitCode};
use settings::Settings;
use tenantatlas_traces::{TraceLayer, Traces};
use tokio::runtime::Runtime;
use tracing::Instrument as _;
use uuid::Uuid;

/// The allocator of the C library gives each thread a heap of its own and little back: what pages of Graph leave behind
/// grew with their number. This one stays where it is, and is faster under many small texts.
#[cfg(all(unix, not(target_env = "musl")))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// The stack of a thread, of which only what is used takes memory. The largest page needs less than 0.8 MB of it.
const STACK_BYTES: usize = 4 << 20;

fn main() {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version are answers; anything else is wrong usage. clap's own code for it, 2, means "partial" here.
            let code = match error.kind() {
                ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => ExitCode::Success,
                _ => ExitCode::Usage,
            };
            if code == ExitCode::Usage && std::env::args_os().any(|argument| argument == "--json") {
                tell(&Exit::usage(sentence(&error)), Uuid::new_v4(), true);
            } else {
                let _ = error.print();
            }
            process::exit(code as i32);
        }
    };
    let (id, json) = (Uuid::new_v4(), arguments.json);
    let code = match run(arguments, id) {
        Ok(()) => ExitCode::Success,
        Err(exit) => {
            exit.log(id);
            tell(&exit, id, json);
            exit.code()
        }
    };
    process::exit(code as i32);
}

fn tell(exit: &Exit, id: Uuid, json: bool) {
    if let Some(told) = exit.told(id, json) {
        use std::io::Write as _;
        let _ = writeln!(std::io::stderr().lock(), "{told}");
    }
}

/// What was typed wrong, in one line: how the command is used stands in its help.
fn sentence(error: &clap::Error) -> String {
    let told = error.render().to_string();
    let told = told.strip_prefix("error: ").unwrap_or(&told);
    let own = told.split("\n\nUsage:").next().and_then(|told| told.split("\n\nFor more information").next());
    own.unwrap_or(told).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Does what was typed. The lines that a command writes into the log carry its id; those of a server have one for each
/// request.
fn run(arguments: Arguments, id: Uuid) -> Result<(), Exit> {
    let settings = Settings::load(&arguments.settings, arguments.command.is_demo())?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_stack_size(STACK_BYTES)
        .build()
        .map_err(|error| Exit::unexpected(format!("cannot start the asynchronous runtime: {error}")))?;
    let (traces, layer) = traces(&arguments, &settings, &runtime)?.unzip();
    logging::start(&arguments, layer)?;
    process_limits::apply();
    let span = if arguments.command.is_server() {
        tracing::Span::none()
    } else {
        tracing::error_span!("command", error_id = %id)
    };
    let result = runtime.block_on(cli::run(arguments, &settings).instrument(span));
    // What they are sent by runs on the runtime.
    if let Some(traces) = traces {
        traces.stop();
    }
    runtime.shutdown_timeout(std::time::Duration::from_secs(5));
    result
}

/// What sends traces, where the settings say so: of what serves others, and not of single commands.
fn traces(arguments: &Arguments, settings: &Settings, runtime: &Runtime) -> Result<Option<(Traces, TraceLayer)>, Exit> {
    if !matches!(arguments.command, Command::Serve(_) | Command::Worker(_)) {
        return Ok(None);
    }
    let Some(read) = settings.traces.clone().read()? else { return Ok(None) };
    let outgoing = &settings.outgoing;
    let started = Traces::start(read, outgoing.proxies.clone(), outgoing.authorities.clone(), runtime.handle().clone());
    started.map(Some).map_err(|error| {
        Exit::new(
            ExitCode::Configuration,
            format!("traces cannot be sent as the variables OTEL_EXPORTER_OTLP_… say ({error}): correct or unset them"),
        )
    })
}
