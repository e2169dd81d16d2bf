//! The command line: one file per command.

mod arguments;
mod assigned_to;
mod audit;
mod audit_events;
mod capture;
mod database;
mod drift;
mod findings;
mod followers;
pub mod graph_sim;
mod initiator;
mod item_show;
mod items;
mod key;
mod migrate;
pub mod output;
mod own_entry;
pub mod progress;
mod retention;
mod runs;
mod schedule;
pub mod secret_input;
mod setting_search;
mod sync;
mod tenant;
mod tokens;
mod types;
mod user;
mod versions;
mod webhook;

pub use arguments::{Arguments, Command, ServeArguments, WorkerArguments};

use output::Output;

use crate::exit::Exit;
use crate::settings::Settings;
use crate::{open, web};

/// Does what was typed.
///
/// # Errors
/// With the sentence for the person and the documented exit code.
pub async fn run(arguments: Arguments, settings: &Settings) -> Result<(), Exit> {
    let output = Output { json: arguments.json };
    let result = obey(arguments.command, settings, output).await;
    open::remember_log().await;
    result
}

async fn obey(command: Command, settings: &Settings, output: Output) -> Result<(), Exit> {
    match command {
        Command::Serve(serve) => web::serve(settings, &serve).await,
        Command::Worker(worker) => web::work(settings, &worker).await,
        Command::Migrate => migrate::run(settings, output).await,
        Command::User(command) => user::run(settings, command, output).await,
        Command::Tenant(command) => tenant::run(settings, command, output).await,
        Command::Sync(sync) => sync::run(settings, &sync, output).await,
        Command::Capture(capture) => capture::run(settings, &capture, output).await,
        Command::Drift(drift) => drift::run(settings, &drift, output).await,
        Command::Findings(command) => findings::run(settings, command, output).await,
        Command::Versions(versions) => versions::run(settings, versions, output).await,
        Command::Settings(command) => setting_search::run(settings, command, output).await,
        Command::AuditEvents(events) => audit_events::run(settings, events, output).await,
        Command::Items(items) => Box::pin(items::run(settings, &items, output)).await,
        Command::Types(types) => types::run(&types, output),
        Command::Runs(runs) => runs::run(settings, runs, output).await,
        Command::Webhook(command) => webhook::run(settings, command, output).await,
        Command::Retention(command) => retention::run(settings, command, output).await,
        Command::Schedule(command) => schedule::run(settings, command, output).await,
        Command::Token(command) => tokens::run(settings, command, output).await,
        Command::Audit(command) => audit::run(settings, &command, output).await,
        Command::Database(command) => database::run(settings, command, output).await,
        Command::Key(command) => key::run(settings, command, output).await,
        Command::GraphSim(simulator) => graph_sim::run(&simulator, output).await,
    }
}
